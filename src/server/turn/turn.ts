/**
 * The end of a turn: the one place where replies leave the server.
 *
 * A turn is one round of the event loop. Its reads run their commands, which change memory, write
 * the journal (propagate.ts) and write replies into their clients' chunks; nothing has reached a
 * socket yet. Then, once:
 *
 *     1. the journal is appended to the AOF    (write(2), or queued for write + fsync: `always`)
 *     2. the journal is fed to the replicas and the backlog
 *     3. the replies are released
 *
 * The order is the durability contract.
 *
 * - A `kill -9` loses no acknowledged write under any policy: the bytes were with the kernel before
 *   the reply was.
 * - Power loss costs at most what was not yet fsynced: about a second under `everysec`, nothing
 *   under `always`.
 * - Under `always` write and fsync run off the loop, and the replies wait. Meanwhile further turns
 *   run and append; they go to disk together with the next fsync (group commit).
 * - A reply is released only when every write executed before it is as safe as the policy promises,
 *   its own and everybody else's. So no client ever sees data that could still be lost, not even by
 *   a read: a GET that finds what another client SET a moment ago waits for that SET's fsync as
 *   well.
 *
 * Held replies stand in a queue of (client, position in its replies, journal offset), in the order
 * of offsets:
 *
 *     held   [ A up to 512, offset 900 ][ B up to 64, offset 900 ][ A up to 700, offset 1400 ]
 *              ^ released when the log says that 900 is safe
 *
 * Invariants: offsets in the queue never decrease; a client's released position never passes what
 * was held for it.
 */
import { sendableParts } from '../../core/resp/sendable.ts';
import type { Client } from '../clients/client.ts';
import type { Propagator } from '../dispatch/propagate.ts';
import { SEND_DONE, SEND_FAILED } from '../io/link.ts';

/** Bytes of the pieces in which long replies are sent. */
const SEND_BYTES_MAX = 262_144;
/** Longer lists of clients are let go; up to this length the next turns write over them. */
const LIST_KEPT_MAX = 256;

/** Where the journal goes; the AOF, as a turn sees it. */
export interface JournalLog {
  /** Takes a turn's bytes; they are borrowed. */
  append(bytes: Uint8Array, offset: number, length: number): void;
  /** Bytes ever appended. */
  readonly appendedBytes: number;
  /** How many of these bytes are as safe as the policy promises. */
  readonly releasableBytes: number;
  /** Whether so much waits for the disk that clients should not be read from for a while. */
  readonly isCongested: boolean;
  /** Why nothing can be written at present; undefined while all is well. */
  readonly lastError: Error | undefined;
}

/** Takes the journal as the replication stream. */
export interface JournalFeed {
  feed(bytes: Uint8Array, offset: number, length: number): void;
  /** Called when all that was executed so far has been fed. */
  settled(): void;
}

/** Where a turn counts what it sends. */
export interface OutputTally {
  netOutputBytes: number;
  totalWrites: number;
}

/** Disconnects clients whose output has grown too large. */
export interface OutputGuard {
  /** Bytes of output below which no client is disconnected. */
  readonly smallestBytes: number;
  /** Whether the client is being disconnected, and is sent nothing any more. */
  exceeds(client: Client): boolean;
}

export class Turn {
  /** The AOF, while there is one. */
  log: JournalLog | null = null;
  /** The AOF that was switched off and is still writing what it was given: replies wait for it. */
  leaving: JournalLog | null = null;
  /** Replicas and backlog, while there are any. */
  feed: JournalFeed | null = null;
  tally: OutputTally = { netOutputBytes: 0, totalWrites: 0 };
  /** Whether what the log could not take is answered all the same: a replica may be told to. */
  ignoresLogErrors = false;
  /** Called when a client's output has gone from full to empty enough to go on. */
  onDrained: (client: Client) => void = () => {};
  /** Asked when a client has not taken all that it was to be sent, and before it is sent much. */
  limits: OutputGuard = { smallestBytes: Number.POSITIVE_INFINITY, exceeds: () => false };
  /** Called when more of the log may be safe. */
  onSafe: () => void = () => {};
  /** Runs what was read in this turn and kept for its end. */
  onWork: () => void = () => {};
  /** Called before the journal is taken: the last chance to add to this turn. */
  onEnd: () => void = () => {};

