/**
 * The writer of frames: what an encoder writes into, and what a child process or this one turns
 * into an RDB file (rdb-assembler.ts). It leaves compression and checksum to the reader of the
 * frames, so that the loop of the server does neither.
 *
 *     frame   kind     1 byte
 *             length   4 bytes, little-endian
 *             body     so many bytes
 *
 *     RAW     the body goes to the file as it is
 *     TEXT    the body is a string of more than 20 bytes, to be written as LZF when that is
 *             smaller, else plain behind its length
 *
 * Frames follow each other in chunks; a body may run over the end of a chunk, a head never does:
 *
 *     chunk   [ RAW n | n bytes ][ TEXT n | n bytes ][ RAW | grows ...      room ]
 *                                                    ^ rawAt             ^ at
 *
 * Many small writes share one RAW frame, whose length is filled in when it is closed. A large
 * string that stays where it is need not be copied: `stringIn` hands it on between two parts of a
 * chunk, which goes on being filled.
 *
 *     chunk   [ part, handed over | part, handed over | frames ...      room ]
 *                                                     ^ from     ^ at
 *
 * Invariants: rawAt < 0 or the head of an open RAW frame; from <= at <= chunk.length.
 */
import { HUGE_BASE } from '../../core/memory/arena.ts';
import { copyBytes } from '../../core/memory/copy.ts';
import { parseInteger } from '../../core/text/integer.ts';
import {
  ENCODED_INT8,
  ENCODED_INT16,
  ENCODED_INT32,
  ENCODED_LZF,
  INTEGER_TEXT_MAX,
  LZF_OVER,
} from './rdb-format.ts';

export const FRAME_RAW = 0;
export const FRAME_TEXT = 1;
export const FRAME_HEAD_BYTES = 5;
/**
 * Each chunk costs a turn of node's streams: with a quarter of the size, the saving of big lists
 * and streams takes a quarter more of the server's CPU time.
 */
export const CHUNK_BYTES = 1 << 18;
/**
 * Strings of so many bytes that stand in a huge block are not copied. Measured, a save of 400 MB:
 * with 70 KB a string 0.65 s of CPU time copied or lent, with 140 KB 0.61 copied and 0.46 lent.
 */
const LENT_BYTES_MIN = 1 << 17;
/** Longer strings are written plain: whoever compresses must hold one twice. */
export const COMPRESS_BYTES_MAX = 1 << 26;

const TWO_32 = 0x1_0000_0000;
const NO_FRAME = -1;
const SMALL_WRITE_MAX = 16;
/** A length below this takes one byte. */
const SHORT_LENGTHS = 64;
/** No text of an integer begins with a greater byte. */
const NINE = 0x39;

/** Takes the chunks that are full. */
export interface FrameSink {
  /** A chunk of `CHUNK_BYTES` to write into. */
  freshChunk(): Uint8Array;
  /** `chunk[from .. to)` is final and the sink's now; with `isLast`, so is the whole chunk. */
  take(chunk: Uint8Array, from: number, to: number, isLast: boolean): void;
  /** The arena's block `block`, whose `bytes[off .. off + length)` come next, stays as it is. */
  takeLent(block: number, bytes: Uint8Array, off: number, length: number): void;
}

export class FrameWriter {
  /** Whether strings of more than 20 bytes are to be compressed. */
  readonly compress: boolean;
  readonly #sink: FrameSink;
  #chunk: Uint8Array;
  #view: DataView;
  #from = 0;
  #at: number;
  #rawAt: number;

  constructor(sink: FrameSink, compress: boolean) {
    this.compress = compress;
    this.#sink = sink;
    this.#chunk = sink.freshChunk();
    this.#view = viewOf(this.#chunk);
    this.#at = 0;
    this.#rawAt = NO_FRAME;
  }

