/**
 * Figures "a second" of the last moments, as INFO shows them: 16 samples, one each tenth of a
 * second.
 *
 * A sample is how much a counter has grown since the sample before, per second; the figure is
 * their average.
 */

const SAMPLES = 16;

class Rate {
  private readonly samples = new Float64Array(SAMPLES);
  private next = 0;
  private count = 0;
  private lastMs = 0;

  /** The counter stands at `count` now. */
  sample(count: number, nowMs: number): void {
    const passed = nowMs - this.lastMs;
    const grown = count - this.count;
    this.count = count;
    if (this.lastMs > 0 && passed > 0) {
      this.samples[this.next] = grown < 0 ? 0 : (grown * 1000) / passed;
      this.next = (this.next + 1) % SAMPLES;
    }
    this.lastMs = nowMs;
  }

  /** Begins anew with a counter that has gone back to 0. */
  reset(): void {
    this.samples.fill(0);
    this.count = 0;
  }

  get perSecond(): number {
    let sum = 0;
    for (const one of this.samples) sum += one;
    return sum / SAMPLES;
  }
}

/** The counters that have a rate. */
export interface RateCounters {
  readonly commandsProcessed: number;
  readonly netInputBytes: number;
  readonly netOutputBytes: number;
  readonly netReplInputBytes: number;
  readonly netReplOutputBytes: number;
  readonly loop: { readonly rounds: number; readonly workedUs: number };
}

export class Rates {
  readonly commands = new Rate();
  readonly input = new Rate();
  readonly output = new Rate();
  readonly replicaInput = new Rate();
  readonly replicaOutput = new Rate();
  readonly loopRounds = new Rate();
  readonly loopUs = new Rate();

  /** Begins all rates anew, for CONFIG RESETSTAT. */
  reset(): void {
    for (const one of [this.commands, this.input, this.output]) one.reset();
    for (const one of [this.replicaInput, this.replicaOutput]) one.reset();
    for (const one of [this.loopRounds, this.loopUs]) one.reset();
  }

  /** Called each tenth of a second. */
  sample(stats: RateCounters, nowMs: number): void {
    this.commands.sample(stats.commandsProcessed, nowMs);
    this.input.sample(stats.netInputBytes, nowMs);
    this.output.sample(stats.netOutputBytes, nowMs);
    this.replicaInput.sample(stats.netReplInputBytes, nowMs);
    this.replicaOutput.sample(stats.netReplOutputBytes, nowMs);
    this.loopRounds.sample(stats.loop.rounds, nowMs);
    this.loopUs.sample(stats.loop.workedUs, nowMs);
  }
}
