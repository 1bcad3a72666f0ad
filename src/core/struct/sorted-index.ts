/**
 * The sorted index of a large zset: its entries in the order of (score, member), with ranks.
 *
 * A B+ tree (struct/sorted-tree.ts) whose branches know how many elements lie below each child:
 *
 *                          [ 90 | 51 ]                     branch: least element and count a child
 *                     /                 \
 *           [ 40 | 50 ]                  [ 51 ]
 *           /         \                    |
 *      [ a b .. ] <-> [ k l .. ] <-> [ s t .. ]               leaves: key and entry address, linked
 *
 * So the rank of a place, the element of a rank, the ends of a range by score or by member, and the
 * deletion of a range all cost O(log N), and walking on from there costs a step. Entries belong to
 * the caller (types/zset-large.ts), whose dict finds them by member; the index never moves, copies
 * or frees one.
 *
 * Invariants: all leaves stand at one depth; a branch's record holds the key and the entry of the
 * least element below it; every node but the root and those at the edges holds at least a third of
 * its room.
 *
 * Splitting: a full node is halved, but at the right end (ascending inserts) it stays full and the
 * new one begins empty, and likewise at the left end (descending ones, the order of an RDB file).
 * So loads in order fill leaves completely, random ones to about 69 %.
 *
 * Why not a skiplist: both were built over the arena and measured with 1,000,000 entries, random
 * scores, Node 20.20. A skiplist with spans and the key beside each node, as fast as it gets, took
 * 26.7 bytes an element and 1.8 us an insert; this tree takes 18 to 21 bytes (12.5 after a load in
 * order) and 1.1 us. Both find a rank in about 2 us. With its entry (28 bytes for a member of 16,
 * in 32) and the dict's slot, an element costs some 60 bytes; Redis needs 110. Leaves without keys
 * would save 8 bytes, and pay with a look into an entry, a cache miss, at each step of a search.
 */
import type { Arena } from '../memory/arena.ts';
import {
  BELOW,
  BRANCH_HEAD,
  BRANCH_RECORD,
  CHILD,
  countOf,
  ENTRY,
  entryScore,
  keyHigh,
  keyLow,
  LEAF_HEAD,
  LEAF_RECORD,
  linkOf,
  NEXT,
  PREVIOUS,
  recordsBefore,
  recordsBeforeMember,
  scoreOfKey,
  seekEntry,
  setEntryScore,
  TIE_BEFORE,
  TIE_MEMBER,
} from './sorted-node.ts';
import { SortedRun } from './sorted-run.ts';
import { LEAF, pathNode, pathSlot, place, SLOT } from './sorted-tree.ts';

/** A position in the order; moved along the leaves. Valid until the index changes. */
export class IndexCursor {
  /** The entry at the position, 0 beyond the ends. */
  entry = 0;
  private arena: Arena | null = null;
  private leaf = 0;
  private slot = 0;

  /** Stands at record `slot` of a leaf. */
  set(arena: Arena, leaf: number, slot: number): void {
    this.arena = arena;
    this.leaf = leaf;
    this.slot = slot;
    this.entry = leaf === 0 ? 0 : entryAt(arena, leaf, slot);
  }

  /** The score of the element there, from its key: the entry is not looked at, and -0 is 0. */
  get score(): number {
    const words = this.arena!.u32[this.leaf >>> 19]!;
    const at = ((this.leaf & 0x7ffff) << 1) + LEAF_HEAD + this.slot * LEAF_RECORD;
    return scoreOfKey(words[at]! | 0, words[at + 1]! | 0);
  }

  /** Moves to the next greater element. */
  next(): void {
    const arena = this.arena!;
    const words = arena.u32[this.leaf >>> 19]!;
    const at = (this.leaf & 0x7ffff) << 1;
    if (++this.slot < words[at]!) {
      this.entry = words[at + LEAF_HEAD + this.slot * LEAF_RECORD + ENTRY]!;
    } else this.set(arena, words[at + NEXT]!, 0);
  }

  /**
   * Puts the entries from here on into `entries`, up to `limit` of one leaf, and moves behind them.
   * Returns how many.
   */
  take(entries: Uint32Array, limit: number): number {
    const arena = this.arena!;
    const words = arena.u32[this.leaf >>> 19]!;
    const at = (this.leaf & 0x7ffff) << 1;
    const count = Math.min(limit, words[at]! - this.slot);
    let from = at + LEAF_HEAD + this.slot * LEAF_RECORD + ENTRY;
    for (let i = 0; i < count; i++, from += LEAF_RECORD) entries[i] = words[from]!;
    this.slot += count - 1;
    this.next();
    return count;
  }

