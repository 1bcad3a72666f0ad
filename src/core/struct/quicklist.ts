/**
 * The quicklist: a large list as a row of nodes, most of them listpacks, found by a counted tree.
 *
 *     directory   [ node 0 | node 1 | node 2 | ...                        | node n-1 ]
 *     nodes        listpack  listpack  LZF        PLAIN element    LZF      listpack
 *                  `-- depth raw --'   `---- compressed inside ----'     `-- raw --'
 *
 * Every element is bytes inside a node's block: there is no object an element or a node. How much
 * goes into a node is `fill` (quicklist-limits.ts). An element past the packed threshold has a
 * PLAIN node of its own. With a compress depth of d, all but the d nodes at each end are LZF.
 *
 * Nodes are filled, split and merged by Redis's own rules, so that a list built by the same
 * commands is cut into the same listpacks, and its RDB has the same bytes:
 *
 *     push     into the node at the end if it takes the element, else a new node
 *     insert   into the node that holds the place; if that is full and the place at its edge, into
 *              the neighbour or a new node; else the node is split there, and afterwards neighbours
 *              that fit together are merged
 *     delete   never merges; a node that is empty goes
 *
 * Costs: O(log nodes) to find a place, and a walk within one node. Limits: 2^32 - 1 elements.
 * `fill` and depth are those of when the list was made; the packed threshold is read anew.
 */
import type { EncodingLimits } from '../encoding-limits.ts';
import type { LargeValue, Releasable } from '../keyspace.ts';
import { type Arena, BLOCK_BYTES_MAX } from '../memory/arena.ts';
import { equalBytes } from '../memory/copy.ts';
import { DirectoryPath } from './directory-path.ts';
import { CutLeaves } from './list-leaves.ts';
import { LP_EMPTY_BYTES, lpFirst } from './listpack.ts';
import { deleteBackward, deleteForward } from './listpack-delete.ts';
import { lpFind } from './listpack-find.ts';
import { settle, settleAround } from './quicklist-depth.ts';
import type { OpenEnd } from './quicklist-ends.ts';
import { clampFill, exceedsFill, nodeBytesMax, nodeCountMax } from './quicklist-limits.ts';
import {
  NODE_COMPRESSED,
  NODE_HELD,
  NODE_LISTPACK,
  NODE_PLAIN,
  NodeReader,
} from './quicklist-node.ts';
import { QuicklistNodes } from './quicklist-nodes.ts';

/** What Redis takes an entry's frame for when it guesses whether an element fits. */
const ENTRY_OVERHEAD = 8;
/** To take out fewer elements no leaf is cut out of the directory. */
const CUT_ELEMENTS_MIN = 64;

/** Frees memory bit by bit: the keyspace. */
interface FreesLater {
  releaseLater(value: Releasable): void;
}

const path = new DirectoryPath();
const other = new DirectoryPath();
const reader = new NodeReader();
/** What its objects take of the heap, as measured. */
const HEAP_BYTES = 280;

export class Quicklist implements LargeValue {
  readonly dict = null;
  readonly heapBytes: number = HEAP_BYTES;
  readonly arena: Arena;
  readonly nodes: QuicklistNodes;
  readonly fill: number;
  /** Nodes at each end that are not compressed; 0: none is. */
  readonly depth: number;
  private readonly limits: EncodingLimits;
  /** What a node takes by `fill`. */
  private readonly bytesMax: number;
  private readonly countMax: number;

  /** `fill` and `depth` other than those of the limits are for copies. */
  constructor(
    arena: Arena,
    limits: EncodingLimits,
    fill: number = limits.listMaxListpackSize,
    depth: number = limits.listCompressDepth,
  ) {
    this.arena = arena;
    this.fill = clampFill(fill);
    this.depth = depth;
    this.limits = limits;
    this.bytesMax = nodeBytesMax(this.fill);
    this.countMax = nodeCountMax(this.fill);
    this.nodes = new QuicklistNodes(arena, this.bytesMax);
  }

  /** Number of elements. */
  get count(): number {
    return this.nodes.tree.elements + this.nodes.ends.pending;
  }

