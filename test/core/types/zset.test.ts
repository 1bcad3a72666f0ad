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
  OUTCOME_ADDED,
  OUTCOME_NAN,
  OUTCOME_NOTHING,
  OUTCOME_SAME,
  OUTCOME_UPDATED,
  zsetAdd,
  zsetChange,
  zsetCreate,
  zsetLength,
  zsetRemove,
  zsetRemoveRange,
  zsetScore,
} from '../../../src/core/types/zset.ts';
import { ZsetBuilder } from '../../../src/core/types/zset-builder.ts';
import type { LargeZset } from '../../../src/core/types/zset-large.ts';
import { ZsetCursor, ZsetView } from '../../../src/core/types/zset-view.ts';
import { ENC_SKIPLIST, encodingOf } from '../../../src/core/value.ts';
import { bytesOf, element, Fixture, textOf } from './samples.ts';

type Pair = readonly [member: string, score: number];

const inOrder = ([a, x]: Pair, [b, y]: Pair): number => x - y || (a < b ? -1 : a > b ? 1 : 0);

/** What ZADD says, and the score after it; undefined for none. */
function addToModel(
  model: Map<string, number>,
  member: string,
  score: number,
  flags: number,
): number {
  const old = model.get(member);
  if (old === undefined) {
    if ((flags & ADD_XX) !== 0) return OUTCOME_NOTHING;
    model.set(member, score);
    return OUTCOME_ADDED;
  }
  if ((flags & ADD_NX) !== 0) return OUTCOME_NOTHING;
  const wanted = (flags & ADD_INCR) !== 0 ? old + score : score;
  if (Number.isNaN(wanted)) return OUTCOME_NAN;
  if ((flags & ADD_GT) !== 0 && !(wanted > old)) return OUTCOME_NOTHING;
  if ((flags & ADD_LT) !== 0 && !(wanted < old)) return OUTCOME_NOTHING;
  if (wanted === old) return OUTCOME_SAME;
  model.set(member, wanted);
  return OUTCOME_UPDATED;
}

class Harness extends Fixture {
  readonly model = new Map<string, number>();
  readonly view = new ZsetView();
  readonly cursor = new ZsetCursor();

  add(member: string, score: number, flags = 0): void {
    const { db, key, keyspace } = this;
    const m = bytesOf(member);
    const outcome = addToModel(this.model, member, score, flags);
    let address = this.find();
    if (address === 0 && outcome === OUTCOME_NOTHING) return;
    if (address === 0) address = zsetCreate(keyspace, db, key, 0, key.length, m.length, 20);
    address = zsetAdd(keyspace, db, address, m, 0, m.length, score, flags);
    expect(zsetChange.outcome).toBe(outcome);
    if (outcome !== OUTCOME_NOTHING && outcome !== OUTCOME_NAN) {
      expect(zsetChange.score).toBe(this.model.get(member));
    }
    expect(this.find()).toBe(address);
  }

  remove(member: string): void {
    const address = this.find();
    if (address === 0) return;
    const m = bytesOf(member);
    const after = zsetRemove(this.keyspace, this.db, address, m, 0, m.length);
    expect(after !== 0).toBe(this.model.delete(member));
    expect(this.find()).toBe(after === 0 ? address : after);
    this.dropIfEmpty();
  }

  removeRange(rank: number, count: number): void {
    const address = this.find();
    const first = Math.min(rank, this.model.size);
    const gone = this.sorted().slice(first, first + count);
    if (gone.length === 0) return;
    const after = zsetRemoveRange(this.keyspace, this.db, address, first, gone.length);
    expect(this.find()).toBe(after);
    for (const [member] of gone) this.model.delete(member);
    this.dropIfEmpty();
  }

  private dropIfEmpty(): void {
    if (this.model.size === 0) this.keyspace.remove(this.db, this.find());
  }

  sorted(): Pair[] {
    return [...this.model].sort(inOrder);
  }

  walk(rank: number, reverse: boolean): Pair[] {
    const pairs: Pair[] = [];
    this.cursor.startAt(this.keyspace, this.find(), rank, reverse);
    while (this.cursor.next()) pairs.push([textOf(this.cursor.member), this.cursor.score]);
    return pairs;
  }

  get isLarge(): boolean {
    return encodingOf(this.keyspace.arena, this.find()) === ENC_SKIPLIST;
  }

  check(): void {
    const address = this.find();
    expect(address !== 0).toBe(this.model.size > 0);
    if (address === 0) return;
    const { keyspace, view } = this;
    const sorted = this.sorted();
    const { length } = sorted;
    expect(zsetLength(keyspace, address)).toBe(length);
    expect(this.walk(0, false)).toEqual(sorted);
    expect(this.walk(length - 1, true)).toEqual(sorted.toReversed());
    const middle = length >>> 1;
    expect(this.walk(middle, false)).toEqual(sorted.slice(middle));
    expect(this.walk(middle, true)).toEqual(sorted.slice(0, middle + 1).reverse());
    view.open(keyspace, address);
    for (const [rank, [member, score]] of sorted.entries()) {
      const m = bytesOf(member);
      expect(zsetScore(keyspace, address, m, 0, m.length)).toBe(score);
      expect(view.rankOf(view.find(m, 0, m.length))).toBe(rank);
    }
    expect(zsetScore(keyspace, address, bytesOf('absent'), 0, 6)).toBeNaN();
  }

  /** Removes the key, and expects that nothing is left of it. */
  expectNothingLeft(before: number): void {
    const address = this.find();
    if (address !== 0) this.keyspace.remove(this.db, address);
    this.drain();
    expect(this.keyspace.arena.usedBytes).toBe(before);
  }
}

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
        const zset = new Harness();
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
    const zset = new Harness();
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
    const zset = new Harness();
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

  test('are converted by a long member, and begin large with one', () => {
    const zset = new Harness();
    zset.add('m'.repeat(64), 1);
    expect(zset.isLarge).toBe(false);
    zset.add('m'.repeat(65), 1);
    expect(zset.isLarge).toBe(true);
    zset.check();
    const other = new Harness();
    other.add('m'.repeat(65), 1);
    expect(other.isLarge).toBe(true);
    const none = new Harness();
    none.keyspace.limits.zsetMaxListpackEntries = 0;
    none.add('m', 1);
    expect(none.isLarge).toBe(true);
  });

  test('keep their expiry through growth and conversion', () => {
    const zset = new Harness();
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
      const zset = new Harness();
      zset.keyspace.limits.zsetMaxListpackEntries = entries;
      zset.add('m', -0);
      expect(zsetScore(zset.keyspace, zset.find(), bytesOf('m'), 0, 1)).toBe(expected);
    }
  });

  test('take the bytes that they say', () => {
    const zset = new Harness();
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
    const zset = new Harness();
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
    const zset = new Harness();
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
        const zset = new Harness();
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
        expect(zset.isLarge).toBe(all.length > entries || longest > value);
        zset.check();
        expect(large.count === 0 || zset.isLarge).toBe(true);
        zset.expectNothingLeft(before);
      }),
      { numRuns: 100 },
    );
  });

  function build(zset: Harness, all: readonly Pair[]) {
    const builder = new ZsetBuilder(zset.keyspace);
    const { large } = builder;
    for (const [member, at] of all) {
      const m = bytesOf(member);
      large.add(m, 0, m.length, at);
    }
    const store = (db: Harness['db'], key: Buffer, existing: number): number =>
      builder.store(db, key, 0, key.length, existing);
    return { large, store };
  }

  test('leaves nothing behind when it is discarded', () => {
    const zset = new Harness();
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
