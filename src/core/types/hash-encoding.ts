/**
 * Which form a hash has, by what is in it.
 *
 *     listpack       up to `hash-max-listpack-entries` fields, none of them and no value longer
 *                    than `hash-max-listpack-value`
 *     packed table   longer fields or values, but few bytes in all: the bytes of a listpack, under
 *                    the name and in the files of a table
 *     hashtable      everything else
 *
 * A table is an object of some 500 bytes besides its entries, which is nothing to a large one. But
 * one value of more than 64 bytes makes a hash such a one: sessions and users are millions of
 * hashes with a few fields, one of them longer. Packed, such a hash of 250 bytes takes 370 bytes of
 * the process instead of 870 (Redis 550), and the garbage collector does not know of it.
 *
 * As in Redis, what is a table once stays one, whatever is removed.
 */
import type { EncodingLimits } from '../encoding-limits.ts';
import { ENC_HASHTABLE, ENC_LISTPACK, ENC_PACKED_TABLE } from '../value.ts';
import { isPacked, LISTPACK_BYTES_MAX } from './compact.ts';

/**
 * The form of a hash of `count` fields and `bytes` bytes as a listpack, that is in the form `now`
 * and is given texts of up to `longest` bytes.
 */
export function hashEncoding(
  limits: EncodingLimits,
  now: number,
  count: number,
  bytes: number,
  longest: number,
): number {
  if (count > limits.hashMaxListpackEntries) return ENC_HASHTABLE;
  if (now === ENC_LISTPACK && longest <= limits.hashMaxListpackValue) {
    return bytes <= LISTPACK_BYTES_MAX ? ENC_LISTPACK : ENC_HASHTABLE;
  }
  return isPacked(count, bytes) ? ENC_PACKED_TABLE : ENC_HASHTABLE;
}
