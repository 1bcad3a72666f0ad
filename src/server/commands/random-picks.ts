/**
 * Elements of a collection by chance: SPOP and random-reply.ts.
 *
 *     picks.repeated(source, random);      then each picks.one() is any element
 *     picks.distinct(source, n, random);   picks.refs[0 .. picks.count) are n different ones
 *
 * All elements are equally likely, and so are all subsets. Distinct picks are drawn in one of two
 * ways:
 *
 *     few of a large table   one by one, again where one came before        O(n)
 *     else                   by going over all, each taken with the chance
 *                            (still wanted) / (still to come)               O(size), in their order
 *
 * Refs are what the type APIs call refs: numbers that name elements until the collection changes.
 */
import { entriesLimit } from '../../core/entries-limit.ts';

/** What can be picked from: the cursors of the type APIs. */
export interface PickSource {
  /** Number of elements. */
  readonly count: number;
  /** Whether a pick by chance walks to its place. */
  readonly isCompact: boolean;
  /** The ref of the element that `step` went to. */
  readonly ref: number;
  step(): boolean;
  pick(random: () => number): number;
}

const TWO_32 = 0x1_0000_0000;
const FIRST_ROOM = 128;
/** One by one is worth it as long as less than a third is wanted: few picks come twice. */
const SHARE = 3;
/** A list of refs that grew past this is not kept. */
const KEPT_ROOM = 1 << 16;

export class RandomPicks {
  /** Refs picked, in refs[0 .. count). */
  refs = new Uint32Array(FIRST_ROOM);
  count = 0;
  private source: PickSource | null = null;
  private random: () => number = () => 0;

  /** Forgets all refs. */
  clear(): void {
    this.count = 0;
    if (this.refs.length > KEPT_ROOM) this.refs = new Uint32Array(FIRST_ROOM);
  }

  push(ref: number): void {
    if (this.count === this.refs.length) {
      const larger = new Uint32Array(this.count * 2);
      larger.set(this.refs);
      this.refs = larger;
    }
    this.refs[this.count++] = ref;
  }

  /** Gathers all elements of a source, which stands before its first one. */
  all(source: PickSource): void {
    this.clear();
    while (source.step()) this.push(source.ref);
  }

  /** Prepares picks of which each may be any element. */
  repeated(source: PickSource, random: () => number): void {
    this.random = random;
    this.source = source.isCompact ? null : source;
    if (source.isCompact) this.all(source);
  }

  /** The ref of any element. */
  one(): number {
    if (this.source !== null) return this.source.pick(this.random);
    return this.refs[this.random() % this.count]!;
  }

  /** Picks `wanted` different elements of a source that has more and stands before its first. */
  distinct(source: PickSource, wanted: number, random: () => number): void {
    this.clear();
    const isFew = wanted * SHARE < source.count && wanted <= entriesLimit.max;
    if (!source.isCompact && isFew) {
      const seen = new Set<number>();
      while (seen.size < wanted) seen.add(source.pick(random));
      for (const ref of seen) this.push(ref);
      return;
    }
    for (let left = source.count; this.count < wanted && source.step(); left--) {
      if ((random() / TWO_32) * left < wanted - this.count) this.push(source.ref);
    }
  }
}
