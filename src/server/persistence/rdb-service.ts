/**
 * RDB files in the server: save points, BGSAVE and SAVE, and what is known of them.
 *
 * A save is a snapshot written to `dir/dbfilename`. Changes made while it ran stay counted as
 * unsaved: `dirty` falls by what it was when the snapshot began, and only when it succeeded.
 *
 * A save that the server itself gives up, since FLUSHALL or another dataset made it pointless, is
 * no failure: writes are refused for what the disk does, and it did nothing.
 */
import type { Keyspace } from '../../core/keyspace.ts';
import { errorText } from '../../persistence/file-system.ts';
import { SnapshotError, type SnapshotResult } from '../../persistence/snapshot/snapshot.ts';
import type { Config } from '../config/config.ts';
import type { Logger } from '../log.ts';

/** A save point that fails is tried again after this many seconds at the earliest. */
const RETRY_SECONDS = 5;
/** Stands for an error when the server did not want the save any more. */
export const GIVEN_UP = 'given up';

export interface RdbServiceDeps {
  readonly config: Config;
  readonly log: Logger;
  readonly keyspace: Keyspace;
  /** Starts a snapshot into a file. Null while another one runs. */
  readonly startSave: (path: string) => Promise<SnapshotResult> | null;
  /** Like `startSave`, but written by this process in slices. Only while no snapshot runs. */
  readonly startSaveHere: (path: string) => Promise<SnapshotResult>;
  /** Writes the dump in this process. Throws what the disk says. */
  readonly saveInPlace: (path: string) => void;
  /** Called when a save has ended, well or not. */
  readonly onEnded: () => void;
}

export class RdbService {
  /** Seconds since 1970 of the last save that succeeded, or of the start. */
  lastSaveSeconds: number;
  lastOk = true;
  lastSeconds = -1;
  saves = 0;
  scheduled = false;
  startedMs = 0;
  isSaving = false;
  /**
   * The most that waited for the child during the last save, in bytes: what a copy-on-write would
   * have cost.
   */
  lastPeakBytes = 0;

  private readonly deps: RdbServiceDeps;
  private lastTrySeconds = 0;
  private readonly waiting: ((error: string | undefined) => void)[] = [];

  constructor(deps: RdbServiceDeps, nowMs: number) {
    this.deps = deps;
    this.lastSaveSeconds = Math.floor(nowMs / 1000);
  }

  /** The path of the file that a save goes to. */
  get path(): string {
    return this.deps.config.path(this.deps.config.values.dbfilename);
  }

  /** Whether writes must be refused, because a save that is wanted fails. */
  get isBroken(): boolean {
    const { save, stopWritesOnBgsaveError } = this.deps.config.values;
    return !this.lastOk && stopWritesOnBgsaveError && save.length > 0;
  }

  /**
   * Begins a save in the background. False while another snapshot runs. `isAwaited`: whoever asked
   * for it waits and is told when it fails, so that this alone does not have writes refused.
   */
  begin(isAwaited = false): boolean {
    const { keyspace, log } = this.deps;
    const dirty = keyspace.dirty;
    const running = this.deps.startSave(this.path);
    this.lastTrySeconds = Math.floor(Date.now() / 1000);
    if (running === null) return false;
    this.scheduled = false;
    this.isSaving = true;
    this.startedMs = Date.now();
    log.notice('Background saving started');
    running.then(
      ({ bytes, queuedBytesPeak }) => {
        this.lastPeakBytes = queuedBytesPeak;
        this.saved(dirty);
        log.notice(`DB saved on disk, ${bytes} bytes`);
        log.notice('Background saving terminated with success');
        this.ended(undefined);
      },
      (error: Error) => {
        log.warning(`Background saving error: ${error.message}`);
        if (!isAwaited && !isGivenUp(error)) this.lastOk = false;
        this.ended(error.message);
      },
    );
    return true;
  }

  /**
   * Writes the dump at once, in this process. An error text when that failed; the old file stands
   * then, and no writes are refused.
   */
  saveInPlace(): string | undefined {
    const { keyspace, log, onEnded, saveInPlace } = this.deps;
    try {
      saveInPlace(this.path);
      this.saved(keyspace.dirty);
      return undefined;
    } catch (error) {
      log.warning(`Saving failed: ${errorText(error)}`);
      return errorText(error);
    } finally {
      onEnded();
    }
  }

  /**
   * Writes the dump in this process, between the turns of the loop. Resolves with what went wrong,
   * GIVEN_UP when nothing did and yet it is not written.
   */
  async saveHere(): Promise<string | undefined> {
    const { keyspace, log, onEnded, startSaveHere } = this.deps;
    const { dirty } = keyspace;
    this.isSaving = true;
    this.startedMs = Date.now();
    try {
      await startSaveHere(this.path);
      this.saved(dirty);
      return undefined;
    } catch (error) {
      if (isGivenUp(error)) return GIVEN_UP;
      log.warning(`Saving failed: ${errorText(error)}`);
      return errorText(error);
    } finally {
      this.isSaving = false;
      onEnded();
    }
  }

  /** Resolves when the save that runs now has ended: with what went wrong, or undefined. */
  ending(): Promise<string | undefined> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Called ten times a second. `busy`: a snapshot runs already. */
  tick(nowMs: number, busy: boolean): void {
    if (busy) return;
    if (this.scheduled || this.isDue(Math.floor(nowMs / 1000))) this.begin();
  }

  private isDue(nowSeconds: number): boolean {
    const { config, keyspace, log } = this.deps;
    const since = nowSeconds - this.lastSaveSeconds;
    for (const { seconds, changes } of config.values.save) {
      if (keyspace.dirty < changes || since <= seconds) continue;
      if (!this.lastOk && nowSeconds - this.lastTrySeconds < RETRY_SECONDS) continue;
      log.notice(`${changes} changes in ${seconds} seconds. Saving...`);
      return true;
    }
    return false;
  }

  /** The dump holds what had been changed when `dirty` was read. */
  private saved(dirty: number): void {
    const { keyspace } = this.deps;
    keyspace.dirty = Math.max(0, keyspace.dirty - dirty);
    this.lastSaveSeconds = Math.floor(Date.now() / 1000);
    this.lastOk = true;
    this.saves++;
  }

  private ended(error: string | undefined): void {
    this.isSaving = false;
    this.lastSeconds = Math.round((Date.now() - this.startedMs) / 1000);
    this.deps.onEnded();
    for (const one of this.waiting.splice(0)) one(error);
  }
}

function isGivenUp(error: unknown): boolean {
  return error instanceof SnapshotError && error.code === 'ABORTED';
}
