/**
 * The AOF in the server: when it is opened, how turns reach it, when it is rewritten, switched on
 * and off.
 *
 * The work on files is src/persistence/aof/aof.ts; here it meets the turn (which asks it how far
 * replies may go), the snapshot (which makes the base of a rewrite), the configuration and the
 * clock.
 *
 *     rewrite   prepare: a new increment stands ready on disk
 *               at the end of a turn: begin (the increment takes the next turns) and start the
 *               snapshot, in one breath
 *               the snapshot is done: finish (manifest names base and increment), or abort:
 *               nothing has changed
 */

import { Aof } from '../../persistence/aof/aof.ts';
import { errorText } from '../../persistence/file-system.ts';
import { giveBack } from '../memory/give-back.ts';
import type { RewriteAnswer } from '../services.ts';
import { followAofConfig } from './aof-config.ts';
import type { AofServiceDeps } from './aof-service-deps.ts';

export class AofService {
  readonly aof: Aof;
  rewriteScheduled = false;
  /** An increment stands ready behind a dataset that is being loaded: nothing is promised yet. */
  isStandingBy = false;
  /** Figures of the last rewrite. */
  lastRewriteOk = true;
  lastRewriteSeconds = -1;
  rewriteStartedMs = 0;
  rewrites = 0;

  private readonly deps: AofServiceDeps;
  private preparing = false;
  /** A rewrite runs that was asked for without an AOF. */
  private isAside = false;
  /** Resolves when the rewrite being prepared stands ready, or with why it does not. */
  private preparation: Promise<string | undefined> = Promise.resolve(undefined);
  /** How often the AOF was switched off: a rewrite that began before is not to be finished. */
  private epoch = 0;
  /** Switching on and off happens in the order in which it was asked for. */
  private switched: Promise<unknown> = Promise.resolve();
  /** Settles when a rewrite without an AOF has the folder, or cannot have it. */
  private opening: Promise<void> = Promise.resolve();
  /** A rewrite that is prepared begins at the end of the turn. */
  private ready = false;

  constructor(deps: AofServiceDeps) {
    this.deps = deps;
    const { values } = deps.config;
    this.aof = new Aof(deps.folder, {
      policy: values.appendfsync,
      nowMs: () => performance.now(),
      unixSeconds: () => Math.floor(Date.now() / 1000),
      log: (level, text) => deps.log[level](text),
      onProgress: () => deps.turn.progress(),
      giveBack,
      waitingReplies: () => deps.turn.waiting,
      onErrorChange: () => {
        deps.onErrorChange();
        deps.turn.schedule(); // whom it concerns is seen at the end of a turn
      },
      onFatal: deps.onFatal,
      checksum: values.aofChecksum,
      timestamps: values.aofTimestampEnabled,
      rewritePercentage: values.autoAofRewritePercentage,
      rewriteMinSizeBytes: values.autoAofRewriteMinSize,
      keepHistory: values.aofDisableAutoGc,
    });
    this.listen();
  }

  /** Whether writes reach the AOF, or will as soon as the first rewrite is done. */
  get isOn(): boolean {
    return this.aof.state !== 'off' && !this.isAside;
  }

  /** The AOF for those who wait for its disk: null from the moment it is switched off. */
  get localLog(): Aof | null {
    return (this.aof.state === 'waiting' && !this.isAside) || this.deps.turn.log !== null
      ? this.aof
      : null;
  }

  get isRewriting(): boolean {
    return this.aof.isRewriting || this.preparing || this.ready;
  }

  /** After the dataset was loaded: turns are appended from here on. */
  async open(): Promise<void> {
    await this.aof.open(this.deps.writeFirstBase);
    this.attach();
  }

  /** BGREWRITEAOF. */
  requestRewrite(busy: boolean): RewriteAnswer {
    if (this.isRewriting) {
      return { error: 'ERR Background append only file rewriting already in progress' };
    }
    if (busy) {
      this.rewriteScheduled = true;
      return { answer: 'Background append only file rewriting scheduled' };
    }
    this.rewrite();
    const answer = 'Background append only file rewriting started';
    if (this.aof.state !== 'off') return { answer };
    const refusal = this.opening.then(
      () => undefined,
      (error: unknown) => `ERR Unable to rewrite the AOF: ${errorText(error)}`,
    );
    return { answer, refusal };
  }

