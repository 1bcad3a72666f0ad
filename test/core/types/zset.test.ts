/**
 * Sorted sets against a sorted array: both encodings, small limits, all conditions of ZADD, ranks
 * and removals by rank, results that are built, nothing leaked.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LateEntries } from '../../../src/core/late-entries.ts';
import {
  ADD_GT,
  ADD_INCR,
  ADD_LT,
  ADD_NX,
  ADD_XX,
  zsetScore,
} from '../../../src/core/types/zset.ts';
import { ZsetBuilder } from '../../../src/core/types/zset-builder.ts';
import type { LargeZset } from '../../../src/core/types/zset-large.ts';
import { ZsetCursor } from '../../../src/core/types/zset-view.ts';
import { ENC_LISTPACK, ENC_PACKED_SKIPLIST, encodingName } from '../../../src/core/value.ts';
import { bytesOf, element, textOf } from './samples.ts';
import { type Pair, ZsetHarness } from './zset-harness.ts';

/** Never -0, which a listpack cannot hold. */
const score = fc
  .oneof(
    { weight: 4, arbitrary: fc.integer({ min: -4, max: 4 }) },
    { weight: 3, arbitrary: fc.double({ noNaN: true }) },
    { weight: 1, arbitrary: fc.constantFrom(Infinity, -Infinity, 2 ** 53, 2 ** 62, 1e17, 0.1) },
  )
  .map((value) => value + 0);
const flags = fc.constantFrom(
  ...[0, 0, 0, ADD_NX, ADD_XX, ADD_GT, ADD_LT, ADD_INCR],
  ...[ADD_XX | ADD_GT, ADD_INCR | ADD_NX, ADD_INCR | ADD_XX, ADD_INCR | ADD_GT, ADD_INCR | ADD_LT],
);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant('add' as const), element, score, flags) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('remove' as const), element) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('range' as const), fc.nat(30), fc.nat(6)) },
);
const limits = fc.record({ entries: fc.integer({ min: 0, max: 40 }), value: fc.nat(400) });

