/**
 * What the server keeps on disk: puts RDB, AOF, snapshots and loading together.
 *
 *     start      take hold of the AOF's folder -> load -> open the AOF -> serve
 *     each tick  save points, the AOF's clock, rewrites that are due
 *     end        save where save points exist or it was asked for, flush and close the AOF
 */
import { AofFolder } from '../../persistence/aof/aof-folder.ts';
import { errorText } from '../../persistence/file-system.ts';
import { RdbError } from '../../persistence/rdb/rdb-error.ts';
import { SnapshotHelper } from '../../persistence/snapshot/snapshot-helper.ts';
import { asideGate, holdLoadingGate } from '../dispatch/gates.ts';
import type { InfoLines } from '../info/info-lines.ts';
import { auxAt, auxOf } from '../replication/replication-aux.ts';
import type { PersistenceServices, ReloadOptions, RewriteAnswer } from '../services.ts';
import { AofLatency } from './aof-latency.ts';
import { AofService } from './aof-service.ts';
import { DatasetChanges } from './dataset-changes.ts';
import { DatasetLoader, readManifest } from './dataset-loader.ts';
import { DiskWatch } from './disk-watch.ts';
import { LastSave } from './last-save.ts';
import { tellLeftovers } from './leftovers.ts';
import type { PersistenceDeps } from './persistence-deps.ts';
import { persistenceInfo } from './persistence-info.ts';
import { RdbService, type RdbServiceDeps } from './rdb-service.ts';
import { SnapshotMaker } from './snapshot-maker.ts';
import { SnapshotRunner } from './snapshot-runner.ts';
import { StreamedFunctions } from './streamed-functions.ts';

/** Said when the server does not start from a snapshot. */
const WHAT_TO_DO =
  'Nothing was changed. "cairn check-rdb" on the file tells more; put a sound one in its place, ' +
  'or move it away to start without data';

export class Persistence implements PersistenceServices {
  readonly snapshots: SnapshotRunner;
  readonly loader: DatasetLoader;
  readonly maker: SnapshotMaker;
  readonly rdb: RdbService;
  readonly aof: AofService;
  readonly lastSave: LastSave;
  readonly latency: AofLatency;
  readonly changes: DatasetChanges;
  readonly streamedFunctions: StreamedFunctions;
  /** Keys that the last load stored, and dropped because their time had come. */
  loadedKeys = 0;
  loadedExpiredKeys = 0;

  private readonly deps: PersistenceDeps;
  /** The child that writes snapshots; it stays for the next one. */
  private readonly helper: SnapshotHelper;
  private readonly disk: DiskWatch;
  /** Until it serves: what a client wrote before the AOF takes turns would be lost. */
  private stage: 'before' | 'starting' | 'serving' = 'before';

  constructor(deps: PersistenceDeps) {
    this.deps = deps;
    this.snapshots = new SnapshotRunner(deps.log);
    this.helper = deps.helper ?? new SnapshotHelper();
    this.loader = this.createLoader();
    this.holdGate();
    this.maker = this.createMaker();
    this.rdb = this.createRdb();
    this.lastSave = new LastSave({
      rdb: this.rdb,
      snapshots: this.snapshots,
      isLoading: () => this.isLoading,
    });
    this.aof = this.createAof();
    const { aof } = this.aof;
    const { config, desk } = deps;
    this.latency = new AofLatency(aof, config, desk.latency, () => this.snapshots.isRunning);
    this.changes = new DatasetChanges(this, deps);
    this.streamedFunctions = new StreamedFunctions(this.loader, deps);
    this.disk = new DiskWatch(desk, config, this.rdb, aof);
  }

  private createLoader(): DatasetLoader {
    const onLoading = (): void => this.loadingChanged();
    return new DatasetLoader({ ...this.deps, expiry: this.deps.desk.expiry, onLoading });
  }

  private createMaker(): SnapshotMaker {
    const { config, fs, keyspace, log, replicationAux } = this.deps;
    return new SnapshotMaker({
      config,
      log,
      keyspace,
      fs,
      helper: this.helper,
      snapshots: this.snapshots,
      replicationAux,
      functions: () => this.loader.functions,
    });
  }

  private createRdb(): RdbService {
    const { config, keyspace, log } = this.deps;
    const { maker } = this;
    const deps: RdbServiceDeps = {
      config,
      log,
      keyspace,
      startSave: (path) => maker.save(path),
      startSaveHere: (path) => maker.saveHere(path),
      saveInPlace: (path) => maker.saveInPlace(path),
      onEnded: () => this.disk.look(),
    };
    return new RdbService(deps, Date.now());
  }

