/**
 * Runs one snapshot at a time, in slices between the turns of the event loop.
 *
 * BGSAVE, the base of an AOF rewrite and a full sync all come here. While a snapshot runs, each
 * round of the loop gives its walker SLICE_MS; when nobody else wants the loop it runs as fast as
 * the child takes its bytes. The log is told every few seconds how far it is.
 */
import { ProgressLine } from '../../persistence/progress-line.ts';
import type {
  SnapshotFigures,
  SnapshotResult,
  SnapshotRun,
} from '../../persistence/snapshot/snapshot.ts';
import { type SnapshotRequest, startSnapshot } from '../../persistence/snapshot/snapshot.ts';
import type { Logger } from '../log.ts';
import { RoundWatch } from './round-watch.ts';

/** Time of one slice of the walker. A client waits this much longer at most. */
const SLICE_MS = 0.5;

/** What a snapshot is for. */
export type SnapshotPurpose = 'save' | 'rewrite' | 'sync';

/** The words of the log for each purpose. */
const WORK: Readonly<Record<SnapshotPurpose, string>> = {
  save: 'Saving',
  rewrite: 'Rewriting the AOF',
  sync: 'Sending the dataset to replicas',
};

export class SnapshotRunner {
  purpose: SnapshotPurpose | null = null;
  /** When the running snapshot began, in milliseconds since 1970. */
  startedMs = 0;
  private run: SnapshotRun | null = null;
  private readonly watch = new RoundWatch();
  private line: ProgressLine | null = null;
  private readonly log: Logger;
  private readonly sliceMs: number;
  private readonly later: (slice: () => void) => void;
  /** A slice is to come: that of a run that was given up serves the next one. */
  private isArmed = false;
  private readonly stepBound = (): void => this.step();

  /** `later` calls the slices of the walker, of `sliceMs` each. */
  constructor(log: Logger, sliceMs = SLICE_MS, later: (slice: () => void) => void = setImmediate) {
    this.log = log;
    this.sliceMs = sliceMs;
    this.later = later;
  }

  /** Whether a snapshot runs. */
  get isRunning(): boolean {
    return this.run !== null;
  }

  /** Figures of the running snapshot. */
  get figures(): SnapshotFigures | null {
    return this.run?.figures ?? null;
  }

  /** Bytes that wait to be written to a file. */
  get queuedBytes(): number {
    return this.run === null || this.purpose === 'sync' ? 0 : this.run.queuedBytes;
  }

  /** The rounds of the loop while the present or last one ran, in microseconds; 0 before any. */
  get rounds(): { readonly longestUs: number; readonly workUs: number } {
    return this.watch;
  }

  /** Begins: the dataset as it is in this very moment. Only when none runs. */
  start(purpose: SnapshotPurpose, request: SnapshotRequest): Promise<SnapshotResult> {
    if (this.run !== null) throw new Error('a snapshot is running already');
    this.watch.begin();
    const run = startSnapshot(request);
    this.run = run;
    this.purpose = purpose;
    this.startedMs = Date.now();
    this.line = new ProgressLine((text) => this.log.notice(text), WORK[purpose], 'keys');
    this.arm();
    return run.done.finally(() => {
      this.watch.end();
      this.run = null;
      this.purpose = null;
    });
  }

  /** Ends the running snapshot without a result; what stood before stands. */
  abort(): void {
    this.run?.abort();
  }

  /** Ends the running snapshot in the same way, if it is for this purpose. */
  abortOf(purpose: SnapshotPurpose): void {
    if (this.purpose === purpose) this.abort();
  }

  /** A receiver that held a stream back takes more. */
  resume(): void {
    this.run?.resume();
  }

  private arm(): void {
    if (this.isArmed) return;
    this.isArmed = true;
    this.later(this.stepBound);
  }

  private step(): void {
    this.isArmed = false;
    const { run } = this;
    if (run === null) return;
    const { keysDone, keysTotal } = run.figures;
    this.line?.tell(keysDone, keysTotal);
    if (run.step(this.sliceMs)) this.arm();
    else run.onRoom(() => this.arm());
  }
}
