/**
 * A load of an RDB step by step: what is there after each, what is counted, and what stays when it
 * fails. Short strings wait to be put into the dict together, and none of that may be seen.
 */
import { describe, expect, it } from 'vitest';
import type { RdbError } from '../../../src/persistence/rdb/rdb-error.ts';
import { RdbReader } from '../../../src/persistence/rdb/rdb-reader.ts';
import { int64 } from './rdb-packed.ts';
import {
  contents,
  type Entry,
  entriesOf,
  fileReader,
  loaded,
  loadInto,
  makeKeyspace,
  NOW_MS,
  put,
  type RdbPart,
  rdbOf,
  text,
  usedBytes,
} from './rdb-support.ts';

/** So many short strings. */
const short = (count: number): RdbPart[] =>
  Array.from({ length: count }, (_, i) => [0, text(`k${i}`), text('v')]).flat();

/** A string that is not put aside with others. */
const LONG = `${String.fromCharCode(0x80, 0, 0, 0x4e, 0x20)}${'x'.repeat(20_000)}`;

const expiring = (ms: number): RdbPart[] => [0xfc, int64(ms)];

describe('after each step', () => {
  it('all keys can be found that were loaded', () => {
    const keyspace = makeKeyspace();
    const load = loadInto(keyspace, fileReader(rdbOf('REDIS0010', ...short(200), 0xff)));
    const { dict } = keyspace.databases[0]!;
    const counts = new Set<number>();
    for (let now = 0; !load.step(0, () => now++); counts.add(load.keys)) {
      expect(dict.count).toBe(load.keys);
    }
    expect(dict.count).toBe(200);
    expect(counts.size).toBeGreaterThan(3);
  });

  it('all keys can be found that a link has brought', () => {
    const keyspace = makeKeyspace();
    const reader = RdbReader.fed();
    const load = loadInto(keyspace, reader);
    const bytes = rdbOf('REDIS0010', ...short(20), 0xff);
    for (let at = 0; at < bytes.length; at += 10) {
      reader.feed(bytes.subarray(at, at + 10));
      load.step(1000, () => 0);
      expect(keyspace.databases[0]!.dict.count).toBe(load.keys);
    }
    reader.endOfFeed();
    expect(load.step(1000, () => 0)).toBe(true);
    expect(load.keys).toBe(20);
  });
});

describe('a load that fails', () => {
  it('leaves nothing of the keys that were not there yet', () => {
    const keyspace = makeKeyspace();
    const before = usedBytes(keyspace);
    const damaged = rdbOf('REDIS0010', ...short(20), ...expiring(NOW_MS + 1), ...short(1), 8);
    expect(() => loaded(fileReader(damaged), { keyspace })).toThrow(/unknown type 8/);
    expect([contents(keyspace).size, usedBytes(keyspace)]).toEqual([0, before]);
    expect(keyspace.databases[0]!.expires.size).toBe(0);
  });

  it('says of a key that comes twice where its value begins', () => {
    const [headBytes, keyBytes] = ['REDIS0010'.length, 1 + text('k0').length + text('v').length];
    const again = rdbOf('REDIS0010', ...short(3), 0, text('kk'), text('a'), ...short(2), 0xff);
    const keyspace = makeKeyspace();
    let offset = 0;
    try {
      loaded(fileReader(again), { keyspace });
    } catch (error) {
      offset = (error as RdbError).offset;
    }
    expect(offset).toBe(headBytes + 5 * keyBytes - text('v').length);
    // Those before it are there, in blocks that nobody else is given.
    for (let i = 0; i < 9; i++) put(keyspace, 1, `k${i}`, 'v');
    const kept = [...contents(keyspace).keys()].filter((key) => key.startsWith('0'));
    expect(kept.sort()).toEqual(['0 k0', '0 k1', '0 k2', '0 kk']);
  });

  it('finds a key that comes twice, whatever its values are', () => {
    const [a, b] = [[...short(1)], [0, text('k0'), LONG]];
    for (const parts of [
      [...a, ...b],
      [...b, ...a],
      [...b, ...b],
    ]) {
      const keyspace = makeKeyspace();
      const load = (): unknown =>
        loaded(fileReader(rdbOf('REDIS0010', ...parts, 0xff)), { keyspace });
      expect(load).toThrow(/'k0' twice/);
      expect([...contents(keyspace).keys()]).toEqual(['0 k0']);
    }
  });

  it('leaves nothing of a large key or value whose bytes do not come', () => {
    const length = [0x80, 0, 0x20, 0, 0];
    const cut = [
      [0, length, 'part of a key'],
      [0, text('k'), length, 'part of a value'],
      [...short(1), 0, length, 'k'.repeat(1 << 21), 0x05, 'part'],
    ];
    for (const parts of cut) {
      const keyspace = makeKeyspace();
      const before = usedBytes(keyspace);
      const reader = RdbReader.fed();
      const load = loadInto(keyspace, reader);
      reader.feed(rdbOf('REDIS0010', ...parts).slice(0, -8));
      load.step(1000, () => 0);
      while (!load.isHungry) load.step(1000, () => 0);
      reader.endOfFeed();
      expect(() => load.step(1000, () => 0)).toThrow(/ends too early/);
      const kept = [...contents(keyspace).keys()];
      expect(kept).toEqual(parts.length > 4 ? ['0 k0'] : []);
      expect(usedBytes(keyspace)).toBeLessThan(before + 1000);
    }
  });
});

