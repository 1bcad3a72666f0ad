/**
 * Entries that were delivered and not acknowledged: of a group, or of one of its consumers.
 *
 * Each is one arena block of 40 bytes, shared by the list of its group and that of its consumer:
 *
 *     words 0-3   id: msHigh, msLow, seqHigh, seqLow
 *     words 4-5   when it was delivered last, milliseconds since 1970: low, high
 *     words 6-7   how often it was delivered: low, high
 *     word  8     the consumer's slot in its group
 *     word  9     marks of the last snapshot that wrote it in parts: among those of its group in
 *                 the low half, among those of its consumer in the high half
 *
 * A list keeps the addresses in the order of the ids, in chunks that are arena blocks as well:
 *
 *     chunk   [ count ][ bound ][ address ] ...    11 to 251; a full one is split in two
 *
 * The bound is an id: none in the chunk is less, and all in chunks before are less. So finding one
 * looks at chunks, and only then, within one of them, at the entries themselves.
 *
 * Limits: 2^53 deliveries.
 */
import type { Arena } from '../memory/arena.ts';
import { StreamId } from './stream-id.ts';

const PENDING_BYTES = 40;
/** Words of a chunk before its addresses. */
const HEAD = 5;
const CHUNK_ADDRESSES_MAX = 251;
const CHUNK_ADDRESSES_FIRST = 11;
const TWO_32 = 0x1_0000_0000;
const bound = new StreamId();

/** A new block for an entry that is pending. */
export function pendingCreate(
  arena: Arena,
  id: StreamId,
  timeMs: number,
  count: number,
  slot: number,
  marks: number,
): number {
  const address = arena.alloc(PENDING_BYTES);
  const words = arena.words(address);
  const at = arena.wordOffset(address);
  words[at] = id.msHigh;
  words[at + 1] = id.msLow;
  words[at + 2] = id.seqHigh;
  words[at + 3] = id.seqLow;
  pendingSetTime(arena, address, timeMs);
  pendingSetCount(arena, address, count);
  words[at + 8] = slot;
  words[at + 9] = marks;
  return address;
}

export function pendingId(arena: Arena, address: number, id: StreamId): StreamId {
  const words = arena.words(address);
  const at = arena.wordOffset(address);
  return id.set(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!);
}

/** When it was delivered last, milliseconds since 1970. */
export function pendingTime(arena: Arena, address: number): number {
  const words = arena.words(address);
  const at = arena.wordOffset(address);
  return (words[at + 5]! | 0) * TWO_32 + words[at + 4]!;
}

export function pendingSetTime(arena: Arena, address: number, timeMs: number): void {
  const words = arena.words(address);
  const at = arena.wordOffset(address);
  words[at + 4] = timeMs >>> 0;
  words[at + 5] = Math.floor(timeMs / TWO_32) >>> 0;
}

/** How often it was delivered. */
export function pendingCount(arena: Arena, address: number): number {
  const words = arena.words(address);
  const at = arena.wordOffset(address);
  return words[at + 7]! * TWO_32 + words[at + 6]!;
}

export function pendingSetCount(arena: Arena, address: number, count: number): void {
  const words = arena.words(address);
  const at = arena.wordOffset(address);
  words[at + 6] = count >>> 0;
  words[at + 7] = Math.floor(count / TWO_32) >>> 0;
}

/** The slot of the consumer that it was delivered to. */
export function pendingSlot(arena: Arena, address: number): number {
  return arena.words(address)[arena.wordOffset(address) + 8]!;
}

export function pendingSetSlot(arena: Arena, address: number, slot: number): void {
  arena.words(address)[arena.wordOffset(address) + 8] = slot;
}

/** The marks of the last snapshot in parts that wrote it. */
export function pendingMarks(arena: Arena, address: number): number {
  return arena.words(address)[arena.wordOffset(address) + 9]!;
}

export function pendingSetMarks(arena: Arena, address: number, marks: number): void {
  arena.words(address)[arena.wordOffset(address) + 9] = marks;
}

export class PendingList {
  size = 0;
  private readonly arena: Arena;
  private readonly chunks: number[] = [];
  /** Where the last search ended: the chunk, and the place in it. */
  private chunk = 0;
  private place = 0;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  /** Address of the entry with this id, or 0. */
  find(id: StreamId): number {
    const address = this.atOrAfter(id);
    return address !== 0 && compareTo(this.arena, address, id) === 0 ? address : 0;
  }

  /** Address of the first entry whose id is not less, or 0. */
  atOrAfter(id: StreamId): number {
    this.seek(id);
    return this.here();
  }

