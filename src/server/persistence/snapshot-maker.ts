/**
 * Makes the files of the dataset: the dump, the base of an AOF, what a full sync sends. In the
 * background (a child writes, one at a time), or in this process: between the turns of its loop, or
 * while everything stands still.
 *
 * Before a byte is written the room on the disk is looked at (disk-space.ts).
 */
import type { Keyspace } from '../../core/keyspace.ts';
import type { CommandBase } from '../../persistence/command-writer.ts';
import type { FileSystem } from '../../persistence/file-system.ts';
import { ProgressLine } from '../../persistence/progress-line.ts';
import { spaceRefusalSync } from '../../persistence/rdb/rdb-file.ts';
import { RDB_VERSION_FUNCTIONS } from '../../persistence/rdb/rdb-format.ts';
import type { SnapshotResult, SnapshotTarget } from '../../persistence/snapshot/snapshot.ts';
import type { SnapshotWriter } from '../../persistence/snapshot/snapshot-helper.ts';
import { SnapshotHere } from '../../persistence/snapshot/snapshot-here.ts';
import { type RdbContent, saveNow } from '../../persistence/snapshot/snapshot-now.ts';
import type { QueueMemory } from '../../persistence/snapshot/snapshot-queue.ts';
import type { Config } from '../config/config.ts';
import type { Logger } from '../log.ts';
import { giveBack } from '../memory/give-back.ts';
import { touchedChunk } from '../memory/memory-ahead.ts';
import { DiskSpace } from './disk-space.ts';
import { commandBase, snapshotContent } from './snapshot-content.ts';
import type { SnapshotPurpose, SnapshotRunner } from './snapshot-runner.ts';

/** What of the dataset a snapshot holds, and what it says of itself. */
export interface SnapshotParts {
  readonly aux: Readonly<Record<string, string>>;
  readonly dataset: boolean;
  readonly functions: boolean;
}

export interface SnapshotMakerDeps {
  readonly config: Config;
  readonly log: Logger;
  readonly keyspace: Keyspace;
  readonly fs: FileSystem;
  /** The child process that writes snapshots. */
  readonly helper: SnapshotWriter;
  readonly snapshots: SnapshotRunner;
  /** AUX fields of replication. */
  readonly replicationAux: () => Readonly<Record<string, string>>;
  /** The function libraries. */
  readonly functions: () => readonly Uint8Array[];
}

export class SnapshotMaker {
  readonly space: DiskSpace;
  private readonly memory: QueueMemory = { take: touchedChunk, giveBack, kept: [] };
  private readonly deps: SnapshotMakerDeps;

  constructor(deps: SnapshotMakerDeps) {
    this.deps = deps;
    this.space = new DiskSpace(deps.config, deps.keyspace);
  }

  /** Begins to write the dump. Null while another snapshot runs. */
  save(path: string): Promise<SnapshotResult> | null {
    return this.fileSnapshot('save', path);
  }

  /** Begins to write the dump in this process, in slices. Only while no snapshot runs. */
  saveHere(path: string): Promise<SnapshotResult> {
    return this.fileSnapshotBy(new SnapshotHere(this.deps.fs), 'save', path);
  }

  /** Writes the dump in this process. Throws what the disk says; the old file stands then. */
  saveInPlace(path: string): void {
    this.writeInPlace(path, false);
  }

  /** Begins to write the base of a rewrite. Null while another snapshot runs. */
  base(path: string): Promise<'rdb' | 'aof'> | null {
    const commands = commandBase(this.deps.config);
    const format = commands === undefined ? 'rdb' : 'aof';
    return this.fileSnapshot('rewrite', path, commands)?.then(() => format) ?? null;
  }

  /** Writes the base of a fresh folder and waits for it. */
  async firstBase(path: string): Promise<'rdb' | 'aof'> {
    const commands = commandBase(this.deps.config);
    if (this.deps.keyspace.isEmpty) {
      this.writeInPlace(path, true, commands);
    } else {
      const done = this.fileSnapshot('rewrite', path, commands);
      if (done === null) throw new Error('another snapshot is running');
      await done;
    }
    return commands === undefined ? 'rdb' : 'aof';
  }

