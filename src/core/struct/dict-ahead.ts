/**
 * Looking ahead in a dict: code that reads or adds many entries spends most of its time waiting for
 * memory, one cache line after the other. Touched together, the lines arrive together.
 *
 * Measured with 5 million keys: loading them takes 65% of the time, saving them 70%.
 */
import { type Arena, HUGE_BASE } from '../memory/arena.ts';
import type { Dict } from './dict.ts';
import { entryKeyLength, entryKeyOffset } from './entry.ts';

/** Takes what was read, so that the compiler cannot drop the reads. */
const looked = new Uint32Array(1);

/** Touches entries, so that their cache lines are on the way. */
export function touchEntries(arena: Arena, entries: readonly number[], count: number): void {
  const { u32 } = arena;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const address = entries[i]!;
    if (address < HUGE_BASE) sum ^= u32[address >>> 19]![(address & 0x7ffff) << 1]!;
  }
  looked[0] = sum;
}

/**
 * Takes several steps of a scan at once, until `wanted` entries or a few more are collected, and
 * touches those. Returns the next cursor.
 */
export function collectAhead(dict: Dict, arena: Arena, cursor: number, wanted: number): number {
  let next = dict.collect(cursor);
  while (next !== 0 && dict.collectedCount < wanted) next = dict.collectMore(next);
  touchEntries(arena, dict.collected, dict.collectedCount);
  return next;
}

/**
 * Adds `count` entries with their hashes. Returns how many were added: fewer than `count` where the
 * key of the next one is there already.
 */
export function insertNew(
  dict: Dict,
  arena: Arena,
  addresses: Uint32Array,
  hashes: Int32Array,
  count: number,
): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const bucket = dict.bucketFor(hashes[i]!);
    sum ^= arena.u32[bucket >>> 19]![(bucket & 0x7ffff) << 1]!;
  }
  looked[0] = sum;
  for (let i = 0; i < count; i++) {
    const address = addresses[i]!;
    const hash = hashes[i]!;
    const key = entryKeyOffset(arena, address);
    const length = entryKeyLength(arena, address);
    if (dict.findHashed(arena.bytes(address), key, length, hash) !== 0) return i;
    dict.insert(address, hash);
  }
  return count;
}

/**
 * Puts the hashes of the keys of some entries, of a dict with the same seed, into `hashes`, and
 * touches the buckets of `dict` that they belong to.
 */
export function hashAhead(
  dict: Dict,
  arena: Arena,
  entries: ArrayLike<number>,
  count: number,
  hashes: number[],
): void {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const address = entries[i]!;
    if (address < HUGE_BASE) sum ^= arena.u32[address >>> 19]![(address & 0x7ffff) << 1]!;
  }
  for (let i = 0; i < count; i++) hashes[i] = dict.hashOf(entries[i]!);
  for (let i = 0; i < count; i++) {
    const bucket = dict.bucketFor(hashes[i]!);
    sum ^= arena.u32[bucket >>> 19]![(bucket & 0x7ffff) << 1]!;
  }
  looked[0] = sum;
}
