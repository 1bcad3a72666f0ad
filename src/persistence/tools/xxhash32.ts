/**
 * XXH32, the checksum of LZ4 frames: 32 bits of bytes that come in pieces.
 *
 *     four lanes take 4 bytes each of every 16; what is left at the end is mixed in word by word
 *
 * Source: the specification in doc/xxhash_spec.md of xxHash.
 */

const PRIME_1 = 0x9e3779b1 | 0;
const PRIME_2 = 0x85ebca77 | 0;
const PRIME_3 = 0xc2b2ae3d | 0;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;
const STRIPE = 16;

export class XxHash32 {
  #a = (PRIME_1 + PRIME_2) | 0;
  #b = PRIME_2;
  #c = 0;
  #d = -PRIME_1 | 0;
  #bytes = 0;
  readonly #rest = new Uint8Array(STRIPE);
  #restLength = 0;

  update(bytes: Uint8Array, offset: number, length: number): void {
    let at = offset;
    const end = offset + length;
    this.#bytes += length;
    if (this.#restLength > 0) {
      while (at < end && this.#restLength < STRIPE) this.#rest[this.#restLength++] = bytes[at++]!;
      if (this.#restLength < STRIPE) return;
      this.#stripe(this.#rest, 0);
      this.#restLength = 0;
    }
    for (; at + STRIPE <= end; at += STRIPE) this.#stripe(bytes, at);
    while (at < end) this.#rest[this.#restLength++] = bytes[at++]!;
  }

  /** The sum of all bytes so far, unsigned. */
  digest(): number {
    let h = PRIME_5;
    if (this.#bytes >= STRIPE) {
      h = rotated(this.#a, 1) + rotated(this.#b, 7) + rotated(this.#c, 12) + rotated(this.#d, 18);
    }
    h = (h + this.#bytes) | 0;
    let at = 0;
    for (; at + 4 <= this.#restLength; at += 4) {
      h = (h + Math.imul(wordAt(this.#rest, at), PRIME_3)) | 0;
      h = Math.imul(rotated(h, 17), PRIME_4);
    }
    for (; at < this.#restLength; at++) {
      h = (h + Math.imul(this.#rest[at]!, PRIME_5)) | 0;
      h = Math.imul(rotated(h, 11), PRIME_1);
    }
    h = Math.imul(h ^ (h >>> 15), PRIME_2);
    h = Math.imul(h ^ (h >>> 13), PRIME_3);
    return (h ^ (h >>> 16)) >>> 0;
  }

  #stripe(bytes: Uint8Array, at: number): void {
    this.#a = round(this.#a, wordAt(bytes, at));
    this.#b = round(this.#b, wordAt(bytes, at + 4));
    this.#c = round(this.#c, wordAt(bytes, at + 8));
    this.#d = round(this.#d, wordAt(bytes, at + 12));
  }
}

function round(lane: number, word: number): number {
  return Math.imul(rotated((lane + Math.imul(word, PRIME_2)) | 0, 13), PRIME_1);
}

function rotated(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
