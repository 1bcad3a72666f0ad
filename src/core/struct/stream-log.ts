/**
 * A stream's entries and what is known of them.
 *
 *     directory   the ids and blocks of all nodes, by id (stream-directory.ts)
 *                    |
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
 * There may be a million little streams: what a stream has of JavaScript is one object, as long as
 * it has no group.
 *
 * Limits: 2^53 entries ever added; an entry of up to 2^30 bytes.
 */
import type { LargeValue } from '../keyspace.ts';
import { Arena } from '../memory/arena.ts';
import { copyBytes } from '../memory/copy.ts';
import type { Args } from '../resp/args.ts';
import { lpBytes } from './listpack.ts';
import { StreamDirectory } from './stream-directory.ts';
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

/**
 * Upper bounds of what an entry takes beside its fields and values, and a node beside its entries.
 */
const ENTRY_FIXED_BYTES = 40;
const NODE_FIXED_BYTES = 24;
const ELEMENT_BYTES = 10;
/** JS heap that a log takes by itself; its groups count their own. */
const HEAP_BYTES = 100;

const nodeId = new StreamId();
const heldId = new StreamId();
const NO_GROUPS: ReadonlyMap<string, StreamGroup> = new Map();

/** A snapshot that reads a stream in parts while it goes on changing. */
export interface StreamKeeper {
  /** Whether the node with this first id is still to be read from this block, as it is. */
  holds(id: StreamId, block: number): boolean;
  /**
   * Hands over a block that is held and that the stream has done with: it is the keeper's to free.
   */
  leave(block: number): void;
  /** A group goes: true when the keeper still reads it, and releases it itself. */
  takeGroup(group: StreamGroup): boolean;
}

export class StreamLog extends StreamDirectory implements LargeValue {
  /** Number of entries. */
  length = 0;
  /** Number of entries ever added. */
  entriesAdded = 0;
  keeper: StreamKeeper | null = null;
  /** A block that a loader fills and that is no node yet; 0 for none. */
  opened = 0;
  private ownGroups: Map<string, StreamGroup> | null = null;

  get dict(): null {
    return null;
  }

  get heapBytes(): number {
    return HEAP_BYTES;
  }

  get groups(): ReadonlyMap<string, StreamGroup> {
    return this.ownGroups ?? NO_GROUPS;
  }

  // ---------------------------------------------------------------- nodes

  /** Removes node `i` with all its entries; they are no longer counted in `length`. */
  dropNode(i: number): void {
    const block = this.nodeBlock(i);
    this.length -= nodeLive(this.arena.bytes(block), this.arena.byteOffset(block));
    this.giveBack(i, block);
    this.removeRecord(i);
  }

  /** Makes sure that the block of node `i` may change and can take `more` bytes. The block. */
  roomInNode(i: number, more: number): number {
    const { arena } = this;
    const block = this.nodeBlock(i);
    const length = lpBytes(arena.bytes(block), arena.byteOffset(block));
    const need = length + more;
    const isRead = this.isHeld(i, block) || arena.isLent(block);
    if (need <= arena.sizeOf(block) && !isRead) return block;
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
    let room = ENTRY_FIXED_BYTES;
    for (let i = first; i < first + pairs * 2; i++) {
      const length = args.lengths[i]!;
      size += length;
      room += elementRoom(length);
    }
    if (size > ENTRY_BYTES_MAX) return false;
    const bytesMax = nodeBytesMax === 0 ? ENTRY_BYTES_MAX : Math.min(nodeBytesMax, ENTRY_BYTES_MAX);
    let last = this.nodeCount - 1;
    if (last < 0 || this.isFull(last, size, bytesMax, nodeEntriesMax)) {
      if (last >= 0) this.fitNode(last);
      let nodeRoom = NODE_FIXED_BYTES + room;
      for (let i = 0; i < pairs; i++) nodeRoom += elementRoom(args.lengths[first + i * 2]!);
      const block = arena.alloc(nodeRoom);
      nodeInit(arena.bytes(block), arena.byteOffset(block), args, first, pairs);
      this.pushNode(id, block);
      last++;
    }
    const block = this.roomInNode(last, room);
    this.nodeFirstId(last, nodeId);
    nodeAppend(arena.bytes(block), arena.byteOffset(block), nodeId, id, args, first, pairs);
    this.length++;
    this.entriesAdded++;
    this.lastId = id;
    if (this.length === 1) this.firstId = id;
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
    if (this.opened !== 0) this.arena.free(this.opened);
    this.opened = 0;
    while (left-- > 0 && this.nodeCount > 0) this.dropNode(this.nodeCount - 1);
    if (this.nodeCount > 0) return true;
    for (const [name, group] of this.groups) {
      if (group.release(Math.max(limit, 1))) return true;
      this.forgetGroup(name);
      if (this.groups.size > 0) return true;
    }
    this.freeDirectory();
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
    copy.lastId = this.lastId;
    copy.firstId = this.firstId;
    copy.maxDeletedId = this.maxDeletedId;
    for (const [name, group] of this.groups) copy.keepGroup(name, group.clone());
    return copy;
  }

  memoryBytes(): number {
    const { arena } = this;
    let bytes = this.directoryBytes();
    for (let i = 0; i < this.nodeCount; i++) bytes += arena.sizeOf(this.nodeBlock(i));
    for (const group of this.groups.values()) bytes += group.memoryBytes();
    return bytes;
  }

  /** Adds a group; null when the name is taken. */
  addGroup(name: string, lastId: StreamId, entriesRead: number): StreamGroup | null {
    if (this.groups.has(name)) return null;
    const group = new StreamGroup(this.arena, lastId, entriesRead);
    this.keepGroup(name, group);
    return group;
  }

  /**
   * Removes a group, whose memory `later` frees bit by bit. False when there is none of this name.
   */
  removeGroup(name: string, later: { releaseLater(group: StreamGroup): void }): boolean {
    const group = this.groups.get(name);
    if (group === undefined) return false;
    if (this.keeper?.takeGroup(group) !== true) later.releaseLater(group);
    this.forgetGroup(name);
    return true;
  }

  private keepGroup(name: string, group: StreamGroup): void {
    this.ownGroups ??= new Map();
    this.ownGroups.set(name, group);
  }

  private forgetGroup(name: string): void {
    this.ownGroups?.delete(name);
    if (this.ownGroups?.size === 0) this.ownGroups = null;
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
    this.setNodeBlock(i, fresh);
    return fresh;
  }

  /** Whether a snapshot has still to write the block of node `i`. */
  private isHeld(i: number, block: number): boolean {
    return this.keeper?.holds(this.nodeFirstId(i, heldId), block) === true;
  }

  /** Frees a block of node `i`, unless a snapshot still holds it. */
  private giveBack(i: number, block: number): void {
    if (this.isHeld(i, block)) this.keeper!.leave(block);
    else this.arena.free(block);
  }
}

/** Bytes that a field or a value of so many bytes takes at most. */
function elementRoom(length: number): number {
  return length + (length < 64 ? 2 : length < 4096 ? 4 : ELEMENT_BYTES);
}
