/** The figures of wasted memory: an empty server wastes none, one that lost its data does. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fragmentationOf } from '../../../src/server/memory/fragmentation.ts';
import { startCairnServer } from '../../support/cairn-server.ts';
import type { RawClient } from '../../support/raw-client.ts';
import type { ServerProcess } from '../../support/server-process.ts';

const MIB = 1 << 20;

describe('fragmentation', () => {
  it('is what the arena holds without use, beyond a chunk', () => {
    const arena = { reservedBytes: 104 * MIB, usedBytes: 50 * MIB };
    expect(fragmentationOf(arena, 52 * MIB, 150 * MIB)).toEqual({
      arenaBytes: 50 * MIB,
      arenaRatio: 2,
      processBytes: 50 * MIB,
      processRatio: 1.5,
    });
    const fresh = { reservedBytes: 4 * MIB, usedBytes: 1024 };
    const none = { arenaBytes: 0, arenaRatio: 1, processBytes: 0, processRatio: 1 };
    expect(fragmentationOf(fresh, 4000, 60 * MIB)).toEqual(none);
  });

  it('is below 1 where less is resident than in use', () => {
    const arena = { reservedBytes: 100 * MIB, usedBytes: 100 * MIB };
    const { processBytes, processRatio } = fragmentationOf(arena, 100 * MIB, 80 * MIB);
    expect([processBytes, processRatio]).toEqual([-20 * MIB, 0.8]);
  });
});

describe('the figures of a server', () => {
  let server: ServerProcess;
  let client: RawClient;
  beforeAll(async () => {
    server = await startCairnServer();
    client = await server.connect();
  });
  afterAll(() => server?.close());

  async function ratios(): Promise<number[]> {
    const info = String(await client.value('INFO', 'memory'));
    const names = ['mem_fragmentation_ratio', 'allocator_frag_ratio'];
    const shown = names.map((name) => Number(new RegExp(`\n${name}:(.*)\r`).exec(info)?.[1]));
    const stats = (await client.value('MEMORY', 'STATS')) as unknown[];
    const answered = ['fragmentation', 'allocator-fragmentation.ratio'].map((name) =>
      Number(stats[stats.indexOf(name) + 1]),
    );
    return [...shown, ...answered];
  }

  it('are near 1 while it is empty, and rise when most of what it held has gone', async () => {
    for (const ratio of await ratios()) expect(ratio).toBeCloseTo(1, 1);
    const value = 'x'.repeat(4000);
    for (let i = 0; i < 12_000; i += 100) {
      await client.pipeline(Array.from({ length: 100 }, (_, j) => ['SET', `k${i + j}`, value]));
    }
    for (const ratio of await ratios()) expect(ratio).toBeLessThan(1.2);
    // One of twenty stays, so that hardly a page is free.
    for (let i = 0; i < 12_000; i += 20) {
      await client.send('DEL', ...Array.from({ length: 19 }, (_, j) => `k${i + j}`));
    }
    const [process = 0, arena = 0, answeredProcess = 0, answeredArena = 0] = await ratios();
    expect(arena).toBeGreaterThan(3);
    expect(answeredArena).toBeGreaterThan(3);
    expect(process).toBeGreaterThan(1.2);
    expect(answeredProcess).toBeGreaterThan(1.2);
  });
});
