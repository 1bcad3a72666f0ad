/**
 * HalfSipHash-1-3 with a 64-bit seed: a keyed 32-bit hash of short byte strings.
 *
 * It resists flooding: without the seed nobody can choose keys that collide. One compression round
 * a four-byte word and three at the end, all in 32-bit arithmetic, which is what JavaScript does
 * fast.
 *
 * Source: J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF" (2012), and the
 * reference description of HalfSipHash.
 */
import { viewed, viewOfKey } from './view-of.ts';

/** Hash of `length` bytes of `bytes` from `offset`: 32 bits, signed. */
export function halfSipHash(
  bytes: Uint8Array,
  offset: number,
  length: number,
  seed0: number,
  seed1: number,
): number {
  const view = viewOfKey(bytes, offset, length);
  return halfSipHashView(view, viewed.at, length, seed0, seed1);
}

/**
 * `halfSipHash` of bytes seen through a DataView. The hash is signed because every second unsigned
 * one would be a number of its own on the heap.
 */
export function halfSipHashView(
  view: DataView,
  offset: number,
  length: number,
  seed0: number,
  seed1: number,
): number {
  let v0 = seed0;
  let v1 = seed1;
  let v2 = 0x6c796765 ^ seed0;
  let v3 = 0x74656462 ^ seed1;
  const end = offset + (length & ~3);
  let at = offset;
  for (; at < end; at += 4) {
    const m = view.getInt32(at, true);
    v3 ^= m;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= m;
  }
  let last = length << 24;
  const rest = length & 3;
  if (rest > 2) last |= view.getUint8(at + 2) << 16;
  if (rest > 1) last |= view.getUint8(at + 1) << 8;
  if (rest > 0) last |= view.getUint8(at);
  v3 ^= last;
  for (let round = 0; round < 4; round++) {
    if (round === 1) {
      v0 ^= last;
      v2 ^= 0xff;
    }
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
  }
  return v1 ^ v3;
}
