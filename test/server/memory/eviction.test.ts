/** Eviction inside a server: which keys go by each policy, what is told of them, and its bounds. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Settings } from '../../../src/server/config/settings.ts';
import { EVICTION_OK, EVICTION_RUNNING } from '../../../src/server/memory/eviction.ts';
import { InsideServer } from '../../support/inside.ts';
import { ReplyError } from '../../support/resp-reader.ts';

const START_MS = 1_700_000_000_000;
const NO_LIMIT_OF_TIME = { 'maxmemory-eviction-tenacity': 100 };

let opened: InsideServer[] = [];
afterEach(async () => {
  for (const one of opened) await one.close();
  opened = [];
});

async function open(settings: Settings = {}): Promise<InsideServer> {
  const inside = await InsideServer.open({ ...NO_LIMIT_OF_TIME, ...settings });
  opened.push(inside);
  return inside;
}

/** Lets `bytes` less than what is in use now be the limit, and evicts. */
async function shrink(inside: InsideServer, bytes: number): Promise<void> {
  await inside.configure('maxmemory', inside.server.memory.limitedBytes - bytes);
  inside.run('PING');
}

function fill(inside: InsideServer, count: number, prefix = 'k'): void {
  for (let i = 0; i < count; i++) inside.run('SET', `${prefix}${i}`, 'some value of a few bytes');
}

function remaining(inside: InsideServer, count: number, prefix = 'k'): number[] {
  const kept: number[] = [];
  for (let i = 0; i < count; i++) {
    if (inside.run('EXISTS', `${prefix}${i}`) === 1) kept.push(i);
  }
  return kept;
}

