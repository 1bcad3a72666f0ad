/**
 * A hash that is being built beside the keyspace, field by field: from a file, or a payload.
 *
 *     builder.start(keyspace, count);
 *     builder.add(field ..., value ...); ...
 *     builder.store(db, key, keyOffset, keyLength)    or   builder.discard()
 *
 * It is a listpack, in a buffer that the builder keeps, until it outgrows the limits
 * (hash-encoding.ts); a table is handed over to the keyspace as it is.
 */
import type { Database } from '../database.ts';
import type { Keyspace } from '../keyspace.ts';
import { lpBytes, lpCount, lpEntryBytes, lpFirst, lpInit, lpInsert } from '../struct/listpack.ts';
import { lpFind } from '../struct/listpack-find.ts';
import { ENC_HASHTABLE, ENC_LISTPACK, TYPE_HASH } from '../value.ts';
import { tableOfPairs } from './hash.ts';
import { hashEncoding } from './hash-encoding.ts';
import { HashTable } from './hash-table.ts';

const FIRST_ROOM = 4096;
/** A buffer that grew past this is not kept. */
const KEPT_ROOM = 1 << 20;
const RELEASE_STEP = 1 << 20;

export class HashBuilder {
  private keyspace: Keyspace | null = null;
  private bytes = new Uint8Array(FIRST_ROOM);
  private table: HashTable | null = null;
  /** That of what is in the buffer. */
  private encoding = ENC_LISTPACK;

  /** Begins an empty hash that will have `count` fields. */
  start(keyspace: Keyspace, count: number): void {
    this.keyspace = keyspace;
    if (this.bytes.length > KEPT_ROOM) this.bytes = new Uint8Array(FIRST_ROOM);
    lpInit(this.bytes, 0);
    this.encoding = ENC_LISTPACK;
    const large = count > keyspace.limits.hashMaxListpackEntries;
    this.table = large ? new HashTable(keyspace.arena, keyspace.seed) : null;
  }

  /** Adds a field; false when it is there already. */
  add(
    field: Uint8Array,
    fieldOffset: number,
    fieldLength: number,
    value: Uint8Array,
    valueOffset: number,
    valueLength: number,
  ): boolean {
    const fits = this.table === null && this.fits(fieldLength, valueLength);
    if (!fits) {
      const table = this.asTable();
      return table.set(field, fieldOffset, fieldLength, value, valueOffset, valueLength);
    }
    const first = lpFirst(this.bytes, 0);
    if (lpFind(this.bytes, 0, first, field, fieldOffset, fieldLength, 1) !== 0) return false;
    this.append(field, fieldOffset, fieldLength);
    this.append(value, valueOffset, valueLength);
    return true;
  }

  /** Puts the hash, which is not empty, behind a key that does not exist. Returns its address. */
  store(db: Database, key: Uint8Array, offset: number, length: number): number {
    const { bytes, table } = this;
    const keyspace = this.owner;
    this.table = null;
    if (table !== null) {
      const encoding = ENC_HASHTABLE;
      return keyspace.putLarge(db, key, offset, length, 0, TYPE_HASH, encoding, table, false);
    }
    const size = lpBytes(bytes, 0);
    return keyspace.putBytes(
      db,
      key,
      offset,
      length,
      0,
      TYPE_HASH,
      this.encoding,
      bytes,
      0,
      size,
      false,
    );
  }

  /** Forgets the hash, which is not wanted any more. */
  discard(): void {
    const { table } = this;
    this.table = null;
    while (table?.release(RELEASE_STEP));
  }

  private get owner(): Keyspace {
    if (this.keyspace === null) throw new Error('hash builder: start() comes first');
    return this.keyspace;
  }

  private fits(fieldLength: number, valueLength: number): boolean {
    const count = (lpCount(this.bytes, 0) >>> 1) + 1;
    const size = lpBytes(this.bytes, 0) + fieldLength + valueLength;
    const longest = Math.max(fieldLength, valueLength);
    const encoding = hashEncoding(this.owner.limits, this.encoding, count, size, longest);
    if (encoding === ENC_HASHTABLE) return false;
    this.encoding = encoding;
    return true;
  }

  /** The hash, which is a table from now on. */
  asTable(): HashTable {
    this.table ??= tableOfPairs(this.owner, this.bytes, 0);
    return this.table;
  }

  private append(text: Uint8Array, offset: number, length: number): void {
    const end = lpBytes(this.bytes, 0);
    const need = end + lpEntryBytes(text, offset, length);
    if (need > this.bytes.length) {
      const larger = new Uint8Array(need * 2);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    lpInsert(this.bytes, 0, end - 1, text, offset, length);
  }
}
