/**
 * The search for points of a zset within a shape.
 *
 *     cells      up to nine ranges of scores (geo-cells.ts), found in O(log N) each
 *     points     the scores in them, read from the index's leaves: no entry is looked at
 *     hits       those within the shape (geo-shape.ts): ref, score and h, in the order as met
 *     places     the hits in the order that is asked for: as met, or by distance
 *
 * Hits are sorted by h, and by exact distances where two h are too near to tell, or so near 1, the
 * opposite end of the earth, that they say little about the distance. So the order is that of the
 * exact distances. Hits that are equally far stand as they do in a real server: a merge sort leaves
 * them as met, and where only a part is wanted the quicksort of struct/partial-sort.ts mixes them.
 *
 * One search is used over and over; it allocates nothing, but for more hits than ever before.
 */
import type { Arena } from '../memory/arena.ts';
import { PartialSort } from '../struct/partial-sort.ts';
import { IndexCursor } from '../struct/sorted-index.ts';
import { GeoCells } from './geo-cells.ts';
import { H_FAR, isPrintable, roughDistance } from './geo-distance.ts';
import { GeoShape, H_MARGIN } from './geo-shape.ts';
import type { LargeZset } from './zset-large.ts';
import { ZsetCursor, type ZsetView } from './zset-view.ts';

const FIRST_ROOM = 256;
/** Room for more hits than this goes back when the search is done with. */
const KEPT_ROOM = 1 << 16;
/** Steps to a point that cost as much as the search for it. */
const STEPS_MAX = 24;

/** Orders of hits. */
export const AS_MET = 0;
export const NEAREST_FIRST = 1;
export const FARTHEST_FIRST = 2;

export class GeoSearch extends PartialSort {
  readonly shape = new GeoShape();
  /** How many points were found. */
  count = 0;
  private refs = new Uint32Array(FIRST_ROOM);
  private scores = new Float64Array(FIRST_ROOM);
  /** h of each hit. */
  private angles = new Float64Array(FIRST_ROOM);
  /** Exact distances in metres; -1: not computed yet. */
  private distances = new Float64Array(FIRST_ROOM);
  /** Which hit stands at a place. */
  private places = new Uint32Array(FIRST_ROOM);
  private merged = new Uint32Array(FIRST_ROOM);
  private isDescending = false;
  /** The points of a small zset. */
  private packedRefs = new Uint32Array(FIRST_ROOM);
  private packedScores = new Float64Array(FIRST_ROOM);

  private readonly cells = new GeoCells();
  private readonly cursor = new ZsetCursor();
  private readonly walker = new IndexCursor();

  /** Finds the points of a zset within `shape`; stops when there are `most`. */
  run(view: ZsetView, most: number): void {
    this.count = 0;
    this.shape.prepare(this.cells, view.large !== null);
    if (view.large !== null) this.runLarge(view.large, most);
    else this.runPacked(view, most);
    for (let i = 0; i < this.count; i++) this.places[i] = i;
  }

  /** The hits have been shown or stored: the room that they took beyond a little goes back. */
  end(arena: Arena): void {
    this.count = 0;
    if (this.refs.length <= KEPT_ROOM) return;
    const { angles, distances, merged, places, refs, scores } = this;
    this.resize(FIRST_ROOM);
    arena.abandon(angles, distances, merged, places, refs, scores);
  }

  /** The ref of the hit at a place. */
  refAt(place: number): number {
    return this.refs[this.places[place]!]!;
  }

  /** The score of the hit at a place. */
  scoreAt(place: number): number {
    return this.scores[this.places[place]!]!;
  }

  /** The exact distance of the hit at a place, in the shape's unit. */
  distanceAt(place: number): number {
    return this.metresOf(this.places[place]!) / this.shape.unitM;
  }

  /** Like `distanceAt`, but only as exact as printing it with four decimals needs. */
  printableDistanceAt(place: number): number {
    const h = this.angles[this.places[place]!]!;
    const rough = roughDistance(h) / this.shape.unitM;
    return h < H_FAR && isPrintable(rough) ? rough : this.distanceAt(place);
  }

  /** Puts the hits into an order; only the first `wanted` matter. */
  sort(order: number, wanted: number): void {
    if (order === AS_MET) return;
    this.isDescending = order === FARTHEST_FIRST;
    if (wanted < this.count) this.sortPart(this.count, 0, wanted - 1);
    else this.mergeSort(0, this.count);
  }

