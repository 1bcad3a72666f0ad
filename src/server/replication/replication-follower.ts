/**
 * This server as a replica: runs the commands of its primary's stream, and knows what can be gone
 * on from. The datasets that the primary sends are taken in by dataset-intake.ts.
 *
 * The primary is a client without a link of its own: CLIENT LIST shows it and CLIENT KILL breaks
 * the link. Its commands pass the gates that others do not, see keys whose time has come (the
 * primary says when they go), and what they answer is thrown away; an error among the answers means
 * that the two datasets differ, and is loudly told (stream-differences.ts).
 *
 * While its disk fails a replica applies nothing, unless `replica-ignore-disk-write-errors` is set:
 * it breaks the link, and goes on where it was when the disk is well again.
 */
import { EXPIRY_IGNORE } from '../../core/keyspace.ts';
import type { OfferedBuffers } from '../../core/memory/offered-buffers.ts';
import type { Args } from '../../core/resp/args.ts';
import type { FileSystem } from '../../persistence/file-system.ts';
import type { DatasetPosition, DatasetTaker, ReceivedDataset } from '../../replication/payload.ts';
import { PrimaryLink } from '../../replication/primary-link.ts';
import type { LinkSettings, PrimaryLinkHost } from '../../replication/primary-link-host.ts';
import { LinkError } from '../../replication/socket-reader.ts';
import type { Client } from '../clients/client.ts';
import { inKnownWords } from '../dispatch/later-commands.ts';
import type { Turn } from '../turn/turn.ts';
import { DatasetIntake, type DatasetIntakeDeps } from './dataset-intake.ts';
import { ReplicationAcks } from './replication-acks.ts';
import type { StreamDifferences } from './stream-differences.ts';

/** Number that keeps the files of several syncs apart. */
let files = 0;

/** What a follower needs of the server, beside what taking in datasets needs. */
export interface FollowerDeps
  extends Pick<DatasetIntakeDeps, 'services' | 'fs' | 'primary' | 'journal' | 'datasets'> {
  /** The peer has become the primary, if it was asked to. */
  readonly handedOver: () => void;
  readonly differences: StreamDifferences;
  /** Does what a command of the primary says of function libraries; false for any other. */
  readonly takeFunction: (args: Args) => boolean;
  /** Whether this follower is still the server's. */
  readonly isCurrent: (follower: Follower) => boolean;
  /** Whether the disk fails, so that writes would not be kept. */
  readonly isDiskBroken: () => boolean;
  /** A client without a link, for the primary's commands. */
  readonly createClient: () => Client;
  /** The port that clients of this server connect to. */
  readonly listeningPort: () => number;
  /** Whether the peer is asked to take over from us. */
  readonly isHandingOver: () => boolean;
  readonly handOverRejected: (reason: string) => void;
  /** Called when the link has come up, or gone down. */
  readonly linkChanged: () => void;
  readonly turn: Turn;
}

export class Follower implements PrimaryLinkHost {
  readonly link: PrimaryLink;
  readonly acks: ReplicationAcks;
  readonly fs: FileSystem;
  /** Runs the stream; null while there is none. */
  client: Client | null = null;
  /** The database that the stream has selected. */
  streamDb: number;

  private readonly deps: FollowerDeps;
  private readonly intake: DatasetIntake;
  /** Whether the dataset is that of the history, so that a partial sync may be asked for. */
  private resumable: boolean;
  /** Whether the primary counts its stream. */
  private counted = true;
  /** Why the stream cannot be followed beyond where we are; null for no reason. */
  private refusal: string | null = null;

  constructor(deps: FollowerDeps, host: string, port: number, from: ResumePoint) {
    this.deps = deps;
    this.fs = deps.fs;
    this.resumable = from.resumable;
    this.streamDb = from.streamDb;
    this.link = new PrimaryLink(this, host, port);
    this.intake = new DatasetIntake({
      ...deps,
      isFollowing: () => deps.isCurrent(this),
      giveUp: () => {
        this.resumable = false;
      },
      adopt: (position, streamDb) => this.adopt(position, streamDb),
    });
    this.acks = new ReplicationAcks(this.link, deps.journal, deps.turn);
  }

  get buffers(): OfferedBuffers {
    return this.deps.services.keyspace.offered;
  }

  /** Where another follower may go on. */
  get resumePoint(): ResumePoint {
    return { resumable: this.resumable && this.counted, streamDb: this.streamDb };
  }

  get isConnected(): boolean {
    return this.link.state === 'connected';
  }

  // ---------------------------------------------------------------- the link's questions

  get isPaused(): boolean {
    const { desk, persistence } = this.deps.services;
    return desk.pause.isPaused || persistence.isLoading;
  }

