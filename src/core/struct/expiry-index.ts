/**
 * The expiry index of a database: a 4-ary min-heap of (time, entry), off the JavaScript heap.
 *
 *     times    f64   milliseconds since 1970, in segments of up to 65,536
 *     entries  u32   arena address, in segments of up to 65,536
 *
 *     node i has its children at 4i + 1 .. 4i + 4 and its parent at (i - 1) >> 2
 *
 * Every entry in the heap keeps its own place in it (one word of its block), so a key's time is
 * read and changed without a search: the index is also the only place where the time is stored.
 *
 * Keys mostly expire in the order in which they were set, and then an insert moves nothing; in
 * general it is O(log n). The root is the next key due, so keys expire when they are due, not when
 * a sample finds them.
 *
 * Invariants: times[parent] <= times[child]; the place word of entries[i] is i.
 */
import type { Arena } from '../memory/arena.ts';

const SEGMENT_SHIFT = 16;
const SEGMENT_SIZE = 1 << SEGMENT_SHIFT;
const SEGMENT_MASK = SEGMENT_SIZE - 1;
/** A segment begins with so many places, and grows by a quarter: a step must not fill maxmemory. */
const STEP_MIN = 256;
const PAIR_BYTES = 12;

/** Where, in words from the start of an entry, its place in the index is kept. */
export type PlaceWord = (arena: Arena, address: number) => number;

export class ExpiryIndex {
  /** Entries that expire. */
  size = 0;

  private readonly arena: Arena;
  private readonly placeWord: PlaceWord;
  private readonly times: Float64Array[] = [];
  private readonly entries: Uint32Array[] = [];
  private bytes = 0;

  constructor(arena: Arena, placeWord: PlaceWord) {
    this.arena = arena;
    this.placeWord = placeWord;
  }

  /** Adds the entry at `address`, due at `time`, and writes its place into it. */
  insert(address: number, time: number): void {
    const place = this.size++;
    this.ensure(place);
    this.siftUp(place, address, time);
  }

  /** Time at which the entry in `place` is due. */
  timeAt(place: number): number {
    return this.times[place >>> SEGMENT_SHIFT]![place & SEGMENT_MASK]!;
  }

  /** Address of the entry in `place`; place 0 is the next one due. */
  entryAt(place: number): number {
    return this.entries[place >>> SEGMENT_SHIFT]![place & SEGMENT_MASK]!;
  }

  /** The entry in `place` is due at `time` from now on. */
  change(place: number, time: number): void {
    const address = this.entryAt(place);
    if (time < this.timeAt(place)) this.siftUp(place, address, time);
    else this.siftDown(place, address, time);
  }

  /** Takes out the entry in `place`. */
  remove(place: number): void {
    const last = --this.size;
    if (place !== last) {
      const address = this.entryAt(last);
      const time = this.timeAt(last);
      if (time < this.timeAt(place)) this.siftUp(place, address, time);
      else this.siftDown(place, address, time);
    }
    this.trim();
  }

  /** The entry in `place` has moved to `address`; its own place word moved with it. */
  relocate(place: number, address: number): void {
    this.entries[place >>> SEGMENT_SHIFT]![place & SEGMENT_MASK] = address;
  }

  /** Bytes of the index itself, which `arena.besideBytes` counts too. */
  get overheadBytes(): number {
    return this.bytes;
  }

  /** Takes the bytes out of the count, when the index is used no more. */
  release(): void {
    this.times.length = 0;
    this.entries.length = 0;
    this.size = 0;
    this.account(-this.bytes);
  }

  private account(bytes: number): void {
    this.bytes += bytes;
    this.arena.besideBytes += bytes;
  }

  private store(place: number, address: number, time: number): void {
    this.times[place >>> SEGMENT_SHIFT]![place & SEGMENT_MASK] = time;
    this.entries[place >>> SEGMENT_SHIFT]![place & SEGMENT_MASK] = address;
    const arena = this.arena;
    const word = this.placeWord(arena, address);
    arena.words(address)[arena.wordOffset(address) + word] = place;
  }

  private siftUp(from: number, address: number, time: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >>> 2;
      const parentTime = this.timeAt(parent);
      if (parentTime <= time) break;
      this.store(place, this.entryAt(parent), parentTime);
      place = parent;
    }
    this.store(place, address, time);
  }

  private siftDown(from: number, address: number, time: number): void {
    let place = from;
    for (;;) {
      const first = place * 4 + 1;
      if (first >= this.size) break;
      const end = Math.min(first + 4, this.size);
      let least = first;
      let leastTime = this.timeAt(first);
      for (let child = first + 1; child < end; child++) {
        const childTime = this.timeAt(child);
        if (childTime < leastTime) {
          least = child;
          leastTime = childTime;
        }
      }
      if (leastTime >= time) break;
      this.store(place, this.entryAt(least), leastTime);
      place = least;
    }
    this.store(place, address, time);
  }

  private ensure(place: number): void {
    const segment = place >>> SEGMENT_SHIFT;
    const have = this.times[segment]?.length ?? 0;
    if ((place & SEGMENT_MASK) < have) return;
    const step = Math.max(STEP_MIN, have >>> 2);
    this.resizeSegment(segment, Math.min(SEGMENT_SIZE, have + step));
  }

  private resizeSegment(segment: number, size: number): void {
    const times = new Float64Array(size);
    const entries = new Uint32Array(size);
    const had = this.times[segment]?.length ?? 0;
    if (had > 0) {
      times.set(this.times[segment]!.subarray(0, size));
      entries.set(this.entries[segment]!.subarray(0, size));
    }
    this.account((size - had) * PAIR_BYTES);
    this.times[segment] = times;
    this.entries[segment] = entries;
  }

  /** Gives back a quarter of the last segment once half of it is empty, or all of it. */
  private trim(): void {
    const last = this.times.length - 1;
    if (last < 0) return;
    const have = this.times[last]!.length;
    const used = this.size - last * SEGMENT_SIZE;
    if (have > STEP_MIN && used < have >>> 1) {
      this.resizeSegment(last, Math.max(STEP_MIN, have - (have >>> 2)));
    } else if (last > 0 && used <= -STEP_MIN) {
      this.account(-have * PAIR_BYTES);
      this.times.pop();
      this.entries.pop();
    }
  }
}
