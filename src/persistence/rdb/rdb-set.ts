/**
 * Sets in an RDB.
 *
 *     type 2    n, n members              a table; below version 11 a listpack as well
 *     type 11   one string: an intset     a set of few integers
 *     type 20   one string: a listpack    a compact set, since version 11
 *
 * What is loaded becomes an intset, a listpack or a table as the limits of this server say: one
 * that comes in a compact form by its number of members alone, like everything that Redis loads.
 *
 * Bytes from outside are never believed: a compact set is walked whole before it is taken, and a
 * member that comes twice is an error: what loads must load again when it was saved as a table.
 */
import type { Database } from '../../core/database.ts';
import type { Keyspace } from '../../core/keyspace.ts';
import { intsetCount, intsetValid } from '../../core/struct/intset.ts';
import { lpCount } from '../../core/struct/listpack.ts';
import { lpValid } from '../../core/struct/listpack-valid.ts';
import type { HashTable } from '../../core/types/hash-table.ts';
import { lpDistinct } from '../../core/types/listpack-distinct.ts';
import { SetBuilder } from '../../core/types/set-builder.ts';
import { tableOf } from '../../core/types/set-encoding.ts';
import { SetCursor, SetView } from '../../core/types/set-view.ts';
import {
  ByteView,
  ENC_HASHTABLE,
  ENC_INTSET,
  ENC_LISTPACK,
  encodingOf,
  TYPE_SET,
} from '../../core/value.ts';
import { IntsetForm, ListpackForm } from './packed-forms.ts';
import { type CompactKind, emitCompact, storeCompact } from './rdb-compact.ts';
import { RDB_SET, RDB_SET_INTSET, RDB_SET_LISTPACK } from './rdb-format.ts';
import type { FrameWriter } from './rdb-frame-writer.ts';
import type { PackedLoad } from './rdb-packed.ts';
import type { RdbReader } from './rdb-reader.ts';
import type { TableLoad } from './rdb-table.ts';
import { TableTaker } from './rdb-taker.ts';

const cursor = new SetCursor();
const builder = new SetBuilder();
const compact = new SetView();
const view = new ByteView();

const TWICE = 'a member twice in a set';

// ---------------------------------------------------------------- writing

/** The type byte under which a set is written. */
export function setTypeByte(keyspace: Keyspace, address: number, version: number): number {
  const encoding = encodingOf(keyspace.arena, address);
  if (encoding === ENC_INTSET) return RDB_SET_INTSET;
  return encoding === ENC_LISTPACK && version >= 11 ? RDB_SET_LISTPACK : RDB_SET;
}

/** Writes a set as its type byte promises. */
export function emitSet(
  keyspace: Keyspace,
  address: number,
  version: number,
  writer: FrameWriter,
): void {
  if (setTypeByte(keyspace, address, version) !== RDB_SET) {
    emitCompact(keyspace, address, writer);
    return;
  }
  cursor.start(keyspace, address);
  writer.length(cursor.count);
  while (cursor.next()) {
    writer.string(cursor.member.bytes, cursor.member.offset, cursor.member.length);
  }
}

// ---------------------------------------------------------------- reading

const LISTPACK: CompactKind = {
  form: () => new ListpackForm(),
  isPair: false,
  type: TYPE_SET,
  encoding: ENC_LISTPACK,
  largeEncoding: ENC_HASHTABLE,
  damage: 'a damaged listpack of a set',
  isKept: true,
  most: (limits) => limits.setMaxListpackEntries,
  fault(bytes, offset, length) {
    if (!lpValid(bytes, offset, length, true)) return this.damage;
    return lpDistinct(bytes, offset, 1) ? '' : TWICE;
  },
  count: lpCount,
  enlarged: (keyspace, bytes, offset) => enlarged(keyspace, ENC_LISTPACK, bytes, offset),
  grow: (keyspace) => new TableTaker(keyspace, false, TWICE),
};

const INTSET: CompactKind = {
  ...LISTPACK,
  form: () => new IntsetForm(),
  encoding: ENC_INTSET,
  damage: 'a damaged intset',
  most: (limits) => limits.setMaxIntsetEntries,
  fault(bytes, offset, length) {
    return intsetValid(bytes, offset, length, true) ? '' : this.damage;
  },
  count: intsetCount,
  enlarged: (keyspace, bytes, offset) => enlarged(keyspace, ENC_INTSET, bytes, offset),
};

/** A table with the members of a compact set. */
function enlarged(
  { arena, seed }: Keyspace,
  encoding: number,
  bytes: Uint8Array,
  offset: number,
): HashTable {
  compact.encoding = encoding;
  compact.bytes = bytes;
  compact.base = offset;
  return tableOf(compact, arena, seed);
}

/**
 * Reads a set of one of the types above and stores it under a key that does not exist. Returns the
 * entry's address, 0 for a set without members, of which nothing is stored.
 */
export function decodeSet(
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
  if (type !== RDB_SET) {
    const kind = type === RDB_SET_INTSET ? INTSET : LISTPACK;
    if (packed.begins(view)) return packed.start(db, key, offset, length, kind, kind);
    return storeCompact(keyspace, reader, db, key, offset, length, kind, view);
  }
  const count = reader.length();
  if (count === 0) return 0;
  builder.start(keyspace, count);
  const isTable = count > keyspace.limits.setMaxIntsetEntries;
  tables.build(builder, count, false, isTable, addMember);
  return builder.store(db, key, offset, length, 0);
}

function addMember({ value }: TableLoad): boolean {
  return builder.add(value.bytes, value.offset, value.length);
}