  private readonly propagator: Propagator;
  /** Clients with replies of this turn: listed[0 .. listedCount). */
  private listed: Client[] = [];
  private listedCount = 0;
  private spare: Client[] = [];
  private scheduled = false;
  /** Whether commands of this turn have been written to the journal, taken yet or not. */
  private journaled = false;
  /** Whether no reply may leave any more. */
  private halted = false;
  /** The queue of held replies: [heldFirst .. heldEnd) of three arrays. */
  private readonly heldClients: Client[] = [];
  private readonly heldPositions: number[] = [];
  private readonly heldOffsets: number[] = [];
  private heldFirst = 0;
  private heldEnd = 0;
  private readonly endBound = (): void => this.end();

  constructor(propagator: Propagator) {
    this.propagator = propagator;
  }

  /** Makes sure that this turn has an end. */
  schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.endBound);
  }

  /** `client` has replies to be released at the end of this turn. */
  list(client: Client): void {
    if (client.listed) return;
    client.listed = true;
    this.listed[this.listedCount++] = client;
    this.schedule();
  }

  /** Ends the turn now. */
  end(): void {
    this.scheduled = false;
    this.onWork();
    this.onEnd();
    this.takeJournal();
    // While the disk fails, writes are refused: what waits for it waits, but refusals and reads
    // must reach their clients. Not in the turn whose own writes failed, whoever took its journal,
    // unless such errors are ignored: then nobody waits.
    const log = this.log ?? this.leaving;
    const ignores = this.ignores(log);
    const isStuck = log?.lastError !== undefined && (ignores || !this.journaled);
    this.journaled = false;
    const clients = this.listed;
    const count = this.listedCount;
    this.listed = this.spare;
    this.listedCount = 0;
    this.spare = clients;
    const isSafe = log === null || isStuck || log.releasableBytes >= log.appendedBytes;
    const hold = this.halted || !isSafe;
    for (let i = 0; i < count; i++) {
      const client = clients[i]!;
      client.listed = false;
      if (hold || client.heldReplies > 0) this.hold(client, log?.appendedBytes ?? 0);
      else this.release(client, client.reply.total);
    }
    if (clients.length > LIST_KEPT_MAX) clients.length = 0;
    if (ignores) this.progress();
    else if (!hold) this.onSafe();
  }

  /** Releases the replies that waited for the log, more of which is safe now. */
  progress(): void {
    if (this.halted) return;
    const safe = this.safeBytes;
    while (this.heldFirst < this.heldEnd && this.heldOffsets[this.heldFirst]! <= safe) {
      const i = this.heldFirst++;
      this.heldClients[i]!.heldReplies--;
      this.release(this.heldClients[i]!, this.heldPositions[i]!);
    }
    if (this.heldFirst === this.heldEnd) this.clearHeld();
    else if (this.heldFirst > 4096 && this.heldFirst * 2 > this.heldEnd) this.trimHeld();
    this.onSafe();
  }

  /** Sends no reply any more, because a promise cannot be kept. */
  halt(): void {
    this.halted = true;
  }

  /** Whether what was executed before `logBytes` of the log may be told of. */
  isSafe(logBytes: number): boolean {
    return !this.halted && this.safeBytes >= logBytes;
  }

  /** Whether replies wait for the disk. */
  get isHolding(): boolean {
    return this.heldFirst < this.heldEnd;
  }

  /** How many replies wait, for the disk or for the end of this turn. */
  get waiting(): number {
    return this.heldEnd - this.heldFirst + this.listedCount;
  }

  /** Sends what was released, as far as the kernel takes it. */
  flush(client: Client): void {
    const reply = client.reply;
    const link = client.link;
    if (link === null || client.closed) {
      reply.drop();
      return;
    }
    if (client.outputBytes >= this.limits.smallestBytes && this.limits.exceeds(client)) return;
    while (client.sendingBytes === 0 && reply.sent < reply.released) {
      let size = reply.released - reply.sent;
      let status: number;
      if (reply.queue.length === 0 && size <= SEND_BYTES_MAX) {
        const from = reply.sent - reply.queueStart;
        status = link.send(reply.chunk, from, from + size);
      } else {
        const parts = sendableParts(reply, SEND_BYTES_MAX);
        size = parts.reduce((sum, part) => sum + part.length, 0);
        status = link.sendParts(parts);
      }
      if (status === SEND_FAILED) return;
      client.bytesOut += size;
      this.tally.netOutputBytes += size;
      this.tally.totalWrites++;
      if (status !== SEND_DONE) client.sendingBytes = size;
      else reply.advance(size);
    }
    if (client.sendingBytes !== 0 || reply.sent < reply.total) {
      this.limits.exceeds(client);
      return;
    }
    if (client.closeAfterReply) link.end();
  }

  /** A pending send of the client is complete. */
  sent(client: Client): void {
    client.reply.advance(client.sendingBytes);
    client.sendingBytes = 0;
    this.flush(client);
    this.onDrained(client);
  }

  /** Appends what was written so far, and feeds it to the replicas. */
  takeJournal(): void {
    const { propagator } = this;
    if (propagator.length > 0) {
      this.journaled = true;
      if (propagator.replicaParts.length > 0) this.logParts();
      else this.log?.append(propagator.journal, 0, propagator.length);
      this.feed?.feed(propagator.journal, 0, propagator.length);
      propagator.reset();
    }
    this.feed?.settled();
    propagator.replicated = this.feed !== null;
  }

  /** Up to where in the log everything is as safe as was promised. */
  private get safeBytes(): number {
    const log = this.log ?? this.leaving;
    return log === null || this.ignores(log) ? Number.MAX_SAFE_INTEGER : log.releasableBytes;
  }

  /** Whether the log fails, and nobody is to wait for it. */
  private ignores(log: JournalLog | null): boolean {
    return this.ignoresLogErrors && log?.lastError !== undefined;
  }

  /** Appends all but what is for the replicas alone. */
  private logParts(): void {
    const { journal, length, replicaParts } = this.propagator;
    let from = 0;
    for (let i = 0; i < replicaParts.length; i += 2) {
      const to = replicaParts[i]!;
      if (to > from) this.log?.append(journal, from, to - from);
      from = replicaParts[i + 1]!;
    }
    if (length > from) this.log?.append(journal, from, length - from);
  }

  private release(client: Client, position: number): void {
    if (position > client.reply.released) client.reply.released = position;
    this.flush(client);
    this.onDrained(client);
  }

  private hold(client: Client, offset: number): void {
    const i = this.heldEnd++;
    client.heldReplies++;
    this.heldClients[i] = client;
    this.heldPositions[i] = client.reply.total;
    this.heldOffsets[i] = offset;
  }

  private clearHeld(): void {
    if (this.heldClients.length > LIST_KEPT_MAX) {
      this.heldClients.length = 0;
      this.heldPositions.length = 0;
      this.heldOffsets.length = 0;
    }
    this.heldFirst = 0;
    this.heldEnd = 0;
  }

  private trimHeld(): void {
    this.heldClients.splice(0, this.heldFirst);
    this.heldPositions.splice(0, this.heldFirst);
    this.heldOffsets.splice(0, this.heldFirst);
    this.heldEnd -= this.heldFirst;
    this.heldFirst = 0;
  }
}
