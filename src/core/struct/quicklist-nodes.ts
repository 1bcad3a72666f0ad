/**
 * The nodes of a quicklist as blocks of the arena: made, grown, split, merged, compressed and
 * freed. All functions work on the node that a path of the directory names, and keep the directory
 * true.
 *
 * A block grows by a quarter, up to what a node may take, so that few pushes copy it; when a list
 * has gone on to another node, the one it leaves is cut to its size.
 *
 * Invariants: `bytes` is the sum of the sizes of all node blocks; a path that was handed in still
 * names its node afterwards, unless a comment says otherwise.
 */
import type { Arena } from '../memory/arena.ts';
import { copyBytes } from '../memory/copy.ts';
import { DirectoryPath } from './directory-path.ts';
import { ListDirectory } from './list-directory.ts';
import type { CutLeaves } from './list-leaves.ts';
import {
  LP_EMPTY_BYTES,
  LP_HEAD_BYTES,
  lpBytes,
  lpDelete,
  lpEntryBytes,
  lpEntryLength,
  lpInit,
  lpInsert,
  lpInsertMeasured,
  lpReplace,
  lpSeek,
} from './listpack.ts';
import { lpFrame, lpFramedBytes } from './listpack-large.ts';
import { lzfCompress } from './lzf.ts';
import { type OpenEnd, QuicklistEnds } from './quicklist-ends.ts';
import {
  COMPRESSED_HEAD_BYTES,
  decompressNode,
  NODE_COMPRESSED,
  NODE_HELD,
  NODE_LISTPACK,
  NODE_PLAIN,
  NodeBlocks,
  type NodeKeeper,
  setListpackHead,
} from './quicklist-node.ts';

/**
 * Smaller nodes are not compressed, nor those that would gain less than the second number of bytes.
 */
const COMPRESS_BYTES_MIN = 48;
const COMPRESS_GAIN_MIN = 8;
/** Larger ones neither: whoever reads them needs a scratch as large. */
const COMPRESS_BYTES_MAX = 1 << 26;
const SCRATCH_BYTES = 8192;
const SCRATCH_KEPT_MAX = 1 << 20;
const END = 0xff;

/** Words of an entry that `hold` gives: address, kind and count, bytes. */
export const ENTRY_WORDS = 3;

let scratch = new Uint8Array(SCRATCH_BYTES);
const walk = new DirectoryPath();

export class QuicklistNodes {
  readonly arena: Arena;
  /** The ends, which may be open. */
  readonly ends: QuicklistEnds;
  /** The directory as it is, while an end may be open: for the work on the ends alone. */
  readonly tree: ListDirectory;
  /** Who reads the nodes that are held; null while no snapshot does. */
  keeper: NodeKeeper | null = null;
  /** A block that a loader fills and that is no node yet; 0 for none. */
  opened = 0;
  /** What a node's block may grow to ahead of its content. */
  private readonly roomMax: number;
  private readonly blocks: NodeBlocks;

  constructor(arena: Arena, roomMax: number) {
    this.arena = arena;
    this.tree = new ListDirectory(arena);
    this.blocks = new NodeBlocks(arena);
    this.ends = new QuicklistEnds(arena, this.blocks, this.tree, roomMax);
    this.roomMax = roomMax;
  }

  /** All nodes, none of them open: an end that was is closed. */
  get directory(): ListDirectory {
    if (this.ends.isBusy) this.ends.close();
    return this.tree;
  }

  /** Bytes of all node blocks. */
  get bytes(): number {
    return this.blocks.bytes;
  }

  // ---------------------------------------------------------------- blocks

