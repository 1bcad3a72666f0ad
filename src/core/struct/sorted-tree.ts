/**
 * The shape of a sorted index: how its B+ tree takes elements in, gives them up, and keeps its
 * balance.
 *
 * Every change begins with a descent that notes the way: `pathNode[level]` is the branch passed at
 * that level and `pathSlot[level]` the record taken in it; `place` is the leaf and the slot where
 * it ended.
 *
 *     level 0            pathNode[0] ---- pathSlot[0] ---+
 *     level depth - 1    pathNode[1] ---- pathSlot[1] ---+
 *     leaf               place[LEAF]      place[SLOT]
 *
 * An ordinary change corrects the counts on the way, and the least elements while the slot is 0. A
 * change of shape (split, merge, evening out) rewrites the records above it from what they point
 * to, bottom up.
 *
 * What the tree is for, its invariants and its layout: struct/sorted-index.ts and
 * struct/sorted-node.ts.
 */
import type { Arena } from '../memory/arena.ts';
import {
  BELOW,
  BRANCH_BYTES,
  BRANCH_HEAD,
  BRANCH_MAX,
  BRANCH_RECORD,
  CHILD,
  childOf,
  countOf,
  ENTRY,
  insertChild,
  LEAF_BYTES,
  LEAF_HEAD,
  LEAF_MAX,
  LEAF_RECORD,
  linkOf,
  moveHead,
  moveTail,
  NEXT,
  PREVIOUS,
  putRecord,
  removeChild,
  setCount,
  setLink,
  shiftWords,
} from './sorted-node.ts';

const LEAF_MIN = Math.floor(LEAF_MAX / 3);
const BRANCH_MIN = Math.floor(BRANCH_MAX / 3);
/** Two neighbours become one node when they fill at most this part of it. */
const MERGED_MAX = 0.75;
/** 2^32 elements in nodes a third full take 7 levels of branches. */
const DEPTH_MAX = 12;

/** The way of the last descent; one for all trees. */
export const pathNode = new Uint32Array(DEPTH_MAX);
export const pathSlot = new Uint32Array(DEPTH_MAX);
/** Where the last descent ended. */
export const place = new Uint32Array(2);
export const LEAF = 0;
export const SLOT = 1;

export class SortedTree {
  /** Elements held. */
  count = 0;
  /** Bytes of all nodes. */
  nodeBytes = 0;

  protected readonly arena: Arena;
  protected root = 0;
  /** Levels of branches above the leaves. */
  protected depth = 0;
  /** Nodes that `drain` has still to free, and how many levels stand below each. */
  private readonly doomed: number[] = [];
  private readonly doomedDepth: number[] = [];

  constructor(arena: Arena) {
    this.arena = arena;
  }

  /**
   * Frees up to `limit` nodes; true while some are left. The entries are the caller's to free. No
   * other call may stand between the first and the last.
   */
  drain(limit: number): boolean {
    const { arena, doomed, doomedDepth } = this;
    if (this.root !== 0) {
      doomed.push(this.root);
      doomedDepth.push(this.depth);
      this.root = 0;
      this.depth = 0;
      this.count = 0;
    }
    for (let i = 0; i < limit && doomed.length > 0; i++) {
      const node = doomed.pop()!;
      const depth = doomedDepth.pop()!;
      const words = arena.u32[node >>> 19]!;
      const at = (node & 0x7ffff) << 1;
      for (let r = 0; depth > 0 && r < words[at]!; r++) {
        doomed.push(words[at + BRANCH_HEAD + r * BRANCH_RECORD + CHILD]!);
        doomedDepth.push(depth - 1);
      }
      this.freeNode(node);
    }
    return doomed.length > 0;
  }

  // ---------------------------------------------------------------- in

  /** Makes the first leaf, if there is none. */
  protected plant(): void {
    if (this.root === 0) this.root = this.newNode(LEAF_BYTES);
  }

  /** Puts a record where the last descent ended. */
  protected insertAtPlace(high: number, low: number, entry: number): void {
    const { arena } = this;
    const leaf = place[LEAF]!;
    const slot = place[SLOT]!;
    this.count++;
    if (countOf(arena, leaf) === LEAF_MAX) {
      this.insertInFull(leaf, slot, high, low, entry);
      return;
    }
    putRecord(arena, leaf, slot, high, low, entry);
    this.addBelow(1);
    if (slot === 0) this.leastChanged(high, low, entry);
  }

