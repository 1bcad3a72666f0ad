/**
 * Which members of one collection were seen, by fingerprints of 64 bits: to notice one that comes
 * twice without holding any of them.
 *
 *     slots   [ low word, high word ] of each fingerprint, 0 0 for none; at most half are taken
 *
 * The halves are keyed hashes with keys of their own; one bit marks a slot as taken. Two of a
 * million members share a fingerprint with a chance of one in 18 million.
 */
import { halfSipHash } from '../../core/memory/halfsiphash.ts';
import type { ByteView } from '../../core/value.ts';

const FIRST_SLOTS = 64;
const KEPT_SLOTS = 1 << 20;
const KEYS = [0x3c6ef372, 0x1f83d9ab, 0x510e527f, 0x5be0cd19] as const;

export class SeenMembers {
  #words = new Int32Array(FIRST_SLOTS * 2);
  #slots = FIRST_SLOTS;
  #count = 0;

  /** Forgets all. */
  clear(): void {
    if (this.#count === 0) return;
    if (this.#slots > KEPT_SLOTS) {
      this.#slots = FIRST_SLOTS;
      this.#words = new Int32Array(FIRST_SLOTS * 2);
    } else {
      this.#words.fill(0);
    }
    this.#count = 0;
  }

  /** Notes a member; false when it was seen before. */
  add(member: ByteView): boolean {
    const { bytes, length, offset } = member;
    const low = halfSipHash(bytes, offset, length, KEYS[0], KEYS[1]) | 1;
    const high = halfSipHash(bytes, offset, length, KEYS[2], KEYS[3]);
    if (this.#count * 2 >= this.#slots) this.#grow();
    if (!this.#put(low, high)) return false;
    this.#count++;
    return true;
  }

  #put(low: number, high: number): boolean {
    const words = this.#words;
    const mask = this.#slots - 1;
    let slot = (high ^ (low >>> 1)) & mask;
    while (words[slot * 2] !== 0) {
      if (words[slot * 2] === low && words[slot * 2 + 1] === high) return false;
      slot = (slot + 1) & mask;
    }
    words[slot * 2] = low;
    words[slot * 2 + 1] = high;
    return true;
  }

  #grow(): void {
    const old = this.#words;
    this.#slots *= 2;
    this.#words = new Int32Array(this.#slots * 2);
    for (let i = 0; i < old.length; i += 2) if (old[i] !== 0) this.#put(old[i]!, old[i + 1]!);
  }
}
