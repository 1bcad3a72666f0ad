/**
 * One snapshot of a full sync, and the replicas that it is for, its members.
 *
 *     join      +FULLRESYNC id offset      they are told what the snapshot will be
 *     made      a file: sent to each member at its own pace (`$<len>`)
 *               a stream: sent to all while it is made (`$EOF:<mark>`), at the pace of the slowest,
 *               since nothing keeps what one of them has not taken; then each acknowledges it
 *     go on     what the backlog has kept since `offset`, and from then on the stream as it comes
 *
 * Who has gone on, or has gone, is no member any more. With its last member the round is over, and
 * a snapshot that is still being made for it is given up.
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

/** Where a snapshot goes: to a file that is sent, or to the members while it is made. */
export type SyncTarget = 'file' | 'stream';

/** `client-output-buffer-limit replica`; 0 is no limit. */
export interface BufferLimit {
  readonly hardBytes: number;
  readonly softBytes: number;
  readonly softSeconds: number;
}

export interface SyncRoundDeps {
  readonly fs: FileSystem;
  readonly startSnapshot: SnapshotStarter;
  /** What of the stream is kept: all of it since the oldest running round began. */
  backlog(): Pick<ReplicationBacklog, 'end' | 'hold' | 'share'> | null;
  log(level: 'notice' | 'warning', text: string): void;
  /** The replica has the snapshot; it is online from now on. */
  online(replica: Replica): void;
  /** The replica is given up; it is closed. */
  drop(replica: Replica, reason: string): void;
}

export class SyncRound {
  readonly target: SyncTarget;
  /** Where in the stream the snapshot is. */
  readonly offset: number;
  readonly members = new Set<Replica>();

  private readonly deps: SyncRoundDeps;
  private readonly content: SnapshotContent;
  private readonly aux: ReplicationAux;
  private readonly onOver: () => void;
  private readonly mark = randomBytes(20).toString('hex');
  /** The snapshot while it is being made. */
  private snapshot: SyncSnapshot | null = null;
  /** Whether its making pauses, since a member has enough for now. */
  private held = false;
  private softSinceMs = 0;
  private isOver = false;

  /** `onOver` is called once, when the round has no members any more. */
  constructor(
    deps: SyncRoundDeps,
    target: SyncTarget,
    content: SnapshotContent,
    aux: ReplicationAux,
    onOver: () => void,
  ) {
    this.deps = deps;
    this.target = target;
    this.content = content;
    this.aux = aux;
    this.offset = aux.offset;
    this.onOver = onOver;
  }

  /** Begins to make the snapshot, of this very moment; false when that cannot be now. */
  start(): boolean {
    const { target, content, aux } = this;
    const chunks = new SyncChunks();
    const taker = {
      take: (buffer: Uint8Array, count: number) => this.pass(chunks, buffer, count),
      room: () => chunks.take(),
    };
    this.snapshot = this.deps.startSnapshot({ target, content, aux, taker });
    if (this.snapshot === null) return false;
    this.snapshot.done.then(
      ({ path }) => this.made(path),
      (error: unknown) => this.failed(errorText(error)),
    );
    return true;
  }

  get isMaking(): boolean {
    return this.snapshot !== null;
  }

  /** Whether a replica that comes now may join: nothing of what it needs has been sent. */
  isOpenTo(replica: Replica): boolean {
    return this.target === 'file' && this.isMaking && sameContent(this.content, replica.content);
  }

  // ---------------------------------------------------------------- members

  join(replica: Replica): void {
    const { connection } = replica;
    replica.state = 'snapshot';
    this.members.add(replica);
    if (!replica.isOld) connection.send(`+FULLRESYNC ${this.aux.id} ${this.offset}\r\n`);
    if (this.target === 'file') return;
    connection.send(`$EOF:${this.mark}\r\n`);
    connection.onDrained = () => this.drained();
  }

  /** The member has read a streamed snapshot. */
  acknowledged(replica: Replica): void {
    if (!replica.awaitsAck) return;
    replica.awaitsAck = false;
    this.goOn(replica);
  }

  leave(replica: Replica): void {
    this.members.delete(replica);
    replica.connection.onDrained?.();
    replica.connection.onDrained = null;
    if (this.members.size > 0) {
      this.drained();
      return;
    }
    if (this.snapshot !== null) {
      this.deps.log('notice', 'The last replica of a snapshot has gone: it is given up');
      this.snapshot.cancel();
    }
    this.end();
  }

