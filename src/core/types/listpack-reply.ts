/**
 * Entries of a listpack as a reply: bulk strings, written straight from the one into the other.
 *
 * Short strings, which most are, are copied in words that begin anywhere, up to three bytes more
 * than there are: the next thing that is written covers those. A range of 100 elements of 16 bytes
 * took 5.5 us with a cursor, a view and `Reply.bulk`.
 */
import type { Keyspace } from '../keyspace.ts';
import type { Arena } from '../memory/arena.ts';
import type { Reply } from '../resp/reply.ts';
import { SHORT_ROOM, shortHead } from '../resp/short-head.ts';
import { LP_HEAD_BYTES, lpElement, lpEntryLength, lpGet } from '../struct/listpack.ts';

const END = 0xff;
const NO_VIEW = new DataView(new ArrayBuffer(0));

/** Answers the entry at `at`. */
export function replyEntry(reply: Reply, bytes: Uint8Array, base: number, at: number): void {
  lpGet(bytes, base, at);
  const e = lpElement;
  if (e.isInteger) reply.bulkInteger64(e.low, e.high);
  else reply.bulk(e.bytes, e.offset, e.length);
}

/**
 * Answers `count` entries from the one at `at` (0: none) on, or as many as there are: their number.
 * `block` is the listpack's block in the arena, 0 when it is elsewhere.
 */
export function replyEntries(
  reply: Reply,
  arena: Arena,
  block: number,
  bytes: Uint8Array,
  base: number,
  at: number,
  count: number,
): number {
  if (at === 0) return 0;
  const words = (block === 0 ? null : arena.view(block)) ?? NO_VIEW;
  const last = words.byteLength - 68;
  let from = base + at;
  for (let i = 0; i < count; i++) {
    const first = bytes[from]!;
    if (first >= 0x80 && first < 0xc0 && from <= last) {
      const length = first & 63;
      replyShort(reply, words, from + 1, length);
      from += length + 2;
    } else {
      if (first === END) return i;
      replyEntry(reply, bytes, base, from - base);
      from += lpEntryLength(bytes, from);
    }
  }
  return count;
}

/** Answers all entries of the listpack that is the value of the entry at `address`. */
export function replyListpack(reply: Reply, keyspace: Keyspace, address: number): void {
  const { arena } = keyspace;
  const block = keyspace.valueBlock(address);
  const base = keyspace.valueOffset(address);
  const all = Number.POSITIVE_INFINITY;
  replyEntries(reply, arena, block, arena.bytes(block), base, LP_HEAD_BYTES, all);
}

/** Answers a string of up to 63 bytes at `from` of `words`. */
function replyShort(reply: Reply, words: DataView, from: number, length: number): void {
  const to = reply.open(length + SHORT_ROOM);
  const { chunk } = reply;
  const start = reply.at + shortHead(chunk, reply.at, length);
  for (let i = 0; i < length; i += 4)
    to.setUint32(start + i, words.getUint32(from + i, true), true);
  const end = start + length;
  chunk[end] = 13;
  chunk[end + 1] = 10;
  reply.at = end + 2;
}
