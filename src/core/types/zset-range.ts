/**
 * Ranges of zsets, by score and by member, and what they mean in ranks.
 *
 *     score    5   (5   -inf   +inf          both ends inclusive unless written with (
 *     member   [a   (a   -   +               - before all members, + behind all
 *
 * `zsetScoreRanks` and `zsetLexRanks` put the ranks into `ranks`: start <= rank < end. In a large
 * zset that costs O(log N).
 *
 * A range by member has a meaning where all scores are equal. Elsewhere a small zset answers as
 * Redis's listpack does, which walks from one end and stops at the first member outside: so the
 * direction counts.
 */
import type { Keyspace } from '../keyspace.ts';
import { lpFirst } from '../struct/listpack.ts';
import { sought, TIE_AFTER, TIE_BEFORE } from '../struct/sorted-node.ts';
import { parseScoreBound } from '../text/double.ts';
import type { ByteView } from '../value.ts';
import { packCompare, packLast, packNext, packPrevious, packScore } from './zset-pack.ts';
import { ZsetView } from './zset-view.ts';

const OPEN = 0x28;
const CLOSED = 0x5b;
const MINUS = 0x2d;
const PLUS = 0x2b;

/** Ranks of the last range: start <= rank < end. */
export const ranks = { start: 0, end: 0 };

export class ScoreRange {
  min = 0;
  max = 0;
  minExclusive = false;
  maxExclusive = false;

  /** Reads both ends; false when one is no number. */
  parse(min: ByteView, max: ByteView): boolean {
    this.minExclusive = isOpen(min);
    this.maxExclusive = isOpen(max);
    this.min = boundOf(min);
    this.max = boundOf(max);
    return !Number.isNaN(this.min) && !Number.isNaN(this.max);
  }

  /** Whether no score can be in it. */
  get isEmpty(): boolean {
    const exclusive = this.minExclusive || this.maxExclusive;
    return this.min > this.max || (this.min === this.max && exclusive);
  }

  isAboveMin(score: number): boolean {
    return this.minExclusive ? score > this.min : score >= this.min;
  }

  isBelowMax(score: number): boolean {
    return this.maxExclusive ? score < this.max : score <= this.max;
  }
}

function isOpen(text: ByteView): boolean {
  return text.length > 0 && text.bytes[text.offset] === OPEN;
}

function boundOf(text: ByteView): number {
  const skip = isOpen(text) ? 1 : 0;
  return parseScoreBound(text.bytes, text.offset + skip, text.length - skip);
}

/** One end of a range by member. */
export class LexBound {
  /** -1: before all members; 1: behind all; 0: at `bytes`. */
  infinite = 0;
  exclusive = false;
  bytes: Uint8Array = new Uint8Array(0);
  offset = 0;
  length = 0;

  /** Reads the end; false when it is written wrongly. */
  parse(text: ByteView): boolean {
    const { bytes, length, offset } = text;
    const first = length > 0 ? bytes[offset]! : 0;
    this.infinite = 0;
    this.exclusive = first === OPEN;
    if (first === MINUS || first === PLUS) {
      this.infinite = first === PLUS ? 1 : -1;
      this.exclusive = true;
      return length === 1;
    }
    this.bytes = bytes;
    this.offset = offset + 1;
    this.length = length - 1;
    return first === OPEN || first === CLOSED;
  }

  /** Compares this end with another. Returns less than 0, 0 or more than 0. */
  compare(other: LexBound): number {
    if (this.infinite !== 0 || other.infinite !== 0) return this.infinite - other.infinite;
    const common = Math.min(this.length, other.length);
    for (let i = 0; i < common; i++) {
      const difference = this.bytes[this.offset + i]! - other.bytes[other.offset + i]!;
      if (difference !== 0) return difference;
    }
    return this.length - other.length;
  }
}

export class LexRange {
  readonly min = new LexBound();
  readonly max = new LexBound();

  /** Reads both ends; false when one is written wrongly. */
  parse(min: ByteView, max: ByteView): boolean {
    const first = this.min.parse(min);
    return this.max.parse(max) && first;
  }

  /** Whether no member can be in it. */
  get isEmpty(): boolean {
    const order = this.min.compare(this.max);
    return order > 0 || (order === 0 && (this.min.exclusive || this.max.exclusive));
  }

