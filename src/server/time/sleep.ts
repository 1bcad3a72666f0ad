/**
 * Stops the whole process for a moment: for DEBUG, and for a pipe that takes nothing just now.
 */

const nobody = new Int32Array(new SharedArrayBuffer(4));

/** Stops the event loop for `ms` milliseconds. */
export function sleepSync(ms: number): void {
  Atomics.wait(nobody, 0, 0, ms);
}
