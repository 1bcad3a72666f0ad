/**
 * The request parser: bytes of a connection in, commands out, as offsets into the bytes.
 *
 *     *3\r\n  $3\r\nSET\r\n  $1\r\nk\r\n  $1\r\nv\r\n        a command of three bulk strings
 *     SET k "v"\r\n                                          the same, inline
 *
 * `feed` is given what was read, in a buffer that is only borrowed; `next` is called until it says
 * MORE. A command that is complete in the borrowed buffer is parsed where it lies. The rest, a
 * command that has only begun, is copied into the parser's own buffer. When more arrives that rest
 * is put back into the free room in front of what was read, or, when it is longer than that room,
 * what was read is added behind it; either way parsing goes on where it stopped, and no byte is
 * looked at twice, however many reads a command takes.
 *
 *     borrowed   [ headroom: 0 .. from )[ read: from .. to )
 *     own        [ parsed: 0 .. pos )[ to parse: pos .. end )[ room .. length )
 *
 * A bulk of LARGE_ARGUMENT bytes or more that is not complete gets a buffer of its own, and what is
 * read from then on is copied straight into it (large-arguments.ts).
 *
 * Invariants: args.count + missing is the command's number of arguments while one is being read;
 * offsets refer to `input` for all arguments but the large ones.
 *
 * Errors are Redis's texts, in `error`; after one the connection must be closed.
 */
import { copyBytes } from '../memory/copy.ts';
import type { OfferedBuffers } from '../memory/offered-buffers.ts';
import { giveSpare, takeSpare } from '../memory/spare-buffer.ts';
import { splitArgs } from '../text/args-split.ts';
import { Args } from './args.ts';
import { LargeArguments } from './large-arguments.ts';
import { AHEAD_MAX, type ParsedAhead } from './parsed-ahead.ts';
import { parseWhole } from './whole-command.ts';

/** What `next` found. */
export const PARSED_MORE = 0;
export const PARSED_COMMAND = 1;
export const PARSED_ERROR = 2;

const LARGE_ARGUMENT = 32_768;
const INLINE_MAX = 65_536;
const OWN_FIRST = 4_096;
const INT_MAX = 2_147_483_647;
const UNAUTHENTICATED_ARGS_MAX = 10;
const UNAUTHENTICATED_BULK_MAX = 16_384;
const EMPTY = new Uint8Array(0);

export interface ParserLimits {
  /** `proto-max-bulk-len`, bytes. */
  bulkBytesMax: number;
}

export class RequestParser {
  /** The command that `next` found. */
  args: Args;
  /** What is wrong, without the "-ERR " before it. */
  error = '';
  /** Smaller limits hold until the client has authenticated. */
  authenticated = true;

  /** Commands found so far that came inline. */
  inlineCount = 0;
  private readonly limits: ParserLimits;
  private readonly shared: Args;
  private input: Uint8Array = EMPTY;
  private pos = 0;
  private end = 0;
  private own: Uint8Array = EMPTY;
  /** Whether `input` is `own`. */
  private inOwn = false;
  private missing = 0;
  private bulkLength = -1;
  private readonly large: LargeArguments;

  /**
   * `shared` is used for commands that are complete in one read; parsers of one loop may share it.
   */
  constructor(limits: ParserLimits, shared: Args, buffers: OfferedBuffers) {
    this.limits = limits;
    this.shared = shared;
    this.args = shared;
    this.large = new LargeArguments(buffers);
  }

  /** Bytes that this parser holds for a command that is not complete, or has room for. */
  get pendingBytes(): number {
    return (this.inOwn ? this.end : 0) + this.large.announcedBytes;
  }

  /** The pending bytes that are no whole argument: what `client-query-buffer-limit` bounds. */
  get unparsedBytes(): number {
    return (this.inOwn ? this.end - this.pos : 0) + this.large.announcedBytes;
  }

  /** Bytes of large arguments that have come whole, of a command that has not run yet. */
  get argumentBytes(): number {
    return this.large.completeBytes;
  }

  /**
   * Gives the parser what was read, `bytes[from .. to)`, borrowed until `next` has said MORE.
   * `bytes[0 .. from)` is scratch.
   */
  feed(bytes: Uint8Array, from: number, to: number): void {
    if (this.large.isReceiving) from += this.large.fill(bytes, from, to);
    if (!this.inOwn) {
      this.input = bytes;
      this.pos = from;
      this.end = to;
      return;
    }
    const first = this.missing > 0 ? 0 : this.pos;
    if (this.end - first <= from) this.putBack(bytes, from, to, first);
    else this.append(bytes, from, to);
  }

