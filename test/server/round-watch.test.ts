/** The watch over the loop's rounds sees how long one was at work, while it is on. */
import { setImmediate as nextRound } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { RoundWatch } from '../../src/server/persistence/round-watch.ts';

const WORK_MS = 15;

/** Works in one round of the loop, and leaves it. */
async function workMs(ms: number): Promise<void> {
  const until = performance.now() + ms;
  while (performance.now() < until);
  await nextRound();
  await nextRound();
}

it('sees the longest work in a round between its begin and its end', async () => {
  const watch = new RoundWatch();
  watch.begin();
  await workMs(WORK_MS);
  await workMs(1);
  expect(watch.longestUs).toBeGreaterThanOrEqual(WORK_MS * 1000);
  watch.end();
  await workMs(1);
  const longestUs = watch.longestUs;
  await workMs(2 * WORK_MS + longestUs / 1000);
  expect(watch.longestUs).toBe(longestUs);
});

it('begins anew, also in the round in which it ended', async () => {
  const watch = new RoundWatch();
  watch.begin();
  await workMs(WORK_MS);
  watch.end();
  watch.begin();
  expect(watch.longestUs).toBe(0);
  await workMs(WORK_MS);
  expect(watch.longestUs).toBeGreaterThanOrEqual(WORK_MS * 1000);
});
