/**
 * The clocks of the thread that serves: the time, how much of it the event loop waited for
 * something to do, and how long the thread ran.
 *
 * The last comes from the kernel, in the first of three figures of /proc/self/schedstat:
 *
 *     1895910 40211 7        nanoseconds run, nanoseconds waited for a core, times run
 *
 * It is brought up to date when a thread leaves its core and every few milliseconds, and when the
 * times of the process are asked for; so those are asked for first (measured: then it is right to
 * some microseconds, otherwise it may be 2 ms behind). Both together take five microseconds.
 * Systems without it do not tell a thread's time from that of others, and threads other than the
 * first cannot ask in this way: there the thread counts as running whenever it does not wait for
 * events.
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
  /** How long the thread had a core. */
  ran(): number;
}

const figures = Buffer.alloc(FIGURES_BYTES);
let file = isMainThread ? opened() : -1;

export const loopClocks: LoopClocks = {
  now: () => performance.now(),
  idle: () => performance.nodeTiming.idleTime,
  ran,
};

function opened(): number {
  try {
    return openSync(FIGURES, 'r');
  } catch {
    return -1;
  }
}

function ran(): number {
  if (file >= 0) {
    try {
      process.cpuUsage();
      const length = readSync(file, figures, 0, FIGURES_BYTES, 0);
      return Number(figures.toString('latin1', 0, length).split(' ')[0]) / NS_IN_MS;
    } catch {
      file = -1;
    }
  }
  return loopClocks.now() - loopClocks.idle();
}
