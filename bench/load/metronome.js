/**
 * A thread that does nothing but tick: timers of an event loop are no finer than a millisecond,
 * waiting on shared memory is. Worker data: milliseconds between two ticks.
 */
import { parentPort, workerData } from 'node:worker_threads';

const cell = new Int32Array(new SharedArrayBuffer(4));
for (;;) {
  Atomics.wait(cell, 0, 0, workerData);
  parentPort?.postMessage(0);
}
