/**
 * A client: one connection's state. What it is sent is in `reply`, what it sent is in `parser`.
 *
 * Some clients have no link: the one that replays the AOF, and the one that runs a primary's
 * stream.
 */
import type { OfferedBuffers } from '../../core/memory/offered-buffers.ts';
import type { Args } from '../../core/resp/args.ts';
import type { ChunkPool } from '../../core/resp/chunk-pool.ts';
import { type ErrorTally, Reply } from '../../core/resp/reply.ts';
import { type ParserLimits, RequestParser } from '../../core/resp/request-parser.ts';
import type { User } from '../acl/acl-user.ts';
import type { Command } from '../dispatch/command.ts';
import type { Link } from '../io/link.ts';
import type { Subscriptions } from './pubsub.ts';
import type { TrackingState } from './tracking.ts';
import type { Transaction } from './transaction.ts';

/** Unsent replies above which a client's commands wait at first. */
export const OUTPUT_FIRST_MARK = 1 << 20;

/** Why a client's further commands wait. */
export const RUNNING = 0;
export const WAIT_BLOCKED = 1;
export const WAIT_PAUSED = 2;
export const WAIT_OUTPUT = 3;
export const WAIT_CLOSING = 4;
export const WAIT_WORK = 5;
export const WAIT_SNAPSHOT = 6;
/** What it waited for has come; it goes on with the next turn. */
export const WAIT_TURN = 7;

/** The modes of CLIENT REPLY. */
export const REPLY_ON = 0;
export const REPLY_OFF = 1;
export const REPLY_SKIP_NEXT = 2;
export const REPLY_SKIP = 3;

/** A key under WATCH. */
export interface WatchedKey {
  readonly id: string;
  readonly db: number;
  readonly key: Uint8Array;
  /** Whether it had expired already when it was watched, and still stands. */
  wasExpired: boolean;
}

export class Client {
  readonly id: number;
  readonly reply: Reply;
  readonly parser: RequestParser;
  link: Link | null = null;
  /** Number of the selected database. */
  db = 0;
  name = '';
  libName = '';
  libVersion = '';
  /** Whose rights it has; null for all rights (files, a primary's stream). */
  user: User | null = null;
  authenticated = true;
  /** Numbers from the beginning, or a new object would be made for each time that is kept. */
  createdMs = 0;
  lastActiveMs = 0;
  /** Why the client's commands wait, or RUNNING. */
  waiting: number = RUNNING;
  /** Closes as soon as its replies are sent. */
  closeAfterReply = false;
  closed = false;
  replyMode: number = REPLY_ON;
  /** Where in `reply` begins what CLIENT REPLY OFF and SKIP will take back. */
  silentFrom = 0;
  /** State between MULTI and EXEC. */
  transaction: Transaction | null = null;
  watched: WatchedKey[] = [];
  /** Bytes of the names of all watched keys. */
  watchedBytes = 0;
  /** Keys that it waits for, and the bytes of their names. */
  awaitedKeys = 0;
  awaitedBytes = 0;
  /** A watched key changed: EXEC will answer null. */
  watchedChanged = false;
  monitor = false;
  noEvict = false;
  noTouch = false;
  /** Whether it came over a unix socket or from this machine. */
  local = true;
  unixSocket = false;
  /** Whether it is a replica of this server, or its primary. */
  isReplica = false;
  isPrimary = false;
  /** The command it asked for last; null before the first, and when there is no such command. */
  lastCommand: Command | null = null;
  /** The time that the command that waits has taken so far, all runs in vain together. */
  spentMicroseconds = 0;
  /** Commands and bytes, for CLIENT LIST. */
  commandCount = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** Address and port of both ends, as CLIENT LIST shows them. */
  address = '';
  localAddress = '';
  /**
   * The channels and patterns it has subscribed to; null while there are none. In RESP2 that limits
   * what it may send.
   */
  subscribed: Subscriptions | null = null;
  /** Client-side caching; null while it is off. */
  tracking: TrackingState | null = null;
  /** A command that waits for a pause to end. */
  postponed: readonly Uint8Array[] | null = null;
  /** Offset in the replication stream behind what it last put there: what WAIT waits for. */
  writeOffset = 0;
  /** Called when its replies have drained, for code that sends it more than fits at once. */
  drained: (() => void) | null = null;
  /** The number of turns whose replies to it are held until the disk has caught up. */
  heldReplies = 0;
  /** Whether it has changed something since the snapshot's brake was asked. */
  wrote = false;
  /** Whether a read of its is among those that are being run together. */
  staged = false;
  /** Whether it is on the turn's list of clients with replies. */
  listed = false;
  /** A send is under way: bytes that belong to the link until it reports. */
  sendingBytes = 0;
  /** Unsent replies above which its commands wait. */
  outputMark = OUTPUT_FIRST_MARK;
  /**
   * When the output came to stand above its soft limit, in milliseconds since 1970; 0 while it does
   * not.
   */
  softLimitSinceMs = 0;

  constructor(
    id: number,
    limits: ParserLimits,
    shared: Args,
    buffers: OfferedBuffers,
    pool: ChunkPool,
    tally: ErrorTally,
    nowMs: number,
  ) {
    this.id = id;
    this.reply = new Reply(pool, tally);
    this.parser = new RequestParser(limits, shared, buffers);
    this.createdMs = nowMs;
    this.lastActiveMs = nowMs;
  }

  /** Whether what is written now is taken back by CLIENT REPLY OFF or SKIP. */
  get isSilent(): boolean {
    return this.replyMode === REPLY_OFF || this.replyMode === REPLY_SKIP;
  }

  /** Begins what CLIENT REPLY does not silence, a push: what it does silence goes first. */
  beginPush(): void {
    if (this.isSilent) this.reply.rewind(this.silentFrom);
  }

  endPush(): void {
    if (this.isSilent) this.silentFrom = this.reply.total;
  }

  /** Bytes of replies not sent yet. */
  get outputBytes(): number {
    return this.reply.total - this.reply.sent;
  }
}

/** Whether the command that the client has just sent is not answered when it has run. */
export function isAnsweredLater({ waiting }: Client): boolean {
  return (
    waiting === WAIT_BLOCKED ||
    waiting === WAIT_PAUSED ||
    waiting === WAIT_WORK ||
    waiting === WAIT_TURN
  );
}
