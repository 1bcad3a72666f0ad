/**
 * Loading the dataset from its files, in slices, while clients are told -LOADING.
 *
 *     start   appendonly yes: the AOF folder (a single file of an older server is taken in);
 *             else dir/dbfilename
 *
 * Each slice takes SLICE_MS, then the loop has its turn, so connections are accepted and INFO
 * answers with the progress. A line in the log says how far it is every few seconds; the last one
 * says how long it took.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../core/database.ts';
import type { Keyspace } from '../../core/keyspace.ts';
import type { AofFolder } from '../../persistence/aof/aof-folder.ts';
import { type AofLoadReport, loadAof } from '../../persistence/aof/aof-load.ts';
import { positionOfAux } from '../../persistence/aof/aof-position.ts';
import type { AofTailSink } from '../../persistence/aof/aof-tail.ts';
import { FolderHeldError, holderText } from '../../persistence/aof/folder-hold.ts';
import { ManifestError } from '../../persistence/aof/manifest.ts';
import { errorText, type FileSystem } from '../../persistence/file-system.ts';
import { ProgressLine } from '../../persistence/progress-line.ts';
import { RdbLoad } from '../../persistence/rdb/rdb-load.ts';
import { RdbReader } from '../../persistence/rdb/rdb-reader.ts';
import { FileSource } from '../../persistence/rdb/rdb-source.ts';
import type { Client } from '../clients/client.ts';
import type { ExpiryHolds } from '../clients/expiry-holds.ts';
import type { Config } from '../config/config.ts';
import type { Dispatcher } from '../dispatch/dispatch.ts';
import type { Stats } from '../info/stats.ts';
import type { Logger } from '../log.ts';
import { userText } from '../log-privacy.ts';
import { AofReplay } from './aof-replay.ts';
import { DatasetAside } from './dataset-aside.ts';

const SLICE_MS = 10;

/** How long a start waits for a server that is just going away to let the AOF's folder go. */
const HELD_WAIT_MS = 5000;
const HELD_POLL_MS = 50;

/**
 * What becomes of the dataset that stood before, while another is being loaded: it has gone, or it
 * stands behind the scenes, or clients go on being served from it.
 */
type OldDataset = 'gone' | 'hidden' | 'served';

/** How far a load is, as INFO shows it. */
export interface LoadingProgress {
  readonly startedMs: number;
  /** Bytes that there are to load; 0 while that is unknown. */
  totalBytes: number;
  readonly old: OldDataset;
  loadedBytes: number;
  /** AUX fields of the RDB file that is read, or was read last. */
  aux: ReadonlyMap<string, string>;
  readonly line: ProgressLine;
}

export interface LoadedRdb {
  readonly keys: number;
  readonly expiredKeys: number;
  readonly emptyKeys: number;
  /** AUX fields: repl-id, repl-offset and the rest. */
  readonly aux: ReadonlyMap<string, string>;
}

export interface LoadRdbOptions {
  /** A primary drops keys whose time has come; a replica and an AOF's base keep them. */
  readonly expired: 'drop' | 'keep';
  readonly duplicates?: 'refuse' | 'replace';
}

export interface DatasetLoaderDeps {
  readonly config: Config;
  readonly log: Logger;
  readonly keyspace: Keyspace;
  readonly fs: FileSystem;
  readonly stats: Stats;
  readonly dispatcher: Dispatcher;
  /** The client without a link that runs the commands of an AOF. */
  readonly client: Client;
  readonly expiry: ExpiryHolds;
  /** Called when loading begins or is over. */
  readonly onLoading: () => void;
}

export class DatasetLoader {
  /** Null while nothing is being loaded. */
  progress: LoadingProgress | null = null;
  /**
   * The sources of the function libraries that the last dataset brought, in an RDB file, in the RDB
   * that an AOF begins with, or in its commands.
   */
  functions: readonly Uint8Array[] = [];
  private readonly deps: DatasetLoaderDeps;
  private stopped = false;

  constructor(deps: DatasetLoaderDeps) {
    this.deps = deps;
  }

