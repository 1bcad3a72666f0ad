/**
 * This server as a replica: runs the commands of its primary's stream, takes in the datasets it
 * sends, and knows what can be gone on from.
 *
 * The primary is a client without a link of its own: CLIENT LIST shows it and CLIENT KILL breaks
 * the link. Its commands pass the gates that others do not, see keys whose time has come (the
 * primary says when they go), and what they answer is thrown away; an error among the answers means
 * that the two datasets differ, and is loudly told (stream-differences.ts).
 *
 * While its disk fails a replica applies nothing, unless `replica-ignore-disk-write-errors` is set:
 * it breaks the link, and goes on where it was when the disk is well again.
 *
 * A dataset without a single key, of a stream that ours does not come from, is what a primary sends
 * that was started again without its data. It is refused while there are keys here, unless
 * `replica-accept-empty-primary` is set: taking it would turn one server's loss into the loss of
 * all copies.
 */
import { EXPIRY_IGNORE } from '../../core/keyspace.ts';
import type { OfferedBuffers } from '../../core/memory/offered-buffers.ts';
import type { Args } from '../../core/resp/args.ts';
import { errorText, type FileSystem, folderOf } from '../../persistence/file-system.ts';
import { isLoadedVersion } from '../../persistence/rdb/rdb-ends.ts';
import { removeIfThere } from '../../persistence/rdb/rdb-file.ts';
import type { DatasetPosition, DatasetTaker, ReceivedDataset } from '../../replication/payload.ts';
import type { Primary } from '../../replication/primary.ts';
import type { LinkSettings, PrimaryLinkHost } from '../../replication/primary-link.ts';
import { PrimaryLink } from '../../replication/primary-link.ts';
import { LinkError } from '../../replication/socket-reader.ts';
import type { Client } from '../clients/client.ts';
import { flushAll } from '../keyspace/databases.ts';
import type { DatasetAside } from '../persistence/dataset-aside.ts';
import type { LoadedDataset } from '../persistence/dataset-changes.ts';
import type { Services } from '../services.ts';
import type { Turn } from '../turn/turn.ts';
import { ReplicationAcks } from './replication-acks.ts';
import type { ReplicationJournal } from './replication-journal.ts';
import type { StreamDifferences } from './stream-differences.ts';

/** Number that keeps the files of several syncs apart. */
let files = 0;

/** Puts whole datasets in the place of the one that stands. */
export interface Datasets {
  /** Whether one is being loaded: another has to wait. */
  readonly isLoading: boolean;
  /**
   * Replaces the dataset by one that was received. Resolves when it is loaded, before anybody is
   * served from it.
   */
  replaceBy(dataset: ReceivedDataset): Promise<LoadedDataset>;
  /** Begins to load one beside the one that stands; the total is 0 while unknown. */
  loadAside(totalBytes: number, old: 'hidden' | 'served'): DatasetAside;
  /** Puts it in the place of ours, at once; resolves when the AOF goes on. */
  replaceByAside(aside: DatasetAside): Promise<void>;
}

export interface FollowerDeps {
  readonly services: Services;
  readonly fs: FileSystem;
  readonly primary: Primary;
  readonly datasets: Datasets;
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
  readonly handedOver: () => void;
  readonly handOverRejected: (reason: string) => void;
  /** Called when the link has come up, or gone down. */
  readonly linkChanged: () => void;
  readonly journal: ReplicationJournal;
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

  async load(dataset: ReceivedDataset): Promise<void> {
    let loaded: LoadedDataset;
    try {
      loaded = await this.replaceBy(dataset);
    } catch (error) {
      await this.fs.unlink(dataset.path);
      throw error;
    }
    // In one breath: who is served may save it, write to it and promote this server at once.
    this.adopt(dataset.position, loaded.streamDb);
    const logged = loaded.goOnFromIt();
    if (logged === null) await Promise.all([this.keep(dataset.path), loaded.goOn()]);
    else {
      this.deps.journal.notePosition();
      await logged;
    }
  }

  /**
   * The dataset is loaded from its own file: nobody else writes that one, whatever else is saved
   * meanwhile.
   */
  private async replaceBy(dataset: ReceivedDataset): Promise<LoadedDataset> {
    const { primary, services } = this.deps;
    // Whoever was promoted meanwhile keeps what it has.
    if (!this.deps.isCurrent(this)) throw new LinkError('the link was given up');
    if (this.deps.datasets.isLoading) throw new LinkError('another dataset is being loaded');
    checkVersion(dataset);
    this.checkEmpty(dataset);
    primary.disconnectAll();
    primary.dropBacklog();
    this.resumable = false;
    services.activeExpiry.own.forget();
    this.log('notice', 'MASTER <-> REPLICA sync: Loading DB in memory');
    return this.deps.datasets.replaceBy(dataset).catch((error: unknown) => {
      primary.history.renew();
      // What was loaded of it is nobody's dataset.
      flushAll(services);
      throw new LinkError(`the dataset of the master could not be loaded: ${errorText(error)}`);
    });
  }

