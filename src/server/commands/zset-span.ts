/**
 * What ZRANGE and its kin are asked for, and which elements that is.
 *
 *     if (!span.read(c, 1, BY_AUTO, false, true)) return;    the words behind the command's name
 *     const address = c.readTyped(span.keyAt, TYPE_ZSET); ...
 *     span.find(c.keyspace, address);                        then span.start, span.count
 *
 * The elements are a run of ranks: from rank `start` on, `count` of them, down when `reverse`. A
 * LIMIT is counted in ranks as well, so a large offset costs nothing.
 *
 * Where scores differ a range by member has no meaning, but a small zset answers all the same as
 * Redis does, which skips the offset without looking and then goes on while members are inside.
 */
import type { Keyspace } from '../../core/keyspace.ts';
import {
  LexRange,
  ranks,
  ScoreRange,
  zsetLexRanks,
  zsetScoreRanks,
} from '../../core/types/zset-range.ts';
import { ZsetCursor, ZsetView } from '../../core/types/zset-view.ts';
import { ByteView } from '../../core/value.ts';
import type { Context } from '../dispatch/context.ts';
import { OptionReader } from '../dispatch/option-reader.ts';

/** How elements are chosen. BY_AUTO: by rank, unless a word says otherwise. */
export const BY_AUTO = 0;
export const BY_RANK = 1;
export const BY_SCORE = 2;
export const BY_LEX = 3;

const NOT_A_SCORE_RANGE = 'ERR min or max is not a float';
const NOT_A_LEX_RANGE = 'ERR min or max not valid string range item';
const LIMIT_NEEDS_RANGE =
  'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX';
const NO_SCORES_BY_LEX = 'ERR syntax error, WITHSCORES not supported in combination with BYLEX';
const UNLIMITED = -1;

const options = new OptionReader();
const view = new ZsetView();
const cursor = new ZsetCursor();
const min = new ByteView();
const max = new ByteView();

function show(c: Context, i: number, text: ByteView): void {
  text.bytes = c.args.bytes[i]!;
  text.offset = c.args.offsets[i]!;
  text.length = c.args.lengths[i]!;
}

/** Reads a range by score from arguments `from` and `to`; false when an error was answered. */
export function readScoreRange(c: Context, range: ScoreRange, from: number, to: number): boolean {
  show(c, from, min);
  show(c, to, max);
  if (range.parse(min, max)) return true;
  c.reply.error(NOT_A_SCORE_RANGE);
  return false;
}

/** Reads a range by member from arguments `from` and `to`; false when an error was answered. */
export function readLexRange(c: Context, range: LexRange, from: number, to: number): boolean {
  show(c, from, min);
  show(c, to, max);
  if (range.parse(min, max)) return true;
  c.reply.error(NOT_A_LEX_RANGE);
  return false;
}

export class ZsetSpan {
  /** Rank of the first element, and how many. */
  start = 0;
  count = 0;
  /** Whether it goes down from there. */
  reverse = false;
  withScores = false;
  by: number = BY_RANK;
  private first = 0;
  private last = 0;
  private readonly scores = new ScoreRange();
  private readonly members = new LexRange();
  private offset = 0;
  private limit = UNLIMITED;

  /**
   * Reads what is asked for: both ends behind the key in argument `key`, then options.
   * `mayReverse`: REV is one of them. `stores`: WITHSCORES is none. False when an error has been
   * answered.
   */
  read(
    c: Context,
    key: number,
    by: number,
    reverse: boolean,
    mayReverse: boolean,
    stores: boolean,
  ): boolean {
    this.by = by;
    this.reverse = reverse;
    this.withScores = false;
    this.offset = 0;
    this.limit = UNLIMITED;
    if (c.argc > key + 3 && !this.readOptions(c, key + 3, mayReverse, stores)) return false;
    if (this.by === BY_AUTO) this.by = BY_RANK;
    if (this.limit !== UNLIMITED && this.by === BY_RANK) {
      c.reply.error(LIMIT_NEEDS_RANGE);
      return false;
    }
    if (this.withScores && this.by === BY_LEX) {
      c.reply.error(NO_SCORES_BY_LEX);
      return false;
    }
    return this.readEnds(c, key + 1);
  }

  private readOptions(c: Context, from: number, mayReverse: boolean, stores: boolean): boolean {
    const auto = this.by === BY_AUTO;
    let turned = !mayReverse;
    options.start(c.args, from);
    while (options.more) {
      if (!stores && options.take('withscores')) this.withScores = true;
      else if (options.take('limit', 2)) {
        this.offset = options.integer();
        this.limit = options.integer();
      } else if (!turned && options.take('rev')) {
        turned = true;
        this.reverse = true;
      } else if (auto && this.by === BY_AUTO && options.take('bylex')) this.by = BY_LEX;
      else if (auto && this.by === BY_AUTO && options.take('byscore')) this.by = BY_SCORE;
      else options.fail();
    }
    return !options.refuse(c.reply);
  }

  /** Both ends, in arguments `i` and `i + 1`; of a range that goes down the upper one is first. */
  private readEnds(c: Context, i: number): boolean {
    if (this.by === BY_RANK) return this.readRanks(c, i);
    const from = this.reverse ? i + 1 : i;
    const to = this.reverse ? i : i + 1;
    if (this.by === BY_SCORE) return readScoreRange(c, this.scores, from, to);
    return readLexRange(c, this.members, from, to);
  }

  /** Reads a range by rank in arguments `i` and `i + 1`; false when an error was answered. */
  readRanks(c: Context, i: number): boolean {
    this.by = BY_RANK;
    this.first = c.integer(i);
    if (Number.isNaN(this.first)) return false;
    this.last = c.integer(i + 1);
    return !Number.isNaN(this.last);
  }

  /** Finds the elements in the zset at `address`. */
  find(keyspace: Keyspace, address: number): void {
    if (this.by === BY_RANK) {
      view.open(keyspace, address);
      this.findRanks(view.count);
      return;
    }
    if (this.by === BY_SCORE) zsetScoreRanks(keyspace, address, this.scores);
    else zsetLexRanks(keyspace, address, this.members, this.reverse);
    const { end, start } = ranks;
    this.start = this.reverse ? end - 1 - this.offset : start + this.offset;
    this.count = this.offset < 0 ? 0 : Math.max(0, end - start - this.offset);
    if (this.by === BY_LEX && this.offset > 0 && end > start) this.walkFrom(keyspace, address);
    if (this.limit >= 0 && this.count > this.limit) this.count = this.limit;
  }

  private findRanks(length: number): void {
    const first = this.first < 0 ? Math.max(0, this.first + length) : this.first;
    const last = Math.min(this.last < 0 ? this.last + length : this.last, length - 1);
    this.count = Math.max(0, last - first + 1);
    this.start = this.reverse ? length - 1 - first : first;
  }

  /** Counts the members of a small zset in the range one by one, from the offset on. */
  private walkFrom(keyspace: Keyspace, address: number): void {
    view.open(keyspace, address);
    const { base, bytes, large } = view;
    if (large !== null) return;
    this.count = 0;
    cursor.startView(view, this.start, this.reverse);
    while (cursor.step()) {
      const inside = this.reverse
        ? this.members.isAboveMin(bytes, base, cursor.ref)
        : this.members.isBelowMax(bytes, base, cursor.ref);
      if (!inside) return;
      this.count++;
    }
  }
}
