/**
 * Hashes: the value API.
 *
 *     listpack   field, value, field, value, ... in the order in which the fields came; the bytes
 *                are the entry's value (struct/listpack.ts)
 *     hashtable  a large collection (hash-table.ts), once there are more than
 *                `hash-max-listpack-entries` fields, or a field or value is longer than
 *                `hash-max-listpack-value`; a small one of these is packed like a listpack
 *                (hash-encoding.ts)
 *
 * A field that is being looked at goes by its `ref`: the position of the field in a listpack, or
 * the address of its entry in a table. Refs are greater than 0 and hold until the hash changes.
 *
 * Functions that change a hash return its address, which may be a new one; whether a field was new,
 * or was there to be removed, is in `hashChange`. Callers have come through `lookupWrite`. A hash
 * that has been emptied is the caller's to remove: there is no empty hash.
 */
import type { Database } from '../database.ts';
import type { Keyspace } from '../keyspace.ts';
import { LateEntries } from '../late-entries.ts';
import {
  lpBytes,
  lpCount,
  lpDelete,
  lpEntryBytes,
  lpEntryLength,
  lpFirst,
  lpNext,
  lpReplace,
} from '../struct/listpack.ts';
import { lpFind } from '../struct/listpack-find.ts';
import { ENC_HASHTABLE, encodingOf, setEncoding, TYPE_HASH } from '../value.ts';
import { growValue, listpackAppend, listpackCreate } from './compact.ts';
import { ElementView } from './element-view.ts';
import { hashEncoding } from './hash-encoding.ts';
import { HashTable } from './hash-table.ts';

/** What the last `hashSet` or `hashDelete` did: the field was new, or was there to be removed. */
export const hashChange = { happened: false };

const field = new ElementView();
const value = new ElementView();
const late = new LateEntries();

/** Whether the hash is a large collection. */
export function hashIsLarge(keyspace: Keyspace, address: number): boolean {
  return encodingOf(keyspace.arena, address) === ENC_HASHTABLE;
}

/** The table of a large hash. */
export function hashTable(keyspace: Keyspace, address: number): HashTable {
  return keyspace.largeOf(address) as HashTable;
}

/** Number of fields. */
export function hashLength(keyspace: Keyspace, address: number): number {
  if (hashIsLarge(keyspace, address)) return hashTable(keyspace, address).count;
  const bytes = keyspace.arena.bytes(keyspace.valueBlock(address));
  return lpCount(bytes, keyspace.valueOffset(address)) >>> 1;
}

// ---------------------------------------------------------------- looking

/** The ref of a field, 0 when there is none. */
export function hashFind(
  keyspace: Keyspace,
  address: number,
  name: Uint8Array,
  offset: number,
  length: number,
): number {
  if (hashIsLarge(keyspace, address)) {
    return hashTable(keyspace, address).find(name, offset, length);
  }
  const bytes = keyspace.arena.bytes(keyspace.valueBlock(address));
  const base = keyspace.valueOffset(address);
  return lpFind(bytes, base, lpFirst(bytes, base), name, offset, length, 1);
}

/** Shows the value of the field with this ref. */
function hashValue(keyspace: Keyspace, address: number, ref: number, view: ElementView): void {
  if (hashIsLarge(keyspace, address)) {
    hashTable(keyspace, address).showValue(ref, view);
    return;
  }
  const bytes = keyspace.arena.bytes(keyspace.valueBlock(address));
  const base = keyspace.valueOffset(address);
  view.showListpack(bytes, base, lpNext(bytes, base, ref));
}

/** Shows the value of a field; false when there is none. */
export function hashGet(
  keyspace: Keyspace,
  address: number,
  name: Uint8Array,
  offset: number,
  length: number,
  view: ElementView,
): boolean {
  const ref = hashFind(keyspace, address, name, offset, length);
  if (ref === 0) return false;
  hashValue(keyspace, address, ref, view);
  return true;
}

// ---------------------------------------------------------------- changing

/**
 * Adds a key with an empty hash, to which `room` bytes of listpack entries will be added at once.
 * Returns its address.
 */
export function hashCreate(
  keyspace: Keyspace,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
  room: number,
): number {
  return listpackCreate(keyspace, db, key, offset, length, TYPE_HASH, room);
}

