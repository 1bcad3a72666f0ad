/**
 * A histogram of latencies from 1 ns to 1 s with a relative error below 1 %: HdrHistogram with two
 * significant digits, so that INFO latencystats and LATENCY HISTOGRAM show what a real server
 * would.
 *
 *     ns          index
 *     0 .. 255    one slot each
 *     256 .. 511  128 slots of 2        512 .. 1023  128 slots of 4        ... every octave has
 *     128 slots
 *
 * One histogram takes 12 KB; commands get theirs with their first call. Longer latencies count as
 * 1 s.
 * Source of the layout: Gil Tene's HdrHistogram.
 */

const MAX_NS = 1_000_000_000;
const HALF_BITS = 7;
const HALF_SLOTS = 1 << HALF_BITS;
const FIRST_MASK = HALF_SLOTS * 2 - 1;
const FIRST_BITS = 8;
const SLOTS = (30 - HALF_BITS + 1) << HALF_BITS;
/** LATENCY HISTOGRAM doubles from here: the first level, in ns. */
const FIRST_LEVEL_NS = 1024;

export class LatencyHistogram {
  total = 0;
  private readonly slots = new Uint32Array(SLOTS);

  /** Counts a latency, in microseconds, that `calls` calls had. */
  record(microseconds: number, calls: number): void {
    const ns = microseconds >= 1_000_000 ? MAX_NS : (microseconds * 1000) | 0;
    const shift = 32 - Math.clz32(ns | FIRST_MASK) - FIRST_BITS;
    this.slots[((shift + 1) << HALF_BITS) + (ns >>> shift) - HALF_SLOTS]! += calls;
    this.total += calls;
  }

  /** The latency in microseconds that `percent` of 100 do not exceed. */
  percentile(percent: number): number {
    const wanted = Math.max(1, Math.floor((Math.min(percent, 100) / 100) * this.total + 0.5));
    let seen = 0;
    for (let i = 0; i < SLOTS; i++) {
      seen += this.slots[i]!;
      if (seen >= wanted) return highestNs(i) / 1000;
    }
    return 0;
  }

  /**
   * [microseconds, how many were not longer] for levels that double, those at which the number
   * grows only; the last one has all.
   */
  cumulative(): [microseconds: number, count: number][] {
    const levels: [number, number][] = [];
    let seen = 0;
    let next = 0;
    for (let level = FIRST_LEVEL_NS; seen < this.total; level *= 2) {
      const before = seen;
      const end = slotOf(level);
      for (; next <= end && next < SLOTS; next++) seen += this.slots[next]!;
      if (seen > before) levels.push([Math.floor(highestNs(end) / 1000), seen]);
    }
    return levels;
  }

  reset(): void {
    this.slots.fill(0);
    this.total = 0;
  }
}

/** The slot that counts `ns`. */
function slotOf(ns: number): number {
  const shift = Math.max(0, Math.floor(Math.log2(ns | FIRST_MASK)) + 1 - FIRST_BITS);
  return ((shift + 1) << HALF_BITS) + Math.floor(ns / 2 ** shift) - HALF_SLOTS;
}

/** The longest latency that a slot counts. */
function highestNs(slot: number): number {
  const octave = (slot >>> HALF_BITS) - 1;
  if (octave < 0) return slot;
  const within = (slot & (HALF_SLOTS - 1)) + HALF_SLOTS;
  return (within + 1) * 2 ** octave - 1;
}
