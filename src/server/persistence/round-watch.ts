/**
 * Watches the rounds of the event loop while a snapshot is made: how long the longest of them was
 * at work, which is what clients waited for at most.
 *
 *     round   [ waits for events ][ reads, turn's end, slice of the walker, collection of garbage ]
 *                                   ^ this, and what the system took the core away for meanwhile
 *
 * An immediate that does not keep the loop awake is called once a round. It costs half a
 * microsecond, little beside a slice and too much beside a command: hence only meanwhile.
 */
import { performance } from 'node:perf_hooks';

export class RoundWatch {
  /** Of the rounds since `begin`, the longest work, in microseconds. */
  longestUs = 0;
  private isOn = false;
  private isArmed = false;
  private lastMs = 0;
  private lastIdleMs = 0;
  private readonly roundBound = (): void => this.round();

  /** Begins anew. */
  begin(): void {
    this.longestUs = 0;
    this.isOn = true;
    this.look();
    this.arm();
  }

  /** Ends with this round. */
  end(): void {
    this.isOn = false;
  }

  private arm(): void {
    if (this.isArmed) return;
    this.isArmed = true;
    setImmediate(this.roundBound).unref();
  }

  private round(): void {
    this.isArmed = false;
    const workedUs = Math.floor(this.look() * 1000);
    if (workedUs > this.longestUs) this.longestUs = workedUs;
    if (this.isOn) this.arm();
  }

  /** Milliseconds of work since the last look. */
  private look(): number {
    const nowMs = performance.now();
    const idleMs = performance.nodeTiming.idleTime;
    const workedMs = nowMs - this.lastMs - (idleMs - this.lastIdleMs);
    this.lastMs = nowMs;
    this.lastIdleMs = idleMs;
    return workedMs;
  }
}
