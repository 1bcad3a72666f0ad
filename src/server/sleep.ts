/**
 * Stops the whole process for a while, for DEBUG alone.
 */

/** Lets the event loop stand still for so many milliseconds. */
export function sleepSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
