/**
 * Keys go when they are due: without a look-up, in order, in slices, and only where that is our
 * part.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EXPIRY_IGNORE } from '../../../src/core/keyspace.ts';
import type { Settings } from '../../../src/server/config/settings.ts';
import { InsideServer } from '../../support/inside.ts';

const WAIT = { timeout: 60_000, interval: 10 };

let opened: InsideServer[] = [];
afterEach(async () => {
  for (const one of opened) await one.close();
  opened = [];
});

async function open(settings: Settings = {}): Promise<InsideServer> {
  const inside = await InsideServer.open(settings);
  opened.push(inside);
  return inside;
}

/** Ends the turn, as it would by itself after commands that came over a socket. */
function endTurn(inside: InsideServer): void {
  inside.server.turn.end();
}

describe('active expiry', () => {
  it('removes keys of all databases in the order of their times, though nobody looks', async () => {
    const inside = await open();
    const startMs = Date.now() + 1500;
    for (const i of [3, 0, 4, 1, 2]) {
      inside.run('SELECT', i);
      inside.run('SET', `k${i}`, 'v', 'PXAT', startMs + i * 20);
    }
    inside.run('SET', 'stays', 'v');
    inside.takeJournal();
    endTurn(inside);
    await vi.waitFor(() => expect(inside.keys).toBe(1), WAIT);
    const expired = inside.events.filter(({ event }) => event === 'expired');
    expect(expired.map(({ db, key }) => `${db}:${key}`)).toEqual(
      [0, 1, 2, 3, 4].map((i) => `${i}:k${i}`),
    );
    const operations = inside.takeJournal().filter((line) => !line.startsWith('SELECT'));
    expect(operations).toEqual([0, 1, 2, 3, 4].map((i) => `DEL k${i}`));
    expect(inside.server.keyspace.expiredKeys).toBe(5);
    expect(inside.server.keyspace.soonestExpiryMs).toBe(Number.POSITIVE_INFINITY);
    expect(inside.server.activeExpiry.lagMs).toBe(0);
  });

  it('follows times that come nearer, and those that are taken away', async () => {
    const inside = await open();
    inside.run('SET', 'a', 'v', 'EX', 1000);
    inside.run('SET', 'b', 'v', 'PX', 20);
    inside.run('SET', 'c', 'v', 'PX', 1500);
    inside.run('PERSIST', 'c');
    endTurn(inside);
    inside.run('PEXPIRE', 'a', 1600);
    endTurn(inside);
    await vi.waitFor(() => expect(inside.keys).toBe(1), WAIT);
    expect(inside.run('TTL', 'c')).toBe(-1);
  });

  it('does much in slices, with turns of the loop between, and says how late it was', async () => {
    const inside = await open();
    const { keyspace, stats } = inside.server;
    const [db] = keyspace.databases;
    if (db === undefined) throw new Error('there is no database');
    inside.run('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
    for (let i = 0; i < 20_000; i++) inside.run('SET', `k${i}`, 'v', 'PX', 1);
    inside.run('DEBUG', 'SLEEP', '0.01');
    expect(inside.keys).toBe(20_000);
    let turns = 0;
    const count = (): void => {
      turns++;
      if (db.dict.count > 0) setImmediate(count);
    };
    setImmediate(count);
    inside.run('DEBUG', 'SET-ACTIVE-EXPIRE', '1');
    endTurn(inside);
    await vi.waitFor(() => expect(inside.keys).toBe(0), WAIT);
    expect(stats.expiredTimeCapReached).toBeGreaterThan(0);
    expect(turns).toBeGreaterThan(stats.expiredTimeCapReached);
    expect(stats.expiryLagMsMax).toBeGreaterThan(0);
  });

  it('tells the log and the replicas, though no turn follows', async () => {
    const inside = await open();
    inside.run('SET', 'k', 'v', 'PX', 20);
    endTurn(inside);
    let fed = '';
    const feed = (bytes: Uint8Array, offset: number, length: number): void => {
      fed += Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1');
    };
    inside.server.turn.feed = { feed, settled: () => {} };
    await vi.waitFor(() => expect(fed).toContain('DEL\r\n$1\r\nk\r\n'), WAIT);
  });

  it('leaves keys alone while a dataset is being loaded', async () => {
    const inside = await open();
    inside.run('SET', 'k', 'v', 'PX', 1);
    const isLoading = vi.spyOn(inside.server.persistence, 'isLoading', 'get');
    isLoading.mockReturnValue(true);
    endTurn(inside);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(inside.keys).toBe(1);
    isLoading.mockRestore();
    endTurn(inside);
    await vi.waitFor(() => expect(inside.keys).toBe(0), WAIT);
  });

  it('leaves keys alone where it is switched off, and hides them all the same', async () => {
    const inside = await open();
    inside.run('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
    inside.run('SET', 'k', 'v', 'PX', 1);
    inside.run('SET', 'l', 'v', 'PX', 1);
    endTurn(inside);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(inside.keys).toBe(2);
    expect(inside.server.activeExpiry.lagMs).toBeGreaterThan(0);
    expect(inside.run('GET', 'k')).toBe(null);
    expect(inside.keys).toBe(1);
    inside.run('DEBUG', 'SET-ACTIVE-EXPIRE', '1');
    endTurn(inside);
    await vi.waitFor(() => expect(inside.keys).toBe(0), WAIT);
  });

  it('is not the part of a replica, whose keys are hidden and stay', async () => {
    const inside = await open({ replicaof: '127.0.0.1 1', 'replica-read-only': 'no' });
    inside.run('SET', 'k', 'v', 'PX', 1);
    // As if it had come from the primary: what a replica gives a time itself, it removes.
    inside.server.activeExpiry.own.forget();
    endTurn(inside);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(inside.run('GET', 'k')).toBe(null);
    expect(inside.run('EXISTS', 'k')).toBe(0);
    expect(inside.run('KEYS', '*')).toEqual([]);
    expect(inside.run('SCAN', '0')).toEqual(['0', []]);
    expect(inside.run('RANDOMKEY')).toBe('k');
    expect(inside.run('DBSIZE')).toBe(1);
    expect(inside.keys).toBe(1);
    expect(inside.events.filter(({ event }) => event === 'expired')).toEqual([]);
    inside.run('REPLICAOF', 'NO', 'ONE');
    endTurn(inside);
    await vi.waitFor(() => expect(inside.keys).toBe(0), WAIT);
  });

  it('is that of a replica for the keys that its own clients gave a time', async () => {
    const inside = await open({ replicaof: '127.0.0.1 1', 'replica-read-only': 'no' });
    const { activeExpiry, desk, keyspace } = inside.server;
    // As the primary's stream is run.
    keyspace.expiryMode = EXPIRY_IGNORE;
    inside.run('SET', 'theirs', 'v', 'PX', 1000);
    desk.expiry.settle();
    for (const db of [0, 1]) {
      inside.run('SELECT', db);
      inside.run('SET', 'same name', 'v', 'PX', 1000);
    }
    inside.run('SET', 'moved', 'v', 'PX', 1000);
    inside.run('APPEND', 'moved', 'x'.repeat(100));
    inside.run('SET', 'there now', 'v');
    inside.run('SET', 'not due', 'v', 'PX', 1_000_000);
    inside.run('SET', 'persists', 'v', 'PX', 1000);
    inside.run('PERSIST', 'persists');
    const nowMs = Date.now() + 2000;
    vi.spyOn(Date, 'now').mockReturnValue(nowMs);
    endTurn(inside);
    vi.restoreAllMocks();
    const expired = inside.events.filter(({ event }) => event === 'expired');
    expect(expired.map(({ db, key }) => `${db}:${key}`)).toEqual([
      '0:same name',
      '1:same name',
      '1:moved',
    ]);
    expect(inside.keys).toBe(4);
    expect(activeExpiry.own.size).toBe(1);
  });
});

it('a key that is found expired goes with UNLINK where such keys are freed lazily', async () => {
  const inside = await open({ 'lazyfree-lazy-expire': 'yes' });
  inside.run('SET', 'k', 'v', 'PX', 1000);
  inside.takeJournal();
  inside.nowMs = Date.now() + 2000;
  expect(inside.run('GET', 'k')).toBe(null);
  expect(inside.takeJournal()).toEqual(['UNLINK k']);
});