  /** Has a load under way go no further, when the server ends. */
  stop(): void {
    this.stopped = true;
  }

  /** Throws when the server has ended. */
  assertGoesOn(): void {
    if (this.stopped) throw new Error('the server ended while it was loading');
  }

  /**
   * Takes hold of the AOF's folder. Who has it may be a server that was ended a moment ago, so it
   * is waited for; rejects with `FolderHeldError` when it stays.
   */
  async takeFolder(folder: AofFolder): Promise<void> {
    const untilMs = performance.now() + HELD_WAIT_MS;
    for (let isTold = false; ; isTold = true) {
      try {
        await folder.takeHold();
        return;
      } catch (error) {
        if (!(error instanceof FolderHeldError) || performance.now() >= untilMs) throw error;
        const { path, pid } = error;
        const who = `${holderText(pid)} to let go of the AOF folder ${path}`;
        if (!isTold) this.deps.log.notice(`Waiting for ${who}, ${HELD_WAIT_MS / 1000} s at most`);
      }
      this.assertGoesOn();
      await sleep(HELD_POLL_MS);
    }
  }

  /**
   * Loads an RDB file, undefined when there is none; nobody is served before `ready` as well.
   * Rejects with what is wrong with the file, and where.
   */
  async loadRdb(
    path: string,
    options: LoadRdbOptions,
    ready: Promise<void> = Promise.resolve(),
  ): Promise<LoadedRdb | undefined> {
    const stat = this.deps.fs.statSync(path);
    if (stat === undefined) return undefined;
    return this.during(stat.size, async () => {
      const loaded = await this.readRdb(path, options, 0);
      await ready;
      this.assertGoesOn();
      return loaded;
    });
  }

  /**
   * Replays the AOF folder, once `makeReady` is done, while which nobody is served already. `tail`
   * is given the end of the replication stream. Rejects with what is wrong with it, and what to do.
   */
  async loadAof(
    folder: AofFolder,
    makeReady = async (): Promise<void> => {},
    tail: AofTailSink | null = null,
  ): Promise<AofLoadReport> {
    const { config, expiry, keyspace, log } = this.deps;
    return this.during(0, async (progress) => {
      await makeReady();
      const files = await folder.filesToLoad();
      progress.totalBytes = files.reduce((sum, { size }) => sum + size, 0);
      this.functions = [];
      expiry.hold('replay', true);
      const replay = new AofReplay({ ...this.deps, databases: keyspace.databases.length });
      let before = 0;
      try {
        const report = await loadAof(folder, {
          cutTornTail: config.values.aofLoadTruncated,
          sliceMs: SLICE_MS,
          nowMs: () => performance.now(),
          rest: () => this.rest(),
          log: (level, text) => log[level](text),
          readRdb: async (path) => {
            const { bytes, aux } = await this.readRdb(path, { expired: 'keep' }, before);
            before += bytes;
            replay.kept.add(this.functions);
            return { bytes, position: positionOfAux(aux) };
          },
          execute: (args, path, offset) => replay.execute(args, path, offset),
          onProgress: (bytes) => this.advance(bytes),
          tail,
        });
        this.functions = replay.kept.sources;
        replay.finish();
        return report;
      } finally {
        expiry.hold('replay', false);
      }
    });
  }

  /**
   * Begins to load what comes over a socket, aside from the dataset that stands. The total is 0
   * while unknown.
   */
  loadAside(totalBytes: number, old: 'hidden' | 'served'): DatasetAside {
    const { keyspace } = this.deps;
    const databases = keyspace.databasesAside();
    const reader = RdbReader.fed();
    const load = this.loadOf(reader, { expired: 'keep' }, databases);
    this.begin(totalBytes, old).aux = load.aux;
    return new DatasetAside({
      keyspace,
      databases,
      reader,
      load,
      sliceMs: SLICE_MS,
      rest: () => this.rest(),
      onProgress: (bytes) => this.advance(bytes),
      onOver: () => this.over(),
    });
  }

