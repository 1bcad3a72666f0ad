/**
 * The datasets that a primary sends in full syncs, as this server takes them in.
 *
 *     by file   looked at -> ours is given up -> loaded, nobody being served -> adopted
 *               the file becomes the base of the AOF, else the dump (or goes, `rdb-del-sync-files`)
 *     aside     loaded beside ours, which may be served -> looked at -> swapped and adopted
 *                                                                       (`repl-diskless-load`)
 *
 * What is looked at: that this server still follows that primary, that it can load what was sent,
 * and that there is something in it. A primary that has lost its data, as after a start without its
 * disk, has an empty dataset of another history. It is refused while there are keys here, unless
 * `replica-accept-empty-primary` is set: taking it would turn one server's loss into the loss of
 * all copies.
 *
 * From the moment ours is given up until another is adopted the data here are of no history, and
 * nobody can go on from them.
 */
import { errorText, type FileSystem, folderOf } from '../../persistence/file-system.ts';
import { isLoadedVersion } from '../../persistence/rdb/rdb-ends.ts';
import { removeIfThere } from '../../persistence/rdb/rdb-file.ts';
import type { DatasetPosition, DatasetTaker, ReceivedDataset } from '../../replication/payload.ts';
import type { Primary } from '../../replication/primary.ts';
import { LinkError } from '../../replication/socket-reader.ts';
import { flushAll } from '../keyspace/databases.ts';
import type { DatasetAside } from '../persistence/dataset-aside.ts';
import type { LoadedDataset } from '../persistence/dataset-changes.ts';
import type { Services } from '../services.ts';
import type { ReplicationJournal } from './replication-journal.ts';

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

export interface DatasetIntakeDeps {
  readonly services: Services;
  readonly fs: FileSystem;
  readonly primary: Primary;
  readonly journal: ReplicationJournal;
  readonly datasets: Datasets;
  /** Whether this server still follows the primary that sends. */
  readonly isFollowing: () => boolean;
  /** The dataset here is about to be given up: nobody can go on from it any more. */
  readonly giveUp: () => void;
  /** The dataset here is the primary's now, at this place of its stream. */
  readonly adopt: (position: DatasetPosition, streamDb: number) => void;
}

export class DatasetIntake {
  private readonly deps: DatasetIntakeDeps;

  constructor(deps: DatasetIntakeDeps) {
    this.deps = deps;
  }

  /** Takes in a dataset that was received into a file. Rejects when it is refused or not loaded. */
  async load(dataset: ReceivedDataset): Promise<void> {
    const { fs, journal, adopt } = this.deps;
    let loaded: LoadedDataset;
    try {
      loaded = await this.replaceBy(dataset);
    } catch (error) {
      await fs.unlink(dataset.path);
      throw error;
    }
    // In one breath: who is served may save it, write to it and promote this server at once.
    adopt(dataset.position, loaded.streamDb);
    const logged = loaded.goOnFromIt();
    if (logged === null) await Promise.all([this.keep(dataset.path), loaded.goOn()]);
    else {
      journal.notePosition();
      await logged;
    }
  }

  /**
   * The dataset is loaded from its own file: nobody else writes that one, whatever else is saved
   * meanwhile.
   */
  private async replaceBy(dataset: ReceivedDataset): Promise<LoadedDataset> {
    const { primary, services, datasets } = this.deps;
    this.checkFollowing();
    if (datasets.isLoading) throw new LinkError('another dataset is being loaded');
    checkVersion(dataset);
    this.checkEmpty(dataset);
    this.makeWay();
    this.deps.giveUp();
    services.log.notice('MASTER <-> REPLICA sync: Loading DB in memory');
    return datasets.replaceBy(dataset).catch((error: unknown) => {
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
    const { fs, services } = this.deps;
    const { config, log } = services;
    const { appendonly, dbfilename, rdbDelSyncFiles, save } = config.values;
    const path = config.path(dbfilename);
    try {
      fs.renameSync(loaded, path);
      if (rdbDelSyncFiles && !appendonly && save.length === 0) await fs.unlink(path);
      else await fs.fsyncDir(folderOf(path));
    } catch (error) {
      removeIfThere(fs, loaded);
      log.warning(`The dataset of the master is not kept as a dump: ${errorText(error)}`);
    }
  }

  /** Who loads the dataset that is about to come; null to have it put into a file. */
  takerOf(position: DatasetPosition): DatasetTaker | null {
    const { services, primary, datasets } = this.deps;
    const { keyspace, config, log } = services;
    const { replDisklessLoad: way } = config.values;
    if (way === 'disabled' || (way === 'on-empty-db' && !keyspace.isEmpty)) return null;
    // What we hold is an earlier state of the same history: good enough to be read meanwhile.
    const isEarlier = way === 'swapdb' && position?.id === primary.history.id;
    let aside: DatasetAside | null = null;
    return {
      open: async (totalBytes) => {
        log.notice('MASTER <-> REPLICA sync: Loading DB in memory');
        aside = datasets.loadAside(totalBytes, isEarlier ? 'served' : 'hidden');
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
    const { services, datasets, adopt } = this.deps;
    this.checkFollowing();
    this.checkEmpty({ isEmpty, position });
    this.makeWay();
    services.log.notice('MASTER <-> REPLICA sync: Swapping active DB with loaded DB');
    const replaced = datasets.replaceByAside(aside);
    adopt(position, Number(aside.contents.aux.get('repl-stream-db') ?? 0));
    await replaced;
  }

  /** Our own replicas have to come again, and keys that we made are forgotten with the rest. */
  private makeWay(): void {
    const { services, primary } = this.deps;
    primary.disconnectAll();
    primary.dropBacklog();
    services.activeExpiry.own.forget();
  }

  /** Whoever was promoted meanwhile keeps what it has. */
  private checkFollowing(): void {
    if (!this.deps.isFollowing()) throw new LinkError('the link was given up');
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
