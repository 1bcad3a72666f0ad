/** A sorted set beside what it must be equal to, a map that is sorted when it is looked at. */
import { expect } from 'vitest';
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
import { ZsetCursor, ZsetView } from '../../../src/core/types/zset-view.ts';
import { ENC_SKIPLIST, encodingOf } from '../../../src/core/value.ts';
import { bytesOf, Fixture, textOf } from './samples.ts';

export type Pair = readonly [member: string, score: number];

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

/** A zset, and the map that it must be equal to. */
export class ZsetHarness extends Fixture {
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

  get encoding(): number {
    return encodingOf(this.keyspace.arena, this.find());
  }

  get isLarge(): boolean {
    return this.encoding === ENC_SKIPLIST;
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
