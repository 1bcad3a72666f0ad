/**
 * Whole datasets in place of the one that stands, while the server runs: that of a primary, and
 * what DEBUG RELOAD and DEBUG LOADAOF read back.
 *
 *     from a file    the old one goes, then the new one is loaded: nobody is served meanwhile
 *     from a socket  the new one is loaded aside; when it is whole it takes the old one's place
 *
 * One at a time: loading takes many turns, and two of them would load into each other.
 *
 * The AOF of the old dataset is brought to disk first and left as it is: a restart finds it whole
 * until the new one has taken its place. That is soon where the file that was received can be the
 * base (received-base.ts); else a rewrite has to make one.
 *
 *     disk      [old AOF, last fsync] [an empty increment]           [file -> base, manifest]
 *     loop      [ the new dataset is loaded .............] [first line][ turns ...
 *                                       nobody is served ]             [ the link goes on
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { errorText } from '../../persistence/file-system.ts';
import type { ReceivedDataset } from '../../replication/payload.ts';
import { LOADING_DATASET } from '../dispatch/errors.ts';
import type { ReloadOptions } from '../services.ts';
import type { DatasetAside } from './dataset-aside.ts';
import type { LoadedRdb } from './dataset-loader.ts';
import type { Persistence } from './persistence.ts';
import type { PersistenceDeps } from './persistence-deps.ts';
import { mayBeBase, tellsNoOther } from './received-base.ts';

const POLL_MS = 10;
const BUSY = 'another dataset is being loaded';
const NO_BASE = 'The dataset of the master has to be written anew for the AOF';

export interface LoadedDataset {
  /** The database that the stream has selected, 0 if unsaid. */
  readonly streamDb: number;
  /**
   * Has the AOF go on from this call on, with the file as its base: resolves when a restart would
   * find it. Null, and nothing is done, where that cannot be.
   */
  goOnFromIt(): Promise<void> | null;
  /** Has the AOF go on once a rewrite has made a base; resolves when that begins. */
  goOn(): Promise<void>;
}

export class DatasetChanges {
  private readonly persistence: Persistence;
  private readonly deps: PersistenceDeps;

  constructor(persistence: Persistence, deps: PersistenceDeps) {
    this.persistence = persistence;
    this.deps = deps;
  }

  /** Whether one is being loaded: another would mix with it. */
  get isLoading(): boolean {
    return this.persistence.isLoading || this.persistence.isLoadingAside;
  }

  /** Replaces the dataset by the RDB that a primary sent. Only while none is being loaded. */
  async replaceBy(dataset: ReceivedDataset): Promise<LoadedDataset> {
    const { aof, loader, snapshots } = this.persistence;
    const { config, flushAll } = this.deps;
    const { path, position } = dataset;
    snapshots.abort();
    const suspended = aof.suspend();
    // Whoever waits for the log hears of it.
    suspended.catch(() => {});
    flushAll();
    const ready = mayBeBase(config.values, dataset) ? this.standBy() : undefined;
    let loaded: LoadedRdb | undefined;
    try {
      loaded = await loader.loadRdb(path, { expired: 'keep' }, ready);
      if (loaded === undefined) throw new Error(`${path} is missing`);
    } catch (error) {
      // Rather nothing than the part that came before the damage.
      flushAll();
      if (ready !== undefined) await aof.suspend();
      throw error;
    }
    const { aux } = loaded;
    return {
      streamDb: Number(aux.get('repl-stream-db') ?? 0),
      goOnFromIt: () => (tellsNoOther(aux, position) ? this.goOnFrom(path) : null),
      goOn: () => suspended.then(() => this.persistence.resumeLog()),
    };
  }

  /** Has the AOF ready to go on with what is being loaded. */
  private async standBy(): Promise<void> {
    await this.persistence.aof.standBy().catch((error: unknown) => {
      this.deps.log.warning(`${NO_BASE}: ${errorText(error)}`);
    });
  }

  private goOnFrom(path: string): Promise<void> | null {
    const { fs, keyspace, log } = this.deps;
    const done = this.persistence.aof.goOnFrom(path);
    if (done === null) return null;
    keyspace.dirty++; // there is no dump of it
    return done.then(
      () => log.notice('The dataset that was received is the base of the AOF'),
      async (error: unknown) => {
        log.warning(`${NO_BASE}: ${errorText(error)}`);
        await fs.unlink(path).catch(() => undefined);
      },
    );
  }

  /** Begins to load a dataset that a primary sends, aside from the one that stands. */
  loadAside(totalBytes: number, old: 'hidden' | 'served'): DatasetAside {
    if (this.isLoading) throw new Error(BUSY);
    // What it would save is about to go, and there is memory for two datasets to find.
    this.persistence.snapshots.abort();
    return this.persistence.loader.loadAside(totalBytes, old);
  }

  /** Puts a dataset that was loaded aside in the place of the one that stands, at once. */
  async replaceByAside(aside: DatasetAside): Promise<void> {
    this.persistence.snapshots.abort();
    const suspended = this.persistence.aof.suspend();
    this.deps.install(aside);
    this.persistence.loader.functions = aside.contents.functions;
    this.deps.keyspace.dirty++;
    await suspended;
    await this.persistence.resumeLog();
  }

  /**
   * Saves and loads the dataset, for DEBUG RELOAD. Resolves with an error text when that failed.
   */
  async reload(options: ReloadOptions): Promise<string | undefined> {
    if (this.isLoading) return LOADING_DATASET;
    if (options.save) {
      const error = this.persistence.saveInPlace();
      if (error !== undefined) return `ERR Error trying to save the DB: ${error}`;
    }
    if (options.flush) this.deps.flushAll();
    const { loader, rdb } = this.persistence;
    try {
      const loaded = await loader.loadRdb(rdb.path, {
        expired: 'keep',
        duplicates: options.merge ? 'replace' : 'refuse',
      });
      if (loaded === undefined) throw new Error(`${rdb.path} is missing`);
      this.deps.log.warning('DB reloaded by DEBUG RELOAD');
      return undefined;
    } catch (error) {
      this.deps.log.warning(`DEBUG RELOAD: ${errorText(error)}`);
      return 'ERR Error trying to load the RDB dump, check server logs.';
    }
  }

  /**
   * Loads the dataset from the AOF, for DEBUG LOADAOF. Resolves with an error text when that
   * failed.
   */
  async reloadAof(): Promise<string | undefined> {
    const { aof, loader } = this.persistence;
    const { folder } = aof.aof;
    try {
      // Its end would take away files that are being read.
      while (aof.rewrites.isRunning) await sleep(POLL_MS);
      if (this.isLoading) return LOADING_DATASET;
      // From here on nobody is served: what came in between would be loaded as well, or be lost.
      const makeReady = async (): Promise<void> => {
        if (aof.isOn) await aof.flush();
        else await aof.aof.takeHold(); // a torn end may be cut
        await folder.read();
        this.deps.flushAll();
      };
      await loader.loadAof(folder, makeReady).finally(() => aof.aof.letGo());
      this.deps.keyspace.dirty = 0;
      this.deps.log.warning('Append Only File loaded by DEBUG LOADAOF');
      return undefined;
    } catch (error) {
      this.deps.log.warning(`DEBUG LOADAOF: ${errorText(error)}`);
      return 'ERR Error trying to load the AOF files, check server logs.';
    }
  }
}
