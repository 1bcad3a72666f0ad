/**
 * The feeding end of replication: the stream, its backlog, and the replicas attached to this
 * server. A server that is itself a replica has one as well, and passes its primary's stream on
 * through it.
 *
 *     journal of a turn, or the primary's bytes
 *        --feed--> history.offset, backlog --shares--> replicas that are online
 *                                        `--all since the snapshot--> those in a full sync
 *
 * PSYNC <id> <next byte> is answered +CONTINUE when the id is the history's own, or its second one
 * up to where the two part, and the backlog reaches back to that byte; otherwise with a full sync.
 *
 * The backlog is made when the first replica comes, and with it a new id: what was changed before
 * was counted by no offset. It is given up `repl-backlog-ttl` seconds after the last replica has
 * gone.
 */
import { ReplicationBacklog } from './backlog.ts';
import { FullSync, type FullSyncDeps, type FullSyncSettings } from './full-sync.ts';
import type { Replica, ReplicaConnection } from './replica.ts';
import type { ReplicationHistory } from './replication-id.ts';

export interface PrimarySettings extends FullSyncSettings {
  readonly backlogBytes: number;
  readonly backlogTtlSeconds: number;
  /** A replica that is silent for longer does not count for `min-replicas-to-write`. */
  readonly lagSecondsMax: number;
}

/** Figures that INFO shows. */
interface SyncTally {
  syncFull: number;
  syncPartialOk: number;
  syncPartialErr: number;
  netReplOutputBytes: number;
}

export interface PrimaryDeps
  extends Omit<FullSyncDeps, 'backlog' | 'settings' | 'online' | 'drop'> {
  readonly history: ReplicationHistory;
  readonly tally: SyncTally;
  settings(): PrimarySettings;
  /** Whether the server follows a primary: then ids are not its own to change. */
  readonly isReplica: boolean;
  /** Called when replicas came, went, or moved on. */
  changed(): void;
  /** Called when the backlog was made or given up, so that the stream has a reader or none. */
  readersChanged(): void;
}

/** What PSYNC or SYNC asks for. */
export type SyncRequest = { readonly id: string; readonly nextByte: number } | 'sync';

export class Primary {
  readonly history: ReplicationHistory;
  readonly fullSync: FullSync;
  /** Null until the first replica came. */
  backlog: ReplicationBacklog | null = null;
  /** All who have asked to be fed, in the order in which they came. */
  readonly replicas = new Set<Replica>();

  private readonly deps: PrimaryDeps;
  private aloneSinceMs = 0;
  /** The connections that the bytes of one call go to. */
  private readonly fed: ReplicaConnection[] = [];

  constructor(deps: PrimaryDeps) {
    this.deps = deps;
    this.history = deps.history;
    this.fullSync = new FullSync({
      ...deps,
      backlog: () => this.backlog,
      settings: () => deps.settings(),
      settleStream: () => deps.settleStream(),
      began: () => deps.began(),
      log: (level, text) => deps.log(level, text),
      online: () => deps.changed(),
      drop: (replica, reason) => this.drop(replica, reason),
    });
  }

  // ---------------------------------------------------------------- the stream

  /** Adds bytes to the stream. They are borrowed. */
  feed(bytes: Uint8Array, from: number, length: number): void {
    const { backlog, fed } = this;
    this.history.offset += length;
    if (backlog === null) return;
    fed.length = 0;
    for (const replica of this.replicas) if (replica.isFed) fed.push(replica.connection);
    backlog.append(bytes, from, length, fed);
    this.deps.tally.netReplOutputBytes += length * fed.length;
    if (this.fullSync.isBusy) this.fullSync.grown(Date.now());
  }

  /** Makes the backlog, if there is none, of what is left of an earlier one if that fits. */
  openBacklog(earlier: ReplicationBacklog | null = null): void {
    if (this.backlog !== null) return;
    const { backlogBytes } = this.deps.settings();
    const { offset } = this.history;
    this.backlog = earlier?.end === offset ? earlier : new ReplicationBacklog(backlogBytes, offset);
    this.backlog.resize(backlogBytes);
    this.aloneSinceMs = Date.now();
    this.deps.readersChanged();
  }

  /** Gives the backlog up: whoever comes needs a full sync. */
  dropBacklog(): void {
    if (this.backlog === null) return;
    this.backlog = null;
    this.deps.readersChanged();
  }

  // ---------------------------------------------------------------- replicas

  /**
   * A client asked to become a replica: answers, and goes on from the backlog or queues it for a
   * full sync.
   */
  synchronize(replica: Replica, request: SyncRequest, nowMs: number): void {
    const { deps, history } = this;
    deps.log('notice', `Replica ${replica.name} asks for synchronization`);
    if (request !== 'sync') {
      if (this.canContinue(replica, request.id, request.nextByte)) {
        this.goOn(replica, request.nextByte);
        return;
      }
      if (!request.id.startsWith('?')) deps.tally.syncPartialErr++;
    }
    replica.isOld = request === 'sync';
    deps.tally.syncFull++;
    const isFirst = this.replicas.size === 0;
    this.replicas.add(replica);
    if (isFirst && this.backlog === null) {
      if (!deps.isReplica) history.renew();
      this.openBacklog();
      const { id } = history;
      deps.log('notice', `Replication backlog created, my new replication ID is '${id}'`);
    }
    this.fullSync.request(replica, nowMs);
    deps.changed();
  }

