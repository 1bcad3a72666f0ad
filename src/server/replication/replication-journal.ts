/**
 * The journal on its way into the replication stream, and what the AOF is told of it.
 *
 *     turn's journal ------------------> AOF
 *            `-------> stream <-- PING, REPLCONF GETACK, PUBLISH
 *                                   `-> only the stream gets these: a "#RP" line tells the AOF
 *                                       where it stands now
 *
 * A primary with a backlog feeds its journal; a replica's journal is its AOF's alone, and a line in
 * it says after each read how far into its primary's stream it is
 * (persistence/aof/aof-position.ts).
 */
import { latin1Bytes } from '../../core/text/latin1.ts';
import { encodePositionLine } from '../../persistence/aof/aof-position.ts';
import type { Primary } from '../../replication/primary.ts';
import type { Propagator } from '../dispatch/propagate.ts';
import type { JournalFeed, JournalLog, Turn } from '../turn/turn.ts';

const PING = '*1\r\n$4\r\nPING\r\n';
const GETACK = '*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n';

/** This server's AOF, as WAITAOF and FACK see it. Offsets count bytes of journal. */
export interface LocalLog {
  readonly appendedBytes: number;
  readonly syncedBytes: number;
  /** `waiting`: switched on, but a restart would not find it yet. */
  readonly state: 'off' | 'waiting' | 'on';
}

export interface ReplicationJournalDeps {
  readonly turn: Turn;
  readonly propagator: Propagator;
  readonly primary: Primary;
  /** The AOF while it is on. */
  readonly localLog: () => LocalLog | null;
  /** The database that the stream has selected. */
  readonly streamDb: () => number;
  /** Null on a primary; else whether the dataset is that of the primary's stream. */
  readonly following: () => { readonly resumable: boolean } | null;
}

export class ReplicationJournal implements JournalFeed {
  private readonly deps: ReplicationJournalDeps;
  private wantsAcks = false;
  private isSilent = false;
  /**
   * What the log held when it was last looked at, and how much of the stream: to tell what is on
   * disk.
   */
  private mark = { bytes: 0, offset: 0 };
  private fsynced = -1;
  /** What the log held at the last look, and up to where that is commands. */
  private seenBytes = 0;
  private lastDataBytes = 0;
  /** Where log and stream were when the last line was written. */
  private notedBytes = 0;
  private notedOffset = 0;

  constructor(deps: ReplicationJournalDeps) {
    this.deps = deps;
  }

  /** Whether the journal is fed to the stream. */
  get isFeeding(): boolean {
    return this.deps.turn.feed === this;
  }

  /** Begins to feed the journal to the stream, or ends it. */
  set isFeeding(on: boolean) {
    const { turn, propagator, primary } = this.deps;
    if (on && !this.isFeeding) propagator.forgetSelected();
    turn.feed = on ? this : null;
    propagator.streamOffset = on ? primary.history.offset : -1;
  }

  feed(bytes: Uint8Array, offset: number, length: number): void {
    const { primary, propagator } = this.deps;
    primary.feed(bytes, offset, length);
    propagator.streamOffset = primary.history.offset;
  }

  settled(): void {
    const { log } = this.deps.turn;
    if (log !== null) {
      this.lookAtLog(log);
      if (log.appendedBytes !== this.notedBytes && this.hasDrifted(log)) this.notePosition();
    }
    if (!this.wantsAcks) return;
    this.wantsAcks = false;
    this.say(GETACK);
  }

  /** Called once a second: what only replicas got (PUBLISH) moves the position as well. */
  tick(): void {
    const { log } = this.deps.turn;
    if (log !== null && this.isFeeding && this.hasDrifted(log)) this.notePosition();
  }

  /** How long the stream is, everything executed so far included. */
  get streamEnd(): number {
    const { primary, propagator } = this.deps;
    return primary.history.offset + (this.isFeeding ? propagator.length : 0);
  }

  /**
   * Says nothing of its own while `work` brings the data to disk for the last time: replicas would
   * have more of the stream than the files tell of, and no partial sync could follow.
   */
  async silently(work: () => Promise<void>): Promise<void> {
    this.isSilent = true;
    try {
      await work();
    } finally {
      this.isSilent = false;
    }
  }