  /** A block with a listpack of one element, or with a plain element. */
  makeBlock(value: Uint8Array, offset: number, length: number, kind: number): number {
    const { arena } = this;
    if (kind === NODE_PLAIN) {
      const block = this.blocks.alloc(length);
      copyBytes(value, offset, arena.bytes(block), arena.byteOffset(block), length);
      return block;
    }
    const block = this.blocks.alloc(LP_EMPTY_BYTES + lpEntryBytes(value, offset, length));
    const bytes = arena.bytes(block);
    const base = arena.byteOffset(block);
    lpInit(bytes, base);
    lpInsert(bytes, base, LP_HEAD_BYTES, value, offset, length);
    return block;
  }

  /** Bytes of a node that `makeBlock` has just made. */
  madeBytes(block: number, length: number, kind: number): number {
    if (kind === NODE_PLAIN) return length;
    return lpBytes(this.arena.bytes(block), this.arena.byteOffset(block));
  }

  /**
   * Opens a block for a node that is one element of so many bytes, 4,096 or more, to stand behind
   * all others. Returns where in the block's bytes the element is to be written.
   */
  openElement(length: number, kind: number): number {
    if (this.directory.last(walk)) this.tighten(walk);
    const isPlain = kind === NODE_PLAIN;
    const block = this.arena.alloc(isPlain ? length : lpFramedBytes(length));
    this.opened = block;
    const base = this.arena.byteOffset(block);
    return isPlain ? base : lpFrame(this.arena.bytes(block), base, length);
  }

  /** Takes over the block that was filled, for a node. */
  adoptOpened(): number {
    const block = this.opened;
    this.blocks.adopt(block);
    this.opened = 0;
    return block;
  }

  /** Frees the block that is being filled, if there is one: no node will come of it. */
  dropOpened(): void {
    if (this.opened !== 0) this.arena.free(this.opened);
    this.opened = 0;
  }

  /** Frees the block of the path's node, or leaves it to whoever still reads it. */
  private free(path: DirectoryPath): void {
    if (this.keeper !== null && (path.kind & NODE_HELD) !== 0) {
      this.blocks.forget(path.address);
      this.keeper.leave(path.address);
    } else this.blocks.free(path.address);
  }

  /** Frees the path's node; the path is no longer good. */
  drop(path: DirectoryPath): void {
    this.free(path);
    this.tree.remove(path);
  }

  /**
   * Cuts out the directory's leaf whose first node the path names, if it has at most `most`
   * elements; it goes to `leaves`, the path is no longer good. How many elements went: none while a
   * snapshot may read the nodes.
   */
  cutLeaf(path: DirectoryPath, most: number, leaves: CutLeaves): number {
    const elements = this.tree.leafElements(path);
    if (elements > most || this.keeper !== null) return 0;
    if (elements > 0) this.blocks.bytes -= leaves.add(this.tree.removeLeaf(path));
    return elements;
  }

  /** Makes sure that the node, which is not compressed, has room for `size` bytes. */
  private reserve(path: DirectoryPath, size: number): void {
    if (this.arena.sizeOf(path.address) >= size) return;
    this.resize(path, Math.max(size, Math.min(size + (size >>> 2), this.roomMax)));
  }

  /** Moves the node to a block of `size` bytes, which hold it. */
  private resize(path: DirectoryPath, size: number): void {
    const { arena } = this;
    const old = path.address;
    const block = this.blocks.alloc(size);
    const from = arena.byteOffset(old);
    copyBytes(arena.bytes(old), from, arena.bytes(block), arena.byteOffset(block), path.bytes);
    this.free(path);
    this.tree.put(path, block, path.count, path.kind & ~NODE_HELD, path.bytes);
  }

  /** Cuts the block to what the node needs: it will not grow soon. */
  tighten(path: DirectoryPath): void {
    if ((path.kind & NODE_COMPRESSED) !== 0) return;
    const size = this.arena.sizeOf(path.address);
    if (size > path.bytes + 7 + (path.bytes >>> 3)) this.resize(path, path.bytes);
  }

  /** Gives room back after elements have gone, once more than half of it is unused. */
  private shrink(path: DirectoryPath): void {
    if (this.arena.sizeOf(path.address) > 64 + path.bytes * 2) this.resize(path, path.bytes);
  }

