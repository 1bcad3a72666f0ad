/**
 * The disk side of the AOF: the file that takes turns, the queue before it, and a chain of
 * asynchronous writes and fsyncs that works the queue off. `aof-append.ts` fills it.
 *
 *   turn --in the call--> file                    (page cache; `everysec` and `no`)
 *   turn --> queue --group: write+fsync in one--> file   (`always`)
 *   turn --> queue --chain: write, fsync--------> file   (whenever the disk is busy)
 *                                         \-----> next   once the old file is written and fsynced
 *
 * Under `always` all that is queued is one group, which one trip to the thread pool makes durable.
 * The next one leaves before the replies of this one do, unless it is worth holding
 * (`group-pace.ts`). It makes only its own bytes durable: all others are fsynced before the first.
 *
 * Errors. A failed or short write is cut off at the last whole turn and tried again each second
 * (positions are explicit, so nothing is doubled); until it succeeds `lastError` is set and the
 * server refuses writes. After a failed fsync bytes that were released may be lost, and no later
 * one can say otherwise. Nothing may be written behind such a gap, neither there nor to another
 * file, or a power loss would leave a hole. So the figures stand still, turns are only counted, and
 * the way out is a rewrite: turns after its `switchTo` wait in memory, and are written once the
 * base that holds everything before it is durable (`finishCover`). All of them are unacknowledged
 * until then. Under `always` either error is fatal: no reply that waits can be sent or taken back.
 *
 * A change of files (`switchTo`): all turns before it are written and fsynced to the old file
 * before the first byte goes to the new one, so power loss never leaves a hole in the middle.
 */
import type { DurableFile } from '../durable-file.ts';
import { errorText, isError } from '../file-system.ts';
import { AofFault } from './aof-fault.ts';
import { AofFsyncClock } from './aof-fsync-clock.ts';
import { AofOffsets } from './aof-offsets.ts';
import type { AofDiskOptions, FsyncPolicy } from './aof-options.ts';
import { type TurnBatch, TurnQueue } from './aof-queue.ts';
import { GroupPace, HAS_SPARE_CORES } from './group-pace.ts';

export class AofDisk {
  readonly offsets = new AofOffsets();
  readonly queue: TurnQueue;
  readonly clock = new AofFsyncClock();
  /** Bytes written to files so far, annotations included. */
  encodedBytes = 0;
  readonly #options: AofDiskOptions;
  readonly #fault: AofFault;
  readonly #pace: GroupPace;
  #policy: FsyncPolicy;
  #fsyncSuspended = false;
  #file: DurableFile | undefined;
  #next: DurableFile | undefined;
  /** Bytes of whole turns in `#file`. */
  #fileBytes = 0;
  #isChainRunning = false;
  #chain: Promise<void> = Promise.resolve();
  #sync: Promise<boolean> | undefined;
  #isStopped = false;

  constructor(options: AofDiskOptions) {
    this.#options = options;
    this.queue = new TurnQueue(options.giveBack);
    this.#fault = new AofFault(options);
    this.#pace = new GroupPace(options, HAS_SPARE_CORES, () => this.#startChain());
    this.#policy = options.policy;
  }

  // ---- figures ---------------------------------------------------------------------------

  get policy(): FsyncPolicy {
    return this.#policy;
  }

  /** Whether replies wait for an fsync. */
  get mustSync(): boolean {
    return this.#policy === 'always' && !this.#fsyncSuspended;
  }

  get isSyncing(): boolean {
    return this.#sync !== undefined;
  }

  /** Whether the old file of the last `switchTo` is not yet safe, and turns wait for that. */
  get isChangingFiles(): boolean {
    return this.#next !== undefined;
  }

  /** The file that the next turn goes to, or undefined. */
  get target(): DurableFile | undefined {
    return this.#next ?? this.#file;
  }

  /** Why writes are refused, or undefined while all is well. */
  get lastError(): Error | undefined {
    return this.#fault.error;
  }

  /** Whether turns are only counted: it failed for good, waits for a rewrite, or is closing. */
  get isCountingOnly(): boolean {
    return this.#isStopped || (this.offsets.hasGap && !this.offsets.isCoverBegun);
  }

  /** Whether a turn may be written in the call: nothing is before it, no fsync can block it. */
  get canWriteNow(): boolean {
    return (
      this.#policy !== 'always' &&
      this.#next === undefined &&
      !this.#isChainRunning &&
      this.#sync === undefined &&
      this.#fault.error === undefined &&
      this.queue.isEmpty
    );
  }

  // ---- turns -----------------------------------------------------------------------------

