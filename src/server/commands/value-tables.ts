/**
 * The dicts inside large values.
 */
import type { Keyspace } from '../../core/keyspace.ts';
import type { Dict } from '../../core/struct/dict.ts';
import { HEAD_LARGE, headOf } from '../../core/value.ts';

/** The dict that finds the elements of the value at `address`; null where the value has none. */
export function tableOf(keyspace: Keyspace, address: number): Dict | null {
  if ((headOf(keyspace.arena, address) & HEAD_LARGE) === 0) return null;
  return keyspace.largeOf(address).dict;
}
