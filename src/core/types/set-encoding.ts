/**
 * Which encoding a set takes on, and how it gets there.
 *
 *     intset --- a member that is no integer ---> listpack, or hashtable when that is too small
 *     intset --- too many integers ---> hashtable              listpack --- too much ---> hashtable
 *
 * There is no way back: a set that shrinks keeps its encoding. What is a table only because of a
 * long member is packed like a listpack while it is small, as hashes are (hash-encoding.ts).
 */
import type { EncodingLimits } from '../encoding-limits.ts';
import { LateEntries } from '../late-entries.ts';
import type { Arena } from '../memory/arena.ts';
import { intsetGet, intsetSlot } from '../struct/intset.ts';
import type { HashSeed } from '../struct/key-hash.ts';
import { LP_EMPTY_BYTES, lpBytes, lpEntryBytes, lpInit, lpInsert } from '../struct/listpack.ts';
import { integerLength } from '../text/integer.ts';
import { ENC_HASHTABLE, ENC_INTSET, ENC_LISTPACK, ENC_PACKED_TABLE } from '../value.ts';
import { isPacked, LISTPACK_BYTES_MAX } from './compact.ts';
import { ElementView } from './element-view.ts';
import { HashTable } from './hash-table.ts';
import { SetCursor, type SetView } from './set-view.ts';

const INTSET_ENTRIES_MAX = 1 << 30;
/** The most that an integer takes in a listpack. */
const INTEGER_BYTES_MAX = 11;
const TWO_32 = 0x1_0000_0000;

const text = new ElementView();
const cursor = new SetCursor();
const late = new LateEntries();

/** The encoding of a new set whose first member is an integer, or not. */
export function firstEncoding(limits: EncodingLimits, isInteger: boolean): number {
  if (isInteger && limits.setMaxIntsetEntries >= 1) return ENC_INTSET;
  return limits.setMaxListpackEntries >= 1 ? ENC_LISTPACK : ENC_HASHTABLE;
}

/** The encoding that a set takes on with one more member of `length` bytes. */
export function encodingWith(
  set: SetView,
  limits: EncodingLimits,
  isInteger: boolean,
  length: number,
): number {
  if (set.table !== null) return ENC_HASHTABLE;
  const { count } = set;
  if (set.encoding === ENC_INTSET && isInteger) {
    const most = Math.min(limits.setMaxIntsetEntries, INTSET_ENTRIES_MAX);
    return count < most ? ENC_INTSET : ENC_HASHTABLE;
  }
  if (count >= limits.setMaxListpackEntries) return ENC_HASHTABLE;
  const isIntset = set.encoding === ENC_INTSET;
  const bytes = length + (isIntset ? count * INTEGER_BYTES_MAX : lpBytes(set.bytes, set.base));
  const longest = Math.max(length, isIntset ? longestInteger(set, count) : 0);
  if (set.encoding !== ENC_PACKED_TABLE && longest <= limits.setMaxListpackValue) {
    return bytes <= LISTPACK_BYTES_MAX ? ENC_LISTPACK : ENC_HASHTABLE;
  }
  return isPacked(count + 1, bytes) ? ENC_PACKED_TABLE : ENC_HASHTABLE;
}

/** Length of the longest text among the integers of an intset: the first or the last. */
function longestInteger(set: SetView, count: number): number {
  if (count === 0) return 0;
  intsetGet(set.bytes, set.base, 0);
  const first = integerLength(intsetSlot.high * TWO_32 + (intsetSlot.low >>> 0));
  intsetGet(set.bytes, set.base, count - 1);
  return Math.max(first, integerLength(intsetSlot.high * TWO_32 + (intsetSlot.low >>> 0)));
}

/** Bytes of the listpack that has the members of an intset. */
export function listpackBytesOf(set: SetView): number {
  let total = LP_EMPTY_BYTES;
  const { count } = set;
  for (let ref = 1; ref <= count; ref++) {
    set.show(ref, text);
    total += lpEntryBytes(text.bytes, text.offset, text.length);
  }
  return total;
}

/** Writes the listpack that has the members of an intset. */
export function writeListpackOf(set: SetView, bytes: Uint8Array, base: number): void {
  lpInit(bytes, base);
  const { count } = set;
  for (let ref = 1; ref <= count; ref++) {
    set.show(ref, text);
    lpInsert(bytes, base, lpBytes(bytes, base) - 1, text.bytes, text.offset, text.length);
  }
}

/** A table that has the members of a compact set, and room for one more. */
export function tableOf(set: SetView, arena: Arena, seed: HashSeed): HashTable {
  const table = new HashTable(arena, seed);
  cursor.startView(set);
  table.dict.reserve(cursor.count + 1);
  while (cursor.next()) {
    const { bytes, offset, length } = cursor.member;
    if (late.isFull) table.settle(late);
    table.setLate(late, bytes, offset, length, bytes, offset, 0);
  }
  table.settle(late);
  return table;
}
