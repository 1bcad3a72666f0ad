/**
 * Digests of 128 bits that are quick to make: to tell values apart within one run of a program.
 *
 *     xor(x)   each lane ^= hash(x)              for what has no order
 *     mix(x)   each lane = spread(lane + hash(x))   for what has one
 *
 * Four lanes of 32 bits, each with a hash keyed by its own part of a random seed, so nobody can
 * choose values that look alike, and values that differ give one digest with a chance of 2^-128.
 * Digests of different seeds have nothing to do with each other. Of long values, the first 128 bits
 * of their SHA-1 behind the seed are taken: node:crypto is slower to begin and faster a byte.
 */
import { createHash } from 'node:crypto';
import { halfSipHash } from '../../core/memory/halfsiphash.ts';

/** Words of a digest, and of a seed. */
export const DIGEST_WORDS = 4;
export const SEED_WORDS = 8;

/** From here on SHA-1 is faster. */
const LONG_BYTES = 512;

export class QuickDigest {
  readonly words = new Int32Array(DIGEST_WORDS);
  readonly #seed: Int32Array;
  /** The hash of what was taken in last. */
  readonly #hash = new Int32Array(DIGEST_WORDS);

  /** `seed` has `SEED_WORDS` random words. */
  constructor(seed: Int32Array) {
    this.#seed = seed;
  }

  clear(): void {
    this.words.fill(0);
  }

  /** Adds bytes whose order among others does not count: xors their hash into the digest. */
  xor(bytes: Uint8Array, offset: number, length: number): void {
    this.#take(bytes, offset, length);
    for (let i = 0; i < DIGEST_WORDS; i++) this.words[i]! ^= this.#hash[i]!;
  }

  /** Adds bytes whose order counts: spreads the digest and their hash over all bits. */
  mix(bytes: Uint8Array, offset: number, length: number): void {
    this.#take(bytes, offset, length);
    for (let i = 0; i < DIGEST_WORDS; i++) {
      this.words[i] = spread(this.words[i]! + this.#hash[i]!);
    }
  }

  /** `mix` of a number of 32 bits. */
  mixWord(word: number): void {
    for (let i = 0; i < DIGEST_WORDS; i++) {
      this.words[i] = spread(spread(this.words[i]! ^ this.#seed[i * 2]!) + word);
    }
  }

  /** `mix` of a text with one character a byte. */
  mixText(text: string): void {
    this.mix(Buffer.from(text, 'latin1'), 0, text.length);
  }

  /** Takes in another digest as something that has no order. */
  xorDigest(other: QuickDigest): void {
    for (let i = 0; i < DIGEST_WORDS; i++) this.words[i]! ^= spread(other.words[i]!);
  }

  equals(other: QuickDigest): boolean {
    return this.words.every((word, i) => word === other.words[i]);
  }

  #take(bytes: Uint8Array, offset: number, length: number): void {
    const seed = this.#seed;
    if (length >= LONG_BYTES) {
      const hash = createHash('sha1').update(seed);
      const sum = hash.update(bytes.subarray(offset, offset + length)).digest();
      for (let i = 0; i < DIGEST_WORDS; i++) this.#hash[i] = sum.readInt32LE(i * 4);
      return;
    }
    for (let i = 0; i < DIGEST_WORDS; i++) {
      this.#hash[i] = halfSipHash(bytes, offset, length, seed[i * 2]!, seed[i * 2 + 1]!);
    }
  }
}

/** Spreads every bit over the whole word, and back: the last step of MurmurHash3. */
function spread(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
