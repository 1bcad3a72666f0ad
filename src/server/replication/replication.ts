/**
 * Replication in the server: its role, and what follows from it.
 *
 *     primary   writes -> journal of the turn -> stream -> replicas    ids and offsets are ours
 *     replica   primary's stream -> dataset, AOF                       ids and offsets are theirs
 *                               `-> byte for byte -> sub-replicas
 *
 * The journal is fed to the stream only by a primary that has a backlog; a replica's own journal is
 * what its AOF needs and nothing else. Everything executed is in the stream, and on its way to the
 * replicas, before its reply is.
 *
 * A change of role happens after the command that asked for it. In a transaction it stands between
 * two units, so that no journal of one role is ever fed as that of the other.
 *
 *     primary -> replica   offset and id stay: if the new primary continues our stream, a partial
 *                          sync will do
 *     replica -> primary   the id becomes the second one; replicas come again and go on under the
 *                          new one
 */
import type { Args } from '../../core/resp/args.ts';
import type { AofTailSink } from '../../persistence/aof/aof-tail.ts';
import type { FileSystem } from '../../persistence/file-system.ts';
import { Primary } from '../../replication/primary.ts';
import { Replica } from '../../replication/replica.ts';
import { type ReplicationAux, ReplicationHistory } from '../../replication/replication-id.ts';
import type { SnapshotStarter } from '../../replication/snapshot-starter.ts';
import type { Client } from '../clients/client.ts';
import type { Config } from '../config/config.ts';
import type { Services } from '../services.ts';
import type { Turn } from '../turn/turn.ts';
import type { Datasets } from './dataset-intake.ts';
import { EarlierStream } from './earlier-stream.ts';
import { ClientConnection } from './replication-connection.ts';
import { Failover } from './replication-failover.ts';
import { Follower } from './replication-follower.ts';
import { type LocalLog, ReplicationJournal } from './replication-journal.ts';
import { primarySettings } from './replication-settings.ts';
import { dismissBlocked, ReplicationWaits } from './replication-wait.ts';
import { RoleGates } from './role-gates.ts';
import { StreamDifferences } from './stream-differences.ts';

export interface ReplicationDeps {
  readonly services: Services;
  readonly turn: Turn;
  readonly fs: FileSystem;
  readonly startSnapshot: SnapshotStarter;
  readonly datasets: Datasets;
  readonly takeFunction: (args: Args) => boolean;
  /** Makes a client without a link. */
  readonly createClient: () => Client;
  /** The port that clients connect to. */
  readonly listeningPort: () => number;
  /** The AOF while it is on. */
  readonly localLog: () => LocalLog | null;
  /** Called when the journal is fed to the stream from now on, or not any more. */
  readonly readersChanged: () => void;
  /** Has the AOF go on, if a dataset that could not be loaded left it suspended. */
  readonly resumeLog: () => void;
  /** Whether the disk fails, so that writes would not be kept. */
  readonly isDiskBroken: () => boolean;
  readonly onRole: (role: 'primary' | 'replica') => void;
}

export class ReplicationService {
  readonly config: Config;
  readonly history = new ReplicationHistory();
  readonly primary: Primary;
  readonly journal: ReplicationJournal;
  readonly waits: ReplicationWaits;
  readonly failover: Failover;
  readonly differences: StreamDifferences;
  /** The link to our primary; null while this server is one. */
  follower: Follower | null = null;
  /** The id of the primary that has handed over to this one, null for none. */
  tookOverFrom: string | null = null;

  private readonly deps: ReplicationDeps;
  private readonly services: Services;
  private readonly gates: RoleGates;
  private readonly replicas = new Map<Client, Replica>();
  private resumable = false;
  private resumeDb = 0;
  /** Until the server has started: what the AOF has of the stream. */
  private earlier: EarlierStream | null = null;
  private secondsUnpinged = 0; // goes on while there is nobody to ping

  constructor(deps: ReplicationDeps) {
    this.deps = deps;
    this.services = deps.services;
    this.config = deps.services.config;
    this.waits = new ReplicationWaits(deps.services);
    this.differences = new StreamDifferences(deps.services);
    deps.turn.onSafe = () => {
      this.waits.check();
      this.follower?.acks.check();
    };
    this.primary = this.createPrimary();
    this.gates = new RoleGates(deps.services, deps.turn, this.primary, this);
    this.journal = new ReplicationJournal({
      turn: deps.turn,
      propagator: this.services.propagator,
      primary: this.primary,
      localLog: deps.localLog,
      streamDb: () => this.streamDb,
      following: () => this.follower?.resumePoint ?? null,
    });
    this.failover = new Failover({
      replicas: () => this.primary.replicas,
      streamOffset: () => this.journal.streamEnd,
      pauseWrites: () => {
        this.services.desk.pause.begin('failover', Number.MAX_SAFE_INTEGER, true);
      },
      resumeWrites: () => {
        this.services.desk.pause.end('failover');
        this.gates.apply();
      },
      follow: ({ host, port }) => this.follow(host, port),
      promote: () => this.promote(),
      log: (level, text) => this.services.log[level](text),
    });
    this.config.onChange('repl-backlog-size', (bytes) => {
      this.primary.backlog?.resize(bytes);
      return undefined;
    });
    this.gates.apply();
    // Nothing that is loaded may go before replicas would be told, nor ever on a replica.
    this.services.desk.expiry.hold('replica', true);
  }

