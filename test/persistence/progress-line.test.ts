/** How far long work is: when a line is due, and what it says. */
import { expect, it, vi } from 'vitest';
import { ProgressLine } from '../../src/persistence/progress-line.ts';

it('is due every five seconds, and says how much of how many is done', () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const told: string[] = [];
  const line = new ProgressLine((text) => told.push(text), 'Loading', 'bytes');
  for (let seconds = 0; seconds <= 12; seconds++) {
    line.tell(seconds * 100, seconds < 10 ? 1500 : 0);
    vi.advanceTimersByTime(1000);
  }
  vi.useRealTimers();
  expect(told).toEqual([
    'Loading: 33.3% of 1500 bytes after 5 s',
    'Loading: 1000 bytes after 10 s',
  ]);
});
