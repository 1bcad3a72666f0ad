/**
 * The "hashtable" encoding of large hashes and sets: a dict with one arena block a field, which
 * holds its value as well (hash-entry.ts draws it).
 *
 * A field of 16 bytes with a value of 16 takes 40 bytes and its share of the table, about 10.
 *
 * Entries are named by their address, which is theirs until the field is set anew or removed.
 * `entryBytes` is exact at every moment, so that nobody has to walk the table to know its size.
 *
 * A set that was a large intset has integers that wait (waiting-integers.ts): `settleSome` brings
 * them in, and whoever asks for `dict`, to walk over all there is, brings in the rest first.
 *
 * Limits: 2^32 - 1 fields; fields and values up to 2^32 - 1 bytes together.
 */
import type { LargeValue } from '../keyspace.ts';
import { LateEntries } from '../late-entries.ts';
import { Arena } from '../memory/arena.ts';
import { copyBytes } from '../memory/copy.ts';
import { Dict } from '../struct/dict.ts';
import { collectAhead, hashAhead } from '../struct/dict-ahead.ts';
import { type EntryDoor, entryKeyLength, entryKeyOffset, OWNER_SHIFT } from '../struct/entry.ts';
import type { HashSeed } from '../struct/key-hash.ts';
import { ElementView } from './element-view.ts';
import {
  fieldWords,
  putHead,
  valueLengthOf,
  valueOffsetOf,
  WIDE_VALUE,
  withValueLength,
} from './hash-entry.ts';
import { type HeldIntegers, WaitingIntegers } from './waiting-integers.ts';

const NO_BYTES = new Uint8Array(0);
/** Entries that a walk collects together, so that the waits for their memory overlap. */
export const ENTRIES_AHEAD = 24;
/** The hashes of the entries that a walk has collected. */
const hashes: number[] = [];
/** Entries that the table is made larger by while one of those that wait is brought in. */
const RESERVED_AHEAD = 8;
const integer = new ElementView();
const settling = new LateEntries();

/** Its objects on the heap of V8, measured with 3 and with 40 members that were walked over. */
const HEAP_BYTES = 590;

export class HashTable implements LargeValue {
  readonly arena: Arena;
  /** Bytes of all entries, without the table. */
  entryBytes = 0;
  /** Sees every field before it changes, while a snapshot walks over this table. */
  door: EntryDoor | null = null;
  /** The entry that is being filled and stands nowhere yet, 0 for none; where its field begins. */
  opened = 0;
  openAt = 0;
  private readonly seed: HashSeed;
  /** The dict of the entries that are no waiting integers. */
  readonly settled: Dict;
  private waiting: WaitingIntegers | null = null;
  /** Entries that there is room for, while some wait. */
  private reserved = 0;

  constructor(arena: Arena, seed: HashSeed) {
    this.arena = arena;
    this.seed = seed;
    this.settled = new Dict(arena, seed);
  }

  /** The dict of all fields. */
  get dict(): Dict {
    if (this.waiting !== null) while (this.settleSome(this.waiting.count));
    return this.settled;
  }

  /** Number of fields. */
  get count(): number {
    const { count } = this.settled;
    return this.waiting === null ? count : count + this.waiting.count;
  }

  /** Address of the entry of a field, or 0. */
  find(field: Uint8Array, offset: number, length: number): number {
    const found = this.settled.find(field, offset, length);
    if (found !== 0 || this.waiting === null) return found;
    if (!this.waiting.take(field, offset, length)) return 0;
    const fresh = this.build(field, offset, length, NO_BYTES, 0, 0);
    this.settled.insert(fresh, this.settled.hashOf(fresh));
    return fresh;
  }

  /** Sets a field to a value. Whether the field is new. */
  set(
    field: Uint8Array,
    fieldOffset: number,
    fieldLength: number,
    value: Uint8Array,
    valueOffset: number,
    valueLength: number,
  ): boolean {
    const hash = this.dict.hash(field, fieldOffset, fieldLength);
    if (this.door !== null) this.door.changing(hash);
    const old = this.dict.findHashed(field, fieldOffset, fieldLength, hash);
    if (old !== 0 && this.setInPlace(old, value, valueOffset, valueLength)) return false;
    const fresh = this.build(field, fieldOffset, fieldLength, value, valueOffset, valueLength);
    if (old === 0) {
      this.dict.insert(fresh, hash);
      return true;
    }
    this.dict.replaceFound(fresh);
    this.drop(old);
    return false;
  }

  /**
   * Sets the value of the field whose entry is at `address`, when it goes without a new entry and
   * nobody has to see it first. False when not: then `set` does it.
   */
  setAt(address: number, value: Uint8Array, offset: number, length: number): boolean {
    return this.door === null && this.setInPlace(address, value, offset, length);
  }