  get nodeCount(): number {
    return this.nodes.tree.nodes;
  }

  // ---------------------------------------------------------------- adding

  /** Adds an element at one end. */
  push(value: Uint8Array, offset: number, length: number, atHead: boolean): void {
    const { ends } = this.nodes;
    const end = atHead ? ends.head : ends.tail;
    if (
      end === null ||
      this.kindOf(length) !== NODE_LISTPACK ||
      !this.fits(end.size, end.count, length)
    ) {
      this.pushClosed(value, offset, length, atHead);
    } else if (atHead) ends.pushFront(end, value, offset, length);
    else ends.pushBack(end, value, offset, length);
  }

  /** `push` where the end is closed, or has to be: opens it, or adds a node there. */
  private pushClosed(value: Uint8Array, offset: number, length: number, atHead: boolean): void {
    const { ends, tree } = this.nodes;
    ends.closeEnd(atHead);
    const kind = this.kindOf(length);
    const found = atHead ? tree.first(path) : tree.last(path);
    if (found && kind === NODE_LISTPACK && this.takes(path, length)) {
      if (!atHead) ends.pushBack(this.nodes.open(path, false), value, offset, length);
      else if (ends.isHeadWarm) ends.pushFront(this.nodes.open(path, true), value, offset, length);
      else this.nodes.insertAt(path, 0, value, offset, length);
      ends.isHeadWarm = atHead;
      return;
    }
    if (found) this.nodes.tighten(path);
    const block = this.nodes.makeBlock(value, offset, length, kind);
    const bytes = this.nodes.madeBytes(block, length, kind);
    tree.push(path, !atHead, block, 1, kind, bytes);
    ends.isHeadWarm = false;
    settle(this.nodes, this.depth, 0, -1);
  }

  /**
   * Adds a node behind all others that is a copy of a listpack of `count` elements, more than none.
   */
  appendListpack(bytes: Uint8Array, offset: number, length: number, count: number): void {
    const block = this.nodes.makeBlock(bytes, offset, length, NODE_PLAIN);
    this.nodes.directory.push(path, true, block, count, NODE_LISTPACK, length);
    settle(this.nodes, this.depth, 0, -1);
  }

  /**
   * Makes the block that was opened and filled a node behind all others: a listpack of `count`
   * elements, more than none, or NODE_PLAIN, one element.
   */
  appendOpened(length: number, count: number, kind: number): void {
    const { directory } = this.nodes;
    directory.push(path, true, this.nodes.adoptOpened(), count, kind, length);
    settle(this.nodes, this.depth, 0, -1);
  }

  /** Adds an element in front of the one with this index, or behind it. */
  insert(index: number, behind: boolean, value: Uint8Array, offset: number, length: number): void {
    const { directory } = this.nodes;
    const within = directory.seek(path, index);
    const kind = this.kindOf(length);
    const atTail = behind && within === path.count - 1;
    const atHead = !behind && within === 0;
    if (kind === NODE_LISTPACK && this.takes(path, length)) {
      this.nodes.insertAt(path, behind ? within + 1 : within, value, offset, length);
    } else if (kind === NODE_LISTPACK && atTail && this.goBehind(length)) {
      this.nodes.insertAt(path, 0, value, offset, length);
    } else if (kind === NODE_LISTPACK && atHead && this.goBefore(length)) {
      this.nodes.insertAt(path, path.count, value, offset, length);
    } else if (atTail || atHead) {
      this.addNode(atTail, value, offset, length, kind);
    } else {
      this.nodes.split(path, behind ? within + 1 : within);
      if (kind === NODE_PLAIN) this.addNode(false, value, offset, length, kind);
      else {
        if (!behind) directory.prev(path);
        this.nodes.insertAt(path, behind ? 0 : path.count, value, offset, length);
        this.mergeAround(behind ? index : index + 1);
      }
    }
    settleAround(this.nodes, this.depth, index);
  }

  /** Whether an element of this size goes into a listpack or a node of its own. */
  kindOf(length: number): number {
    return length >= this.limits.listPackedThreshold ? NODE_PLAIN : NODE_LISTPACK;
  }