describe('evicting', () => {
  it('by volatile-ttl takes exactly the keys due first, over all databases', async () => {
    const inside = await open({ 'maxmemory-policy': 'volatile-ttl' });
    inside.nowMs = START_MS;
    fill(inside, 50, 'forever');
    const times = Array.from({ length: 200 }, (_, i) => 1000 + ((i * 7919) % 200));
    times.forEach((time, i) => {
      inside.run('SELECT', i % 3);
      inside.run('SET', `k${i}`, 'some value of a few bytes', 'EX', time);
    });
    inside.run('SELECT', 0);
    inside.events.length = 0;
    await shrink(inside, 5000);
    const gone = inside.events.filter(({ event }) => event === 'evicted');
    expect(gone.length).toBeGreaterThan(40);
    expect(gone.length).toBeLessThan(200);
    const due = gone.map(({ key }) => times[Number(key.slice(1))]);
    expect(due).toEqual([...times].sort((a, b) => a - b).slice(0, gone.length));
    expect(remaining(inside, 50, 'forever')).toHaveLength(50);
  });

  it.each(['allkeys-lru', 'volatile-lru'])(
    'by %s hardly takes what was used lately',
    async (policy) => {
      const inside = await open({ 'maxmemory-policy': policy, 'maxmemory-samples': 10 });
      inside.nowMs = START_MS;
      fill(inside, 1000);
      for (let i = 0; i < 1000; i++) inside.run('EXPIRE', `k${i}`, 1_000_000);
      inside.nowMs = START_MS + 500_000;
      for (let i = 0; i < 500; i++) inside.run('GET', `k${i}`);
      await shrink(inside, 10_000);
      const kept = remaining(inside, 1000);
      expect(kept.length).toBeLessThan(900);
      expect(kept.length).toBeGreaterThan(600);
      expect(kept.filter((i) => i < 500).length).toBeGreaterThanOrEqual(498);
    },
  );

  it.each(['allkeys-lfu', 'volatile-lfu'])('by %s hardly takes what is in use', async (policy) => {
    const inside = await open({
      'maxmemory-policy': policy,
      'maxmemory-samples': 10,
      'lfu-log-factor': 0,
    });
    inside.nowMs = START_MS;
    fill(inside, 1000);
    for (let i = 0; i < 1000; i++) inside.run('EXPIRE', `k${i}`, 1_000_000);
    for (let n = 0; n < 30; n++) for (let i = 0; i < 300; i++) inside.run('GET', `k${i}`);
    await shrink(inside, 10_000);
    const kept = remaining(inside, 1000);
    expect(kept.length).toBeLessThan(900);
    expect(kept.filter((i) => i < 300).length).toBeGreaterThanOrEqual(298);
  });

  it('reads LFU counters, which decay by the minute and are not told under LRU', async () => {
    const inside = await open({ 'maxmemory-policy': 'allkeys-lfu' });
    inside.nowMs = START_MS;
    inside.run('SET', 'k', 'v');
    expect(inside.run('OBJECT', 'FREQ', 'k')).toBe(5);
    inside.nowMs = START_MS + 3 * 60_000;
    expect(inside.run('OBJECT', 'FREQ', 'k')).toBe(2);
    inside.nowMs = START_MS + 60 * 60_000;
    expect(inside.run('OBJECT', 'FREQ', 'k')).toBe(0);
    await inside.configure('lfu-decay-time', 0);
    expect(inside.run('OBJECT', 'FREQ', 'k')).toBe(5);
    await inside.configure('maxmemory-policy', 'allkeys-lru');
    expect(inside.run('OBJECT', 'FREQ', 'k')).toBeInstanceOf(ReplyError);
  });

  it('by allkeys-lru takes a key where it was found, not one of its name elsewhere', async () => {
    const inside = await open({ 'maxmemory-policy': 'allkeys-lru', 'maxmemory-samples': 10 });
    inside.nowMs = START_MS;
    inside.run('SELECT', 5);
    fill(inside, 100);
    inside.nowMs = START_MS + 500_000;
    inside.run('SELECT', 0);
    fill(inside, 100);
    inside.events.length = 0;
    await shrink(inside, 3000);
    const gone = inside.events.filter(({ event }) => event === 'evicted');
    expect(gone.length).toBeGreaterThan(20);
    expect(gone.filter(({ db }) => db !== 5)).toEqual([]);
  });

  it.each(['volatile-lru', 'volatile-lfu'])(
    'by %s takes no key that has lost its time since it was found',
    async (policy) => {
      const inside = await open({ 'maxmemory-policy': policy, 'maxmemory-samples': 10 });
      fill(inside, 10);
      for (let i = 0; i < 10; i++) inside.run('EXPIRE', `k${i}`, 1000);
      await shrink(inside, 1);
      const kept = remaining(inside, 10);
      expect(kept.length).toBe(9);
      for (const i of kept) inside.run('PERSIST', `k${i}`);
      inside.run('SET', 'other', 'some value', 'EX', 1000);
      await shrink(inside, 1);
      expect(inside.run('EXISTS', 'other')).toBe(0);
      expect(remaining(inside, 10)).toEqual(kept);
    },
  );

  it.each(['allkeys-random', 'volatile-random'])(
    'by %s takes from all databases in turn',
    async (policy) => {
      const inside = await open({ 'maxmemory-policy': policy });
      for (const db of [0, 5]) {
        inside.run('SELECT', db);
        fill(inside, 300);
        for (let i = 0; i < 300; i++) inside.run('EXPIRE', `k${i}`, 1000);
      }
      inside.run('SELECT', 0);
      fill(inside, 100, 'forever');
      inside.events.length = 0;
      await shrink(inside, 8000);
      const gone = inside.events.filter(({ event }) => event === 'evicted');
      const of = (db: number) => gone.filter((one) => one.db === db).length;
      expect(gone.length).toBeGreaterThan(50);
      expect(Math.abs(of(0) - of(5))).toBeLessThanOrEqual(1);
      const kept = remaining(inside, 100, 'forever').length;
      if (policy === 'volatile-random') expect(kept).toBe(100);
      else expect(kept).toBeLessThan(100);
    },
  );
});

