/**
 * Looking ahead in a dict: who reads or adds many entries has most of the time to wait for memory,
 * one cache line after the other. Looked at together, the lines come together.
 *
 * Measured with 5 million keys: loading them takes 65% of the time, saving them 70%.
 */
import { type Arena, HUGE_BASE } from '../memory/arena.ts';
import type { Dict } from './dict.ts';
import { entryKeyLength, entryKeyOffset } from './entry.ts';

/** Keeps what was looked at from being nothing to the compiler. */
const looked = new Uint32Array(1);

/** Looks at some entries. */
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
 * Several steps of a scan at once, until `wanted` entries or a few more are collected, and looked
 * at. The next cursor.
 */
export function collectAhead(dict: Dict, arena: Arena, cursor: number, wanted: number): number {
  let next = dict.collect(cursor);
  while (next !== 0 && dict.collectedCount < wanted) next = dict.collectMore(next);
  touchEntries(arena, dict.collected, dict.collectedCount);
  return next;
}

/**
 * Adds `count` entries with their hashes. Gives the number of those that were added: less than
 * `count` where the next one's key is there already.
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
 * looks at the buckets of `dict` that they belong to.
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
