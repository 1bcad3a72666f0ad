/**
 * The reply writer: what a client is to be sent, in RESP2 or RESP3, in chunks of bytes.
 *
 *     chunks   [ full ][ full ][ current: 0 .. at ) ]
 *                   ^ sent up to here
 *
 * Replies are written straight into the current chunk; a chunk that is full joins the queue and
 * another is taken from the pool. Positions count all bytes ever written, so a position stays
 * meaningful while chunks come and go:
 *
 *     sent <= released <= total
 *
 * `sent`: given to the socket. `released`: may be sent, because every write executed before it is
 * as safe as was promised. `total`: written by commands.
 *
 * RESP3 types fall back to RESP2 as Redis does: maps and sets become arrays, doubles bulk strings,
 * booleans integers, null a null bulk, big numbers and verbatim strings bulk strings.
 */
import { copyBytes } from '../memory/copy.ts';
import { DOUBLE_TEXT_MAX, writeDoubleShortest } from '../text/double.ts';
import { integerLength, writeInt64, writeInteger } from '../text/integer.ts';
import type { ChunkPool, FullChunk } from './chunk-pool.ts';
import { fillHead } from './fill-head.ts';
import { SHORT_MAX, SHORT_ROOM, shortHead } from './short-head.ts';

const HEADER_ROOM = 32;
const DOUBLE_ROOM = 64;
const EMPTY = new Uint8Array(0);
/** Shorter ranges are copied all the same: a chunk of their own would cost a send. */
const SHARED_BYTES_MIN = 4096;
const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
const NO_VIEW = new DataView(new ArrayBuffer(0));
const doubleText = new Uint8Array(DOUBLE_TEXT_MAX);

/** Told of every error reply. */
export interface ErrorTally {
  count(text: string): void;
}

export class Reply {
  /** 2 or 3. */
  protocol = 2;
  /** Bytes given to the socket, of all ever written. */
  sent = 0;
  /** Bytes that may be given to the socket. */
  released = 0;
  /** Full chunks that are not sent completely; the first one begins at `queueStart`. */
  readonly queue: FullChunk[] = [];
  /** Position of the first byte of the first chunk. */
  queueStart = 0;
  /** The chunk being written. */
  chunk: Uint8Array = EMPTY;
  /** Where the next byte of the current chunk goes. */
  at = 0;

  private readonly pool: ChunkPool;
  /** The current chunk once more, or one before it: see `bulkWords`. */
  private view: DataView = NO_VIEW;
  private viewed: Uint8Array = EMPTY;
  private readonly tally: ErrorTally | null;
  /** Position of the first byte of the current chunk. */
  private chunkStart = 0;

  constructor(pool: ChunkPool, tally: ErrorTally | null = null) {
    this.pool = pool;
    this.tally = tally;
  }

  /** Bytes ever written. */
  get total(): number {
    return this.chunkStart + this.at;
  }

  /** Bytes of memory that the replies take. */
  get memoryBytes(): number {
    let bytes = this.chunk.length;
    for (const one of this.queue) bytes += one.bytes.length;
    return bytes;
  }

  // ---------------------------------------------------------------- simple types

  /** Bytes that are a reply already, such as a shared "+OK\r\n". */
  raw(bytes: Uint8Array): void {
    this.rawRange(bytes, 0, bytes.length);
  }

  rawRange(bytes: Uint8Array, offset: number, length: number): void {
    let from = offset;
    let left = length;
    while (left > this.chunk.length - this.at) {
      const part = this.chunk.length - this.at;
      copyBytes(bytes, from, this.chunk, this.at, part);
      this.at += part;
      from += part;
      left -= part;
      this.nextChunk();
    }
    copyBytes(bytes, from, this.chunk, this.at, left);
    this.at += left;
  }

  /** Like `raw`, for bytes that never change any more: long ones are queued without a copy. */
  share(bytes: Uint8Array): void {
    if (bytes.length < SHARED_BYTES_MIN) {
      this.rawRange(bytes, 0, bytes.length);
      return;
    }
    if (this.at > 0) {
      this.queue.push({ bytes: this.chunk, length: this.at, shared: false });
      this.chunkStart += this.at;
      this.chunk = EMPTY;
      this.at = 0;
    }
    this.queue.push({ bytes, length: bytes.length, shared: true });
    this.chunkStart += bytes.length;
  }

