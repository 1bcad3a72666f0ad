/**
 * A small seeded generator of random choices: the same seed gives the same choices on every
 * machine, so a failing run can be run again. Algorithm: mulberry32, 32 bits of state, period
 * 2^32; good enough to choose tests, useless for secrets.
 */

/** Anything that can be chosen by weight. */
export type Weighted = { readonly weight: number };

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 up to, not including, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** An integer from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.between(0, items.length - 1)];
    if (item === undefined) throw new Error('pick needs at least one item, none undefined');
    return item;
  }

  /** One item, as likely as its share of all weights. */
  weighted<T extends Weighted>(items: readonly T[]): T {
    let rest = this.next() * items.reduce((sum, item) => sum + item.weight, 0);
    for (const item of items) {
      rest -= item.weight;
      if (rest < 0) return item;
    }
    return this.pick(items);
  }

  /** The items that a coin keeps, in their order. */
  some<T>(items: readonly T[], probability = 0.5): T[] {
    return items.filter(() => this.chance(probability));
  }

  /** From `low` to `high` items made by `make`. */
  list<T>(low: number, high: number, make: () => T): T[] {
    return Array.from({ length: this.between(low, high) }, make);
  }

  /** A new array with the items in random order. */
  shuffled<T>(items: readonly T[]): T[] {
    const keyed = items.map((item) => ({ item, rank: this.next() }));
    return keyed.sort((a, b) => a.rank - b.rank).map(({ item }) => item);
  }

  /** A latin1 string of random bytes. */
  bytes(length: number): string {
    const buffer = Buffer.alloc(length);
    for (let i = 0; i < length; i++) buffer[i] = this.between(0, 255);
    return buffer.toString('latin1');
  }
}