  /** Adds a field without a value, a member of a set. False when it is there already. */
  add(member: Uint8Array, offset: number, length: number): boolean {
    const { settled, waiting } = this;
    const hash = settled.hash(member, offset, length);
    if (this.door !== null) this.door.changing(hash);
    if (settled.findHashed(member, offset, length, hash) !== 0) return false;
    if (waiting?.has(member, offset, length)) return false;
    settled.insert(this.build(member, offset, length, NO_BYTES, 0, 0), hash);
    return true;
  }

  /** Makes room for so many fields at once, unless some wait: they see to it themselves. */
  reserve(fields: number): void {
    if (this.waiting === null) this.settled.reserve(fields);
  }

  // ---------------------------------------------------------------- those that wait

  /** Has the integers of an intset wait, which are the members of this table without any. */
  await(bytes: Uint8Array, base: number): void {
    this.waiting = new WaitingIntegers(this.arena, bytes, base);
  }

  /**
   * Brings in up to `limit` of those that wait; true while some are left. The table grows first, a
   * little in each call: as long as there is hardly anything in it, that moves nothing.
   */
  settleSome(limit: number): boolean {
    const { settled, waiting } = this;
    if (waiting === null) return false;
    const wanted = this.count + 1;
    if (this.reserved < wanted) {
      this.reserved = Math.min(wanted, this.reserved + limit * RESERVED_AHEAD);
      settled.reserve(this.reserved);
      return true;
    }
    for (let i = 0; i < limit && waiting.takeNext(integer); i++) {
      if (settling.isFull) this.settle(settling);
      const { bytes, length, offset } = integer;
      this.setLate(settling, bytes, offset, length, bytes, offset, 0);
    }
    this.settle(settling);
    if (waiting.count > 0) return true;
    waiting.free();
    this.waiting = null;
    return false;
  }

  /** Holds the integers that wait now, for a snapshot to keep; null when none do. */
  holdWaiting(): HeldIntegers | null {
    return this.waiting === null ? null : this.waiting.hold();
  }

  // ---------------------------------------------------------------- many at once

  /** Like `set` of a field that is new, for a loader: it stands in the table after `settle`. */
  setLate(
    late: LateEntries,
    field: Uint8Array,
    fieldOffset: number,
    fieldLength: number,
    value: Uint8Array,
    valueOffset: number,
    valueLength: number,
  ): void {
    const fresh = this.build(field, fieldOffset, fieldLength, value, valueOffset, valueLength);
    late.add(this.settled, fresh);
  }

  /** Adds the entries of another table of the same seed; of a field that is here already, none. */
  addAll(other: HashTable): void {
    const { arena, dict } = this;
    const isEmpty = dict.count === 0;
    if (isEmpty) dict.reserve(other.count);
    let cursor = 0;
    do {
      cursor = collectAhead(other.dict, arena, cursor, ENTRIES_AHEAD);
      const { collected, collectedCount } = other.dict;
      hashAhead(dict, arena, collected, collectedCount, hashes);
      for (let i = 0; i < collectedCount; i++) {
        const from = collected[i]!;
        const hash = hashes[i]!;
        if (!isEmpty && this.holdsKeyOf(from, hash)) continue;
        if (this.door !== null) this.door.changing(hash);
        const length = other.lengthOf(from);
        const to = this.take(length);
        const bytes = arena.bytes(to);
        copyBytes(arena.bytes(from), arena.byteOffset(from), bytes, arena.byteOffset(to), length);
        dict.insert(to, hash);
      }
    } while (cursor !== 0);
  }

  private holdsKeyOf(entry: number, hash: number): boolean {
    const { arena } = this;
    const offset = entryKeyOffset(arena, entry);
    const length = entryKeyLength(arena, entry);
    return this.dict.findHashed(arena.bytes(entry), offset, length, hash) !== 0;
  }

  /** Puts what waits into the table. False, with the rest dropped, when a field comes twice. */
  settle(late: LateEntries): boolean {
    const settled = late.settle(this.settled, this.arena);
    const isNew = late.count === 0;
    for (let i = settled; i < late.count; i++) this.drop(late.addressAt(i));
    late.count = 0;
    return isNew;
  }

  /** Removes a field. False when there is none. */
  remove(field: Uint8Array, offset: number, length: number): boolean {
    const { settled, waiting } = this;
    const hash = settled.hash(field, offset, length);
    if (this.door !== null) this.door.changing(hash);
    const address = settled.findHashed(field, offset, length, hash);
    if (address === 0) return waiting?.take(field, offset, length) ?? false;
    settled.removeFound();
    this.drop(address);
    return true;
  }

