/**
 * The directory of a quicklist: its nodes in their order, in a B+ tree that counts elements, so
 * that the node which holds the element with a given index is found in O(log nodes) from anywhere.
 *
 *                    [ 2 | ->,4100 | ->,3800 ]                    level 1 (inner)
 *                       /               \
 *     [ 3 | node | node | node ]     [ 2 | node | node ]          level 0 (leaves)
 *
 *     leaf    word 0   entries in use
 *             3 words  an entry: address of the node's block | elements, kind << 29 | bytes
 *     inner   word 0   entries in use
 *             2 words  an entry: address of the child | elements below it
 *
 * What kinds of nodes there are is the quicklist's business.
 * A path names one entry, by block and slot on each level; it also shows what the entry says. A
 * path is good until the directory is changed by other means than through it; `remove` spoils it
 * too.
 *
 * A block begins small and doubles up to 63 entries. A full one is split in the middle, but at
 * either end of the list a fresh one is begun, so queues leave full blocks behind. A block that has
 * become nearly empty is merged with a neighbour under the same parent.
 *
 * Invariants: no block is empty; an inner entry says the sum of what stands below it; the root has
 * more than one entry unless it is a leaf.
 *
 * Limits: 2^32 - 1 elements, 2^29 - 1 a node.
 */
import type { Arena } from '../memory/arena.ts';
import { DirectoryBlocks, ENTRIES_MAX, INNER_WORDS, LEAF_WORDS } from './directory-blocks.ts';
import { COUNT_MASK, type DirectoryPath, KIND_SHIFT } from './directory-path.ts';

const ENTRIES_FIRST = 2;
/** Blocks with so few entries are merged with a neighbour, if that has room. */
const SPARSE_MAX = 16;
/** All bits of a count of an inner entry. */
const ALL_BITS = -1;

export class ListDirectory {
  nodes = 0;
  elements = 0;
  private readonly arena: Arena;
  private readonly blocks: DirectoryBlocks;
  private root = 0;
  /** Level of the root. */
  height = 0;

  constructor(arena: Arena) {
    this.arena = arena;
    this.blocks = new DirectoryBlocks(arena);
  }

  /** Bytes of the arena that the tree takes. */
  get blockBytes(): number {
    return this.blocks.bytes;
  }

  // ---------------------------------------------------------------- finding

  /** Goes to the node that holds element `index`, which exists; gives the index within it. */
  seek(path: DirectoryPath, index: number): number {
    const { blocks } = this;
    let block = this.root;
    let left = index;
    let total = this.elements;
    for (let level = this.height; level >= 0; level--) {
      const width = level === 0 ? LEAF_WORDS : INNER_WORDS;
      const mask = level === 0 ? COUNT_MASK : ALL_BITS;
      path.blocks[level] = block;
      left = blocks.find(block, width, mask, left, total);
      path.slots[level] = blocks.foundSlot;
      total = blocks.foundCount;
      if (level > 0) block = blocks.child(block, blocks.foundSlot);
    }
    this.show(path);
    return left;
  }

  /** Goes to the first node; false when there is none. */
  first(path: DirectoryPath): boolean {
    if (this.nodes === 0) return false;
    this.descend(path, this.height + 1, this.root, false);
    return true;
  }

  /** Goes to the last node; false when there is none. */
  last(path: DirectoryPath): boolean {
    if (this.nodes === 0) return false;
    this.descend(path, this.height + 1, this.root, true);
    return true;
  }

  /** Goes to the node behind; false at the end, where the path stays as it is. */
  next(path: DirectoryPath): boolean {
    let level = 0;
    while (path.slots[level]! + 1 >= this.blocks.used(path.blocks[level]!)) {
      if (++level > this.height) return false;
    }
    path.slots[level]!++;
    if (level > 0)
      this.descend(path, level, this.blocks.child(path.blocks[level]!, path.slots[level]!), false);
    else this.show(path);
    return true;
  }

  /** Goes to the node before; false at the beginning, where the path stays as it is. */
  prev(path: DirectoryPath): boolean {
    let level = 0;
    while (path.slots[level] === 0) if (++level > this.height) return false;
    path.slots[level]!--;
    if (level > 0)
      this.descend(path, level, this.blocks.child(path.blocks[level]!, path.slots[level]!), true);
    else this.show(path);
    return true;
  }

  /** Adds `mark` to the kind of every node, and copies all entries to `to`, three words each. */
  markAll(path: DirectoryPath, mark: number, to: Uint32Array): void {
    let at = 0;
    for (let found = this.first(path); found; found = this.next(path)) {
      const leaf = path.blocks[0]!;
      at = this.blocks.mark(leaf, mark << KIND_SHIFT, to, at);
      path.slots[0] = this.blocks.used(leaf) - 1;
    }
  }

  // ---------------------------------------------------------------- changing

