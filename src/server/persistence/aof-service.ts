/**
 * The AOF in the server: when it is opened, how turns reach it, and how it is switched on and off.
 *
 * The work on files is src/persistence/aof/aof.ts; here it meets the turn (which asks it how far
 * replies may go), the configuration and the clock. Its rewrites are in aof-rewrites.ts.
 *
 *     on     --switchOff, suspend-->  off    from the call on; what was executed before is still
 *                                            brought to disk, and its replies wait for that
 *     off    --goOn-->     waiting --first rewrite done--> on      the base is what the dataset is
 *     off    --standBy-->  waiting --goOnFrom(file)------> on      the base is a received RDB
 *
 * `suspend` and `goOn` stand around a change of the whole dataset; others never get the folder in
 * between, as they do after `switchOff`.
 */
import { Aof } from '../../persistence/aof/aof.ts';
import { errorText } from '../../persistence/file-system.ts';
import { giveBack } from '../memory/give-back.ts';
import { followAofConfig } from './aof-config.ts';
import { AofRewrites } from './aof-rewrites.ts';
import type { AofServiceDeps } from './aof-service-deps.ts';

export class AofService {
  readonly aof: Aof;
  readonly rewrites: AofRewrites;
  /** An increment stands ready behind a dataset that is being loaded: nothing is promised yet. */
  isStandingBy = false;

  private readonly deps: AofServiceDeps;
  /** Switching on and off happens in the order in which it was asked for. */
  private switched: Promise<unknown> = Promise.resolve();

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
    this.rewrites = new AofRewrites(deps, this.aof, () => this.attach());
    this.listen();
  }

  /** Whether writes reach the AOF, or will as soon as the first rewrite is done. */
  get isOn(): boolean {
    return this.aof.state !== 'off' && !this.rewrites.isAside;
  }

  /** The AOF for those who wait for its disk: null from the moment it is switched off. */
  get localLog(): Aof | null {
    return (this.aof.state === 'waiting' && !this.rewrites.isAside) || this.deps.turn.log !== null
      ? this.aof
      : null;
  }

  /** After the dataset was loaded: turns are appended from here on. */
  async open(): Promise<void> {
    await this.aof.open(this.deps.writeFirstBase);
    this.attach();
  }

  /** Called ten times a second. `busy`: a snapshot runs. */
  tick(busy: boolean): void {
    const now = performance.now();
    this.aof.tick(now);
    this.aof.disk.setFsyncSuspended(
      this.deps.config.values.noAppendfsyncOnRewrite && (busy || this.rewrites.isRunning),
    );
    if (!busy && !this.rewrites.isRunning) this.rewrites.startIfDue(now);
  }

  /**
   * Throws while the AOF that was switched on has no base: at the next start it would not be found,
   * and what was written since would be lost.
   */
  assertMayEnd(force: boolean): void {
    if (this.aof.state !== 'waiting' || this.rewrites.isAside || this.isStandingBy) return;
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
    if (this.rewrites.isAside) {
      this.giveUpRewrites();
      await this.rewrites.preparation;
    } else if (this.isOn) await this.close().catch(() => this.aof.giveUp());
    await this.aof.letGo();
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
    if (this.rewrites.isRunning) this.deps.log.notice('Killing AOF child: the AOF is switched off');
    turn.takeJournal();
    turn.leaving = turn.log ?? turn.leaving;
    turn.log = null;
    this.deps.readersChanged();
    this.giveUpRewrites();
    return this.inOrder(async () => {
      this.giveUpRewrites();
      await this.rewrites.preparation;
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
    return this.rewrites.beginFrom(path);
  }

  /**
   * Appends again, once a rewrite has made a base of what the dataset is now. `orOff`: stays off
   * where the folder does not take that rewrite's files, and says so; otherwise tries again.
   */
  goOn(orOff = false): Promise<string | undefined> {
    return this.inOrder(async () => {
      this.isStandingBy = false;
      if (this.rewrites.isPreparing) {
        // A rewrite asked for while the AOF was off would switch it off again at its end.
        this.giveUpRewrites();
        await this.rewrites.preparation;
      }
      try {
        await this.aof.switchOn(this.deps.config.values.dir);
      } catch (error) {
        return `Unable to turn on AOF: ${errorText(error)}`;
      }
      const mustWait = this.deps.isSnapshotRunning();
      this.rewrites.isScheduled = mustWait;
      if (!mustWait) this.rewrites.start();
      if (!orOff || mustWait) return undefined;
      const reason = await this.rewrites.preparation;
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

  private giveUpRewrites(): void {
    this.isStandingBy = false;
    this.rewrites.giveUp();
  }
}

const staysIn = (path: string): string =>
  `The AOF goes on in ${path}, where a start with the new dir would not find it: to have it ` +
  'there, set appendonly to no and to yes again';
