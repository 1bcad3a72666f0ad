/**
 * The latency monitor: events that took `latency-monitor-threshold` milliseconds or longer, by
 * kind.
 *
 *     command, fast-command     the execution of commands
 *     aof-write, expire-cycle   and others: what the server does besides
 *
 * The last 160 samples of a kind are kept; of several in the same second only the longest.
 */
import type { Config } from '../config/config.ts';

const SAMPLES_MAX = 160;

export interface LatencySample {
  /** Unix seconds. */
  readonly time: number;
  ms: number;
}

export class LatencyEvent {
  /** The samples, oldest first. */
  readonly samples: LatencySample[] = [];
  /** The longest latency ever sampled, in milliseconds. */
  maxMs = 0;

  add(time: number, ms: number): void {
    if (ms > this.maxMs) this.maxMs = ms;
    const last = this.samples.at(-1);
    if (last?.time === time) {
      if (ms > last.ms) last.ms = ms;
      return;
    }
    this.samples.push({ time, ms });
    if (this.samples.length > SAMPLES_MAX) this.samples.shift();
  }
}

export class LatencyMonitor {
  readonly events = new Map<string, LatencyEvent>();
  private readonly config: Config;

  constructor(config: Config) {
    this.config = config;
  }

  /** An event of this kind took so long; kept when that is long enough. */
  sample(kind: string, ms: number): void {
    const threshold = this.config.values.latencyMonitorThreshold;
    if (threshold === 0 || ms < threshold) return;
    let event = this.events.get(kind);
    if (event === undefined) this.events.set(kind, (event = new LatencyEvent()));
    event.add(Math.floor(Date.now() / 1000), Math.floor(ms));
  }

  /** Forgets the events of these kinds, or all when none is named; how many were forgotten. */
  reset(kinds: readonly string[]): number {
    if (kinds.length > 0) return kinds.filter((kind) => this.events.delete(kind)).length;
    const count = this.events.size;
    this.events.clear();
    return count;
  }
}
