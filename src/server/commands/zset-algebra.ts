/**
 * Sorted sets of sorted sets: what ZUNION, ZINTER, ZDIFF and their kin compute.
 *
 *     intersection  the members of the smallest source that all others have, asked in the order of
 *                   their sizes
 *     union         the members of all sources, from the smallest to the largest
 *     difference    either the members of the first source are looked up in the others, or all
 *                   members of the others in the first: whichever needs fewer look-ups
 *
 * Sources may be sets, whose members have a score of 1. A member's score is made of what the
 * sources give it, times their weights, in the order of their sizes, as in Redis: sums of doubles
 * depend on the order. What is no number (0 times infinity, infinity minus infinity) counts as 0.
 *
 * What results still stands in the sources (types/zset-result.ts). A key without a value is an
 * empty source.
 */
import { entriesLimit } from '../../core/entries-limit.ts';
import { SetCursor, SetView } from '../../core/types/set-view.ts';
import type { ZsetResult } from '../../core/types/zset-result.ts';
import { ZsetCursor, ZsetView } from '../../core/types/zset-view.ts';
import { TYPE_SET, TYPE_ZSET, typeOf } from '../../core/value.ts';
import type { Context } from '../dispatch/context.ts';
import { WRONG_TYPE } from '../dispatch/errors.ts';

export const SUM = 0;
export const MIN = 1;
export const MAX = 2;

const SET_SCORE = 1;
/** The most members of a source that are looked for in compact ones one by one. */
const FEW = 8;

/** A set or zset that a command combines, under one of its keys. */
export class Source {
  /** The address of the entry, 0 for a key without a value. */
  readonly address: number;
  /** Number of members. */
  readonly count: number;
  weight = 1;
  /** The view of a zset; null for a set. */
  readonly zset: ZsetView | null;
  readonly view: ZsetView | SetView;

  constructor(c: Context, address: number) {
    const isSet = address !== 0 && typeOf(c.keyspace.arena, address) === TYPE_SET;
    this.address = address;
    this.zset = isSet ? null : new ZsetView();
    this.view = this.zset ?? new SetView();
    if (address !== 0) this.view.open(c.keyspace, address);
    this.count = address === 0 ? 0 : this.view.count;
  }

  /** Whether finding a member is a walk. */
  get isCompact(): boolean {
    return this.view instanceof SetView ? this.view.table === null : this.view.large === null;
  }

  /** The ref of a member, 0 when it is none. */
  find(member: Uint8Array, offset: number, length: number): number {
    return this.count === 0 ? 0 : this.view.find(member, offset, length);
  }

  /** The score of a member, NaN when it is none. */
  scoreOf(member: Uint8Array, offset: number, length: number): number {
    const ref = this.find(member, offset, length);
    if (ref === 0) return Number.NaN;
    return this.zset === null ? SET_SCORE : this.zset.scoreOf(ref);
  }
}

/** The sources in `count` arguments from `first` on, or null when one is neither: answered. */
export function sourcesOf(c: Context, first: number, count: number): Source[] | null {
  const { arena } = c.keyspace;
  const sources: Source[] = [];
  for (let i = first; i < first + count; i++) {
    const address = c.lookupRead(i);
    const type = address === 0 ? TYPE_ZSET : typeOf(arena, address);
    if (type !== TYPE_ZSET && type !== TYPE_SET) {
      c.reply.error(WRONG_TYPE);
      return null;
    }
    sources.push(new Source(c, address));
  }
  return sources;
}

/** Walks over the members of any source. */
class SourceCursor {
  private readonly zset = new ZsetCursor();
  private readonly set = new SetCursor();
  private isSet = false;
  member: { bytes: Uint8Array; offset: number; length: number } = this.zset.member;

  /** Stands before the first member. */
  start(source: Source): void {
    const { view } = source;
    this.isSet = view instanceof SetView;
    this.member = this.isSet ? this.set.member : this.zset.member;
    if (view instanceof SetView) this.set.startView(view);
    else this.zset.startView(view, 0, false);
  }

  next(): boolean {
    return this.isSet ? this.set.next() : this.zset.next();
  }

  /** The ref of the member that is shown. */
  get ref(): number {
    return this.isSet ? this.set.ref : this.zset.ref;
  }

  get score(): number {
    return this.isSet ? SET_SCORE : this.zset.score;
  }
}

const cursor = new SourceCursor();

/** `total` with one more score taken in, as `how` says. */
function aggregated(total: number, score: number, how: number): number {
  if (how === SUM) {
    const sum = total + score;
    return Number.isNaN(sum) ? 0 : sum;
  }
  const isBetter = how === MIN ? score < total : score > total;
  return isBetter ? score : total;
}

function bySize(sources: readonly Source[]): Source[] {
  return [...sources].sort((a, b) => a.count - b.count);
}

/** The score that a source's first look gives a member. */
function weighted(score: number, weight: number): number {
  const product = score * weight;
  return Number.isNaN(product) ? 0 : product;
}

/**
 * The score that all sources together give the member at the cursor, which walks over the first;
 * NaN when one has it not.
 */