  /** Moves to the next lesser element. */
  previous(): void {
    const arena = this.arena!;
    const words = arena.u32[this.leaf >>> 19]!;
    const at = (this.leaf & 0x7ffff) << 1;
    if (--this.slot >= 0) {
      this.entry = words[at + LEAF_HEAD + this.slot * LEAF_RECORD + ENTRY]!;
      return;
    }
    const leaf = words[at + PREVIOUS]!;
    this.set(arena, leaf, leaf === 0 ? 0 : countOf(arena, leaf) - 1);
  }
}

function entryAt(arena: Arena, leaf: number, slot: number): number {
  const at = ((leaf & 0x7ffff) << 1) + LEAF_HEAD + slot * LEAF_RECORD + ENTRY;
  return arena.u32[leaf >>> 19]![at]!;
}

export class SortedIndex extends SortedRun {
  /** What the last `take` took out: entries, in order, in `taken[0 .. its result)`. */
  readonly taken: number[] = [];

  // ---------------------------------------------------------------- change

  /** Adds an entry, whose score is written and whose member is not among those held. */
  insert(entry: number): void {
    const score = entryScore(this.arena, entry);
    const high = keyHigh(score);
    const low = keyLow(score);
    this.plant();
    seekEntry(this.arena, entry);
    this.descend(high, low);
    this.insertAtPlace(high, low, entry);
  }

  /** Adds entries like `insert`: most quickly those that go on downwards (struct/sorted-run.ts). */
  insertAll(entries: Uint32Array, count: number): void {
    if (this.prepend(entries, count)) return;
    for (let i = 0; i < count; i++) this.insert(entries[i]!);
  }

  /** Takes out an entry that is held. */
  remove(entry: number): void {
    this.descendTo(entry);
    this.removeAtPlace(1);
  }

  /** Gives an entry that is held another score. */
  move(entry: number, score: number): void {
    const { arena } = this;
    this.descendTo(entry);
    const leaf = place[LEAF]!;
    const slot = place[SLOT]!;
    const high = keyHigh(score);
    const low = keyLow(score);
    const words = arena.u32[leaf >>> 19]!;
    const at = (leaf & 0x7ffff) << 1;
    const record = at + LEAF_HEAD + slot * LEAF_RECORD;
    if (slot > 0 && slot < words[at]! - 1 && isBetween(words, record, high, low)) {
      words[record] = high;
      words[record + 1] = low;
      setEntryScore(arena, entry, score);
      return;
    }
    this.removeAtPlace(1);
    setEntryScore(arena, entry, score);
    this.insert(entry);
  }

  /**
   * Takes out elements from rank `rank` on, as many as share a leaf and at most `limit`, into
   * `taken`. Returns how many: at least one.
   */
  take(rank: number, limit: number): number {
    this.descendToRank(rank);
    const leaf = place[LEAF]!;
    const slot = place[SLOT]!;
    const count = Math.min(limit, countOf(this.arena, leaf) - slot);
    for (let i = 0; i < count; i++) this.taken[i] = entryAt(this.arena, leaf, slot + i);
    this.removeAtPlace(count);
    return count;
  }

  // ---------------------------------------------------------------- look-up

  /** Rank of an entry that is held. */
  rankOf(entry: number): number {
    const score = entryScore(this.arena, entry);
    seekEntry(this.arena, entry);
    return this.rankAt(keyHigh(score), keyLow(score), TIE_MEMBER);
  }

  /** How many elements have a lesser score, or with `tie` TIE_AFTER at most this one. */
  rankOfScore(score: number, tie: number): number {
    return this.rankAt(keyHigh(score), keyLow(score), tie);
  }

  /**
   * How many elements have a member before the one sought, or with `orAt` at most it; for equal
   * scores.
   */
  rankOfMember(orAt: boolean): number {
    const { arena } = this;
    if (this.root === 0) return 0;
    let rank = 0;
    let node = this.root;
    for (let level = 0; level < this.depth; level++) {
      const words = arena.u32[node >>> 19]!;
      const at = (node & 0x7ffff) << 1;
      const first = at + BRANCH_HEAD;
      const before = recordsBeforeMember(arena, words, first, BRANCH_RECORD, words[at]!, orAt);
      const slot = before === 0 ? 0 : before - 1;
      for (let i = 0; i < slot; i++) rank += words[first + i * BRANCH_RECORD + BELOW]!;
      node = words[first + slot * BRANCH_RECORD + CHILD]!;
    }
    const words = arena.u32[node >>> 19]!;
    const at = (node & 0x7ffff) << 1;
    const first = at + LEAF_HEAD;
    return rank + recordsBeforeMember(arena, words, first, LEAF_RECORD, words[at]!, orAt);
  }

  /** Puts a cursor at the element of a rank; beyond the ends its entry is 0. */
  seek(rank: number, cursor: IndexCursor): void {
    if (rank < 0 || rank >= this.count) {
      cursor.set(this.arena, 0, 0);
      return;
    }
    this.descendToRank(rank);
    cursor.set(this.arena, place[LEAF]!, place[SLOT]!);
  }