  /** Whether the node takes an element of this size, which is no large one. */
  private takes(node: DirectoryPath, length: number): boolean {
    return (node.kind & NODE_PLAIN) === 0 && this.fits(node.bytes, node.count, length);
  }

  /** Whether a listpack of so many bytes and elements takes an element of this size. */
  private fits(bytes: number, count: number, length: number): boolean {
    return bytes + length + ENTRY_OVERHEAD <= this.bytesMax && count < this.countMax;
  }

  /** Goes to the node behind if it takes the element; else the path stays. */
  private goBehind(length: number): boolean {
    const { directory } = this.nodes;
    if (!directory.next(path)) return false;
    if (this.takes(path, length)) return true;
    directory.prev(path);
    return false;
  }

  private goBefore(length: number): boolean {
    const { directory } = this.nodes;
    if (!directory.prev(path)) return false;
    if (this.takes(path, length)) return true;
    directory.next(path);
    return false;
  }

  private addNode(
    behind: boolean,
    value: Uint8Array,
    offset: number,
    length: number,
    kind: number,
  ): void {
    const block = this.nodes.makeBlock(value, offset, length, kind);
    const bytes = this.nodes.madeBytes(block, length, kind);
    this.nodes.directory.insert(path, behind, block, 1, kind, bytes);
  }

  /** Merges the neighbours of the node that holds element `index`, then that node with them. */
  private mergeAround(index: number): void {
    const { directory } = this.nodes;
    const start = index - directory.seek(path, index);
    const end = start + path.count;
    if (start > 0) this.mergeWithPrevious(start - 1);
    if (end < this.count) this.mergeWithNext(end);
    this.mergeWithPrevious(index);
    this.mergeWithNext(index);
  }

  private mergeWithPrevious(index: number): void {
    const start = index - this.nodes.directory.seek(path, index);
    if (start > 0) this.mergeWithNext(start - 1);
  }

  /** Merges the node that holds element `index` with the one behind it, if they fit together. */
  private mergeWithNext(index: number): void {
    const { directory } = this.nodes;
    const end = index - directory.seek(path, index) + path.count;
    if (end >= this.count || (path.kind & NODE_PLAIN) !== 0) return;
    directory.seek(other, end);
    if ((other.kind & NODE_PLAIN) !== 0) return;
    const bytes = path.bytes + other.bytes - LP_EMPTY_BYTES;
    if (exceedsFill(this.fill, bytes, path.count + other.count)) return;
    this.nodes.merge(path, other);
  }

  // ---------------------------------------------------------------- changing

  /** Replaces the element with this index. */
  set(index: number, value: Uint8Array, offset: number, length: number): void {
    const { nodes } = this;
    const within = nodes.directory.seek(path, index);
    const isPlain = (path.kind & NODE_PLAIN) !== 0;
    const isLarge = this.kindOf(length) === NODE_PLAIN;
    if (isPlain && isLarge) {
      nodes.replacePlain(path, value, offset, length);
    } else if (isPlain || isLarge) {
      this.insert(index, true, value, offset, length);
      this.deleteRange(index, 1);
      return;
    } else {
      nodes.replaceAt(path, within, value, offset, length);
    }
    settle(this.nodes, this.depth, index, index);
  }

  /**
   * The node at one end, open, if it has an element to take out (`pop` of the ends) and another
   * that stays; else null. No node goes then, so all are compressed as they should.
   */
  openEnd(atHead: boolean): OpenEnd | null {
    const { ends, tree } = this.nodes;
    const end = atHead ? ends.head : ends.tail;
    if (end !== null) return end.count > 1 ? end : null;
    if (!(atHead ? tree.first(path) : tree.last(path))) return null;
    if (path.kind !== NODE_LISTPACK || path.count < 2 || path.bytes > BLOCK_BYTES_MAX) return null;
    return this.nodes.open(path, atHead);
  }

