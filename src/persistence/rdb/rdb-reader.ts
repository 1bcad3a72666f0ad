/**
 * The reader of RDB bytes: pulls lengths, numbers and strings from a buffer that it refills.
 *
 *     buf   [ done | not yet read                | room ]
 *           0      at                            end
 *           ^ `base` bytes of the input came before this one
 *
 * Invariants: 0 <= at <= end <= buf.length; `offset` = base + at; the checksum covers all bytes up
 * to `summed`, and `mark` <= at.
 *
 * Three ways to be filled:
 *
 *   a source   a file; `need` reads on, blocking, in pieces of 1 MiB
 *   whole      a payload in memory; there is no more than that
 *   fed        a socket; `feed` appends what came. Where bytes are missing the reader goes back to
 *              the last `commit` and throws `HUNGRY`, and the caller tries again from there once
 *              `isSated`. Past 64 KiB, what must have come doubles with each such try
 *
 * A length is never believed beyond what the input can still hold. Strings are shown where they
 * lie; a view is good until the next call. Every error says its byte.
 */
import { lzfDecompress } from '../../core/struct/lzf.ts';
import { writeInteger } from '../../core/text/integer.ts';
import type { ByteView } from '../../core/value.ts';
import { Crc64 } from '../crc64.ts';
import { RdbError } from './rdb-error.ts';
import * as rdb from './rdb-format.ts';
import type { ByteSource } from './rdb-source.ts';

/** Thrown by a fed reader when bytes are missing; it stands at the last `commit` again. */
export const HUNGRY = new Error('more bytes are needed');

const BUFFER_BYTES = 1 << 20;
const FED_BYTES_MIN = 1 << 16;
const SCRATCH_KEPT_MAX = 1 << 22;
const TWO_32 = 0x1_0000_0000;
const INTEGER_ROOM = 24;
/** No string is longer, whatever the file says: the largest block of the arena. */
const STRING_BYTES_MAX = 0xffff_fff0;

const float64 = new Float64Array(1);
const float64Bytes = new Uint8Array(float64.buffer);

export class RdbReader {
  /** The bytes at hand; those from `at` to `end` are still to be read. */
  buf: Uint8Array;
  at: number;
  end: number;
  /** The length that the last `compressedLength` has found. */
  fullLength: number;
  readonly #source: ByteSource | null;
  readonly #isFed: boolean;
  #base: number;
  #mark: number;
  #ended: boolean;
  #wanted: number;
  #crc: Crc64 | null;
  #summed: number;
  #scratch: Uint8Array;
  readonly #digits = new Uint8Array(INTEGER_ROOM);

  private constructor(buf: Uint8Array, at: number, end: number, fed: boolean, from?: ByteSource) {
    this.buf = buf;
    this.at = at;
    this.end = end;
    this.fullLength = 0;
    this.#source = from ?? null;
    this.#isFed = fed;
    this.#base = -at;
    this.#mark = at;
    this.#ended = false;
    this.#wanted = 0;
    this.#crc = new Crc64();
    this.#summed = at;
    this.#scratch = new Uint8Array(0);
  }

  /** Reads a file. */
  static over(source: ByteSource): RdbReader {
    const room = Math.max(64, Math.min(BUFFER_BYTES, source.sizeBytes));
    return new RdbReader(new Uint8Array(room), 0, 0, false, source);
  }

  /** Reads `len` bytes that are in memory already; they are borrowed. */
  static overBytes(bytes: Uint8Array, off: number, len: number): RdbReader {
    const reader = new RdbReader(bytes, off, off + len, false);
    reader.#crc = null;
    return reader;
  }

  /** Begins again with bytes like these; only a reader of bytes in memory can. */
  beginBytes(bytes: Uint8Array, off: number, len: number): void {
    this.buf = bytes;
    this.at = off;
    this.end = off + len;
    this.#base = -off;
    this.commit();
  }

  /** Reads what `feed` will bring. */
  static fed(): RdbReader {
    return new RdbReader(new Uint8Array(FED_BYTES_MIN), 0, 0, true);
  }

  // ---------------------------------------------------------------- position

  /** Bytes read so far. */
  get offset(): number {
    return this.#base + this.at;
  }

  /** Bytes of the whole input; of a fed reader, those that came so far. */
  get sizeBytes(): number {
    return this.#source === null ? this.#base + this.end : this.#source.sizeBytes;
  }

