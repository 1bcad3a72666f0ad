/**
 * Full syncs: one snapshot for all replicas that wait, sent to each, and the stream that goes on
 * meanwhile.
 *
 *     replicas wait | snapshot begins: +FULLRESYNC id offset | is sent | changes since, the stream
 *                   ^ who waits for the same content joins             ^ online
 *
 * Two ways: to a file, which is sent to each replica at its own pace (`$<len>`); or streamed while
 * it is made (`$EOF:<mark>`), at the pace of the slowest, since nothing keeps what one of them has
 * not taken. Either way a replica that takes nothing for `repl-timeout` is given up, so it cannot
 * hold up the others.
 *
 * Changes since the beginning are in the backlog, which holds them for the members of a sync. If
 * they let them grow beyond `client-output-buffer-limit replica` they are given up, and with its
 * last member the sync.
 *
 * A replica that comes while a file is being written for the same content joins as well: the
 * changes since the beginning are all here.
 */
import { randomBytes } from 'node:crypto';
import { errorText, type FileSystem, type OpenFile } from '../persistence/file-system.ts';
import type { ReplicationBacklog } from './backlog.ts';
import { type Replica, type SnapshotContent, sameContent } from './replica.ts';
import type { ReplicationAux } from './replication-id.ts';
import type { SnapshotStarter, SyncSnapshot } from './snapshot-starter.ts';
import { SyncChunks } from './sync-chunks.ts';

/**
 * Bytes of a snapshot queued for a replica above which its making pauses, and below which it goes
 * on.
 */
const QUEUE_HIGH_BYTES = 1 << 20;
const QUEUE_LOW_BYTES = 1 << 18;

/** `client-output-buffer-limit replica`; 0 is no limit. */
interface BufferLimit {
  readonly hardBytes: number;
  readonly softBytes: number;
  readonly softSeconds: number;
}

export interface FullSyncSettings {
  readonly diskless: boolean;
  readonly delaySeconds: number;
  /** Replicas that end the delay; 0 for none. */
  readonly replicasMax: number;
  readonly timeoutMs: number;
  readonly bufferLimit: BufferLimit;
}

export interface FullSyncDeps {
  readonly fs: FileSystem;
  readonly startSnapshot: SnapshotStarter;
  settings(): FullSyncSettings;
  /**
   * Everything executed so far is made part of the stream; what a snapshot that begins now should
   * say of itself.
   */
  settleStream(): ReplicationAux;
  /** What of the stream is kept: all of it since the oldest running sync began. */
  backlog(): Pick<ReplicationBacklog, 'end' | 'hold' | 'share'> | null;
  /** A snapshot began: the stream selects its database anew. */
  began(): void;
  log(level: 'notice' | 'warning', text: string): void;
  /** The replica has the snapshot; it is online from now on. */
  online(replica: Replica): void;
  /** The replica is given up; it is closed. */
  drop(replica: Replica, reason: string): void;
}

/** One snapshot and those it is for. */
interface SyncRound {
  readonly target: 'file' | 'stream';
  readonly content: SnapshotContent;
  readonly id: string;
  readonly offset: number;
  readonly mark: string;
  readonly members: Set<Replica>;
  softSinceMs: number;
  snapshot: SyncSnapshot | null;
  held: boolean;
}

export class FullSync {
  private readonly deps: FullSyncDeps;
  private readonly waiting = new Set<Replica>();
  private readonly rounds = new Set<SyncRound>();

  constructor(deps: FullSyncDeps) {
    this.deps = deps;
  }

  /** Whether any replica waits, or is being sent a snapshot. */
  get isBusy(): boolean {
    return this.waiting.size > 0 || this.rounds.size > 0;
  }

  /**
   * The replica needs everything. A snapshot begins in a later `startIfDue`, or it joins one that
   * runs.
   */
  request(replica: Replica, nowMs: number): void {
    replica.state = 'waiting';
    replica.waitingSinceMs = nowMs;
    replica.progressMs = nowMs;
    for (const round of this.rounds) {
      if (round.target !== 'file' || round.snapshot === null) continue;
      if (!sameContent(round.content, replica.content)) continue;
      this.deps.log('notice', 'Waiting for end of BGSAVE for SYNC');
      this.join(round, replica);
      return;
    }
    this.waiting.add(replica);
  }

  /**
   * Starts a snapshot when replicas have waited long enough. Not to be called while a command runs.
   */
  startIfDue(nowMs: number): void {
    const first = this.waiting.values().next().value;
    if (first === undefined || this.isMaking) return;
    const group = [...this.waiting].filter((one) => sameContent(one.content, first.content));
    const { diskless, delaySeconds, replicasMax } = this.deps.settings();
    const filtered = !first.content.data || !first.content.functions;
    const streams = (diskless || filtered) && group.every((one) => one.takesStreamed);
    const waitedMs = nowMs - Math.min(...group.map((one) => one.waitingSinceMs));
    const enough = replicasMax > 0 && group.length >= replicasMax;
    if (streams && !enough && waitedMs < delaySeconds * 1000) return;
    this.begin(group, streams ? 'stream' : 'file');
  }