  /** Says something else about the path's node. */
  put(path: DirectoryPath, address: number, count: number, kind: number, bytes: number): void {
    const change = count - path.count;
    if (change !== 0) {
      this.addCounts(path, 1, change);
      this.elements += change;
    }
    this.write(path, address, count, kind, bytes);
  }

  /** Adds a node behind all others, or before them, and goes there. */
  push(
    path: DirectoryPath,
    atEnd: boolean,
    address: number,
    count: number,
    kind: number,
    bytes: number,
  ): void {
    if (!(atEnd ? this.last(path) : this.first(path))) this.plant(path);
    this.insert(path, atEnd, address, count, kind, bytes);
  }

  /** Adds a node behind the path's, or before it, and goes there. */
  insert(
    path: DirectoryPath,
    behind: boolean,
    address: number,
    count: number,
    kind: number,
    bytes: number,
  ): void {
    path.slots[0] = Math.max(0, path.slots[0]! + (behind ? 1 : 0));
    this.makeRoom(path, 0);
    this.blocks.spread(path.blocks[0]!, 0, path.slots[0]!);
    this.write(path, address, count, kind, bytes);
    this.addCounts(path, 1, count);
    this.nodes++;
    this.elements += count;
  }

  /** Takes the path's node out. The path is no longer good. */
  remove(path: DirectoryPath): void {
    this.addCounts(path, 1, -path.count);
    this.elements -= path.count;
    this.nodes--;
    this.cutFrom(path, 0);
  }

  /** Elements of the path's leaf if the path stands on its first entry and it is not the root. */
  leafElements(path: DirectoryPath): number {
    if (this.height === 0 || path.slots[0] !== 0) return 0;
    return this.blocks.elementsAt(path.blocks[1]!, path.slots[1]!);
  }

  /**
   * Takes the path's leaf out, which is not the root, with all its entries. The block is the
   * caller's, the path no longer good.
   */
  removeLeaf(path: DirectoryPath): number {
    const leaf = path.blocks[0]!;
    const elements = this.blocks.elementsAt(path.blocks[1]!, path.slots[1]!);
    this.addCounts(path, 1, -elements);
    this.elements -= elements;
    this.nodes -= this.blocks.used(leaf);
    this.blocks.forget(leaf);
    this.cutFrom(path, 1);
    return leaf;
  }

  /** Takes the path's entry of `from` out, and above it what becomes empty by that. */
  private cutFrom(path: DirectoryPath, from: number): void {
    for (let level = from; ; level++) {
      this.blocks.cut(path.blocks[level]!, level, path.slots[level]!);
      const used = this.blocks.used(path.blocks[level]!);
      if (used > 0) {
        if (used <= SPARSE_MAX) this.merge(path, level);
        break;
      }
      this.blocks.free(path.blocks[level]!);
      if (level === this.height) {
        this.root = 0;
        this.height = 0;
        return;
      }
    }
    while (this.height > 0 && this.blocks.used(this.root) === 1) {
      const old = this.root;
      this.root = this.blocks.child(old, 0);
      this.height--;
      this.blocks.free(old);
    }
  }

  // ---------------------------------------------------------------- paths

  /** Sets the path below `level` to the first or last node of the tree at `block`, and shows it. */
  private descend(path: DirectoryPath, level: number, block: number, toLast: boolean): void {
    let from = block;
    for (let below = level - 1; ; below--) {
      path.blocks[below] = from;
      path.slots[below] = toLast ? this.blocks.used(from) - 1 : 0;
      if (below === 0) break;
      from = this.blocks.child(from, path.slots[below]!);
    }
    this.show(path);
  }

  private show(path: DirectoryPath): void {
    const block = path.blocks[0]!;
    const words = this.arena.words(block);
    const at = this.arena.wordOffset(block) + 1 + path.slots[0]! * LEAF_WORDS;
    path.read(words, at);
  }

  private write(
    path: DirectoryPath,
    address: number,
    count: number,
    kind: number,
    bytes: number,
  ): void {
    const block = path.blocks[0]!;
    const words = this.arena.words(block);
    const at = this.arena.wordOffset(block) + 1 + path.slots[0]! * LEAF_WORDS;
    words[at] = address;
    words[at + 1] = ((kind << KIND_SHIFT) | count) >>> 0;
    words[at + 2] = bytes;
    path.address = address;
    path.count = count;
    path.kind = kind;
    path.bytes = bytes;
  }

  /** Adds to what the inner entries of the path from `level` up say. */
  private addCounts(path: DirectoryPath, level: number, change: number): void {
    for (let i = level; i <= this.height; i++) {
      const block = path.blocks[i]!;
      const at = this.arena.wordOffset(block) + 2 + path.slots[i]! * INNER_WORDS;
      this.arena.words(block)[at]! += change;
    }
  }

  // ---------------------------------------------------------------- growing

  /** The first block of an empty directory; `insert` comes next. */
  private plant(path: DirectoryPath): void {
    this.root = this.blocks.create(ENTRIES_FIRST, LEAF_WORDS);
    path.blocks[0] = this.root;
    path.slots[0] = -1;
  }