  /**
   * Address of the entry behind the one that was found or stepped to last, while nothing
   * changed.
   */
  next(): number {
    this.place++;
    return this.here();
  }

  first(): number {
    this.chunk = 0;
    this.place = 0;
    return this.here();
  }

  last(): number {
    const chunk = this.chunks.at(-1);
    return chunk === undefined ? 0 : this.addressAt(chunk, this.countOf(chunk) - 1);
  }

  /** Adds an entry whose id is not there. */
  insert(address: number, id: StreamId): void {
    const { arena } = this;
    if (this.chunks.length === 0) {
      const only = this.newChunk(CHUNK_ADDRESSES_FIRST);
      this.setBound(only, id);
      this.chunks.push(only);
    }
    this.seek(id);
    const chunk = this.roomyChunk(id);
    const words = arena.words(chunk);
    const at = arena.wordOffset(chunk);
    const count = words[at]!;
    const place = at + HEAD + this.place;
    if (this.place < count) words.copyWithin(place + 1, place, at + HEAD + count);
    if (this.place === 0 && compareAt(words, at + 1, id) > 0) this.setBound(chunk, id);
    words[place] = address;
    words[at] = count + 1;
    this.size++;
  }

  /**
   * Takes out the entry with this id and gives its address, 0 when there is none. The block
   * stays.
   */
  remove(id: StreamId): number {
    const address = this.find(id);
    if (address === 0) return 0;
    const chunk = this.chunks[this.chunk]!;
    const words = this.arena.words(chunk);
    const at = this.arena.wordOffset(chunk);
    const count = words[at]! - 1;
    const place = at + HEAD + this.place;
    if (this.place < count) words.copyWithin(place, place + 1, at + HEAD + 1 + count);
    words[at] = count;
    this.size--;
    if (count === 0) {
      this.arena.free(chunk);
      this.chunks.splice(this.chunk, 1);
    }
    return address;
  }

  /**
   * Frees up to about `limit` entries from the end, and their blocks if `own`. The number freed.
   */
  release(limit: number, own: boolean): number {
    let freed = 0;
    while (freed < limit && this.chunks.length > 0) {
      const chunk = this.chunks.pop()!;
      const count = this.countOf(chunk);
      if (own) for (let i = 0; i < count; i++) this.arena.free(this.addressAt(chunk, i));
      this.arena.free(chunk);
      this.size -= count;
      freed += count;
    }
    return freed;
  }

  /** Bytes of the chunks. */
  chunkBytes(): number {
    let bytes = 0;
    for (const chunk of this.chunks) bytes += this.arena.sizeOf(chunk);
    return bytes;
  }

  private here(): number {
    this.settleForward();
    const chunk = this.chunks[this.chunk];
    return chunk === undefined ? 0 : this.addressAt(chunk, this.place);
  }

  private settleForward(): void {
    const chunk = this.chunks[this.chunk];
    if (chunk === undefined || this.place < this.countOf(chunk)) return;
    this.chunk++;
    this.place = 0;
  }