  /** Drops replicas of a running sync that the stream has grown too far ahead of. */
  grown(nowMs: number): void {
    for (const round of this.rounds) this.checkLimit(round, nowMs);
  }

  /** The replica has read a streamed snapshot. */
  acknowledged(replica: Replica): void {
    const round = this.roundOf(replica);
    if (round === null || !replica.awaitsAck) return;
    replica.awaitsAck = false;
    this.goOn(round, replica);
  }

  /** The replica's connection has gone. */
  forget(replica: Replica): void {
    this.waiting.delete(replica);
    const round = this.roundOf(replica);
    if (round !== null) this.leave(round, replica);
  }

  /** Once a second: signs of life for those who wait, and those who take nothing are given up. */
  tick(nowMs: number): void {
    for (const replica of this.waiting) replica.connection.send('\n');
    const { timeoutMs } = this.deps.settings();
    for (const round of this.rounds) {
      this.checkLimit(round, nowMs);
      for (const replica of round.members) {
        if (replica.state === 'snapshot' && round.target === 'file') replica.connection.send('\n');
        const { sentBytes, unsentBytes } = replica.connection;
        if (sentBytes !== replica.progressBytes || unsentBytes === 0) replica.progressMs = nowMs;
        replica.progressBytes = sentBytes;
        if (nowMs - replica.progressMs > timeoutMs) {
          this.deps.drop(replica, 'it takes nothing of the snapshot it is sent');
        }
      }
    }
  }

  /** Whether a snapshot for replicas is being made. */
  private get isMaking(): boolean {
    for (const round of this.rounds) if (round.snapshot !== null) return true;
    return false;
  }

  private roundOf(replica: Replica): SyncRound | null {
    for (const round of this.rounds) if (round.members.has(replica)) return round;
    return null;
  }

  private begin(group: readonly Replica[], target: 'file' | 'stream'): void {
    const { deps } = this;
    const content = group[0]?.content;
    if (content === undefined) return;
    const aux = deps.settleStream();
    const round: SyncRound = {
      target,
      content,
      id: aux.id,
      offset: aux.offset,
      mark: randomBytes(20).toString('hex'),
      members: new Set(),
      softSinceMs: 0,
      snapshot: null,
      held: false,
    };
    const chunks = new SyncChunks();
    const taker = {
      take: (buffer: Uint8Array, count: number) => this.pass(round, chunks, buffer, count),
      room: () => chunks.take(),
    };
    round.snapshot = deps.startSnapshot({ target, content, aux, taker });
    if (round.snapshot === null) return;
    const kind = target === 'file' ? 'disk' : 'replicas sockets';
    deps.log('notice', `Starting BGSAVE for SYNC with target: ${kind}`);
    deps.began();
    this.rounds.add(round);
    this.hold();
    for (const replica of group) {
      this.waiting.delete(replica);
      this.join(round, replica);
    }
    round.snapshot.done.then(
      ({ path }) => this.made(round, path),
      (error: unknown) => this.failed(round, errorText(error)),
    );
  }

  private join(round: SyncRound, replica: Replica): void {
    const { connection } = replica;
    replica.state = 'snapshot';
    round.members.add(replica);
    if (!replica.isOld) connection.send(`+FULLRESYNC ${round.id} ${round.offset}\r\n`);
    if (round.target === 'file') return;
    connection.send(`$EOF:${round.mark}\r\n`);
    connection.onDrained = () => this.drained(round);
  }

  /** Bytes of a streamed snapshot: to all members. False when one of them has enough for now. */
  private pass(round: SyncRound, chunks: SyncChunks, buffer: Uint8Array, count: number): boolean {
    chunks.send(buffer, count, round.members);
    round.held = false;
    for (const { connection } of round.members) {
      if (connection.unsentBytes > QUEUE_HIGH_BYTES) round.held = true;
    }
    return !round.held;
  }

  private drained(round: SyncRound): void {
    if (!round.held) return;
    for (const { connection } of round.members) {
      if (connection.unsentBytes > QUEUE_LOW_BYTES) return;
    }
    round.held = false;
    round.snapshot?.resume();
  }

  private made(round: SyncRound, path: string | null): void {
    round.snapshot = null;
    if (path !== null) {
      this.sendFile(round, path);
      return;
    }
    for (const replica of [...round.members]) {
      replica.connection.onDrained = null;
      replica.connection.send(round.mark);
      replica.awaitsAck = true;
      this.sent(round, replica);
    }
  }