  /**
   * What was loaded, unless it is the AOF's base, becomes the dump, or goes where nothing is kept
   * on disk (`rdb-del-sync-files`). Should that fail, the old dump stands, which says the place of
   * its own data.
   */
  private async keep(loaded: string): Promise<void> {
    const { config } = this.deps.services;
    const { appendonly, dbfilename, rdbDelSyncFiles, save } = config.values;
    const path = config.path(dbfilename);
    try {
      this.fs.renameSync(loaded, path);
      if (rdbDelSyncFiles && !appendonly && save.length === 0) await this.fs.unlink(path);
      else await this.fs.fsyncDir(folderOf(path));
    } catch (error) {
      removeIfThere(this.fs, loaded);
      this.log('warning', `The dataset of the master is not kept as a dump: ${errorText(error)}`);
    }
  }

  takerOf(position: DatasetPosition): DatasetTaker | null {
    // The peer is a primary from here on, whatever becomes of the transfer.
    this.deps.handedOver();
    const { keyspace, config } = this.deps.services;
    const { replDisklessLoad: way } = config.values;
    if (way === 'disabled' || (way === 'on-empty-db' && !keyspace.isEmpty)) return null;
    // What we hold is an earlier state of the same history: good enough to be read meanwhile.
    const isEarlier = way === 'swapdb' && position?.id === this.deps.primary.history.id;
    let aside: DatasetAside | null = null;
    return {
      open: async (totalBytes) => {
        this.log('notice', 'MASTER <-> REPLICA sync: Loading DB in memory');
        aside = this.deps.datasets.loadAside(totalBytes, isEarlier ? 'served' : 'hidden');
        return aside;
      },
      take: async ({ isEmpty }) => {
        if (aside !== null) await this.take(aside, isEmpty, position);
      },
      drop: () => aside?.giveUp(),
    };
  }

  /** A dataset that was loaded aside is whole: from one command to the next it is ours. */
  private async take(
    aside: DatasetAside,
    isEmpty: boolean,
    position: DatasetPosition,
  ): Promise<void> {
    const { services, primary, datasets, isCurrent } = this.deps;
    if (!isCurrent(this)) throw new LinkError('the link was given up');
    this.checkEmpty({ isEmpty, position });
    primary.disconnectAll();
    primary.dropBacklog();
    services.activeExpiry.own.forget();
    this.log('notice', 'MASTER <-> REPLICA sync: Swapping active DB with loaded DB');
    const replaced = datasets.replaceByAside(aside);
    this.adopt(position, Number(aside.contents.aux.get('repl-stream-db') ?? 0));
    await replaced;
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

  private checkEmpty(dataset: Pick<ReceivedDataset, 'isEmpty' | 'position'>): void {
    const { services, primary } = this.deps;
    const { keyspace, config } = services;
    if (!dataset.isEmpty || config.values.replicaAcceptEmptyPrimary) return;
    if (keyspace.databases.every((db) => db.dict.count === 0)) return;
    if (dataset.position !== null && primary.history.isKin(dataset.position.id)) return;
    throw new LinkError(
      'the master has sent an empty dataset of another history, as after a start without its ' +
        'data, and there are keys here: refused. To give them up, set ' +
        'replica-accept-empty-primary to yes; to keep them, promote this server with ' +
        'REPLICAOF NO ONE',
    );
  }
}

/** What is newer than anything that loads here must not cost what stands. */
function checkVersion({ version }: ReceivedDataset): void {
  if (isLoadedVersion(version)) return;
  throw new LinkError(
    `the master has sent an RDB of version ${version}, which this server cannot load: refused, ` +
      'and what is here is kept. A master that is newer than this server can follow it, but not ' +
      'lead it',
  );
}

const DISK_BROKEN =
  'the disk of this replica fails, so it follows no further until the disk is well again (or ' +
  'replica-ignore-disk-write-errors is set)';

/** What a follower begins with. */
export interface ResumePoint {
  readonly resumable: boolean;
  readonly streamDb: number;
}
