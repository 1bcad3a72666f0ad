/** Loading hashes and sets from tables of an RDB, in pieces where they are large. */
import type { HashTable } from '../../core/types/hash-table.ts';
import { ByteView } from '../../core/value.ts';
import type { RdbError } from './rdb-error.ts';
import { HeldString } from './rdb-held.ts';
import { late, PieceLoad } from './rdb-pieces.ts';

const NO_BYTES = new Uint8Array(0);

// What of a large element is there: its field is being read, or is held; its entry is being filled.
const NOTHING = 0;
const FIELD = 1;
const FIELD_HELD = 2;
const ENTRY = 3;

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
    if (this.#hasValues && this.#open !== FIELD_HELD) {
      if (this.large.begins(this.reader, this.value)) {
        this.field.make(this.large.length);
        this.#open = FIELD;
        return false;
      }
      this.field.copy(this.value);
    }
    const isLarge = this.large.begins(this.reader, this.value);
    this.#open = isLarge ? ENTRY : NOTHING;
    return !isLarge;
  }

  protected element(table: HashTable): boolean {
    if (this.#open === ENTRY) return this.#fill(table);
    if (this.#open === FIELD) {
      if (this.large.fill(this.reader, this.field.bytes, 0)) this.#open = FIELD_HELD;
      return false;
    }
    if (!this.#next()) return false;
    const { field } = this;
    const { bytes, length, offset } = this.value;
    if (this.#hasValues) {
      table.setLate(late, field.bytes, 0, field.length, bytes, offset, length);
    } else {
      table.setLate(late, bytes, offset, length, NO_BYTES, 0, 0);
    }
    return true;
  }

  /** Reads the next piece of a value or a member to where it stays. */
  #fill(table: HashTable): boolean {
    const { field, large } = this;
    if (table.opened === 0) {
      if (this.#hasValues) table.open(field.bytes, 0, field.length, large.length);
      else table.openField(large.length);
      // What a large field was held in is not kept.
      field.make(0);
    }
    if (!large.fill(this.reader, table.arena.bytes(table.opened), table.openAt)) return false;
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
