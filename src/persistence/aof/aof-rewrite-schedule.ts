/**
 * When the AOF should be rewritten by itself.
 *
 *   growth:  size > auto-aof-rewrite-min-size, and size grew by auto-aof-rewrite-percentage since
 *            the last rewrite (percent 0: never)
 *   need:    the AOF was switched on and has no base yet, or an fsync failed
 *
 * After three failed rewrites in a row, none begins by itself before a delay of 1, 2, 4 .. 60
 * minutes; a success forgets them. A rewrite that was asked for does not ask here.
 */
const FAILURES_FREE = 3;
const MINUTE_MS = 60_000;
const DELAY_MINUTES_MAX = 60;

export type RewriteReason = 'growth' | 'need';

export class RewriteSchedule {
  percentage: number;
  minSizeBytes: number;
  failures: number;
  #delayMinutes: number;
  #notBeforeMs: number;

  constructor(percentage: number, minSizeBytes: number) {
    this.percentage = percentage;
    this.minSizeBytes = minSizeBytes;
    this.failures = 0;
    this.#delayMinutes = 0;
    this.#notBeforeMs = 0;
  }

  /** Whether a rewrite should begin now; sizes in bytes, `isNeeded` as above. */
  reason(
    nowMs: number,
    isNeeded: boolean,
    sizeBytes: number,
    sizeAfterRewriteBytes: number,
  ): RewriteReason | undefined {
    if (this.failures >= FAILURES_FREE && nowMs < this.#notBeforeMs) return undefined;
    if (isNeeded) return 'need';
    if (this.percentage <= 0 || sizeBytes <= this.minSizeBytes) return undefined;
    const before = sizeAfterRewriteBytes === 0 ? 1 : sizeAfterRewriteBytes;
    const growth = Math.floor((sizeBytes * 100) / before) - 100;
    return growth >= this.percentage ? 'growth' : undefined;
  }

  succeeded(): void {
    this.failures = 0;
    this.#delayMinutes = 0;
  }

  /** Returns the minutes until the next attempt by itself, 0 for "at once". */
  failed(nowMs: number): number {
    this.failures++;
    if (this.failures < FAILURES_FREE) return 0;
    const doubled = this.#delayMinutes === 0 ? 1 : this.#delayMinutes * 2;
    this.#delayMinutes = Math.min(doubled, DELAY_MINUTES_MAX);
    this.#notBeforeMs = nowMs + this.#delayMinutes * MINUTE_MS;
    return this.#delayMinutes;
  }
}
