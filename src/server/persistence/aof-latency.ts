/**
 * How long the AOF's disk takes, for INFO persistence and LATENCY.
 *
 *     aof-write                 a write(2) at the end of a turn, and by what ran beside it:
 *       aof-write-active-child    a snapshot
 *       aof-write-alone           nothing
 *     aof-fsync-always          what replies wait for under `appendfsync always`
 *     aof-fsync                 an fsync beside the loop, which nobody waits for
 *
 * A real server has all but the last, and aof-write-pending-fsync: here a turn that meets a running
 * fsync is not written in the loop (persistence/aof/aof-append.ts). Writes are timed only while the
 * monitor listens, fsyncs always: they are few.
 */
import type { Aof } from '../../persistence/aof/aof.ts';
import type { Config } from '../config/config.ts';
import { LatencyHistogram } from '../latency/latency-histogram.ts';

/** The latency monitor. */
export interface LatencySink {
  sample(kind: string, ms: number): void;
}

export class AofLatency {
  private readonly aof: Aof;
  private readonly config: Config;
  private fsyncs = new LatencyHistogram();

  /** `isSaving`: whether a snapshot runs. */
  constructor(aof: Aof, config: Config, sink: LatencySink, isSaving: () => boolean) {
    this.aof = aof;
    this.config = config;
    aof.disk.clock.onSync = (ms) => {
      this.fsyncs.record(ms * 1000, 1);
      sink.sample(aof.disk.mustSync ? 'aof-fsync-always' : 'aof-fsync', ms);
    };
    const onWrite = (ms: number): void => {
      sink.sample('aof-write', ms);
      sink.sample(isSaving() ? 'aof-write-active-child' : 'aof-write-alone', ms);
    };
    const listen = (thresholdMs: number): undefined => {
      aof.appender.onWrite = thresholdMs > 0 ? onWrite : null;
    };
    listen(config.values.latencyMonitorThreshold);
    config.onChange('latency-monitor-threshold', listen);
  }

  /** `p50=..,p99=..`, in microseconds, as INFO latencystats has them of commands. */
  get percentiles(): string {
    return this.config.values.latencyTrackingInfoPercentiles
      .map((percent) => `p${percent}=${this.fsyncs.percentile(percent).toFixed(3)}`)
      .join(',');
  }

  /** Sets all figures back, for CONFIG RESETSTAT. */
  reset(): void {
    this.fsyncs = new LatencyHistogram();
    this.aof.disk.clock.resetFigures();
  }
}
