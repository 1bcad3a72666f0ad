/** Loading hashes and sets from tables of an RDB, in pieces where they are large. */
import { copyBytes } from '../../core/memory/copy.ts';
import type { HashTable } from '../../core/types/hash-table.ts';
import { ByteView } from '../../core/value.ts';
import { AsideString } from './rdb-aside.ts';
import type { RdbError } from './rdb-error.ts';
import { HeldString } from './rdb-held.ts';
import { late, PieceLoad } from './rdb-pieces.ts';

const NO_BYTES = new Uint8Array(0);

// What of a large element comes next: its field, which is large and waits aside for the value; the
// value behind such a field; a value or a member, which is large; the field, from aside.
const NOTHING = 0;
const FIELD = 1;
const BEHIND_FIELD = 2;
const VALUE = 3;
const MOVE = 4;

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
  /** A large field; the bytes before the large value that is being read. */
  readonly #aside = new AsideString();
  #fieldLength = 0;

  /** Whether a field moves from aside to its place, for which no bytes are read. */
  get isMoving(): boolean {
    return this.#open === MOVE;
  }

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
    this.#aside.drop();
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
        this.#aside.open(this.large.length);
        return false;
      }
      this.field.copy(this.value);
    }
    if (!this.large.begins(this.reader, this.value)) return true;
    this.#open = VALUE;
    return false;
  }

  protected element(table: HashTable): boolean {
    switch (this.#open) {
      case FIELD:
        if (this.large.fill(this.reader, this.#aside.bytes, 0)) this.#open = BEHIND_FIELD;
        return false;
      case VALUE:
        return this.#fillValue(table);
      case MOVE:
        return (
          this.#aside.move(table.arena.bytes(table.opened), table.openAt) && this.#place(table)
        );
      case BEHIND_FIELD:
        this.#behindField(table);
        return false;
      default:
        return this.#next() && this.#add(table);
    }
  }

  /** Adds what `#next` has read. */
  #add(table: HashTable): boolean {
    const { field } = this;
    const { bytes, length, offset } = this.value;
    if (this.#hasValues) {
      table.setLate(late, field.bytes, 0, field.length, bytes, offset, length);
    } else {
      table.setLate(late, bytes, offset, length, NO_BYTES, 0, 0);
    }
    return true;
  }

  /** Reads the value of a field that waits aside: all of it is at hand, or it is large. */
  #behindField(table: HashTable): void {
    if (!this.#next()) return;
    const { bytes, length, offset } = this.value;
    const fieldLength = this.#aside.length;
    table.openEntry(fieldLength, length);
    const to = table.arena.bytes(table.opened);
    copyBytes(bytes, offset, to, table.openAt + fieldLength, length);
    this.#open = MOVE;
  }

  /** Reads the next piece of a value or a member to where it stays. */
  #fillValue(table: HashTable): boolean {
    const { large } = this;
    if (table.opened === 0) this.#openEntry(table, large.length);
    const bytes = table.arena.bytes(table.opened);
    if (!large.fill(this.reader, bytes, table.openAt + this.#fieldLength)) return false;
    if (this.#aside.length === 0) return this.#place(table);
    this.#open = MOVE;
    return false;
  }

  /** Opens the entry of a value or a member of this length, and writes a field that is at hand. */
  #openEntry(table: HashTable, length: number): void {
    const { field } = this;
    const isAside = this.#aside.length > 0;
    this.#fieldLength = isAside ? this.#aside.length : this.#hasValues ? field.length : 0;
    if (this.#hasValues) table.openEntry(this.#fieldLength, length);
    else table.openEntry(length, 0);
    if (!this.#hasValues || isAside) return;
    copyBytes(field.bytes, 0, table.arena.bytes(table.opened), table.openAt, field.length);
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