  private async readRdb(
    path: string,
    options: LoadRdbOptions,
    before: number,
  ): Promise<LoadedRdb & { bytes: number }> {
    const { keyspace, fs } = this.deps;
    const file = fs.openSync(path, 'read');
    try {
      const load = this.loadOf(RdbReader.over(new FileSource(file)), options);
      if (this.progress !== null) this.progress.aux = load.aux;
      while (!load.step(SLICE_MS, () => performance.now())) {
        this.advance(before + load.bytes);
        await this.rest();
        keyspace.nowMs = Date.now();
      }
      this.advance(before + load.bytes);
      this.functions = load.functions;
      for (const name of load.emptyKeyNames) {
        this.deps.log.notice(`skipping empty key: ${userText(this.deps.config, name)}`);
      }
      const { aux, bytes, emptyKeys } = load;
      // A primary that keeps some for its replicas' sake has them removed as soon as it runs.
      const kept = options.expired === 'drop' ? load.overdueKeys : 0;
      const counts = { keys: load.keys - kept, expiredKeys: load.expiredKeys + kept, emptyKeys };
      return { ...counts, aux, bytes };
    } catch (error) {
      throw new Error(`${path}: ${errorText(error)}`, { cause: error });
    } finally {
      file.closeSync();
    }
  }

  private loadOf(
    reader: RdbReader,
    options: LoadRdbOptions,
    databases?: readonly Database[],
  ): RdbLoad {
    const { config, keyspace } = this.deps;
    const { values } = config;
    const load: RdbLoad = new RdbLoad({
      keyspace,
      ...(databases === undefined ? {} : { databases }),
      reader,
      checksum: values.rdbchecksum,
      // Replicas that go on from here have expired keys as well, and must be told when they go.
      get expired() {
        return load.aux.has('repl-id') ? 'keep' : options.expired;
      },
      duplicates: options.duplicates ?? 'refuse',
      // Without an LRU as well, idle times are kept: OBJECT IDLETIME tells them.
      usage: usageKind(values.maxmemoryPolicy) === 'lfu' ? 'lfu' : 'lru',
      deep: values.sanitizeDumpPayload === 'yes',
      get keyDelayUs() {
        return Math.max(0, values.keyLoadDelay);
      },
    });
    return load;
  }

  private async during<T>(
    totalBytes: number,
    work: (progress: LoadingProgress) => Promise<T>,
  ): Promise<T> {
    this.deps.client.db = 0;
    const progress = this.begin(totalBytes, 'gone');
    try {
      return await work(progress);
    } finally {
      this.over();
    }
  }

  private begin(totalBytes: number, old: OldDataset): LoadingProgress {
    const startedMs = Date.now();
    const line = new ProgressLine((text) => this.deps.log.notice(text), 'Loading', 'bytes');
    const progress = { startedMs, totalBytes, old, loadedBytes: 0, aux: new Map(), line };
    this.progress = progress;
    this.deps.keyspace.nowMs = startedMs;
    this.deps.onLoading();
    return progress;
  }

  private over(): void {
    this.progress = null;
    this.deps.onLoading();
  }

  /** Lets the loop have its turn. */
  private async rest(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.assertGoesOn();
  }

  private advance(loadedBytes: number): void {
    const { progress } = this;
    if (progress === null) return;
    progress.loadedBytes = loadedBytes;
    progress.line.tell(loadedBytes, progress.totalBytes);
  }
}

/** What of a key's use the eviction policy wants in a dump. */
export function usageKind(policy: string): 'lru' | 'lfu' | 'none' {
  if (policy.endsWith('lru')) return 'lru';
  return policy.endsWith('lfu') ? 'lfu' : 'none';
}

const MEND = 'Nothing was changed. Mend the line, or restore the folder from a backup';

/** Reads what the AOF consists of. Rejects with what is wrong with it, and what to do. */
export async function readManifest(folder: AofFolder): Promise<void> {
  try {
    await folder.read();
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    throw new Error(`${folder.manifestPath}: ${error.message}. ${MEND}`, { cause: error });
  }
}