  /** Splits a full leaf around a new record. */
  private insertInFull(leaf: number, slot: number, high: number, low: number, entry: number): void {
    const { arena } = this;
    const right = this.newNode(LEAF_BYTES);
    const next = linkOf(arena, leaf, NEXT);
    const isFirst = slot === 0 && linkOf(arena, leaf, PREVIOUS) === 0;
    const isLast = slot === LEAF_MAX && next === 0;
    const keep = isFirst ? 0 : isLast ? LEAF_MAX : LEAF_MAX >>> 1;
    setLink(arena, leaf, NEXT, right);
    setLink(arena, right, PREVIOUS, leaf);
    setLink(arena, right, NEXT, next);
    if (next !== 0) setLink(arena, next, PREVIOUS, right);
    moveTail(arena, leaf, keep, right, LEAF_HEAD, LEAF_RECORD);
    if (slot > keep || isLast) putRecord(arena, right, slot - keep, high, low, entry);
    else putRecord(arena, leaf, slot, high, low, entry);
    this.addSibling(this.depth - 1, right);
  }

  /** The node at the path's record of `level` has got a new right neighbour. */
  private addSibling(level: number, right: number): void {
    const { arena } = this;
    if (level < 0) {
      this.raise(this.root, right);
      return;
    }
    const node = pathNode[level]!;
    const slot = pathSlot[level]! + 1;
    this.refresh(node, slot - 1, level);
    if (countOf(arena, node) < BRANCH_MAX) {
      insertChild(arena, node, slot, right);
      this.refresh(node, slot, level);
      this.refreshUp(level - 1);
      return;
    }
    const sibling = this.newNode(BRANCH_BYTES);
    const isLast = slot === BRANCH_MAX && this.isEdge(level, true);
    const isFirst = slot === 1 && this.isEdge(level, false);
    const keep = isFirst ? 1 : isLast ? BRANCH_MAX : BRANCH_MAX >>> 1;
    moveTail(arena, node, keep, sibling, BRANCH_HEAD, BRANCH_RECORD);
    if (slot > keep || isLast) {
      insertChild(arena, sibling, slot - keep, right);
      this.refresh(sibling, slot - keep, level);
    } else {
      insertChild(arena, node, slot, right);
      this.refresh(node, slot, level);
    }
    this.addSibling(level - 1, sibling);
  }

  /** Puts a new root above two nodes, which are all of their level. */
  protected raise(left: number, right: number): void {
    const root = this.newNode(BRANCH_BYTES);
    this.depth++;
    insertChild(this.arena, root, 0, left);
    insertChild(this.arena, root, 1, right);
    this.refresh(root, 0, 0);
    this.refresh(root, 1, 0);
    this.root = root;
  }

  /** Whether the path's branch at `level` is the last, or the first, of its level. */
  private isEdge(level: number, last: boolean): boolean {
    for (let above = 0; above < level; above++) {
      const edge = last ? countOf(this.arena, pathNode[above]!) - 1 : 0;
      if (pathSlot[above] !== edge) return false;
    }
    return true;
  }

  // ---------------------------------------------------------------- out

  /** Takes out `count` records of one leaf, from where the last descent ended. */
  protected removeAtPlace(count: number): void {
    const { arena } = this;
    const leaf = place[LEAF]!;
    const slot = place[SLOT]!;
    const words = arena.u32[leaf >>> 19]!;
    const at = (leaf & 0x7ffff) << 1;
    const left = words[at]! - count;
    const to = at + LEAF_HEAD + slot * LEAF_RECORD;
    shiftWords(words, to + count * LEAF_RECORD, to, (left - slot) * LEAF_RECORD);
    words[at] = left;
    this.count -= count;
    if (this.depth === 0) {
      if (left > 0) return;
      this.freeNode(leaf);
      this.root = 0;
      return;
    }
    this.addBelow(-count);
    const first = at + LEAF_HEAD;
    if (slot === 0 && left > 0) {
      this.leastChanged(words[first]!, words[first + 1]!, words[first + ENTRY]!);
    }
    if (left < LEAF_MIN) this.mend(this.depth - 1);
  }

  /**
   * The node at the path's record of `level` holds too little: joins it with a neighbour, or evens
   * them out.
   */
  private mend(level: number): void {
    const { arena } = this;
    const parent = pathNode[level]!;
    if (countOf(arena, parent) === 1) {
      this.dropIfEmpty(level, parent);
      return;
    }
    const isLeaf = level === this.depth - 1;
    const head = isLeaf ? LEAF_HEAD : BRANCH_HEAD;
    const stride = isLeaf ? LEAF_RECORD : BRANCH_RECORD;
    const room = isLeaf ? LEAF_MAX : BRANCH_MAX;
    const slot = Math.min(pathSlot[level]!, countOf(arena, parent) - 2);
    const left = childOf(arena, parent, slot);
    const right = childOf(arena, parent, slot + 1);
    const total = countOf(arena, left) + countOf(arena, right);
    if (total <= room * MERGED_MAX) {
      moveHead(arena, right, countOf(arena, right), left, head, stride);
      if (isLeaf) this.unlink(right);
      this.freeNode(right);
      removeChild(arena, parent, slot + 1);
    } else {
      const half = total >>> 1;
      const excess = countOf(arena, right) - (total - half);
      if (excess > 0) moveHead(arena, right, excess, left, head, stride);
      else moveTail(arena, left, half, right, head, stride);
      this.refresh(parent, slot + 1, level);
    }
    this.refresh(parent, slot, level);
    this.refreshUp(level - 1);
    if (level > 0) {
      if (countOf(arena, parent) < BRANCH_MIN) this.mend(level - 1);
      return;
    }
    this.lowerRoot();
  }

