/**
 * The decoder: takes a value from an RDB straight into the keyspace.
 *
 * A type is added in one line of `decode`. Where the bytes lie at hand, the value is stored from
 * where it stands in the reader's buffer: no copy, nothing for the garbage collector. A large
 * string from a file or socket is read into its final place, a piece at a time: `decode` makes the
 * entry, `resume` brings the pieces, and the caller looks at its clock in between.
 */
import type { Database } from '../../core/database.ts';
import type { Keyspace } from '../../core/keyspace.ts';
import { stringSet } from '../../core/types/string.ts';
import { ByteView, ENC_RAW, TYPE_STRING } from '../../core/value.ts';
import {
  ENCODED_LZF,
  isObjectType,
  moduleName,
  RDB_HASH,
  RDB_HASH_LISTPACK,
  RDB_HASH_LISTPACK_EX,
  RDB_HASH_LISTPACK_EX_PRE_GA,
  RDB_HASH_METADATA,
  RDB_HASH_METADATA_PRE_GA,
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
  RDB_VERSION_MAX,
  RDB_ZSET,
  RDB_ZSET_2,
  RDB_ZSET_LISTPACK,
  RDB_ZSET_ZIPLIST,
  rdbTypeName,
} from './rdb-format.ts';
import { decodeExpiringHash, decodeHash } from './rdb-hash.ts';
import { LargeString } from './rdb-large.ts';
import { decodeList, ListLoad } from './rdb-list.ts';
import { PackedLoad } from './rdb-packed.ts';
import type { RdbReader } from './rdb-reader.ts';
import { decodeSet } from './rdb-set.ts';
import { decodeStream, StreamLoad } from './rdb-stream.ts';
import { TableLoad } from './rdb-table.ts';
import { decodeZset, ZsetLoad } from './rdb-zset.ts';

/** First bytes of a length below 16,384 end here. */
const SHORT_LENGTH_END = 0x80;
/** Those of integers begin here, and what is compressed has the one behind them. */
const INTEGER_FIRST = 0xc0;
const LZF_FIRST = INTEGER_FIRST + ENCODED_LZF;
const ENCODING_MASK = 0x3f;
const EMPTY = new Uint8Array(0);

/** A large collection that is loaded in pieces. */
interface CollectionLoad {
  /** Reads some more. True when all is there. */
  resume(): boolean;
}

export class ValueDecoder {
  /** The version of the file or payload. */
  version = RDB_VERSION_MAX;
  readonly #keyspace: Keyspace;
  readonly #reader: RdbReader;
  readonly #view = new ByteView();
  /** The block of the string that still comes, which stays where it is; 0 for none. */
  #openBlock: number;
  readonly #large = new LargeString();
  /** The large collection that still comes. */
  readonly #tables: TableLoad;
  readonly #lists: ListLoad;
  readonly #streams: StreamLoad;
  readonly #zsets: ZsetLoad;
  readonly #packed: PackedLoad;

  /**
   * `deep`: beside all that keeps the server safe, and lets what was loaded load again, the order
   * of a stream's entries is looked at.
   */
  constructor(keyspace: Keyspace, reader: RdbReader, deep: boolean) {
    this.#keyspace = keyspace;
    this.#reader = reader;
    this.#openBlock = 0;
    this.#tables = new TableLoad(reader);
    this.#lists = new ListLoad(keyspace, reader);
    this.#streams = new StreamLoad(reader, deep);
    this.#zsets = new ZsetLoad(reader);
    this.#packed = new PackedLoad(keyspace, reader);
  }

  /** Whether the last value is not complete yet. */
  get isOpen(): boolean {
    return this.#openBlock !== 0 || this.#open() !== null;
  }

  /** Whether `resume` has work to do that needs no more bytes. */
  get isMoving(): boolean {
    return this.#tables.isMoving || this.#packed.isMoving;
  }