  settings(): LinkSettings {
    const { services, primary, listeningPort, isHandingOver } = this.deps;
    const { values } = services.config;
    if (this.mustNotApply) throw new LinkError(DISK_BROKEN);
    if (this.refusal !== null) throw new LinkError(this.refusal);
    const { id, offset } = primary.history;
    // A link that was given up may write its file still.
    const name = `temp-${Math.floor(Date.now() / 1000)}-${++files}.${process.pid}.rdb`;
    const { replicaAnnouncePort: announced } = values;
    return {
      user: values.masteruser,
      password: values.masterauth,
      listeningPort: announced === 0 ? listeningPort() : announced,
      announceIp: values.replicaAnnounceIp,
      timeoutMs: values.replTimeout * 1000,
      sourceAddress: values.bindSourceAddr,
      temporaryPath: services.config.path(name),
      failover: isHandingOver(),
      from: this.resumable && this.counted ? { id, nextByte: offset + 1 } : null,
    };
  }

  log(level: 'notice' | 'warning', text: string): void {
    this.deps.services.log[level](text);
  }

  continued(id: string): void {
    const { primary } = this.deps;
    if (id !== primary.history.id) {
      this.log('notice', `Master replication ID changed to ${id}`);
      primary.history.continueAs(id);
      primary.disconnectAll();
    }
    primary.openBacklog();
    this.deps.handedOver();
  }

  load(dataset: ReceivedDataset): Promise<void> {
    return this.intake.load(dataset);
  }

  takerOf(position: DatasetPosition): DatasetTaker | null {
    // The peer is a primary from here on, whatever becomes of the transfer.
    this.deps.handedOver();
    return this.intake.takerOf(position);
  }

  /** Our dataset is now the primary's at this place in its stream. */
  private adopt(position: DatasetPosition, streamDb: number): void {
    const { primary } = this.deps;
    this.counted = position !== null;
    if (position === null) primary.history.renew();
    else primary.history.adopt(position.id, position.offset);
    primary.openBacklog();
    this.streamDb = Math.max(0, streamDb);
    this.deps.differences.forget();
    this.resumable = true;
  }

  corrupted(): void {
    this.resumable = false;
  }

  connected(): void {
    const { services, createClient } = this.deps;
    const client = createClient();
    client.isPrimary = true;
    client.db = this.streamDb;
    client.address = `${this.link.host}:${this.link.port}`;
    this.client = client;
    services.clients.set(client.id, client);
    this.deps.linkChanged();
    // A streamed dataset is followed by the stream only when the primary has heard from us.
    this.acks.request();
  }

  disconnected(): void {
    const { client, deps } = this;
    this.acks.clear();
    if (client === null) return;
    this.client = null;
    client.closed = true;
    client.reply.drop();
    deps.services.clients.delete(client.id);
    deps.services.dispatcher.discard(client);
    deps.linkChanged();
  }

  failoverRejected(reason: string): void {
    this.deps.handOverRejected(reason);
  }

  // ---------------------------------------------------------------- the stream

  get inTransaction(): boolean {
    return this.client !== null && this.client.transaction !== null;
  }

  execute(args: Args): void {
    const { client } = this;
    if (client === null) return;
    if (this.mustNotApply) {
      this.link.interrupt(DISK_BROKEN);
      return;
    }
    const { services, takeFunction, differences } = this.deps;
    const { desk, dispatcher, keyspace } = services;
    if (takeFunction(args)) return;
    inKnownWords(args);
    this.refusal = differences.refusal(args);
    if (this.refusal !== null) {
      this.link.interrupt(this.refusal);
      return;
    }
    differences.begin();
    keyspace.expiryMode = EXPIRY_IGNORE;
    dispatcher.startClock(Date.now());
    client.lastActiveMs = keyspace.nowMs;
    dispatcher.run(client, args);
    dispatcher.endClock();
    desk.expiry.settle();
    if (differences.any) {
      this.link.settle();
      differences.note(args, this.deps.primary.history.offset);
    }
    client.reply.drop();
    if (client.transaction === null) this.streamDb = client.db;
  }

  applied(bytes: Uint8Array, from: number, length: number): void {
    const { primary, services } = this.deps;
    services.stats.netReplInputBytes += length;
    if (this.client !== null) this.client.bytesIn += length;
    if (this.counted) primary.feed(bytes, from, length);
    this.deps.journal.applied();
  }

  /** With `replica-ignore-disk-write-errors no`, what the disk refuses is not applied either. */
  private get mustNotApply(): boolean {
    const { services, isDiskBroken } = this.deps;
    return isDiskBroken() && !services.config.values.replicaIgnoreDiskWriteErrors;
  }
}

const DISK_BROKEN =
  'the disk of this replica fails, so it follows no further until the disk is well again (or ' +
  'replica-ignore-disk-write-errors is set)';

/** What a follower begins with. */
export interface ResumePoint {
  readonly resumable: boolean;
  readonly streamDb: number;
}
