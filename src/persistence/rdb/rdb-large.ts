/**
 * A string of many bytes, on its way from a reader to where it stays: a block that was made for it
 * is filled piece by piece, from a file past the reader's buffer, so that it is never held twice
 * and a server can answer in between. A compressed one is decompressed there.
 *
 *     begins    the next string is large, and its length known: its bytes are still to be read
 *     fill      brings the next piece; true when the string is complete
 *     filled    bytes of it that are there
 *     again     begins once more with what came so far, which was set aside, before the rest
 *
 * One that need not stay is read through a window over it (rdb-window.ts).
 *
 * With a fed reader each piece must be committed, and what `begins` has read as well, once there is
 * a place for the string.
 */
import { lzfAt, lzfDecompressPart } from '../../core/struct/lzf.ts';
import { STRING_BYTES_MAX } from '../../core/types/string.ts';
import type { ByteView } from '../../core/value.ts';
import { ENCODED_LZF } from './rdb-format.ts';
import type { RdbReader } from './rdb-reader.ts';
import type { SetAside } from './rdb-set-aside.ts';

/** Strings of at least this many bytes are large. */
export const LARGE_BYTES_MIN = 1 << 20;
/** First bytes of lengths below 16,384 end here. */
const SHORT_LENGTH_END = 0x80;
/** What a length of 32 bits, or of 64, begins with. */
const LENGTH_32 = 0x80;
const LENGTH_64 = 0x81;
const LZF_FIRST = 0xc0 | ENCODED_LZF;
/** Compressed bytes that are decompressed at a time. */
const UNPACK_BYTES = 1 << 14;
/** A compressed byte stands for at most so many: 3 bytes of a copy give 264. */
export const LZF_GAIN_MAX = 88;

export class LargeString {
  /** Bytes of the whole string. */
  length = 0;
  filled = 0;
  #isPacked = false;
  /** Compressed bytes that are still to be read. */
  #packed = 0;
  /** What comes before that which the reader has, null for nothing. */
  #setAside: SetAside | null = null;

  /**
   * Begins the next string when it is large: true. Else shows it in `view`, as the reader does.
   * What a payload in memory holds plain is at hand, and not large.
   */
  begins(reader: RdbReader, view: ByteView): boolean {
    if (reader.at === reader.end) reader.need(1);
    const first = reader.buf[reader.at]!;
    if (first >= SHORT_LENGTH_END) {
      if (first === LZF_FIRST) return this.#packedBegins(reader, view);
      if (first === LENGTH_32 || first === LENGTH_64) return this.#plainBegins(reader, view);
    }
    reader.string(view);
    return false;
  }

  /** Bytes of the file that are still to be read. */
  get bytesLeft(): number {
    return this.#isPacked ? this.#packed : this.length - this.filled;
  }

  /** Begins a string of `length` bytes that is compressed to `packed`. */
  beginPacked(packed: number, length: number): void {
    this.#begin(length);
    this.#isPacked = true;
    this.#packed = packed;
  }

  again(setAside: SetAside): void {
    this.filled = 0;
    this.#setAside = setAside;
  }

  #begin(length: number): void {
    this.length = length;
    this.filled = 0;
    this.#setAside = null;
  }

  #packedBegins(reader: RdbReader, view: ByteView): boolean {
    reader.at++;
    const packed = reader.compressedLength();
    const { fullLength } = reader;
    if (isLarge(fullLength)) {
      this.beginPacked(packed, fullLength);
      return true;
    }
    reader.decompressed(packed, fullLength, view);
    return false;
  }

  #plainBegins(reader: RdbReader, view: ByteView): boolean {
    const length = reader.length();
    if (isLarge(length) && !reader.isWhole && length <= reader.bytesLeftMax) {
      this.#begin(length);
      this.#isPacked = false;
      return true;
    }
    reader.need(length);
    view.bytes = reader.buf;
    view.offset = reader.at;
    view.length = length;
    reader.at += length;
    return false;
  }

  /**
   * Reads the next piece to its place in a block, in which the string begins at `offset`; of a
   * window only, where that is negative at last, `room` says how many bytes the piece may have.
   */
  fill(
    reader: RdbReader,
    bytes: Uint8Array,
    offset: number,
    room = Number.POSITIVE_INFINITY,
  ): boolean {
    if (this.#setAside !== null) return this.#fillAgain(this.#setAside, bytes, offset, room);
    if (this.#isPacked) return this.#unpack(reader, bytes, offset, room);
    const most = Math.min(this.length - this.filled, room);
    this.filled += reader.take(bytes, offset + this.filled, most);
    return this.filled === this.length;
  }

  #fillAgain(setAside: SetAside, bytes: Uint8Array, offset: number, room: number): boolean {
    this.filled += setAside.take(bytes, offset + this.filled, room);
    if (!setAside.isEmpty) return false;
    this.#setAside = null;
    return this.bytesLeft === 0;
  }

  #unpack(reader: RdbReader, bytes: Uint8Array, offset: number, room: number): boolean {
    const piece = Math.min(this.#packed, UNPACK_BYTES, Math.floor(room / LZF_GAIN_MAX));
    const isLast = piece === this.#packed;
    reader.need(piece);
    const { at, buf } = reader;
    const from = offset + this.filled;
    const end = offset + this.length;
    if (!lzfDecompressPart(buf, at, at + piece, isLast, bytes, offset, from, end)) {
      throw reader.fail('a compressed string is damaged');
    }
    reader.at = lzfAt.src;
    this.#packed -= lzfAt.src - at;
    this.filled = lzfAt.dst - offset;
    if (isLast && this.filled < this.length) throw reader.fail('a compressed string is damaged');
    return isLast;
  }
}

function isLarge(length: number): boolean {
  return length >= LARGE_BYTES_MIN && length <= STRING_BYTES_MAX;
}
