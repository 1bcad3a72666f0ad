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
 *     chunk   [ count ][ address ] ...    16 to 255 addresses; a full one is split in two
 *
 * Finding one takes two binary searches. Limits: 2^53 deliveries.
 */
import type { Arena } from '../memory/arena.ts';
import type { StreamId } from './stream-id.ts';

const PENDING_BYTES = 40;
const CHUNK_ADDRESSES_MAX = 255;
const CHUNK_ADDRESSES_FIRST = 15;
/** How far ahead of the last find an id is looked for before all are searched. */
const NEAR_CHUNKS = 8;
const TWO_32 = 0x1_0000_0000;

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
    this.seek(id);
    const { arena } = this;
    if (this.chunks.length === 0) this.chunks.push(this.newChunk(CHUNK_ADDRESSES_FIRST));
    this.settle();
    const chunk = this.roomyChunk();
    const words = arena.words(chunk);
    const at = arena.wordOffset(chunk);
    const count = words[at]!;
    words.copyWithin(at + 2 + this.place, at + 1 + this.place, at + 1 + count);
    words[at + 1 + this.place] = address;
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
    words.copyWithin(at + 1 + this.place, at + 2 + this.place, at + 2 + count);
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

  /** A place behind the last chunk becomes the end of that chunk. */
  private settle(): void {
    if (this.chunk < this.chunks.length) return;
    this.chunk = this.chunks.length - 1;
    this.place = this.countOf(this.chunks[this.chunk]!);
  }

  /**
   * Finds the first entry whose id is not less. Ids mostly come in order: behind the last entry, or
   * not far behind the one that was found last.
   */
  private seek(id: StreamId): void {
    const { arena, chunks } = this;
    let low = 0;
    let high = chunks.length;
    if (high > 0 && this.isBehind(high - 1, id)) low = high;
    else if (this.chunk > 0 && this.chunk < high && this.isBehind(this.chunk - 1, id)) {
      low = this.chunk;
      for (let step = 1; step <= NEAR_CHUNKS && low + step < high; step *= 2) {
        if (!this.isBehind(low + step - 1, id)) high = low + step - 1;
        else low += step;
      }
    }
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.isBehind(middle, id)) low = middle + 1;
      else high = middle;
    }
    this.chunk = low;
    this.place = 0;
    if (low === chunks.length) return;
    const chunk = chunks[low]!;
    low = 0;
    high = this.countOf(chunk);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareTo(arena, this.addressAt(chunk, middle), id) < 0) low = middle + 1;
      else high = middle;
    }
    this.place = low;
  }

  /** Whether the id is behind all of a chunk. */
  private isBehind(index: number, id: StreamId): boolean {
    const chunk = this.chunks[index]!;
    return compareTo(this.arena, this.addressAt(chunk, this.countOf(chunk) - 1), id) < 0;
  }

  /** The chunk to insert into, grown or split when it is full; the place follows. */
  private roomyChunk(): number {
    const chunk = this.chunks[this.chunk]!;
    const count = this.countOf(chunk);
    if (count < (this.arena.sizeOf(chunk) >>> 2) - 1 && count < CHUNK_ADDRESSES_MAX) return chunk;
    if (count < CHUNK_ADDRESSES_MAX) {
      const larger = this.newChunk(Math.min(count * 2, CHUNK_ADDRESSES_MAX));
      this.move(chunk, 0, larger, count);
      this.arena.free(chunk);
      this.chunks[this.chunk] = larger;
      return larger;
    }
    // Ids mostly come in order: behind the last one a new chunk begins.
    const isEnd = this.place === count && this.chunk === this.chunks.length - 1;
    const kept = isEnd ? count : count >>> 1;
    const second = this.newChunk(CHUNK_ADDRESSES_MAX);
    this.move(chunk, kept, second, count - kept);
    this.arena.words(chunk)[this.arena.wordOffset(chunk)] = kept;
    this.chunks.splice(this.chunk + 1, 0, second);
    if (this.place < kept || (this.place === kept && !isEnd)) return chunk;
    this.chunk++;
    this.place -= kept;
    return second;
  }

  private newChunk(addresses: number): number {
    const chunk = this.arena.alloc((1 + addresses) * 4);
    this.arena.words(chunk)[this.arena.wordOffset(chunk)] = 0;
    return chunk;
  }

  private move(from: number, start: number, to: number, count: number): void {
    const source = this.arena.words(from);
    const sourceAt = this.arena.wordOffset(from) + 1 + start;
    const target = this.arena.words(to);
    const targetAt = this.arena.wordOffset(to);
    for (let i = 0; i < count; i++) target[targetAt + 1 + i] = source[sourceAt + i]!;
    target[targetAt] = count;
  }

  private countOf(chunk: number): number {
    return this.arena.words(chunk)[this.arena.wordOffset(chunk)]!;
  }

  private addressAt(chunk: number, place: number): number {
    return this.arena.words(chunk)[this.arena.wordOffset(chunk) + 1 + place]!;
  }
}

function compareTo(arena: Arena, address: number, id: StreamId): number {
  const words = arena.words(address);
  const at = arena.wordOffset(address);
  if (words[at]! !== id.msHigh) return words[at]! - id.msHigh;
  if (words[at + 1]! !== id.msLow) return words[at + 1]! - id.msLow;
  if (words[at + 2]! !== id.seqHigh) return words[at + 2]! - id.seqHigh;
  return words[at + 3]! - id.seqLow;
}