  /** Opens the path's node, a listpack at an end of the list. */
  open(path: DirectoryPath, atHead: boolean): OpenEnd {
    this.own(path);
    return this.ends.open(path, atHead);
  }

  // ---------------------------------------------------------------- elements

  /** Puts an element in front of the one with index `at` of the node, or behind the last one. */
  insertAt(
    path: DirectoryPath,
    at: number,
    value: Uint8Array,
    offset: number,
    length: number,
  ): void {
    this.own(path);
    const size = path.bytes + lpEntryBytes(value, offset, length);
    this.reserve(path, size);
    const bytes = this.arena.bytes(path.address);
    const base = this.arena.byteOffset(path.address);
    let position = LP_HEAD_BYTES;
    if (at === path.count) position = path.bytes - 1;
    else if (at > 0) position = lpSeek(bytes, base, at);
    lpInsertMeasured(bytes, base, position, value, offset, length);
    this.tree.put(path, path.address, path.count + 1, path.kind, size);
  }

  /** Takes `count` elements out from index `at` on; some must be left. */
  deleteAt(path: DirectoryPath, at: number, count: number): void {
    this.own(path);
    const bytes = this.arena.bytes(path.address);
    const base = this.arena.byteOffset(path.address);
    lpDelete(bytes, base, lpSeek(bytes, base, at), count);
    this.tree.put(path, path.address, path.count - count, path.kind, lpBytes(bytes, base));
    this.shrink(path);
  }

  /** The node's listpack was changed in place and holds `count` elements now, more than none. */
  changed(path: DirectoryPath, count: number): void {
    const bytes = this.arena.bytes(path.address);
    const base = this.arena.byteOffset(path.address);
    this.tree.put(path, path.address, count, path.kind, lpBytes(bytes, base));
    this.shrink(path);
  }

  /** Replaces the element with index `at` of a listpack. */
  replaceAt(
    path: DirectoryPath,
    at: number,
    value: Uint8Array,
    offset: number,
    length: number,
  ): void {
    this.own(path);
    const { arena } = this;
    const start = arena.byteOffset(path.address);
    const position = lpSeek(arena.bytes(path.address), start, at);
    const old = lpEntryLength(arena.bytes(path.address), start + position);
    const growth = lpEntryBytes(value, offset, length) - old;
    if (growth > 0) this.reserve(path, path.bytes + growth);
    const base = arena.byteOffset(path.address);
    lpReplace(arena.bytes(path.address), base, position, value, offset, length);
    this.changed(path, path.count);
  }

  /** Replaces the element of a plain node by another. */
  replacePlain(path: DirectoryPath, value: Uint8Array, offset: number, length: number): void {
    const block = this.makeBlock(value, offset, length, NODE_PLAIN);
    this.free(path);
    this.tree.put(path, block, 1, NODE_PLAIN, length);
  }

  // ---------------------------------------------------------------- splitting, merging

  /**
   * Moves the elements from index `at` on to a node of their own behind, to which the path goes.
   */
  split(path: DirectoryPath, at: number): void {
    this.own(path);
    const { arena } = this;
    const bytes = arena.bytes(path.address);
    const base = arena.byteOffset(path.address);
    const position = lpSeek(bytes, base, at);
    const rightBytes = LP_HEAD_BYTES + path.bytes - position;
    const rightCount = path.count - at;
    const block = this.blocks.alloc(rightBytes);
    const to = arena.bytes(block);
    const start = arena.byteOffset(block);
    copyBytes(bytes, base + position, to, start + LP_HEAD_BYTES, path.bytes - position);
    setListpackHead(to, start, rightBytes, rightCount);
    bytes[base + position] = END;
    setListpackHead(bytes, base, position + 1, at);
    this.tree.put(path, path.address, at, NODE_LISTPACK, position + 1);
    this.shrink(path);
    this.tree.insert(path, true, block, rightCount, NODE_LISTPACK, rightBytes);
  }

