/**
 * Applies a primary's stream: parses it, runs its commands, and accounts for every byte of it.
 *
 *     stream   ...| SET a 1 | MULTI | INCR b | EXEC | SET c ~~
 *                           ^ applied, while the transaction is being queued
 *                                                   ^ applied, once EXEC has run
 *
 * The applied offset moves at the ends of commands outside transactions, so it is always the offset
 * of a dataset that the primary has had: an ACK never claims half a transaction, and a link that is
 * cut goes on with a whole one. The bytes that it passed go to `applied` as they came: sub-replicas
 * and the backlog get the primary's stream byte for byte. That happens once per read; whoever needs
 * the exact offset in between calls `settle`.
 *
 *     carried [ earlier reads, not applied ]   this read [ ... passed ... boundary ... ]
 *                                            ^ told     ^ last command outside MULTI ends
 *
 * A primary sends no inline commands: what looks like one is the middle of something, of which the
 * beginning was lost, and must not be run. Empty lines between commands mean nothing.
 *
 * Invariant: applied and carried bytes are all that was received when `feed` returns.
 */
import type { OfferedBuffers } from '../core/memory/offered-buffers.ts';
import { Args } from '../core/resp/args.ts';
import { PARSED_COMMAND, PARSED_ERROR, RequestParser } from '../core/resp/request-parser.ts';
import { LinkError } from './socket-reader.ts';

/** Free room in front of each read: a command that was cut is put together there. */
const HEADROOM = 65_536;
const READ_BYTES = 65_536;
/** Bytes of what is no command that are shown. */
const SHOWN_MAX = 40;

export interface StreamExecutor {
  /** Where large arguments are received. */
  readonly buffers: OfferedBuffers;
  /** Runs one command of the primary; the arguments are borrowed. */
  execute(args: Args): void;
  /** Whether the primary's commands are being queued: MULTI has come, EXEC has not. */
  readonly inTransaction: boolean;
  /** The dataset has moved on by these bytes of the stream, which are borrowed. */
  applied(bytes: Uint8Array, from: number, length: number): void;
}

export class StreamApplier {
  private readonly executor: StreamExecutor;
  private readonly parser: RequestParser;
  private readonly room = new Uint8Array(HEADROOM + READ_BYTES);
  /** Bytes received and not yet applied, from reads before this one. */
  private carried: Uint8Array[] = [];
  private carriedBytes = 0;
  private stopped = false;
  /**
   * The read that is being worked on, how far `applied` was told of it, and how far it is applied.
   */
  private read: Uint8Array = new Uint8Array(0);
  private passed = 0;
  private boundary = 0;

  constructor(executor: StreamExecutor) {
    this.executor = executor;
    const limits = { bulkBytesMax: Number.MAX_SAFE_INTEGER };
    this.parser = new RequestParser(limits, new Args(), executor.buffers);
  }

  /** Bytes received that are not applied: a command or a transaction that is not complete. */
  get pendingBytes(): number {
    return this.carriedBytes;
  }

  /** Takes what was read. Throws `LinkError` when it is no stream of commands. */
  feed(bytes: Uint8Array): void {
    this.read = bytes;
    this.passed = 0;
    this.boundary = 0;
    for (let from = 0; from < bytes.length && !this.stopped; from += READ_BYTES) {
      const length = Math.min(READ_BYTES, bytes.length - from);
      this.room.set(bytes.subarray(from, from + length), HEADROOM);
      this.run(from, length);
    }
    if (this.stopped) return;
    this.settle();
    if (this.passed === bytes.length) return;
    this.carried.push(bytes.slice(this.passed));
    this.carriedBytes += bytes.length - this.passed;
  }

  /** Ends: a command that is running may call this, and nothing runs after it. */
  stop(): void {
    if (!this.stopped) this.settle();
    this.parser.drop();
    this.stopped = true;
  }

  /** Tells `applied` of everything up to the last command that has run outside a transaction. */
  settle(): void {
    if (this.boundary === this.passed) return;
    for (const one of this.carried) this.executor.applied(one, 0, one.length);
    this.carried = [];
    this.carriedBytes = 0;
    const from = this.passed;
    this.passed = this.boundary;
    this.executor.applied(this.read, from, this.boundary - from);
  }

  /**
   * Parses `room[HEADROOM .. HEADROOM + length)`, which is the read from `from` on and may be
   * written to.
   */
  private run(from: number, length: number): void {
    const { parser, executor } = this;
    parser.feed(this.room, HEADROOM, HEADROOM + length);
    while (!this.stopped) {
      const found = parser.next();
      if (found === PARSED_ERROR) throw new LinkError(`MASTER sent no command: ${parser.error}`);
      if (found !== PARSED_COMMAND) break;
      if (parser.inlineCount > 0) refuse(parser.args);
      executor.execute(parser.args);
      parser.letGo();
      if (!executor.inTransaction) this.boundary = from + length - parser.restBytes;
    }
  }
}

function refuse(args: Args): never {
  const shown = JSON.stringify(args.text(0, SHOWN_MAX));
  throw new LinkError(`MASTER sent no command: ${shown} does not begin with '*'`);
}