  private failed(round: SyncRound, reason: string): void {
    round.snapshot = null;
    if (!this.rounds.has(round)) return;
    this.deps.log('warning', `BGSAVE for replication failed: ${reason}`);
    for (const replica of [...round.members]) {
      this.deps.drop(replica, 'SYNC failed: the snapshot could not be made');
    }
    this.end(round);
  }

  /** The snapshot is a file, opened once for all. */
  private sendFile(round: SyncRound, path: string): void {
    let file: OpenFile;
    try {
      file = this.openedOnly(path);
    } catch (error) {
      this.failed(round, errorText(error));
      return;
    }
    const size = file.sizeSync();
    const sending = [...round.members].map((replica) => this.sendTo(round, replica, file, size));
    void Promise.all(sending).then(() => file.close());
  }

  /** Opens a file and removes it, so that nothing is left behind whatever happens. */
  private openedOnly(path: string): OpenFile {
    const { fs } = this.deps;
    const file = fs.openSync(path, 'read');
    try {
      fs.unlinkSync(path);
    } catch (error) {
      file.closeSync();
      throw error;
    }
    return file;
  }

  private async sendTo(
    round: SyncRound,
    replica: Replica,
    file: OpenFile,
    size: number,
  ): Promise<void> {
    const { connection } = replica;
    const chunks = new SyncChunks();
    replica.state = 'sending-file';
    connection.send(`$${size}\r\n`);
    try {
      for (let at = 0; at < size && round.members.has(replica); ) {
        const chunk = chunks.take();
        const count = await file.read(chunk, 0, Math.min(chunk.length, size - at), at);
        if (count === 0) throw new Error('the snapshot is shorter than it was');
        at += count;
        if (!round.members.has(replica)) return;
        chunks.send(chunk, count, [replica]);
        if (connection.unsentBytes > QUEUE_HIGH_BYTES) await this.whenDrained(round, replica);
      }
    } catch (error) {
      if (round.members.has(replica)) this.deps.drop(replica, errorText(error));
    }
    if (round.members.has(replica)) this.sent(round, replica);
  }

  private whenDrained(round: SyncRound, replica: Replica): Promise<void> {
    const { connection } = replica;
    return new Promise((resolve) => {
      connection.onDrained = () => {
        if (connection.unsentBytes > QUEUE_LOW_BYTES && round.members.has(replica)) return;
        connection.onDrained = null;
        resolve();
      };
    });
  }

  /** The whole snapshot has been queued for the replica. */
  private sent(round: SyncRound, replica: Replica): void {
    if (replica.rdbOnly) {
      this.deps.log('notice', `RDB transfer to ${replica.name} completed; it asked for no more`);
      this.leave(round, replica);
      replica.connection.closeAfterSending();
      return;
    }
    this.deps.log('notice', `Synchronization with replica ${replica.name} succeeded`);
    replica.state = 'online';
    this.deps.online(replica);
    if (!replica.awaitsAck) this.goOn(round, replica);
  }

  /** Sends what the stream has brought since the snapshot began; from now on it comes as it is. */
  private goOn(round: SyncRound, replica: Replica): void {
    this.deps.backlog()?.share(round.offset, replica.connection);
    this.leave(round, replica);
  }

  private leave(round: SyncRound, replica: Replica): void {
    round.members.delete(replica);
    replica.connection.onDrained?.();
    replica.connection.onDrained = null;
    if (round.members.size > 0) {
      this.drained(round);
      return;
    }
    const { snapshot } = round;
    if (snapshot !== null) {
      this.deps.log('notice', 'The last replica of a snapshot has gone: it is given up');
      snapshot.cancel();
    }
    this.end(round);
  }

  private end(round: SyncRound): void {
    if (this.rounds.delete(round)) this.hold();
  }

  private hold(): void {
    let from = Number.POSITIVE_INFINITY;
    for (const { offset } of this.rounds) from = Math.min(from, offset);
    this.deps.backlog()?.hold(from);
  }

  private checkLimit(round: SyncRound, nowMs: number): void {
    const { hardBytes, softBytes, softSeconds } = this.deps.settings().bufferLimit;
    const bytes = (this.deps.backlog()?.end ?? round.offset) - round.offset;
    const isSoft = softBytes > 0 && bytes >= softBytes;
    if (!isSoft) round.softSinceMs = 0;
    else if (round.softSinceMs === 0) round.softSinceMs = nowMs;
    const late = isSoft && nowMs - round.softSinceMs > softSeconds * 1000;
    if (!late && (hardBytes === 0 || bytes < hardBytes)) return;
    for (const replica of [...round.members]) {
      this.deps.drop(replica, 'overcoming of output buffer limits during its full sync');
    }
  }
}
