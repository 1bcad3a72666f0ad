/**
 * Hashes in an RDB.
 *
 *     type 4    n, n (field, value)        a table; in version 9 a compact hash as well
 *     type 16   one string: a listpack     a compact hash, since version 10
 *     type 13   one string: a ziplist      what servers from 2.6 to 6.2 wrote
 *     type 9    one string: a zipmap       what servers before 2.6 wrote
 *     types 22 to 25                       fields that may expire, see rdb-hash-expiry.ts
 *
 * What is loaded becomes a listpack or a table as the limits of this server say: one that comes as
 * a listpack or ziplist by its number of fields alone, like everything that Redis loads.
 *
 * Bytes from outside are never believed: a compact hash is walked whole before it is taken, and a
 * field that comes twice is an error: what loads must load again when it was saved as a table.
 */
import type { Database } from '../../core/database.ts';
import type { Keyspace } from '../../core/keyspace.ts';
import { ElementView } from '../../core/types/element-view.ts';
import { hashIsLarge, tableOfPairs } from '../../core/types/hash.ts';
import { HashBuilder } from '../../core/types/hash-builder.ts';
import { HashCursor } from '../../core/types/hash-cursor.ts';
import { lpDistinct } from '../../core/types/listpack-distinct.ts';
import { ByteView, ENC_HASHTABLE, ENC_LISTPACK, TYPE_HASH } from '../../core/value.ts';
import { emitCompact, pairsIn, putCompact } from './rdb-compact.ts';
import { RDB_HASH, RDB_HASH_LISTPACK, RDB_HASH_ZIPMAP } from './rdb-format.ts';
import type { FrameWriter } from './rdb-frame-writer.ts';
import { readExpiringHash } from './rdb-hash-expiry.ts';
import type { RdbReader } from './rdb-reader.ts';
import type { TableLoad } from './rdb-table.ts';
import { ZiplistReader } from './ziplist.ts';
import { ZipmapReader } from './zipmap.ts';

const cursor = new HashCursor();
const builder = new HashBuilder();
const ziplist = new ZiplistReader();
const zipmap = new ZipmapReader();
const view = new ByteView();
const field = new ElementView();
const value = new ElementView();

const TWICE = 'a field twice in a hash';

// ---------------------------------------------------------------- writing

/** The type byte under which a hash is written. */
export function hashTypeByte(keyspace: Keyspace, address: number, version: number): number {
  return version >= 10 && !hashIsLarge(keyspace, address) ? RDB_HASH_LISTPACK : RDB_HASH;
}

/** Writes a hash as its type byte promises. */
export function emitHash(
  keyspace: Keyspace,
  address: number,
  version: number,
  writer: FrameWriter,
): void {
  if (hashTypeByte(keyspace, address, version) === RDB_HASH_LISTPACK) {
    emitCompact(keyspace, address, writer);
    return;
  }
  cursor.start(keyspace, address);
  writer.length(cursor.count);
  while (cursor.next()) {
    writer.string(cursor.field.bytes, cursor.field.offset, cursor.field.length);
    writer.string(cursor.value.bytes, cursor.value.offset, cursor.value.length);
  }
}

// ---------------------------------------------------------------- reading

/**
 * Reads a hash of one of the types above and stores it under a key that does not exist. Returns the
 * entry's address, 0 for a hash without fields, of which nothing is stored.
 */
export function decodeHash(
  keyspace: Keyspace,
  reader: RdbReader,
  tables: TableLoad,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
  type: number,
): number {
  if (type === RDB_HASH) {
    const count = reader.length();
    if (count === 0) return 0;
    builder.start(keyspace, count);
    const isTable = count > keyspace.limits.hashMaxListpackEntries;
    tables.build(builder, count, true, isTable, addRead);
    return builder.store(db, key, offset, length);
  }
  reader.string(view);
  if (type === RDB_HASH_LISTPACK) return storeListpack(keyspace, reader, db, key, offset, length);
  const isZipmap = type === RDB_HASH_ZIPMAP;
  const { bytes, length: size, offset: from } = view;
  const isSound = isZipmap ? zipmap.open(bytes, from, size) : ziplist.open(bytes, from, size);
  if (!isSound || (!isZipmap && ziplist.count % 2 !== 0)) {
    throw reader.fail(`a damaged ${isZipmap ? 'zipmap' : 'ziplist'} of a hash`);
  }
  const count = isZipmap ? zipmap.count : ziplist.count >>> 1;
  const read = isZipmap ? takeZipmap : takeZiplist;
  return build(keyspace, reader, db, key, offset, length, count, read);
}

/**
 * The same for the types whose fields may expire (rdb-hash-expiry.ts). `version` is the file's.
 */
export function decodeExpiringHash(
  keyspace: Keyspace,
  reader: RdbReader,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
  type: number,
  version: number,
): number {
  try {
    const count = readExpiringHash(keyspace, reader, builder, type, version);
    if (count > 0) return builder.store(db, key, offset, length);
  } catch (error) {
    builder.discard();
    throw error;
  }
  builder.discard();
  return 0;
}

/** Brings the fields of an old compact form into the builder; false when one comes twice. */
type Filler = () => boolean;

function build(
  keyspace: Keyspace,
  reader: RdbReader,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
  count: number,
  fill: Filler,
): number {
  if (count === 0) return 0;
  builder.start(keyspace, count);
  try {
    if (!fill()) throw reader.fail(TWICE);
  } catch (error) {
    builder.discard();
    throw error;
  }
  return builder.store(db, key, offset, length);
}

function addRead({ field: { bytes, length }, value }: TableLoad): boolean {
  return builder.add(bytes, 0, length, value.bytes, value.offset, value.length);
}

function takeZiplist(): boolean {
  while (ziplist.next(field)) {
    ziplist.next(value);
    if (!addPair()) return false;
  }
  return true;
}

function takeZipmap(): boolean {
  while (zipmap.next(field, value)) if (!addPair()) return false;
  return true;
}

function addPair(): boolean {
  return builder.add(
    field.bytes,
    field.offset,
    field.length,
    value.bytes,
    value.offset,
    value.length,
  );
}

/** Stores the listpack in `view` as it is, or as a table when it has too many fields. */
function storeListpack(
  keyspace: Keyspace,
  reader: RdbReader,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
): number {
  const { bytes, offset: from } = view;
  const count = pairsIn(view, reader, 'a hash');
  if (!lpDistinct(bytes, from, 2)) throw reader.fail(TWICE);
  if (count === 0) return 0;
  if (count > keyspace.limits.hashMaxListpackEntries) {
    const table = tableOfPairs(keyspace, bytes, from);
    return keyspace.putLarge(db, key, offset, length, 0, TYPE_HASH, ENC_HASHTABLE, table, false);
  }
  return putCompact(keyspace, db, key, offset, length, TYPE_HASH, ENC_LISTPACK, view);
}
