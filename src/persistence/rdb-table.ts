/**
 * Loading large hashes and sets in pieces, so that a server can answer in between.
 *
 *     start    an entry with an empty table is stored
 *     resume   some fields are read into it; the reader commits each, so that only one whose bytes
 *              are not all there yet is read again
 *
 * A payload in memory is not for this: it must leave nothing behind when it is damaged.
 */
import type { Database } from '../core/database.ts';
import type { Keyspace } from '../core/keyspace.ts';
import { copyBytes } from '../core/memory/copy.ts';
import { HashTable } from '../core/types/hash-table.ts';
import { ByteView, ENC_HASHTABLE, TYPE_HASH } from '../core/value.ts';
import type { RdbReader } from './rdb-reader.ts';

/** Collections of more fields than this are loaded in pieces, of so many fields at most. */
const PIECE_FIELDS = 512;
const FIRST_ROOM = 256;
const KEPT_ROOM = 1 << 20;

const fieldView = new ByteView();
const valueView = new ByteView();

/** The next string of a reader, copied, so that it lasts while the following one is read. */
export class HeldString {
  bytes = new Uint8Array(FIRST_ROOM);
  length = 0;

  read(reader: RdbReader): void {
    reader.string(fieldView);
    const { length } = fieldView;
    const tooLarge = this.bytes.length > KEPT_ROOM && length < KEPT_ROOM;
    if (length > this.bytes.length || tooLarge) {
      this.bytes = new Uint8Array(Math.max(length, FIRST_ROOM));
    }
    copyBytes(fieldView.bytes, fieldView.offset, this.bytes, 0, length);
    this.length = length;
  }
}

export class TableLoad {
  readonly #keyspace: Keyspace;
  readonly #reader: RdbReader;
  readonly #field = new HeldString();
  #table: HashTable | null = null;
  #left = 0;
  #hasValues = false;

  constructor(keyspace: Keyspace, reader: RdbReader) {
    this.#keyspace = keyspace;
    this.#reader = reader;
  }

  /** Whether fields are still to come. */
  get isOpen(): boolean {
    return this.#left > 0;
  }

  /** Whether a collection of `count` fields, which will be a table, is to be loaded in pieces. */
  suits(count: number): boolean {
    return count > PIECE_FIELDS && !this.#reader.isWhole;
  }

  /**
   * Stores an empty table of a type behind a key that does not exist. Returns the entry's address.
   */
  start(
    db: Database,
    key: Uint8Array,
    offset: number,
    length: number,
    type: number,
    count: number,
  ): number {
    const keyspace = this.#keyspace;
    const table = new HashTable(keyspace.arena, keyspace.seed);
    this.#table = table;
    this.#left = count;
    this.#hasValues = type === TYPE_HASH;
    return keyspace.putLarge(db, key, offset, length, 0, type, ENC_HASHTABLE, table, false);
  }

  /** Reads some more fields. True when all are there. */
  resume(): boolean {
    const reader = this.#reader;
    const table = this.#table;
    for (let i = 0; i < PIECE_FIELDS && this.#left > 0 && table !== null; i++) {
      const isNew = this.#hasValues ? this.#pair(table) : this.#member(table);
      if (!isNew) {
        this.#left = 0;
        throw reader.fail(this.#hasValues ? 'a field twice in a hash' : 'a member twice in a set');
      }
      reader.commit();
      this.#left--;
    }
    if (this.#left > 0) return false;
    this.#table = null;
    return true;
  }

  #pair(table: HashTable): boolean {
    const field = this.#field;
    field.read(this.#reader);
    this.#reader.string(valueView);
    const { bytes, length, offset } = valueView;
    return table.set(field.bytes, 0, field.length, bytes, offset, length);
  }

  #member(table: HashTable): boolean {
    this.#reader.string(valueView);
    return table.add(valueView.bytes, valueView.offset, valueView.length);
  }
}
