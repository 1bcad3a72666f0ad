/**
 * What is wrong with the disk of the AOF, said once: why writes are refused, when the next attempt
 * is due, and the lines in the log. What follows from it is decided in `aof-disk.ts`.
 */
import { errorText } from '../file-system.ts';
import type { AofDiskOptions } from './aof-options.ts';

const RETRY_PERIOD_MS = 1000;

export class AofFault {
  readonly #options: AofDiskOptions;
  #error: Error | undefined;
  #retryAtMs: number;

  constructor(options: AofDiskOptions) {
    this.#options = options;
    this.#error = undefined;
    this.#retryAtMs = 0;
  }

  /** Why writes are refused, or undefined while all is well. */
  get error(): Error | undefined {
    return this.#error;
  }

  /**
   * Logs why the server ends, and ends it: replies that wait can neither be sent nor taken back.
   */
  endProcess(error: Error, what: string): void {
    this.#error = error;
    const why = 'appendfsync is always, waiting replies cannot be confirmed: the server ends';
    this.#options.log('warning', `${what}; ${why}`);
    this.#options.onFatal(error);
  }

  /** Refuses writes from now on, logging why; the next attempt is due in a second. */
  refuse(error: Error, what: string): void {
    const { log, nowMs, onErrorChange } = this.#options;
    if (this.#error === undefined)
      log('warning', `${what}: writes are refused until it works again`);
    this.#error = error;
    onErrorChange();
    this.#retryAtMs = nowMs() + RETRY_PERIOD_MS;
  }

  /** Whether it is time for another attempt; if so, the one after it is a second later. */
  takeRetry(nowMs: number): boolean {
    if (this.#error === undefined || nowMs < this.#retryAtMs) return false;
    this.#retryAtMs = nowMs + RETRY_PERIOD_MS;
    return true;
  }

  /** Takes writes again, and logs it, after one went well. */
  recover(): void {
    if (this.#error === undefined) return;
    this.clear();
    this.#options.log('notice', 'AOF write error looks solved, write commands are taken again');
  }

  /** Forgets the error, since nothing is written any more. */
  clear(): void {
    this.#error = undefined;
    this.#options.onErrorChange();
  }

  warnUncut(error: unknown): void {
    this.#options.log(
      'warning',
      `could not cut a half-written turn off the AOF (${errorText(error)}); ` +
        'it is overwritten by the next write, and cut by the next start',
    );
  }
}