  /** Called ten times a second. `busy`: a snapshot runs. */
  tick(busy: boolean): void {
    const now = performance.now();
    this.aof.tick(now);
    this.aof.disk.setFsyncSuspended(
      this.deps.config.values.noAppendfsyncOnRewrite && (busy || this.isRewriting),
    );
    if (busy || this.isRewriting) return;
    const reason = this.rewriteScheduled ? 'asked' : this.aof.rewriteReason(now);
    if (reason === undefined) return;
    if (reason === 'growth') this.deps.log.notice('Starting automatic rewriting of AOF');
    this.rewrite();
  }

  /** The end of a turn, before its journal is taken: a rewrite that stands ready begins here. */
  endTurn(): void {
    if (!this.ready || this.deps.isLoading() || this.deps.isSnapshotRunning()) return;
    // What this turn has written so far belongs to the old files: it must be appended before they
    // change.
    this.deps.turn.takeJournal();
    this.ready = false;
    this.begin();
  }

  /**
   * Throws while the AOF that was switched on has no base: at the next start it would not be found,
   * and what was written since would be lost.
   */
  assertMayEnd(force: boolean): void {
    if (this.aof.state !== 'waiting' || this.isAside || this.isStandingBy) return;
    this.deps.log.warning(
      force ? 'Writing initial AOF. Exit anyway.' : "Writing initial AOF, can't exit.",
    );
    if (!force) throw new Error('the initial AOF is being written');
  }

  /** What was executed so far, in this turn as well, is brought to disk. */
  flush(): Promise<void> {
    this.deps.turn.takeJournal();
    return this.aof.flush();
  }

  /** Writes and fsyncs everything appended, then closes the AOF. When it rejects, all goes on. */
  async close(): Promise<void> {
    await this.aof.close();
    this.deps.turn.log = null;
    this.deps.turn.progress();
    this.deps.readersChanged();
  }

  /**
   * Like `close`, but closes the AOF even when not everything can be made safe, and lets others
   * have its folder.
   */
  async stop(): Promise<void> {
    await this.switched;
    if (this.isAside) {
      this.giveUpRewrite();
      await this.preparation;
    } else if (this.isOn) await this.close().catch(() => this.aof.giveUp());
    await this.aof.letGo();
  }

  /** Begins a rewrite, unless one is under way. */
  private rewrite(): void {
    if (!this.isRewriting) this.preparation = this.prepare();
  }

  private async prepare(): Promise<string | undefined> {
    const { epoch } = this;
    this.preparing = true;
    this.rewriteScheduled = false;
    this.rewriteStartedMs = Date.now();
    try {
      if (this.aof.state === 'off') await this.rewriteWhileOff(epoch);
      else {
        await this.aof.prepareRewrite(this.deps.expectedBaseBytes());
        this.assertEpoch(epoch);
        this.ready = true;
        this.deps.turn.schedule();
      }
      return undefined;
    } catch (error) {
      const reason = epoch === this.epoch ? errorText(error) : undefined;
      await this.failed(error, epoch);
      return reason;
    } finally {
      this.preparing = false;
    }
  }

