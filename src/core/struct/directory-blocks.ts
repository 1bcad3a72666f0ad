/**
 * Blocks of a quicklist's directory (list-directory.ts draws them), and how entries are moved
 * within them. The first word counts the entries in use; an entry of a leaf has three words, of an
 * inner block two. Level 0 is that of the leaves.
 */
import type { Arena } from '../memory/arena.ts';
import { COUNT_MASK } from './directory-path.ts';

export const LEAF_WORDS = 3;
export const INNER_WORDS = 2;
/** Entries of a full block. */
export const ENTRIES_MAX = 63;
/** Entries that a block may have after a merge. */
const MERGED_MAX = 48;

export class DirectoryBlocks {
  /** Bytes of the arena that the blocks take. */
  bytes = 0;
  /** What the last `find` found: a slot, and the elements of its entry. */
  foundSlot = 0;
  foundCount = 0;
  private readonly arena: Arena;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  /** Entries in use. */
  used(block: number): number {
    return this.arena.words(block)[this.arena.wordOffset(block)]!;
  }

  /** The child at `slot` of an inner block. */
  child(block: number, slot: number): number {
    return this.arena.words(block)[this.arena.wordOffset(block) + 1 + slot * INNER_WORDS]!;
  }

  /** Elements below the entry at `slot` of an inner block. */
  elementsAt(block: number, slot: number): number {
    return this.arena.words(block)[this.arena.wordOffset(block) + 2 + slot * INNER_WORDS]!;
  }

  /**
   * Finds the entry with element `index` of the `total` below a block, from the nearer end; `mask`
   * takes the elements out of an entry's second word. Returns the index within the entry.
   */
  find(block: number, width: number, mask: number, index: number, total: number): number {
    const words = this.arena.words(block);
    const at = this.arena.wordOffset(block);
    if (index < total - index) {
      let left = index;
      let from = at + 2;
      let slot = 0;
      let count = (words[from]! & mask) >>> 0;
      for (; left >= count; slot++) {
        left -= count;
        from += width;
        count = (words[from]! & mask) >>> 0;
      }
      this.foundSlot = slot;
      this.foundCount = count;
      return left;
    }
    let right = total - index;
    let slot = words[at]! - 1;
    let from = at + 2 + slot * width;
    let count = (words[from]! & mask) >>> 0;
    for (; right > count; slot--) {
      right -= count;
      from -= width;
      count = (words[from]! & mask) >>> 0;
    }
    this.foundSlot = slot;
    this.foundCount = count;
    return count - right;
  }

  /** Entries of `width` words that fit. */
  room(block: number, width: number): number {
    return Math.floor(((this.arena.sizeOf(block) >>> 2) - 1) / width);
  }

  create(entries: number, width: number): number {
    const block = this.arena.alloc((1 + entries * width) * 4);
    this.bytes += this.arena.sizeOf(block);
    this.arena.words(block)[this.arena.wordOffset(block)] = 0;
    return block;
  }

  free(block: number): void {
    this.forget(block);
    this.arena.free(block);
  }

  /** Counts the block no more, since it is somebody else's from now on. */
  forget(block: number): void {
    this.bytes -= this.arena.sizeOf(block);
  }

  /**
   * Copies `count` entries from slot `from` of one block to slot `to` of another, which then ends
   * with them.
   */
  copyEntries(
    source: number,
    from: number,
    target: number,
    to: number,
    count: number,
    width: number,
  ): void {
    const words = this.arena.words(source);
    const start = this.arena.wordOffset(source) + 1 + from * width;
    const into = this.arena.words(target);
    const at = this.arena.wordOffset(target);
    const begin = at + 1 + to * width;
    for (let i = 0; i < count * width; i++) into[begin + i] = words[start + i]!;
    into[at] = to + count;
  }

  /** Opens a gap of one entry at `slot`. */
  spread(block: number, level: number, slot: number): void {
    const width = level === 0 ? LEAF_WORDS : INNER_WORDS;
    const words = this.arena.words(block);
    const at = this.arena.wordOffset(block);
    const used = words[at]!;
    const from = at + 1 + slot * width;
    words.copyWithin(from + width, from, at + 1 + used * width);
    words[at] = used + 1;
  }

  /** Closes the gap that the entry at `slot` leaves. */
  cut(block: number, level: number, slot: number): void {
    const width = level === 0 ? LEAF_WORDS : INNER_WORDS;
    const words = this.arena.words(block);
    const at = this.arena.wordOffset(block);
    const used = words[at]!;
    const from = at + 1 + slot * width;
    words.copyWithin(from, from + width, at + 1 + used * width);
    words[at] = used - 1;
  }

  sum(block: number, width: number): number {
    const words = this.arena.words(block);
    const at = this.arena.wordOffset(block);
    const used = words[at]!;
    let sum = 0;
    for (let i = 0; i < used; i++) {
      const word = words[at + 2 + i * width]!;
      sum += width === LEAF_WORDS ? word & COUNT_MASK : word;
    }
    return sum;
  }

  /**
   * Sets bits in the second word of a leaf's entries, and copies all to `to[at ..]`. Returns where
   * the copy ends.
   */
  mark(leaf: number, bits: number, to: Uint32Array, at: number): number {
    const words = this.arena.words(leaf);
    const first = this.arena.wordOffset(leaf) + 1;
    const end = first + words[first - 1]! * LEAF_WORDS;
    let into = at;
    for (let from = first; from < end; from += LEAF_WORDS) {
      words[from + 1] = (words[from + 1]! | bits) >>> 0;
      for (let i = 0; i < LEAF_WORDS; i++) to[into++] = words[from + i]!;
    }
    return into;
  }

  /** Merges the children at `slot` and behind it, blocks of `level`, if they fit together. */
  mergePair(parent: number, slot: number, level: number): boolean {
    const { arena } = this;
    const width = level === 0 ? LEAF_WORDS : INNER_WORDS;
    const words = arena.words(parent);
    const at = arena.wordOffset(parent) + 1 + slot * INNER_WORDS;
    let left = words[at]!;
    const right = words[at + INNER_WORDS]!;
    const used = this.used(left);
    const added = this.used(right);
    if (used + added > MERGED_MAX) return false;
    if (this.room(left, width) < used + added) {
      const fresh = this.create(ENTRIES_MAX, width);
      this.copyEntries(left, 0, fresh, 0, used, width);
      this.free(left);
      left = fresh;
      words[at] = fresh;
    }
    this.copyEntries(right, 0, left, used, added, width);
    this.free(right);
    words[at + 1]! += words[at + INNER_WORDS + 1]!;
    this.cut(parent, level + 1, slot + 1);
    return true;
  }
}