  /** The most bytes that can follow; infinite while more may be fed. */
  get bytesLeftMax(): number {
    if (this.#isFed && !this.#ended) return Number.POSITIVE_INFINITY;
    return this.sizeBytes - this.offset;
  }

  /** Whether all bytes that will ever come are at hand. */
  get isWhole(): boolean {
    return this.#source === null && !this.#isFed;
  }

  /** An error about the bytes read last. */
  fail(reason: string): RdbError {
    return new RdbError(reason, this.offset);
  }

  // ---------------------------------------------------------------- filling

  /** Appends what a socket brought; the bytes are copied. Only for a fed reader, at its mark. */
  feed(bytes: Uint8Array): void {
    if (this.at !== this.#mark) throw new Error('feed the reader between two values only');
    this.#compact();
    if (this.end + bytes.length > this.buf.length) this.#grow(this.end + bytes.length);
    this.buf.set(bytes, this.end);
    this.end += bytes.length;
  }

  /** Ends the feed. Must be called when all bytes were fed, or the last value may be waited for. */
  endOfFeed(): void {
    this.#ended = true;
  }

  /** Whether enough was fed to try again. */
  get isSated(): boolean {
    return this.#ended || this.end - this.at >= this.#wanted;
  }

  /** What was read so far has been taken in: a fed reader will not go back behind this. */
  commit(): void {
    this.#mark = this.at;
    this.#wanted = 0;
  }

  /** Makes sure that `count` bytes are at hand from `at` on. */
  need(count: number): void {
    if (this.end - this.at < count) this.#refill(count);
  }

  #refill(count: number): void {
    if (count > this.bytesLeftMax) throw this.#truncated();
    if (this.#isFed) {
      const have = this.end - this.#mark;
      const doubled = have < FED_BYTES_MIN ? 0 : have * 2;
      this.#wanted = Math.max(this.at - this.#mark + count, doubled);
      this.at = this.#mark;
      throw HUNGRY;
    }
    this.#compact();
    if (count > this.buf.length) this.#grow(count);
    else if (this.buf.length > SCRATCH_KEPT_MAX && Math.max(count, this.end) <= BUFFER_BYTES) {
      this.buf = this.buf.slice(0, BUFFER_BYTES);
    }
    const source = this.#source!;
    while (this.end < count) {
      const got = source.read(this.buf, this.end, this.buf.length - this.end);
      if (got === 0) throw this.#truncated();
      this.end += got;
    }
  }

  #truncated(): RdbError {
    return new RdbError('the RDB ends too early', this.sizeBytes);
  }

