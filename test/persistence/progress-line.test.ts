/** How far long work is: when a line is due, and what it says. */
import { expect, it } from 'vitest';
import { ProgressLine } from '../../src/persistence/progress-line.ts';

it('is due every five seconds, and says how much of how many is done', () => {
  const line = new ProgressLine('Loading', 'bytes', 1_000_000);
  const told: string[] = [];
  for (let seconds = 0; seconds <= 12; seconds++) {
    const nowMs = 1_000_000 + seconds * 1000;
    if (line.isDue(nowMs)) told.push(line.tell(nowMs, seconds * 100, seconds < 10 ? 1500 : 0));
  }
  expect(told).toEqual([
    'Loading: 33.3% of 1500 bytes after 5 s',
    'Loading: 1000 bytes after 10 s',
  ]);
});