  private createAof(): AofService {
    const { config, log, fs, hold, turn, propagator } = this.deps;
    const { appenddirname: appendDirName, appendfilename: appendFilename, dir } = config.values;
    return new AofService({
      config,
      log,
      turn,
      propagator,
      folder: new AofFolder(fs, { dir, appendDirName, appendFilename }, hold),
      startBase: (path) => this.maker.base(path),
      isSnapshotRunning: () => this.snapshots.isRunning,
      isLoading: () => this.loader.progress?.old === 'gone',
      abortBase: () => this.snapshots.abortOf('rewrite'),
      writeFirstBase: (path) => this.maker.firstBase(path),
      expectedBaseBytes: () => this.maker.space.expectedRewriteBytes,
      readersChanged: this.deps.readersChanged,
      onErrorChange: () => this.disk.look(),
      onFatal: this.deps.onFatal,
    });
  }

  /**
   * Whether a dataset is being loaded and none can be served, or the server has not got so far.
   */
  get isLoading(): boolean {
    const { progress } = this.loader;
    return this.stage !== 'serving' || (progress !== null && progress.old !== 'served');
  }

  /** Whether a dataset is being loaded while the old one is served. */
  get isLoadingAside(): boolean {
    return this.loader.progress?.old === 'served';
  }

  /** Whether the disk fails, so that writes would not be kept. */
  get isDiskBroken(): boolean {
    return this.disk.isBroken;
  }

  /** Whether a snapshot, or the preparation of one, is under way. */
  get isBusy(): boolean {
    return this.snapshots.isRunning || this.aof.rewrites.isRunning || this.loader.progress !== null;
  }

  // ---------------------------------------------------------------- start and end

  /** Keeps other servers from the AOF. Rejects, having changed nothing, when one has it. */
  async takeFolder(): Promise<void> {
    if (this.deps.config.values.appendonly) await this.loader.takeFolder(this.aof.aof.folder);
  }

  /**
   * Loads what the configuration says and opens the AOF, once its folder is taken. Rejects when the
   * server must not start, or has been stopped meanwhile; `stop` must follow then.
   */
  async start(): Promise<void> {
    this.stage = 'starting';
    try {
      await this.load();
      this.loader.assertGoesOn();
      if (this.deps.config.values.appendonly) await this.aof.open();
      this.loader.assertGoesOn();
    } catch (error) {
      this.stage = 'before';
      throw error;
    }
    this.helper.ready();
    this.stage = 'serving';
    this.loadingChanged();
  }

  private async load(): Promise<void> {
    const { config, log } = this.deps;
    // A process is cheap to start while this one is small, and dear later (snapshot-helper.ts).
    const { appendonly, save } = config.values;
    if (this.deps.isProcess || appendonly || save.length > 0) this.helper.warm();
    await tellLeftovers(this.deps.fs, config.values.dir, log).catch(() => {}); // no reason to end
    const begun = performance.now();
    const { folder } = this.aof.aof;
    if (config.values.appendonly) {
      await readManifest(folder);
      if (await folder.takeInOldFile()) {
        log.notice(`Took ${folder.place.appendFilename} of an older server into ${folder.path}`);
      }
    }
    if (config.values.appendonly && !folder.isFresh) {
      const { commandCount, totalBytes, position } = await this.loader.loadAof(
        folder,
        undefined,
        this.deps.earlierStream(),
      );
      this.deps.onLoaded(auxAt(position));
      log.notice(
        `DB loaded from append only file: ${commandCount} commands, ${totalBytes} bytes, ` +
          `${secondsSince(begun)} seconds`,
      );
    } else if (!config.values.appendonly || (await this.mayStartFromRdb())) {
      await this.loadRdb(begun);
    }
    this.deps.keyspace.dirty = 0;
  }

  /**
   * Ends: saves where save points exist or `save` asks for it, then brings the AOF to disk.
   * Rejects, and the server goes on, when the data cannot be saved and `force` is not given.
   */
  async end(options: { save: boolean | undefined; force: boolean }): Promise<void> {
    const { config, log } = this.deps;
    this.aof.assertMayEnd(options.force);
    if (this.isLoading) return; // a part of the dataset must not take the place of the whole
    this.snapshots.abort();
    const wanted = options.save ?? config.values.save.length > 0;
    if (wanted) {
      log.notice('Saving the final RDB snapshot before exiting.');
      const error = await this.lastSave.run();
      if (this.lastSave.isAborted) throw new Error('the save was aborted');
      if (error !== undefined) {
        log.warning("Error trying to save the DB, can't exit.");
        if (!options.force) throw new Error(error);
      } else if (!this.isLoading) log.notice('DB saved on disk');
    }
    if (!this.aof.isOn) return;
    log.notice('Calling fsync() on the AOF file.');
    try {
      await this.aof.close();
    } catch (error) {
      if (!options.force) throw error;
      log.warning(`The AOF is not on disk completely: ${errorText(error)}`);
    }
  }

