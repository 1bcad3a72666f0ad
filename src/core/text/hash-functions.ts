/**
 * MurmurHash64A, the hash that HyperLogLogs are built on.
 *
 * Source: Austin Appleby's MurmurHash2, 64-bit version for little-endian machines, with the seed
 * that Redis chose. The values are part of Redis's format: a HyperLogLog made by one server must
 * count alike in another, so neither seed nor steps may ever change.
 *
 *     h = seed ^ (length x M)
 *     for each 8 bytes k (little-endian):   k *= M;  k ^= k >> 47;  k *= M;  h ^= k;  h *= M
 *     the last 1 to 7 bytes k, if any:      h ^= k;  h *= M
 *     at the end:                           h ^= h >> 47;  h *= M;  h ^= h >> 47
 *
 * A 64-bit word is two int32 words here, low and high. Nothing is allocated.
 */

const M_LO = 0x5bd1_e995;
const M_HI = 0xc6a4_a793 | 0;
const SEED_LO = 0xadc8_3b19 | 0;
const TWO_32 = 4_294_967_296;

/** The hash that `murmurHash64A` found last: [0] is its low word, [1] its high word. */
export const murmurHash = new Uint32Array(2);

/** Hashes `buf[off, len]` into `murmurHash`. */
export function murmurHash64A(buf: Uint8Array, off: number, len: number): void {
  multiply(len | 0, (len / TWO_32) | 0);
  let lo = murmurHash[0]! ^ SEED_LO;
  let hi = murmurHash[1]! | 0;
  const end = off + (len & ~7);
  for (let at = off; at < end; at += 8) {
    multiply(wordAt(buf, at), wordAt(buf, at + 4));
    const mixedHi = murmurHash[1]!;
    multiply(murmurHash[0]! ^ (mixedHi >>> 15), mixedHi);
    multiply(lo ^ murmurHash[0]!, hi ^ murmurHash[1]!);
    lo = murmurHash[0]! | 0;
    hi = murmurHash[1]! | 0;
  }
  const rest = len & 7;
  if (rest !== 0) {
    for (let i = 0; i < rest; i++) {
      if (i < 4) lo ^= buf[end + i]! << (i << 3);
      else hi ^= buf[end + i]! << ((i - 4) << 3);
    }
    multiply(lo, hi);
    lo = murmurHash[0]! | 0;
    hi = murmurHash[1]! | 0;
  }
  multiply(lo ^ (hi >>> 15), hi);
  murmurHash[0] = murmurHash[0]! ^ (murmurHash[1]! >>> 15);
}

function wordAt(buf: Uint8Array, at: number): number {
  return buf[at]! | (buf[at + 1]! << 8) | (buf[at + 2]! << 16) | (buf[at + 3]! << 24);
}

/** Sets `murmurHash` to the low 64 bits of (lo, hi) x M. */
function multiply(lo: number, hi: number): void {
  // lo x M_LO in pieces of 16 bits: all of it stays in integers.
  const a = lo & 0xffff;
  const b = lo >>> 16;
  const c = M_LO & 0xffff;
  const d = M_LO >>> 16;
  const ad = Math.imul(a, d);
  const bc = Math.imul(b, c);
  const middle = (Math.imul(a, c) >>> 16) + (ad & 0xffff) + (bc & 0xffff);
  const carried = ((ad >>> 16) + (bc >>> 16) + (middle >>> 16)) | 0;
  const high = (Math.imul(b, d) + carried) | 0;
  murmurHash[0] = Math.imul(lo, M_LO);
  murmurHash[1] = (((high + Math.imul(lo, M_HI)) | 0) + Math.imul(hi, M_LO)) | 0;
}
