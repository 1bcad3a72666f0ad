/**
 * Digests of data: equal datasets give equal digests, whatever their tables look like inside. They
 * are Redis's own (DEBUG DIGEST), so that a dataset can be compared across servers.
 *
 *     xor(x)   digest ^= sha1(x)                  for what has no order: keys, members, fields
 *     mix(x)   digest = sha1(digest ^ sha1(x))   for what has an order: elements of a list, key and
 *              value
 *
 *     dataset  for each database that is not empty: mix(number, 4 bytes big-endian), xor each
 *              key's digest
 *     key      mix(key), then the value's
 *     value    mix(type, 4 bytes big-endian), then the type's own, then xor("!!expire!!") if it
 *              expires
 *
 *         string  mix(bytes)                 list    mix each element, head to tail
 *         set     xor each member            hash    xor of (mix field, mix value) of each
 *         zset    xor of (mix member, mix score as %.17g) of each
 *         stream  for each entry: mix "ms.seq", then mix each field and value
 */
import { latin1Bytes } from './text/latin1.ts';
import { sha1 } from './text/sha1.ts';

export const DIGEST_BYTES = 20;

export class Digest {
  readonly bytes: Uint8Array = new Uint8Array(DIGEST_BYTES);
  private readonly sum = new Uint8Array(DIGEST_BYTES);
  private readonly number = new Uint8Array(4);

  clear(): void {
    this.bytes.fill(0);
  }

  /** Adds bytes whose order among others does not count: xors their SHA-1 into the digest. */
  xor(bytes: Uint8Array, offset: number, length: number): void {
    sha1(bytes, offset, length, this.sum, 0);
    for (let i = 0; i < DIGEST_BYTES; i++) this.bytes[i]! ^= this.sum[i]!;
  }

  /** Adds bytes whose order counts: xors in their SHA-1, then hashes the digest anew. */
  mix(bytes: Uint8Array, offset: number, length: number): void {
    this.xor(bytes, offset, length);
    sha1(this.bytes, 0, DIGEST_BYTES, this.bytes, 0);
  }

  /** Takes in another digest as something that has no order. */
  xorDigest(other: Digest): void {
    this.xor(other.bytes, 0, DIGEST_BYTES);
  }

  /** `mix` of a 32-bit number, big-endian. */
  mixNumber(value: number): void {
    for (let i = 0; i < 4; i++) this.number[i] = (value >>> (24 - 8 * i)) & 0xff;
    this.mix(this.number, 0, 4);
  }

  /** `mix` of a text with one character a byte. */
  mixText(text: string): void {
    this.mix(latin1Bytes(text), 0, text.length);
  }

  /** The digest as 40 hexadecimal digits. */
  get hex(): string {
    return Buffer.from(this.bytes).toString('hex');
  }
}
