/**
 * Which form a zset has, by what is in it.
 *
 *     listpack          up to `zset-max-listpack-entries` members, none of them longer than
 *                       `zset-max-listpack-value`
 *     packed skiplist   longer members, but few bytes in all: the bytes of a listpack, under the
 *                       name and in the files of a skiplist
 *     skiplist          everything else
 *
 * The reasons are those of hashes (hash-encoding.ts): a large zset is an object of 570 bytes
 * besides its members, and lists of the pages that somebody saw last have members of 70. And there
 * is no way back here either.
 *
 * A listpack makes a score of -0 a plain 0. As in Redis, that is so in a small zset and not in a
 * skiplist, so one that is given a -0 is not packed.
 */
import type { EncodingLimits } from '../encoding-limits.ts';
import { LP_EMPTY_BYTES } from '../struct/listpack.ts';
import { type ByteView, ENC_LISTPACK, ENC_PACKED_SKIPLIST, ENC_SKIPLIST } from '../value.ts';
import { isPacked, LISTPACK_BYTES_MAX } from './compact.ts';
import { pairBytes } from './zset-pack.ts';

/**
 * The form of a zset of `count` members and `bytes` bytes as a listpack, that is in the form `now`
 * and is given members of up to `longest` bytes, and a -0 among their scores or not.
 */
export function zsetEncoding(
  limits: EncodingLimits,
  now: number,
  count: number,
  bytes: number,
  longest: number,
  hasMinusZero: boolean,
): number {
  if (count > limits.zsetMaxListpackEntries) return ENC_SKIPLIST;
  if (now === ENC_LISTPACK && longest <= limits.zsetMaxListpackValue) {
    return bytes <= LISTPACK_BYTES_MAX ? ENC_LISTPACK : ENC_SKIPLIST;
  }
  return isPacked(count, bytes) && !hasMinusZero ? ENC_PACKED_SKIPLIST : ENC_SKIPLIST;
}

/** Which form suits the pairs of a zset that are all there: they are counted one by one. */
export class ZsetFit {
  /** What the pairs so far take as a listpack. */
  bytes = LP_EMPTY_BYTES;
  private count = 0;
  private longest = 0;
  private hasMinusZero = false;

  start(): void {
    this.bytes = LP_EMPTY_BYTES;
    this.count = 0;
    this.longest = 0;
    this.hasMinusZero = false;
  }

  add({ bytes, length, offset }: ByteView, score: number): void {
    this.bytes += pairBytes(bytes, offset, length, score);
    this.count++;
    if (length > this.longest) this.longest = length;
    if (isMinusZero(score)) this.hasMinusZero = true;
  }

  encoding(limits: EncodingLimits): number {
    const { bytes, count, hasMinusZero, longest } = this;
    return zsetEncoding(limits, ENC_LISTPACK, count, bytes, longest, hasMinusZero);
  }
}

/** Whether a score is -0, which is equal to 0. */
export function isMinusZero(score: number): boolean {
  return score === 0 && 1 / score < 0;
}