  /**
   * Writes the encoded turn `stage[0 .. bytes)`, which ends at the offset appended so far. Returns
   * false, with nothing left in the file as far as the disk allows, when it failed.
   */
  writeNow(file: DurableFile, stage: Uint8Array, bytes: number): boolean {
    try {
      file.writeAllSync(stage, 0, bytes, this.#fileBytes);
    } catch (error) {
      try {
        file.truncateSync(this.#fileBytes);
      } catch (cutError) {
        this.#fault.warnUncut(cutError);
      }
      this.#fail(error, 'writing to');
      return false;
    }
    this.#fileBytes += bytes;
    this.encodedBytes += bytes;
    this.offsets.wroteUpTo(this.offsets.appended);
    return true;
  }

  /** Turns were put into the queue. After an error they wait for `tick`. */
  wake(): void {
    if (this.#fault.error === undefined && !this.#pace.isHolding) this.#startChain();
  }

  // ---- groups ----------------------------------------------------------------------------

  /** What the next group would be: the head of the queue, if nothing else is to be done first. */
  get #nextGroup(): TurnBatch | undefined {
    const { offsets } = this;
    if (!this.mustSync || offsets.isSyncUseful || offsets.hasGap) return undefined;
    const batch = this.queue.head;
    return this.#sync === undefined && batch?.file === this.#file ? batch : undefined;
  }

  #beginGroup(batch: TurnBatch): void {
    batch.flying = true;
    this.#pace.release();
    this.clock.started(this.#options.nowMs());
    this.#chain = new Promise((resolve) => {
      batch.file.writeAllSynced(batch.buf, 0, batch.len, this.#fileBytes, (error) => {
        resolve(error === undefined ? this.#groupDone(batch) : this.#groupFailed(batch, error));
      });
    });
  }

  #groupDone(batch: TurnBatch): void {
    this.#isChainRunning = false;
    this.#wrote(batch);
    this.offsets.syncedUpTo(batch.endOffset);
    this.clock.finished(this.#options.nowMs(), this.offsets.isAllSynced);
    if (!this.#pace.groupDone(this.clock.lastMs)) this.#startChain();
    this.#options.onProgress();
  }

  async #groupFailed(batch: TurnBatch, error: Error): Promise<void> {
    await batch.file.truncate(this.#fileBytes).catch((cutError) => this.#fault.warnUncut(cutError));
    this.#isChainRunning = false;
    this.#fail(error, 'writing to');
  }

  /** The batch stands in the file. */
  #wrote(batch: TurnBatch): void {
    this.#fileBytes += batch.len;
    this.encodedBytes += batch.len;
    this.offsets.wroteUpTo(batch.endOffset);
    this.queue.remove(batch);
    if (!this.offsets.hasGap) this.#fault.recover();
  }

  // ---- the chain -------------------------------------------------------------------------

  #startChain(): void {
    if (this.#isChainRunning || this.#isStopped) return;
    this.#isChainRunning = true;
    const group = this.#nextGroup;
    if (group === undefined) this.#chain = this.#runChain();
    else this.#beginGroup(group);
  }