describe('sorted sets', () => {
  test('behave like a sorted array, whatever the limits', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 90 }), limits, (steps, { entries, value }) => {
        const zset = new ZsetHarness();
        zset.keyspace.limits.zsetMaxListpackEntries = entries;
        zset.keyspace.limits.zsetMaxListpackValue = value;
        const before = zset.keyspace.arena.usedBytes;
        for (const one of steps) {
          if (one[0] === 'add') zset.add(one[1], one[2], one[3]);
          else if (one[0] === 'remove') zset.remove(one[1]);
          else zset.removeRange(one[1], one[2]);
        }
        zset.check();
        zset.expectNothingLeft(before);
      }),
      { numRuns: 250 },
    );
  });

  test('of many members stay in order through moves and removals', () => {
    const zset = new ZsetHarness();
    const before = zset.keyspace.arena.usedBytes;
    const { random } = zset;
    const member = (): string => `member ${random.between(0, 4000)}`;
    for (let i = 0; i < 15_000; i++) {
      const dice = random.between(0, 99);
      if (dice < 50) zset.add(member(), random.between(-50, 50));
      else if (dice < 80) zset.add(member(), random.next() * 4 - 2, ADD_INCR);
      else if (dice < 99) zset.remove(member());
      else zset.removeRange(random.between(0, 3000), random.pick([1, 20, 300]));
    }
    zset.check();
    const address = zset.find();
    const copy = zset.keyspace.largeOf(address).clone() as LargeZset;
    expect(copy.count).toBe(zset.model.size);
    expect(copy.entryBytes).toBe((zset.keyspace.largeOf(address) as LargeZset).entryBytes);
    while (copy.release(100));
    zset.expectNothingLeft(before);
  });

  test('are converted past a limit, not at it, and never back', () => {
    const zset = new ZsetHarness();
    zset.keyspace.limits.zsetMaxListpackEntries = 4;
    for (let i = 0; i < 4; i++) zset.add(`m${i}`, i);
    expect(zset.isLarge).toBe(false);
    zset.add('m0', 9);
    expect(zset.isLarge).toBe(false);
    zset.add('m4', 4);
    expect(zset.isLarge).toBe(true);
    for (let i = 1; i < 5; i++) zset.remove(`m${i}`);
    expect(zset.isLarge).toBe(true);
    zset.check();
  });

  test('become skiplists by a long member, packed while they are small', () => {
    const zset = new ZsetHarness();
    zset.add('m'.repeat(64), 1);
    expect(zset.encoding).toBe(ENC_LISTPACK);
    zset.add('m'.repeat(65), 1);
    expect(zset.encoding).toBe(ENC_PACKED_SKIPLIST);
    zset.check();
    zset.remove('m'.repeat(65));
    zset.add('n', 0.5);
    zset.add('n', 7);
    expect(zset.encoding).toBe(ENC_PACKED_SKIPLIST);
    zset.check();
    const other = new ZsetHarness();
    other.add('m'.repeat(65), 1);
    expect(other.encoding).toBe(ENC_PACKED_SKIPLIST);
    other.check();
    const none = new ZsetHarness();
    none.keyspace.limits.zsetMaxListpackEntries = 0;
    none.add('m', 1);
    expect(none.isLarge).toBe(true);
  });

  test('that are packed become large by more than 16 members, 2,048 bytes, or a -0', () => {
    const packed = (): ZsetHarness => {
      const zset = new ZsetHarness();
      zset.add('m'.repeat(65), 1);
      for (let i = 1; i < 16; i++) zset.add(`m${i}`, i - 5);
      expect(zset.encoding).toBe(ENC_PACKED_SKIPLIST);
      return zset;
    };
    const [many, long, added, changed, begun] = [
      ...Array(4).fill(0).map(packed),
      new ZsetHarness(),
    ];
    many!.add('m16', 3);
    long!.add('m1', 8);
    long!.remove('m2');
    long!.add('n'.repeat(1990), 3);
    added!.remove('m2');
    added!.add('zero', -0);
    changed!.add('m1', -0);
    begun!.add('m'.repeat(65), -0);
    for (const zset of [many, long, added, changed, begun]) {
      expect(zset!.isLarge).toBe(true);
      zset!.check();
    }
  });

  test('keep their expiry through growth and conversion', () => {
    const zset = new ZsetHarness();
    zset.add('first', 1);
    const atMs = 5_000_000_000_000;
    zset.keyspace.setExpiry(zset.db, zset.find(), atMs);
    for (let i = 0; i < 200; i++) zset.add(`member ${i}`, i / 3);
    expect(zset.isLarge).toBe(true);
    expect(zset.keyspace.expiryOf(zset.db, zset.find())).toBe(atMs);
    zset.check();
  });

  test('keep a zero below zero where they are large, as Redis does', () => {
    for (const [entries, expected] of [
      [128, 0],
      [0, -0],
    ] as const) {
      const zset = new ZsetHarness();
      zset.keyspace.limits.zsetMaxListpackEntries = entries;
      zset.add('m', -0);
      expect(zsetScore(zset.keyspace, zset.find(), bytesOf('m'), 0, 1)).toBe(expected);
    }
  });

  test('take the bytes that they say', () => {
    const zset = new ZsetHarness();
    const { keyspace } = zset;
    for (let i = 0; i < 3000; i++) zset.add(`member ${i}`, (i * 7919) % 1000);
    const used = keyspace.arena.usedBytes;
    const own = keyspace.arena.sizeOf(zset.find());
    const large = keyspace.largeOf(zset.find());
    const bytes = large.memoryBytes(0);
    keyspace.remove(zset.db, zset.find());
    const entry = used - keyspace.arena.usedBytes;
    zset.drain();
    expect(used - keyspace.arena.usedBytes).toBe(bytes + own);
    expect(entry).toBeLessThan(bytes / 2);
  });
});

