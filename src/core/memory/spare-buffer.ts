/**
 * A buffer kept for the next request that needs one: of those that requests of some size were put
 * together in, the largest. Without it a client that sends one large request after the other leaves
 * one or several buffers behind with each, and the system's memory fills with what waits for the
 * collector (measured: 130 MB after 100 MB of MSETs of 1 MB each).
 *
 * There is one a process. Whoever takes it has it alone until it is given back.
 */

/** Larger ones are left to the collector. */
export const SPARE_BYTES_MAX = 1 << 22;

const EMPTY = new Uint8Array(0);
let spare: Uint8Array = EMPTY;

/** A buffer of at least `size` bytes, which hold anything. */
export function takeSpare(size: number): Uint8Array {
  if (spare.length < size) return new Uint8Array(size);
  const taken = spare;
  spare = EMPTY;
  return taken;
}

/** Gives a buffer back that nobody looks at any more. */
export function giveSpare(buffer: Uint8Array): void {
  if (buffer.length > spare.length && buffer.length <= SPARE_BYTES_MAX) spare = buffer;
}
