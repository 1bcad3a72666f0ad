/**
 * Randomness for the keyspace: a seed for its hashes, and 32 bits a call, fast, seeded from the
 * system. Not for secrets.
 *
 * xoshiro128**, D. Blackman and S. Vigna, "Scrambled linear pseudorandom number generators" (2018).
 */
import { randomBytes } from 'node:crypto';
import type { HashSeed } from '../../core/struct/key-hash.ts';

/** A seed for the hashes of a keyspace. */
export function createSeed(): HashSeed {
  const seed = randomBytes(8);
  return { seed0: seed.readUInt32LE(0), seed1: seed.readUInt32LE(4) };
}

/** A source of 32 random bits a call. */
export function createRandom(): () => number {
  const seed = randomBytes(16);
  let a = seed.readInt32LE(0);
  let b = seed.readInt32LE(4);
  let c = seed.readInt32LE(8);
  let d = seed.readInt32LE(12) | 1;
  return () => {
    const scaled = Math.imul(b, 5);
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result >>> 0;
  };
}
