/**
 * The decoder: takes a value from an RDB straight into the keyspace.
 *
 * A type is added in one line of `decode`. Where the bytes lie at hand, the value is stored from
 * where it stands in the reader's buffer: no copy, nothing for the garbage collector. A large
 * string from a file or socket is read into its final place, a piece at a time: `decode` makes the
 * entry, `resume` brings the pieces, and the caller looks at its clock in between.
 */
import type { Database } from '../core/database.ts';
import type { Keyspace } from '../core/keyspace.ts';
import { stringSet } from '../core/types/string.ts';
import { ByteView, ENC_RAW, TYPE_STRING } from '../core/value.ts';
import {
  ENCODED_LZF,
  isObjectType,
  moduleName,
  RDB_HASH,
  RDB_HASH_LISTPACK,
  RDB_HASH_ZIPLIST,
  RDB_HASH_ZIPMAP,
  RDB_LIST,
  RDB_LIST_QUICKLIST,
  RDB_LIST_QUICKLIST_2,
  RDB_LIST_ZIPLIST,
  RDB_MODULE_2,
  RDB_MODULE_PRE_GA,
  RDB_SET,
  RDB_SET_INTSET,
  RDB_SET_LISTPACK,
  RDB_STREAM_LISTPACKS,
  RDB_STREAM_LISTPACKS_2,
  RDB_STREAM_LISTPACKS_3,
  RDB_STRING,
  RDB_ZSET,
  RDB_ZSET_2,
  RDB_ZSET_LISTPACK,
  RDB_ZSET_ZIPLIST,
  rdbTypeName,
} from './rdb-format.ts';
import { decodeHash } from './rdb-hash.ts';
import { decodeList, ListLoad } from './rdb-list.ts';
import type { RdbReader } from './rdb-reader.ts';
import { decodeSet } from './rdb-set.ts';
import { decodeStream } from './rdb-stream.ts';
import { TableLoad } from './rdb-table.ts';
import { decodeZset, ZsetLoad } from './rdb-zset.ts';

/** Strings of at least this many bytes are read in pieces. */
const PIECES_BYTES_MIN = 1 << 20;
const EMPTY = new Uint8Array(0);

export class ValueDecoder {
  readonly #keyspace: Keyspace;
  readonly #reader: RdbReader;
  readonly #view = new ByteView();
  /** The string that still comes: its block, which stays where it is, 0 for none. */
  #openBlock: number;
  #openFilled: number;
  #openLength: number;
  /** The large collection that still comes. */
  readonly #tables: TableLoad;
  readonly #lists: ListLoad;
  readonly #zsets: ZsetLoad;

  constructor(keyspace: Keyspace, reader: RdbReader) {
    this.#keyspace = keyspace;
    this.#reader = reader;
    this.#openBlock = 0;
    this.#openFilled = 0;
    this.#openLength = 0;
    this.#tables = new TableLoad(keyspace, reader);
    this.#lists = new ListLoad(keyspace, reader);
    this.#zsets = new ZsetLoad(keyspace, reader);
  }

