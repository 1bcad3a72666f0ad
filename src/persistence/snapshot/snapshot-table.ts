/**
 * A table of many fields that is written while it goes on changing: the snapshot's walker and door
 * once more, on a smaller scale.
 *
 *     start   the number of fields is known, and the table's dict is divided into groups by the
 *             last bits of the hash, about as many as it has buckets
 *     walk    group after group that was not written yet is written
 *     door    whoever is about to set, add or remove a field has its group written first
 *
 * A group is some seven fields, so neither costs more than a few microseconds, whatever the size of
 * the table. The bits are those of the start: while the table grows or shrinks, a group stays the
 * same set of hashes, and a field that comes later comes into a group that was written before.
 *
 * A set that was a large intset a moment ago has integers that are not in the table yet
 * (core/types/waiting-integers.ts). Those that wait at the start are held, and written first, from
 * where they wait; what comes into the table from there is left out later:
 *
 *     walk    waited at the start ... | groups, without what waited at the start ...
 *
 * Until it is this table's turn in the file, what the door writes is kept aside: `writer` is the
 * owner's to change.
 */
import type { LargeValue } from '../../core/keyspace.ts';
import type { Arena } from '../../core/memory/arena.ts';
import type { Dict } from '../../core/struct/dict.ts';
import { touchEntries } from '../../core/struct/dict-ahead.ts';
import { type EntryDoor, entryKeyLength, entryKeyOffset } from '../../core/struct/entry.ts';
import { ElementView } from '../../core/types/element-view.ts';
import type { HeldIntegers } from '../../core/types/waiting-integers.ts';
import type { FrameWriter } from '../rdb/rdb-frame-writer.ts';

/** A large value whose entries stand in a dict and are written in any order. */
export interface TableValue extends LargeValue {
  readonly arena: Arena;
  /** The dict of the entries that are no waiting integers. */
  readonly settled: Dict;
  readonly count: number;
  door: EntryDoor | null;
  /** Members that wait to come into the dict, null when none do. */
  holdWaiting(): HeldIntegers | null;
}

/** How the entry of a table at an address is written: as so many strings. */
export interface EntryStrings {
  readonly count: number;
  /** Shows string `index` of the entry. */
  show(entry: number, index: number, view: ElementView): void;
}

/** A large value that is being written in parts. */
export interface PartsSnapshot {
  readonly value: LargeValue;
  /** Where the parts are written to. */
  writer: FrameWriter;
  /** Nobody else wants the value any more. */
  isTakenOver: boolean;
  /** Writes one more part. False when all are written. */
  walk(): boolean;
  /** Leaves the value alone from now on, written or not. */
  close(): void;
}

/** Integers that one step of the walk writes. */
const STEP_INTEGERS = 16;
/** Groups of a dict that is still to grow have so many entries in the end, or up to the double. */
const GROUP_ENTRIES_BITS = 2;

const integer = new ElementView();
const view = new ElementView();

export class TableSnapshot implements EntryDoor, PartsSnapshot {
  readonly value: TableValue;
  writer: FrameWriter;
  isTakenOver = false;
  readonly #strings: EntryStrings;
  readonly #bits: number;
  readonly #groups: number;
  readonly #written: Uint8Array;
  readonly #held: HeldIntegers | null;
  #next = 0;
  readonly #found: number[] = [];

  /** The table as it is now; its door is this one's until `close`. */
  constructor(table: TableValue, strings: EntryStrings, writer: FrameWriter) {
    this.value = table;
    this.writer = writer;
    this.#strings = strings;
    this.#held = table.holdWaiting();
    const bitsInTheEnd = 31 - Math.clz32(table.count >>> GROUP_ENTRIES_BITS);
    const { groupBits } = table.settled;
    this.#bits = this.#held === null ? groupBits : Math.max(groupBits, bitsInTheEnd);
    this.#groups = 2 ** this.#bits;
    this.#written = new Uint8Array(Math.ceil(this.#groups / 8));
    table.door = this;
  }

  changing(hash: number): void {
    this.#group((hash & (this.#groups - 1)) >>> 0);
  }

  walk(): boolean {
    if (this.#writesHeld()) return true;
    if (this.#next < this.#groups) this.#group(this.#next++);
    return this.#next < this.#groups;
  }

  close(): void {
    this.value.door = null;
    this.#held?.letGo();
  }

  /** Writes some of those that waited; false when those were the last, or none did. */
  #writesHeld(): boolean {
    for (let i = 0; i < STEP_INTEGERS; i++) {
      if (this.#held?.showNext(integer) !== true) return false;
      this.writer.string(integer.bytes, integer.offset, integer.length);
    }
    return true;
  }

  /** Whether an entry of the dict waited at the start: then it is written, or will be. */
  #hasWaited(entry: number): boolean {
    if (this.#held === null) return false;
    const { arena } = this.value;
    const offset = entryKeyOffset(arena, entry);
    return this.#held.has(arena.bytes(entry), offset, entryKeyLength(arena, entry));
  }

  #group(group: number): void {
    const bit = 1 << (group & 7);
    if ((this.#written[group >>> 3]! & bit) !== 0) return;
    this.#written[group >>> 3]! |= bit;
    const count = this.value.settled.groupInto(group, this.#bits, this.#found);
    touchEntries(this.value.arena, this.#found, count);
    for (let i = 0; i < count; i++) {
      const entry = this.#found[i]!;
      if (this.#hasWaited(entry)) continue;
      for (let index = 0; index < this.#strings.count; index++) {
        this.#strings.show(entry, index, view);
        this.writer.stringIn(entry, view.bytes, view.offset, view.length);
      }
    }
  }
}