describe('a load counts', () => {
  const late = expiring(NOW_MS - 1);
  const now = expiring(NOW_MS);
  const parts = (value: string): RdbPart[] => [
    ...[...late, 0, text('a'), value, ...now, 0, text('b'), value, ...late, 0, text('c'), value],
    ...[0, text('d'), value],
  ];

  it.each([
    { what: 'short', value: text('v') },
    { what: 'longer', value: LONG },
  ])('$what strings whose time had come, dropped or kept', ({ value }) => {
    const file = rdbOf('REDIS0010', ...parts(value), 0xff);
    const figures = (expired: 'drop' | 'keep'): number[] => {
      const { load, keyspace } = loaded(fileReader(file), { expired });
      const { keys, expires, overdueKeys, expiredKeys } = load;
      const expiring = keyspace.databases[0]!.expires.size;
      return [contents(keyspace).size, expiring, keys, expires, overdueKeys, expiredKeys];
    };
    expect(figures('drop')).toEqual([2, 1, 2, 1, 0, 2]);
    expect(figures('keep')).toEqual([4, 3, 4, 3, 2, 0]);
  });

  it('a time in seconds before 1970 as over', () => {
    const file = rdbOf('REDIS0010', 0xfd, [0xff, 0xff, 0xff, 0xff], ...short(1), 0xff);
    expect(loaded(fileReader(file)).load).toMatchObject({ keys: 0, expiredKeys: 1 });
  });

  it('empty collections, and names ten of them', () => {
    const empty = Array.from({ length: 12 }, (_, i) => [2, text(`k${i}`), 0]).flat();
    const { load } = loaded(fileReader(rdbOf('REDIS0010', ...empty, ...short(1), 0xff)));
    const names = Array.from({ length: 10 }, (_, i) => `k${i}`);
    expect([load.keys, load.emptyKeys, load.emptyKeyNames]).toEqual([1, 12, names]);
  });
});

it.each([
  { what: 'short', value: text('v') },
  { what: 'longer', value: LONG },
])('a $what string has the use that stood before it, and no other', ({ value }) => {
  const parts = [...expiring(NOW_MS + 5), 0xf9, 0, 0, text('key'), value];
  const keyspace = makeKeyspace();
  keyspace.lfu = true;
  loaded(fileReader(rdbOf('REDIS0010', ...parts, 0xff)), { keyspace, usage: 'lfu' });
  const [{ address, db }] = [...entriesOf(keyspace)] as [Entry];
  expect(keyspace.usageOf(address) & 0xff).toBe(0);
  expect(keyspace.expiryOf(db, address)).toBe(NOW_MS + 5);
});

it('a large key has the expiry and the use that stood before it', () => {
  const length = (1 << 20) + 1;
  const key = [0x80, 0, 0x10, 0, 1, 'k'.repeat(length)];
  const file = rdbOf('REDIS0010', ...expiring(NOW_MS + 5), 0xf8, 7, 0, ...key, text('v'), 0xff);
  const { keyspace } = loaded(fileReader(file), { usage: 'lru' });
  const [entry] = [...entriesOf(keyspace)];
  expect(entry!.key.length).toBe(length);
  expect(keyspace.expiryOf(entry!.db, entry!.address)).toBe(NOW_MS + 5);
  expect(keyspace.usageOf(entry!.address)).toBe(keyspace.lruClock - 7);
});