  private end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.onOver();
  }

  /** Once a second: signs of life, and who takes nothing for so long is given up. */
  tick(nowMs: number, timeoutMs: number): void {
    for (const replica of this.members) {
      if (replica.state === 'snapshot' && this.target === 'file') replica.connection.send('\n');
      const { sentBytes, unsentBytes } = replica.connection;
      if (sentBytes !== replica.progressBytes || unsentBytes === 0) replica.progressMs = nowMs;
      replica.progressBytes = sentBytes;
      if (nowMs - replica.progressMs > timeoutMs) {
        this.deps.drop(replica, 'it takes nothing of the snapshot it is sent');
      }
    }
  }

  /** Gives up all members if the stream has grown too far ahead of them. */
  checkLimit(nowMs: number, { hardBytes, softBytes, softSeconds }: BufferLimit): void {
    const bytes = (this.deps.backlog()?.end ?? this.offset) - this.offset;
    const isSoft = softBytes > 0 && bytes >= softBytes;
    if (!isSoft) this.softSinceMs = 0;
    else if (this.softSinceMs === 0) this.softSinceMs = nowMs;
    const late = isSoft && nowMs - this.softSinceMs > softSeconds * 1000;
    if (!late && (hardBytes === 0 || bytes < hardBytes)) return;
    for (const replica of [...this.members]) {
      this.deps.drop(replica, 'overcoming of output buffer limits during its full sync');
    }
  }

  // ---------------------------------------------------------------- the snapshot

  /** Bytes of a streamed snapshot: to all members. False when one of them has enough for now. */
  private pass(chunks: SyncChunks, buffer: Uint8Array, count: number): boolean {
    chunks.send(buffer, count, this.members);
    this.held = false;
    for (const { connection } of this.members) {
      if (connection.unsentBytes > QUEUE_HIGH_BYTES) this.held = true;
    }
    return !this.held;
  }

  private drained(): void {
    if (!this.held) return;
    for (const { connection } of this.members) {
      if (connection.unsentBytes > QUEUE_LOW_BYTES) return;
    }
    this.held = false;
    this.snapshot?.resume();
  }

  private made(path: string | null): void {
    this.snapshot = null;
    if (path !== null) {
      this.sendFile(path);
      return;
    }
    for (const replica of [...this.members]) {
      replica.connection.onDrained = null;
      replica.connection.send(this.mark);
      replica.awaitsAck = true;
      this.sent(replica);
    }
  }

  private failed(reason: string): void {
    this.snapshot = null;
    if (this.isOver) return;
    this.deps.log('warning', `BGSAVE for replication failed: ${reason}`);
    for (const replica of [...this.members]) {
      this.deps.drop(replica, 'SYNC failed: the snapshot could not be made');
    }
    this.end();
  }

  // ---------------------------------------------------------------- a snapshot in a file

  /** The snapshot is a file, opened once for all. */
  private sendFile(path: string): void {
    let file: OpenFile;
    try {
      file = this.openedOnly(path);
    } catch (error) {
      this.failed(errorText(error));
      return;
    }
    const size = file.sizeSync();
    const sending = [...this.members].map((replica) => this.sendTo(replica, file, size));
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

  private async sendTo(replica: Replica, file: OpenFile, size: number): Promise<void> {
    const { members } = this;
    const { connection } = replica;
    const chunks = new SyncChunks();
    replica.state = 'sending-file';
    connection.send(`$${size}\r\n`);
    try {
      for (let at = 0; at < size && members.has(replica); ) {
        const chunk = chunks.take();
        const count = await file.read(chunk, 0, Math.min(chunk.length, size - at), at);
        if (count === 0) throw new Error('the snapshot is shorter than it was');
        at += count;
        if (!members.has(replica)) return;
        chunks.send(chunk, count, [replica]);
        if (connection.unsentBytes > QUEUE_HIGH_BYTES) await this.whenDrained(replica);
      }
    } catch (error) {
      if (members.has(replica)) this.deps.drop(replica, errorText(error));
    }
    if (members.has(replica)) this.sent(replica);
  }

  private whenDrained(replica: Replica): Promise<void> {
    const { connection } = replica;
    return new Promise((resolve) => {
      connection.onDrained = () => {
        if (connection.unsentBytes > QUEUE_LOW_BYTES && this.members.has(replica)) return;
        connection.onDrained = null;
        resolve();
      };
    });
  }

  // ---------------------------------------------------------------- and after it

  /** The whole snapshot has been queued for the replica. */
  private sent(replica: Replica): void {
    if (replica.rdbOnly) {
      this.deps.log('notice', `RDB transfer to ${replica.name} completed; it asked for no more`);
      this.leave(replica);
      replica.connection.closeAfterSending();
      return;
    }
    this.deps.log('notice', `Synchronization with replica ${replica.name} succeeded`);
    replica.state = 'online';
    this.deps.online(replica);
    if (!replica.awaitsAck) this.goOn(replica);
  }

  /** Sends what the stream has brought since the snapshot began; from now on it comes as it is. */
  private goOn(replica: Replica): void {
    this.deps.backlog()?.share(this.offset, replica.connection);
    this.leave(replica);
  }
}
