/**
 * The append-only file as the server uses it: open at start, append at the end of each turn, tick,
 * rewrite, switch on and off. What is on disk at each step is drawn in `manifest.ts`; how turns get
 * there is told in `aof-append.ts`.
 *
 *   start      folder = new AofFolder(...); await folder.takeHold(), read(), takeInOldFile()
 *              load (`aof-load.ts`), then: aof = new Aof(folder, ...); await aof.open(writeBase)
 *   turn       aof.append(bytes, off, len); replies wait until releasableBytes >= appendedBytes
 *   10x a s    aof.tick(nowMs); if (aof.rewriteReason(nowMs)) begin a rewrite
 *   rewrite    await aof.prepareRewrite(bytes)     a new increment stands ready and is durable,
 *                                                  and little of the old one is unsynced
 *              aof.beginRewrite()                  at the end of a turn, in one breath with the
 *                                                  start of the snapshot that becomes the base
 *              await aof.finishRewrite(path, ...)  or await aof.abortRewrite()
 *
 *   states     off --switchOn--> waiting --first rewrite finished--> on --switchOff--> off
 *
 * While `waiting`, turns go to a temporary increment from `beginRewrite` on, and nothing is
 * promised yet: a restart would find what the folder held before.
 */
import type { DurableFile } from '../durable-file.ts';
import { errorText } from '../file-system.ts';
import { AofAppender } from './aof-append.ts';
import type { AofDisk } from './aof-disk.ts';
import type { AofFolder } from './aof-folder.ts';
import { openLoadedIncr, openNewIncr, openTemporaryIncr } from './aof-increments.ts';
import type { AofOptions } from './aof-options.ts';
import { type RewriteReason, RewriteSchedule } from './aof-rewrite-schedule.ts';
import { AofSize } from './aof-size.ts';

export type AofState = 'off' | 'waiting' | 'on';

/** Writes the dataset as it is to a new file at `path`, durably, and says in which format. */
export type BaseWriter = (path: string) => Promise<'rdb' | 'aof'>;

/** Fsyncs ahead of a change of files: so many, or until one is as quick as this. */
const MOST_SYNCS_AHEAD = 3;
const QUICK_SYNC_MS = 10;

/** How far a rewrite is: its increment stands ready, or takes turns. */
type Rewrite = { readonly step: 'prepared' | 'begun'; readonly file: DurableFile };

export class Aof {
  readonly folder: AofFolder;
  readonly appender: AofAppender;
  readonly disk: AofDisk;
  readonly size: AofSize;
  readonly schedule: RewriteSchedule;
  keepHistory: boolean;
  readonly #options: AofOptions;
  #state: AofState;
  #rewrite: Rewrite | undefined;
  /** Changes of the folder run one after the other. */
  #folderWork: Promise<unknown>;

  constructor(folder: AofFolder, options: AofOptions) {
    this.folder = folder;
    this.appender = new AofAppender(options);
    this.disk = this.appender.disk;
    this.size = new AofSize(folder, this.disk);
    this.schedule = new RewriteSchedule(options.rewritePercentage, options.rewriteMinSizeBytes);
    this.keepHistory = options.keepHistory;
    this.#options = options;
    this.#state = 'off';
    this.#rewrite = undefined;
    this.#folderWork = Promise.resolve();
  }

  // ---- figures ---------------------------------------------------------------------------

  get state(): AofState {
    return this.#state;
  }

  get isRewriting(): boolean {
    return this.#rewrite?.step === 'begun';
  }

  /** Commands appended so far, in bytes; the offset of the turn that ends now. */
  get appendedBytes(): number {
    return this.appender.appendedBytes;
  }

  get writtenBytes(): number {
    return this.disk.offsets.written;
  }

  /**
   * Bytes of the journal that are safe on disk; 0 while `waiting`, since a restart would not load
   * these files.
   */
  get syncedBytes(): number {
    return this.#state === 'waiting' ? 0 : this.disk.offsets.synced;
  }

  /** Replies to everything executed up to this offset may be sent. */
  get releasableBytes(): number {
    return this.appender.releasableBytes;
  }

  /** Whether so much waits for the disk that clients should not be read from for a while. */
  get isCongested(): boolean {
    return this.appender.isCongested;
  }

  /** Why write commands are refused, or undefined while all is well. */
  get lastError(): Error | undefined {
    return this.disk.lastError;
  }

  // ---- turns -----------------------------------------------------------------------------

