/**
 * How often commands were called, and how long they took: what INFO commandstats and latencystats
 * show. Commands that are timed together wait here for their share of the time.
 *
 *     GET GET GET SET GET      commands   GET SET GET
 *                              times       3   1   1        in rows: most batches are one
 *
 * What mostly costs the same may cost much more once: HSET of a thousand fields, or of the one with
 * which a hash becomes a table. Such a call does not share: it takes all the time since the last
 * reading of the clock, and those that wait count as `QUICK_US` each.
 */
import type { Keyspace } from '../../core/keyspace.ts';
import type { Args } from '../../core/resp/args.ts';
import type { Client } from '../clients/client.ts';
import type { Command } from '../dispatch/command.ts';
import { LatencyHistogram } from '../latency/latency-histogram.ts';

/** Commands timed together at most. */
export const SHARED_MAX = 64;

/** What a command counts as whose share of a long call's time is not known. */
export const QUICK_US = 0.5;
/** Whoever has more arguments, changes more or answers more does not share. */
const QUICK_ARGUMENTS = 64;
const QUICK_CHANGES = 64;
const QUICK_REPLY_BYTES = 16_384;

/** Commands that share a time. */
export class SharedCalls {
  /** How many wait. */
  count = 0;
  private readonly commands: Command[] = [];
  private readonly times = new Int32Array(SHARED_MAX);
  private rows = 0;
  private largePut = 0;

  /**
   * Whether the call that has just ended, with `dirty` changes before it, did no more than its
   * command mostly does.
   */
  mayTake(client: Client, args: Args, keyspace: Keyspace, dirty: number): boolean {
    const { largePut } = keyspace;
    const isLarge = largePut !== this.largePut;
    this.largePut = largePut;
    if (isLarge || args.count > QUICK_ARGUMENTS) return false;
    if (keyspace.dirty - dirty > QUICK_CHANGES) return false;
    return client.reply.total - client.silentFrom <= QUICK_REPLY_BYTES;
  }

  /** Adds a command, at most SHARED_MAX together. */
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