  /**
   * Takes the elements of the node behind, at `next`, into the path's; both are listpacks. `next`
   * is no longer good.
   */
  merge(path: DirectoryPath, next: DirectoryPath): void {
    this.own(path);
    this.thaw(next);
    const { arena } = this;
    const added = next.bytes - LP_EMPTY_BYTES;
    const size = path.bytes + added;
    this.reserve(path, size);
    const bytes = arena.bytes(path.address);
    const base = arena.byteOffset(path.address);
    const from = arena.byteOffset(next.address) + LP_HEAD_BYTES;
    copyBytes(arena.bytes(next.address), from, bytes, base + path.bytes - 1, added + 1);
    const count = path.count + next.count;
    setListpackHead(bytes, base, size, count);
    this.tree.put(path, path.address, count, NODE_LISTPACK, size);
    this.drop(next);
  }

  // ---------------------------------------------------------------- compression

  /** Decompresses the node, if it is compressed. */
  thaw(path: DirectoryPath): void {
    if ((path.kind & NODE_COMPRESSED) === 0) return;
    const { arena } = this;
    const block = this.blocks.alloc(path.bytes);
    decompressNode(arena, path, arena.bytes(block), arena.byteOffset(block));
    this.free(path);
    this.tree.put(path, block, path.count, path.kind & NODE_PLAIN, path.bytes);
  }

  /**
   * Makes the node's bytes ready to be changed in place: decompressed, and in a block of its own.
   */
  own(path: DirectoryPath): void {
    this.thaw(path);
    if ((path.kind & NODE_HELD) !== 0) this.resize(path, this.arena.sizeOf(path.address));
  }

  /** Compresses the node, if that is worth it. */
  freeze(path: DirectoryPath): void {
    const { arena } = this;
    const { address, bytes: size } = path;
    if ((path.kind & NODE_COMPRESSED) !== 0) return;
    if (size < COMPRESS_BYTES_MIN || size > COMPRESS_BYTES_MAX) return;
    if (scratch.length < size || (scratch.length > SCRATCH_KEPT_MAX && size <= SCRATCH_BYTES)) {
      scratch = new Uint8Array(Math.max(size, SCRATCH_BYTES));
    }
    const room = size - COMPRESS_GAIN_MIN - 1;
    const from = arena.byteOffset(address);
    const length = lzfCompress(arena.bytes(address), from, size, scratch, 0, room);
    if (length === 0) return;
    const block = this.blocks.alloc(COMPRESSED_HEAD_BYTES + length);
    arena.words(block)[arena.wordOffset(block)] = length;
    const to = arena.byteOffset(block) + COMPRESSED_HEAD_BYTES;
    copyBytes(scratch, 0, arena.bytes(block), to, length);
    this.free(path);
    const kind = (path.kind & NODE_PLAIN) | NODE_COMPRESSED;
    this.tree.put(path, block, path.count, kind, size);
  }

  // ---------------------------------------------------------------- snapshots

  /**
   * Holds all nodes as they are for `keeper`, and gives their entries, as the directory has them.
   * Until `letGo`, blocks that the list has done with are left to the keeper.
   */
  hold(keeper: NodeKeeper): Uint32Array {
    const entries = new Uint32Array(this.directory.nodes * ENTRY_WORDS);
    this.directory.markAll(walk, NODE_HELD, entries);
    this.keeper = keeper;
    return entries;
  }

  letGo(): void {
    this.keeper = null;
  }

  /** Bytes of all nodes, as if none were compressed. Walks over the nodes. */
  plainBytes(): number {
    const { directory } = this;
    let bytes = 0;
    for (let found = directory.first(walk); found; found = directory.next(walk)) {
      bytes += walk.bytes;
    }
    return bytes;
  }
}
