/**
 * A filter that tells of most texts that they have not been met yet, and of none that was met: a
 * bit for each of 16,384 hashes. Who adds many texts to a listpack asks it before looking through
 * all entries, which is most of what adding 100 of them costs.
 *
 *     filter.clear();
 *     if (!filter.meet(bytes, offset, length) || lpFind(...) === 0) it is new
 *
 * The hash has no seed: whoever finds texts that collide makes callers look as they would without a
 * filter.
 */

const WORDS = 512;
const BIT_MASK = WORDS * 32 - 1;

export class TextFilter {
  private readonly bits = new Int32Array(WORDS);

  /** Forgets all texts. */
  clear(): void {
    this.bits.fill(0);
  }

  /** Whether the text may have been met before. It has been from now on. */
  meet(bytes: Uint8Array, offset: number, length: number): boolean {
    let hash = length;
    for (let i = offset; i < offset + length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    const bit = (hash ^ (hash >>> 15)) & BIT_MASK;
    const word = this.bits[bit >>> 5]!;
    this.bits[bit >>> 5] = word | (1 << (bit & 31));
    return ((word >>> (bit & 31)) & 1) !== 0;
  }
}
