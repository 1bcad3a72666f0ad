/**
 * The "listpack" encoding of small zsets: members and scores in turn, sorted by score and member.
 *
 *     [ head ][ "ann" ][ 3 ][ "bob" ][ 7 ][ "cleo" ][ 7 ][ "dan" ][ "7.0999999999999996" ][ end ]
 *
 * A score that is an integer of up to 2^62 is stored as one (so -0 becomes 0), any other as the
 * text of its seventeen digits (text/score.ts), infinities as inf and -inf: byte for byte what
 * Redis stores.
 *
 * A listpack is `bytes` from `base`, positions are those of struct/listpack.ts: a member's names
 * the pair. Whoever inserts has made room for `pairBytes` more.
 */
import {
  lpBytes,
  lpElement,
  lpEntryBytes,
  lpFirst,
  lpGet,
  lpInsert,
  lpInsertInteger,
  lpIntegerBytes,
  lpLast,
  lpNext,
  lpPrev,
} from '../struct/listpack.ts';
import { lpFind } from '../struct/listpack-find.ts';
import { writeInt64 } from '../text/integer.ts';
import { parseScore, SCORE_TEXT_MAX, writeScore } from '../text/score.ts';
import type { ByteView } from '../value.ts';
import { ElementView } from './element-view.ts';

const TWO_32 = 0x1_0000_0000;
/** Integers up to this are stored as such. */
const INTEGER_MAX = 2 ** 62;
const text = new Uint8Array(SCORE_TEXT_MAX);
const element = new ElementView();

/** Position of the pair of a member, 0 for none. */
export function packFind(
  bytes: Uint8Array,
  base: number,
  member: Uint8Array,
  offset: number,
  length: number,
): number {
  return lpFind(bytes, base, lpFirst(bytes, base), member, offset, length, 1);
}

/** The score of the pair at `at`. */
export function packScore(bytes: Uint8Array, base: number, at: number): number {
  return scoreAt(bytes, base, lpNext(bytes, base, at));
}

/** The score that stands at `at` itself. */
function scoreAt(bytes: Uint8Array, base: number, at: number): number {
  lpGet(bytes, base, at);
  const e = lpElement;
  if (e.isInteger) return e.high * TWO_32 + (e.low >>> 0);
  return parseScore(e.bytes, e.offset, e.length);
}

/** Position of the pair after the one at `at`, 0 at the end. */
export function packNext(bytes: Uint8Array, base: number, at: number): number {
  return lpNext(bytes, base, lpNext(bytes, base, at));
}

/** Position of the pair before the one at `at`, 0 at the beginning. */
export function packPrevious(bytes: Uint8Array, base: number, at: number): number {
  const score = lpPrev(bytes, base, at);
  return score === 0 ? 0 : lpPrev(bytes, base, score);
}

/** Position of the last pair, 0 for none. */
export function packLast(bytes: Uint8Array, base: number): number {
  const score = lpLast(bytes, base);
  return score === 0 ? 0 : lpPrev(bytes, base, score);
}

/** How many pairs stand before the one at `at`. */
export function packRank(bytes: Uint8Array, base: number, at: number): number {
  let rank = 0;
  for (let p = lpFirst(bytes, base); p !== at; p = packNext(bytes, base, p)) rank++;
  return rank;
}

/** Bytes that a pair takes. */
export function pairBytes(
  member: Uint8Array,
  offset: number,
  length: number,
  score: number,
): number {
  return lpEntryBytes(member, offset, length) + scoreBytes(score);
}

function scoreBytes(score: number): number {
  if (Number.isSafeInteger(score)) return lpIntegerBytes(score + 0);
  return lpEntryBytes(text, 0, scoreText(score));
}

/** Writes the text under which a score is stored into `text`; its length. */
function scoreText(score: number): number {
  if (Number.isInteger(score) && Math.abs(score) <= INTEGER_MAX) {
    const high = Math.floor(score / TWO_32);
    return writeInt64(text, 0, score - high * TWO_32, high);
  }
  return writeScore(text, 0, score);
}

/** Puts a pair, whose member is not there yet, in its place. */
export function packInsert(
  bytes: Uint8Array,
  base: number,
  member: Uint8Array,
  offset: number,
  length: number,
  score: number,
): void {
  packInsertAt(
    bytes,
    base,
    placeOf(bytes, base, member, offset, length, score),
    member,
    offset,
    length,
    score,
  );
}

/** Puts a pair in front of the one at `at`, 0 for the end. */
export function packInsertAt(
  bytes: Uint8Array,
  base: number,
  at: number,
  member: Uint8Array,
  offset: number,
  length: number,
  score: number,
): void {
  const place = at === 0 ? lpBytes(bytes, base) - 1 : at;
  const behind = lpInsert(bytes, base, place, member, offset, length);
  if (Number.isSafeInteger(score)) lpInsertInteger(bytes, base, behind, score + 0);
  else lpInsert(bytes, base, behind, text, 0, scoreText(score));
}

/** Position of the first pair that belongs behind the given one, 0 for none. */
function placeOf(
  bytes: Uint8Array,
  base: number,
  member: Uint8Array,
  offset: number,
  length: number,
  score: number,
): number {
  for (let at = lpFirst(bytes, base); at !== 0; ) {
    const scorePosition = lpNext(bytes, base, at);
    const other = scoreAt(bytes, base, scorePosition);
    if (other > score) return at;
    if (other === score) {
      if (packCompare(bytes, base, at, member, offset, length) > 0) return at;
    }
    at = lpNext(bytes, base, scorePosition);
  }
  return 0;
}

/**
 * Compares the member at `at` with the one given as memcmp does. Returns less than 0, 0 or more
 * than 0.
 */
export function packCompare(
  bytes: Uint8Array,
  base: number,
  at: number,
  member: Uint8Array,
  offset: number,
  length: number,
): number {
  element.showListpack(bytes, base, at);
  return compareText(element, member, offset, length);
}

/**
 * Compares the bytes in view with those given as memcmp does. Returns less than 0, 0 or more than
 * 0.
 */
export function compareText(
  view: ByteView,
  text: Uint8Array,
  offset: number,
  length: number,
): number {
  const common = Math.min(view.length, length);
  for (let i = 0; i < common; i++) {
    const difference = view.bytes[view.offset + i]! - text[offset + i]!;
    if (difference !== 0) return difference;
  }
  return view.length - length;
}