  /**
   * The next command: PARSED_COMMAND with `args`, PARSED_MORE when the bytes are used up, or
   * PARSED_ERROR.
   */
  next(): number {
    for (;;) {
      if (this.missing === 0) {
        this.large.letGo();
        if (this.pos >= this.end) return this.starve();
        this.args.clear();
        if (this.input[this.pos] !== 42) return this.inlineRequest();
        const count = this.header(42);
        if (count < 0) return count === -1 ? this.starve() : PARSED_ERROR;
        if (count === 0) continue;
        this.missing = count;
      }
      while (this.missing > 0) {
        const step = this.bulk();
        if (step !== PARSED_COMMAND) return step === PARSED_MORE ? this.starve() : step;
      }
      return PARSED_COMMAND;
    }
  }

  /** Whether no command has begun: what is fed next needs nothing of what was fed before. */
  get isIdle(): boolean {
    return !this.inOwn && this.missing === 0;
  }

  /**
   * Parses commands ahead and adds them to `batch`, as far as it has room and whole ones lie in
   * the borrowed buffer. Whoever does not run one goes `backTo` its start.
   */
  ahead(batch: ParsedAhead): void {
    if (!this.isIdle || !this.authenticated) return;
    while (batch.count < AHEAD_MAX) {
      const end = parseWhole(this.input, this.pos, this.end, batch.args[batch.count]!);
      if (end === 0) return;
      batch.starts[batch.count++] = this.pos;
      this.pos = end;
    }
  }

  /** Parses again from `start` on, where a command that was parsed ahead began. */
  backTo(start: number): void {
    this.pos = start;
  }

  /** Fed bytes behind the command that `next` has just found: how far a stream has been used up. */
  get restBytes(): number {
    return this.end - this.pos;
  }

  /** Keeps the rest of a borrowed buffer, for a connection that stops parsing before MORE. */
  keep(): void {
    if (!this.inOwn) this.takeOver();
  }

  /** The command that `next` has found has run: its arguments may go, which `next` sees to, too. */
  letGo(): void {
    this.large.letGo();
  }

  /** Nothing more will come. A command that is complete may still run. */
  drop(): void {
    if (this.missing > 0) this.large.drop();
  }

  private bulk(): number {
    if (this.large.isReceiving) return this.largeBulk();
    if (this.bulkLength < 0) {
      if (this.pos >= this.end) return PARSED_MORE;
      const length = this.header(36);
      if (length === -1) return PARSED_MORE;
      if (length < 0) return PARSED_ERROR;
      this.bulkLength = length;
    }
    const length = this.bulkLength;
    if (this.end - this.pos < length + 2) {
      if (length < LARGE_ARGUMENT) return PARSED_MORE;
      if (!this.large.begin(length)) {
        this.error = `Protocol error: no memory for a bulk of ${length} bytes`;
        return PARSED_ERROR;
      }
      this.pos += this.large.fill(this.input, this.pos, this.end);
      return this.largeBulk();
    }
    this.args.push(this.input, this.pos, length);
    this.pos += length + 2;
    this.bulkLength = -1;
    this.missing--;
    return PARSED_COMMAND;
  }

  private largeBulk(): number {
    if (!this.large.isFull || this.end - this.pos < 2) return PARSED_MORE;
    this.large.addTo(this.args);
    this.pos += 2;
    this.bulkLength = -1;
    this.missing--;
    return PARSED_COMMAND;
  }

  /** Reads "*N\r\n" or "$N\r\n": N, 0 for a count to skip, -1 for not complete, -2 for an error. */
  private header(kind: number): number {
    const input = this.input;
    let at = this.pos;
    if (kind === 36 && input[at] !== 36) {
      this.error = `Protocol error: expected '$', got '${String.fromCharCode(input[at]!)}'`;
      return -2;
    }
    at++;
    let value = 0;
    let digits = 0;
    for (; at < this.end; at++, digits++) {
      const c = input[at]! - 48;
      if (c < 0 || c > 9) break;
      value = value * 10 + c;
    }
    if (at < this.end && input[at] === 13 && digits > 0 && digits < 16) {
      if (at + 1 >= this.end) return -1;
      if (digits > 1 && input[at - digits] === 48) return this.refuse(kind);
      this.pos = at + 2;
      return this.checked(kind, value);
    }
    return this.oddHeader(kind);
  }

  /** A header that is incomplete, negative or wrong. */
  private oddHeader(kind: number): number {
    let at = this.pos + 1;
    while (at < this.end && this.input[at] !== 13) at++;
    if (at >= this.end - 1) {
      if (this.end - this.pos <= INLINE_MAX) return -1;
      this.error = `Protocol error: too big ${kind === 42 ? 'm' : ''}bulk count string`;
      return -2;
    }
    if (kind !== 42 || !isNegative(this.input, this.pos + 1, at)) return this.refuse(kind);
    this.pos = at + 2;
    return 0;
  }

