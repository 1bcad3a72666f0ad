/**
 * A string of many bytes that waits aside until the room where it is to stay can be made: the field
 * of a hash, whose value stands behind it in one block and comes later.
 *
 *     aside    [ first ........................ last ]
 *     moving   [ first ........... ]----- piece ----->[ room | ........... last ]
 *
 * It moves piece by piece from its end on, and gives the memory of each piece back at once, which
 * only a resizable buffer can: so it is never held twice. Nobody but the loader sees that buffer.
 */

const PIECE_BYTES = 1 << 20;
const NO_BUFFER = new ArrayBuffer(0);
const NO_BYTES = new Uint8Array(NO_BUFFER);

export class AsideString {
  length = 0;
  /** Where it is written to, once it was opened. */
  bytes = NO_BYTES;
  #buffer = NO_BUFFER;

  /** Makes room for a string of `length` bytes. */
  open(length: number): void {
    this.length = length;
    this.#buffer = new ArrayBuffer(0, { maxByteLength: length });
    this.#buffer.resize(length);
    this.bytes = new Uint8Array(this.#buffer);
  }

  /** Moves the next piece to where the string begins in `to`. True when all of it is there. */
  move(to: Uint8Array, offset: number): boolean {
    const end = this.bytes.length;
    const from = Math.max(0, end - PIECE_BYTES);
    to.set(this.bytes.subarray(from, end), offset + from);
    this.#buffer.resize(from);
    if (from === 0) this.drop();
    return from === 0;
  }

  /** Gives all of it up. */
  drop(): void {
    this.length = 0;
    this.bytes = NO_BYTES;
    this.#buffer = NO_BUFFER;
  }
}
