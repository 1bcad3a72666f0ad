/**
 * Loading large hashes and sets in pieces, so that a server can answer in between.
 *
 *     start    an entry with an empty table is stored
 *     resume   some fields are read into it; the reader commits each, so that only one whose bytes
 *              are not all there yet is read again
 *
 * A payload in memory is not for this: it must leave nothing behind when it is damaged.
 */
import type { Database } from '../../core/database.ts';
import type { Keyspace } from '../../core/keyspace.ts';
import { LateEntries } from '../../core/late-entries.ts';
import { copyBytes } from '../../core/memory/copy.ts';
import { HashTable } from '../../core/types/hash-table.ts';
import { ByteView, ENC_HASHTABLE, TYPE_HASH } from '../../core/value.ts';
import { largeLength, takeLarge } from './rdb-block.ts';
import { RdbError } from './rdb-error.ts';
import type { RdbReader } from './rdb-reader.ts';
import { TableRoom } from './rdb-table-room.ts';

/** Collections of more fields than this are loaded in pieces, of so many fields at most. */
const PIECE_FIELDS = 512;
const FIRST_ROOM = 256;
const KEPT_ROOM = 1 << 20;
const NO_BYTES = new Uint8Array(0);

const fieldView = new ByteView();
const valueView = new ByteView();

/** The next string of a reader, copied, so that it lasts while the following one is read. */
export class HeldString {
  bytes = new Uint8Array(FIRST_ROOM);
  length = 0;

  read(reader: RdbReader): void {
    reader.string(fieldView);
    this.copy(fieldView);
  }

  copy(view: ByteView): void {
    const { length } = view;
    const tooLarge = this.bytes.length > KEPT_ROOM && length < KEPT_ROOM;
    if (length > this.bytes.length || tooLarge) {
      this.bytes = new Uint8Array(Math.max(length, FIRST_ROOM));
    }
    copyBytes(view.bytes, view.offset, this.bytes, 0, length);
    this.length = length;
  }
}

/**
 * Reads a value of so many bytes, of which `largeLength` was told, straight to where it stays in a
 * hash. False when the field is there already.
 */
export function readLarge(
  reader: RdbReader,
  table: HashTable,
  field: HeldString,
  length: number,
): boolean {
  const entry = table.open(field.bytes, 0, field.length, length);
  try {
    takeLarge(reader, table.arena.bytes(entry), table.openAt, length);
  } catch (error) {
    table.drop(entry);
    throw error;
  }
  return table.place(entry);
}

export class TableLoad {
  readonly #keyspace: Keyspace;
  readonly #reader: RdbReader;
  readonly #field = new HeldString();
  readonly #late = new LateEntries();
  readonly #room: TableRoom;
  #table: HashTable | null = null;
  #left = 0;
  #hasValues = false;

  constructor(keyspace: Keyspace, reader: RdbReader) {
    this.#keyspace = keyspace;
    this.#reader = reader;
    this.#room = new TableRoom(reader);
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
    this.#room.start();
    return keyspace.putLarge(db, key, offset, length, 0, type, ENC_HASHTABLE, table, false);
  }

  /** Reads some more fields. True when all are there. */
  resume(): boolean {
    const table = this.#table;
    if (table === null) return true;
    this.#room.enlarge(table.dict, this.#left);
    try {
      this.#piece(table);
    } catch (error) {
      // A fed reader that is hungry goes on here; anything else is the end of the load.
      if (!table.settle(this.#late)) throw this.#twice();
      if (error instanceof RdbError) this.#left = 0;
      throw error;
    }
    if (!table.settle(this.#late)) throw this.#twice();
    if (this.#left > 0) return false;
    this.#table = null;
    return true;
  }

  #piece(table: HashTable): void {
    const reader = this.#reader;
    for (let i = 0; i < PIECE_FIELDS && this.#left > 0; i++) {
      if (this.#late.isFull && !table.settle(this.#late)) throw this.#twice();
      if (this.#hasValues) this.#pair(table);
      else this.#member(table);
      reader.commit();
      this.#left--;
    }
  }

  #twice(): RdbError {
    this.#left = 0;
    this.#table = null;
    const what = this.#hasValues ? 'a field twice in a hash' : 'a member twice in a set';
    return this.#reader.fail(what);
  }

  #pair(table: HashTable): void {
    const field = this.#field;
    field.read(this.#reader);
    const large = largeLength(this.#reader);
    if (large >= 0) {
      if (!readLarge(this.#reader, table, field, large)) throw this.#twice();
      return;
    }
    this.#reader.string(valueView);
    const { bytes, length, offset } = valueView;
    table.setLate(this.#late, field.bytes, 0, field.length, bytes, offset, length);
  }

  #member(table: HashTable): void {
    this.#reader.string(valueView);
    const { bytes, length, offset } = valueView;
    table.setLate(this.#late, bytes, offset, length, NO_BYTES, 0, 0);
  }
}