  /** An only child that is empty goes, and its parent with it. */
  private dropIfEmpty(level: number, parent: number): void {
    const child = childOf(this.arena, parent, 0);
    if (countOf(this.arena, child) > 0) return;
    if (level === this.depth - 1) this.unlink(child);
    this.freeNode(child);
    setCount(this.arena, parent, 0);
    if (level > 0) {
      this.mend(level - 1);
      return;
    }
    this.freeNode(parent);
    this.root = 0;
    this.depth = 0;
  }

  /** A root with one child gives way to it. */
  private lowerRoot(): void {
    while (this.depth > 0 && countOf(this.arena, this.root) === 1) {
      const child = childOf(this.arena, this.root, 0);
      this.freeNode(this.root);
      this.root = child;
      this.depth--;
    }
  }

  private unlink(leaf: number): void {
    const { arena } = this;
    const next = linkOf(arena, leaf, NEXT);
    const previous = linkOf(arena, leaf, PREVIOUS);
    if (next !== 0) setLink(arena, next, PREVIOUS, previous);
    if (previous !== 0) setLink(arena, previous, NEXT, next);
  }

  // ---------------------------------------------------------------- records above

  /** The elements below the path have become more or fewer. */
  protected addBelow(change: number): void {
    const { arena } = this;
    for (let level = 0; level < this.depth; level++) {
      const node = pathNode[level]!;
      const at = ((node & 0x7ffff) << 1) + BRANCH_HEAD + pathSlot[level]! * BRANCH_RECORD + BELOW;
      const words = arena.u32[node >>> 19]!;
      words[at] = words[at]! + change;
    }
  }

  /** The leaf at the path's end begins with another record now. */
  protected leastChanged(high: number, low: number, entry: number): void {
    for (let level = this.depth - 1; level >= 0; level--) {
      const node = pathNode[level]!;
      const slot = pathSlot[level]!;
      const words = this.arena.u32[node >>> 19]!;
      const at = ((node & 0x7ffff) << 1) + BRANCH_HEAD + slot * BRANCH_RECORD;
      words[at] = high;
      words[at + 1] = low;
      words[at + ENTRY] = entry;
      if (slot > 0) return;
    }
  }

  /** Writes the path's records from `level` up anew. */
  protected refreshUp(level: number): void {
    for (let l = level; l >= 0; l--) this.refresh(pathNode[l]!, pathSlot[l]!, l);
  }

  /** Writes record `slot` of a branch at `level` anew from its child. */
  protected refresh(node: number, slot: number, level: number): void {
    const { arena } = this;
    const words = arena.u32[node >>> 19]!;
    const at = ((node & 0x7ffff) << 1) + BRANCH_HEAD + slot * BRANCH_RECORD;
    const child = words[at + CHILD]!;
    const below = arena.u32[child >>> 19]!;
    const belowAt = (child & 0x7ffff) << 1;
    const count = below[belowAt]!;
    const isLeaf = level === this.depth - 1;
    const first = belowAt + (isLeaf ? LEAF_HEAD : BRANCH_HEAD);
    words[at] = below[first]!;
    words[at + 1] = below[first + 1]!;
    words[at + ENTRY] = below[first + ENTRY]!;
    let elements = count;
    if (!isLeaf) {
      elements = 0;
      for (let i = 0; i < count; i++) elements += below[first + i * BRANCH_RECORD + BELOW]!;
    }
    words[at + BELOW] = elements;
  }

  /** An empty node without neighbours. */
  protected newNode(bytes: number): number {
    const { arena } = this;
    const node = arena.alloc(bytes);
    const words = arena.u32[node >>> 19]!;
    const at = (node & 0x7ffff) << 1;
    words[at] = 0;
    words[at + NEXT] = 0;
    words[at + PREVIOUS] = 0;
    this.nodeBytes += bytes;
    return node;
  }

  private freeNode(node: number): void {
    this.nodeBytes -= this.arena.sizeOf(node);
    this.arena.free(node);
  }
}
