/**
 * How often commands were called, and how long they took: what INFO commandstats and latencystats
 * show. Commands that are timed together wait here for their share of the time.
 *
 *     GET GET GET SET GET      commands   GET SET GET
 *                              times       3   1   1        in rows: most batches are one
 */
import type { Command } from '../command.ts';
import { LatencyHistogram } from '../latency/latency-histogram.ts';

/** Commands timed together at most. */
export const SHARED_MAX = 64;

/** Commands that share a time. */
export class SharedCalls {
  /** How many wait. */
  count = 0;
  private readonly commands: Command[] = [];
  private readonly times = new Int32Array(SHARED_MAX);
  private rows = 0;

  /** One more, at most SHARED_MAX together. */
  add(command: Command): void {
    const { rows } = this;
    if (rows > 0 && this.commands[rows - 1] === command) this.times[rows - 1]!++;
    else {
      this.commands[rows] = command;
      this.times[rows] = 1;
      this.rows = rows + 1;
    }
    this.count++;
  }

  /** Counts them all, `microseconds` each. */
  settle(microseconds: number, histograms: boolean): void {
    for (let i = 0; i < this.rows; i++) {
      countCalls(this.commands[i]!, microseconds, this.times[i]!, histograms);
    }
    this.rows = 0;
    this.count = 0;
  }
}

/** Counts calls of a command that took so long each. */
export function countCalls(
  command: Command,
  microseconds: number,
  calls: number,
  histograms: boolean,
): void {
  const { stats } = command;
  stats.calls += calls;
  stats.microseconds += microseconds * calls;
  if (!histograms) return;
  stats.histogram ??= new LatencyHistogram();
  stats.histogram.record(microseconds, calls);
}
