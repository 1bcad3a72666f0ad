/**
 * One database: its dict of keys and the index of those that expire.
 *
 * The object is the contents. SWAPDB exchanges two of them in the keyspace's array, FLUSHDB puts a
 * new one in its place, and a snapshot that began before either keeps walking the object it began
 * with.
 */
import type { Arena } from './memory/arena.ts';
import { Dict } from './struct/dict.ts';
import { ExpiryIndex } from './struct/expiry-index.ts';
import type { HashSeed, KnownHash } from './struct/key-hash.ts';
import { placeWord } from './value.ts';

export class Database {
  /** The number under which clients SELECT it now. */
  id: number;
  readonly dict: Dict;
  readonly expires: ExpiryIndex;
  /** The number it had when the running snapshot began, -1 when that snapshot does not hold it. */
  snapshotId = -1;

  constructor(id: number, arena: Arena, seed: HashSeed, known: KnownHash) {
    this.id = id;
    this.dict = new Dict(arena, seed, known);
    this.expires = new ExpiryIndex(arena, placeWord);
  }
}