  /** Whether the member at `at` of a small zset is not before the lower end. */
  isAboveMin(bytes: Uint8Array, base: number, at: number): boolean {
    const { min } = this;
    if (min.infinite !== 0) return min.infinite < 0;
    const order = packCompare(bytes, base, at, min.bytes, min.offset, min.length);
    return min.exclusive ? order > 0 : order >= 0;
  }

  /** Whether the member at `at` of a small zset is not behind the upper end. */
  isBelowMax(bytes: Uint8Array, base: number, at: number): boolean {
    const { max } = this;
    if (max.infinite !== 0) return max.infinite > 0;
    const order = packCompare(bytes, base, at, max.bytes, max.offset, max.length);
    return max.exclusive ? order < 0 : order <= 0;
  }
}

const view = new ZsetView();

/** The elements whose score is in a range, as `ranks`. */
export function zsetScoreRanks(keyspace: Keyspace, address: number, range: ScoreRange): void {
  ranks.start = 0;
  ranks.end = 0;
  if (range.isEmpty) return;
  view.open(keyspace, address);
  const { base, bytes, large } = view;
  if (large !== null) {
    // An open end needs no look.
    if (range.minExclusive) ranks.start = large.index.rankOfScore(range.min, TIE_AFTER);
    else if (range.min > -Infinity) ranks.start = large.index.rankOfScore(range.min, TIE_BEFORE);
    let end = large.count;
    if (range.maxExclusive) end = large.index.rankOfScore(range.max, TIE_BEFORE);
    else if (range.max < Infinity) end = large.index.rankOfScore(range.max, TIE_AFTER);
    ranks.end = Math.max(ranks.start, end);
    return;
  }
  let rank = 0;
  for (let at = lpFirst(bytes, base); at !== 0; at = packNext(bytes, base, at)) {
    const score = packScore(bytes, base, at);
    if (!range.isBelowMax(score)) break;
    rank++;
    if (!range.isAboveMin(score)) ranks.start = rank;
  }
  ranks.end = rank;
}

/** The elements whose member is in a range, as `ranks`; `reverse` walks from the highest. */
export function zsetLexRanks(
  keyspace: Keyspace,
  address: number,
  range: LexRange,
  reverse: boolean,
): void {
  ranks.start = 0;
  ranks.end = 0;
  if (range.isEmpty) return;
  view.open(keyspace, address);
  if (view.large === null) {
    packedLexRanks(range, reverse);
    return;
  }
  ranks.start = rankOfBound(range.min, range.min.exclusive);
  ranks.end = Math.max(ranks.start, rankOfBound(range.max, !range.max.exclusive));
}

/** How many members of the large zset in view stand before a bound, or `orAt` it. */
function rankOfBound(bound: LexBound, orAt: boolean): number {
  const { large } = view;
  if (large === null || bound.infinite < 0) return 0;
  if (bound.infinite > 0) return large.count;
  sought.bytes = bound.bytes;
  sought.offset = bound.offset;
  sought.length = bound.length;
  return large.index.rankOfMember(orAt);
}

function packedLexRanks(range: LexRange, reverse: boolean): void {
  const { base, bytes } = view;
  const first = lpFirst(bytes, base);
  const last = packLast(bytes, base);
  if (first === 0) return;
  if (!range.isAboveMin(bytes, base, last) || !range.isBelowMax(bytes, base, first)) return;
  if (reverse) {
    let rank = view.count;
    let at = last;
    for (; at !== 0 && !range.isBelowMax(bytes, base, at); rank--) {
      at = packPrevious(bytes, base, at);
    }
    ranks.start = rank;
    ranks.end = rank;
    for (; at !== 0 && range.isAboveMin(bytes, base, at); ranks.start--) {
      at = packPrevious(bytes, base, at);
    }
    return;
  }
  let rank = 0;
  let at = first;
  for (; at !== 0 && !range.isAboveMin(bytes, base, at); rank++) at = packNext(bytes, base, at);
  ranks.start = rank;
  for (; at !== 0 && range.isBelowMax(bytes, base, at); rank++) at = packNext(bytes, base, at);
  ranks.end = rank;
}
