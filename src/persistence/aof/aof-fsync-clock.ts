/**
 * When the AOF is due for an fsync, and how its fsyncs fare. Times in milliseconds of one
 * monotonic clock, passed in.
 *
 * `everysec` promises that power loss costs about a second: an fsync starts when a second has
 * passed since the last one started. Two never run at once, so a slow disk stretches that second;
 * `delayedCount` counts every two seconds that one is late, and `unsyncedAgeMs` says how much
 * power loss would cost at this moment.
 */
const PERIOD_MS = 1000;
const LATE_MS = 2000;

export class AofFsyncClock {
  #startMs: number;
  #lateFromMs: number;
  /** When the oldest unsynced byte was appended, or -1. */
  #unsyncedSinceMs: number;
  count: number;
  delayedCount: number;
  lastMs: number;
  maxMs: number;
  /** Called with the duration of each fsync, in milliseconds. */
  onSync: (ms: number) => void;

  constructor() {
    this.#startMs = Number.NEGATIVE_INFINITY;
    this.#lateFromMs = 0;
    this.#unsyncedSinceMs = -1;
    this.count = 0;
    this.delayedCount = 0;
    this.lastMs = 0;
    this.maxMs = 0;
    this.onSync = () => {};
  }

  get isAllSynced(): boolean {
    return this.#unsyncedSinceMs < 0;
  }

  appended(nowMs: number): void {
    if (this.#unsyncedSinceMs < 0) this.#unsyncedSinceMs = nowMs;
  }

  started(nowMs: number): void {
    this.#startMs = nowMs;
    this.#lateFromMs = nowMs;
  }

  finished(nowMs: number, isAllSynced: boolean): void {
    this.count++;
    this.lastMs = nowMs - this.#startMs;
    this.maxMs = Math.max(this.maxMs, this.lastMs);
    this.onSync(this.lastMs);
    // What came while the fsync ran is younger than its start.
    this.#unsyncedSinceMs = isAllSynced ? -1 : this.#startMs;
  }

  /** Forgets how fsyncs fared so far. */
  resetFigures(): void {
    this.count = 0;
    this.delayedCount = 0;
    this.lastMs = 0;
    this.maxMs = 0;
  }

  /** Notes that nothing waits for an fsync any more. */
  clear(): void {
    this.#unsyncedSinceMs = -1;
  }

  isDue(nowMs: number): boolean {
    return nowMs - this.#startMs >= PERIOD_MS;
  }

  /** An fsync that was due finds the previous one still running. */
  noteRunning(nowMs: number): void {
    if (nowMs - this.#lateFromMs < LATE_MS) return;
    this.#lateFromMs = nowMs;
    this.delayedCount++;
  }

  /** Age of the oldest byte that power loss would take; 0 when there is none. */
  unsyncedAgeMs(nowMs: number): number {
    return this.#unsyncedSinceMs < 0 ? 0 : Math.max(0, nowMs - this.#unsyncedSinceMs);
  }
}
