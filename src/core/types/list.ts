/**
 * Lists: the value API.
 *
 *     listpack    all elements in one listpack (struct/listpack.ts), the value of the entry itself
 *     quicklist   a large collection (struct/quicklist.ts)
 *
 * A listpack becomes a quicklist when what is to be added would make it larger than one node may
 * be, by `list-max-listpack-size`. A quicklist that has shrunk to one node of at most half that
 * becomes a listpack again; half, so that a list at the limit does not go to and fro.
 *
 * Functions return the list's address, which may be a new one. Callers of those that change one
 * have come through `lookupWrite`. Values are borrowed, and must not lie in the list itself. A list
 * that has been emptied is the caller's to remove: there is no empty list.
 *
 * Looking at the elements is a matter of ListCursor (list-cursor.ts).
 */
import type { Database } from '../database.ts';
import type { Keyspace } from '../keyspace.ts';
import { DirectoryPath } from '../struct/directory-path.ts';
import {
  LP_EMPTY_BYTES,
  LP_HEAD_BYTES,
  lpBytes,
  lpCount,
  lpDelete,
  lpEntryBytes,
  lpEntryLength,
  lpInsert,
  lpInsertMeasured,
  lpReplace,
  lpSeek,
} from '../struct/listpack.ts';
import { deleteBackward, deleteForward } from '../struct/listpack-delete.ts';
import { Quicklist } from '../struct/quicklist.ts';
import { exceedsFill, fitsListpack } from '../struct/quicklist-limits.ts';
import { NODE_PLAIN, NodeReader } from '../struct/quicklist-node.ts';
import { ENC_LISTPACK, ENC_QUICKLIST, encodingOf, TYPE_LIST } from '../value.ts';
import { growValue, listpackCreate } from './compact.ts';

/** How many elements the last `listDeleteEqual` took out. */
export const listChange = { count: 0 };

const path = new DirectoryPath();
const reader = new NodeReader();

/** The quicklist of a large list, else null. */
export function listQuicklist(keyspace: Keyspace, address: number): Quicklist | null {
  if (encodingOf(keyspace.arena, address) !== ENC_QUICKLIST) return null;
  return keyspace.largeOf(address) as Quicklist;
}

/** Number of elements. */
export function listLength(keyspace: Keyspace, address: number): number {
  const list = listQuicklist(keyspace, address);
  if (list !== null) return list.count;
  return lpCount(keyspace.arena.bytes(keyspace.valueBlock(address)), keyspace.valueOffset(address));
}

/**
 * Adds a key with an empty list, to which `count` elements of `bytes` bytes together will be added
 * at once. Returns its address.
 */
export function listCreate(
  keyspace: Keyspace,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
  bytes: number,
  count: number,
): number {
  const { arena, limits } = keyspace;
  if (!exceedsFill(limits.listMaxListpackSize, LP_EMPTY_BYTES + bytes, count)) {
    const room = bytes + count * 2;
    return listpackCreate(keyspace, db, key, offset, length, TYPE_LIST, room);
  }
  const list = new Quicklist(arena, limits);
  return keyspace.putLarge(db, key, offset, length, 0, TYPE_LIST, ENC_QUICKLIST, list, false);
}

/**
 * Must be called before `count` elements of `bytes` bytes together are added. Returns the list's
 * address.
 */
export function listGrow(
  keyspace: Keyspace,
  db: Database,
  address: number,
  bytes: number,
  count: number,
): number {
  const { arena, limits } = keyspace;
  if (encodingOf(arena, address) === ENC_QUICKLIST) return address;
  const block = arena.bytes(keyspace.valueBlock(address));
  const base = keyspace.valueOffset(address);
  const size = lpBytes(block, base);
  const held = lpCount(block, base);
  if (!exceedsFill(limits.listMaxListpackSize, size + bytes, held + count)) return address;
  const list = new Quicklist(arena, limits);
  if (held > 0) list.appendListpack(block, base, size, held);
  const key = arena.bytes(address);
  const offset = keyspace.keyOffset(address);
  const length = keyspace.keyLength(address);
  return keyspace.putLarge(db, key, offset, length, address, TYPE_LIST, ENC_QUICKLIST, list, true);
}

/** Must be called after elements have gone. Returns the list's address. */
export function listShrink(keyspace: Keyspace, db: Database, address: number): number {
  return listConvert(keyspace, db, address, true);
}

/**
 * Makes a listpack of a quicklist that is small enough, by half the limit when `shrinking`. Returns
 * the list's address.
 */
export function listConvert(
  keyspace: Keyspace,
  db: Database,
  address: number,
  shrinking: boolean,
): number {
  const list = listQuicklist(keyspace, address);
  if (list === null || !isListpackLike(keyspace, list, shrinking)) return address;
  reader.open(keyspace.arena, path);
  return keyspace.putBytes(
    db,
    keyspace.arena.bytes(address),
    keyspace.keyOffset(address),
    keyspace.keyLength(address),
    address,
    TYPE_LIST,
    ENC_LISTPACK,
    reader.bytes,
    reader.base,
    path.bytes,
    true,
  );
}

/**
 * Puts a list that was made beside the keyspace, and is not empty, behind a key that does not
 * exist, as a listpack if it is small. Returns the entry's address.
 */
