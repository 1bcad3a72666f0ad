/**
 * Walking over the entries of a stream's node quickly: the loops that look at dozens of entries to
 * find one.
 *
 * Nearly all numbers in a node are short, and so are most values; the first byte of such an element
 * tells its whole length, which a table knows. What is unusual (64-bit differences, ids past 2^53)
 * is left to the functions of stream-node.ts, which know every case.
 */
import { lpEntryLength } from './listpack.ts';
import { StreamId } from './stream-id.ts';
import {
  ENTRY_DELETED,
  ENTRY_SAME_FIELDS,
  entryId,
  firstEntryAt,
  masterFieldsAt,
  nextEntryAt,
  numberAt,
} from './stream-node.ts';

const TWO_32 = 0x1_0000_0000;
/** A difference of 32 bits may be added to ids whose halves stay below. */
const EXACT_MAX = 2 ** 53 - TWO_32;
const END = 0xff;
/** First byte of an integer of 13 bits, of 16, of 24 and of 32. */
const INT13 = 0xc0;
const INT13_END = 0xe0;
const INT16 = 0xf1;
const INT24 = 0xf2;
const INT32 = 0xf3;

const scratch = new StreamId();

/** Bytes of a whole element by its first byte; 0 where further bytes tell. */
const LENGTHS = Uint8Array.from({ length: 256 }, (_, first) => {
  if (first < 0x80) return 2;
  if (first < INT13) return 2 + (first & 63);
  if (first < INT13_END) return 3;
  return first >= INT16 && first <= INT32 ? first - INT16 + 4 : 0;
});

/** Position `count` elements behind `at`, none of which is the end; both are absolute. */
export function passElements(bytes: Uint8Array, at: number, count: number): number {
  let position = at;
  for (let left = count; left > 0; left--) {
    const length = LENGTHS[bytes[position]!]!;
    position += length !== 0 ? length : lpEntryLength(bytes, position);
  }
  return position;
}

/**
 * Position of the first entry from the one at `at` on whose id is not before `id`, or of one that
 * is unusual, behind which the search has not gone; 0 at the end. `fields` is the master's number.
 */
export function seekEntry(
  bytes: Uint8Array,
  base: number,
  at: number,
  master: StreamId,
  fields: number,
  id: StreamId,
): number {
  const masterMs = master.msHigh * TWO_32 + master.msLow;
  const masterSeq = master.seqHigh * TWO_32 + master.seqLow;
  if (at === 0 || masterMs > EXACT_MAX || masterSeq > EXACT_MAX) return at;
  const ms = id.msHigh * TWO_32 + id.msLow - masterMs;
  const seq = id.seqHigh * TWO_32 + id.seqLow - masterSeq;
  let from = base + at;
  for (;;) {
    const flags = bytes[from]!;
    if (flags >= 0x80) return flags === END ? 0 : from - base;
    const msAt = from + 2;
    if (!isShort(bytes[msAt]!)) return from - base;
    const seqAt = msAt + LENGTHS[bytes[msAt]!]!;
    if (!isShort(bytes[seqAt]!)) return from - base;
    const msMore = shortInteger(bytes, msAt);
    const seqMore = shortInteger(bytes, seqAt);
    // A sum below zero stands for one past 2^63.
    if (msMore < 0 || masterSeq + seqMore < 0) return from - base;
    if (msMore > ms || (msMore === ms && seqMore >= seq)) return from - base;
    const after = seqAt + LENGTHS[bytes[seqAt]!]!;
    let left = fields + 1;
    if ((flags & ENTRY_SAME_FIELDS) === 0) {
      if (!isShort(bytes[after]!)) return from - base;
      left = shortInteger(bytes, after) * 2 + 2;
    }
    from = passElements(bytes, after, left);
  }
}

/** Position of the live entry with this id, or 0. */
export function nodeFind(bytes: Uint8Array, base: number, master: StreamId, id: StreamId): number {
  const fields = numberAt(bytes, base, masterFieldsAt(bytes, base));
  let at = seekEntry(bytes, base, firstEntryAt(bytes, base), master, fields, id);
  while (at !== 0) {
    entryId(bytes, base, at, master, scratch);
    const order = scratch.compare(id);
    if (order > 0) return 0;
    if (order === 0) return (numberAt(bytes, base, at) & ENTRY_DELETED) === 0 ? at : 0;
    at = nextEntryAt(bytes, base, at, fields);
  }
  return 0;
}

/** Like `entryId` of stream-node.ts, at once for what is usual. */
export function readEntryId(
  bytes: Uint8Array,
  base: number,
  at: number,
  master: StreamId,
  id: StreamId,
): number {
  const msAt = base + at + LENGTHS[bytes[base + at]!]!;
  if (isShort(bytes[msAt]!)) {
    const seqAt = msAt + LENGTHS[bytes[msAt]!]!;
    if (isShort(bytes[seqAt]!)) {
      const msLow = master.msLow + shortInteger(bytes, msAt);
      const seqLow = master.seqLow + shortInteger(bytes, seqAt);
      if (msLow >= 0 && msLow < TWO_32 && seqLow >= 0 && seqLow < TWO_32) {
        id.msHigh = master.msHigh;
        id.msLow = msLow;
        id.seqHigh = master.seqHigh;
        id.seqLow = seqLow;
        return seqAt + LENGTHS[bytes[seqAt]!]! - base;
      }
    }
  }
  return entryId(bytes, base, at, master, id);
}

/** Whether an element with this first byte is an integer of at most 32 bits. */
function isShort(first: number): boolean {
  return (
    first < 0x80 || (first >= INT13 && first < INT13_END) || (first >= INT16 && first <= INT32)
  );
}

/** The integer of at most 32 bits at a position. */
function shortInteger(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return first;
  if (first < INT13_END) return (((first & 31) << 27) >> 19) | bytes[at + 1]!;
  const low = bytes[at + 1]! | (bytes[at + 2]! << 8);
  if (first === INT16) return (low << 16) >> 16;
  if (first === INT24) return ((low | (bytes[at + 3]! << 16)) << 8) >> 8;
  return low | (bytes[at + 3]! << 16) | (bytes[at + 4]! << 24);
}