describe('when nothing may go', () => {
  it.each(['noeviction', 'volatile-lru', 'volatile-ttl', 'volatile-random', 'volatile-lfu'])(
    '%s refuses what needs memory and nothing else',
    async (policy) => {
      const inside = await open({ 'maxmemory-policy': policy });
      fill(inside, 10);
      await shrink(inside, 100);
      const refused = inside.run('SET', 'a', '1');
      expect(refused).toMatchObject({
        error: "OOM command not allowed when used memory > 'maxmemory'.",
      });
      expect(inside.server.eviction.isOutOfMemory).toBe(true);
      expect(inside.run('GET', 'k1')).toBe('some value of a few bytes');
      expect(inside.run('DEL', 'k1', 'k2', 'k3')).toBe(3);
      expect(inside.run('SET', 'a', '1')).toBe('OK');
      expect(inside.keys).toBe(8);
    },
  );

  it('follows a change of policy and of the limit', async () => {
    const inside = await open();
    fill(inside, 100);
    await shrink(inside, 500);
    expect(inside.run('SET', 'a', '1')).toBeInstanceOf(ReplyError);
    await inside.configure('maxmemory-policy', 'allkeys-lru');
    expect(inside.run('SET', 'a', '1')).toBe('OK');
    expect(inside.keys).toBeLessThan(101);
    await inside.configure('maxmemory-policy', 'noeviction');
    await inside.configure('maxmemory', 1);
    expect(inside.run('SET', 'b', '1')).toBeInstanceOf(ReplyError);
    await inside.configure('maxmemory', 0);
    expect(inside.run('SET', 'b', '1')).toBe('OK');
  });
});

describe('what is told', () => {
  it('is DEL of each key, alone and before the command, and an event', async () => {
    const inside = await open({ 'maxmemory-policy': 'volatile-ttl' });
    for (let i = 0; i < 20; i++) inside.run('SET', `k${i}`, 'x'.repeat(100), 'EX', 1000 + i);
    inside.takeJournal();
    inside.events.length = 0;
    await inside.configure('maxmemory', inside.server.memory.limitedBytes - 300);
    inside.run('SET', 'a', '1');
    const journal = inside.takeJournal();
    const gone = inside.events.filter(({ event }) => event === 'evicted').map(({ key }) => key);
    expect(gone.length).toBeGreaterThan(1);
    const operations = journal.filter((line) => !line.startsWith('SELECT'));
    expect(operations).toEqual([...gone.map((key) => `DEL ${key}`), 'SET a 1']);
    expect(inside.server.stats.evictedKeys).toBe(gone.length);
  });

  it('comes to the log and the replicas, though no turn follows', async () => {
    const inside = await open({ 'maxmemory-policy': 'allkeys-random' });
    inside.run('SET', 'k', 'x'.repeat(1000));
    inside.server.turn.end();
    let fed = '';
    const feed = (bytes: Uint8Array, offset: number, length: number): void => {
      fed += Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1');
    };
    inside.server.turn.feed = { feed, settled: () => {} };
    await inside.configure('maxmemory', inside.server.memory.limitedBytes - 500);
    await vi.waitFor(() => expect(fed).toContain('DEL\r\n$1\r\nk\r\n'), { timeout: 60_000 });
  });

  it('is UNLINK where evicted values are freed lazily', async () => {
    const inside = await open({
      'maxmemory-policy': 'allkeys-random',
      'lazyfree-lazy-eviction': 'yes',
    });
    inside.run('SET', 'k', 'x'.repeat(1000));
    inside.takeJournal();
    await shrink(inside, 500);
    expect(inside.takeJournal()).toEqual(['UNLINK k']);
  });

  it('transactions that watch an evicted key fail', async () => {
    const inside = await open({ 'maxmemory-policy': 'allkeys-random' });
    inside.run('SET', 'k', 'x'.repeat(1000));
    inside.run('WATCH', 'k');
    await shrink(inside, 500);
    inside.run('MULTI');
    expect(inside.run('EXEC')).toBe(null);
  });
});

