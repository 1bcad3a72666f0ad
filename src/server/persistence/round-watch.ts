/**
 * Watches the rounds of the event loop while a snapshot is made: how long the longest of them was
 * at work, which is what clients waited for at most; and how much of such a time was really work.
 *
 *     round   [ waits for events ][ reads, turn's end, slice of the walker, collection of garbage ]
 *                                   ^ longestUs: all of this
 *                                     workUs: the time of it for which the thread had a core
 *
 * Only the first includes the time for which others had the core: threads and processes beside this
 * one and, on a virtual machine, whoever else its host serves.
 *
 * An immediate that does not keep the loop awake is called once a round. With the looks at the
 * clocks it costs some microseconds, little beside a slice and too much beside a command: hence
 * only meanwhile.
 */
import { type LoopClocks, loopClocks } from './loop-clocks.ts';

export class RoundWatch {
  /** The longest of the rounds since `begin`, in microseconds. */
  longestUs = 0;
  /** The most work in one of them, in microseconds. */
  workUs = 0;
  private readonly clocks: LoopClocks;
  private isOn = false;
  private isArmed = false;
  private lastMs = 0;
  private lastIdleMs = 0;
  private lastRanMs = 0;
  private readonly roundBound = (): void => this.round();

  constructor(clocks = loopClocks) {
    this.clocks = clocks;
  }

  /** Begins to watch, with all figures at 0. */
  begin(): void {
    this.isOn = true;
    this.look();
    this.longestUs = 0;
    this.workUs = 0;
    if (!this.isArmed) this.arm();
  }

  /** Stops watching after this round. */
  end(): void {
    this.isOn = false;
  }

  private arm(): void {
    this.isArmed = true;
    setImmediate(this.roundBound).unref();
  }

  private round(): void {
    this.isArmed = false;
    this.look();
    if (this.isOn) this.arm();
  }

  /** Counts what was since the last look. */
  private look(): void {
    const { clocks } = this;
    const nowMs = clocks.now();
    const idleMs = clocks.idle();
    const ranMs = clocks.ran();
    const active = nowMs - this.lastMs - (idleMs - this.lastIdleMs);
    const work = ranMs - this.lastRanMs;
    this.longestUs = Math.max(this.longestUs, Math.floor(active * 1000));
    this.workUs = Math.max(this.workUs, Math.floor(work * 1000));
    this.lastMs = nowMs;
    this.lastIdleMs = idleMs;
    this.lastRanMs = ranMs;
  }
}
