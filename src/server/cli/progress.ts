/**
 * A bar on a terminal that says how far a tool is:
 *
 *     reading dump.rdb [=========>          ]  46%  4.6 of 10.0 GB, 212 MB/s, 0:25 left
 *
 * It is drawn on standard error, a few times a second, and wiped before anything else is printed.
 * Where that is no terminal there is none.
 */
import type { ReadProgress } from '../../persistence/rdb/rdb-source.ts';
import { shownBytes, shownSeconds } from './tool-format.ts';

/** What a bar is drawn on. */
export interface ProgressScreen {
  readonly isTTY: boolean;
  readonly columns: number;
  write(text: string): void;
}

const DRAW_EVERY_MS = 100;
const BAR_WIDTH = 20;
/** Said only when it is based on something. */
const RATE_AFTER_MS = 500;

export class ProgressBar {
  readonly #screen: ProgressScreen;
  readonly #clock: () => number;
  #label = '';
  #startMs = 0;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #isShown = false;

  /** `clock` is in milliseconds. */
  constructor(screen: ProgressScreen, clock: () => number) {
    this.#screen = screen;
    this.#clock = clock;
  }

  /** Begins anew, at nothing done; the result is to be told how far the work is. */
  start(label: string): ReadProgress {
    this.#label = label;
    this.#startMs = this.#clock();
    this.#drawnMs = Number.NEGATIVE_INFINITY;
    return (doneBytes, totalBytes) => this.#at(doneBytes, totalBytes);
  }

  /** Takes the bar off the screen. */
  wipe(): void {
    if (!this.#isShown) return;
    this.#isShown = false;
    this.#screen.write('\r\x1b[K');
  }

  #at(doneBytes: number, totalBytes: number): void {
    if (!this.#screen.isTTY) return;
    const nowMs = this.#clock();
    if (nowMs - this.#drawnMs < DRAW_EVERY_MS) return;
    this.#drawnMs = nowMs;
    const line = this.#line(doneBytes, totalBytes, nowMs - this.#startMs);
    this.#isShown = true;
    this.#screen.write(`\r${line.slice(0, Math.max(20, this.#screen.columns - 1))}\x1b[K`);
  }

  #line(doneBytes: number, totalBytes: number, tookMs: number): string {
    const rate = tookMs < RATE_AFTER_MS ? 0 : (doneBytes / tookMs) * 1000;
    const speed = rate > 0 ? `, ${shownBytes(rate)}/s` : '';
    // A total of 0 is one that nobody knows.
    if (totalBytes <= 0) return `${this.#label} ${shownBytes(doneBytes)}${speed}`;
    const part = Math.min(1, doneBytes / totalBytes);
    const filled = Math.round(part * BAR_WIDTH);
    const head = filled > 0 && filled < BAR_WIDTH ? '>' : '';
    const bar = `${'='.repeat(Math.max(0, filled - head.length))}${head}`.padEnd(BAR_WIDTH);
    const left = rate > 0 ? `, ${shownSeconds((totalBytes - doneBytes) / rate)} left` : '';
    const percent = `${Math.floor(part * 100)}%`.padStart(4);
    const bytes = `${shownBytes(doneBytes)} of ${shownBytes(totalBytes)}`;
    return `${this.#label} [${bar}] ${percent}  ${bytes}${speed}${left}`;
  }
}