  /**
   * BGREWRITEAOF without an AOF, as Redis allows it: the folder gets a base, and nothing is
   * appended.
   */
  private async rewriteWhileOff(epoch: number): Promise<void> {
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
      this.rewriteScheduled = true;
      return;
    }
    if (this.deps.turn.log === null) this.attach();
    this.deps.propagator.forgetSelected();
    this.deps.readersChanged();
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
    this.lastRewriteOk = true;
    this.rewrites++;
    this.lastRewriteSeconds = Math.round((Date.now() - this.rewriteStartedMs) / 1000);
    this.deps.log.notice('Background AOF rewrite finished successfully');
  }

  private async failed(error: unknown, epoch: number): Promise<void> {
    if (epoch !== this.epoch) return;
    this.lastRewriteOk = false;
    this.lastRewriteSeconds = Math.round((Date.now() - this.rewriteStartedMs) / 1000);
    this.deps.log.warning(`Background AOF rewrite failed: ${errorText(error)}`);
    const minutes = await this.aof.abortRewrite();
    if (minutes > 0) {
      this.deps.log.warning(
        'Background AOF rewrite has repeatedly failed and triggered the limit, will retry in ' +
          `${minutes} minutes`,
      );
    }
  }

  private attach(): void {
    this.deps.turn.log = this.aof;
    this.deps.propagator.forgetSelected();
    this.deps.readersChanged();
  }

  private listen(): void {
    const { config } = this.deps;
    config.onChange('appendonly', (on) =>
      on ? this.goOn(true) : this.switchOff().then(() => undefined),
    );
    config.onChange('dir', () => {
      if (this.isOn) this.deps.log.warning(staysIn(this.aof.folder.path));
      return undefined;
    });
    followAofConfig(config, this.aof);
  }

  /** Appends nothing any more, and lets others have the folder. */
  private async switchOff(): Promise<void> {
    await this.suspend();
    await this.aof.letGo();
  }

  /**
   * Appends nothing any more, from this call on; the files stay as they are, and are still kept
   * from others. What was executed before is still brought to disk, and its replies wait for that.
   */
  suspend(): Promise<void> {
    const { turn } = this.deps;
    if (this.isRewriting) this.deps.log.notice('Killing AOF child: the AOF is switched off');
    turn.takeJournal();
    turn.leaving = turn.log ?? turn.leaving;
    turn.log = null;
    this.deps.readersChanged();
    this.giveUpRewrite();
    return this.inOrder(async () => {
      this.giveUpRewrite();
      await this.preparation;
      await this.aof.switchOff().finally(() => {
        turn.leaving = null;
        turn.progress();
      });
    });
  }

  /** Has an increment stand ready for `goOnFrom`, as far as the disk lets it. */
  standBy(): Promise<void> {
    return this.inOrder(async () => {
      this.isStandingBy = true;
      await this.aof.switchOn(this.deps.config.values.dir);
      await this.aof.prepareRewrite(0);
    });
  }

  /**
   * Appends again from this call on, the RDB at `path`, which holds what the dataset is now, being
   * the base. Resolves when a restart would find both; rejects when that fails, and a rewrite
   * follows by itself. Null, and nothing is done, where no increment stands ready.
   */
  goOnFrom(path: string): Promise<void> | null {
    if (!this.isStandingBy) return null;
    this.isStandingBy = false;
    this.ready = false;
    this.deps.turn.takeJournal();
    if (!this.aof.beginRewrite()) return null;
    this.attach();
    const { epoch } = this;
    return this.aof.finishRewrite(path, 'rdb').catch(async (error: unknown) => {
      if (epoch === this.epoch) await this.aof.abortRewrite();
      throw error;
    });
  }

  /**
   * Appends again, once a rewrite has made a base of what the dataset is now. `orOff`: stays off
   * where the folder does not take that rewrite's files, and says so; otherwise tries again.
   */
  goOn(orOff = false): Promise<string | undefined> {
    return this.inOrder(async () => {
      this.isStandingBy = false;
      if (this.preparing) {
        // A rewrite asked for while the AOF was off would switch it off again at its end.
        this.giveUpRewrite();
        await this.preparation;
      }
      try {
        await this.aof.switchOn(this.deps.config.values.dir);
      } catch (error) {
        return `Unable to turn on AOF: ${errorText(error)}`;
      }
      this.rewriteScheduled = this.deps.isSnapshotRunning();
      if (!this.rewriteScheduled) this.rewrite();
      if (!orOff || this.rewriteScheduled) return undefined;
      const reason = await this.preparation;
      if (reason === undefined) return undefined;
      await this.aof.switchOff();
      await this.aof.letGo();
      this.deps.readersChanged();
      return `Unable to turn on AOF: ${reason}`;
    });
  }

  private inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.switched.then(work);
    this.switched = done.catch(() => undefined);
    return done;
  }

  private giveUpRewrite(): void {
    this.epoch++;
    this.isStandingBy = false;
    this.ready = false;
    this.rewriteScheduled = false;
    this.deps.abortBase();
  }
}

const BUSY = 'another snapshot is running, or the dataset is being loaded';

const staysIn = (path: string): string =>
  `The AOF goes on in ${path}, where a start with the new dir would not find it: to have it ` +
  'there, set appendonly to no and to yes again';
