/**
 * The clocks of the thread that serves: the time, of it what the event loop waited for something
 * to do, and what the thread was ready to run without having a core.
 *
 * The last comes from the kernel, in the second of three figures of /proc/self/schedstat:
 *
 *     1895910 40211 7        nanoseconds run, nanoseconds waited for a core, times run
 *
 * Reading it takes two microseconds. Systems without it show no such waits, and threads other than
 * the first cannot ask in this way.
 */
import { openSync, readSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const FIGURES = '/proc/self/schedstat';
const FIGURES_BYTES = 64;
const NS_IN_MS = 1e6;

/** All in milliseconds, from a beginning of their own. */
export interface LoopClocks {
  now(): number;
  /** How long the loop waited for events. */
  idle(): number;
  /** How long the thread waited for a core. */
  coreless(): number;
}

const figures = Buffer.alloc(FIGURES_BYTES);
let file = isMainThread ? opened() : -1;

export const loopClocks: LoopClocks = {
  now: () => performance.now(),
  idle: () => performance.nodeTiming.idleTime,
  coreless,
};

function opened(): number {
  try {
    return openSync(FIGURES, 'r');
  } catch {
    return -1;
  }
}

function coreless(): number {
  if (file < 0) return 0;
  try {
    const length = readSync(file, figures, 0, FIGURES_BYTES, 0);
    return Number(figures.toString('latin1', 0, length).split(' ')[1] ?? 0) / NS_IN_MS;
  } catch {
    file = -1;
    return 0;
  }
}