  /** Removes the field whose entry is at `address`. */
  removeEntry(address: number): void {
    if (this.door !== null) this.door.changing(this.settled.hashOf(address));
    this.settled.removeAddress(address);
    this.drop(address);
  }

  /** Shows the field of the entry at `address`. */
  showField(address: number, view: ElementView): void {
    const { arena } = this;
    view.show(arena.bytes(address), entryKeyOffset(arena, address), entryKeyLength(arena, address));
  }

  /** Shows the value of the entry at `address`. */
  showValue(address: number, view: ElementView): void {
    const { arena } = this;
    const offset = valueOffsetOf(arena, address);
    view.show(arena.bytes(address), offset, valueLengthOf(arena, address));
  }

  // ---------------------------------------------------------------- as a large value

  release(limit: number): boolean {
    this.waiting?.free();
    this.waiting = null;
    if (this.opened !== 0) this.drop(this.opened);
    this.opened = 0;
    const more = this.settled.drain(limit);
    const { collected, collectedCount } = this.settled;
    for (let i = 0; i < collectedCount; i++) this.drop(collected[i]!);
    return more;
  }

  clone(): HashTable {
    const copy = new HashTable(this.arena, this.seed);
    copy.addAll(this);
    return copy;
  }

  get heapBytes(): number {
    return HEAP_BYTES;
  }

  memoryBytes(): number {
    const waitingBytes = this.waiting?.blockBytes ?? 0;
    return this.settled.overheadBytes + this.entryBytes + waitingBytes;
  }

  // ---------------------------------------------------------------- entries

  private build(
    field: Uint8Array,
    fieldOffset: number,
    fieldLength: number,
    value: Uint8Array,
    valueOffset: number,
    valueLength: number,
  ): number {
    const address = this.make(fieldLength, valueLength);
    const bytes = this.arena.bytes(address);
    copyBytes(field, fieldOffset, bytes, this.openAt, fieldLength);
    copyBytes(value, valueOffset, bytes, this.openAt + fieldLength, valueLength);
    return address;
  }

  /** Makes an entry whose field, and its value behind it, are to be written at `openAt`. */
  private make(fieldLength: number, valueLength: number): number {
    const words = fieldWords(fieldLength, valueLength);
    const address = this.take(words * 4 + fieldLength + valueLength);
    this.openAt = putHead(this.arena, address, words, fieldLength, valueLength);
    return address;
  }

  /**
   * Opens an entry. The caller writes the field at `openAt` in the bytes of `opened`, and the value
   * behind it, and then calls `place`.
   */
  openEntry(fieldLength: number, valueLength: number): void {
    this.opened = this.make(fieldLength, valueLength);
  }

  /** Adds the entry that is open. False, and it is dropped, when its field is here already. */
  place(): boolean {
    const entry = this.opened;
    const hash = this.dict.hashOf(entry);
    if (this.door !== null) this.door.changing(hash);
    const isNew = !this.holdsKeyOf(entry, hash);
    this.opened = 0;
    if (isNew) this.dict.insert(entry, hash);
    else this.drop(entry);
    return isNew;
  }

  /**
   * Whether the value fits into the block that the old one is in, which nobody else reads; if so,
   * it is there now.
   */
  private setInPlace(
    address: number,
    value: Uint8Array,
    valueOffset: number,
    valueLength: number,
  ): boolean {
    const { arena } = this;
    if (arena.isLent(address)) return false;
    const words = arena.words(address);
    const at = arena.wordOffset(address);
    const head = words[at]!;
    const wide = valueLength >= WIDE_VALUE;
    if (wide !== head >>> OWNER_SHIFT >= WIDE_VALUE) return false;
    const to = entryKeyOffset(arena, address) + entryKeyLength(arena, address);
    const size = to - (at << 2) + valueLength;
    if (Arena.roundUp(size) !== arena.sizeOf(address)) return false;
    words[at] = withValueLength(head, valueLength);
    if (wide) words[at + 1] = valueLength;
    copyBytes(value, valueOffset, arena.bytes(address), to, valueLength);
    return true;
  }

  /** Bytes of an entry, without the slack of its block. */
  private lengthOf(address: number): number {
    const { arena } = this;
    const field = entryKeyOffset(arena, address) - arena.byteOffset(address);
    return field + entryKeyLength(arena, address) + valueLengthOf(arena, address);
  }

  private take(size: number): number {
    const address = this.arena.alloc(size);
    this.entryBytes += this.arena.sizeOf(address);
    return address;
  }

  /** Frees an entry that is not in the table, or not any more. */
  private drop(address: number): void {
    this.entryBytes -= this.arena.sizeOf(address);
    this.arena.free(address);
  }
}