  /** "+text". The text is ASCII without line ends. */
  simple(text: string): void {
    this.line(43, text);
  }

  /** "-text". The text begins with the code, such as ERR; line ends in it become spaces. */
  error(text: string): void {
    if (this.tally !== null) this.tally.count(text);
    this.line(45, text.replace(/[\r\n]/g, ' '));
  }

  /** A safe integer. */
  integer(value: number): void {
    this.header(58, value);
  }

  /** A 64-bit integer in two words. */
  integer64(low: number, high: number): void {
    this.room(HEADER_ROOM);
    this.chunk[this.at++] = 58;
    this.at += writeInt64(this.chunk, this.at, low, high);
    this.lineEnd();
  }

  bigint(value: bigint): void {
    this.line(58, value.toString());
  }

  bulk(bytes: Uint8Array, offset: number, length: number): void {
    if (length < SHORT_MAX) {
      this.room(length + SHORT_ROOM);
      this.at += shortHead(this.chunk, this.at, length);
    } else this.header(36, length);
    if (length + 2 <= this.chunk.length - this.at) {
      copyBytes(bytes, offset, this.chunk, this.at, length);
      this.at += length;
    } else {
      this.rawRange(bytes, offset, length);
      this.room(2);
    }
    this.lineEnd();
  }

  /**
   * A bulk string of less than `SHORT_MAX` bytes that begins with the word at `from` of `words`: a
   * range's members. Written so, a range of 100 of 16 bytes took 3.8 us, else 6 and more.
   */
  bulkWords(words: Uint32Array, from: number, length: number): void {
    this.room(length + SHORT_ROOM);
    if (this.viewed !== this.chunk) {
      this.viewed = this.chunk;
      this.view = this.pool.viewOf(this.chunk);
    }
    const { view } = this;
    const start = this.at + shortHead(this.chunk, this.at, length);
    const end = start + length;
    let word = from;
    for (let at = start; at < end; at += 4) view.setUint32(at, words[word++]!, LITTLE_ENDIAN);
    this.at = end;
    this.lineEnd();
  }

  /** A bulk string of text with one character a byte (latin1). */
  bulkText(text: string): void {
    this.header(36, text.length);
    this.latin1(text);
    this.room(2);
    this.lineEnd();
  }

  /** A decimal integer as a bulk string. */
  bulkInteger(value: number): void {
    this.header(36, integerLength(value));
    this.at += writeInteger(this.chunk, this.at, value);
    this.lineEnd();
  }

  /** "No such thing": a null bulk string, or RESP3's null. */
  null(): void {
    this.literal(this.protocol === 3 ? '_\r\n' : '$-1\r\n');
  }

  /** "No such list": a null array, or RESP3's null. */
  nullArray(): void {
    this.literal(this.protocol === 3 ? '_\r\n' : '*-1\r\n');
  }

  boolean(value: boolean): void {
    if (this.protocol === 3) this.literal(value ? '#t\r\n' : '#f\r\n');
    else this.integer(value ? 1 : 0);
  }

  /** A double, as Redis 7.2 prints it: a score. */
  double(value: number): void {
    this.doubleBytes(doubleText, writeDoubleShortest(doubleText, 0, value));
  }

  /** A double whose text stands at the beginning of `text`, up to 60 bytes. */
  doubleBytes(text: Uint8Array, length: number): void {
    if (this.protocol !== 3) {
      this.bulk(text, 0, length);
      return;
    }
    this.room(DOUBLE_ROOM);
    this.chunk[this.at++] = 44;
    for (let i = 0; i < length; i++) this.chunk[this.at++] = text[i]!;
    this.lineEnd();
  }

  /** A double whose text is given, as Redis would print it. */
  doubleText(text: string): void {
    if (this.protocol === 3) this.line(44, text);
    else this.bulkText(text);
  }

  /** A big number as decimal text. */
  bigNumber(text: string): void {
    if (this.protocol === 3) this.line(40, text);
    else this.bulkText(text);
  }

  /** Text with a format of three characters, "txt" or "mkd". */
  verbatim(format: string, text: string): void {
    if (this.protocol !== 3) {
      this.bulkText(text);
      return;
    }
    this.header(61, text.length + 4);
    this.latin1(`${format}:${text}`);
    this.room(2);
    this.lineEnd();
  }

  // ---------------------------------------------------------------- aggregates

  array(count: number): void {
    this.header(42, count);
  }