  /** Goes to the first entry whose id is not less, or to the end of the chunk before it. */
  private seek(id: StreamId): void {
    const { u32 } = this.arena;
    const { chunks } = this;
    this.place = 0;
    this.chunk = chunks.length - 1;
    if (this.chunk < 0) return;
    const end = chunks[this.chunk]!;
    const endCount = this.countOf(end);
    // A list that gets its first entry has a chunk with none.
    if (endCount === 0 || compareTo(this.arena, this.addressAt(end, endCount - 1), id) < 0) {
      this.place = endCount;
      return;
    }
    let low = 1;
    let high = chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const chunk = chunks[middle]!;
      const words = u32[chunk >>> 19]!;
      if (compareAt(words, ((chunk & 0x7ffff) << 1) + 1, id) <= 0) low = middle + 1;
      else high = middle;
    }
    this.chunk = low - 1;
    const chunk = chunks[low - 1]!;
    const words = u32[chunk >>> 19]!;
    this.place = this.placeIn(words, ((chunk & 0x7ffff) << 1) + HEAD, id, chunks[low]);
  }

  /**
   * How many of the entries whose addresses begin at `words[first]`, a chunk, stand before `id`.
   * Each look is a wait for memory, and ids are mostly spread evenly: so the first look is where it
   * would be then, by the bounds of this chunk and the next, and the others go on from there.
   */
  private placeIn(
    words: Uint32Array,
    first: number,
    id: StreamId,
    next: number | undefined,
  ): number {
    const { u32 } = this.arena;
    const count = words[first - HEAD]!;
    let low = 0;
    let high = count;
    let probe =
      next === undefined ? count >>> 1 : this.guess(words, first - HEAD + 1, id, next, count);
    for (let stride = 1; low < high; ) {
      const address = words[first + probe]!;
      if (compareAt(u32[address >>> 19]!, (address & 0x7ffff) << 1, id) < 0) {
        low = probe + 1;
        probe += stride;
      } else {
        high = probe;
        probe -= stride;
      }
      stride *= 2;
      if (probe < low || probe >= high) probe = (low + high) >>> 1;
    }
    return low;
  }

  /** Where `id` would be among `count` spread evenly from `words[at]` to the next bound. */
  private guess(words: Uint32Array, at: number, id: StreamId, next: number, count: number): number {
    const end = this.arena.words(next);
    const endAt = this.arena.wordOffset(next) + 1;
    const from = words[at + 1]!;
    const share = (id.msLow - from) / (end[endAt + 1]! - from);
    return share > 0 && share < 1 ? Math.floor(share * count) : count >>> 1;
  }

  /** The chunk to insert `id` into, grown or split when it is full; the place follows. */
  private roomyChunk(id: StreamId): number {
    const { arena } = this;
    const chunk = this.chunks[this.chunk]!;
    const count = this.countOf(chunk);
    if (count < (arena.sizeOf(chunk) >>> 2) - HEAD && count < CHUNK_ADDRESSES_MAX) return chunk;
    if (count < CHUNK_ADDRESSES_MAX) {
      const larger = this.newChunk(Math.min(count * 2, CHUNK_ADDRESSES_MAX));
      this.move(chunk, 0, larger, count);
      const from = arena.wordOffset(chunk);
      const to = arena.wordOffset(larger);
      for (let i = 1; i < HEAD; i++) arena.words(larger)[to + i] = arena.words(chunk)[from + i]!;
      arena.free(chunk);
      this.chunks[this.chunk] = larger;
      return larger;
    }
    // Ids mostly come in order: behind the last one a new chunk begins.
    const isEnd = this.place === count && this.chunk === this.chunks.length - 1;
    const kept = isEnd ? count : count >>> 1;
    const second = this.newChunk(CHUNK_ADDRESSES_MAX);
    this.move(chunk, kept, second, count - kept);
    arena.words(chunk)[arena.wordOffset(chunk)] = kept;
    this.setBound(second, isEnd ? id : pendingId(arena, this.addressAt(second, 0), bound));
    this.chunks.splice(this.chunk + 1, 0, second);
    if (this.place <= kept && !isEnd) return chunk;
    this.chunk++;
    this.place -= kept;
    return second;
  }

  private newChunk(addresses: number): number {
    const chunk = this.arena.alloc((HEAD + addresses) * 4);
    this.arena.words(chunk)[this.arena.wordOffset(chunk)] = 0;
    return chunk;
  }

  private setBound(chunk: number, id: StreamId): void {
    const words = this.arena.words(chunk);
    const at = this.arena.wordOffset(chunk);
    words[at + 1] = id.msHigh;
    words[at + 2] = id.msLow;
    words[at + 3] = id.seqHigh;
    words[at + 4] = id.seqLow;
  }

  private move(from: number, start: number, to: number, count: number): void {
    const source = this.arena.words(from);
    const sourceAt = this.arena.wordOffset(from) + HEAD + start;
    const target = this.arena.words(to);
    const targetAt = this.arena.wordOffset(to);
    for (let i = 0; i < count; i++) target[targetAt + HEAD + i] = source[sourceAt + i]!;
    target[targetAt] = count;
  }

  private countOf(chunk: number): number {
    return this.arena.words(chunk)[this.arena.wordOffset(chunk)]!;
  }

  private addressAt(chunk: number, place: number): number {
    return this.arena.u32[chunk >>> 19]![((chunk & 0x7ffff) << 1) + HEAD + place]!;
  }
}

/** Compares the id of a pending entry with `id`, as `StreamId.compare` does. */
function compareTo(arena: Arena, address: number, id: StreamId): number {
  return compareAt(arena.u32[address >>> 19]!, (address & 0x7ffff) << 1, id);
}

function compareAt(words: Uint32Array, at: number, id: StreamId): number {
  if (words[at]! !== id.msHigh) return words[at]! - id.msHigh;
  if (words[at + 1]! !== id.msLow) return words[at + 1]! - id.msLow;
  if (words[at + 2]! !== id.seqHigh) return words[at + 2]! - id.seqHigh;
  return words[at + 3]! - id.seqLow;
}