  /** Hands over what is written so far. */
  flush(): void {
    this.#closeRaw();
    if (this.#at > this.#from) this.#nextChunk();
  }

  /** The chunk that it would write to next; after the last flush nobody else needs it. */
  get unused(): Uint8Array {
    return this.#chunk;
  }

  // ---------------------------------------------------------------- bytes

  byte(value: number): void {
    this.#room(1);
    this.#chunk[this.#at++] = value;
  }

  /** Eight bytes, little-endian, of an integer that a number holds exactly. */
  int64(value: number): void {
    this.#room(8);
    this.#littleEndian(value | 0, 4);
    this.#littleEndian(Math.floor(value / TWO_32), 4);
  }

  /** Eight bytes, little-endian, of a double. */
  double(value: number): void {
    this.#room(8);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  bytes(buf: Uint8Array, off: number, len: number): void {
    let done = 0;
    while (done < len) {
      this.#room(1);
      const piece = Math.min(len - done, this.#chunk.length - this.#at);
      copyBytes(buf, off + done, this.#chunk, this.#at, piece);
      this.#at += piece;
      done += piece;
    }
  }

  /** A length, in the shortest form. */
  length(value: number): void {
    this.#room(SMALL_WRITE_MAX);
    this.#at = putLength(this.#chunk, this.#at, value);
  }

  // ---------------------------------------------------------------- strings

  /** A string, as the integer it is the text of, compressed, or plain. */
  string(buf: Uint8Array, off: number, len: number): void {
    if (len <= INTEGER_TEXT_MAX) {
      const value = parseInteger(buf, off, len);
      if (value === (value | 0)) {
        this.integer(value | 0);
        return;
      }
    }
    if (len <= LZF_OVER || !this.#compresses(len)) this.plain(buf, off, len);
    else {
      this.#closeRaw();
      this.#head(FRAME_TEXT, len);
      this.#text(buf, off, len);
    }
  }

  #compresses(len: number): boolean {
    return this.compress && len <= COMPRESS_BYTES_MAX;
  }

  /**
   * A string of which `bytes` and `words` show the same memory, where it begins at a word; its last
   * word may be read to its end. Measured: an element of a zset takes 70 ns instead of 87, byte by
   * byte.
   */
  alignedString(bytes: Uint8Array, words: Uint32Array, off: number, len: number): void {
    if (len > LZF_OVER || len === 0 || bytes[off]! <= NINE) {
      this.string(bytes, off, len);
      return;
    }
    this.#room(SHORT_LENGTHS);
    const at = this.#at;
    const end = at + 1 + len;
    const view = this.#view;
    this.#chunk[at] = len;
    let word = off >>> 2;
    for (let to = at + 1; to < end; to += 4) view.setUint32(to, words[word++]!, true);
    this.#at = end;
  }

  /** A string that is neither compressed nor tried as an integer. */
  plain(buf: Uint8Array, off: number, len: number): void {
    if (len < SHORT_LENGTHS) {
      this.#short(buf, off, len);
      return;
    }
    this.length(len);
    this.bytes(buf, off, len);
  }

  /** A string of `full` bytes that is compressed already. */
  packed(buf: Uint8Array, off: number, len: number, full: number): void {
    this.byte(0xc0 | ENCODED_LZF);
    this.length(len);
    this.length(full);
    this.bytes(buf, off, len);
  }

  /** The string that is the text of an int32. */
  integer(value: number): void {
    this.#room(SMALL_WRITE_MAX);
    const bytes = value === (value << 24) >> 24 ? 1 : value === (value << 16) >> 16 ? 2 : 4;
    const encoding = bytes === 1 ? ENCODED_INT8 : bytes === 2 ? ENCODED_INT16 : ENCODED_INT32;
    this.#chunk[this.#at++] = 0xc0 | encoding;
    this.#littleEndian(value, bytes);
  }

  /**
   * A string that stands in the arena's block `block`: a large one is lent until the sink has done
   * with it, and must stay as it is.
   */
  stringIn(block: number, bytes: Uint8Array, off: number, len: number): void {
    if (block < HUGE_BASE || len < LENT_BYTES_MIN) {
      this.string(bytes, off, len);
      return;
    }
    const compress = this.#compresses(len);
    if (!compress) this.length(len);
    this.#closeRaw();
    this.#head(compress ? FRAME_TEXT : FRAME_RAW, len);
    this.#sink.take(this.#chunk, this.#from, this.#at, false);
    this.#from = this.#at;
    this.#sink.takeLent(block, bytes, off, len);
  }

  /** A plain string whose length takes one byte. */
  #short(buf: Uint8Array, off: number, len: number): void {
    this.#room(1 + len);
    const at = this.#at;
    this.#chunk[at] = len;
    copyBytes(buf, off, this.#chunk, at + 1, len);
    this.#at = at + 1 + len;
  }

  /** Bytes of the body of a TEXT frame. */
  #text(buf: Uint8Array, off: number, len: number): void {
    let done = 0;
    while (done < len) {
      this.#fit(1);
      const piece = Math.min(len - done, this.#chunk.length - this.#at);
      copyBytes(buf, off + done, this.#chunk, this.#at, piece);
      this.#at += piece;
      done += piece;
    }
  }

  // ---------------------------------------------------------------- frames

  /** Room for `count` bytes, few beside those of a chunk, in an open RAW frame. */
  #room(count: number): void {
    if (this.#rawAt >= 0) {
      if (this.#at + count <= this.#chunk.length) return;
      this.#closeRaw();
    }
    this.#fit(FRAME_HEAD_BYTES + count);
    this.#rawAt = this.#at;
    this.#at += FRAME_HEAD_BYTES;
  }

  /** Fills in the head of the open RAW frame, or takes it back when it is empty. */
  #closeRaw(): void {
    const rawAt = this.#rawAt;
    if (rawAt < 0) return;
    this.#rawAt = NO_FRAME;
    const end = this.#at;
    this.#at = rawAt;
    const length = end - rawAt - FRAME_HEAD_BYTES;
    if (length === 0) return;
    this.#head(FRAME_RAW, length);
    this.#at = end;
  }

  #head(kind: number, length: number): void {
    this.#fit(FRAME_HEAD_BYTES);
    this.#chunk[this.#at++] = kind;
    this.#littleEndian(length, 4);
  }

  /**
   * Goes on in the next chunk when this one has no room for `count` bytes. All ends of chunks come
   * here: where one is met for the first time V8 throws away what it has compiled of the callers,
   * and of those some meet it once in a hundred megabytes.
   */
  #fit(count: number): void {
    if (this.#at + count > this.#chunk.length) this.#nextChunk();
  }

  #nextChunk(): void {
    this.#sink.take(this.#chunk, this.#from, this.#at, true);
    this.#chunk = this.#sink.freshChunk();
    this.#view = viewOf(this.#chunk);
    this.#from = 0;
    this.#at = 0;
  }

  #littleEndian(value: number, count: number): void {
    let rest = value;
    for (let i = 0; i < count; i++) {
      this.#chunk[this.#at++] = rest & 0xff;
      rest >>= 8;
    }
  }
}

