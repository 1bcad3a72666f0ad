/**
 * One node of a stream: the listpack that stream-log.ts draws. A node is `bytes` from `base`; who
 * adds to one has made room for it.
 */
import type { Args } from '../resp/args.ts';
import { writeInt64 } from '../text/integer.ts';
import {
  lpBytes,
  lpElement,
  lpEquals,
  lpFirst,
  lpGet,
  lpInit,
  lpNext,
  lpPut,
  lpPutEnd,
  lpPutInteger,
  lpReplaceInteger,
} from './listpack.ts';
import type { StreamId } from './stream-id.ts';

export const ENTRY_DELETED = 1;
export const ENTRY_SAME_FIELDS = 2;
/** Bytes of the fields and values of an entry, and of a node. */
export const ENTRY_BYTES_MAX = 1 << 30;

const TWO_32 = 0x1_0000_0000;
const SAFE_HIGH = 0x20_0000;

const digits = new Uint8Array(24);

/** Writes a node with a master entry of these fields and no entries. */
export function nodeInit(
  bytes: Uint8Array,
  base: number,
  args: Args,
  first: number,
  pairs: number,
): void {
  lpInit(bytes, base);
  let at = base + lpBytes(bytes, base) - 1;
  at = lpPutInteger(bytes, at, 0);
  at = lpPutInteger(bytes, at, 0);
  at = lpPutInteger(bytes, at, pairs);
  for (let i = 0; i < pairs; i++) at = putArgument(bytes, at, args, first + i * 2);
  at = lpPutInteger(bytes, at, 0);
  lpPutEnd(bytes, base, at, pairs + 4);
}

/** Adds an entry behind the last; `master` is the node's first id. */
export function nodeAppend(
  bytes: Uint8Array,
  base: number,
  master: StreamId,
  id: StreamId,
  args: Args,
  first: number,
  pairs: number,
): void {
  const same = hasSameFields(bytes, base, args, first, pairs);
  let at = base + lpBytes(bytes, base) - 1;
  at = lpPutInteger(bytes, at, same ? ENTRY_SAME_FIELDS : 0);
  at = putDifference(bytes, at, id.msLow, id.msHigh, master.msLow, master.msHigh);
  at = putDifference(bytes, at, id.seqLow, id.seqHigh, master.seqLow, master.seqHigh);
  const elements = 3 + pairs + (same ? 0 : pairs + 1);
  if (same) {
    for (let i = first + 1; i < first + pairs * 2; i += 2) at = putArgument(bytes, at, args, i);
  } else {
    at = lpPutInteger(bytes, at, pairs);
    for (let i = first; i < first + pairs * 2; i++) at = putArgument(bytes, at, args, i);
  }
  at = lpPutInteger(bytes, at, elements);
  lpPutEnd(bytes, base, at, elements + 1);
  const counted = lpFirst(bytes, base);
  const short = bytes[base + counted]!;
  if (short < 127) bytes[base + counted] = short + 1;
  else lpReplaceInteger(bytes, base, counted, numberAt(bytes, base, counted) + 1);
}

/** The integer at a position, as the nearest number. */
export function numberAt(bytes: Uint8Array, base: number, at: number): number {
  const first = bytes[base + at]!;
  if (first < 0x80) return first;
  lpGet(bytes, base, at);
  return lpElement.number;
}

/** Number of entries that are not deleted. */
export function nodeLive(bytes: Uint8Array, base: number): number {
  return numberAt(bytes, base, lpFirst(bytes, base));
}

/** Number of entries, deleted ones too. */
export function nodeEntries(bytes: Uint8Array, base: number): number {
  const first = lpFirst(bytes, base);
  return numberAt(bytes, base, first) + numberAt(bytes, base, lpNext(bytes, base, first));
}

/** Position of the number of fields of the master entry. */
export function masterFieldsAt(bytes: Uint8Array, base: number): number {
  return lpNext(bytes, base, lpNext(bytes, base, lpFirst(bytes, base)));
}