  /** Whether this server follows a primary. */
  get isReplica(): boolean {
    return this.follower !== null;
  }

  /** Whether the dataset is in step with the primary's, or this is a primary. */
  get isFresh(): boolean {
    return this.follower === null || this.follower.isConnected;
  }

  // ---------------------------------------------------------------- start and end

  /** What an RDB should say whose data are those of now; null when nobody could go on from it. */
  settledAux(): ReplicationAux | null {
    const { propagator } = this.services;
    if (propagator.isMidUnit) return null; // these data are at no place of the stream
    this.follower?.link.settle();
    if (propagator.length > 0) this.deps.turn.takeJournal();
    if (this.follower === null && this.primary.backlog === null) return null;
    const { id, offset } = this.history;
    return { id, offset, streamDb: this.streamDb };
  }

  /** Takes up the configured role after the load; `aux` is what the RDB said, null for nothing. */
  start(aux: ReplicationAux | null): void {
    const { replicaof } = this.config.values;
    if (replicaof === undefined) {
      this.startAsPrimary(aux);
      return;
    }
    if (aux !== null) {
      this.history.adopt(aux.id, aux.offset);
      this.resumable = true;
      this.resumeDb = aux.streamDb;
    }
    this.turnInto(replicaof.host, replicaof.port);
  }

  /** Takes the end of the stream while the AOF is loaded; null where a primary has it. */
  earlierStream(): AofTailSink | null {
    const { replBacklogSize, replicaof } = this.config.values;
    if (replicaof === undefined) this.earlier = new EarlierStream(replBacklogSize);
    return this.earlier;
  }

  private startAsPrimary(aux: ReplicationAux | null): void {
    if (aux === null) this.journal.notePosition();
    else {
      this.history.resumeAsPrimary(aux);
      this.primary.openBacklog(this.earlier?.backlog);
    }
    this.earlier = null;
    this.services.desk.expiry.hold('replica', false);
    this.deps.turn.schedule();
  }

  /** Ends the link to the primary, when the server ends. */
  stop(): void {
    this.follower?.link.stop();
  }

  // ---------------------------------------------------------------- role

  /** Follows a primary. Later commands of the same transaction see the new role. */
  follow(host: string, port: number): void {
    this.changeRole(() => this.turnInto(host, port));
  }

  /** REPLICAOF NO ONE: makes this server a primary. */
  promote(): void {
    this.changeRole(() => this.turnIntoPrimary());
  }

  /** After the command that asks for it; in a transaction at once, between two units of it. */
  private changeRole(change: () => void): void {
    const { dispatcher, propagator } = this.services;
    if (!dispatcher.isNested) {
      dispatcher.afterThis(change);
      return;
    }
    propagator.endUnit();
    change();
    propagator.beginUnit(true);
  }

  /** Becomes the primary within a command that is no part of another: PSYNC with FAILOVER. */
  promoteNow(): void {
    const { id } = this.history;
    this.turnIntoPrimary();
    this.tookOverFrom = id;
  }

  private turnInto(host: string, port: number): void {
    const { services, deps } = this;
    deps.turn.takeJournal();
    const old = this.follower;
    const from = old?.resumePoint ?? {
      resumable: this.resumable || this.primary.backlog !== null,
      streamDb: this.resumeDb,
    };
    this.resumable = false;
    this.resumeDb = 0;
    this.tookOverFrom = null;
    old?.link.stop();
    if (old === null) dismissBlocked(services, this.waits);
    this.follower = this.createFollower(host, port, from);
    services.desk.expiry.hold('replica', true);
    this.config.applySettings({ replicaof: `${host} ${port}` });
    this.readersChanged();
    if (old === null) {
      this.primary.openBacklog();
      deps.onRole('replica');
    }
    this.follower.link.start();
  }

