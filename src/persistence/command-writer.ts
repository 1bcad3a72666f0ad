/**
 * The command writer: takes commands word by word and hands them out in turns. In the base of an
 * AOF a checksum line stands before each turn, exactly as in the file (aof-frame.ts).
 *
 *     #buf   [ head, 40 bytes | command | command | word word .. | room ]
 *              ^ filled in when the turn is closed       ^ #at
 *
 * A turn is closed after the first command that brings it to 64 KiB, so that a reader can check it
 * within one window. The elements of a collection arrive one by one and are gathered into commands
 * of at most 64 elements, as Redis writes them, or of 1 MiB, so that not all large ones are held.
 *
 *     element, element .. -> #batch [ $4 abcd $2 xy .. ] -> *66 $5 RPUSH $3 key <batch>
 */
import { copyBytes } from '../core/memory/copy.ts';
import { writeInteger } from '../core/text/integer.ts';
import { encodeFrameHead, encodeTimeLine, FRAME_HEAD_BYTES } from './aof/aof-frame.ts';
import type { ByteSink } from './byte-output.ts';
import { Crc64 } from './crc64.ts';

/** What the turns of a base carry beside their commands. */
export interface CommandBase {
  /** `aof-checksum`. */
  readonly checksum: boolean;
  /** The moment of the base in seconds since 1970, for its time line; -1 leaves it out. */
  readonly timeSeconds: number;
}

/** Commands and nothing else. */
const PLAIN: CommandBase = { checksum: false, timeSeconds: -1 };

/** Elements in a command at most; a pair counts as one. */
const BATCH_ELEMENTS_MAX = 64;
const BATCH_BYTES_MAX = 1 << 20;
const TURN_BYTES = 1 << 16;
const KEPT_BYTES = 1 << 21;
/** A last word of this many bytes or more is passed on without being copied. */
const LENT_BYTES_MIN = 1 << 18;
/** `*` or `$`, digits, CR LF. */
const LINE_ROOM = 24;

const STAR = 0x2a;
const DOLLAR = 0x24;
const CR = 0x0d;
const LF = 0x0a;
const LINE_END = Uint8Array.of(CR, LF);

/** A growing buffer of RESP words. */
class Words {
  buf = new Uint8Array(TURN_BYTES * 2);
  at = 0;

  line(first: number, value: number): void {
    this.room(LINE_ROOM);
    this.buf[this.at++] = first;
    this.at += writeInteger(this.buf, this.at, value);
    this.buf[this.at++] = CR;
    this.buf[this.at++] = LF;
  }

  bytes(buf: Uint8Array, off: number, len: number): void {
    this.room(len);
    copyBytes(buf, off, this.buf, this.at, len);
    this.at += len;
  }

  word(buf: Uint8Array, off: number, len: number): void {
    this.line(DOLLAR, len);
    this.bytes(buf, off, len);
    this.bytes(LINE_END, 0, LINE_END.length);
  }

  /** A word of latin1 text. */
  text(text: string): void {
    const { length } = text;
    this.line(DOLLAR, length);
    this.room(length);
    for (let i = 0; i < length; i++) this.buf[this.at++] = text.charCodeAt(i);
    this.bytes(LINE_END, 0, LINE_END.length);
  }

  /** Makes sure of room for `count` bytes. */
  room(count: number): void {
    const needed = this.at + count;
    if (needed <= this.buf.length) return;
    const grown = new Uint8Array(Math.max(this.buf.length * 2, needed));
    grown.set(this.buf.subarray(0, this.at));
    this.buf = grown;
  }

  /** Empties the buffer, and releases it if it has grown large. */
  clear(): void {
    this.at = 0;
    if (this.buf.length > KEPT_BYTES) this.buf = new Uint8Array(TURN_BYTES * 2);
  }
}

export class CommandWriter {
  /** Bytes of the file so far. */
  producedBytes: number;
  readonly #output: ByteSink;
  readonly #headBytes: number;
  readonly #words = new Words();
  readonly #batch = new Words();
  readonly #crc = new Crc64();
  #name = '';
  #key: Uint8Array = new Uint8Array(0);
  #keyLength = 0;
  #elements = 0;
  #wordsOfElements = 0;

