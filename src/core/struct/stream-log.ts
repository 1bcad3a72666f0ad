/**
 * A stream's entries and what is known of them.
 *
 *     directory   [ first id (4 words), block ][ first id, block ] ...    one arena block, by id
 *                                       |
 *     node        a listpack with up to `stream-node-max-entries` entries, byte for byte Redis's:
 *
 *         master entry   count, deleted, n, n field names, 0
 *         entry          flags, ms - first ms, seq - first seq, [n], fields and values, lp-count
 *
 *     flags       1 deleted    2 the fields are the master's: values alone follow
 *     lp-count    elements of the entry before itself, for walking backwards
 *
 * Entries are only ever added behind the last. One that is deleted keeps its place in its node,
 * with its flag set. Deleting by id takes a node away with its last live entry; trimming by id may
 * leave one that has none, as Redis does.
 *
 * Finding a node is a binary search; the directory begins at `head`, so trimming moves nothing.
 * Taking a node out of the middle moves 20 bytes for each node behind it.
 *
 * Limits: 2^53 entries ever added; an entry of up to 2^30 bytes.
 */
import type { LargeValue } from '../keyspace.ts';
import { Arena } from '../memory/arena.ts';
import { copyBytes } from '../memory/copy.ts';
import type { Args } from '../resp/args.ts';
import { lpBytes } from './listpack.ts';
import { StreamGroup } from './stream-group.ts';
import { StreamId } from './stream-id.ts';
import {
  ENTRY_BYTES_MAX,
  markDeleted,
  nodeAppend,
  nodeEntries,
  nodeInit,
  nodeLive,
} from './stream-node.ts';
import { nodeFind } from './stream-seek.ts';

export const RECORD_WORDS = 5;
const FIRST_RECORDS = 3;
const FIXED_BYTES = 96;
const ELEMENT_BYTES = 10;

const nodeId = new StreamId();
const heldId = new StreamId();

/** A snapshot that reads a stream in parts while it goes on changing. */
export interface StreamKeeper {
  /** Whether the node with this first id is still to be read from this block, as it is. */
  holds(id: StreamId, block: number): boolean;
  /** The stream has done with a block that is held: it is the keeper's to free. */
  leave(block: number): void;
  /** A group goes: true when the keeper still reads it, and releases it itself. */
  takeGroup(group: StreamGroup): boolean;
}

export class StreamLog implements LargeValue {
  readonly dict = null;
  readonly arena: Arena;
  /** The greatest id that was ever given. */
  readonly lastId = new StreamId();
  /** Id of the first entry, 0-0 without any. */
  readonly firstId = new StreamId();
  /** The greatest id that was ever deleted by its id. */
  readonly maxDeletedId = new StreamId();
  /** Number of entries. */
  length = 0;
  /** Number of entries ever added. */
  entriesAdded = 0;
  readonly groups = new Map<string, StreamGroup>();
  /** Number of nodes. */
  nodeCount = 0;
  keeper: StreamKeeper | null = null;
  private directory = 0;
  private head = 0;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  // ---------------------------------------------------------------- nodes

  /** The block of node `i`. */
  nodeBlock(i: number): number {
    return this.arena.words(this.directory)[this.recordAt(i) + 4]!;
  }

  /** A copy of the directory: five words a node, as the picture shows. */
  records(): Uint32Array {
    if (this.nodeCount === 0) return new Uint32Array(0);
    const at = this.recordAt(0);
    return this.arena.words(this.directory).slice(at, at + this.nodeCount * RECORD_WORDS);
  }

  /** Sets `id` to the first id of node `i`. */
  nodeFirstId(i: number, id: StreamId): StreamId {
    const words = this.arena.words(this.directory);
    const at = this.recordAt(i);
    return id.set(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!);
  }