  /**
   * Makes sure that one more entry fits at the path's slot of `level`, which may be that behind the
   * last.
   */
  private makeRoom(path: DirectoryPath, level: number): void {
    const block = path.blocks[level]!;
    const width = level === 0 ? LEAF_WORDS : INNER_WORDS;
    const used = this.blocks.used(block);
    if (used < this.blocks.room(block, width) && used < ENTRIES_MAX) return;
    if (used < ENTRIES_MAX) this.regrow(path, level, Math.min(used * 2, ENTRIES_MAX));
    else this.split(path, level);
  }

  /** Moves the path's block of `level` to one that holds `entries`. */
  private regrow(path: DirectoryPath, level: number, entries: number): void {
    const old = path.blocks[level]!;
    const width = level === 0 ? LEAF_WORDS : INNER_WORDS;
    const fresh = this.blocks.create(entries, width);
    this.blocks.copyEntries(old, 0, fresh, 0, this.blocks.used(old), width);
    if (level === this.height) this.root = fresh;
    else {
      const parent = path.blocks[level + 1]!;
      const at = this.arena.wordOffset(parent) + 1 + path.slots[level + 1]! * INNER_WORDS;
      this.arena.words(parent)[at] = fresh;
    }
    path.blocks[level] = fresh;
    this.blocks.free(old);
  }

  /**
   * Splits the path's full block of `level`; the path keeps pointing at the same place between
   * entries.
   */
  private split(path: DirectoryPath, level: number): void {
    if (level === this.height) this.addRoot(path);
    const block = path.blocks[level]!;
    const width = level === 0 ? LEAF_WORDS : INNER_WORDS;
    const slot = path.slots[level]!;
    const keep = this.splitPoint(path, level);
    const right = this.blocks.create(ENTRIES_MAX, width);
    this.blocks.copyEntries(block, keep, right, 0, ENTRIES_MAX - keep, width);
    this.arena.words(block)[this.arena.wordOffset(block)] = keep;
    const moved = this.blocks.sum(right, width);
    this.addCounts(path, level + 1, -moved);
    path.slots[level + 1]!++;
    this.makeRoom(path, level + 1);
    const parent = path.blocks[level + 1]!;
    this.blocks.spread(parent, level + 1, path.slots[level + 1]!);
    const at = this.arena.wordOffset(parent) + 1 + path.slots[level + 1]! * INNER_WORDS;
    this.arena.words(parent)[at] = right;
    this.arena.words(parent)[at + 1] = moved;
    this.addCounts(path, level + 2, moved);
    if (slot > keep || keep === ENTRIES_MAX) {
      path.blocks[level] = right;
      path.slots[level] = slot - keep;
    } else this.stepBack(path, level + 1);
  }

  /** How many entries stay in the left half: all or none at the ends of the list. */
  private splitPoint(path: DirectoryPath, level: number): number {
    const slot = path.slots[level]!;
    if (slot !== 0 && slot !== ENTRIES_MAX) return ENTRIES_MAX >>> 1;
    for (let i = level + 1; i <= this.height; i++) {
      const edge = slot === 0 ? 0 : this.blocks.used(path.blocks[i]!) - 1;
      if (path.slots[i] !== edge) return ENTRIES_MAX >>> 1;
    }
    return slot;
  }

  /** Goes to the entry before on `level`, setting only that level and those above it. */
  private stepBack(path: DirectoryPath, level: number): void {
    let up = level;
    while (path.slots[up] === 0) up++;
    path.slots[up]!--;
    for (; up > level; up--) {
      const block = this.blocks.child(path.blocks[up]!, path.slots[up]!);
      path.blocks[up - 1] = block;
      path.slots[up - 1] = this.blocks.used(block) - 1;
    }
  }

  private addRoot(path: DirectoryPath): void {
    const old = this.root;
    this.root = this.blocks.create(ENTRIES_FIRST, INNER_WORDS);
    const at = this.arena.wordOffset(this.root);
    const words = this.arena.words(this.root);
    words[at] = 1;
    words[at + 1] = old;
    words[at + 2] = this.blocks.sum(old, this.height === 0 ? LEAF_WORDS : INNER_WORDS);
    this.height++;
    path.blocks[this.height] = this.root;
    path.slots[this.height] = 0;
  }

  // ---------------------------------------------------------------- shrinking

  /** Merges the path's sparse block of `level` with a neighbour, and so on upwards. */
  private merge(path: DirectoryPath, level: number): void {
    for (let at = level; at < this.height; at++) {
      const parent = path.blocks[at + 1]!;
      const slot = path.slots[at + 1]!;
      const isMerged =
        (slot > 0 && this.blocks.mergePair(parent, slot - 1, at)) ||
        (slot + 1 < this.blocks.used(parent) && this.blocks.mergePair(parent, slot, at));
      if (!isMerged || this.blocks.used(parent) > SPARSE_MAX) return;
    }
  }
}
