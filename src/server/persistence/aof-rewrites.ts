/**
 * The rewrites of the AOF in the server: when one begins, how it meets the turn and the snapshot
 * that makes its base, and how it ended.
 *
 *     prepare   a new increment stands ready on disk
 *     begin     at the end of a turn, in one breath: the increment takes the next turns, and the
 *               snapshot starts
 *     finish    the snapshot is done: the manifest names base and increment
 *     or abort  it failed: what stood before still stands, and the increment goes on being used
 *
 * Two that go another way: one that was asked for while the AOF is off (`isAside`) leaves a base
 * alone in the folder; one whose base is there already, being the dataset that a replica received,
 * begins and finishes with that (`beginFrom`).
 *
 * Each belongs to an epoch, which ends when rewrites are given up, as they are when the AOF is
 * switched off: whatever one of an earlier epoch waited for, it then ends, and touches nothing.
 */
import type { Aof } from '../../persistence/aof/aof.ts';
import { errorText } from '../../persistence/file-system.ts';
import type { RewriteAnswer } from '../services.ts';
import type { AofServiceDeps } from './aof-service-deps.ts';

export class AofRewrites {
  /** One was asked for that has to wait. */
  isScheduled = false;
  /** One is being prepared or, without an AOF, runs. */
  isPreparing = false;
  /** One runs that was asked for without an AOF. */
  isAside = false;
  /** Figures of the last one, when the one that runs began, and how many succeeded. */
  lastOk = true;
  lastSeconds = -1;
  startedMs = 0;
  count = 0;
  /** Resolves when the one being prepared stands ready, or with why it does not. */
  preparation: Promise<string | undefined> = Promise.resolve(undefined);

  private readonly deps: AofServiceDeps;
  private readonly aof: Aof;
  private readonly attach: () => void;
  private epoch = 0;
  /** Settles when one without an AOF has the folder, or cannot have it. */
  private opening: Promise<void> = Promise.resolve();
  /** One that is prepared begins at the end of the turn. */
  private isReady = false;

  /** `attach` is called when turns go to a new increment from now on. */
  constructor(deps: AofServiceDeps, aof: Aof, attach: () => void) {
    this.deps = deps;
    this.aof = aof;
    this.attach = attach;
  }

  get isRunning(): boolean {
    return this.aof.isRewriting || this.isPreparing || this.isReady;
  }

  /** BGREWRITEAOF. `busy`: a snapshot runs. */
  request(busy: boolean): RewriteAnswer {
    if (this.isRunning) {
      return { error: 'ERR Background append only file rewriting already in progress' };
    }
    if (busy) {
      this.isScheduled = true;
      return { answer: 'Background append only file rewriting scheduled' };
    }
    this.start();
    const answer = 'Background append only file rewriting started';
    if (this.aof.state !== 'off') return { answer };
    const refusal = this.opening.then(
      () => undefined,
      (error: unknown) => `ERR Unable to rewrite the AOF: ${errorText(error)}`,
    );
    return { answer, refusal };
  }

  /** Begins one that waits, or that is due by itself. */
  startIfDue(nowMs: number): void {
    const reason = this.isScheduled ? 'asked' : this.aof.rewriteReason(nowMs);
    if (reason === undefined) return;
    if (reason === 'growth') this.deps.log.notice('Starting automatic rewriting of AOF');
    this.start();
  }

  /** Begins to prepare one, unless one is under way. */
  start(): void {
    if (!this.isRunning) this.preparation = this.prepare();
  }

  /** The end of a turn, before its journal is taken: one that stands ready begins here. */
  endTurn(): void {
    if (!this.isReady || this.deps.isLoading() || this.deps.isSnapshotRunning()) return;
    // What this turn has written so far belongs to the old files: it must be appended before they
    // change.
    this.deps.turn.takeJournal();
    this.isReady = false;
    this.begin();
  }

