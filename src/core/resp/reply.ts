/**
 * The reply writer: what a client is to be sent, in RESP2 or RESP3. The bytes go into chunks
 * (reply-chunks.ts).
 *
 * RESP3 types fall back to RESP2 as Redis does: maps and sets become arrays, doubles bulk strings,
 * booleans integers, null a null bulk, big numbers and verbatim strings bulk strings.
 */
import { copyBytes } from '../memory/copy.ts';
import { DOUBLE_TEXT_MAX, writeDoubleShortest } from '../text/double.ts';
import { integerLength, writeInt64, writeInteger } from '../text/integer.ts';
import type { ChunkPool } from './chunk-pool.ts';
import { ReplyChunks } from './reply-chunks.ts';
import { SHORT_MAX, SHORT_ROOM, shortHead } from './short-head.ts';

const HEADER_ROOM = 32;
const DOUBLE_ROOM = 64;
const LINE_FEED = 10;
/** Bytes of the head of a bulk string of 10 to 99 bytes. */
const TWO_DIGIT_HEAD = 5;
const doubleText = new Uint8Array(DOUBLE_TEXT_MAX);

/** Counts error replies. */
export interface ErrorTally {
  count(text: string): void;
}

export class Reply extends ReplyChunks {
  /** The version of RESP that replies are written in: 2 or 3. */
  protocol = 2;
  private readonly tally: ErrorTally | null;

  constructor(pool: ChunkPool, tally: ErrorTally | null = null) {
    super(pool);
    this.tally = tally;
  }

  // ---------------------------------------------------------------- simple types

  /** "+text". The text is ASCII without line ends. */
  simple(text: string): void {
    this.line(43, text);
  }

  /** "-text". The text begins with the code, such as ERR; line ends in it become spaces. */
  error(text: string): void {
    if (this.tally !== null) this.tally.count(text);
    this.line(45, text.replace(/[\r\n]/g, ' '));
  }

  /** Writes a safe integer. */
  integer(value: number): void {
    this.header(58, value);
  }

  /** Writes a 64-bit integer that is given in two 32-bit words. */
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

  /** A 64-bit integer in two words as a bulk string. */
  bulkInteger64(low: number, high: number): void {
    this.room(HEADER_ROOM);
    const { at, chunk } = this;
    // Most of those that are not kept as small numbers have ten digits or more.
    const length = writeInt64(chunk, at + TWO_DIGIT_HEAD, low, high);
    const head = shortHead(chunk, at, length);
    if (head < TWO_DIGIT_HEAD) {
      for (let i = at + head; i < at + head + length; i++) chunk[i] = chunk[i + 1]!;
    }
    this.at = at + head + length;
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

  /** Writes a big number that is given as decimal text. */
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

  /** Like `verbatim`, of the first `length` bytes. */
  verbatimBytes(format: string, bytes: Uint8Array, length: number): void {
    if (this.protocol !== 3) {
      this.bulk(bytes, 0, length);
      return;
    }
    this.header(61, length + 4);
    this.latin1(`${format}:`);
    this.rawRange(bytes, 0, length);
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

  /**
   * Writes the head of an array or a map that may turn out to have fewer elements than `most`;
   * `fill` then says how many. Returns where the head stands.
   */
  defer(most: number): number {
    this.room(HEADER_ROOM);
    const position = this.total;
    this.header(42, most);
    return position;
  }

  /**
   * Completes the head that `defer` wrote; a map's `count` is that of its pairs. What follows in
   * its chunk moves up when the number is shorter. Nothing may have been sent since.
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
    const head = deferred - start;
    let body = head + 2;
    while (chunk[body - 1] !== LINE_FEED) body++;
    chunk[head] = kind === '*' ? 42 : 37;
    const length = integerLength(count);
    const spare = body - (head + 3 + length);
    if (spare < 0) throw new Error('reply: more elements than were announced');
    writeInteger(chunk, head + 1, count);
    chunk[head + 1 + length] = 13;
    chunk[head + 2 + length] = LINE_FEED;
    if (spare === 0) return;
    chunk.copyWithin(body - spare, body, end);
    if (full === this.queue.length) this.at -= spare;
    else {
      this.queue[full]!.length -= spare;
      this.chunkStart -= spare;
    }
  }

  // ---------------------------------------------------------------- bytes

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