  /** Begins any snapshot. Only while none runs. */
  begin(
    purpose: SnapshotPurpose,
    target: SnapshotTarget,
    what: SnapshotParts,
    helper = this.deps.helper,
  ): Promise<SnapshotResult> {
    const { space } = this;
    const { config, keyspace, snapshots } = this.deps;
    const content = this.content(purpose === 'rewrite', what.aux);
    const form = 'file' in target && target.commands !== undefined ? 'commands' : 'rdb';
    if (what.functions && form === 'rdb') this.warnOfFunctions(content);
    const usedBytes = keyspace.arena.usedBytes;
    const done = snapshots.start(purpose, {
      ...content,
      functions: what.functions ? content.functions : [],
      dataset: what.dataset,
      keyspace,
      helper,
      target,
      expectedBytes: what.dataset ? space.expectedBytes(form) : 0,
      keySaveDelayUs: config.values.rdbKeySaveDelay,
      memory: this.memory,
    });
    return done.then((result) => {
      if (what.dataset) space.note(form, result.bytes, usedBytes);
      return result;
    });
  }

  private fileSnapshot(
    purpose: SnapshotPurpose,
    file: string,
    commands?: CommandBase,
  ): Promise<SnapshotResult> | null {
    const { helper, snapshots } = this.deps;
    if (snapshots.isRunning) return null;
    return this.fileSnapshotBy(helper, purpose, file, commands);
  }

  private fileSnapshotBy(
    writer: SnapshotWriter,
    purpose: SnapshotPurpose,
    file: string,
    commands?: CommandBase,
  ): Promise<SnapshotResult> {
    const { config, replicationAux } = this.deps;
    const { rdbSaveIncrementalFsync, aofRewriteIncrementalFsync } = config.values;
    const incrementalFsync =
      purpose === 'save' ? rdbSaveIncrementalFsync : aofRewriteIncrementalFsync;
    return this.begin(
      purpose,
      { file, incrementalFsync, ...(commands && { commands }) },
      { aux: replicationAux(), dataset: true, functions: true },
      writer,
    );
  }

  private writeInPlace(path: string, aofBase: boolean, commands?: CommandBase): void {
    const { space } = this;
    const { config, fs, keyspace, log, replicationAux } = this.deps;
    const form = commands === undefined ? 'rdb' : 'commands';
    const refusal = spaceRefusalSync(fs, path, space.expectedBytes(form));
    if (refusal !== null) throw Object.assign(new Error(refusal), { code: 'ENOSPC' });
    const line = new ProgressLine((text) => log.notice(text), 'Saving', 'keys');
    const content = this.content(aofBase, replicationAux());
    if (form === 'rdb') this.warnOfFunctions(content);
    const { bytes } = saveNow(keyspace, {
      ...content,
      fs,
      path,
      ...(commands && { commands }),
      pid: process.pid,
      onProgress: (keysDone, keysTotal) => line.tell(keysDone, keysTotal),
      incrementalFsync: config.values.rdbSaveIncrementalFsync,
    });
    space.note(form, bytes, keyspace.arena.usedBytes);
  }

  /** Nothing is left out of a dump, also of what the readers of its version refuse. */
  private warnOfFunctions({ functions, version }: RdbContent): void {
    if (functions.length === 0 || version >= RDB_VERSION_FUNCTIONS) return;
    this.deps.log.warning(
      `The RDB of version ${version} holds libraries of functions (${functions.length}), with ` +
        "which servers before Redis 7.0 refuse it; 'cairn rdb convert' writes one without",
    );
  }

  private content(aofBase: boolean, aux: Readonly<Record<string, string>>): RdbContent {
    const { config, keyspace, functions } = this.deps;
    return snapshotContent(config, keyspace, functions(), aofBase, aux);
  }
}