  /** Works until nothing is left to do, an error stops it, or a group takes over. */
  async #runChain(): Promise<void> {
    try {
      while (!this.#isStopped && !this.offsets.hasGap && this.#nextGroup === undefined) {
        const batch = this.queue.head;
        if (this.mustSync && this.offsets.isSyncUseful) {
          if (!(await this.syncFile())) return;
        } else if (batch !== undefined && batch.file === this.#file) {
          if (!(await this.#writeBatch(batch))) return;
        } else if (this.#next !== undefined) {
          if (!(await this.#retireFile())) return;
        } else {
          return;
        }
      }
    } finally {
      this.#isChainRunning = false;
    }
    if (this.#nextGroup !== undefined) this.#startChain();
  }

  async #writeBatch(batch: TurnBatch): Promise<boolean> {
    const at = this.#fileBytes;
    batch.flying = true;
    try {
      await batch.file.writeAll(batch.buf, 0, batch.len, at);
    } catch (error) {
      await batch.file.truncate(at).catch((cutError) => this.#fault.warnUncut(cutError));
      batch.flying = false;
      if (batch.file.poison === undefined) this.#fail(error, 'writing to');
      return false;
    }
    this.#wrote(batch);
    this.#options.onProgress();
    return true;
  }

  /** The old file is complete: makes it durable, closes it, and lets the next one take over. */
  async #retireFile(): Promise<boolean> {
    const old = this.#file;
    const isSound = old !== undefined && old.poison === undefined;
    if (isSound && !(await this.syncFile())) return false;
    this.#file = this.#next;
    this.#next = undefined;
    this.#fileBytes = 0;
    await old?.close().catch(() => undefined);
    return true;
  }

  // ---- fsync -----------------------------------------------------------------------------

  /** fdatasync of the current file, after the one that may be running. False: it failed. */
  async syncFile(): Promise<boolean> {
    while (this.#sync !== undefined) await this.#sync;
    if (this.#isStopped) return false;
    this.#sync = this.#syncOnce();
    const done = await this.#sync;
    this.#options.onProgress();
    return done;
  }

  async #syncOnce(): Promise<boolean> {
    const target = this.offsets.syncTarget;
    this.clock.started(this.#options.nowMs());
    try {
      await this.#file?.syncData();
    } catch (error) {
      this.#fail(error, 'fsync of');
      return false;
    } finally {
      this.#sync = undefined;
    }
    this.offsets.syncedUpTo(target);
    this.clock.finished(this.#options.nowMs(), this.offsets.isAllSynced);
    return true;
  }

  /** The clock of the policy: call it about ten times a second. */
  tick(nowMs: number): void {
    const file = this.#file;
    if (this.#isStopped || file === undefined || this.offsets.hasGap) return;
    if (this.#fault.takeRetry(nowMs)) this.#startChain();
    if (this.#policy !== 'everysec' || this.#fsyncSuspended || !this.offsets.isSyncUseful) return;
    if (this.#sync !== undefined) this.clock.noteRunning(nowMs);
    else if (this.clock.isDue(nowMs)) void this.syncFile();
  }

  // ---- errors ----------------------------------------------------------------------------

  #fail(thrown: unknown, action: string): void {
    if (this.#isStopped) return;
    const error = isError(thrown) ? thrown : new Error(String(thrown));
    const what = `${action} ${this.#file?.path} failed (${errorText(error)})`;
    if (this.mustSync) {
      this.#isStopped = true;
      this.#fault.endProcess(error, what);
      return;
    }
    this.#fault.refuse(error, what);
    const file = this.#file;
    if (file?.poison === undefined) return;
    this.offsets.openGap(this.#next !== undefined);
    // Without a base on its way nothing is written any more, to the next file neither.
    if (this.offsets.isCoverBegun) this.queue.dropFile(file);
    else this.queue.clear();
    this.#options.log('warning', `${what}: only a rewrite of the AOF makes this good`);
  }

  // ---- files and policy ------------------------------------------------------------------

  /** Appends after the `bytes` that `file` holds, all of them durable. */
  attach(file: DurableFile, bytes: number): void {
    if (this.#file !== undefined) throw new Error('the AOF has a file already');
    this.#file = file;
    this.#fileBytes = bytes;
  }

  /**
   * Sends turns to `file`, which is new and empty, from the next one on; what was appended so far
   * still goes to the old one. A snapshot of this very moment is about to become a base. Returns
   * false, and changes nothing, while the old file of the last change is not yet safe.
   */
  switchTo(file: DurableFile): boolean {
    if (this.#next !== undefined && !this.offsets.hasGap) return false;
    // An aborted rewrite behind a gap: its increment was never written, nothing waits for it.
    void this.#next?.close().catch(() => undefined);
    this.#next = file;
    this.offsets.beginCover();
    this.#startChain();
    return true;
  }

  /** The base begun at the last `switchTo` is durable and in the manifest. */
  finishCover(): void {
    this.offsets.finishCover();
    // Turns that still wait for the old file are in the base.
    if (this.#next !== undefined && this.#file !== undefined) this.queue.dropFile(this.#file);
    if (this.queue.isEmpty && !this.offsets.hasGap) this.#fault.recover();
    this.#startChain();
    this.#options.onProgress();
  }

  /** Gives up the base begun at the last `switchTo`. Behind a gap, turns wait for the next one. */
  abortCover(): void {
    this.offsets.abortCover();
    if (this.offsets.hasGap) this.queue.clear();
  }

  setPolicy(policy: FsyncPolicy): void {
    this.#policy = policy;
    this.#startChain();
    this.#options.onProgress();
  }

  /**
   * Stops fsyncs while a snapshot is written (no-appendfsync-on-rewrite): POWER LOSS COSTS MORE.
   */
  setFsyncSuspended(suspended: boolean): void {
    if (suspended === this.#fsyncSuspended) return;
    this.#fsyncSuspended = suspended;
    this.#startChain();
    this.#options.onProgress();
  }

  /**
   * Resolves when everything appended before the call is written and fsynced, whatever the policy.
   * Rejects with the error that prevents it.
   */
  async flush(): Promise<void> {
    const target = this.offsets.appended;
    while (this.#file !== undefined && this.offsets.synced < target) {
      if (this.#isStopped) throw this.#fault.error ?? new Error('the AOF is being closed');
      if (!this.offsets.hasGap) {
        this.#startChain();
        await this.#chain;
        if (this.queue.isEmpty && this.#next === undefined) await this.syncFile();
      }
      if (this.#fault.error !== undefined && this.offsets.synced < target) throw this.#fault.error;
    }
  }

  /**
   * Stops using the files and closes them; what was not written is given up: flush before. With
   * `release`, the AOF being off, nothing is promised any more and replies need not wait; without
   * it, the process being about to end, they never go out.
   */
  async detach(release: boolean): Promise<void> {
    const wasStopped = this.#isStopped;
    this.#isStopped = true;
    await this.#chain;
    await this.#sync;
    const files = [this.#file, this.#next];
    this.#file = undefined;
    this.#next = undefined;
    this.#fileBytes = 0;
    this.queue.clear();
    for (const file of files) await file?.close().catch(() => undefined);
    if (wasStopped || !release) return;
    this.#isStopped = false;
    this.#fault.clear();
    this.clock.clear();
    this.offsets.skipAll();
    this.#options.onProgress();
  }
}
