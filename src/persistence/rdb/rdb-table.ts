/** Loading hashes and sets from tables of an RDB, in pieces where they are large. */

import { copyBytes } from '../../core/memory/copy.ts';
import type { HashTable } from '../../core/types/hash-table.ts';
import { STRING_BYTES_MAX } from '../../core/types/string.ts';
import { ByteView } from '../../core/value.ts';
import type { RdbError } from './rdb-error.ts';
import { HeldString } from './rdb-held.ts';
import { late, PieceLoad } from './rdb-pieces.ts';

const NO_BYTES = new Uint8Array(0);

// What of a large element comes next: its field, which is large; the value behind such a field; a
// value or a member, which is large.
const NOTHING = 0;
const FIELD = 1;
const BEHIND_FIELD = 2;
const VALUE = 3;
/** An eighth of a large field is room for its value, whose length is not known before it comes. */
const ROOM_SHIFT = 3;

/** A hash or set that is not stored yet. */
interface Builder {
  /** The collection, which is a table from now on. */
  asTable(): HashTable;
  discard(): void;
}

export class TableLoad extends PieceLoad<HashTable> {
  /** The field that was read last, and its value; of a set, the member is the value. */
  readonly field = new HeldString();
  readonly value = new ByteView();
  #hasValues = false;
  #open = NOTHING;

  /**
   * Begins to read `count` fields with values, or members, into a builder: those of a small
   * collection are brought by `add`, which is false when one is there already. Of a payload in
   * memory, all are read. The builder is to be stored then, and while this `isOpen` the rest comes.
   */
  build(
    builder: Builder,
    count: number,
    hasValues: boolean,
    isTable: boolean,
    add: (load: TableLoad) => boolean,
  ): void {
    this.#hasValues = hasValues;
    this.#open = NOTHING;
    let left = count;
    try {
      if (!isTable || !this.suits(count)) {
        for (; left > 0 && this.#next(); left--) if (!add(this)) throw this.twice();
      }
      if (left > 0) this.start(builder.asTable(), left);
      if (this.reader.isWhole) while (!this.resume());
    } catch (error) {
      builder.discard();
      throw error;
    }
  }

  /** Reads the next element. False when a part of it is large: that has begun. */
  #next(): boolean {
    if (this.#hasValues && this.#open !== BEHIND_FIELD) {
      if (this.large.begins(this.reader, this.value)) {
        this.#open = FIELD;
        return false;
      }
      this.field.copy(this.value);
    }
    if (!this.large.begins(this.reader, this.value)) return true;
    this.#open = VALUE;
    return false;
  }

  protected element(table: HashTable): boolean {
    if (this.#open === FIELD) return this.#fillField(table);
    if (this.#open === VALUE) return this.#fillValue(table);
    const isWhole = this.#next();
    if (table.opened !== 0) return this.#behindField(table, isWhole);
    if (!isWhole) return false;
    const { field } = this;
    const { bytes, length, offset } = this.value;
    if (this.#hasValues) {
      table.setLate(late, field.bytes, 0, field.length, bytes, offset, length);
    } else {
      table.setLate(late, bytes, offset, length, NO_BYTES, 0, 0);
    }
    return true;
  }

  /** Reads the next piece of a field to where it stays; its value is still to come. */
  #fillField(table: HashTable): boolean {
    const { length } = this.large;
    if (table.opened === 0) {
      table.openField(length, Math.min(length >>> ROOM_SHIFT, STRING_BYTES_MAX - length));
    }
    if (this.#fill(table)) this.#open = BEHIND_FIELD;
    return false;
  }

  /** The value of a field that stands where it stays: all of it is at hand, or it is large. */
  #behindField(table: HashTable, isWhole: boolean): boolean {
    const { bytes, length, offset } = this.value;
    table.openValue(isWhole ? length : this.large.length);
    if (!isWhole) return false;
    copyBytes(bytes, offset, table.arena.bytes(table.opened), table.openAt, length);
    return this.#place(table);
  }

  /** Reads the next piece of a value or a member to where it stays. */
  #fillValue(table: HashTable): boolean {
    if (table.opened === 0) {
      const { field, large } = this;
      if (!this.#hasValues) table.openField(large.length, 0);
      else {
        table.openField(field.length, large.length);
        copyBytes(field.bytes, 0, table.arena.bytes(table.opened), table.openAt, field.length);
        table.openValue(large.length);
      }
    }
    return this.#fill(table) && this.#place(table);
  }

  #fill(table: HashTable): boolean {
    return this.large.fill(this.reader, table.arena.bytes(table.opened), table.openAt);
  }

  #place(table: HashTable): boolean {
    this.#open = NOTHING;
    if (!table.place()) throw this.twice();
    return true;
  }

  protected twice(): RdbError {
    return this.reader.fail(
      this.#hasValues ? 'a field twice in a hash' : 'a member twice in a set',
    );
  }
}
