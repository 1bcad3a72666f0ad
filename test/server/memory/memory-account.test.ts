/**
 * What memory is used for: exact figures of data, sources, MEMORY USAGE against what a key takes.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MemoryAccount } from '../../../src/server/memory/memory-account.ts';
import { InsideServer } from '../../support/inside.ts';

let inside: InsideServer;
beforeAll(async () => {
  inside = await InsideServer.open();
});
afterAll(() => inside.close());
beforeEach(() => {
  inside.run('FLUSHALL', 'SYNC');
});

describe('MEMORY USAGE', () => {
  /** Bytes that data take more after `change`, besides tables of keys, which grow by themselves. */
  function growth(change: () => void): number {
    const { keyspace, memory } = inside.server;
    const tables = (): number =>
      keyspace.databases.reduce(
        (sum, { dict, expires }) => sum + dict.overheadBytes + expires.overheadBytes,
        0,
      );
    const before = memory.dataBytes - tables();
    change();
    return memory.dataBytes - tables() - before;
  }

  it.each([
    ['short string', ['SET', 'k', 'v']],
    ['integer', ['SET', 'k', '123456789']],
    ['string of 1,000 bytes', ['SET', 'k', 'x'.repeat(1000)]],
    ['string of 100,000 bytes', ['SET', 'k', 'x'.repeat(100_000)]],
    ['small hash', ['HSET', 'k', 'a', '1', 'b', '2']],
    ['set of integers', ['SADD', 'k', '1', '2', '3']],
    ['large set', ['SADD', 'k', ...Array.from({ length: 2000 }, (_, i) => `member ${i}`)]],
  ])('is what a %s takes, to the byte', (_, words) => {
    const grown = growth(() => inside.run(...words));
    expect(inside.run('MEMORY', 'USAGE', 'k', 'SAMPLES', '0')).toBe(grown);
  });

  it('counts the place in the expiry index, and estimates from samples', () => {
    inside.run('SET', 'k', 'v');
    const plain = Number(inside.run('MEMORY', 'USAGE', 'k'));
    inside.run('EXPIRE', 'k', '100');
    expect(inside.run('MEMORY', 'USAGE', 'k')).toBeGreaterThan(plain + 11);
    inside.run('SADD', 's', ...Array.from({ length: 5000 }, (_, i) => `member ${i}`));
    const exact = Number(inside.run('MEMORY', 'USAGE', 's', 'SAMPLES', '0'));
    const guess = Number(inside.run('MEMORY', 'USAGE', 's'));
    expect(Math.abs(guess - exact) / exact).toBeLessThan(0.3);
  });
});

describe('MemoryAccount', () => {
  it('counts what is limited apart from what is not', () => {
    const { keyspace } = inside.server;
    const account = new MemoryAccount(keyspace, []);
    const data = account.dataBytes;
    account.add('replication.backlog', () => 1000);
    const buffer = () => 200;
    account.add('aof.buffer', buffer, buffer);
    keyspace.nowMs += 1000;
    expect(account.limitedBytes).toBe(data + 1000);
    expect(account.usedBytes).toBe(data + 1200);
    expect(account.unlimitedBytes).toBe(200);
    expect(account.bytesOf('aof.buffer')).toBe(200);
    expect(account.bytesOf('lua.caches')).toBe(0);
    account.add('replication.backlog', () => 10);
    expect(account.usedBytes).toBe(data + 210);
    expect(account.peakBytes).toBe(data + 1200);
  });

  it('sums up afresh each millisecond, with many clients after as many as they take', () => {
    const { keyspace, hub } = inside.server;
    const client = hub.detached();
    const summedIn = (count: number): number[] => {
      const account = new MemoryAccount(keyspace, Array(count).fill([1, client]));
      let sums = 0;
      account.add('lua.caches', () => ++sums);
      account.sum();
      return [0, 1, 1, 1].map((ms) => {
        keyspace.nowMs += ms;
        expect(account.limitedBytesNow).toBeGreaterThan(0);
        return sums;
      });
    };
    expect([summedIn(0), summedIn(500)]).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ]);
    expect([summedIn(1000), summedIn(1500)]).toEqual([
      [1, 1, 2, 2],
      [1, 1, 1, 2],
    ]);
  });

  it('is back at the start when all data are gone', () => {
    const { keyspace, memory } = inside.server;
    const before = memory.dataBytes;
    inside.run('DEBUG', 'POPULATE', '3000', 'k', '100');
    for (let i = 0; i < 1000; i++) inside.run('EXPIRE', `k:${i}`, '1000');
    inside.run('SADD', 's', ...Array.from({ length: 2000 }, (_, i) => `member ${i}`));
    expect(memory.dataBytes).toBeGreaterThan(before + 300_000);
    keyspace.flush(0);
    while (keyspace.freeSlice(100));
    expect(memory.dataBytes).toBe(before);
  });
});