  /** Asks all replicas how far they are, as soon as what was executed has been fed to them. */
  requestAcks(): void {
    this.wantsAcks = true;
    this.deps.turn.schedule();
  }

  /** Sends replicas a PING, as a sign of life. */
  ping(): void {
    this.deps.turn.takeJournal();
    this.say(PING);
  }

  /** A command that only the replicas run, so that their data differ from ours: DEBUG REPLICATE. */
  diverge(words: readonly Uint8Array[]): void {
    if (!this.isFeeding) return;
    const parts = words.map(
      (one) => `$${one.length}\r\n${Buffer.from(one).toString('latin1')}\r\n`,
    );
    this.deps.turn.takeJournal();
    this.say(`*${words.length}\r\n${parts.join('')}`);
  }

  /**
   * How far into the stream the AOF on disk is, -1 without one; 0 while a restart would not find
   * it, whatever of it is on disk.
   */
  get fsyncedOffset(): number {
    const { localLog } = this.deps;
    const log = localLog();
    if (log === null) return -1;
    if (log.state !== 'on') {
      this.mark = this.markOf(log);
      this.fsynced = 0;
      return 0;
    }
    if (log.syncedBytes < this.mark.bytes) return this.fsynced;
    this.fsynced = this.mark.offset;
    this.mark = this.markOf(log);
    if (log.syncedBytes >= this.mark.bytes) this.fsynced = this.mark.offset;
    return this.fsynced;
  }

  /** How far the stream is, and what the log has to hold for that: what this turn did as well. */
  private markOf(log: LocalLog): { bytes: number; offset: number } {
    const { turn, propagator, primary } = this.deps;
    const pending = turn.log === null ? 0 : propagator.logLength;
    return { bytes: log.appendedBytes + pending, offset: primary.history.offset };
  }

  /** How much the log holds when everything executed so far is in it; 0 without a log. */
  get executedBytes(): number {
    const { turn, propagator } = this.deps;
    return turn.log === null ? 0 : turn.log.appendedBytes + propagator.logLength;
  }

  /** Tells the AOF where it stands: after whatever the stream gets and the AOF does not. */
  notePosition(): void {
    const { log } = this.deps.turn;
    if (log === null) return;
    this.lookAtLog(log);
    const line = this.positionLine();
    log.append(line, 0, line.length);
    this.seenBytes = log.appendedBytes;
    this.notedBytes = log.appendedBytes;
    this.notedOffset = this.deps.primary.history.offset;
  }

  /** Up to where the log must be on disk for everything executed so far, our lines left aside. */
  get dataBytes(): number {
    const { turn, propagator } = this.deps;
    const { log } = turn;
    if (log === null) return 0;
    const pending = propagator.logLength;
    if (pending > 0) return log.appendedBytes + pending;
    this.lookAtLog(log);
    return this.lastDataBytes;
  }

  /** Commands may have been appended since the last look; lines are not data. */
  private lookAtLog(log: JournalLog): void {
    if (log.appendedBytes !== this.seenBytes) this.lastDataBytes = log.appendedBytes;
    this.seenBytes = log.appendedBytes;
  }

  /** Whether stream and log have got different amounts since the last line. */
  private hasDrifted(log: JournalLog): boolean {
    const streamed = this.deps.primary.history.offset - this.notedOffset;
    return streamed !== log.appendedBytes - this.notedBytes;
  }

  /**
   * A part of the primary's stream was applied: its effects and how far they go are one turn of the
   * AOF.
   */
  applied(): void {
    const { turn, propagator } = this.deps;
    if (turn.log !== null) propagator.annotate(this.positionLine());
    turn.schedule();
  }

  /** Puts a command of our own into the stream, behind everything executed. */
  private say(text: string): void {
    if (this.isSilent) return;
    const bytes = latin1Bytes(text);
    this.feed(bytes, 0, bytes.length);
    this.notePosition();
    this.deps.turn.schedule();
  }

  private positionLine(): Uint8Array {
    const { primary, streamDb, following } = this.deps;
    const { id, offset } = primary.history;
    const followed = following();
    const isKnown = followed === null ? this.isFeeding : followed.resumable;
    if (!isKnown) return encodePositionLine(null);
    return encodePositionLine({ continues: followed === null, id, offset, db: streamDb() });
  }
}