/** How many bytes `putLength` writes. */
export function lengthBytes(value: number): number {
  if (value < SHORT_LENGTHS) return 1;
  if (value < 16_384) return 2;
  return value < TWO_32 ? 5 : 9;
}

/** Writes a length at `buf[at]`, at most nine bytes; gives the position behind it. */
export function putLength(buf: Uint8Array, at: number, value: number): number {
  if (value < 64) {
    buf[at] = value;
    return at + 1;
  }
  if (value < 16_384) {
    buf[at] = 0x40 | (value >>> 8);
    buf[at + 1] = value & 0xff;
    return at + 2;
  }
  if (value < TWO_32) {
    buf[at] = 0x80;
    return putBigEndian(buf, at + 1, value);
  }
  buf[at] = 0x81;
  return putBigEndian(buf, putBigEndian(buf, at + 1, Math.floor(value / TWO_32)), value % TWO_32);
}

function putBigEndian(buf: Uint8Array, at: number, value: number): number {
  buf[at] = value >>> 24;
  buf[at + 1] = (value >>> 16) & 0xff;
  buf[at + 2] = (value >>> 8) & 0xff;
  buf[at + 3] = value & 0xff;
  return at + 4;
}

/** A chunk, for numbers that begin anywhere. */
function viewOf(chunk: Uint8Array): DataView {
  return new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
}