describe('a large zset that is walked over while it changes', () => {
  test('shows every entry at its door before it changes or goes', () => {
    const zset = new ZsetHarness();
    zset.keyspace.limits.zsetMaxListpackEntries = 0;
    for (let i = 0; i < 500; i++) zset.add(`m${i}`, i % 7);
    const large = zset.keyspace.largeOf(zset.find()) as LargeZset;
    const seen: Pair[] = [];
    const shown = new ZsetCursor();
    zset.view.open(zset.keyspace, zset.find());
    shown.startView(zset.view, 0, false);
    large.beginMark();
    large.door = {
      changing: (entry) => {
        expect(large.isMarked(entry)).toBe(false);
        shown.show(entry);
        seen.push([textOf(shown.member), shown.score]);
        large.setMark(entry);
      },
    };
    const expected = zset.sorted().slice(10, 110);
    const changed = zset.sorted()[200]!;
    zset.removeRange(10, 100);
    zset.add(changed[0], 99);
    zset.add(changed[0], 99);
    zset.add('new', 1);
    large.door = null;
    expect(seen).toEqual([...expected, changed]);
    zset.add('newer', 1);
    expect(large.isMarked(large.find(bytesOf('newer'), 0, 5))).toBe(true);
    zset.check();
  });

  test('never takes an old mark for a fresh one', () => {
    const zset = new ZsetHarness();
    zset.keyspace.limits.zsetMaxListpackEntries = 0;
    zset.add('a', 1);
    const large = zset.keyspace.largeOf(zset.find()) as LargeZset;
    const entry = large.find(bytesOf('a'), 0, 1);
    for (let walk = 0; walk < 20_000; walk++) {
      large.beginMark();
      if (large.isMarked(entry)) throw new Error(`mark ${walk} is not fresh`);
    }
    large.setMark(entry);
    large.endMark();
    large.beginMark();
    expect(large.isMarked(entry)).toBe(false);
  });
});

describe('a zset that is built', () => {
  const pairs = fc.uniqueArray(fc.tuple(element, score), { selector: ([m]) => m, maxLength: 60 });

  test('takes the encoding that fits and replaces what was there', () => {
    fc.assert(
      fc.property(pairs, limits, (all, { entries, value }) => {
        fc.pre(all.length > 0);
        const zset = new ZsetHarness();
        const before = zset.keyspace.arena.usedBytes;
        zset.add('old', 5);
        zset.keyspace.limits.zsetMaxListpackEntries = entries;
        zset.keyspace.limits.zsetMaxListpackValue = value;
        const { large, ...builder } = build(zset, all);
        const { db, key } = zset;
        builder.store(db, key, zset.find());
        zset.model.clear();
        for (const [member, at] of all) zset.model.set(member, at);
        const longest = Math.max(...all.map(([member]) => member.length));
        const isSkiplist = all.length > entries || longest > value;
        expect(encodingName(zset.encoding)).toBe(isSkiplist ? 'skiplist' : 'listpack');
        zset.check();
        expect(large.count === 0 || zset.isLarge).toBe(true);
        zset.expectNothingLeft(before);
      }),
      { numRuns: 100 },
    );
  });

  function build(zset: ZsetHarness, all: readonly Pair[]) {
    const builder = new ZsetBuilder(zset.keyspace);
    const { large } = builder;
    for (const [member, at] of all) {
      const m = bytesOf(member);
      large.add(m, 0, m.length, at);
    }
    const store = (db: ZsetHarness['db'], key: Buffer, existing: number): number =>
      builder.store(db, key, 0, key.length, existing);
    return { large, store };
  }

  test('leaves nothing behind when it is discarded', () => {
    const zset = new ZsetHarness();
    const before = zset.keyspace.arena.usedBytes;
    const builder = new ZsetBuilder(zset.keyspace);
    const late = new LateEntries();
    for (let i = 0; i < 1000; i++) {
      const member = bytesOf(`m${i}`);
      builder.large.addLate(late, member, 0, member.length, i);
      if (late.isFull) expect(builder.large.settle(late)).toBe(true);
    }
    builder.large.addLate(late, bytesOf('m999'), 0, 4, 1);
    builder.large.addLate(late, bytesOf('m998'), 0, 4, 1);
    expect(builder.large.settle(late)).toBe(false);
    expect([late.count, builder.large.count, builder.large.index.count]).toEqual([0, 1000, 1000]);
    builder.discard();
    expect(zset.keyspace.arena.usedBytes).toBe(before);
  });
});