  /** Without `base` there are only commands. */
  constructor(output: ByteSink, base = PLAIN) {
    this.producedBytes = 0;
    this.#output = output;
    this.#headBytes = base.checksum ? FRAME_HEAD_BYTES : 0;
    this.#words.at = this.#headBytes;
    if (base.timeSeconds < 0) return;
    this.#words.at += encodeTimeLine(this.#words.buf, this.#words.at, base.timeSeconds);
  }

  // ---------------------------------------------------------------- commands

  /** Begins a command of `words` words. */
  begin(words: number): void {
    if (this.#words.at >= this.#headBytes + TURN_BYTES) this.flush();
    this.#words.line(STAR, words);
  }

  word(buf: Uint8Array, off: number, len: number): void {
    this.#words.word(buf, off, len);
  }

  /** A word of latin1 text. */
  text(text: string): void {
    this.#words.text(text);
  }

  /** The last word of a command, whatever its size. */
  lastWord(buf: Uint8Array, off: number, len: number): void {
    if (len < LENT_BYTES_MIN) {
      this.word(buf, off, len);
      return;
    }
    this.#words.line(DOLLAR, len);
    this.#close(buf.subarray(off, off + len));
  }

  /** An annotation, which stands between commands. */
  line(bytes: Uint8Array): void {
    this.#words.bytes(bytes, 0, bytes.length);
  }

  // ---------------------------------------------------------------- batches

  /**
   * The elements that follow are for this command and key, which is borrowed until `closeBatch`.
   */
  openBatch(name: string, key: Uint8Array, keyLength: number): void {
    this.#name = name;
    this.#key = key;
    this.#keyLength = keyLength;
  }

  /** A word of an element, except its last. */
  elementWord(buf: Uint8Array, off: number, len: number): void {
    this.#batch.word(buf, off, len);
    this.#wordsOfElements++;
  }

  /** The last word of an element. Returns whether it filled its command, which is then written. */
  lastElementWord(buf: Uint8Array, off: number, len: number): boolean {
    this.#elements++;
    if (len >= BATCH_BYTES_MAX) {
      this.#wordsOfElements++;
      this.#writeBatch();
      this.lastWord(buf, off, len);
      return true;
    }
    this.elementWord(buf, off, len);
    if (this.#elements < BATCH_ELEMENTS_MAX && this.#batch.at < BATCH_BYTES_MAX) return false;
    this.#writeBatch();
    return true;
  }

  /** Writes the elements that were gathered. */
  closeBatch(): void {
    if (this.#elements > 0) this.#writeBatch();
  }

  #writeBatch(): void {
    this.begin(2 + this.#wordsOfElements);
    this.text(this.#name);
    this.word(this.#key, 0, this.#keyLength);
    this.#words.bytes(this.#batch.buf, 0, this.#batch.at);
    this.#batch.clear();
    this.#elements = 0;
    this.#wordsOfElements = 0;
  }

  // ---------------------------------------------------------------- turns

  /** Hands out what was written so far, as a turn. */
  flush(): void {
    if (this.#words.at > this.#headBytes) this.#close(null);
  }

  /** Closes the turn behind `lent`, the last bytes of its last word, if they are given. */
  #close(lent: Uint8Array | null): void {
    const words = this.#words;
    const body = words.at - this.#headBytes;
    const lentBytes = lent === null ? 0 : lent.length + LINE_END.length;
    if (this.#headBytes > 0) {
      this.#crc.reset();
      this.#crc.update(words.buf, this.#headBytes, body);
      if (lent !== null) {
        this.#crc.update(lent, 0, lent.length);
        this.#crc.update(LINE_END, 0, LINE_END.length);
      }
      encodeFrameHead(words.buf, 0, this.#crc, body + lentBytes);
    }
    this.#output(words.buf, words.at);
    if (lent !== null) {
      this.#output(lent, lent.length);
      this.#output(LINE_END, LINE_END.length);
    }
    this.producedBytes += words.at + lentBytes;
    words.clear();
    words.at = this.#headBytes;
  }
}
