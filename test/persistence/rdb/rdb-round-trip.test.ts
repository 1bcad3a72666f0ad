/** What is saved comes back: all encodings, options, cuts and slices. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Keyspace } from '../../../src/core/keyspace.ts';
import { RdbReader } from '../../../src/persistence/rdb/rdb-reader.ts';
import {
  contents,
  fileReader,
  latin1,
  loaded,
  loadInto,
  makeKeyspace,
  NOW_MS,
  put,
  rdbOf,
  saved,
  text,
} from './rdb-support.ts';

const numbers = [
  '0', '-1', '127', '128', '-128', '-129', '32767', '32768', '-32768', '-32769', '2147483647',
  '2147483648', '-2147483648', '-2147483649', '9007199254740993', '9223372036854775807',
  '-9223372036854775808', '9223372036854775808', '007', '+5', '', ' 1', '1e3', '-0',
]; // biome-ignore format: a row
const bytes = fc.oneof(
  fc.constantFrom(...numbers),
  fc.string({ unit: 'binary-ascii', maxLength: 50 }),
  fc.integer({ min: 0, max: 400 }).map((n) => 'ab'.repeat(n)),
  fc.uint8Array({ maxLength: 300 }).map((all) => Buffer.from(all).toString('latin1')),
);
const expiry = fc.oneof(fc.constant(-1), fc.integer({ min: 1, max: 1e12 }));
const entries = fc.array(
  fc.record({ db: fc.integer({ min: 0, max: 15 }), key: bytes, value: bytes, expiry }),
  { maxLength: 60 },
);

function filled(all: readonly { db: number; key: string; value: string; expiry: number }[]) {
  const keyspace = makeKeyspace();
  for (const { db, key, value, expiry: after } of all) {
    put(keyspace, db, key, value, after < 0 ? -1 : NOW_MS + after);
  }
  return keyspace;
}

describe('a saved keyspace', () => {
  it('comes back equal, whatever the version, the compression and the checksum', () => {
    const how = fc.record({
      version: fc.constantFrom(9 as const, 10 as const, 11 as const),
      compress: fc.boolean(),
      checksum: fc.boolean(),
    });
    fc.assert(
      fc.property(entries, how, (all, options) => {
        const keyspace = filled(all);
        const { load, keyspace: back } = loaded(fileReader(saved(keyspace, options)));
        expect(contents(back)).toEqual(contents(keyspace));
        expect(load.version).toBe(options.version);
        expect(load.keys).toBe(contents(keyspace).size);
        expect(load.bytes).toBe(load.totalBytes);
      }),
      { numRuns: 150 },
    );
  });

  it('comes back equal from a socket, however its bytes are cut', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(entries, cuts, (all, sizes) => {
        const keyspace = filled(all);
        const file = saved(keyspace);
        const reader = RdbReader.fed();
        const back = makeKeyspace();
        const load = loadInto(back, reader, { expired: 'keep' });
        let turn = 0;
        for (let at = 0; !load.step(5, () => 0); ) {
          expect(load.isHungry).toBe(true);
          const size = sizes[turn++ % sizes.length]!;
          reader.feed(file.subarray(at, at + size));
          at += size;
          if (at >= file.length) reader.endOfFeed();
        }
        expect(contents(back)).toEqual(contents(keyspace));
      }),
      { numRuns: 100 },
    );
  });

  it('holds large strings, compressed or not, from a file and from a socket', () => {
    const keyspace = makeKeyspace();
    const noise = Buffer.alloc(3_000_000);
    for (let i = 0; i < noise.length; i++) noise[i] = (Math.imul(i, 2_654_435_761) >>> 13) & 0xff;
    put(keyspace, 0, 'noise', noise, NOW_MS + 1000);
    put(keyspace, 0, 'text', 'abcdefgh'.repeat(300_000));
    put(keyspace, 3, 'middle', 'x'.repeat(70_000));
    put(keyspace, 3, 'k'.repeat(70_000), 'long key');
    put(keyspace, 3, 'after', 'small');
    for (const compress of [true, false]) {
      const file = saved(keyspace, { compress });
      expect(file.length < 3_200_000).toBe(compress);
      expect(contents(loaded(fileReader(file), {}, 1).keyspace)).toEqual(contents(keyspace));
      const reader = RdbReader.fed();
      const back = makeKeyspace();
      const load = loadInto(back, reader);
      for (let at = 0; !load.step(1, () => 0); at += 100_000) {
        reader.feed(file.subarray(at, at + 100_000));
        if (at + 100_000 >= file.length) reader.endOfFeed();
      }
      expect(contents(back)).toEqual(contents(keyspace));
    }
  });

  it('is loaded in slices that stop when their time is over', () => {
    const keyspace = makeKeyspace();
    for (let i = 0; i < 5000; i++) put(keyspace, 0, `key:${i}`, `value ${i}`);
    const reader = fileReader(saved(keyspace));
    const back = makeKeyspace();
    const load = loadInto(back, reader);
    let now = 0;
    let slices = 0;
    let lastKeys = 0;
    while (!load.step(3, () => now++)) {
      slices++;
      expect(load.keys - lastKeys).toBeLessThan(200);
      expect(load.bytes).toBeLessThanOrEqual(load.totalBytes);
      lastKeys = load.keys;
    }
    expect(slices).toBeGreaterThan(25);
    expect(contents(back).size).toBe(5000);
  });

  it('waits after each key when told to', () => {
    const keyspace = filled([1, 2, 3].map((n) => ({ db: 0, key: `${n}`, value: 'v', expiry: -1 })));
    const load = loadInto(makeKeyspace(), fileReader(saved(keyspace)), { keyDelayUs: 2000 });
    let now = 0;
    const keysAt: number[] = [];
    for (; !load.step(1, () => now); now++) keysAt.push(load.keys);
    expect(keysAt).toEqual([1, 1, 2, 2, 3, 3]);
  });
});

describe('what stands beside the keys', () => {
  it('is given back: AUX fields and function libraries', () => {
    const functions = [latin1('#!lua name=a\nredis.call()'), latin1('x'.repeat(500))];
    const aux = { 'redis-ver': '7.2.4', ctime: '1700000000', 'repl-id': 'ab'.repeat(20), odd: '' };
    const { load } = loaded(fileReader(saved(makeKeyspace(), { aux, functions })));
    expect(Object.fromEntries(load.aux)).toEqual(aux);
    expect(load.functions.map((one) => Buffer.from(one).toString())).toEqual(
      functions.map((one) => one.toString()),
    );
  });

  it('is the use of each key, when the policy wants it', () => {
    const keyspace = makeKeyspace();
    const old = put(keyspace, 0, 'idle', 'v');
    keyspace.setUsage(old, keyspace.lruClock - 5000);
    const key = latin1('idle');
    const lru = saved(keyspace, { usage: 'lru' });
    const a = loaded(fileReader(lru), { usage: 'lru' }).keyspace;
    expect(a.usageOf(a.peek(a.databases[0]!, key, 0, 4))).toBe(a.lruClock - 5000);
    const b = loaded(fileReader(lru), { usage: 'none' }).keyspace;
    expect(b.usageOf(b.peek(b.databases[0]!, key, 0, 4))).toBe(b.lruClock);
    keyspace.lfu = true;
    keyspace.setUsage(old, ((Math.floor(NOW_MS / 60_000) & 0xffff) << 8) | 200);
    const c = loaded(fileReader(saved(keyspace, { usage: 'lfu' })), { usage: 'lfu' }).keyspace;
    expect(c.usageOf(c.peek(c.databases[0]!, key, 0, 4)) & 0xff).toBe(200);
  });

  it('is no use where the policy counts it otherwise', () => {
    const keyspace = makeKeyspace();
    const old = put(keyspace, 0, 'k', 'v');
    keyspace.setUsage(old, keyspace.lruClock - 200);
    const idle = saved(keyspace, { usage: 'lru' });
    keyspace.lfu = true;
    keyspace.setUsage(old, ((Math.floor(NOW_MS / 60_000) & 0xffff) << 8) | 250);
    const frequent = saved(keyspace, { usage: 'lfu' });
    const usage = (into: Keyspace): number =>
      into.usageOf(into.peek(into.databases[0]!, latin1('k'), 0, 1));
    const lfu = makeKeyspace();
    lfu.lfu = true;
    loaded(fileReader(idle), { keyspace: lfu, usage: 'lfu' });
    expect(usage(lfu) & 0xff).toBe(5);
    const lru = loaded(fileReader(frequent), { usage: 'lru' }).keyspace;
    expect(usage(lru)).toBe(lru.lruClock);
  });

  it('is expiry: what is over is dropped, or kept where a primary decides', () => {
    const keyspace = makeKeyspace();
    put(keyspace, 0, 'over', 'v', NOW_MS - 1);
    put(keyspace, 0, 'now', 'v', NOW_MS);
    put(keyspace, 0, 'later', 'v', NOW_MS + 1);
    const file = saved(keyspace);
    const drop = loaded(fileReader(file));
    expect([...contents(drop.keyspace).keys()].sort()).toEqual(['0 later', '0 now']);
    expect([drop.load.keys, drop.load.expires, drop.load.expiredKeys]).toEqual([2, 2, 1]);
    expect(drop.load.overdueKeys).toBe(0);
    const keep = loaded(fileReader(file), { expired: 'keep' });
    expect([keep.load.keys, keep.load.overdueKeys, keep.load.expiredKeys]).toEqual([3, 1, 0]);
    expect(contents(keep.keyspace)).toEqual(contents(keyspace));
  });
});

describe('a load', () => {
  const twice = rdbOf('REDIS0010', 0, text('a'), text('x'), 0, text('a'), text('y'), 0xff);

  it('refuses a key that comes twice, or takes the later one', () => {
    expect(() => loaded(fileReader(twice))).toThrow(/the key 'a' twice in database 0/);
    const { keyspace } = loaded(fileReader(twice), { duplicates: 'replace' });
    expect([...contents(keyspace)]).toEqual([['0 a', 'embstr -1 y']]);
  });

  it('refuses a database that the server does not have', () => {
    const file = rdbOf('REDIS0010', 0xfe, 16, 0, text('a'), text('x'), 0xff);
    expect(() => loaded(fileReader(file))).toThrow(/database 16.*only 16.*at byte 11/);
  });

  it('takes no table for a size that the file cannot hold', () => {
    const sizes = [0xfb, 0x80, 0xff, 0xff, 0xff, 0xff, 0] as const;
    const file = rdbOf('REDIS0010', 0xfe, 0, sizes, 0, text('a'), text('x'), 0xff);
    const { keyspace } = loaded(fileReader(file));
    expect(keyspace.databases[0]!.dict.overheadBytes).toBeLessThan(4096);
  });

  it('makes the table before the keys come', () => {
    const keyspace = makeKeyspace();
    for (let i = 0; i < 200_000; i++) put(keyspace, 0, `k${i}`, 'v');
    const back = loaded(fileReader(saved(keyspace))).keyspace;
    expect(back.databases[0]!.dict.count).toBe(200_000);
    expect(back.databases[0]!.dict.bucketCount).toBe(Math.ceil(200_000 / 6.5));
  });
});
