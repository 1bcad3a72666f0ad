/** Buffers that are given back: their memory is gone, with nothing that the collector has to do. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { giveBack } from '../../../src/server/memory/give-back.ts';

test('buffers lose their memory', async () => {
  const size = 1 << 22;
  const buffers = Array.from({ length: 64 }, () => {
    const one = new Uint8Array(size);
    one.fill(1);
    return one.buffer as ArrayBuffer;
  });
  const before = process.memoryUsage().rss;
  giveBack(buffers);
  giveBack([]);
  for (const one of buffers) expect(one.byteLength).toBe(0);
  const gone = (): number => before - process.memoryUsage().rss;
  for (let i = 0; i < 3000 && gone() < 32 * size; i++) await sleep(20);
  expect(gone()).toBeGreaterThanOrEqual(32 * size);
});
