/**
 * Reads an AOF file as a sequence of items: commands, annotations, checked frames. One window of
 * the file is in memory, and what does not fit has buffers of its own:
 *
 *   file    0 ............ parsed ............|...... window ......|............ size
 *   window                 buf[0 .. at)  parsed, may hold arguments of the command being read
 *                          buf[at .. end) to parse
 *
 * `next` parses without waiting. When it returns 'more', `fill` reads on (and, before a frame that
 * is larger than the window, sums the whole frame). No byte is parsed twice: before the window
 * moves on, arguments that lie in it are copied out. A bulk that is large and not complete in the
 * window gets a buffer of exactly its size, and the file is read straight into that.
 *
 * The end of a file is torn when it stops within a command, an annotation or a frame. Zeros up to
 * the end count as missing: that is how a file looks whose length reached the disk before its
 * bytes, and no command ends in one. A frame that is all there and does not match its checksum, or
 * bytes that are no AOF, are damage. A command of a frame that is all there is given out only after
 * the frame was checked; of a frame that is not, the whole commands are given out unchecked.
 */
import { Args } from '../../core/resp/args.ts';
import { Crc64 } from '../crc64.ts';
import type { OpenFile } from '../file-system.ts';
import {
  ANNOTATION_BYTES_MAX,
  beginsFrameHead,
  decodeFrameHead,
  decodeTimeLine,
  FRAME_HEAD_BYTES,
  type FrameHead,
  isVoidedHead,
} from './aof-frame.ts';
import { type AofPosition, decodePositionLine } from './aof-position.ts';

/** What `next` found. */
export type AofItem = 'command' | 'time' | 'position' | 'more' | 'end' | 'torn' | 'damaged';

const WINDOW_BYTES = 1024 * 1024;
const BIG_BULK_BYTES = 64 * 1024;
/** `*` or `$`, ten digits, CR LF; with room to spare. */
const NUMBER_LINE_BYTES_MAX = 24;
const ARGUMENTS_MAX = 0x7fff_ffff;

const STAR = 0x2a;
const DOLLAR = 0x24;
const HASH = 0x23;
const CR = 0x0d;
const LF = 0x0a;

export class AofReader {
  /** The arguments of the command found; borrowed until the next call. */
  readonly args: Args;
  /** Where the item found begins; for the first command of a frame, still the command itself. */
  itemOffset: number;
  /** The seconds of a time line, NaN when they cannot be read. */
  timeSeconds: number;
  /** What a position line says. */
  position: AofPosition | null;
  /** What is wrong with a damaged file. */
  reason: string;
  /** Frames checked so far. */
  frameCount: number;
  /** Where the frame begins that the file ends within, or -1. */
  tornHeadOffset: number;
  readonly #file: OpenFile;
  readonly #size: number;
  #buf: Uint8Array;
  /** The file offset of `#buf[0]`. */
  #bufOffset: number;
  #at: number;
  #end: number;
  #argsLeft: number;
  #bulkLength: number;
  #big: Uint8Array | undefined;
  #bigFilled: number;
  #frameStart: number;
  #frameEnd: number;
  #head: FrameHead | undefined;
  #bodyCrc: Crc64;
  #isBodySummed: boolean;

  /** Reads `file` from `offset` up to `size`; see `contentSize` for zeros at the end. */
  constructor(file: OpenFile, offset: number, size: number) {
    this.args = new Args();
    this.itemOffset = offset;
    this.timeSeconds = 0;
    this.position = null;
    this.reason = '';
    this.frameCount = 0;
    this.tornHeadOffset = -1;
    this.#file = file;
    this.#size = size;
    this.#buf = new Uint8Array(Math.max(16, Math.min(WINDOW_BYTES, size - offset)));
    this.#bufOffset = offset;
    this.#at = 0;
    this.#end = 0;
    this.#argsLeft = 0;
    this.#bulkLength = -1;
    this.#big = undefined;
    this.#bigFilled = 0;
    this.#frameStart = -1;
    this.#frameEnd = -1;
    this.#head = undefined;
    this.#bodyCrc = new Crc64();
    this.#isBodySummed = false;
  }

  /** The offset of the next byte to parse. */
  get offset(): number {
    return this.#bufOffset + this.#at;
  }

  /** Where to cut the file to be rid of the item found and to leave no frame half. */
  get itemCutOffset(): number {
    const isInFrame = this.itemOffset >= this.#frameStart && this.itemOffset < this.#frameEnd;
    return isInFrame ? this.#frameStart : this.itemOffset;
  }

  /** The next item. 'end', 'torn' and 'damaged' are final, with the place in `itemOffset`. */
  next(): AofItem {
    const item = this.#next();
    // Within a frame that is not all there, whatever cannot be understood was not all written.
    const isFinal = item === 'end' || item === 'damaged';
    return isFinal && this.tornHeadOffset >= 0 ? 'torn' : item;
  }