  /** Ends loads, snapshots, their child and the AOF, when the server stops. */
  async stop(): Promise<void> {
    this.loader.stop();
    this.snapshots.abort();
    this.helper.close();
    // A start under way still has the folder; it finds that it is over, and this is called again.
    if (this.stage !== 'starting') await this.aof.stop();
  }

  /**
   * Has the AOF go on that the load of a primary's dataset stopped; the next rewrite begins it
   * anew.
   */
  async resumeLog(): Promise<void> {
    const isOn = this.aof.isOn && !this.aof.isStandingBy;
    if (!this.deps.config.values.appendonly || isOn || this.isLoading) return;
    const error = await this.aof.goOn();
    if (error !== undefined) this.deps.log.warning(error);
  }

  /** Called ten times a second. */
  tick(nowMs: number): void {
    const { progress } = this.loader;
    // While a dataset is loaded aside, the log of the old one is kept as always.
    if (this.stage !== 'serving' || progress?.old === 'gone') return;
    this.aof.tick(this.snapshots.isRunning || progress !== null);
    this.rdb.tick(nowMs, this.isBusy);
    this.disk.look();
  }

  /** The end of a turn, before its journal is taken. */
  endTurn(): void {
    this.aof.rewrites.endTurn();
  }

  // ---------------------------------------------------------------- commands

  get isSaving(): boolean {
    return this.rdb.isSaving;
  }

  get lastSaveSeconds(): number {
    return this.rdb.lastSaveSeconds;
  }

  beginSave(isAwaited = false): boolean {
    return !this.isBusy && this.rdb.begin(isAwaited);
  }

  scheduleSave(): void {
    this.rdb.scheduled = true;
  }

  saveEnding(): Promise<string | undefined> {
    return this.rdb.ending();
  }

  requestRewrite(later: boolean): RewriteAnswer {
    return this.aof.rewrites.request(later || this.snapshots.isRunning);
  }

  reload(options: ReloadOptions): Promise<string | undefined> {
    return this.changes.reload(options);
  }

  reloadAof(): Promise<string | undefined> {
    return this.changes.reloadAof();
  }

  flushed(): void {
    this.snapshots.abortOf('save');
    if (this.deps.config.values.save.length > 0) this.saveInPlace();
  }

  /** Writes the dump at once, in this process: an error text when that failed. */
  saveInPlace(): string | undefined {
    // It would put older data in the place of these; the last save even writes to the same file.
    this.snapshots.abortOf('save');
    return this.rdb.saveInPlace();
  }

  /** Sets all figures back, for CONFIG RESETSTAT. */
  resetFigures(): void {
    this.latency.reset();
  }

  /** Figures for INFO persistence. */
  info(): InfoLines {
    return persistenceInfo(this, this.deps.keyspace);
  }

  /** Where a file in the data folder is. */
  pathOf(name: string): string {
    return this.deps.config.path(name);
  }

  private async loadRdb(begun: number): Promise<void> {
    const { log, isReplica, onLoaded } = this.deps;
    const { path } = this.rdb;
    const expired = isReplica() ? 'keep' : 'drop';
    const loaded = await this.loader.loadRdb(path, { expired }).catch((error: Error) => {
      if (!(error.cause instanceof RdbError)) throw error;
      throw new Error(`${error.message}. ${WHAT_TO_DO}`, { cause: error });
    });
    if (loaded === undefined) return;
    this.loadedKeys = loaded.keys;
    this.loadedExpiredKeys = loaded.expiredKeys;
    onLoaded(auxOf(loaded.aux));
    const { keys, expiredKeys, emptyKeys } = loaded;
    const skipped = emptyKeys > 0 ? `, empty keys skipped: ${emptyKeys}` : '';
    log.notice(`Done loading RDB, keys loaded: ${keys}, keys expired: ${expiredKeys}${skipped}.`);
    log.notice(`DB loaded from disk: ${secondsSince(begun)} seconds`);
  }

  /** With appendonly yes and no AOF yet: a dump that stands there is not silently left aside. */
  private async mayStartFromRdb(): Promise<boolean> {
    const { fs, log } = this.deps;
    const stands = (await fs.stat(this.rdb.path)) !== undefined;
    if (stands) log.notice('There is no AOF yet: the RDB file is loaded and becomes its base.');
    return stands;
  }

  private loadingChanged(): void {
    this.holdGate();
    this.deps.readersChanged();
  }

  private holdGate(): void {
    const isBeginning = this.loader.progress === null && this.deps.keyspace.isEmpty;
    holdLoadingGate(this.deps.desk, this.isLoading, isBeginning);
    if (this.isLoadingAside) this.deps.desk.gates.set('loading', asideGate);
  }
}

function secondsSince(begun: number): string {
  return ((performance.now() - begun) / 1000).toFixed(3);
}
