/**
 * The next string of an RDB in an arena block of its own: a node of a list or a stream, which is
 * taken as it comes. It is copied, or decompressed, once, to where it stays; one of many bytes is
 * read there piece by piece, so that it is never held twice (rdb-large.ts).
 *
 *     read   the whole string, or the next piece of a large one: true when all of it is there
 *
 * With a fed reader, what was read must be committed when a large string has begun, and after each
 * piece of it.
 */
import type { Arena } from '../../core/memory/arena.ts';
import { copyBytes } from '../../core/memory/copy.ts';
import { lzfDecompress } from '../../core/struct/lzf.ts';
import { ByteView } from '../../core/value.ts';
import { ENCODED_LZF } from './rdb-format.ts';
import { LARGE_BYTES_MIN, LargeString } from './rdb-large.ts';
import type { RdbReader } from './rdb-reader.ts';

/** Whose the block is, be it complete or not: it is freed with all else that he has. */
interface BlockOwner {
  readonly arena: Arena;
  /** The block that is being filled, or was and is no node yet; 0 for none. */
  opened: number;
}

const view = new ByteView();

export class BlockReader {
  /** Where the string is: all of the owner's block but its slack. */
  bytes: Uint8Array = new Uint8Array(0);
  offset = 0;
  length = 0;
  readonly #large = new LargeString();

  /** Reads into the block that the owner has open; if he has none, one is made. */
  read(reader: RdbReader, owner: BlockOwner): boolean {
    if (owner.opened === 0) {
      if (!this.#begins(reader, owner)) return true;
      if (!reader.isWhole) return false;
    }
    do if (this.#large.fill(reader, this.bytes, this.offset)) return true;
    while (reader.isWhole);
    return false;
  }

  /** Makes the block for the next string; false when it is there, true when it is large. */
  #begins(reader: RdbReader, owner: BlockOwner): boolean {
    const large = this.#large;
    reader.need(1);
    if (reader.buf[reader.at] === (0xc0 | ENCODED_LZF)) {
      reader.at++;
      return this.#compressedBegins(reader, owner, reader.compressedLength(), reader.fullLength);
    }
    if (large.begins(reader, view)) {
      this.#open(owner, large.length);
      return true;
    }
    this.#open(owner, view.length);
    copyBytes(view.bytes, view.offset, this.bytes, this.offset, view.length);
    return false;
  }

  #compressedBegins(reader: RdbReader, owner: BlockOwner, packed: number, length: number): boolean {
    if (length >= LARGE_BYTES_MIN) {
      this.#large.beginPacked(packed, length);
      this.#open(owner, length);
      return true;
    }
    reader.need(packed);
    this.#open(owner, length);
    const { at, buf } = reader;
    reader.at += packed;
    if (lzfDecompress(buf, at, packed, this.bytes, this.offset, length)) return false;
    throw reader.fail('a compressed string is damaged');
  }

  #open(owner: BlockOwner, length: number): void {
    const { arena } = owner;
    const block = arena.alloc(length);
    owner.opened = block;
    this.bytes = arena.bytes(block);
    this.offset = arena.byteOffset(block);
    this.length = length;
  }
}