  /** The last node whose first id is not behind `id`, or -1. */
  nodeOf(id: StreamId): number {
    let low = 0;
    let high = this.nodeCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.nodeFirstId(middle, nodeId).compare(id) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Adds a node behind the last; the block is the log's from now on. */
  pushNode(id: StreamId, block: number): void {
    this.roomForNode();
    const words = this.arena.words(this.directory);
    const at = this.recordAt(this.nodeCount++);
    words[at] = id.msHigh;
    words[at + 1] = id.msLow;
    words[at + 2] = id.seqHigh;
    words[at + 3] = id.seqLow;
    words[at + 4] = block;
  }

  /** Removes node `i` with all its entries; they are no longer counted in `length`. */
  dropNode(i: number): void {
    const block = this.nodeBlock(i);
    this.length -= nodeLive(this.arena.bytes(block), this.arena.byteOffset(block));
    this.giveBack(i, block);
    const words = this.arena.words(this.directory);
    if (i === 0) this.head++;
    else words.copyWithin(this.recordAt(i), this.recordAt(i + 1), this.recordAt(this.nodeCount));
    this.nodeCount--;
    if (this.nodeCount > 0) return;
    this.arena.free(this.directory);
    this.directory = 0;
    this.head = 0;
  }

  /** Makes sure that the block of node `i` may change and can take `more` bytes. The block. */
  roomInNode(i: number, more: number): number {
    const { arena } = this;
    const block = this.nodeBlock(i);
    const length = lpBytes(arena.bytes(block), arena.byteOffset(block));
    const need = length + more;
    if (need <= arena.sizeOf(block) && !this.isHeld(i, block)) return block;
    return this.moveNode(i, block, length, need + (need >>> 2));
  }

  // ---------------------------------------------------------------- entries

  /**
   * Adds an entry of `pairs` fields and values, which are the arguments from `first` on. Its id is
   * behind `lastId`. False when it is too large.
   */
  append(
    id: StreamId,
    args: Args,
    first: number,
    pairs: number,
    nodeBytesMax: number,
    nodeEntriesMax: number,
  ): boolean {
    const { arena } = this;
    let size = 0;
    for (let i = first; i < first + pairs * 2; i++) size += args.lengths[i]!;
    if (size > ENTRY_BYTES_MAX) return false;
    const bytesMax = nodeBytesMax === 0 ? ENTRY_BYTES_MAX : Math.min(nodeBytesMax, ENTRY_BYTES_MAX);
    const room = FIXED_BYTES + size * 2 + pairs * 4 * ELEMENT_BYTES;
    let last = this.nodeCount - 1;
    if (last < 0 || this.isFull(last, size, bytesMax, nodeEntriesMax)) {
      if (last >= 0) this.fitNode(last);
      const block = arena.alloc(room);
      nodeInit(arena.bytes(block), arena.byteOffset(block), args, first, pairs);
      this.pushNode(id, block);
      last++;
    }
    const block = this.roomInNode(last, room);
    this.nodeFirstId(last, nodeId);
    nodeAppend(arena.bytes(block), arena.byteOffset(block), nodeId, id, args, first, pairs);
    this.length++;
    this.entriesAdded++;
    this.lastId.copy(id);
    if (this.length === 1) this.firstId.copy(id);
    return true;
  }

  /** Whether there is an entry with this id. */
  has(id: StreamId): boolean {
    const node = this.nodeOf(id);
    if (node < 0) return false;
    const block = this.nodeBlock(node);
    this.nodeFirstId(node, nodeId);
    return nodeFind(this.arena.bytes(block), this.arena.byteOffset(block), nodeId, id) !== 0;
  }

  /**
   * Deletes the entry with this id. False when there is none. `firstId` is the caller's to mend.
   */
  remove(id: StreamId): boolean {
    const { arena } = this;
    const node = this.nodeOf(id);
    if (node < 0) return false;
    const block = this.nodeBlock(node);
    const base = arena.byteOffset(block);
    this.nodeFirstId(node, nodeId);
    const at = nodeFind(arena.bytes(block), base, nodeId, id);
    if (at === 0) return false;
    if (nodeLive(arena.bytes(block), base) === 1) this.dropNode(node);
    else {
      const roomy = this.roomInNode(node, 2 * ELEMENT_BYTES);
      markDeleted(arena.bytes(roomy), arena.byteOffset(roomy), at);
      this.length--;
    }
    return true;
  }

  // ---------------------------------------------------------------- as a large value

  release(limit: number): boolean {
    let left = limit;
    while (left-- > 0 && this.nodeCount > 0) this.dropNode(this.nodeCount - 1);
    if (this.nodeCount > 0) return true;
    for (const [name, group] of this.groups) {
      if (group.release(Math.max(limit, 1))) return true;
      this.groups.delete(name);
      return this.groups.size > 0;
    }
    return false;
  }

  clone(): StreamLog {
    const { arena } = this;
    const copy = new StreamLog(arena);
    for (let i = 0; i < this.nodeCount; i++) {
      const from = this.nodeBlock(i);
      const start = arena.byteOffset(from);
      const length = lpBytes(arena.bytes(from), start);
      const to = arena.alloc(length);
      copyBytes(arena.bytes(from), start, arena.bytes(to), arena.byteOffset(to), length);
      copy.pushNode(this.nodeFirstId(i, nodeId), to);
    }
    copy.length = this.length;
    copy.entriesAdded = this.entriesAdded;
    copy.lastId.copy(this.lastId);
    copy.firstId.copy(this.firstId);
    copy.maxDeletedId.copy(this.maxDeletedId);
    for (const [name, group] of this.groups) copy.groups.set(name, group.clone());
    return copy;
  }

  memoryBytes(): number {
    const { arena } = this;
    let bytes = this.directory === 0 ? 0 : arena.sizeOf(this.directory);
    for (let i = 0; i < this.nodeCount; i++) bytes += arena.sizeOf(this.nodeBlock(i));
    for (const group of this.groups.values()) bytes += group.memoryBytes();
    return bytes;
  }

  /** Adds a group; null when the name is taken. */
  addGroup(name: string, lastId: StreamId, entriesRead: number): StreamGroup | null {
    if (this.groups.has(name)) return null;
    const group = new StreamGroup(this.arena, lastId, entriesRead);
    this.groups.set(name, group);
    return group;
  }

  /**
   * Removes a group, whose memory `later` frees bit by bit. False when there is none of this name.
   */
  removeGroup(name: string, later: { releaseLater(group: StreamGroup): void }): boolean {
    const group = this.groups.get(name);
    if (group === undefined) return false;
    if (this.keeper?.takeGroup(group) !== true) later.releaseLater(group);
    return this.groups.delete(name);
  }

  private isFull(node: number, more: number, bytesMax: number, entriesMax: number): boolean {
    const block = this.nodeBlock(node);
    const bytes = this.arena.bytes(block);
    const base = this.arena.byteOffset(block);
    if (lpBytes(bytes, base) + more >= bytesMax) return true;
    return entriesMax > 0 && nodeEntries(bytes, base) >= entriesMax;
  }

  /** Gives back what a node has too much: it will not grow any more. */
  private fitNode(i: number): void {
    const { arena } = this;
    const block = this.nodeBlock(i);
    const length = lpBytes(arena.bytes(block), arena.byteOffset(block));
    if (Arena.roundUp(length) < arena.sizeOf(block)) this.moveNode(i, block, length, length);
  }

  private moveNode(i: number, block: number, length: number, room: number): number {
    const { arena } = this;
    const fresh = arena.alloc(room);
    const from = arena.byteOffset(block);
    copyBytes(arena.bytes(block), from, arena.bytes(fresh), arena.byteOffset(fresh), length);
    this.giveBack(i, block);
    arena.words(this.directory)[this.recordAt(i) + 4] = fresh;
    return fresh;
  }

  /** Whether a snapshot still reads the block of node `i`. */
  private isHeld(i: number, block: number): boolean {
    return this.keeper?.holds(this.nodeFirstId(i, heldId), block) === true;
  }

  /** Node `i` uses this block no more. */
  private giveBack(i: number, block: number): void {
    if (this.isHeld(i, block)) this.keeper!.leave(block);
    else this.arena.free(block);
  }

  /** Where the record of node `i` begins in the directory's words. */
  private recordAt(i: number): number {
    return this.arena.wordOffset(this.directory) + (this.head + i) * RECORD_WORDS;
  }

  private roomForNode(): void {
    const { arena, directory: old, head, nodeCount } = this;
    if (old !== 0) {
      const records = Math.floor((arena.sizeOf(old) >>> 2) / RECORD_WORDS);
      if (head + nodeCount < records) return;
    }
    const size = Math.max(FIRST_RECORDS, nodeCount * 2) * RECORD_WORDS * 4;
    const fresh = arena.alloc(size);
    if (old !== 0) {
      const from = arena.byteOffset(old) + head * RECORD_WORDS * 4;
      const length = nodeCount * RECORD_WORDS * 4;
      copyBytes(arena.bytes(old), from, arena.bytes(fresh), arena.byteOffset(fresh), length);
      arena.free(old);
    }
    this.directory = fresh;
    this.head = 0;
  }
}
