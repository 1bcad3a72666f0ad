/**
 * The event loop's own figures, as INFO stats shows them: how many rounds it has made, and how long
 * it was at work in them. The loop counts both by itself, so that they cost nothing; they are
 * those of the whole process.
 *
 * Versions of Node that do not count rounds show none.
 */
import { performance } from 'node:perf_hooks';

/** What Node tells of its loop, since 20.18; missing before. */
interface LoopTiming {
  readonly uvMetricsInfo?: { readonly loopCount: number };
}

const timing: LoopTiming = performance.nodeTiming;

function roundsSoFar(): number {
  return timing.uvMetricsInfo?.loopCount ?? 0;
}

function workedSoFarUs(): number {
  return Math.floor(performance.eventLoopUtilization().active * 1000);
}

export class EventLoop {
  private firstRound = 0;
  private firstUs = 0;

  /** Rounds since the start, or since `reset`. */
  get rounds(): number {
    return roundsSoFar() - this.firstRound;
  }

  /** Microseconds of work in these rounds. */
  get workedUs(): number {
    return workedSoFarUs() - this.firstUs;
  }

  /** Counts from 0 again, for CONFIG RESETSTAT. */
  reset(): void {
    this.firstRound = roundsSoFar();
    this.firstUs = workedSoFarUs();
  }
}