  /** Takes a REPLCONF ACK: how far the replica is, and how far its log on disk. */
  acknowledged(replica: Replica, offset: number, fsyncedOffset: number): void {
    if (offset > replica.ackOffset) replica.ackOffset = offset;
    if (fsyncedOffset > replica.fsyncedOffset) replica.fsyncedOffset = fsyncedOffset;
    if (replica.awaitsAck && replica.state === 'online') this.fullSync.acknowledged(replica);
    this.deps.changed();
  }

  /** The replica's connection has gone. */
  forget(replica: Replica): void {
    if (!this.replicas.delete(replica)) return;
    this.fullSync.forget(replica);
    replica.state = 'none';
    if (this.replicas.size === 0) this.aloneSinceMs = Date.now();
    this.deps.log('notice', `Connection with replica ${replica.name} lost.`);
    this.deps.changed();
  }

  /** Closes the connections of all replicas: they come again and learn what has changed. */
  disconnectAll(): void {
    for (const replica of [...this.replicas]) {
      replica.connection.close();
      this.forget(replica);
    }
  }

  // ---------------------------------------------------------------- figures

  /** How many replicas are online and have been heard from lately. */
  goodReplicas(nowMs: number): number {
    const { lagSecondsMax } = this.deps.settings();
    let count = 0;
    for (const replica of this.replicas) {
      if (replica.state === 'online' && replica.lagSeconds(nowMs) <= lagSecondsMax) count++;
    }
    return count;
  }

  /** Names of the replicas that do not have everything up to `offset`. */
  laggingReplicas(offset: number): string[] {
    return [...this.replicas].filter((one) => one.ackOffset < offset).map((one) => one.name);
  }

  /** Replicas that have everything up to `offset`; with `fsynced`, on their disks. */
  replicasAt(offset: number, fsynced: boolean): number {
    let count = 0;
    for (const replica of this.replicas) {
      if (replica.state !== 'online') continue;
      if ((fsynced ? replica.fsyncedOffset : replica.ackOffset) >= offset) count++;
    }
    return count;
  }

  // ---------------------------------------------------------------- time

  /**
   * Called once a second: drops silent replicas, and a backlog that has been alone for too long.
   */
  tick(nowMs: number): void {
    const { timeoutMs, backlogTtlSeconds } = this.deps.settings();
    this.fullSync.tick(nowMs);
    for (const replica of [...this.replicas]) {
      const silentMs = nowMs - replica.connection.lastReadMs;
      if (replica.state !== 'online' || replica.isOld || silentMs <= timeoutMs) continue;
      this.drop(replica, 'it has been silent for too long (streaming sync)');
    }
    // A promoted server waits the full time for the replicas that followed the same primary.
    if (this.deps.isReplica) this.aloneSinceMs = nowMs;
    const aloneMs = nowMs - this.aloneSinceMs;
    if (this.backlog === null || this.replicas.size > 0) return;
    if (backlogTtlSeconds === 0 || aloneMs <= backlogTtlSeconds * 1000) return;
    // Writes are not counted any more: what is known under this id ends here.
    this.history.renew();
    this.dropBacklog();
    this.deps.log('notice', `Replication backlog freed after ${backlogTtlSeconds} seconds`);
  }

  // ---------------------------------------------------------------- inside

  private canContinue(replica: Replica, id: string, nextByte: number): boolean {
    const { history, backlog, deps } = this;
    if (!history.includes(id, nextByte)) {
      if (id.startsWith('?')) {
        deps.log('notice', `Full resync requested by replica ${replica.name}`);
      } else {
        deps.log(
          'notice',
          `Partial resynchronization not accepted: replica asked for ${id}:${nextByte}, ` +
            `my replication IDs are '${history.id}' and '${history.secondId}' ` +
            `up to ${history.secondOffset}`,
        );
      }
      return false;
    }
    if (backlog?.reaches(nextByte - 1) === true) return true;
    deps.log(
      'notice',
      `Unable to partial resync with replica ${replica.name} for lack of backlog ` +
        `(Replica request was: ${nextByte}).`,
    );
    return false;
  }

  private goOn(replica: Replica, nextByte: number): void {
    const { deps, history, backlog } = this;
    if (backlog === null) return;
    this.replicas.add(replica);
    replica.state = 'online';
    replica.awaitsAck = false;
    deps.tally.syncPartialOk++;
    replica.connection.send(replica.takesNewId ? `+CONTINUE ${history.id}\r\n` : '+CONTINUE\r\n');
    backlog.share(nextByte - 1, replica.connection);
    const bytes = history.offset - (nextByte - 1);
    deps.log(
      'notice',
      `Partial resynchronization request from ${replica.name} accepted. Sending ${bytes} bytes ` +
        `of backlog starting from offset ${nextByte}.`,
    );
    deps.changed();
  }

  private drop(replica: Replica, reason: string): void {
    this.deps.log('warning', `Disconnecting replica ${replica.name}: ${reason}`);
    replica.connection.close();
    this.forget(replica);
  }
}
