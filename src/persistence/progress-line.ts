/**
 * How far long work is, as lines for a log: one every few seconds, and none of what is over sooner.
 *
 *     Loading: 33.7% of 9780889011 bytes after 25 s
 *     Saving: 71.2% of 17000000 keys after 40 s
 *     Loading: 52428800 bytes after 5 s              while the total is not known
 */

const EVERY_MS = 5000;

export class ProgressLine {
  readonly #what: string;
  readonly #unit: string;
  readonly #startedMs: number;
  #toldMs: number;

  /** `what` begins now, in milliseconds, and is counted in `unit`s. */
  constructor(what: string, unit: string, nowMs: number) {
    this.#what = what;
    this.#unit = unit;
    this.#startedMs = nowMs;
    this.#toldMs = nowMs;
  }

  /** Whether the next line is due. */
  isDue(nowMs: number): boolean {
    return nowMs - this.#toldMs >= EVERY_MS;
  }

  /** The line: so much of `total` is done; a total of 0 is an unknown one. */
  tell(nowMs: number, done: number, total: number): string {
    this.#toldMs = nowMs;
    const part = total === 0 ? String(done) : `${((done / total) * 100).toFixed(1)}% of ${total}`;
    const seconds = Math.round((nowMs - this.#startedMs) / 1000);
    return `${this.#what}: ${part} ${this.#unit} after ${seconds} s`;
  }
}