  /** Takes the commands of one turn; the bytes are borrowed during the call only. */
  append(buf: Uint8Array, off: number, len: number): void {
    this.appender.append(buf, off, len);
  }

  /** The AOF's clock: call it about ten times a second with the options' `nowMs()`. */
  tick(nowMs: number): void {
    this.disk.tick(nowMs);
  }

  // ---- start and end ---------------------------------------------------------------------

  /**
   * Starts appending after everything that was loaded. A fresh folder begins with a base made by
   * `writeBase`. Everything loaded is durable when this resolves, since clients may now see it.
   */
  async open(writeBase: BaseWriter): Promise<void> {
    await this.folder.makeFolder();
    for (const name of await this.folder.removeLeftovers()) {
      this.#options.log('notice', `removed ${name}, left by an interrupted rewrite or switch`);
    }
    if (this.folder.isFresh) {
      const path = this.folder.temporaryBasePath('start');
      const format = await writeBase(path);
      await this.folder.adoptBase(path, format, 0);
    }
    if (this.folder.manifest.incrs.length === 0) await this.folder.addIncr();
    const file = await openLoadedIncr(this.folder);
    this.disk.attach(file, file.sizeSync());
    this.#state = 'on';
    await this.size.loaded();
    await this.#deleteHistory();
  }

  /** Whether replaced files stay; those that stayed until now go when they no longer may. */
  setKeepHistory(keep: boolean): Promise<void> {
    this.keepHistory = keep;
    return keep || this.#state === 'off'
      ? Promise.resolve()
      : this.#inFolder(() => this.#deleteHistory());
  }

