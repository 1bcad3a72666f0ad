/**
 * The next string of an RDB in an arena block of its own: a node of a list or a stream, which is
 * taken as it comes. It is copied, or decompressed, once, to where it stays; one of many bytes is
 * read from the file right there, so that it is never held twice (rdb-large.ts).
 */
import type { Arena } from '../../core/memory/arena.ts';
import { copyBytes } from '../../core/memory/copy.ts';
import { lzfDecompress } from '../../core/struct/lzf.ts';
import { ByteView } from '../../core/value.ts';
import { ENCODED_LZF } from './rdb-format.ts';
import { LARGE_BYTES_MIN, LargeString } from './rdb-large.ts';
import type { RdbReader } from './rdb-reader.ts';

const view = new ByteView();
const large = new LargeString();

export class BlockReader {
  /** The block that was read last, the caller's to keep or free. */
  block = 0;
  /** Where the string is: all of the block but its slack. */
  bytes: Uint8Array = new Uint8Array(0);
  offset = 0;
  length = 0;

  /** Reads the next string, whatever its encoding. */
  read(reader: RdbReader, arena: Arena): void {
    reader.need(1);
    if (reader.buf[reader.at] === (0xc0 | ENCODED_LZF)) {
      reader.at++;
      this.#compressed(reader, arena, reader.compressedLength(), reader.fullLength);
    } else if (large.begins(reader, view)) {
      if (isFed(reader)) reader.need(large.length);
      this.#take(arena, large.length);
      this.#fill(reader, arena);
    } else {
      this.#take(arena, view.length);
      copyBytes(view.bytes, view.offset, this.bytes, this.offset, view.length);
    }
  }

  #take(arena: Arena, length: number): void {
    this.block = arena.alloc(length);
    this.bytes = arena.bytes(this.block);
    this.offset = arena.byteOffset(this.block);
    this.length = length;
  }

  #compressed(reader: RdbReader, arena: Arena, packed: number, length: number): void {
    if (length >= LARGE_BYTES_MIN && !isFed(reader)) {
      large.beginPacked(packed, length);
      this.#take(arena, length);
      this.#fill(reader, arena);
      return;
    }
    reader.need(packed);
    this.#take(arena, length);
    const { at, buf } = reader;
    reader.at += packed;
    if (lzfDecompress(buf, at, packed, this.bytes, this.offset, length)) return;
    arena.free(this.block);
    throw reader.fail('a compressed string is damaged');
  }

  #fill(reader: RdbReader, arena: Arena): void {
    try {
      while (!large.fill(reader, this.bytes, this.offset));
    } catch (error) {
      arena.free(this.block);
      throw error;
    }
  }
}

/** Whether more may be fed: then all of a block must be there before it is made. */
function isFed(reader: RdbReader): boolean {
  return !Number.isFinite(reader.bytesLeftMax);
}
