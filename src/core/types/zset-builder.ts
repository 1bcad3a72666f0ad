/**
 * A zset that is being built beside the keyspace, from a file.
 *
 *     const builder = new ZsetBuilder(keyspace);
 *     builder.large.add(...)
 *     builder.store(db, key, keyOffset, keyLength, existing)      or   builder.discard()
 *
 * It is built large; what fits the limits (zset-encoding.ts) is stored as a listpack, as Redis
 * does with such results.
 */
import type { Database } from '../database.ts';
import type { Keyspace } from '../keyspace.ts';
import { lpBytes, lpInit } from '../struct/listpack.ts';
import { ENC_SKIPLIST, TYPE_ZSET } from '../value.ts';
import { ZsetFit } from './zset-encoding.ts';
import { LargeZset } from './zset-large.ts';
import { packInsertAt } from './zset-pack.ts';
import { ZsetCursor, ZsetView } from './zset-view.ts';

const RELEASE_STEP = 1 << 20;
const FIRST_ROOM = 4096;
/** A buffer that grew past this is not kept. */
const KEPT_ROOM = 1 << 20;

const cursor = new ZsetCursor();
const fit = new ZsetFit();
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
    const encoding = this.encoding();
    if (encoding === ENC_SKIPLIST) {
      return keyspace.putLarge(
        db,
        key,
        offset,
        length,
        existing,
        TYPE_ZSET,
        encoding,
        large,
        false,
      );
    }
    const size = this.pack();
    this.discard();
    return keyspace.putBytes(
      db,
      key,
      offset,
      length,
      existing,
      TYPE_ZSET,
      encoding,
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

  /** The encoding that fits. */
  private encoding(): number {
    const { limits } = this.keyspace;
    if (this.large.count > limits.zsetMaxListpackEntries) return ENC_SKIPLIST;
    fit.start();
    cursor.startView(this.view, 0, false);
    while (cursor.next()) fit.add(cursor.member, cursor.score);
    return fit.encoding(limits);
  }

  /** Packs the elements into the buffer. Returns how many bytes they take. */
  private pack(): number {
    const size = fit.bytes;
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
    return size;
  }
}
