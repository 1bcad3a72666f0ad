/**
 * Integers in hashes, counted up where they lie: a field is looked for once, by `hashFind`, and its
 * value then goes by the ref, without a text in between where a listpack holds it.
 */
import type { Database } from '../database.ts';
import type { Keyspace } from '../keyspace.ts';
import {
  lpBytes,
  lpElement,
  lpEntryLength,
  lpGet,
  lpIntegerBytes,
  lpNext,
  lpReplaceInteger,
} from '../struct/listpack.ts';
import { integerLength, parseInteger, writeInteger } from '../text/integer.ts';
import { growValue, LISTPACK_BYTES_MAX } from './compact.ts';
import { ElementView } from './element-view.ts';
import { hashIsLarge, hashLength, hashTable } from './hash.ts';

const DIGITS_ROOM = 24;

const view = new ElementView();
const digits = new Uint8Array(DIGITS_ROOM);

/** The integer in the field with this ref, as `parseInteger` reads it. */
export function hashNumber(keyspace: Keyspace, address: number, ref: number): number {
  if (hashIsLarge(keyspace, address)) {
    hashTable(keyspace, address).showValue(ref, view);
    return parseInteger(view.bytes, view.offset, view.length);
  }
  const bytes = keyspace.arena.bytes(keyspace.valueBlock(address));
  const base = keyspace.valueOffset(address);
  lpGet(bytes, base, lpNext(bytes, base, ref));
  if (lpElement.isInteger) return lpElement.number;
  return parseInteger(lpElement.bytes, lpElement.offset, lpElement.length);
}

/**
 * Sets the value of the field with this ref, whose name is `fieldLength` long, to a safe integer.
 * False when that asks for more than a change of the value alone: then it is a matter of `hashSet`.
 * The hash may have moved.
 */
export function hashSetNumber(
  keyspace: Keyspace,
  db: Database,
  address: number,
  ref: number,
  fieldLength: number,
  value: number,
): boolean {
  if (hashIsLarge(keyspace, address)) {
    const length = writeInteger(digits, 0, value);
    return hashTable(keyspace, address).setAt(ref, digits, 0, length);
  }
  const { arena, limits } = keyspace;
  const longest = limits.hashMaxListpackValue;
  if (fieldLength > longest || integerLength(value) > longest) return false;
  if (hashLength(keyspace, address) > limits.hashMaxListpackEntries) return false;
  let bytes = arena.bytes(keyspace.valueBlock(address));
  let base = keyspace.valueOffset(address);
  const at = lpNext(bytes, base, ref);
  const more = lpIntegerBytes(value) - lpEntryLength(bytes, base + at);
  if (lpBytes(bytes, base) + more > LISTPACK_BYTES_MAX) return false;
  let entry = address;
  if (more > 0) {
    entry = growValue(keyspace, db, address, more);
    bytes = arena.bytes(keyspace.valueBlock(entry));
    base = keyspace.valueOffset(entry);
  }
  lpReplaceInteger(bytes, base, at, value);
  if (more < 0) keyspace.resizeValue(db, entry, lpBytes(bytes, base), 0);
  return true;
}