function commonScore(sorted: readonly Source[], how: number): number {
  const { bytes, length, offset } = cursor.member;
  let total = weighted(cursor.score, sorted[0]!.weight);
  for (let i = 1; i < sorted.length; i++) {
    const source = sorted[i]!;
    const score = source.scoreOf(bytes, offset, length);
    if (Number.isNaN(score)) return Number.NaN;
    total = aggregated(total, score * source.weight, how);
  }
  return total;
}

/** Gathers the intersection. */
export function intersect(
  c: Context,
  result: ZsetResult,
  sources: readonly Source[],
  how: number,
): void {
  const sorted = bySize(sources);
  const smallest = sorted[0]!;
  if (smallest.count > FEW && sorted.every((one) => one.isCompact)) {
    intersectCompact(c, result, sorted, how);
    return;
  }
  result.start(c.keyspace, 0);
  if (smallest.count === 0) return;
  const owner = result.from(smallest.view);
  cursor.start(smallest);
  while (cursor.next()) {
    const score = commonScore(sorted, how);
    if (!Number.isNaN(score)) result.push(owner, cursor.ref, score);
  }
  result.sort();
}

/**
 * Like `intersect`, for compact sources, where each question would be a walk: all are gone through
 * once.
 */
function intersectCompact(
  c: Context,
  result: ZsetResult,
  sorted: readonly Source[],
  how: number,
): void {
  result.start(c.keyspace, sorted[0]!.count);
  const owner = result.from(sorted[0]!.view);
  for (const [times, source] of sorted.entries()) {
    cursor.start(source);
    while (cursor.next()) {
      const { bytes, length, offset } = cursor.member;
      const item = result.find(bytes, offset, length);
      if (times === 0) result.pushFound(owner, cursor.ref, weighted(cursor.score, source.weight));
      else if (item >= 0 && result.meet(item, times - 1)) {
        const score = cursor.score * source.weight;
        result.setScore(item, aggregated(result.scoreOf(item), score, how));
      }
    }
  }
  result.keepMet(sorted.length - 1);
  result.sort();
}

/** How many members all sources have; `limit` or more are `limit`. */
export function countCommon(sources: readonly Source[], limit: number): number {
  const sorted = bySize(sources);
  let count = 0;
  if (sorted[0]!.count === 0) return 0;
  cursor.start(sorted[0]!);
  while (count < limit && cursor.next()) {
    if (!Number.isNaN(commonScore(sorted, MAX))) count++;
  }
  return count;
}

/** Gathers the union. */
export function unite(
  c: Context,
  result: ZsetResult,
  sources: readonly Source[],
  how: number,
): void {
  const sorted = bySize(sources);
  result.start(
    c.keyspace,
    sorted.reduce((sum, one) => sum + one.count, 0),
  );
  for (const source of sorted) {
    if (source.count === 0) continue;
    const owner = result.from(source.view);
    cursor.start(source);
    while (cursor.next()) {
      const { bytes, length, offset } = cursor.member;
      const score = weighted(cursor.score, source.weight);
      const item = result.find(bytes, offset, length);
      if (item < 0) result.pushFound(owner, cursor.ref, score);
      else result.setScore(item, aggregated(result.scoreOf(item), score, how));
    }
  }
  result.sort();
}

/** Gathers the difference. */
export function subtract(c: Context, result: ZsetResult, sources: readonly Source[]): void {
  const first = sources[0]!;
  const others = sources.slice(1).filter((one) => one.count > 0);
  result.start(c.keyspace, 0);
  if (first.count === 0 || others.some((one) => one.address === first.address)) return;
  const theirs = others.reduce((sum, one) => sum + one.count, 0);
  const byAsking = (first.count * sources.length) / 2 <= first.count + theirs;
  if (byAsking || theirs > entriesLimit.max) subtractByAsking(result, first, others);
  else subtractByLeavingOut(result, first, others);
  result.sort();
}

function subtractByAsking(result: ZsetResult, first: Source, others: Source[]): void {
  const owner = result.from(first.view);
  others.sort((a, b) => b.count - a.count);
  cursor.start(first);
  while (cursor.next()) {
    const { bytes, length, offset } = cursor.member;
    let elsewhere = false;
    for (let i = 0; i < others.length && !elsewhere; i++) {
      elsewhere = others[i]!.find(bytes, offset, length) !== 0;
    }
    if (!elsewhere) result.push(owner, cursor.ref, cursor.score);
  }
}

function subtractByLeavingOut(result: ZsetResult, first: Source, others: readonly Source[]): void {
  const owner = result.from(first.view);
  const out = new Set<number>();
  for (const source of others) {
    cursor.start(source);
    while (cursor.next()) {
      const { bytes, length, offset } = cursor.member;
      const ref = first.find(bytes, offset, length);
      if (ref !== 0) out.add(ref);
    }
  }
  cursor.start(first);
  while (cursor.next()) {
    if (!out.has(cursor.ref)) result.push(owner, cursor.ref, cursor.score);
  }
}
