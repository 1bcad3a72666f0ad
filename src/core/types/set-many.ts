/**
 * Adding many members to a set at once, which ends as adding them one by one does (`setAdd`), but
 * opens the set once and grows its block once.
 *
 * Members are added in runs, as long as the encoding stays; the member that changes it is left to
 * `setAdd`, and the next run begins. During a run the value is as long as its block, so that it has
 * to be asked for room only when the block is full; at the end what is left is given back.
 *
 * A new intset has room for all that come as soon as the width of the first is known; a new
 * listpack has got it from `setCreate`.
 */
import type { Database } from '../database.ts';
import type { Keyspace } from '../keyspace.ts';
import type { Args } from '../resp/args.ts';
import {
  INTSET_HEAD_BYTES,
  intsetAdd,
  intsetBytes,
  intsetCount,
  intsetFind,
  intsetGrown,
} from '../struct/intset.ts';
import { lpBytes, lpEntryBytes, lpInsertMeasured } from '../struct/listpack.ts';
import { TextFilter } from '../struct/text-filter.ts';
import { ENC_INTSET } from '../value.ts';
import { fillBlock, growValue } from './compact.ts';
import type { HashTable } from './hash-table.ts';
import { int64Words, readInt64 } from './int64-words.ts';
import { setAdd, setChange } from './set.ts';
import { encodingWith } from './set-encoding.ts';
import { SetCursor, SetView } from './set-view.ts';

/** Fewer members are looked up without a filter. */
const FILTERED_MIN = 8;
/** A table that came about is made large enough for the members that follow, up to so many. */
const RESERVED_MAX = 1024;

const view = new SetView();
const cursor = new SetCursor();
const filter = new TextFilter();
/** What the last `setAddMany` did, and where the last run ended. */
export const setManyChange = { added: 0 };
let runEnd = 0;

/**
 * Adds the members in arguments `first` to `end`; `setManyChange` tells how many are new. Returns
 * the set's address.
 */
export function setAddMany(
  keyspace: Keyspace,
  db: Database,
  address: number,
  args: Args,
  first: number,
  end: number,
): number {
  const { bytes, lengths, offsets } = args;
  let at = address;
  setManyChange.added = 0;
  for (let i = first; i < end; i++) {
    view.open(keyspace, at);
    if (view.table !== null) {
      if (i > first) view.table.reserve(view.table.count + Math.min(end - i, RESERVED_MAX));
      addToTable(view.table, args, i, end);
      return at;
    }
    at =
      view.encoding === ENC_INTSET
        ? addIntegers(keyspace, db, at, args, i, end)
        : addTexts(keyspace, db, at, args, i, end);
    i = runEnd;
    if (i === end) return at;
    at = setAdd(keyspace, db, at, bytes[i]!, offsets[i]!, lengths[i]!);
    if (setChange.happened) setManyChange.added++;
  }
  return at;
}

function addToTable(table: HashTable, args: Args, first: number, end: number): void {
  const { bytes, lengths, offsets } = args;
  for (let i = first; i < end; i++) {
    if (table.add(bytes[i]!, offsets[i]!, lengths[i]!)) setManyChange.added++;
  }
}

/** A run of integers that an intset takes. */
function addIntegers(
  keyspace: Keyspace,
  db: Database,
  address: number,
  args: Args,
  first: number,
  end: number,
): number {
  const { bytes, lengths, offsets } = args;
  const isNew = view.count === 0;
  let at = address;
  let i = first;
  for (; i < end; i++) {
    const length = lengths[i]!;
    if (!readInt64(bytes[i]!, offsets[i]!, length)) break;
    const { high, low } = int64Words;
    if (intsetFind(view.bytes, view.base, low, high)) continue;
    if (encodingWith(view, keyspace.limits, true, length) !== ENC_INTSET) break;
    const size = intsetGrown(view.bytes, view.base, low, high);
    const room = keyspace.valueLength(at);
    if (size > room) {
      const width = (size - INTSET_HEAD_BYTES) / (intsetCount(view.bytes, view.base) + 1);
      const spare = isNew ? (end - i - 1) * width : 0;
      at = growValue(keyspace, db, at, size + spare - room);
      at = fillBlock(keyspace, db, at);
      view.open(keyspace, at);
    }
    intsetAdd(view.bytes, view.base, low, high);
    setManyChange.added++;
  }
  runEnd = i;
  return keyspace.resizeValue(db, at, intsetBytes(view.bytes, view.base), 0);
}

/** A run of members that a listpack takes, be it a packed table. */
function addTexts(
  keyspace: Keyspace,
  db: Database,
  address: number,
  args: Args,
  first: number,
  end: number,
): number {
  const { bytes, lengths, offsets } = args;
  const isFiltered = end - first >= FILTERED_MIN;
  if (isFiltered) meetAll();
  let at = address;
  let i = first;
  for (; i < end; i++) {
    const member = bytes[i]!;
    const offset = offsets[i]!;
    const length = lengths[i]!;
    const isMet = !isFiltered || filter.meet(member, offset, length);
    if (isMet && view.find(member, offset, length) !== 0) continue;
    if (encodingWith(view, keyspace.limits, false, length) !== view.encoding) break;
    const used = lpBytes(view.bytes, view.base);
    const size = used + lpEntryBytes(member, offset, length);
    const room = keyspace.valueLength(at);
    if (size > room) {
      at = growValue(keyspace, db, at, size - room);
      at = fillBlock(keyspace, db, at);
      view.open(keyspace, at);
    }
    lpInsertMeasured(view.bytes, view.base, used - 1, member, offset, length);
    setManyChange.added++;
  }
  runEnd = i;
  return keyspace.resizeValue(db, at, lpBytes(view.bytes, view.base), 0);
}

/** Has the filter meet the members of the set in view. */
function meetAll(): void {
  filter.clear();
  cursor.startView(view);
  while (cursor.next())
    filter.meet(cursor.member.bytes, cursor.member.offset, cursor.member.length);
}