describe('bounds', () => {
  it('one call does little of much; the rest follows, and commands run meanwhile', async () => {
    const inside = await open({
      'maxmemory-policy': 'allkeys-lru',
      'maxmemory-eviction-tenacity': 0,
    });
    inside.run('DEBUG', 'POPULATE', 20_000);
    const limit = Math.floor(inside.server.memory.limitedBytes / 4);
    await inside.configure('maxmemory', limit);
    expect(inside.server.eviction.perform()).toBe(EVICTION_RUNNING);
    expect(inside.keys).toBeGreaterThan(19_000);
    expect(inside.run('SET', 'a', '1')).toBe('OK');
    const { exceededMs } = inside.server.eviction;
    expect(exceededMs).toBeGreaterThan(0);
    const resetAt = performance.now();
    expect(inside.run('CONFIG', 'RESETSTAT')).toBe('OK');
    const { exceededMs: since } = inside.server.eviction;
    expect(since).toBeLessThanOrEqual(performance.now() - resetAt);
    await vi.waitFor(() => expect(inside.server.memory.limitedBytes).toBeLessThanOrEqual(limit), {
      timeout: 60_000,
    });
    expect(inside.server.eviction.perform()).toBe(EVICTION_OK);
    expect(inside.server.eviction.exceededMs).toBe(0);
    expect(inside.server.stats.evictionExceededMs).toBeGreaterThan(0);
    expect(inside.keys).toBeGreaterThan(2000);
  });

  it('what evicting gives clients to read is no reason to evict more', async () => {
    const inside = await open({ 'maxmemory-policy': 'allkeys-random' });
    const { eviction, memory, stats, turn } = inside.server;
    inside.nowMs = START_MS;
    fill(inside, 100);
    let left = 0;
    memory.add('clients.normal', () => (stats.evictedKeys - left) * 10_000);
    const tidyUp = turn.onEnd;
    turn.onEnd = () => {
      tidyUp();
      left = stats.evictedKeys;
    };
    await inside.configure('maxmemory', memory.limitedBytesNow);
    inside.run('SET', 'large', 'x'.repeat(1000));
    for (let i = 1; i <= 3; i++) {
      inside.nowMs = START_MS + i * 1000;
      inside.run('PING');
    }
    expect(stats.evictedKeys).toBeGreaterThan(0);
    expect(inside.keys).toBeGreaterThan(50);
    turn.end();
    expect(eviction.perform()).toBe(EVICTION_OK);
    expect(inside.keys).toBeGreaterThan(50);
  });

  it('memory that is on its way back is waited for before anything is evicted', async () => {
    const inside = await open({ 'maxmemory-policy': 'allkeys-random' });
    inside.run('DEBUG', 'POPULATE', 10_000);
    inside.run('SELECT', 1);
    fill(inside, 100);
    const full = inside.server.memory.limitedBytes;
    inside.server.flushDatabase(0);
    await inside.configure('maxmemory', Math.floor(full / 2));
    expect(inside.run('SET', 'a', '1')).toBe('OK');
    expect(inside.run('DBSIZE')).toBe(101);
    expect(inside.server.stats.evictedKeys).toBe(0);
  });

  it('a replica leaves it to its primary, unless told otherwise, and a load alone', async () => {
    const inside = await open({ 'maxmemory-policy': 'allkeys-random', replicaof: '127.0.0.1 1' });
    const { keyspace, replication } = inside.server;
    expect(replication.isReplica).toBe(true);
    inside.run('DEBUG', 'POPULATE', 100);
    expect(keyspace.databases[0]?.dict.count).toBe(100);
    await shrink(inside, 1000);
    expect(inside.keys).toBe(100);
    const { persistence } = inside.server;
    const isLoading = vi.spyOn(persistence, 'isLoading', 'get').mockReturnValue(true);
    await inside.configure('replica-ignore-maxmemory', 'no');
    expect(inside.server.eviction.perform()).toBe(EVICTION_OK);
    expect(inside.keys).toBe(100);
    isLoading.mockRestore();
    inside.run('PING');
    expect(inside.keys).toBeLessThan(100);
  });
});