  #next(): AofItem {
    for (;;) {
      if (this.#head !== undefined) {
        const state = this.#checkFrame(this.#head);
        if (state !== undefined) return state;
      }
      if (this.#argsLeft > 0) return this.#readArguments();
      this.itemOffset = this.offset;
      if (this.#at === this.#end) return this.#atEndOfFile ? 'end' : 'more';
      const first = this.#buf[this.#at];
      if (first === HASH) {
        const item = this.#readAnnotation();
        if (item !== undefined) return item;
      } else {
        if (first !== STAR) return this.#damaged("expected '*' or '#', the start of a command");
        this.args.clear();
        const count = this.#readNumber();
        if (count < 0) return this.#numberTrouble(count);
        if (count === 0 || count > ARGUMENTS_MAX) return this.#damaged('a command has no words');
        this.#argsLeft = count;
      }
    }
  }

  get #atEndOfFile(): boolean {
    return this.#bufOffset + this.#end >= this.#size;
  }

  #damaged(reason: string): AofItem {
    this.reason = reason;
    return 'damaged';
  }

  // ---- commands --------------------------------------------------------------------------

  #readArguments(): AofItem {
    while (this.#argsLeft > 0) {
      if (this.#bulkLength < 0) {
        if (this.#at === this.#end) return this.#atEndOfFile ? 'torn' : 'more';
        if (this.#buf[this.#at] !== DOLLAR) {
          return this.#damaged(`expected '$' at offset ${this.offset}, the start of a word`);
        }
        const length = this.#readNumber();
        if (length < 0) return this.#numberTrouble(length);
        this.#bulkLength = length;
      }
      const state = this.#readBulk(this.#bulkLength);
      if (state !== undefined) return state;
      this.#bulkLength = -1;
      this.#argsLeft--;
    }
    if (this.itemOffset < this.#frameEnd && this.offset > this.#frameEnd) {
      return this.#damaged('a command goes beyond the end of its turn');
    }
    return 'command';
  }

  /** Takes a bulk's bytes and its line end; undefined when done. */
  #readBulk(length: number): AofItem | undefined {
    const big = this.#big;
    const rest = length - (big === undefined ? 0 : this.#bigFilled);
    if (this.offset + rest + 2 > this.#size) return 'torn';
    if (big === undefined && this.#end - this.#at < length + 2) {
      if (length >= BIG_BULK_BYTES) this.#beginBig(length);
      return 'more';
    }
    if (big !== undefined && (rest > 0 || this.#end - this.#at < 2)) return 'more';
    const end = this.#at + (big === undefined ? length : 0);
    if (this.#buf[end] !== CR || this.#buf[end + 1] !== LF) {
      return this.#damaged(`no line end after a word of ${length} bytes`);
    }
    if (big === undefined) this.args.push(this.#buf, this.#at, length);
    else this.args.push(big, 0, length);
    this.#big = undefined;
    this.#at = end + 2;
    return undefined;
  }

  #beginBig(length: number): void {
    const big = new Uint8Array(length);
    const have = Math.min(length, this.#end - this.#at);
    big.set(this.#buf.subarray(this.#at, this.#at + have));
    this.#at += have;
    this.#bigFilled = have;
    this.#big = big;
  }

  /** A line `*<digits>` or `$<digits>`: its number, -1 when it is not all there, -2 when wrong. */
  #readNumber(): number {
    let value = 0;
    let i = this.#at + 1;
    for (; i < this.#end && this.#buf[i] !== CR; i++) {
      const digit = this.#buf[i]! - 0x30;
      if (digit < 0 || digit > 9 || i - this.#at > NUMBER_LINE_BYTES_MAX) return -2;
      value = value * 10 + digit;
    }
    if (i === this.#at + 1 && i < this.#end) return -2;
    if (i + 1 >= this.#end) return -1;
    if (this.#buf[i + 1] !== LF) return -2;
    this.#at = i + 2;
    return value;
  }

  #numberTrouble(code: number): AofItem {
    if (code === -1) return this.#atEndOfFile ? 'torn' : 'more';
    return this.#damaged(`not a number at offset ${this.offset + 1}`);
  }

  // ---- annotations and frames ------------------------------------------------------------

  /** A line that begins with '#'; undefined: skipped, go on. */
  #readAnnotation(): AofItem | undefined {
    const found = this.#buf.indexOf(LF, this.#at);
    const isWhole = found >= 0 && found < this.#end;
    const length = (isWhole ? found + 1 : this.#end) - this.#at;
    if (length > ANNOTATION_BYTES_MAX) return this.#damaged('an annotation is too long');
    if (!isWhole) return this.#atEndOfFile ? 'torn' : 'more';
    const isLong = length === FRAME_HEAD_BYTES;
    if ((isLong || beginsFrameHead(this.#buf, this.#at, length)) && !this.#isVoided(isLong)) {
      const head = isLong ? decodeFrameHead(this.#buf, this.#at) : undefined;
      if (head === undefined) return this.#damaged('a checksum line is damaged itself');
      return this.#beginFrame(head);
    }
    const seconds = decodeTimeLine(this.#buf, this.#at, length);
    const position = decodePositionLine(this.#buf, this.#at, length);
    this.#at += length;
    if (position !== undefined) {
      this.position = position;
      return 'position';
    }
    if (seconds === undefined) return undefined;
    this.timeSeconds = seconds;
    return 'time';
  }

  #isVoided(isLong: boolean): boolean {
    return isLong && isVoidedHead(this.#buf, this.#at);
  }

  #beginFrame(head: FrameHead): AofItem | undefined {
    if (this.offset < this.#frameEnd) return this.#damaged('a turn within a turn');
    if (this.offset + FRAME_HEAD_BYTES + head.bodyBytes > this.#size) {
      this.tornHeadOffset = this.offset;
      this.#at += FRAME_HEAD_BYTES;
      return undefined;
    }
    this.#frameStart = this.offset;
    this.#at += FRAME_HEAD_BYTES;
    this.#frameEnd = this.offset + head.bodyBytes;
    this.#head = head;
    this.#isBodySummed = false;
    return undefined;
  }

  /** Checks the body that begins at the window's cursor; undefined when it is sound. */
  #checkFrame(head: FrameHead): AofItem | undefined {
    if (!this.#isBodySummed) {
      if (this.#end - this.#at < head.bodyBytes) return 'more';
      this.#bodyCrc.reset();
      this.#bodyCrc.update(this.#buf, this.#at, head.bodyBytes);
    }
    if (this.#bodyCrc.lo !== head.crcLo || this.#bodyCrc.hi !== head.crcHi) {
      this.itemOffset = this.#frameStart;
      this.#frameEnd = this.#frameStart;
      return this.#damaged(`a turn of ${head.bodyBytes} bytes does not match its checksum`);
    }
    this.#head = undefined;
    this.frameCount++;
    return undefined;
  }

  /** Sums a body that is larger than the window, without moving the window. */
  async #sumBody(head: FrameHead): Promise<void> {
    const scratch = new Uint8Array(WINDOW_BYTES);
    const end = this.offset + head.bodyBytes;
    this.#bodyCrc.reset();
    for (let at = this.offset; at < end; ) {
      const count = await this.#file.read(scratch, 0, Math.min(scratch.length, end - at), at);
      if (count === 0) throw becameShorter(this.#file.path);
      this.#bodyCrc.update(scratch, 0, count);
      at += count;
    }
    this.#isBodySummed = true;
  }

  // ---- the window ------------------------------------------------------------------------

  /** Reads on after 'more'. */
  async fill(): Promise<void> {
    const head = this.#head;
    if (head !== undefined && !this.#isBodySummed && head.bodyBytes > this.#buf.length) {
      return this.#sumBody(head);
    }
    const big = this.#big;
    if (big !== undefined && this.#bigFilled < big.length) return this.#fillBig(big);
    this.#detachArguments();
    this.#buf.copyWithin(0, this.#at, this.#end);
    this.#bufOffset += this.#at;
    this.#end -= this.#at;
    this.#at = 0;
    const room = Math.min(this.#buf.length - this.#end, this.#size - this.#bufOffset - this.#end);
    const from = this.#bufOffset + this.#end;
    const count = await this.#file.read(this.#buf, this.#end, room, from);
    if (count === 0) throw becameShorter(this.#file.path);
    this.#end += count;
  }

  /** The window is used up when this runs: it goes on behind what the bulk has taken. */
  async #fillBig(big: Uint8Array): Promise<void> {
    const from = this.offset;
    const count = await this.#file.read(big, this.#bigFilled, big.length - this.#bigFilled, from);
    if (count === 0) throw becameShorter(this.#file.path);
    this.#bigFilled += count;
    this.#detachArguments();
    this.#bufOffset = from + count;
    this.#at = 0;
    this.#end = 0;
  }

  /** Copies the arguments that lie in the window to a buffer of their own. */
  #detachArguments(): void {
    const { args } = this;
    if (this.#argsLeft === 0 || args.count === 0) return;
    let bytes = 0;
    for (let i = 0; i < args.count; i++) {
      if (args.bytes[i] === this.#buf) bytes += args.lengths[i]!;
    }
    const copy = new Uint8Array(bytes);
    let at = 0;
    for (let i = 0; i < args.count; i++) {
      if (args.bytes[i] !== this.#buf) continue;
      const from = args.offsets[i]!;
      const length = args.lengths[i]!;
      copy.set(this.#buf.subarray(from, from + length), at);
      args.bytes[i] = copy;
      args.offsets[i] = at;
      at += length;
    }
  }
}

/** The size of a file without the zeros at its end, which were never written. */
export async function contentSize(file: OpenFile, size: number): Promise<number> {
  const chunk = new Uint8Array(Math.min(size, WINDOW_BYTES));
  let end = size;
  while (end > 0) {
    const from = Math.max(0, end - chunk.length);
    const count = await file.read(chunk, 0, end - from, from);
    if (count < end - from) throw becameShorter(file.path);
    for (let i = count - 1; i >= 0; i--) {
      if (chunk[i] !== 0) return from + i + 1;
    }
    end = from;
  }
  return 0;
}

/** Why a file that ended before its size can be read no further. */
export function becameShorter(path: string): Error {
  return new Error(`${path} became shorter while it was read`);
}
