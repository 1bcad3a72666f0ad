/**
 * Entries that were built but do not stand in their dict yet. A loader puts many keys there, one
 * after the other, each in a bucket that the processor has to fetch; put there some dozens at a
 * time, it fetches their buckets together (`insertNew`).
 *
 *     [ entry | entry | ...  count  ...            ] LATE_MAX
 *
 * They cannot be found until `settle`. All are of one database.
 */
import type { Arena } from './memory/arena.ts';
import type { Dict } from './struct/dict.ts';
import { insertNew } from './struct/dict-ahead.ts';

/** Entries that wait at most. */
export const LATE_MAX = 64;

export class LateEntries {
  /** Entries that wait. */
  count = 0;
  /** Where they are; those that were settled last stay here until the next `add`. */
  readonly addresses = new Uint32Array(LATE_MAX);
  private readonly hashes = new Int32Array(LATE_MAX);

  /** Whether the next `add` must wait for a `settle`. */
  get isFull(): boolean {
    return this.count === LATE_MAX;
  }

  add(dict: Dict, address: number): void {
    this.addHashed(address, dict.hashOf(address));
  }

  /** Like `add`, for a caller that has the hash of the entry's key already. */
  addHashed(address: number, hash: number): void {
    this.addresses[this.count] = address;
    this.hashes[this.count++] = hash;
  }

  /** The entry that was added last now lives at `address`. */
  replaceLast(address: number): void {
    this.addresses[this.count - 1] = address;
  }

  addressAt(i: number): number {
    return this.addresses[i]!;
  }

  /**
   * Puts them into their dict. Returns how many are there now: fewer than waited where the key of
   * the next one is there already.
   */
  settle(dict: Dict, arena: Arena): number {
    const settled = insertNew(dict, arena, this.addresses, this.hashes, this.count);
    if (settled === this.count) this.count = 0;
    return settled;
  }
}
