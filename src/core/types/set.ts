/**
 * Sets: the value API.
 *
 *     intset     sorted integers (struct/intset.ts), up to `set-max-intset-entries`
 *     listpack   members in the order in which they came (struct/listpack.ts), up to
 *                `set-max-listpack-entries` of at most `set-max-listpack-value` bytes
 *     hashtable  a large collection (hash-table.ts)
 *
 * Looking at a set is a matter of SetView and SetCursor (set-view.ts); here is what changes one.
 *
 * Functions return the set's address, which may be a new one; whether a member was new, or was
 * there to be removed, is in `setChange`. Callers have come through `lookupWrite`. A set that has
 * been emptied is the caller's to remove: there is no empty set.
 */
import type { Database } from '../database.ts';
import type { Keyspace } from '../keyspace.ts';
import {
  INTSET_HEAD_BYTES,
  intsetAdd,
  intsetBytes,
  intsetGrown,
  intsetInit,
  intsetRemoveAt,
} from '../struct/intset.ts';
import { lpBytes, lpDelete, lpEntryBytes } from '../struct/listpack.ts';
import { ENC_HASHTABLE, ENC_INTSET, ENC_LISTPACK, setEncoding, TYPE_SET } from '../value.ts';
import { growValue, listpackAppend, listpackCreate } from './compact.ts';
import { HashTable } from './hash-table.ts';
import { int64Words, readInt64 } from './int64-words.ts';
import {
  encodingWith,
  firstEncoding,
  listpackBytesOf,
  tableOf,
  writeListpackOf,
} from './set-encoding.ts';
import { SetView } from './set-view.ts';

/** What the last `setAdd` or `setRemove` did: the member was new, or was there to be removed. */
export const setChange = { happened: false };

const view = new SetView();
/** An intset of more integers becomes a table in steps. */
const INTSET_AT_ONCE_MAX = 2048;
const EMPTY_INTSET = new Uint8Array(INTSET_HEAD_BYTES);
intsetInit(EMPTY_INTSET, 0);

/** Number of members. */
export function setLength(keyspace: Keyspace, address: number): number {
  view.open(keyspace, address);
  return view.count;
}

/** Whether the set has a member. */
export function setHas(
  keyspace: Keyspace,
  address: number,
  member: Uint8Array,
  offset: number,
  length: number,
): boolean {
  view.open(keyspace, address);
  return view.find(member, offset, length) !== 0;
}

/**
 * Adds a key with an empty set that suits a first member; `room` bytes of listpack entries will be
 * added at once. Returns its address.
 */
export function setCreate(
  keyspace: Keyspace,
  db: Database,
  key: Uint8Array,
  keyOffset: number,
  keyLength: number,
  first: Uint8Array,
  firstOffset: number,
  firstLength: number,
  room: number,
): number {
  const isInteger = readInt64(first, firstOffset, firstLength);
  const encoding = firstEncoding(keyspace.limits, isInteger);
  if (encoding === ENC_LISTPACK) {
    return listpackCreate(keyspace, db, key, keyOffset, keyLength, TYPE_SET, room);
  }
  if (encoding === ENC_INTSET) {
    return keyspace.putBytes(
      db,
      key,
      keyOffset,
      keyLength,
      0,
      TYPE_SET,
      ENC_INTSET,
      EMPTY_INTSET,
      0,
      INTSET_HEAD_BYTES,
      false,
    );
  }
  const table = new HashTable(keyspace.arena, keyspace.seed);
  return keyspace.putLarge(db, key, keyOffset, keyLength, 0, TYPE_SET, encoding, table, false);
}

/** Adds a member; `setChange` tells whether it is new. Returns the set's address. */
export function setAdd(
  keyspace: Keyspace,
  db: Database,
  address: number,
  member: Uint8Array,
  offset: number,
  length: number,
): number {
  view.open(keyspace, address);
  if (view.table !== null) {
    setChange.happened = view.table.add(member, offset, length);
    return address;
  }
  setChange.happened = view.find(member, offset, length) === 0;
  if (!setChange.happened) return address;
  const isInteger = view.encoding === ENC_INTSET && readInt64(member, offset, length);
  const encoding = encodingWith(view, keyspace.limits, isInteger, length);
  let at = address;
  if (encoding !== view.encoding) at = convert(keyspace, db, at, encoding);
  if (encoding === ENC_INTSET) {
    const grown = intsetGrown(view.bytes, view.base, int64Words.low, int64Words.high);
    at = growValue(keyspace, db, at, grown - keyspace.valueLength(at));
    view.open(keyspace, at);
    intsetAdd(view.bytes, view.base, int64Words.low, int64Words.high);
  } else if (encoding !== ENC_HASHTABLE) {
    at = growValue(keyspace, db, at, lpEntryBytes(member, offset, length));
    listpackAppend(keyspace, at, member, offset, length);
  } else {
    (keyspace.largeOf(at) as HashTable).add(member, offset, length);
  }
  return at;
}

/** Removes a member; `setChange` tells whether there was one. Returns the set's address. */
export function setRemove(
  keyspace: Keyspace,
  db: Database,
  address: number,
  member: Uint8Array,
  offset: number,
  length: number,
): number {
  view.open(keyspace, address);
  if (view.table !== null) {
    setChange.happened = view.table.remove(member, offset, length);
    return address;
  }
  const ref = view.find(member, offset, length);
  setChange.happened = ref !== 0;
  return ref === 0 ? address : setRemoveRef(keyspace, db, address, ref);
}

/** Removes the member with this ref. Returns the set's address. */
export function setRemoveRef(
  keyspace: Keyspace,
  db: Database,
  address: number,
  ref: number,
): number {
  view.open(keyspace, address);
  const { base, bytes, table } = view;
  if (table !== null) {
    table.removeEntry(ref);
    return address;
  }
  if (view.encoding === ENC_INTSET) {
    intsetRemoveAt(bytes, base, ref - 1);
    return keyspace.resizeValue(db, address, intsetBytes(bytes, base), 0);
  }
  lpDelete(bytes, base, ref, 1);
  return keyspace.resizeValue(db, address, lpBytes(bytes, base), 0);
}

/** Gives a compact set another encoding. Returns its address. */
function convert(keyspace: Keyspace, db: Database, address: number, encoding: number): number {
  const { arena } = keyspace;
  const key = arena.bytes(address);
  const offset = keyspace.keyOffset(address);
  const length = keyspace.keyLength(address);
  if (encoding === ENC_HASHTABLE) {
    const table = convertedTable(keyspace);
    return keyspace.putLarge(db, key, offset, length, address, TYPE_SET, encoding, table, true);
  }
  if (view.encoding !== ENC_INTSET) {
    setEncoding(arena, address, encoding);
    return address;
  }
  const bytes = new Uint8Array(listpackBytesOf(view));
  writeListpackOf(view, bytes, 0);
  return keyspace.putBytes(
    db,
    key,
    offset,
    length,
    address,
    TYPE_SET,
    encoding,
    bytes,
    0,
    bytes.length,
    true,
  );
}

/**
 * The table that the compact set in view becomes. What is in a large intset comes into it in the
 * turns that follow: 200,000 integers take 50 ms.
 */
function convertedTable(keyspace: Keyspace): HashTable {
  const { arena, seed } = keyspace;
  const inSteps = view.encoding === ENC_INTSET && view.count > INTSET_AT_ONCE_MAX;
  if (!inSteps) return tableOf(view, arena, seed);
  const table = new HashTable(arena, seed);
  table.await(view.bytes, view.base);
  keyspace.settleLater(table);
  return table;
}