  private checked(kind: number, value: number): number {
    if (kind === 42) {
      if (value > INT_MAX) return this.refuse(kind);
      if (!this.authenticated && value > UNAUTHENTICATED_ARGS_MAX) {
        this.error = 'Protocol error: unauthenticated multibulk length';
        return -2;
      }
      return value;
    }
    if (value > this.limits.bulkBytesMax) return this.refuse(kind);
    if (!this.authenticated && value > UNAUTHENTICATED_BULK_MAX) {
      this.error = 'Protocol error: unauthenticated bulk length';
      return -2;
    }
    return value;
  }

  private refuse(kind: number): number {
    this.error =
      kind === 42
        ? 'Protocol error: invalid multibulk length'
        : 'Protocol error: invalid bulk length';
    return -2;
  }

  private inlineRequest(): number {
    let at = this.pos;
    while (at < this.end && this.input[at] !== 10) at++;
    if (at >= this.end) {
      if (this.end - this.pos <= INLINE_MAX) return this.starve();
      this.error = 'Protocol error: too big inline request';
      return PARSED_ERROR;
    }
    const line = this.input.slice(
      this.pos,
      at > this.pos && this.input[at - 1] === 13 ? at - 1 : at,
    );
    const words = splitArgs(line);
    if (words === undefined) {
      this.error = 'Protocol error: unbalanced quotes in request';
      return PARSED_ERROR;
    }
    this.pos = at + 1;
    if (words.length === 0) return this.next();
    this.args.setTo(words);
    this.inlineCount++;
    return PARSED_COMMAND;
  }

  /** The bytes are used up: keeps what has begun, or lets go of the own buffer. */
  private starve(): number {
    const begun = this.pos < this.end || this.missing > 0;
    if (begun) {
      if (!this.inOwn) this.takeOver();
      return PARSED_MORE;
    }
    this.input = EMPTY;
    this.pos = 0;
    this.end = 0;
    giveSpare(this.own);
    this.own = EMPTY;
    this.inOwn = false;
    if (this.args !== this.shared) this.args.release();
    this.args = this.shared;
    return PARSED_MORE;
  }

  /** Copies what has begun in the borrowed buffer into the own one, its arguments too. */
  private takeOver(): void {
    const borrowed = this.input;
    const had = this.args;
    const begun = this.missing > 0 ? had.count : 0;
    let need = this.end - this.pos;
    for (let i = 0; i < begun; i++) if (had.bytes[i] === borrowed) need += had.lengths[i]!;
    const args = had === this.shared ? new Args() : had;
    if (need > this.own.length)
      this.own = need > OWN_FIRST ? takeSpare(need) : new Uint8Array(OWN_FIRST);
    args.count = 0;
    let at = 0;
    for (let i = 0; i < begun; i++) {
      const from = had.offsets[i]!;
      const length = had.lengths[i]!;
      if (had.bytes[i] !== borrowed) {
        args.push(had.bytes[i]!, from, length);
        continue;
      }
      this.own.set(borrowed.subarray(from, from + length), at);
      args.push(this.own, at, length);
      at += length;
    }
    this.own.set(borrowed.subarray(this.pos, this.end), at);
    this.end = at + this.end - this.pos;
    this.pos = at;
    this.args = args;
    this.input = this.own;
    this.inOwn = true;
  }

  /** Puts what has begun, `own[first .. end)`, in front of what was read, and goes on there. */
  private putBack(bytes: Uint8Array, from: number, to: number, first: number): void {
    const start = from - (this.end - first);
    const shift = start - first;
    copyBytes(this.own, first, bytes, start, this.end - first);
    this.rebase(bytes, shift);
    this.pos += shift;
    this.end = to;
    this.input = bytes;
    this.inOwn = false;
  }

  /** Adds what was read behind what has begun. */
  private append(bytes: Uint8Array, from: number, to: number): void {
    const need = this.end + to - from;
    if (need > this.own.length) {
      const room = takeSpare(Math.max(need, this.end * 2));
      room.set(this.own.subarray(0, this.end));
      this.rebase(room, 0);
      giveSpare(this.own);
      this.own = room;
      this.input = room;
    }
    this.own.set(bytes.subarray(from, to), this.end);
    this.end = need;
  }

  /** The arguments that lie in the own buffer now lie in `bytes`, `shift` further on. */
  private rebase(bytes: Uint8Array, shift: number): void {
    const args = this.args;
    if (this.missing === 0) return;
    for (let i = 0; i < args.count; i++) {
      if (args.bytes[i] !== this.own) continue;
      args.bytes[i] = bytes;
      args.offsets[i] = args.offsets[i]! + shift;
    }
  }
}

/** Whether the text is a negative integer: "-1", which Redis skips as an empty command. */
function isNegative(bytes: Uint8Array, from: number, to: number): boolean {
  if (bytes[from] !== 45 || to - from < 2 || to - from > 19) return false;
  for (let i = from + 1; i < to; i++) if (bytes[i]! < 48 || bytes[i]! > 57) return false;
  return bytes[from + 1] !== 48;
}
