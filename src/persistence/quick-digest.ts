/**
 * Digests of 128 bits that are quick to make: to tell values apart within one run of a program.
 *
 *     xor(x)   each lane ^= hash(x)              for what has no order
 *     mix(x)   each lane = spread(lane + hash(x))   for what has one
 *
 * Four lanes of 32 bits, each with a hash keyed by its own part of a random seed, so nobody can
 * choose values that look alike, and values that differ give one digest with a chance of 2^-128.
 * Digests of different seeds have nothing to do with each other.
 */
import { halfSipHash } from '../core/memory/halfsiphash.ts';

/** Words of a digest, and of a seed. */
export const DIGEST_WORDS = 4;
export const SEED_WORDS = 8;

export class QuickDigest {
  readonly words = new Int32Array(DIGEST_WORDS);
  readonly #seed: Int32Array;

  /** `seed` has `SEED_WORDS` random words. */
  constructor(seed: Int32Array) {
    this.#seed = seed;
  }

  clear(): void {
    this.words.fill(0);
  }

  /** Takes in what has no order. */
  xor(bytes: Uint8Array, offset: number, length: number): void {
    for (let i = 0; i < DIGEST_WORDS; i++) this.words[i]! ^= this.#hash(i, bytes, offset, length);
  }

  /** Takes in what follows what was taken in before. */
  mix(bytes: Uint8Array, offset: number, length: number): void {
    for (let i = 0; i < DIGEST_WORDS; i++) {
      this.words[i] = spread(this.words[i]! + this.#hash(i, bytes, offset, length));
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

  #hash(lane: number, bytes: Uint8Array, offset: number, length: number): number {
    return halfSipHash(bytes, offset, length, this.#seed[lane * 2]!, this.#seed[lane * 2 + 1]!);
  }
}

/** Spreads every bit over the whole word, and back: the last step of MurmurHash3. */
function spread(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
