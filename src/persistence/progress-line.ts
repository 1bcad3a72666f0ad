/**
 * Progress of long work as log lines: one every few seconds, and none for work that ends sooner.
 *
 *     Loading: 33.7% of 9780889011 bytes after 25 s
 *     Saving: 71.2% of 17000000 keys after 40 s
 *     Loading: 52428800 bytes after 5 s              while the total is not known
 */

const EVERY_MS = 5000;

export class ProgressLine {
  readonly #log: (line: string) => void;
  readonly #what: string;
  readonly #unit: string;
  readonly #startedMs: number;
  #toldMs: number;

  /** `what` begins now, and is counted in `unit`s; `log` takes the lines. */
  constructor(log: (line: string) => void, what: string, unit: string) {
    const nowMs = Date.now();
    this.#log = log;
    this.#what = what;
    this.#unit = unit;
    this.#startedMs = nowMs;
    this.#toldMs = nowMs;
  }

  /** `done` of `total` (0 while unknown) is done: logs a line if one is due. */
  tell(done: number, total: number): void {
    const nowMs = Date.now();
    if (nowMs - this.#toldMs < EVERY_MS) return;
    this.#toldMs = nowMs;
    const part = total === 0 ? String(done) : `${((done / total) * 100).toFixed(1)}% of ${total}`;
    const seconds = Math.round((nowMs - this.#startedMs) / 1000);
    this.#log(`${this.#what}: ${part} ${this.#unit} after ${seconds} s`);
  }
}