  /** The large collection that is not complete yet, or null. */
  #open(): CollectionLoad | null {
    if (this.#tables.isOpen) return this.#tables;
    if (this.#lists.isOpen) return this.#lists;
    if (this.#zsets.isOpen) return this.#zsets;
    if (this.#packed.isOpen) return this.#packed;
    return this.#streams.isOpen ? this.#streams : null;
  }

  /**
   * Reads a value of this type and stores it under a key that does not exist. Returns the entry's
   * address, 0 for an empty collection, of which nothing is stored; while `isOpen` not all of the
   * value is there.
   */
  decode(db: Database, key: Uint8Array, offset: number, length: number, type: number): number {
    const keyspace = this.#keyspace;
    const reader = this.#reader;
    const packed = this.#packed;
    switch (type) {
      case RDB_STRING:
        return this.#string(db, key, offset, length);
      case RDB_LIST:
      case RDB_LIST_QUICKLIST:
      case RDB_LIST_QUICKLIST_2:
      case RDB_LIST_ZIPLIST:
        return decodeList(keyspace, reader, this.#lists, packed, db, key, offset, length, type);
      case RDB_SET:
      case RDB_SET_INTSET:
      case RDB_SET_LISTPACK:
        return decodeSet(keyspace, reader, this.#tables, packed, db, key, offset, length, type);
      case RDB_HASH:
      case RDB_HASH_LISTPACK:
      case RDB_HASH_ZIPLIST:
      case RDB_HASH_ZIPMAP:
        return decodeHash(keyspace, reader, this.#tables, packed, db, key, offset, length, type);
      case RDB_HASH_METADATA_PRE_GA:
      case RDB_HASH_LISTPACK_EX_PRE_GA:
      case RDB_HASH_METADATA:
      case RDB_HASH_LISTPACK_EX:
        return decodeExpiringHash(keyspace, reader, db, key, offset, length, type, this.version);
      case RDB_ZSET:
      case RDB_ZSET_2:
      case RDB_ZSET_LISTPACK:
      case RDB_ZSET_ZIPLIST:
        return decodeZset(keyspace, reader, this.#zsets, packed, db, key, offset, length, type);
      case RDB_STREAM_LISTPACKS:
      case RDB_STREAM_LISTPACKS_2:
      case RDB_STREAM_LISTPACKS_3:
        return decodeStream(keyspace, reader, this.#streams, db, key, offset, length, type);
      default:
        throw this.#refusal(type);
    }
  }

  /**
   * Whether the value that comes next is a short string or an integer, which `decode` takes at
   * once.
   */
  isShortString(type: number): boolean {
    const { at, buf, end } = this.#reader;
    if (type !== RDB_STRING || at === end) return false;
    const first = buf[at]!;
    return first < SHORT_LENGTH_END || (first >= INTEGER_FIRST && first < LZF_FIRST);
  }

  /** Reads on. True when the value is complete; false asks for another call, or for more bytes. */
  resume(): boolean {
    const open = this.#open();
    if (open !== null) return open.resume();
    const { arena } = this.#keyspace;
    const block = this.#openBlock;
    if (!this.#large.fill(this.#reader, arena.bytes(block), arena.byteOffset(block))) return false;
    this.#openBlock = 0;
    return true;
  }

  #string(db: Database, key: Uint8Array, keyOffset: number, keyLength: number): number {
    const reader = this.#reader;
    const keyspace = this.#keyspace;
    if (this.#comesAsInteger()) {
      const value = reader.encodedInteger(reader.byte() & ENCODING_MASK);
      return keyspace.putInteger(db, key, keyOffset, keyLength, 0, value, value >> 31, false);
    }
    const view = this.#view;
    if (this.#large.begins(reader, view)) return this.#openString(db, key, keyOffset, keyLength);
    const { bytes, length, offset } = view;
    return stringSet(keyspace, db, key, keyOffset, keyLength, 0, bytes, offset, length, false);
  }

  /** Whether an integer comes next. */
  #comesAsInteger(): boolean {
    const reader = this.#reader;
    if (reader.at === reader.end) reader.need(1);
    const first = reader.buf[reader.at]!;
    return first >= INTEGER_FIRST && first < LZF_FIRST;
  }

  /** Stores a string of which `#large` knows the length; of a payload in memory, all of it. */
  #openString(db: Database, key: Uint8Array, keyOffset: number, keyLength: number): number {
    const keyspace = this.#keyspace;
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
    const address = keyspace.resizeValue(db, empty, this.#large.length, 0);
    this.#openBlock = keyspace.valueBlock(address);
    if (!this.#reader.isWhole) return address;
    try {
      while (!this.resume());
    } catch (error) {
      keyspace.remove(db, address);
      throw error;
    }
    return address;
  }

  #refusal(type: number): Error {
    const reader = this.#reader;
    if (type === RDB_MODULE_2 || type === RDB_MODULE_PRE_GA) {
      const name = moduleName(reader.wideLength());
      return reader.fail(`data of the module type '${name}', which this server cannot load`);
    }
    if (!isObjectType(type)) return reader.fail(`a value of the unknown type ${type}`);
    return reader.fail(`a value of type ${type} (${rdbTypeName(type)}), which is not supported`);
  }
}
