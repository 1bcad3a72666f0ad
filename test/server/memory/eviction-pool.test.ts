/** The eviction pool against a plain model: sixteen best candidates, best first. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EvictionPool } from '../../../src/server/memory/eviction-pool.ts';

const PLACES = 16;

/** What the pool would give from now on, best first. */
function drain(pool: EvictionPool): string[] {
  const taken: string[] = [];
  while (pool.take()) {
    const key = Buffer.from(pool.key.subarray(0, pool.keyLength)).toString('latin1');
    taken.push(`${pool.db}:${key}`);
  }
  return taken;
}

function offer(pool: EvictionPool, rank: number, db: number, key: string): void {
  const bytes = Buffer.from(`..${key}`, 'latin1');
  pool.offer(rank, db, bytes, 2, key.length);
}

describe('EvictionPool', () => {
  it('keeps the best sixteen of what was offered, in order', () => {
    const ranks = fc.uniqueArray(fc.integer({ min: 0, max: 1_000_000 }), { maxLength: 60 });
    fc.assert(
      fc.property(ranks, (offered) => {
        const pool = new EvictionPool();
        for (const rank of offered)
          offer(pool, rank, rank % 16, 'k'.repeat((rank % 40) * 13) + rank);
        const best = [...offered].sort((a, b) => b - a).slice(0, PLACES);
        const keys = best.map((rank) => `${rank % 16}:${'k'.repeat((rank % 40) * 13)}${rank}`);
        expect(drain(pool)).toEqual(keys);
      }),
    );
  });

  it('goes on with candidates that were not taken', () => {
    const pool = new EvictionPool();
    for (const rank of [5, 9, 1]) offer(pool, rank, 0, `k${rank}`);
    expect(pool.take()).toBe(true);
    expect(pool.key[1]).toBe('9'.charCodeAt(0));
    offer(pool, 7, 3, 'k7');
    expect(drain(pool)).toEqual(['3:k7', '0:k5', '0:k1']);
    expect(pool.take()).toBe(false);
  });

  it('is empty when cleared, and takes the empty key', () => {
    const pool = new EvictionPool();
    offer(pool, 1, 0, 'k');
    pool.clear();
    expect(pool.take()).toBe(false);
    offer(pool, 1, 2, '');
    expect(drain(pool)).toEqual(['2:']);
  });
});