  /** Puts a cursor at the first element with this score or more; if none has, its entry is 0. */
  seekScore(score: number, cursor: IndexCursor): void {
    if (this.root === 0) {
      cursor.set(this.arena, 0, 0);
      return;
    }
    this.descend(keyHigh(score), keyLow(score), TIE_BEFORE);
    const leaf = place[LEAF]!;
    if (place[SLOT]! < countOf(this.arena, leaf)) cursor.set(this.arena, leaf, place[SLOT]!);
    else cursor.set(this.arena, linkOf(this.arena, leaf, NEXT), 0);
  }

  /** Puts a cursor at the last element before the place of this score and the member sought. */
  seekBefore(score: number, cursor: IndexCursor): void {
    const { arena } = this;
    if (this.root === 0) {
      cursor.set(arena, 0, 0);
      return;
    }
    this.descend(keyHigh(score), keyLow(score));
    const leaf = place[LEAF]!;
    const slot = place[SLOT]!;
    if (slot > 0) {
      cursor.set(arena, leaf, slot - 1);
      return;
    }
    const previous = linkOf(arena, leaf, PREVIOUS);
    cursor.set(arena, previous, previous === 0 ? 0 : countOf(arena, previous) - 1);
  }

  /** How many elements stand before a place; notes the way there. */
  private rankAt(high: number, low: number, tie: number): number {
    if (this.root === 0) return 0;
    this.descend(high, low, tie);
    let rank = place[SLOT]!;
    for (let level = 0; level < this.depth; level++) {
      const node = pathNode[level]!;
      const words = this.arena.u32[node >>> 19]!;
      const first = ((node & 0x7ffff) << 1) + BRANCH_HEAD + BELOW;
      const end = first + pathSlot[level]! * BRANCH_RECORD;
      for (let at = first; at < end; at += BRANCH_RECORD) rank += words[at]!;
    }
    return rank;
  }

  // ---------------------------------------------------------------- descent

  /** Goes to a place between elements; notes the way. */
  private descend(high: number, low: number, tie: number = TIE_MEMBER): void {
    const { arena } = this;
    let node = this.root;
    for (let level = 0; level < this.depth; level++) {
      const words = arena.u32[node >>> 19]!;
      const at = (node & 0x7ffff) << 1;
      const first = at + BRANCH_HEAD;
      const count = words[at]!;
      const stride = BRANCH_RECORD;
      const before = recordsBefore(arena, words, first, stride, count, high, low, tie, true);
      const slot = before === 0 ? 0 : before - 1;
      pathNode[level] = node;
      pathSlot[level] = slot;
      node = words[first + slot * BRANCH_RECORD + CHILD]!;
    }
    const words = arena.u32[node >>> 19]!;
    const at = (node & 0x7ffff) << 1;
    const first = at + LEAF_HEAD;
    const count = words[at]!;
    place[LEAF] = node;
    place[SLOT] = recordsBefore(arena, words, first, LEAF_RECORD, count, high, low, tie, false);
  }

  /** Goes to an entry that is held; notes the way. */
  private descendTo(entry: number): void {
    const score = entryScore(this.arena, entry);
    seekEntry(this.arena, entry);
    this.descend(keyHigh(score), keyLow(score));
    if (entryAt(this.arena, place[LEAF]!, place[SLOT]!) !== entry) {
      throw new Error('sorted index: an entry is not where its score says');
    }
  }

  /** Goes to the element of a rank below the count; notes the way. */
  private descendToRank(rank: number): void {
    const { arena } = this;
    let node = this.root;
    let left = rank;
    for (let level = 0; level < this.depth; level++) {
      const words = arena.u32[node >>> 19]!;
      let record = ((node & 0x7ffff) << 1) + BRANCH_HEAD;
      let slot = 0;
      for (; left >= words[record + BELOW]!; slot++, record += BRANCH_RECORD) {
        left -= words[record + BELOW]!;
      }
      pathNode[level] = node;
      pathSlot[level] = slot;
      node = words[record + CHILD]!;
    }
    place[LEAF] = node;
    place[SLOT] = left;
  }
}

/** Whether a key stands strictly between the keys before and behind the record at `record`. */
function isBetween(words: Uint32Array, record: number, high: number, low: number): boolean {
  const before = words[record - LEAF_RECORD]! | 0;
  const behind = words[record + LEAF_RECORD]! | 0;
  const above = high > before || (high === before && low > (words[record - LEAF_RECORD + 1]! | 0));
  if (!above) return false;
  return high < behind || (high === behind && low < (words[record + LEAF_RECORD + 1]! | 0));
}