/** Position of the first entry, 0 when there is none. */
export function firstEntryAt(bytes: Uint8Array, base: number): number {
  const fieldsAt = masterFieldsAt(bytes, base);
  return skip(bytes, base, fieldsAt, numberAt(bytes, base, fieldsAt) + 2);
}

/** Position `count` elements behind `at`, 0 at the end. */
export function skip(bytes: Uint8Array, base: number, at: number, count: number): number {
  let position = at;
  for (let i = 0; i < count && position !== 0; i++) position = lpNext(bytes, base, position);
  return position;
}

/** Sets `id` to that of the entry at `at`. Position of what follows its id. */
export function entryId(
  bytes: Uint8Array,
  base: number,
  at: number,
  master: StreamId,
  id: StreamId,
): number {
  const msAt = lpNext(bytes, base, at);
  lpGet(bytes, base, msAt);
  const msLow = (master.msLow + (lpElement.low >>> 0)) % TWO_32;
  const msHigh = master.msHigh + lpElement.high + (msLow < master.msLow ? 1 : 0);
  const seqAt = lpNext(bytes, base, msAt);
  lpGet(bytes, base, seqAt);
  const seqLow = (master.seqLow + (lpElement.low >>> 0)) % TWO_32;
  const seqHigh = master.seqHigh + lpElement.high + (seqLow < master.seqLow ? 1 : 0);
  id.set(msHigh >>> 0, msLow, seqHigh >>> 0, seqLow);
  return lpNext(bytes, base, seqAt);
}

/**
 * Position of the entry behind the one at `at`, 0 at the end. `masterFields` is the master's
 * number.
 */
export function nextEntryAt(
  bytes: Uint8Array,
  base: number,
  at: number,
  masterFields: number,
): number {
  const flags = numberAt(bytes, base, at);
  const afterId = skip(bytes, base, at, 3);
  if ((flags & ENTRY_SAME_FIELDS) !== 0) return skip(bytes, base, afterId, masterFields + 1);
  return skip(bytes, base, afterId, numberAt(bytes, base, afterId) * 2 + 2);
}

/** Flags the entry at `at` as deleted, and counts it so. The node has room for two integers. */
export function markDeleted(bytes: Uint8Array, base: number, at: number): void {
  lpReplaceInteger(bytes, base, at, numberAt(bytes, base, at) | ENTRY_DELETED);
  const first = lpFirst(bytes, base);
  lpReplaceInteger(bytes, base, first, numberAt(bytes, base, first) - 1);
  const second = lpNext(bytes, base, first);
  lpReplaceInteger(bytes, base, second, numberAt(bytes, base, second) + 1);
}

function hasSameFields(
  bytes: Uint8Array,
  base: number,
  args: Args,
  first: number,
  pairs: number,
): boolean {
  const fieldsAt = masterFieldsAt(bytes, base);
  if (numberAt(bytes, base, fieldsAt) !== pairs) return false;
  let at = fieldsAt;
  for (let i = first; i < first + pairs * 2; i += 2) {
    at = lpNext(bytes, base, at);
    if (!lpEquals(bytes, base, at, args.bytes[i]!, args.offsets[i]!, args.lengths[i]!))
      return false;
  }
  return true;
}

function putArgument(bytes: Uint8Array, at: number, args: Args, i: number): number {
  return lpPut(bytes, at, args.bytes[i]!, args.offsets[i]!, args.lengths[i]!);
}

/** Writes the difference of two 64-bit numbers, as a signed one. */
function putDifference(
  bytes: Uint8Array,
  at: number,
  low: number,
  high: number,
  fromLow: number,
  fromHigh: number,
): number {
  const lowDifference = (low - fromLow) >>> 0;
  const highDifference = (high - fromHigh - (low < fromLow ? 1 : 0)) | 0;
  if (highDifference < SAFE_HIGH && highDifference >= -SAFE_HIGH) {
    return lpPutInteger(bytes, at, highDifference * TWO_32 + lowDifference);
  }
  const length = writeInt64(digits, 0, lowDifference, highDifference);
  return lpPut(bytes, at, digits, 0, length);
}