  private turnIntoPrimary(): void {
    const { services, deps, follower } = this;
    if (follower === null) return;
    deps.turn.takeJournal();
    follower.link.stop();
    const { resumable } = follower.resumePoint;
    this.follower = null;
    if (resumable) this.history.promote();
    else this.history.renew();
    this.primary.disconnectAll();
    services.propagator.forgetSelected();
    services.desk.expiry.hold('replica', false);
    this.config.applySettings({ replicaof: 'no one' });
    this.readersChanged();
    deps.onRole('primary');
    deps.resumeLog();
    deps.turn.schedule();
  }

  // ---------------------------------------------------------------- replicas

  /** The replica that a client is or, by its commands, is about to be. */
  replicaOf(client: Client): Replica {
    const known = this.replicas.get(client);
    if (known !== undefined) return known;
    const replica = new Replica(new ClientConnection(this.services, client));
    this.replicas.set(client, replica);
    return replica;
  }

  /** PSYNC and SYNC, after all that speaks against them was looked at. */
  synchronize(client: Client, request: Parameters<Primary['synchronize']>[1]): void {
    const replica = this.replicaOf(client);
    client.isReplica = true;
    client.replyMode = 0;
    client.link?.setNoDelay(!this.config.values.replDisableTcpNodelay);
    this.primary.synchronize(replica, request, Date.now());
    if (this.primary.fullSync.isBusy) setImmediate(() => this.startSnapshot());
  }

  /** A client has gone: a replica, one that waits, or the primary's, which CLIENT KILL closed. */
  gone(client: Client): void {
    this.waits.forget(client);
    if (client === this.follower?.client) this.follower.link.interrupt('the client was killed');
    const replica = this.replicas.get(client);
    if (replica === undefined) return;
    this.replicas.delete(client);
    this.primary.forget(replica);
  }

  get localLog(): LocalLog | null {
    return this.deps.localLog();
  }

  // ---------------------------------------------------------------- time

  /** Called ten times a second, for failover, snapshots for replicas, and clients that wait. */
  tick(): void {
    this.failover.check();
    this.startSnapshot();
    this.waits.check();
  }

  /** Called once a second: silent replicas and primaries, ACKs, PINGs. */
  tickSecond(nowMs: number): void {
    this.primary.tick(nowMs);
    this.journal.tick();
    if (this.follower !== null) {
      this.follower.link.tick(nowMs, this.config.values.replTimeout * 1000);
      this.follower.acks.tick();
    } else if (++this.secondsUnpinged >= this.config.values.replPingReplicaPeriod) {
      this.secondsUnpinged = 0;
      const mayPing = this.journal.isFeeding && !this.failover.isRunning;
      if (mayPing && this.primary.replicas.size > 0) this.journal.ping();
    }
    this.gates.countReplicas();
  }

  private startSnapshot(): void {
    if (this.primary.fullSync.isBusy) this.primary.fullSync.startIfDue(Date.now());
  }

  // ---------------------------------------------------------------- inside

  /** The database that the stream has selected. */
  private get streamDb(): number {
    if (this.follower !== null) return this.follower.streamDb;
    return Math.max(0, this.services.propagator.selectedDatabase);
  }

  private createPrimary(): Primary {
    const { services, deps } = this;
    const self = this;
    return new Primary({
      history: this.history,
      tally: services.stats,
      fs: deps.fs,
      startSnapshot: deps.startSnapshot,
      settings: () => primarySettings(this.config),
      get isReplica() {
        return self.follower !== null;
      },
      settleStream: () => {
        deps.turn.takeJournal();
        return { id: this.history.id, offset: this.history.offset, streamDb: this.streamDb };
      },
      began: () => {
        if (this.follower === null) services.propagator.forgetSelected();
      },
      changed: () => this.replicasChanged(),
      readersChanged: () => this.readersChanged(),
      log: (level, text) => services.log[level](text),
    });
  }

  private createFollower(host: string, port: number, from: Follower['resumePoint']): Follower {
    const { deps, primary, journal, differences } = this;
    return new Follower(
      {
        ...deps,
        primary,
        journal,
        differences,
        isCurrent: (one) => one === this.follower,
        isHandingOver: () => this.failover.state === 'failover-in-progress',
        handedOver: () => this.failover.succeeded(),
        handOverRejected: (reason) => this.failover.abort(reason),
        linkChanged: () => this.gates.apply(),
      },
      host,
      port,
      from,
    );
  }

  private replicasChanged(): void {
    this.waits.check();
    this.failover.check();
    this.services.desk.replicasChanged(this.primary.replicas.size);
    this.gates.countReplicas();
  }

  private readersChanged(): void {
    this.journal.isFeeding = this.follower === null && this.primary.backlog !== null;
    this.deps.readersChanged();
    this.gates.apply();
  }
}
