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
import { emitCompact, putCompact } from './rdb-compact.ts';
import { RDB_SET, RDB_SET_INTSET, RDB_SET_LISTPACK } from './rdb-format.ts';
import type { FrameWriter } from './rdb-frame-writer.ts';
import type { RdbReader } from './rdb-reader.ts';
import type { TableLoad } from './rdb-table.ts';

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

/**
 * Reads a set of one of the types above and stores it under a key that does not exist. Returns the
 * entry's address, 0 for a set without members, of which nothing is stored.
 */
export function decodeSet(
  keyspace: Keyspace,
  reader: RdbReader,
  tables: TableLoad,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
  type: number,
): number {
  if (type !== RDB_SET) return storeCompact(keyspace, reader, db, key, offset, length, type);
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

/** Stores an intset or listpack as it is, or as a table when it has too many members. */
function storeCompact(
  keyspace: Keyspace,
  reader: RdbReader,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
  type: number,
): number {
  reader.string(view);
  const isIntset = type === RDB_SET_INTSET;
  checkCompact(reader, isIntset);
  const { bytes, offset: from } = view;
  const { setMaxIntsetEntries, setMaxListpackEntries } = keyspace.limits;
  const count = isIntset ? intsetCount(bytes, from) : lpCount(bytes, from);
  if (count === 0) return 0;
  const encoding = isIntset ? ENC_INTSET : ENC_LISTPACK;
  if (count > (isIntset ? setMaxIntsetEntries : setMaxListpackEntries)) {
    compact.encoding = encoding;
    compact.bytes = bytes;
    compact.base = from;
    const table = tableOf(compact, keyspace.arena, keyspace.seed);
    return keyspace.putLarge(db, key, offset, length, 0, TYPE_SET, ENC_HASHTABLE, table, false);
  }
  return putCompact(keyspace, db, key, offset, length, TYPE_SET, encoding, view);
}

function checkCompact(reader: RdbReader, isIntset: boolean): void {
  const { bytes, length, offset } = view;
  if (isIntset) {
    if (!intsetValid(bytes, offset, length, true)) throw reader.fail('a damaged intset');
    return;
  }
  if (!lpValid(bytes, offset, length, true)) throw reader.fail('a damaged listpack of a set');
  if (!lpDistinct(bytes, offset, 1)) throw reader.fail(TWICE);
}
