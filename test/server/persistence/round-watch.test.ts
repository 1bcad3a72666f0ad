/** The watch over the loop's rounds sees how long one was at work, while it is on. */
import { setImmediate as nextRound } from 'node:timers/promises';
import { beforeEach, expect, it } from 'vitest';
import { loopClocks } from '../../../src/server/persistence/loop-clocks.ts';
import { RoundWatch } from '../../../src/server/persistence/round-watch.ts';

const clocks = { nowMs: 0, idleMs: 0, ranMs: 0 };
let watch: RoundWatch;

beforeEach(() => {
  Object.assign(clocks, { nowMs: 1000, idleMs: 100, ranMs: 10 });
  watch = new RoundWatch({
    now: () => clocks.nowMs,
    idle: () => clocks.idleMs,
    ran: () => clocks.ranMs,
  });
});

/** A round that took so long, of which the loop waited for events, and the thread ran. */
async function round(ms: number, idleMs: number, ranMs: number): Promise<void> {
  clocks.nowMs += ms;
  clocks.idleMs += idleMs;
  clocks.ranMs += ranMs;
  await nextRound();
  await nextRound();
}

it('sees the longest round between its begin and its end, and the most work in one', async () => {
  watch.begin();
  await round(3, 0, 3);
  expect([watch.longestUs, watch.workUs]).toEqual([3000, 3000]);
  await round(50, 0, 2);
  expect([watch.longestUs, watch.workUs]).toEqual([50_000, 3000]);
  await round(4, 0, 4);
  watch.end();
  await round(6, 0, 6);
  expect([watch.longestUs, watch.workUs]).toEqual([50_000, 6000]);
  await round(500, 0, 500);
  expect([watch.longestUs, watch.workUs]).toEqual([50_000, 6000]);
});

it('leaves out the wait for events, and takes for work what the thread ran', async () => {
  watch.begin();
  await round(90, 80, 9);
  expect([watch.longestUs, watch.workUs]).toEqual([10_000, 9000]);
  await round(90, 70, 15);
  expect([watch.longestUs, watch.workUs]).toEqual([20_000, 15_000]);
});

it('begins anew, also in the round in which it ended', async () => {
  watch.begin();
  await round(30, 0, 30);
  watch.end();
  watch.begin();
  expect([watch.longestUs, watch.workUs]).toEqual([0, 0]);
  await round(2, 0, 2);
  await round(1, 0, 1);
  expect([watch.longestUs, watch.workUs]).toEqual([2000, 2000]);
});

it('has clocks that never go back', () => {
  const all = (): number[] => [loopClocks.now(), loopClocks.idle(), loopClocks.ran()];
  const before = all();
  for (const [i, time] of all().entries()) expect(time).toBeGreaterThanOrEqual(before[i] ?? 0);
});
