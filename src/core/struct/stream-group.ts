/**
 * A consumer group: how far it has read, who reads for it, and what is pending.
 *
 *     group   lastId, entriesRead ------ pending: all, by id
 *               |                            ^ the same blocks
 *     slots   [ consumer 0 ][ free ][ 2 ] -- pending: its own, by id
 *
 * A pending entry names its consumer by slot. Names are kept as text of one character a byte, whose
 * order is that of the bytes.
 */
import type { Arena } from '../memory/arena.ts';
import { StreamId } from './stream-id.ts';
import {
  PendingList,
  pendingCount,
  pendingCreate,
  pendingId,
  pendingSetCount,
  pendingSetMarks,
  pendingSetSlot,
  pendingSetTime,
  pendingSlot,
  pendingTime,
} from './stream-pending.ts';

/** About what the objects of a group and of a consumer take of JavaScript's heap. */
const GROUP_HEAP_BYTES = 720;
const CONSUMER_HEAP_BYTES = 660;
const MARK_MAX = 0xffff;

/** A snapshot that writes what is pending in parts, while it goes on changing. */
export interface PendingKeeper {
  /** The pending entry at `address` is about to change, or to go. */
  changing(group: StreamGroup, address: number): void;
}

/** Value of `entriesRead` for a group whose count of entries read is not known. */
export const ENTRIES_READ_UNKNOWN = -1;
/** Slot of a pending entry that no consumer has yet. */
export const NO_CONSUMER = 0xffff_ffff;

export interface StreamConsumer {
  readonly name: string;
  readonly slot: number;
  /** When a command last named the consumer, in milliseconds since 1970. */
  seenMs: number;
  /** When the consumer was last given an entry, in milliseconds since 1970; -1 for never. */
  activeMs: number;
  readonly pending: PendingList;
}

const id = new StreamId();

export class StreamGroup {
  readonly dict = null;
  /** The share of `arena.besideBytes` that this group has counted. */
  heapBytes = 0;
  readonly arena: Arena;
  readonly lastId = new StreamId();
  /** Entries that have been read, as far as is known, or ENTRIES_READ_UNKNOWN. */
  entriesRead: number;
  readonly pending: PendingList;
  readonly consumers = new Map<string, StreamConsumer>();
  /** Is shown every change while a snapshot writes the group in parts; else null. */
  keeper: PendingKeeper | null = null;
  /** Mark of the last such snapshot, in both halves; what came since has it from the start. */
  marks = 0;
  private readonly slots: (StreamConsumer | null)[] = [];
  private readonly freeSlots: number[] = [];

  constructor(arena: Arena, lastId: StreamId, entriesRead: number) {
    this.arena = arena;
    this.lastId.copy(lastId);
    this.entriesRead = entriesRead;
    this.pending = new PendingList(arena);
    this.countHeap(GROUP_HEAP_BYTES);
  }

  private countHeap(bytes: number): void {
    this.heapBytes += bytes;
    this.arena.besideBytes += bytes;
  }

  /** Adds a consumer whose name is new. */
  addConsumer(name: string, nowMs: number): StreamConsumer {
    const slot = this.freeSlots.pop() ?? this.slots.length;
    const pending = new PendingList(this.arena);
    const consumer = { name, slot, seenMs: nowMs, activeMs: -1, pending };
    this.slots[slot] = consumer;
    this.countHeap(CONSUMER_HEAP_BYTES);
    this.consumers.set(name, consumer);
    return consumer;
  }

  /** Removes a consumer with all that is pending for it. */
  removeConsumer(consumer: StreamConsumer): void {
    for (let one = consumer.pending.first(); one !== 0; one = consumer.pending.next()) {
      this.keeper?.changing(this, one);
      this.pending.remove(pendingId(this.arena, one, id));
    }
    consumer.pending.release(Number.POSITIVE_INFINITY, true);
    this.slots[consumer.slot] = null;
    this.freeSlots.push(consumer.slot);
    this.countHeap(-CONSUMER_HEAP_BYTES);
    this.consumers.delete(consumer.name);
  }

