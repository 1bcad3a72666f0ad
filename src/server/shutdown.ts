/**
 * The orderly end: SHUTDOWN, SIGTERM, SIGINT and `close()` of a server in a program.
 *
 *     writes pause -> replicas catch up, `shutdown-timeout` seconds at most -> save, AOF to disk
 *       -> stop -> exit
 *
 * Until the data are saved the server can still go on: when saving fails and nobody said FORCE it
 * does, and ABORT ends the waiting and the saving. The line "User requested shutdown..." and those
 * after it are Redis's, so that tools recognise them.
 */
import { errorText, isError } from '../persistence/file-system.ts';
import type { FrontDesk } from './clients/front-desk.ts';
import type { InfoLines } from './info/info-lines.ts';
import type { Logger } from './log.ts';
import type { ShutdownRequest } from './services.ts';

const POLL_MS = 10;

export interface ShutdownDeps {
  readonly log: Logger;
  readonly timeoutSeconds: () => number;
  /** How long the replication stream is, everything executed so far included. */
  readonly streamOffset: () => number;
  /** Names of replicas that have not acknowledged so much of the stream yet. */
  readonly laggingReplicas: (offset: number) => readonly string[];
  /** Asks replicas how far they are, which makes the stream longer. */
  readonly askReplicas: () => void;
  readonly replicaCount: () => number;
  /** Pauses clients, and shows in INFO how long replicas may still take. */
  readonly desk: Pick<FrontDesk, 'pause' | 'info'>;
  /** Saves and brings the AOF to disk; rejects when that fails and the end was not forced. */
  readonly save: (request: ShutdownRequest) => Promise<void>;
  /** Gives the save up while it runs; false when none does. */
  readonly abortSave: () => boolean;
  /** Closes everything. */
  readonly stop: () => Promise<void>;
}

export class Shutdown {
  private readonly deps: ShutdownDeps;
  private running: Promise<Error | undefined> | null = null;
  private aborted = false;
  private waiting = false;
  /** When the waiting for replicas ends. */
  private untilMs = 0;
  /** The offset of the stream that replicas should have reached. */
  private target = 0;

  constructor(deps: ShutdownDeps) {
    this.deps = deps;
    deps.desk.info.provide('server', () => this.info());
  }

  /** Ends the server. Resolves with why when it goes on instead. */
  begin(request: ShutdownRequest): Promise<Error | undefined> {
    this.running ??= this.run(request).finally(() => {
      this.running = null;
    });
    return this.running;
  }

  /** SHUTDOWN ABORT: true when there was something to end. */
  abort(): boolean {
    if (!this.waiting && !this.deps.abortSave()) return false;
    this.aborted = true;
    this.deps.log.warning('Shutdown manually aborted.');
    return true;
  }

  private async run(request: ShutdownRequest): Promise<Error | undefined> {
    const { deps } = this;
    this.aborted = false;
    deps.log.warning('User requested shutdown...');
    this.target = deps.streamOffset();
    // A write from here on would be answered and lost: replicas are waited for once, up to here,
    // and what is brought to disk may be without it.
    deps.desk.pause.begin('shutdown', Number.MAX_SAFE_INTEGER, true);
    if (!request.now && !(await this.replicasReady())) {
      return this.goOn(new Error('it was aborted while replicas were waited for'));
    }
    this.tellOfReplicas();
    try {
      await deps.save(request);
    } catch (error) {
      if (!this.aborted)
        deps.log.warning(`Errors trying to shut down the server: ${errorText(error)}`);
      return this.goOn(isError(error) ? error : new Error(errorText(error)));
    }
    await deps.stop();
    deps.desk.pause.end('shutdown');
    return undefined;
  }

  /** Serves again. */
  private goOn(why: Error): Error {
    this.deps.desk.pause.end('shutdown');
    return why;
  }

  /** Waits for the replicas; false when the waiting was aborted. */
  private async replicasReady(): Promise<boolean> {
    const { deps } = this;
    const untilMs = performance.now() + deps.timeoutSeconds() * 1000;
    if (!this.isLagging) return true;
    this.untilMs = untilMs;
    // Asked once: the question itself is more of the stream, and not waited for.
    deps.askReplicas();
    deps.log.notice('Waiting for replicas before shutting down.');
    this.waiting = true;
    while (!this.aborted && performance.now() < untilMs && this.isLagging) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    this.waiting = false;
    return !this.aborted;
  }

  private get isLagging(): boolean {
    return this.deps.laggingReplicas(this.target).length > 0;
  }

  private tellOfReplicas(): void {
    const { log, laggingReplicas, replicaCount } = this.deps;
    const total = replicaCount();
    if (total === 0) return;
    const lagging = laggingReplicas(this.target);
    for (const name of lagging) log.warning(`Lagging replica ${name} has not got everything.`);
    log.notice(`${total - lagging.length} of ${total} replicas are in sync when shutting down.`);
  }

  private info(): InfoLines {
    if (!this.waiting) return [];
    const left = Math.round(this.untilMs - performance.now());
    return [['shutdown_in_milliseconds', Math.max(0, left)]];
  }
}