export function listStore(
  keyspace: Keyspace,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
  list: Quicklist,
): number {
  if (!isListpackLike(keyspace, list, false)) {
    return keyspace.putLarge(db, key, offset, length, 0, TYPE_LIST, ENC_QUICKLIST, list, false);
  }
  reader.open(keyspace.arena, path);
  const address = keyspace.putBytes(
    db,
    key,
    offset,
    length,
    0,
    TYPE_LIST,
    ENC_LISTPACK,
    reader.bytes,
    reader.base,
    path.bytes,
    false,
  );
  list.release(1);
  return address;
}

/** Whether a quicklist is one node that may be a listpack; the path then stands on it. */
function isListpackLike(keyspace: Keyspace, list: Quicklist, shrinking: boolean): boolean {
  if (list.nodeCount !== 1) return false;
  const fill = keyspace.limits.listMaxListpackSize;
  const open = list.nodes.ends.head;
  if (open !== null && !fitsListpack(fill, open.size, open.count, shrinking)) return false;
  list.nodes.directory.first(path);
  if ((path.kind & NODE_PLAIN) !== 0) return false;
  return fitsListpack(fill, path.bytes, path.count, shrinking);
}

/** Adds an element at one end, after `listGrow`. Returns the list's address. */
export function listPush(
  keyspace: Keyspace,
  db: Database,
  address: number,
  value: Uint8Array,
  offset: number,
  length: number,
  atHead: boolean,
): number {
  const list = listQuicklist(keyspace, address);
  if (list !== null) {
    list.push(value, offset, length, atHead);
    return address;
  }
  const at = growValue(keyspace, db, address, lpEntryBytes(value, offset, length));
  const bytes = keyspace.arena.bytes(keyspace.valueBlock(at));
  const base = keyspace.valueOffset(at);
  const position = atHead ? LP_HEAD_BYTES : lpBytes(bytes, base) - 1;
  lpInsertMeasured(bytes, base, position, value, offset, length);
  return at;
}

/**
 * Adds an element in front of the one with this index, or behind it, after `listGrow`. Returns the
 * list's address.
 */
export function listInsert(
  keyspace: Keyspace,
  db: Database,
  address: number,
  index: number,
  behind: boolean,
  value: Uint8Array,
  offset: number,
  length: number,
): number {
  const list = listQuicklist(keyspace, address);
  if (list !== null) {
    list.insert(index, behind, value, offset, length);
    return address;
  }
  const at = growValue(keyspace, db, address, lpEntryBytes(value, offset, length));
  const bytes = keyspace.arena.bytes(keyspace.valueBlock(at));
  const base = keyspace.valueOffset(at);
  let position = lpSeek(bytes, base, index);
  if (behind) position += lpEntryLength(bytes, base + position);
  lpInsert(bytes, base, position, value, offset, length);
  return at;
}

/** Replaces the element with this index, after `listGrow`. Returns the list's address. */
export function listSet(
  keyspace: Keyspace,
  db: Database,
  address: number,
  index: number,
  value: Uint8Array,
  offset: number,
  length: number,
): number {
  const list = listQuicklist(keyspace, address);
  if (list !== null) {
    list.set(index, value, offset, length);
    return address;
  }
  let bytes = keyspace.arena.bytes(keyspace.valueBlock(address));
  let base = keyspace.valueOffset(address);
  const position = lpSeek(bytes, base, index);
  const old = lpEntryLength(bytes, base + position);
  const growth = lpEntryBytes(value, offset, length) - old;
  const at = growValue(keyspace, db, address, Math.max(growth, 0));
  bytes = keyspace.arena.bytes(keyspace.valueBlock(at));
  base = keyspace.valueOffset(at);
  lpReplace(bytes, base, position, value, offset, length);
  return growth < 0 ? keyspace.resizeValue(db, at, lpBytes(bytes, base), 0) : at;
}

/**
 * Takes out `count` elements from index `start` on, all of which exist. Returns the list's address.
 */
export function listDelete(
  keyspace: Keyspace,
  db: Database,
  address: number,
  start: number,
  count: number,
): number {
  const list = listQuicklist(keyspace, address);
  if (list !== null) {
    list.deleteRange(start, count, keyspace);
    return address;
  }
  const bytes = keyspace.arena.bytes(keyspace.valueBlock(address));
  const base = keyspace.valueOffset(address);
  lpDelete(bytes, base, lpSeek(bytes, base, start), count);
  return keyspace.resizeValue(db, address, lpBytes(bytes, base), 0);
}

/**
 * Takes out up to `most` elements equal to a value, from the head or the tail on; how many there
 * were is in `listChange`. Returns the list's address.
 */
export function listDeleteEqual(
  keyspace: Keyspace,
  db: Database,
  address: number,
  value: Uint8Array,
  offset: number,
  length: number,
  most: number,
  fromTail: boolean,
): number {
  const list = listQuicklist(keyspace, address);
  if (list !== null) {
    listChange.count = list.deleteEqual(value, offset, length, most, fromTail);
    return address;
  }
  const bytes = keyspace.arena.bytes(keyspace.valueBlock(address));
  const base = keyspace.valueOffset(address);
  listChange.count = fromTail
    ? deleteBackward(bytes, base, value, offset, length, most)
    : deleteForward(bytes, base, value, offset, length, most);
  if (listChange.count === 0) return address;
  return keyspace.resizeValue(db, address, lpBytes(bytes, base), 0);
}