  /**
   * Takes out `count` elements from index `start` on, all of which exist. Many nodes go together,
   * for `later` to free.
   */
  deleteRange(start: number, count: number, later: FreesLater | null = null): void {
    const { nodes } = this;
    const before = this.nodeCount;
    const leaves = later !== null && count > CUT_ELEMENTS_MIN ? new CutLeaves(this.arena) : null;
    for (let left = count; left > 0; ) {
      const within = nodes.directory.seek(path, start);
      if (leaves !== null && within === 0) {
        const gone = nodes.cutLeaf(path, left, leaves);
        left -= gone;
        if (gone > 0) continue;
      }
      const taken = Math.min(left, path.count - within);
      if (taken === path.count) nodes.drop(path);
      else nodes.deleteAt(path, within, taken);
      left -= taken;
    }
    if (leaves !== null) later?.releaseLater(leaves);
    if (this.nodeCount === before && this.nodeCount === 1) return;
    settle(this.nodes, this.depth, Math.max(0, start - 1), Math.min(start, this.count - 1));
  }

  /**
   * Takes out up to `most` elements equal to a value, from the head or the tail on. Returns how
   * many there were.
   */
  deleteEqual(
    value: Uint8Array,
    offset: number,
    length: number,
    most: number,
    fromTail: boolean,
  ): number {
    const { directory } = this.nodes;
    let removed = 0;
    let start = fromTail ? this.count : 0;
    while (removed < most && (fromTail ? start > 0 : start < this.count)) {
      if (fromTail) {
        directory.seek(path, start - 1);
        start -= path.count;
      } else directory.seek(path, start);
      const held = path.count;
      const gone = this.deleteInNode(value, offset, length, most - removed, fromTail);
      removed += gone;
      const left = held - gone;
      if (gone > 0 && left > 0) settle(this.nodes, this.depth, start, start);
      if (!fromTail) start += left;
    }
    if (removed > 0) settle(this.nodes, this.depth, 0, -1);
    return removed;
  }

  /** `deleteEqual` within the path's node. A node that is left empty goes, and the path with it. */
  private deleteInNode(
    value: Uint8Array,
    offset: number,
    length: number,
    most: number,
    fromTail: boolean,
  ): number {
    const { nodes } = this;
    reader.open(this.arena, path);
    if ((path.kind & NODE_PLAIN) !== 0) {
      if (path.bytes !== length) return 0;
      if (!equalBytes(reader.bytes, reader.base, value, offset, length)) return 0;
      nodes.drop(path);
      return 1;
    }
    const first = lpFirst(reader.bytes, reader.base);
    if (lpFind(reader.bytes, reader.base, first, value, offset, length, 0) === 0) return 0;
    nodes.own(path);
    const bytes = this.arena.bytes(path.address);
    const base = this.arena.byteOffset(path.address);
    const gone = fromTail
      ? deleteBackward(bytes, base, value, offset, length, most)
      : deleteForward(bytes, base, value, offset, length, most);
    if (gone === path.count) nodes.drop(path);
    else nodes.changed(path, path.count - gone);
    return gone;
  }

  // ---------------------------------------------------------------- as a large value

  release(limit: number): boolean {
    const { directory } = this.nodes;
    this.nodes.dropOpened();
    for (let i = 0; i < limit && directory.last(path); i++) this.nodes.drop(path);
    return directory.nodes > 0;
  }

  clone(): Quicklist {
    const { directory } = this.nodes;
    const copy = new Quicklist(this.arena, this.limits, this.fill, this.depth);
    for (let found = directory.first(path); found; found = directory.next(path)) {
      const { address, bytes, count, kind } = path;
      const from = this.arena.byteOffset(address);
      const isCompressed = (kind & NODE_COMPRESSED) !== 0;
      const size = isCompressed ? this.arena.sizeOf(address) : bytes;
      const block = copy.nodes.makeBlock(this.arena.bytes(address), from, size, NODE_PLAIN);
      copy.nodes.directory.push(other, true, block, count, kind & ~NODE_HELD, bytes);
    }
    return copy;
  }

  memoryBytes(): number {
    return this.nodes.bytes + this.nodes.tree.blockBytes;
  }
}
