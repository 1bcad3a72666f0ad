/**
 * The next string of an RDB in an arena block of its own: a node of a list or a stream, which is
 * taken as it comes. It is copied, or decompressed, once, to where it stays; one of many bytes is
 * read from the file right there, so that it is never held twice. So are large values of hashes.
 */
import type { Arena } from '../../core/memory/arena.ts';
import { copyBytes } from '../../core/memory/copy.ts';
import { lzfDecompress } from '../../core/struct/lzf.ts';
import { ByteView } from '../../core/value.ts';
import { ENCODED_LZF } from './rdb-format.ts';
import type { RdbReader } from './rdb-reader.ts';

/** Strings of so many bytes are read past the reader's buffer, where there is a file. */
const LARGE_BYTES_MIN = 1 << 20;
/** What a length of 32 bits begins with, and its bytes. */
const LENGTH_32 = 0x80;
const LENGTH_32_BYTES = 5;

const view = new ByteView();

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
    const first = reader.buf[reader.at]!;
    if (first === (0xc0 | ENCODED_LZF)) {
      reader.at++;
      const packed = reader.compressedLength();
      reader.need(packed);
      this.#take(arena, reader.fullLength);
      if (!this.#unpack(reader, packed)) {
        arena.free(this.block);
        throw reader.fail('a compressed string is damaged');
      }
      return;
    }
    if (first >>> 6 === 3) {
      reader.string(view);
      this.#take(arena, view.length);
      copyBytes(view.bytes, view.offset, this.bytes, this.offset, view.length);
      return;
    }
    const large = largeLength(reader);
    if (large >= 0) {
      this.#large(reader, arena, large);
      return;
    }
    const length = reader.length();
    reader.need(length);
    this.#take(arena, length);
    copyBytes(reader.buf, reader.at, this.bytes, this.offset, length);
    reader.at += length;
  }

  #take(arena: Arena, length: number): void {
    this.block = arena.alloc(length);
    this.bytes = arena.bytes(this.block);
    this.offset = arena.byteOffset(this.block);
    this.length = length;
  }

  #unpack(reader: RdbReader, packed: number): boolean {
    const { at, buf } = reader;
    reader.at += packed;
    return lzfDecompress(buf, at, packed, this.bytes, this.offset, this.length);
  }

  #large(reader: RdbReader, arena: Arena, length: number): void {
    this.#take(arena, length);
    try {
      takeLarge(reader, this.bytes, this.offset, length);
    } catch (error) {
      arena.free(this.block);
      throw error;
    }
  }
}

/**
 * Reads the length of the next string when it is one of many bytes, not compressed, in a file that
 * has them all: then `takeLarge` must follow. Else -1, and nothing was read.
 */
export function largeLength(reader: RdbReader): number {
  const left = reader.bytesLeftMax;
  if (left < LARGE_BYTES_MIN || reader.isWhole || !Number.isFinite(left)) return -1;
  reader.need(1);
  if (reader.buf[reader.at] !== LENGTH_32) return -1;
  reader.need(LENGTH_32_BYTES);
  const { at } = reader;
  const length = reader.length();
  if (length >= LARGE_BYTES_MIN && length <= reader.bytesLeftMax) return length;
  reader.at = at;
  return -1;
}

/** Reads a string of `length` bytes, of which `largeLength` was told, to where it stays. */
export function takeLarge(reader: RdbReader, to: Uint8Array, offset: number, length: number): void {
  for (let filled = 0; filled < length; ) {
    filled += reader.take(to, offset + filled, length - filled);
  }
}