  private runLarge(large: LargeZset, most: number): void {
    const { cells, walker } = this;
    for (let i = 0; i < cells.count; i++) {
      const min = cells.min[i]!;
      const max = cells.max[i]!;
      if (i === 0 || min < cells.max[i - 1]!) large.index.seekScore(min, walker);
      else this.advance(large, min);
      for (; walker.entry !== 0; walker.next()) {
        const { score } = walker;
        if (score >= max) break;
        this.meet(walker.entry, score);
        if (this.count >= most) return;
      }
    }
  }

  /** Goes on to the first point of at least `min`: a few steps, or a search from the root. */
  private advance(large: LargeZset, min: number): void {
    const { walker } = this;
    for (let left = STEPS_MAX; walker.entry !== 0 && walker.score < min; left--) {
      if (left === 0) {
        large.index.seekScore(min, walker);
        return;
      }
      walker.next();
    }
  }

  private runPacked(view: ZsetView, most: number): void {
    const { cells } = this;
    const points = this.unpack(view);
    for (let i = 0; i < cells.count; i++) {
      const min = cells.min[i]!;
      const max = cells.max[i]!;
      for (let p = 0; p < points; p++) {
        const score = this.packedScores[p]!;
        if (score < min) continue;
        if (score >= max) break;
        this.meet(this.packedRefs[p]!, score);
        if (this.count >= most) return;
      }
    }
  }

  /** Reads all points of a small zset; gives their number. */
  private unpack(view: ZsetView): number {
    const { cursor } = this;
    cursor.startView(view, 0, false);
    if (cursor.count > this.packedRefs.length) {
      this.packedRefs = new Uint32Array(cursor.count);
      this.packedScores = new Float64Array(cursor.count);
    }
    let points = 0;
    for (; cursor.step(); points++) {
      this.packedRefs[points] = cursor.ref;
      this.packedScores[points] = cursor.score;
    }
    return points;
  }

  /** Keeps a point if it is within the shape. */
  private meet(ref: number, score: number): void {
    const i = this.count;
    if (!this.shape.has(score, this.angles, i)) return;
    this.refs[i] = ref;
    this.scores[i] = score;
    this.distances[i] = -1;
    if (++this.count === this.refs.length) this.resize(this.refs.length * 2);
  }

  private resize(room: number): void {
    const { angles, count, distances, refs, scores } = this;
    this.refs = new Uint32Array(room);
    this.scores = new Float64Array(room);
    this.angles = new Float64Array(room);
    this.distances = new Float64Array(room);
    this.places = new Uint32Array(room);
    this.merged = new Uint32Array(room);
    this.refs.set(refs.subarray(0, count));
    this.scores.set(scores.subarray(0, count));
    this.angles.set(angles.subarray(0, count));
    this.distances.set(distances.subarray(0, count));
  }

  // ---------------------------------------------------------------- order

  private metresOf(hit: number): number {
    if (this.distances[hit]! === -1) {
      this.distances[hit] = this.shape.distanceOf(this.scores[hit]!);
    }
    return this.distances[hit]!;
  }

  /** Compares two hits in the order that is asked for. Returns less than 0, 0 or more than 0. */
  private compare(a: number, b: number): number {
    const h = this.angles[a]!;
    const other = this.angles[b]!;
    let order = h < other ? -1 : 1;
    if (h > H_FAR || Math.abs(h - other) <= h * H_MARGIN) {
      const distance = this.metresOf(a);
      const otherDistance = this.metresOf(b);
      order = distance > otherDistance ? 1 : distance === otherDistance ? 0 : -1;
    }
    return this.isDescending ? -order : order;
  }

  protected order(i: number, k: number): number {
    return this.compare(this.places[i]!, this.places[k]!);
  }

  protected swap(i: number, k: number): void {
    const one = this.places[i]!;
    this.places[i] = this.places[k]!;
    this.places[k] = one;
  }

  /** Sorts `count` places from `start`, by halves, as the C library's qsort does. */
  private mergeSort(start: number, count: number): void {
    if (count < 2) return;
    const { merged, places } = this;
    const half = count >>> 1;
    const end = start + count;
    this.mergeSort(start, half);
    this.mergeSort(start + half, count - half);
    let left = start;
    let right = start + half;
    let n = 0;
    while (left < start + half && right < end) {
      const isLeft = this.compare(places[left]!, places[right]!) <= 0;
      merged[n++] = isLeft ? places[left++]! : places[right++]!;
    }
    while (left < start + half) merged[n++] = places[left++]!;
    for (let i = 0; i < n; i++) places[start + i] = merged[i]!;
  }
}
