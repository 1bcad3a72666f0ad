/**
 * One node of a quicklist: a block of the arena in one of four forms.
 *
 *     kind  block
 *     0     a listpack of some elements
 *     1     PLAIN: the bytes of one large element
 *     2     COMPRESSED: [ compressed length u32 ][ LZF of the listpack ]
 *     3     both: [ compressed length u32 ][ LZF of the element's bytes ]
 *
 * To each kind NODE_HELD may be added: a snapshot still reads the block, so it must not change; who
 * wants to change it makes a copy and leaves the block to the snapshot (`NodeKeeper`). It stays
 * after the snapshot has let go, until that copy: a large block may still be on its way, lent.
 *
 * The directory keeps the kind, the number of elements, and the bytes that the node has when it is
 * not compressed. Readers see a compressed node through a scratch of their own and leave it as it
 * is.
 */
import type { Arena } from '../memory/arena.ts';
import type { DirectoryPath } from './directory-path.ts';
import { lzfDecompress } from './lzf.ts';

export const NODE_LISTPACK = 0;
export const NODE_PLAIN = 1;
export const NODE_COMPRESSED = 2;
export const NODE_HELD = 4;

/** Bytes in front of compressed data. */
export const COMPRESSED_HEAD_BYTES = 4;

const LISTPACK_COUNT_MAX = 0xffff;
const SCRATCH_BYTES = 8192;
const SCRATCH_KEPT_MAX = 1 << 20;

/** A snapshot that reads the nodes of a list while it goes on changing. */
export interface NodeKeeper {
  /**
   * Hands over a block that was held and that the list has done with: it is the keeper's to free.
   */
  leave(block: number): void;
}

/** The blocks of a list's nodes, and what they take together. */
export class NodeBlocks {
  /** The sum of the sizes of all that were given out and not freed. */
  bytes = 0;
  private readonly arena: Arena;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  alloc(size: number): number {
    const block = this.arena.alloc(size);
    this.adopt(block);
    return block;
  }

  /** Takes over a block that another has made and filled. */
  adopt(block: number): void {
    this.bytes += this.arena.sizeOf(block);
  }

  free(block: number): void {
    this.forget(block);
    this.arena.free(block);
  }

  /** Counts the block no more, since it is somebody else's from now on. */
  forget(block: number): void {
    this.bytes -= this.arena.sizeOf(block);
  }
}

/** Shows the bytes of nodes, compressed or not. */
export class NodeReader {
  bytes: Uint8Array = new Uint8Array(0);
  base = 0;
  private scratch: Uint8Array = new Uint8Array(0);

  /** Shows the path's node; good until the node is changed or another is opened. */
  open(arena: Arena, path: DirectoryPath): void {
    if ((path.kind & NODE_COMPRESSED) === 0) {
      this.bytes = arena.bytes(path.address);
      this.base = arena.byteOffset(path.address);
      return;
    }
    const { length } = this.scratch;
    if (length < path.bytes || (length > SCRATCH_KEPT_MAX && path.bytes <= SCRATCH_BYTES)) {
      this.scratch = new Uint8Array(Math.max(path.bytes, SCRATCH_BYTES));
    }
    decompressNode(arena, path, this.scratch, 0);
    this.bytes = this.scratch;
    this.base = 0;
  }
}

/** Bytes of LZF in a compressed node. */
export function compressedLength(arena: Arena, address: number): number {
  return arena.words(address)[arena.wordOffset(address)]!;
}

/** Writes what a compressed node holds to `to[at]`. */
export function decompressNode(
  arena: Arena,
  path: DirectoryPath,
  to: Uint8Array,
  at: number,
): void {
  const { address } = path;
  const from = arena.byteOffset(address) + COMPRESSED_HEAD_BYTES;
  const length = compressedLength(arena, address);
  if (!lzfDecompress(arena.bytes(address), from, length, to, at, path.bytes)) {
    throw new Error('quicklist: a compressed node is damaged');
  }
}

/** Writes the head of a listpack. */
export function setListpackHead(
  bytes: Uint8Array,
  base: number,
  length: number,
  count: number,
): void {
  const shown = Math.min(count, LISTPACK_COUNT_MAX);
  bytes[base] = length & 255;
  bytes[base + 1] = (length >>> 8) & 255;
  bytes[base + 2] = (length >>> 16) & 255;
  bytes[base + 3] = (length >>> 24) & 255;
  bytes[base + 4] = shown & 255;
  bytes[base + 5] = shown >>> 8;
}
