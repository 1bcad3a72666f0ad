/**
 * The expiry index of a database: a 4-ary min-heap of (time, entry), off the JavaScript heap.
 *
 *     times    f64   milliseconds since 1970, in segments of 65,536
 *     entries  u32   arena address, in segments of 65,536
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
const FIRST_SEGMENT = 256;
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

  /** The index is used no more: its bytes count no longer. */
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
    const have = this.times[segment];
    if (have === undefined) {
      const size = segment === 0 ? FIRST_SEGMENT : SEGMENT_SIZE;
      this.times[segment] = new Float64Array(size);
      this.entries[segment] = new Uint32Array(size);
      this.account(size * PAIR_BYTES);
    } else if ((place & SEGMENT_MASK) >= have.length) {
      this.resizeSegment(segment, Math.min(SEGMENT_SIZE, have.length * 4));
    }
  }

  private resizeSegment(segment: number, size: number): void {
    const times = new Float64Array(size);
    const entries = new Uint32Array(size);
    const kept = Math.min(size, this.times[segment]!.length);
    times.set(this.times[segment]!.subarray(0, kept));
    entries.set(this.entries[segment]!.subarray(0, kept));
    this.account((size - this.times[segment]!.length) * PAIR_BYTES);
    this.times[segment] = times;
    this.entries[segment] = entries;
  }

  /** Gives back the last segment once the one before it is half empty. */
  private trim(): void {
    const segments = this.times.length;
    if (segments > 1 && this.size <= (segments - 1) * SEGMENT_SIZE - SEGMENT_SIZE / 2) {
      this.times.pop();
      this.entries.pop();
      this.account(-SEGMENT_SIZE * PAIR_BYTES);
    }
  }
}