  async #deleteHistory(): Promise<void> {
    if (this.keepHistory) return;
    try {
      await this.folder.deleteHistory();
    } catch (error) {
      this.#warn(`replaced AOF files stay for now: ${errorText(error)}`);
    }
  }

  /** Everything appended so far, written and fsynced; rejects with what prevents it. */
  flush(): Promise<void> {
    return this.disk.flush();
  }

  /**
   * Flushes and closes the files, for shutdown. Rejects when something is not safe on disk, and
   * goes on as if nothing had been asked.
   */
  async close(): Promise<void> {
    await this.disk.flush();
    await this.giveUp();
  }

  /** Closes the files as they are, after a change of the folder: who waits is never answered. */
  giveUp(): Promise<void> {
    return this.#inFolder(() => this.#close(false));
  }

  async #close(release: boolean): Promise<void> {
    await this.disk.detach(release);
    if (this.#rewrite?.step === 'prepared') await this.#rewrite.file.close().catch(() => undefined);
    this.#rewrite = undefined;
    this.#state = 'off';
  }

  /** Switched on while running, in `dir`: the first rewrite that succeeds makes it `on`. */
  switchOn(dir = this.folder.place.dir): Promise<void> {
    return this.#inFolder(async () => {
      if (this.#state !== 'off') return;
      await this.folder.moveTo(dir);
      this.#state = 'waiting';
    });
  }

  /** Keeps others from a folder that is read while the AOF is off, if it is there. */
  takeHold(): Promise<void> {
    return this.#inFolder(() => this.folder.takeHold('if there'));
  }

  /** Lets others have the folder, unless the AOF is on (again). */
  letGo(): Promise<void> {
    return this.#inFolder(async () => {
      if (this.#state === 'off') this.folder.letGo();
    });
  }

  /**
   * Switched off while running; the files stay as they are. A rewrite under way comes to nothing.
   */
  switchOff(): Promise<void> {
    return this.#inFolder(async () => {
      if (this.#state === 'off') return;
      const wasWaiting = this.#state === 'waiting';
      await this.disk.flush().catch((error) => {
        this.#warn(`the AOF was switched off with bytes that are not on disk: ${errorText(error)}`);
      });
      await this.#close(true);
      if (!wasWaiting) return;
      await this.folder.removeLeftovers().catch((error) => this.#warn(errorText(error)));
    });
  }

  // ---- rewrite ---------------------------------------------------------------------------

  /** Whether a rewrite should begin by itself now, and why. */
  rewriteReason(nowMs: number): RewriteReason | undefined {
    if (this.#state === 'off' || this.isRewriting) return undefined;
    const isNeeded = this.#state === 'waiting' || this.disk.offsets.hasGap;
    const { currentBytes, afterRewriteBytes } = this.size;
    return this.schedule.reason(nowMs, isNeeded, currentBytes, afterRewriteBytes);
  }

  /**
   * First step of a rewrite: a new increment, empty and durable, which takes no turns yet. Rejects,
   * having changed nothing that matters, when the disk has not `expectedBytes` left or fails.
   */
  async prepareRewrite(expectedBytes: number): Promise<void> {
    if (this.#state === 'off') throw new Error('the AOF is switched off');
    await this.#inFolder(async () => {
      if (this.#rewrite !== undefined) {
        if (this.#rewrite.step === 'prepared') return;
        throw new Error('an AOF rewrite is already running');
      }
      const free = expectedBytes > 0 ? await this.folder.fs.freeBytes(this.folder.path) : 0;
      if (free < expectedBytes) {
        throw new Error(
          `no space: the rewrite wants about ${expectedBytes} bytes in ${this.folder.path} and ` +
            `${free} are free; make room, or set disk-space-check to no to try all the same`,
        );
      }
      const openIncr = this.#state === 'on' ? openNewIncr : openTemporaryIncr;
      this.#rewrite = { step: 'prepared', file: await openIncr(this.folder) };
    });
    await this.#syncAhead();
  }

  /**
   * Makes safe what is written while turns go on, since they wait for the fsync at the change of
   * files: under `no` the kernel holds half a minute of writes back by then. Each fsync leaves to
   * the next what came while it ran. One that fails is told as any other, and is no reason not to
   * rewrite.
   */
  async #syncAhead(): Promise<void> {
    const { disk } = this;
    for (let i = 0; i < MOST_SYNCS_AHEAD; i++) {
      const isUseful = disk.offsets.isSyncUseful && !disk.offsets.hasGap && !disk.isChangingFiles;
      if (!isUseful || !(await disk.syncFile()) || disk.clock.lastMs < QUICK_SYNC_MS) return;
    }
  }

  /**
   * Second step, in one breath with the start of the snapshot: from the next turn on, turns go to
   * the new increment. Returns false when nothing is prepared (any more), or while the old file
   * of the last change is not yet safe: prepare again.
   */
  beginRewrite(): boolean {
    if (this.#rewrite?.step !== 'prepared') return false;
    const { file } = this.#rewrite;
    this.appender.forgetTime();
    if (this.#state === 'waiting') this.disk.attach(file, 0);
    else if (!this.disk.switchTo(file)) return false;
    this.#rewrite = { step: 'begun', file };
    return true;
  }

  /**
   * Last step: the base at `path`, whole and synced by its writer, takes the place of everything
   * before `beginRewrite`. When it rejects, what stood before still stands: abort then. `goesOn`:
   * the increment stays in use; without it, the AOF being switched off after this, the base stands
   * alone, as Redis leaves it.
   */
  async finishRewrite(path: string, format: 'rdb' | 'aof', goesOn = true): Promise<void> {
    await this.#inFolder(async () => {
      if (!this.isRewriting) throw new Error('no AOF rewrite is running');
      const isFirst = goesOn && this.#state === 'waiting';
      if (isFirst) await this.#adoptFirst(path, format);
      else await this.folder.adoptBase(path, format, goesOn ? 1 : 0);
      this.disk.finishCover();
      this.schedule.succeeded();
      await this.size.rewritten().catch((error) => this.#warn(errorText(error)));
      await this.#deleteHistory();
      // Who sees that no rewrite is running finds the manifest as it leaves it; and who sees that
      // the AOF is on sees no rewrite running.
      this.#rewrite = undefined;
      if (isFirst) this.#state = 'on';
    });
  }

  /** The temporary increment must be as safe as the policy says before a restart would load it. */
  async #adoptFirst(path: string, format: 'rdb' | 'aof'): Promise<void> {
    await this.disk.flush();
    await this.folder.adoptBase(path, format, 1, this.folder.temporaryIncrPath);
  }

  /**
   * The rewrite failed: what stood before still stands, the new increment goes on being used.
   * Returns the minutes before the next attempt by itself.
   */
  async abortRewrite(): Promise<number> {
    return this.#inFolder(async () => {
      if (this.isRewriting) {
        this.#rewrite = undefined;
        this.disk.abortCover();
        if (this.#state === 'waiting') {
          this.#options.log('notice', 'Removing the temp incr aof file: it has got no base');
          await this.disk.detach(true);
          await this.folder.removeLeftovers().catch((error) => this.#warn(errorText(error)));
        }
      }
      return this.schedule.failed(this.#options.nowMs());
    });
  }

  #inFolder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#folderWork.then(work, work);
    this.#folderWork = done.catch(() => undefined);
    return done;
  }

  #warn(text: string): void {
    this.#options.log('warning', text);
  }
}