  /** The consumer of a pending entry, null when it has none. */
  consumerOf(address: number): StreamConsumer | null {
    const slot = pendingSlot(this.arena, address);
    return slot === NO_CONSUMER ? null : this.slots[slot]!;
  }

  /** The slot of the consumer of a pending entry, or NO_CONSUMER. */
  slotOf(address: number): number {
    return pendingSlot(this.arena, address);
  }

  /** Adds a pending entry to the group, and to a consumer if there is one. Its address. */
  addPending(of: StreamId, consumer: StreamConsumer | null, timeMs: number, count: number): number {
    const slot = consumer?.slot ?? NO_CONSUMER;
    const address = pendingCreate(this.arena, of, timeMs, count, slot, this.marks);
    this.pending.insert(address, of);
    consumer?.pending.insert(address, of);
    return address;
  }

  /** Makes a pending entry another consumer's. */
  movePending(address: number, consumer: StreamConsumer): void {
    const from = this.consumerOf(address);
    if (from === consumer) return;
    this.keeper?.changing(this, address);
    pendingId(this.arena, address, id);
    from?.pending.remove(id);
    consumer.pending.insert(address, id);
    pendingSetSlot(this.arena, address, consumer.slot);
  }

  /** A pending entry was delivered, or is said to be, at `timeMs`, for the `count`th time. */
  deliver(address: number, timeMs: number, count: number): void {
    this.keeper?.changing(this, address);
    pendingSetTime(this.arena, address, timeMs);
    pendingSetCount(this.arena, address, count);
  }

  /** Begins a snapshot in parts: what is pending has another mark than what comes from now on. */
  nextMark(keeper: PendingKeeper): void {
    this.keeper = keeper;
    let mark = (this.marks & MARK_MAX) + 1;
    if (mark > MARK_MAX) {
      for (let one = this.pending.first(); one !== 0; one = this.pending.next()) {
        pendingSetMarks(this.arena, one, 0);
      }
      mark = 1;
    }
    this.marks = (mark | (mark << 16)) >>> 0;
  }

  /** Removes the pending entry with this id. False when there is none. */
  removePending(of: StreamId): boolean {
    if (this.keeper !== null) {
      const there = this.pending.find(of);
      if (there !== 0) this.keeper.changing(this, there);
    }
    const address = this.pending.remove(of);
    if (address === 0) return false;
    this.consumerOf(address)?.pending.remove(of);
    this.arena.free(address);
    return true;
  }

  /** Names of the consumers in the order of their bytes. */
  consumerNames(): string[] {
    return [...this.consumers.keys()].sort(byBytes);
  }

  /** Frees about `limit` pending entries; true while some are left. */
  release(limit: number): boolean {
    for (const consumer of this.consumers.values()) {
      consumer.pending.release(Number.POSITIVE_INFINITY, false);
    }
    this.pending.release(limit, true);
    if (this.pending.size > 0) return true;
    this.countHeap(-this.heapBytes);
    return false;
  }

  clone(): StreamGroup {
    const { arena } = this;
    const copy = new StreamGroup(arena, this.lastId, this.entriesRead);
    for (const one of this.consumers.values()) {
      copy.addConsumer(one.name, one.seenMs).activeMs = one.activeMs;
    }
    for (let one = this.pending.first(); one !== 0; one = this.pending.next()) {
      const owner = this.consumerOf(one);
      const theirs = owner === null ? null : copy.consumers.get(owner.name)!;
      pendingId(arena, one, id);
      copy.addPending(id, theirs, pendingTime(arena, one), pendingCount(arena, one));
    }
    return copy;
  }

  /** Bytes of the arena that it takes. */
  memoryBytes(): number {
    let bytes = this.pending.chunkBytes();
    const first = this.pending.first();
    if (first !== 0) bytes += this.pending.size * this.arena.sizeOf(first);
    for (const one of this.consumers.values()) bytes += one.pending.chunkBytes();
    return bytes;
  }
}

/** Order of names, one character a byte. */
export function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
