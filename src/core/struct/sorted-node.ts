/**
 * The nodes of a sorted index: arena blocks of records, and the searches within one.
 *
 *     leaf     word 0 records   word 1 next leaf   word 2 previous leaf   (0: none)
 *              records of 3 words:   key high | key low | entry
 *
 *     branch   word 0 records   words 1-2 0
 *              records of 5 words:   key high | key low | entry | child | elements below the child
 *              the first three are those of the least element below the child
 *
 *     entry    [ head ][ score, low word ][ score, high word ][ (length) ][ member ]
 *              headed as every entry of a dict (struct/entry.ts)
 *
 * A key is the score in a form that two signed 32-bit comparisons order: high word first, the bits
 * below the sign inverted where the score is negative, and the top bit of the low word flipped. -0
 * has the key of 0, though the entry keeps its sign. So a search compares integers only, and reads
 * a member only where scores are equal.
 *
 * A place between two elements is asked for by a key and a tie: before all elements with that key
 * (TIE_BEFORE), after them (TIE_AFTER), or where the member in `sought` belongs among them
 * (TIE_MEMBER).
 *
 * Source: B+ trees with counts, D. Comer, "The Ubiquitous B-Tree" (1979), and D. Knuth, TAOCP 3,
 * 6.2.4.
 */
import type { Arena } from '../memory/arena.ts';
import { WIDE_KEY } from './entry.ts';

export const LEAF_HEAD = 3;
export const LEAF_RECORD = 3;
export const LEAF_BYTES = 768;
/** Records of a full leaf. */
export const LEAF_MAX = Math.floor((LEAF_BYTES / 4 - LEAF_HEAD) / LEAF_RECORD);
export const BRANCH_HEAD = 3;
export const BRANCH_RECORD = 5;
export const BRANCH_BYTES = 1024;
/** Records of a full branch. */
export const BRANCH_MAX = Math.floor((BRANCH_BYTES / 4 - BRANCH_HEAD) / BRANCH_RECORD);

export const NEXT = 1;
export const PREVIOUS = 2;
export const ENTRY = 2;
export const CHILD = 3;
export const BELOW = 4;

export const TIE_BEFORE = -1;
export const TIE_MEMBER = 0;
export const TIE_AFTER = 1;

/** Words of an entry before its member, the wide length not counted. */
export const ENTRY_WORDS = 3;

/** Records in a node. */
export function countOf(arena: Arena, node: number): number {
  return arena.u32[node >>> 19]![(node & 0x7ffff) << 1]!;
}

export function setCount(arena: Arena, node: number, count: number): void {
  arena.u32[node >>> 19]![(node & 0x7ffff) << 1] = count;
}

/** The neighbour of a leaf, NEXT or PREVIOUS; 0 for none. */
export function linkOf(arena: Arena, leaf: number, which: number): number {
  return arena.u32[leaf >>> 19]![((leaf & 0x7ffff) << 1) + which]!;
}

export function setLink(arena: Arena, leaf: number, which: number, to: number): void {
  arena.u32[leaf >>> 19]![((leaf & 0x7ffff) << 1) + which] = to;
}

class SoughtMember {
  bytes: Uint8Array = new Uint8Array(0);
  offset = 0;
  length = 0;
}

/** The member that TIE_MEMBER and the searches by member alone compare with. */
export const sought = new SoughtMember();

const doubles = new Float64Array(1);
const doubleWords = new Int32Array(doubles.buffer);

/** High word of a score's key, signed. */
export function keyHigh(score: number): number {
  doubles[0] = score + 0;
  const high = doubleWords[1]!;
  return high < 0 ? high ^ 0x7fffffff : high;
}

/** Low word of a score's key, signed. */
export function keyLow(score: number): number {
  doubles[0] = score + 0;
  const low = doubleWords[1]! < 0 ? ~doubleWords[0]! : doubleWords[0]!;
  return low ^ 0x80000000;
}

/** The score that belongs to a sort key of two words. */
export function scoreOfKey(high: number, low: number): number {
  const top = high < 0;
  doubleWords[0] = top ? ~(low ^ 0x80000000) : low ^ 0x80000000;
  doubleWords[1] = top ? high ^ 0x7fffffff : high;
  return doubles[0]!;
}

/** The score that an entry holds. */
export function entryScore(arena: Arena, entry: number): number {
  const words = arena.words(entry);
  const at = arena.wordOffset(entry);
  doubleWords[0] = words[at + 1]!;
  doubleWords[1] = words[at + 2]!;
  return doubles[0]!;
}

/** Writes the score of an entry; the index must not hold it, or be told (`move`). */
export function setEntryScore(arena: Arena, entry: number, score: number): void {
  const words = arena.words(entry);
  const at = arena.wordOffset(entry);
  doubles[0] = score;
  words[at + 1] = doubleWords[0]!;
  words[at + 2] = doubleWords[1]!;
}

/** Makes the member of `entry` the one that is sought. */
export function seekEntry(arena: Arena, entry: number): void {
  const words = arena.words(entry);
  const at = arena.wordOffset(entry);
  const head = words[at]!;
  const keyWords = (head >>> 16) & 7;
  sought.bytes = arena.bytes(entry);
  sought.offset = (at + keyWords) << 2;
  sought.length = (head & 0xffff) === WIDE_KEY ? words[at + keyWords - 1]! : head & 0xffff;
}

/**
 * Compares the member of `entry` with the one sought as memcmp does. Returns less than 0, 0 or more
 * than 0.
 */