  /**
   * Begins one that is prepared, and finishes it with the RDB at `path`, which holds what the
   * dataset is now. Null, and nothing is done, where none is prepared.
   */
  beginFrom(path: string): Promise<void> | null {
    this.isReady = false;
    this.deps.turn.takeJournal();
    if (!this.aof.beginRewrite()) return null;
    this.attach();
    const { epoch } = this;
    return this.aof.finishRewrite(path, 'rdb').catch(async (error: unknown) => {
      if (epoch === this.epoch) await this.aof.abortRewrite();
      throw error;
    });
  }

  /** Whatever is under way, or waits, comes to nothing. */
  giveUp(): void {
    this.epoch++;
    this.isReady = false;
    this.isScheduled = false;
    this.deps.abortBase();
  }

  private async prepare(): Promise<string | undefined> {
    const { epoch } = this;
    this.isPreparing = true;
    this.isScheduled = false;
    this.startedMs = Date.now();
    try {
      if (this.aof.state === 'off') await this.runAside(epoch);
      else {
        await this.aof.prepareRewrite(this.deps.expectedBaseBytes());
        this.assertEpoch(epoch);
        this.isReady = true;
        this.deps.turn.schedule();
      }
      return undefined;
    } catch (error) {
      const reason = epoch === this.epoch ? errorText(error) : undefined;
      await this.failed(error, epoch);
      return reason;
    } finally {
      this.isPreparing = false;
    }
  }

  /**
   * BGREWRITEAOF without an AOF, as Redis allows it: the folder gets a base, and nothing is
   * appended.
   */
  private async runAside(epoch: number): Promise<void> {
    this.isAside = true;
    try {
      this.opening = this.aof.switchOn(this.deps.config.values.dir);
      await this.opening;
      await this.aof.prepareRewrite(this.deps.expectedBaseBytes());
      this.assertEpoch(epoch);
      const base = this.aof.folder.temporaryBasePath('off');
      if (this.deps.isLoading()) throw new Error(BUSY);
      this.aof.beginRewrite();
      const format = await (this.deps.startBase(base) ?? Promise.reject(new Error(BUSY)));
      this.assertEpoch(epoch);
      await this.aof.finishRewrite(base, format, false);
    } finally {
      await this.aof.switchOff().finally(() => this.aof.letGo());
      this.isAside = false;
    }
    this.succeeded();
  }

  private begin(): void {
    if (!this.aof.beginRewrite()) {
      this.isScheduled = true;
      return;
    }
    this.attach();
    const base = this.aof.folder.temporaryBasePath(process.pid);
    const done = this.deps.startBase(base) ?? Promise.reject(new Error(BUSY));
    this.deps.log.notice('Background append only file rewriting started');
    const { epoch } = this;
    done
      .then((format) => {
        this.assertEpoch(epoch);
        return this.aof.finishRewrite(base, format);
      })
      .then(() => this.succeeded())
      .catch((error: unknown) => this.failed(error, epoch));
  }

  private assertEpoch(epoch: number): void {
    if (epoch !== this.epoch) throw new Error('the AOF was switched off meanwhile');
  }

  private succeeded(): void {
    this.lastOk = true;
    this.count++;
    this.lastSeconds = Math.round((Date.now() - this.startedMs) / 1000);
    this.deps.log.notice('Background AOF rewrite finished successfully');
  }

  private async failed(error: unknown, epoch: number): Promise<void> {
    if (epoch !== this.epoch) return;
    this.lastOk = false;
    this.lastSeconds = Math.round((Date.now() - this.startedMs) / 1000);
    this.deps.log.warning(`Background AOF rewrite failed: ${errorText(error)}`);
    const minutes = await this.aof.abortRewrite();
    if (minutes > 0) {
      this.deps.log.warning(
        'Background AOF rewrite has repeatedly failed and triggered the limit, will retry in ' +
          `${minutes} minutes`,
      );
    }
  }
}

const BUSY = 'another snapshot is running, or the dataset is being loaded';