/** Sets a field to a value; `hashChange` tells whether it is new. Returns the hash's address. */
export function hashSet(
  keyspace: Keyspace,
  db: Database,
  address: number,
  name: Uint8Array,
  nameOffset: number,
  nameLength: number,
  text: Uint8Array,
  textOffset: number,
  textLength: number,
): number {
  let at = address;
  const now = encodingOf(keyspace.arena, at);
  if (now !== ENC_HASHTABLE) {
    const bytes = keyspace.arena.bytes(keyspace.valueBlock(at));
    const base = keyspace.valueOffset(at);
    const found = lpFind(bytes, base, lpFirst(bytes, base), name, nameOffset, nameLength, 1);
    const count = (lpCount(bytes, base) >>> 1) + (found === 0 ? 1 : 0);
    const more =
      (found === 0 ? lpEntryBytes(name, nameOffset, nameLength) : 0) +
      lpEntryBytes(text, textOffset, textLength);
    const size = lpBytes(bytes, base) + more;
    const longest = Math.max(nameLength, textLength);
    const encoding = hashEncoding(keyspace.limits, now, count, size, longest);
    if (encoding !== ENC_HASHTABLE) {
      if (encoding !== now) setEncoding(keyspace.arena, at, encoding);
      hashChange.happened = found === 0;
      if (found !== 0) return replace(keyspace, db, at, found, text, textOffset, textLength);
      at = growValue(keyspace, db, at, more);
      listpackAppend(keyspace, at, name, nameOffset, nameLength);
      listpackAppend(keyspace, at, text, textOffset, textLength);
      return at;
    }
    at = hashToTable(keyspace, db, at);
  }
  const table = hashTable(keyspace, at);
  hashChange.happened = table.set(name, nameOffset, nameLength, text, textOffset, textLength);
  return at;
}

/** Removes a field; `hashChange` tells whether there was one. Returns the hash's address. */
export function hashDelete(
  keyspace: Keyspace,
  db: Database,
  address: number,
  name: Uint8Array,
  offset: number,
  length: number,
): number {
  if (hashIsLarge(keyspace, address)) {
    hashChange.happened = hashTable(keyspace, address).remove(name, offset, length);
    return address;
  }
  const bytes = keyspace.arena.bytes(keyspace.valueBlock(address));
  const base = keyspace.valueOffset(address);
  const found = lpFind(bytes, base, lpFirst(bytes, base), name, offset, length, 1);
  hashChange.happened = found !== 0;
  if (found === 0) return address;
  lpDelete(bytes, base, found, 2);
  return keyspace.resizeValue(db, address, lpBytes(bytes, base), 0);
}

/** Makes a listpack a table, whatever its size. Returns the hash's address. */
function hashToTable(keyspace: Keyspace, db: Database, address: number): number {
  const { arena } = keyspace;
  const bytes = arena.bytes(keyspace.valueBlock(address));
  const table = tableOfPairs(keyspace, bytes, keyspace.valueOffset(address));
  return keyspace.putLarge(
    db,
    arena.bytes(address),
    keyspace.keyOffset(address),
    keyspace.keyLength(address),
    address,
    TYPE_HASH,
    ENC_HASHTABLE,
    table,
    true,
  );
}

/** A table of the fields and values of a listpack, with room for one more. */
export function tableOfPairs(keyspace: Keyspace, bytes: Uint8Array, base: number): HashTable {
  const table = new HashTable(keyspace.arena, keyspace.seed);
  table.dict.reserve((lpCount(bytes, base) >>> 1) + 1);
  for (let at = lpFirst(bytes, base); at !== 0; ) {
    field.showListpack(bytes, base, at);
    const next = lpNext(bytes, base, at);
    value.showListpack(bytes, base, next);
    const { length, offset } = field;
    if (late.isFull) table.settle(late);
    table.setLate(late, field.bytes, offset, length, value.bytes, value.offset, value.length);
    at = lpNext(bytes, base, next);
  }
  table.settle(late);
  return table;
}

/** Sets the value behind the field at `found` of a listpack. */
function replace(
  keyspace: Keyspace,
  db: Database,
  address: number,
  found: number,
  text: Uint8Array,
  offset: number,
  length: number,
): number {
  let bytes = keyspace.arena.bytes(keyspace.valueBlock(address));
  let base = keyspace.valueOffset(address);
  const at = lpNext(bytes, base, found);
  const more = lpEntryBytes(text, offset, length) - lpEntryLength(bytes, base + at);
  let entry = address;
  if (more > 0) {
    entry = growValue(keyspace, db, address, more);
    bytes = keyspace.arena.bytes(keyspace.valueBlock(entry));
    base = keyspace.valueOffset(entry);
  }
  lpReplace(bytes, base, at, text, offset, length);
  return more < 0 ? keyspace.resizeValue(db, entry, lpBytes(bytes, base), 0) : entry;
}