  /** Moves the unread bytes to the front. */
  #compact(): void {
    this.sum();
    const { at } = this;
    if (at === 0) return;
    this.buf.copyWithin(0, at, this.end);
    this.end -= at;
    this.#base += at;
    this.at = 0;
    this.#mark = 0;
    this.#summed = 0;
  }

  #grow(room: number): void {
    const doubled = this.buf.length * 2;
    // All that is wanted of a feed, or each of its small pieces would move what came before it.
    const wanted = Math.min(this.#wanted + BUFFER_BYTES, STRING_BYTES_MAX);
    const most = this.#isFed ? Math.max(doubled, wanted) : Math.min(doubled, room + BUFFER_BYTES);
    const grown = new Uint8Array(Math.max(room, most));
    grown.set(this.buf.subarray(0, this.end));
    this.buf = grown;
  }

  // ---------------------------------------------------------------- checksum

  /** Brings the checksum up to `at`. A fed reader calls it for committed bytes only. */
  sum(): void {
    if (this.#crc !== null) this.#crc.update(this.buf, this.#summed, this.at - this.#summed);
    this.#summed = this.at;
  }

  /** The sum of all bytes before `at`, from the start of the input; null when nobody sums. */
  get checksum(): Crc64 | null {
    this.sum();
    return this.#crc;
  }

  /** Stops the checksum, for which nobody will ask. */
  dropChecksum(): void {
    this.#crc = null;
  }

  // ---------------------------------------------------------------- numbers

  byte(): number {
    if (this.at === this.end) this.need(1);
    return this.buf[this.at++]!;
  }

  /** Four bytes, little-endian, unsigned. */
  uint32(): number {
    this.need(4);
    const { buf, at } = this;
    this.at = at + 4;
    return (buf[at]! | (buf[at + 1]! << 8) | (buf[at + 2]! << 16) | (buf[at + 3]! << 24)) >>> 0;
  }

  /** Eight bytes, little-endian, signed: the nearest number. */
  int64(): number {
    this.need(8);
    const low = this.uint32();
    return (this.uint32() | 0) * TWO_32 + low;
  }

  /** Eight bytes, little-endian: an IEEE double. */
  double(): number {
    this.need(8);
    const { at, buf } = this;
    for (let i = 0; i < 8; i++) float64Bytes[i] = buf[at + i]!;
    this.at = at + 8;
    return float64[0]!;
  }

  /** A length. Of 64 bits, only those that a number holds exactly are taken. */
  length(): number {
    const length = this.lengthOrEncoding();
    if (length < 0) throw this.fail('an encoded string stands where a length should');
    return length;
  }

  /** A length, or -1 - the encoding of a string (`ENCODED_...`). */
  lengthOrEncoding(): number {
    const first = this.byte();
    const kind = first >>> 6;
    if (kind === 0) return first;
    if (kind === 1) return ((first & 63) << 8) | this.byte();
    if (kind === 3) return -1 - (first & 63);
    if (first === 0x80) return this.#bigEndian();
    if (first !== 0x81) throw this.fail(`a length of an unknown kind (${first})`);
    this.need(8);
    const length = this.#bigEndian() * TWO_32 + this.#bigEndian();
    if (length > Number.MAX_SAFE_INTEGER) throw this.fail('a length of more than 2^53');
    return length;
  }

  /** A 64-bit number written as a length, exactly. */
  wideLength(): bigint {
    const first = this.byte();
    if (first !== 0x81) {
      this.at--;
      return BigInt(this.length());
    }
    this.need(8);
    const high = this.#bigEndian();
    return (BigInt(high) << 32n) | BigInt(this.#bigEndian());
  }

  #bigEndian(): number {
    this.need(4);
    this.at += 4;
    return rdb.bigEndian32(this.buf, this.at - 4);
  }

  /** The integer that follows a string's encoding (`ENCODED_INT8` and so on). */
  encodedInteger(encoding: number): number {
    if (encoding === rdb.ENCODED_INT8) return (this.byte() << 24) >> 24;
    if (encoding === rdb.ENCODED_INT16) {
      this.need(2);
      const low = this.byte();
      return ((low | (this.byte() << 8)) << 16) >> 16;
    }
    if (encoding === rdb.ENCODED_INT32) return this.uint32() | 0;
    throw this.fail(`a string of an unknown encoding (${encoding})`);
  }

  // ---------------------------------------------------------------- strings

  /** Shows the next string in `view`, whatever its encoding; good until the next call. */
  string(view: ByteView): void {
    const length = this.lengthOrEncoding();
    if (length >= 0) {
      this.need(length);
      view.bytes = this.buf;
      view.offset = this.at;
      view.length = length;
      this.at += length;
    } else if (length === -1 - rdb.ENCODED_LZF) {
      this.compressed(view);
    } else {
      view.length = writeInteger(this.#digits, 0, this.encodedInteger(-1 - length));
      view.bytes = this.#digits;
      view.offset = 0;
    }
  }

  /** Reads what follows `ENCODED_LZF`: the number of compressed bytes, and `fullLength`. */
  compressedLength(): number {
    const packed = this.length();
    const length = this.length();
    // A compressed byte stands for at most 88 (3 bytes of a copy give 264).
    if (length > STRING_BYTES_MAX || length > packed * 88) {
      throw this.fail(`a compressed string of an impossible length (${packed} for ${length})`);
    }
    if (packed > this.bytesLeftMax) throw this.#truncated();
    this.fullLength = length;
    return packed;
  }

  /** Shows what follows `ENCODED_LZF`, decompressed. */
  compressed(view: ByteView): void {
    this.decompressed(this.compressedLength(), this.fullLength, view);
  }

  /** Shows the `packed` bytes that come next, decompressed to `length`. */
  decompressed(packed: number, length: number, view: ByteView): void {
    this.need(packed);
    if (this.#scratch.length < length || this.#scratch.length > SCRATCH_KEPT_MAX) {
      this.#scratch = new Uint8Array(Math.max(length, FED_BYTES_MIN));
    }
    if (!lzfDecompress(this.buf, this.at, packed, this.#scratch, 0, length)) {
      throw this.fail('a compressed string is damaged');
    }
    this.at += packed;
    view.bytes = this.#scratch;
    view.offset = 0;
    view.length = length;
  }

  /** Passes over `count` bytes. */
  skip(count: number): void {
    if (count > this.bytesLeftMax) throw this.#truncated();
    let left = count;
    while (left > 0) {
      const piece = this.#isFed ? left : Math.min(left, BUFFER_BYTES);
      this.need(piece);
      this.at += piece;
      left -= piece;
    }
  }

  /**
   * Moves up to `len` bytes to `to[off]` and gives their number: at least one, except that a fed
   * reader gives 0 when it has none. Large pieces of a file go there directly.
   */
  take(to: Uint8Array, off: number, len: number): number {
    const have = Math.min(len, this.end - this.at);
    if (have > 0) {
      to.set(this.buf.subarray(this.at, this.at + have), off);
      this.at += have;
      return have;
    }
    if (this.#isFed && !this.#ended) return 0;
    this.sum();
    const got = this.#source?.read(to, off, Math.min(len, BUFFER_BYTES)) ?? 0;
    if (got === 0) throw this.#truncated();
    this.#crc?.update(to, off, got);
    this.#base += got;
    return got;
  }
}