  /** A map of `pairs` keys, each to be followed by its value. */
  map(pairs: number): void {
    if (this.protocol === 3) this.header(37, pairs);
    else this.header(42, pairs * 2);
  }

  set(count: number): void {
    this.header(this.protocol === 3 ? 126 : 42, count);
  }

  push(count: number): void {
    this.header(this.protocol === 3 ? 62 : 42, count);
  }

  /** Writes the head of an array or a map of up to `most` elements, for `fill`; its position. */
  defer(most: number): number {
    this.room(HEADER_ROOM);
    const position = this.total;
    this.header(42, most);
    return position;
  }

  /**
   * Completes the head that `defer` wrote; a map's `count` is that of its pairs. Nothing may have
   * been sent since.
   */
  fill(deferred: number, kind: '*' | '%', count: number): void {
    let { chunk, chunkStart: start, at: end } = this;
    let full = this.queue.length;
    while (deferred < start) {
      const one = this.queue[--full]!;
      chunk = one.bytes;
      end = one.length;
      start -= end;
    }
    const spare = fillHead(chunk, deferred - start, end, kind, count);
    if (full < this.queue.length) {
      this.queue[full]!.length -= spare;
      this.chunkStart -= spare;
    } else this.at -= spare;
  }

  // ---------------------------------------------------------------- positions

  /** Everything written may be sent. */
  releaseAll(): void {
    this.released = this.chunkStart + this.at;
  }

  /** Takes back what was written after `position`, of which nothing has been released. */
  rewind(position: number): void {
    while (position < this.chunkStart) {
      const last = this.queue.pop();
      if (last === undefined) throw new Error('reply: rewound past what was sent');
      this.pool.give(this.chunk);
      this.chunk = last.shared ? last.bytes.slice() : last.bytes;
      this.chunkStart -= last.length;
    }
    this.at = position - this.chunkStart;
  }

  /** Notes that `count` more bytes were sent, and gives back the chunks that are done. */
  advance(count: number): void {
    this.sent += count;
    while (this.queue.length > 0 && this.queueStart + this.queue[0]!.length <= this.sent) {
      const done = this.queue.shift()!;
      this.queueStart += done.length;
      if (!done.shared) this.pool.give(done.bytes);
    }
    if (this.sent === this.total) this.reset();
  }

  /** Drops everything that was not sent, for a client that has gone. */
  drop(): void {
    for (const one of this.queue) if (!one.shared) this.pool.give(one.bytes);
    this.queue.length = 0;
    this.sent = this.total;
    this.released = this.sent;
    this.reset();
  }

  private reset(): void {
    this.chunkStart += this.at;
    this.queueStart = this.chunkStart;
    this.at = 0;
    if (this.chunk !== EMPTY) this.pool.give(this.chunk);
    this.chunk = EMPTY;
  }

  // ---------------------------------------------------------------- bytes

  private room(bytes: number): void {
    if (this.chunk.length - this.at < bytes) this.nextChunk();
  }

  private nextChunk(): void {
    if (this.at > 0) {
      this.queue.push({ bytes: this.chunk, length: this.at, shared: false });
      this.chunkStart += this.at;
    } else if (this.chunk !== EMPTY) return;
    this.chunk = this.pool.take();
    this.at = 0;
  }

  private header(kind: number, value: number): void {
    this.room(HEADER_ROOM);
    const chunk = this.chunk;
    let at = this.at;
    chunk[at++] = kind;
    if (value >= 0 && value < 10) chunk[at++] = 48 + value;
    else at += writeInteger(chunk, at, value);
    chunk[at++] = 13;
    chunk[at++] = 10;
    this.at = at;
  }

  private lineEnd(): void {
    this.chunk[this.at++] = 13;
    this.chunk[this.at++] = 10;
  }

  private line(kind: number, text: string): void {
    this.room(HEADER_ROOM);
    this.chunk[this.at++] = kind;
    this.latin1(text);
    this.room(2);
    this.lineEnd();
  }

  private literal(text: string): void {
    this.room(HEADER_ROOM);
    this.latin1(text);
  }

  private latin1(text: string): void {
    const length = text.length;
    for (let i = 0; i < length; ) {
      if (this.at === this.chunk.length) this.nextChunk();
      const end = Math.min(length, i + this.chunk.length - this.at);
      for (; i < end; i++) this.chunk[this.at++] = text.charCodeAt(i);
    }
  }
}