  /** Whether the last value is not complete yet. */
  get isOpen(): boolean {
    if (this.#openBlock !== 0) return true;
    return this.#tables.isOpen || this.#lists.isOpen || this.#zsets.isOpen;
  }

  /**
   * Reads a value of this type and stores it under a key that does not exist. Returns the entry's
   * address, 0 for an empty collection, of which nothing is stored; while `isOpen` not all of the
   * value is there.
   */
  decode(
    db: Database,
    key: Uint8Array,
    keyOffset: number,
    keyLength: number,
    type: number,
  ): number {
    switch (type) {
      case RDB_STRING:
        return this.#string(db, key, keyOffset, keyLength);
      case RDB_LIST:
      case RDB_LIST_QUICKLIST:
      case RDB_LIST_QUICKLIST_2:
      case RDB_LIST_ZIPLIST:
        return decodeList(
          this.#keyspace,
          this.#reader,
          this.#lists,
          db,
          key,
          keyOffset,
          keyLength,
          type,
        );
      case RDB_SET:
      case RDB_SET_INTSET:
      case RDB_SET_LISTPACK:
        return decodeSet(
          this.#keyspace,
          this.#reader,
          this.#tables,
          db,
          key,
          keyOffset,
          keyLength,
          type,
        );
      case RDB_HASH:
      case RDB_HASH_LISTPACK:
      case RDB_HASH_ZIPLIST:
      case RDB_HASH_ZIPMAP:
        return decodeHash(
          this.#keyspace,
          this.#reader,
          this.#tables,
          db,
          key,
          keyOffset,
          keyLength,
          type,
        );
      case RDB_ZSET:
      case RDB_ZSET_2:
      case RDB_ZSET_LISTPACK:
      case RDB_ZSET_ZIPLIST:
        return this.#zset(db, key, keyOffset, keyLength, type);
      case RDB_STREAM_LISTPACKS:
      case RDB_STREAM_LISTPACKS_2:
      case RDB_STREAM_LISTPACKS_3:
        return decodeStream(this.#keyspace, this.#reader, db, key, keyOffset, keyLength, type);
      default:
        throw this.#refusal(type);
    }
  }

  /** Reads on. True when the value is complete; false asks for another call, or for more bytes. */
  resume(): boolean {
    if (this.#tables.isOpen) return this.#tables.resume();
    if (this.#lists.isOpen) return this.#lists.resume();
    if (this.#zsets.isOpen) return this.#zsets.resume();
    const { arena } = this.#keyspace;
    const bytes = arena.bytes(this.#openBlock);
    const at = arena.byteOffset(this.#openBlock) + this.#openFilled;
    this.#openFilled += this.#reader.take(bytes, at, this.#openLength - this.#openFilled);
    if (this.#openFilled < this.#openLength) return false;
    this.#openBlock = 0;
    return true;
  }

  #string(db: Database, key: Uint8Array, keyOffset: number, keyLength: number): number {
    const reader = this.#reader;
    const length = reader.lengthOrEncoding();
    if (length >= 0) {
      if (length >= PIECES_BYTES_MIN && !reader.isWhole) {
        return this.#openString(db, key, keyOffset, keyLength, length);
      }
      reader.need(length);
      const { buf, at } = reader;
      reader.at += length;
      return stringSet(this.#keyspace, db, key, keyOffset, keyLength, 0, buf, at, length, false);
    }
    if (length !== -1 - ENCODED_LZF) {
      const value = reader.encodedInteger(-1 - length);
      const high = value >> 31;
      return this.#keyspace.putInteger(db, key, keyOffset, keyLength, 0, value, high, false);
    }
    const view = this.#view;
    reader.compressed(view);
    const { bytes, offset } = view;
    return stringSet(
      this.#keyspace,
      db,
      key,
      keyOffset,
      keyLength,
      0,
      bytes,
      offset,
      view.length,
      false,
    );
  }

  #zset(db: Database, key: Uint8Array, offset: number, length: number, type: number): number {
    return decodeZset(this.#keyspace, this.#reader, this.#zsets, db, key, offset, length, type);
  }

  #openString(
    db: Database,
    key: Uint8Array,
    keyOffset: number,
    keyLength: number,
    length: number,
  ): number {
    const keyspace = this.#keyspace;
    if (length > this.#reader.bytesLeftMax) {
      throw this.#reader.fail(`a string of ${length} bytes, more than are left`);
    }
    const empty = keyspace.putBytes(
      db,
      key,
      keyOffset,
      keyLength,
      0,
      TYPE_STRING,
      ENC_RAW,
      EMPTY,
      0,
      0,
      false,
    );
    const address = keyspace.resizeValue(db, empty, length, 0);
    this.#openBlock = keyspace.valueBlock(address);
    this.#openFilled = 0;
    this.#openLength = length;
    return address;
  }

  #refusal(type: number): Error {
    const reader = this.#reader;
    if (type === RDB_MODULE_2) {
      const name = moduleName(reader.wideLength());
      return reader.fail(`data of the module type '${name}', which this server cannot load`);
    }
    if (type === RDB_MODULE_PRE_GA || !isObjectType(type)) {
      return reader.fail(`a value of the unknown type ${type}`);
    }
    return reader.fail(`a value of type ${type} (${rdbTypeName(type)}), which is not supported`);
  }
}
