/**
 * The next string of an RDB, for an arena block of its own: a node of a list or a stream, which is
 * taken as it comes, once it was looked at.
 *
 *     read   the whole string, or the next piece of a large one: true when all of it is there
 *     place  copies it to a block, unless it is in one
 *
 * Between the two it is shown where it lies, and nothing else may be read: in the reader's buffer,
 * or where it was decompressed. One of many bytes is read to its block piece by piece, so that it
 * is never held twice (rdb-large.ts).
 *
 * With a fed reader, what was read must be committed when a large string has begun, and after each
 * piece of it.
 */
import type { Arena } from '../../core/memory/arena.ts';
import { copyBytes } from '../../core/memory/copy.ts';
import { fitStage, stagedText } from '../../core/struct/block-stage.ts';
import { lzfDecompress } from '../../core/struct/lzf.ts';
import { unpackStaged } from '../../core/struct/lzf-machine.ts';
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
  /** Where the string is now. */
  bytes: Uint8Array = new Uint8Array(0);
  offset = 0;
  length = 0;
  readonly #large = new LargeString();

  /** Reads on into the block that the owner has open; if he has none, the next string. */
  read(reader: RdbReader, owner: BlockOwner): boolean {
    if (owner.opened === 0) {
      if (!this.#begins(reader, owner)) return true;
      if (!reader.isWhole) return false;
    }
    do if (this.#large.fill(reader, this.bytes, this.offset)) return true;
    while (reader.isWhole);
    return false;
  }

  /** Copies the string to a block of the owner, unless it was read to one. */
  place(owner: BlockOwner): void {
    if (owner.opened !== 0) return;
    const { bytes, length, offset } = this;
    this.#open(owner, length);
    copyBytes(bytes, offset, this.bytes, this.offset, length);
  }

  /** Shows the next string: false. Or, when it is large, makes a block for it: true. */
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
    this.#show(view.bytes, view.offset, view.length);
    return false;
  }

  #compressedBegins(reader: RdbReader, owner: BlockOwner, packed: number, length: number): boolean {
    if (length >= LARGE_BYTES_MIN) {
      this.#large.beginPacked(packed, length);
      this.#open(owner, length);
      return true;
    }
    reader.need(packed);
    const { at, buf } = reader;
    reader.at += packed;
    let isSound: boolean;
    if (fitStage(length, packed)) {
      isSound = unpackStaged(buf, at, packed, length);
      this.#show(stagedText(length), 0, length);
    } else {
      this.#open(owner, length);
      isSound = lzfDecompress(buf, at, packed, this.bytes, this.offset, length);
    }
    if (!isSound) throw reader.fail('a compressed string is damaged');
    return false;
  }

  #show(bytes: Uint8Array, offset: number, length: number): void {
    this.bytes = bytes;
    this.offset = offset;
    this.length = length;
  }

  #open(owner: BlockOwner, length: number): void {
    const { arena } = owner;
    const block = arena.alloc(length);
    owner.opened = block;
    this.#show(arena.bytes(block), arena.byteOffset(block), length);
  }
}
