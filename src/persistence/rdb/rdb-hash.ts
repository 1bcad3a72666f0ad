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
 * a listpack or ziplist by its number of fields alone, like everything that Redis loads. A large
 * zipmap (rdb-packed.ts) has more or longer strings than they allow.
 *
 * Bytes from outside are never believed: a compact hash is walked whole before it is taken, and a
 * field that comes twice is an error: what loads must load again when it was saved as a table.
 */
import type { Database } from '../../core/database.ts';
import type { Keyspace } from '../../core/keyspace.ts';
import { ElementView } from '../../core/types/element-view.ts';
import { tableOfPairs } from '../../core/types/hash.ts';
import { HashBuilder } from '../../core/types/hash-builder.ts';
import { HashCursor } from '../../core/types/hash-cursor.ts';
import { lpDistinct } from '../../core/types/listpack-distinct.ts';
import { ByteView, ENC_HASHTABLE, ENC_LISTPACK, encodingOf, TYPE_HASH } from '../../core/value.ts';
import { ListpackForm } from './packed-forms.ts';
import {
  arePairs,
  type CompactKind,
  countPairs,
  emitCompact,
  type PackedKind,
  storeCompact,
} from './rdb-compact.ts';
import { RDB_HASH, RDB_HASH_LISTPACK, RDB_HASH_ZIPMAP } from './rdb-format.ts';
import type { FrameWriter } from './rdb-frame-writer.ts';
import { readExpiringHash } from './rdb-hash-expiry.ts';
import type { PackedLoad } from './rdb-packed.ts';
import type { RdbReader } from './rdb-reader.ts';
import type { TableLoad } from './rdb-table.ts';
import { TableTaker } from './rdb-taker.ts';
import { ZiplistReader } from './ziplist.ts';
import { ZipmapReader } from './zipmap.ts';

const cursor = new HashCursor();
const builder = new HashBuilder();
const zipmap = new ZipmapReader();
const view = new ByteView();
const field = new ElementView();
const value = new ElementView();

const TWICE = 'a field twice in a hash';

// ---------------------------------------------------------------- writing

/** The type byte under which a hash is written. */
export function hashTypeByte(keyspace: Keyspace, address: number, version: number): number {
  const isListpack = encodingOf(keyspace.arena, address) === ENC_LISTPACK;
  return version >= 10 && isListpack ? RDB_HASH_LISTPACK : RDB_HASH;
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

const LISTPACK: CompactKind = {
  form: () => new ListpackForm(),
  isPair: true,
  type: TYPE_HASH,
  encoding: ENC_LISTPACK,
  largeEncoding: ENC_HASHTABLE,
  damage: 'a damaged listpack of a hash',
  isKept: true,
  most: (limits) => limits.hashMaxListpackEntries,
  fault(bytes, offset, length) {
    if (!arePairs(bytes, offset, length)) return this.damage;
    return lpDistinct(bytes, offset, 2) ? '' : TWICE;
  },
  count: countPairs,
  enlarged: tableOfPairs,
  grow: (keyspace) => new TableTaker(keyspace, true, TWICE),
};

const ZIPLIST: CompactKind = {
  ...LISTPACK,
  form: () => new ZiplistReader(),
  damage: 'a damaged ziplist of a hash',
  isKept: false,
};

const ZIPMAP: PackedKind = {
  ...ZIPLIST,
  form: () => new ZipmapReader(),
  damage: 'a damaged zipmap of a hash',
};

/**
 * Reads a hash of one of the types above and stores it under a key that does not exist. Returns the
 * entry's address, 0 for a hash without fields, of which nothing is stored.
 */
export function decodeHash(
  keyspace: Keyspace,
  reader: RdbReader,
  tables: TableLoad,
  packed: PackedLoad,
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
  const isLarge = packed.begins(view);
  if (type === RDB_HASH_ZIPMAP) {
    if (isLarge) return packed.start(db, key, offset, length, ZIPMAP, null);
    return storeZipmap(keyspace, reader, db, key, offset, length);
  }
  const kind = type === RDB_HASH_LISTPACK ? LISTPACK : ZIPLIST;
  if (isLarge) return packed.start(db, key, offset, length, kind, kind);
  return storeCompact(keyspace, reader, db, key, offset, length, kind, view);
}

/**
 * Like `decodeHash`, for the types whose fields may expire (rdb-hash-expiry.ts). `version` is the
 * file's.
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

function addRead({ field: { bytes, length }, value }: TableLoad): boolean {
  return builder.add(bytes, 0, length, value.bytes, value.offset, value.length);
}

/** Stores the zipmap in `view` as its fields, one by one, ask for. */
function storeZipmap(
  keyspace: Keyspace,
  reader: RdbReader,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
): number {
  if (!zipmap.open(view.bytes, view.offset, view.length)) throw reader.fail(ZIPMAP.damage);
  if (zipmap.count === 0) return 0;
  builder.start(keyspace, zipmap.count);
  while (zipmap.next(field, value)) {
    if (addPair()) continue;
    builder.discard();
    throw reader.fail(TWICE);
  }
  return builder.store(db, key, offset, length);
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
