/**
 * A zset that is being built beside the keyspace, from a file.
 *
 *     const builder = new ZsetBuilder(keyspace);
 *     builder.large.add(...)
 *     builder.store(db, key, keyOffset, keyLength, existing)      or   builder.discard()
 *
 * It is built large; what fits the limits of a listpack is stored as one, as Redis does with such
 * results.
 */
import type { Database } from '../database.ts';
import type { Keyspace } from '../keyspace.ts';
import { LP_EMPTY_BYTES, lpBytes, lpInit } from '../struct/listpack.ts';
import { ENC_LISTPACK, ENC_SKIPLIST, TYPE_ZSET } from '../value.ts';
import { LISTPACK_BYTES_MAX } from './compact.ts';
import { LargeZset } from './zset-large.ts';
import { packInsertAt, pairBytes } from './zset-pack.ts';
import { ZsetCursor, ZsetView } from './zset-view.ts';

const RELEASE_STEP = 1 << 20;
const FIRST_ROOM = 4096;
/** A buffer that grew past this is not kept. */
const KEPT_ROOM = 1 << 20;

const cursor = new ZsetCursor();
let buffer: Uint8Array = new Uint8Array(FIRST_ROOM);

export class ZsetBuilder {
  /** The elements so far. */
  readonly large: LargeZset;
  /** A look at them, once they are in order. */
  readonly view = new ZsetView();
  private readonly keyspace: Keyspace;

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace;
    this.large = new LargeZset(keyspace.arena, keyspace.seed);
    this.view.large = this.large;
  }

  /**
   * Puts the zset, which is in order and not empty, behind a key. `existing` is what `lookupWrite`
   * returned for it. Returns the entry's address; its expiry is gone.
   */
  store(db: Database, key: Uint8Array, offset: number, length: number, existing: number): number {
    const { keyspace, large } = this;
    const size = this.packedBytes();
    if (size === 0) {
      return keyspace.putLarge(
        db,
        key,
        offset,
        length,
        existing,
        TYPE_ZSET,
        ENC_SKIPLIST,
        large,
        false,
      );
    }
    this.pack(size);
    this.discard();
    return keyspace.putBytes(
      db,
      key,
      offset,
      length,
      existing,
      TYPE_ZSET,
      ENC_LISTPACK,
      buffer,
      0,
      size,
      false,
    );
  }

  /** Forgets the zset, which is not wanted any more. */
  discard(): void {
    while (this.large.release(RELEASE_STEP));
  }

  /** Bytes of the listpack that would hold the elements, 0 when none may. */
  private packedBytes(): number {
    const { limits } = this.keyspace;
    const { large } = this;
    if (large.count > limits.zsetMaxListpackEntries) return 0;
    let total = LP_EMPTY_BYTES;
    cursor.startView(this.view, 0, false);
    while (cursor.next()) {
      const { bytes, length, offset } = cursor.member;
      if (length > limits.zsetMaxListpackValue) return 0;
      total += pairBytes(bytes, offset, length, cursor.score);
    }
    return total <= LISTPACK_BYTES_MAX ? total : 0;
  }

  private pack(size: number): void {
    if (buffer.length < size || buffer.length > KEPT_ROOM) {
      buffer = new Uint8Array(Math.max(FIRST_ROOM, size));
    }
    lpInit(buffer, 0);
    cursor.startView(this.view, 0, false);
    while (cursor.next()) {
      const { bytes, length, offset } = cursor.member;
      packInsertAt(buffer, 0, 0, bytes, offset, length, cursor.score);
    }
    if (lpBytes(buffer, 0) !== size) throw new Error('zset builder: a listpack of another size');
  }
}