export function compareMember(arena: Arena, entry: number): number {
  const words = arena.words(entry);
  const at = arena.wordOffset(entry);
  const head = words[at]!;
  const keyWords = (head >>> 16) & 7;
  const bytes = arena.bytes(entry);
  const length = (head & 0xffff) === WIDE_KEY ? words[at + keyWords - 1]! : head & 0xffff;
  const from = (at + keyWords) << 2;
  const theirs = sought.bytes;
  const theirsFrom = sought.offset;
  const common = Math.min(length, sought.length);
  for (let i = 0; i < common; i++) {
    const difference = bytes[from + i]! - theirs[theirsFrom + i]!;
    if (difference !== 0) return difference;
  }
  return length - sought.length;
}

/**
 * How many of a node's `count` records, `stride` words each from word `first` on, stand before a
 * place. With `orAt` a record whose member is the one sought counts too: that is how a branch is
 * passed.
 */
export function recordsBefore(
  arena: Arena,
  words: Uint32Array,
  first: number,
  stride: number,
  count: number,
  high: number,
  low: number,
  tie: number,
  orAt: boolean,
): number {
  let from = 0;
  let to = count;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const at = first + middle * stride;
    const h = words[at]! | 0;
    let before = h < high;
    if (h === high) {
      const l = words[at + 1]! | 0;
      before = l < low;
      if (l === low) {
        if (tie !== TIE_MEMBER) before = tie === TIE_AFTER;
        else {
          const order = compareMember(arena, words[at + ENTRY]!);
          before = orAt ? order <= 0 : order < 0;
        }
      }
    }
    if (before) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Like `recordsBefore`, by member alone: of use where all scores are equal. */
export function recordsBeforeMember(
  arena: Arena,
  words: Uint32Array,
  first: number,
  stride: number,
  count: number,
  orAt: boolean,
): number {
  let from = 0;
  let to = count;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const order = compareMember(arena, words[first + middle * stride + ENTRY]!);
    if (orAt ? order <= 0 : order < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Moves `count` words within a node; the ranges may overlap. */
export function shiftWords(words: Uint32Array, from: number, to: number, count: number): void {
  if (count > 64) {
    words.copyWithin(to, from, from + count);
    return;
  }
  if (to < from) for (let i = 0; i < count; i++) words[to + i] = words[from + i]!;
  else for (let i = count - 1; i >= 0; i--) words[to + i] = words[from + i]!;
}

/** Copies `count` words from one node to another. */
function copyWords(
  from: Uint32Array,
  fromAt: number,
  to: Uint32Array,
  toAt: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) to[toAt + i] = from[fromAt + i]!;
}

/** Puts a record into a leaf that has room. */
export function putRecord(
  arena: Arena,
  leaf: number,
  slot: number,
  high: number,
  low: number,
  entry: number,
): void {
  const words = arena.u32[leaf >>> 19]!;
  const at = (leaf & 0x7ffff) << 1;
  const record = at + LEAF_HEAD + slot * LEAF_RECORD;
  shiftWords(words, record, record + LEAF_RECORD, (words[at]! - slot) * LEAF_RECORD);
  words[at] = words[at]! + 1;
  words[record] = high;
  words[record + 1] = low;
  words[record + ENTRY] = entry;
}

/** The child of record `slot` of a branch. */
export function childOf(arena: Arena, node: number, slot: number): number {
  const at = ((node & 0x7ffff) << 1) + BRANCH_HEAD + slot * BRANCH_RECORD + CHILD;
  return arena.u32[node >>> 19]![at]!;
}

/** Puts a record for a child into a branch that has room; `refresh` fills it in. */
export function insertChild(arena: Arena, node: number, slot: number, child: number): void {
  const words = arena.u32[node >>> 19]!;
  const at = (node & 0x7ffff) << 1;
  const record = at + BRANCH_HEAD + slot * BRANCH_RECORD;
  shiftWords(words, record, record + BRANCH_RECORD, (words[at]! - slot) * BRANCH_RECORD);
  words[at] = words[at]! + 1;
  words[record + CHILD] = child;
}

/** Takes record `slot` out of a branch. */
export function removeChild(arena: Arena, node: number, slot: number): void {
  const words = arena.u32[node >>> 19]!;
  const at = (node & 0x7ffff) << 1;
  const record = at + BRANCH_HEAD + slot * BRANCH_RECORD;
  words[at] = words[at]! - 1;
  shiftWords(words, record + BRANCH_RECORD, record, (words[at]! - slot) * BRANCH_RECORD);
}

/** Moves the records of `left` from number `keep` on to the front of its right neighbour. */
export function moveTail(
  arena: Arena,
  left: number,
  keep: number,
  right: number,
  head: number,
  stride: number,
): void {
  const from = arena.u32[left >>> 19]!;
  const fromAt = (left & 0x7ffff) << 1;
  const to = arena.u32[right >>> 19]!;
  const toAt = (right & 0x7ffff) << 1;
  const moved = from[fromAt]! - keep;
  const first = toAt + head;
  shiftWords(to, first, first + moved * stride, to[toAt]! * stride);
  copyWords(from, fromAt + head + keep * stride, to, first, moved * stride);
  from[fromAt] = keep;
  to[toAt] = to[toAt]! + moved;
}

/** Moves the first `moved` records of `right` to the end of its left neighbour. */
export function moveHead(
  arena: Arena,
  right: number,
  moved: number,
  left: number,
  head: number,
  stride: number,
): void {
  const from = arena.u32[right >>> 19]!;
  const fromAt = (right & 0x7ffff) << 1;
  const to = arena.u32[left >>> 19]!;
  const toAt = (left & 0x7ffff) << 1;
  const first = fromAt + head;
  copyWords(from, first, to, toAt + head + to[toAt]! * stride, moved * stride);
  from[fromAt] = from[fromAt]! - moved;
  to[toAt] = to[toAt]! + moved;
  shiftWords(from, first + moved * stride, first, from[fromAt]! * stride);
}
