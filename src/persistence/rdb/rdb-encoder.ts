/**
 * The encoder: says the keyspace in RDB, byte for byte as Redis would.
 *
 * It knows what stands in an RDB (rdb-format.ts) and in which order; how frames carry it, and who
 * compresses and sums, is the writer's business. Versions:
 *
 *     9    only what Redis 5 knows
 *     10   what Redis 7.0 writes; every server since loads it
 *     11   adds what Redis 7.2 keeps
 *
 * Function libraries are written in every version, since nothing may be lost silently: a server
 * before 7.0 refuses a file of version 9 with them, so whoever saves one says so in the log, and
 * rdb-convert.ts leaves them out.
 *
 * A type is added in two lines, one in `typeByte` and one in `emitValue`.
 */
import type { Database } from '../../core/database.ts';
import type { Keyspace } from '../../core/keyspace.ts';
import { writeInt64 } from '../../core/text/integer.ts';
import { latin1Bytes } from '../../core/text/latin1.ts';
import { lfuDecayed, lruIdleSeconds } from '../../core/usage.ts';
import {
  ENC_INT,
  encodingOf,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STREAM,
  TYPE_STRING,
  TYPE_ZSET,
  typeOf,
} from '../../core/value.ts';
import {
  OP_AUX,
  OP_EOF,
  OP_EXPIRETIME_MS,
  OP_FREQ,
  OP_FUNCTION2,
  OP_IDLE,
  OP_RESIZEDB,
  OP_SELECTDB,
  RDB_STRING,
} from './rdb-format.ts';
import type { FrameWriter } from './rdb-frame-writer.ts';
import { emitHash, hashTypeByte } from './rdb-hash.ts';
import { emitList, listTypeByte } from './rdb-list-write.ts';
import { emitSet, setTypeByte } from './rdb-set.ts';
import { emitStream, streamTypeByte } from './rdb-stream-write.ts';
import { emitZset, zsetTypeByte } from './rdb-zset.ts';

/** The versions that can be written. */
export type RdbWriteVersion = 9 | 10 | 11;

/** What an entry's use is written as: by the eviction policy, an LRU's, an LFU's, or nothing. */
export type UsageKind = 'lru' | 'lfu' | 'none';

export interface RdbEncoderOptions {
  readonly version: RdbWriteVersion;
  readonly usage: UsageKind;
}

const digits = new Uint8Array(24);

export class RdbEncoder {
  readonly #keyspace: Keyspace;
  readonly #writer: FrameWriter;
  readonly #version: RdbWriteVersion;
  readonly #usage: UsageKind;

  constructor(keyspace: Keyspace, writer: FrameWriter, options: RdbEncoderOptions) {
    this.#keyspace = keyspace;
    this.#writer = writer;
    this.#version = options.version;
    this.#usage = options.usage;
  }

  /** What an RDB begins with; `aux` in its order, then the source of every function library. */
  header(aux: Readonly<Record<string, string>>, functions: readonly Uint8Array[]): void {
    const writer = this.#writer;
    const magic = latin1Bytes(`REDIS${String(this.#version).padStart(4, '0')}`);
    writer.bytes(magic, 0, magic.length);
    for (const [name, value] of Object.entries(aux)) {
      writer.byte(OP_AUX);
      for (const text of [name, value]) {
        const bytes = latin1Bytes(text);
        writer.string(bytes, 0, bytes.length);
      }
    }
    for (const source of functions) {
      writer.byte(OP_FUNCTION2);
      writer.string(source, 0, source.length);
    }
  }

  /** Writes that what follows is in database `id`. */
  selectDb(id: number): void {
    this.#writer.byte(OP_SELECTDB);
    this.#writer.length(id);
  }

  /** Writes a hint for the loader: how many keys of this database follow, and how many expire. */
  resizeDb(keys: number, expires: number): void {
    this.#writer.byte(OP_RESIZEDB);
    this.#writer.length(keys);
    this.#writer.length(expires);
  }

  /** The end; the checksum is the assembler's. */
  eof(): void {
    this.#writer.byte(OP_EOF);
    this.#writer.flush();
  }

  /** One entry: expiry, use, type, key and value. */
  emitEntry(db: Database, address: number): void {
    this.emitHead(db, address);
    this.emitValue(address);
  }

  /** Writes what stands before an entry's value: expiry, usage, type and key. */
  emitHead(db: Database, address: number): void {
    const keyspace = this.#keyspace;
    const writer = this.#writer;
    if (keyspace.hasExpiry(address)) {
      writer.byte(OP_EXPIRETIME_MS);
      writer.int64(keyspace.expiryOf(db, address));
    }
    if (this.#usage !== 'none') this.#emitUsage(address);
    writer.byte(this.typeByte(address));
    const key = keyspace.arena.bytes(address);
    writer.stringIn(address, key, keyspace.keyOffset(address), keyspace.keyLength(address));
  }

  #emitUsage(address: number): void {
    const keyspace = this.#keyspace;
    const usage = keyspace.usageOf(address);
    if (this.#usage === 'lru') {
      this.#writer.byte(OP_IDLE);
      this.#writer.length(lruIdleSeconds(usage, keyspace.lruClock));
    } else {
      this.#writer.byte(OP_FREQ);
      this.#writer.byte(lfuDecayed(usage, keyspace.nowMs, keyspace.lfuDecayTime));
    }
  }

  /** The type byte under which the value of an entry is written. */
  typeByte(address: number): number {
    const { arena } = this.#keyspace;
    switch (typeOf(arena, address)) {
      case TYPE_STRING:
        return RDB_STRING;
      case TYPE_LIST:
        return listTypeByte(this.#version);
      case TYPE_SET:
        return setTypeByte(this.#keyspace, address, this.#version);
      case TYPE_ZSET:
        return zsetTypeByte(this.#keyspace, address, this.#version);
      case TYPE_HASH:
        return hashTypeByte(this.#keyspace, address, this.#version);
      case TYPE_STREAM:
        return streamTypeByte(this.#version);
      default:
        throw noEncoding(typeOf(arena, address), encodingOf(arena, address));
    }
  }

  /** The value of an entry, as its type byte promises it. */
  emitValue(address: number): void {
    const { arena } = this.#keyspace;
    switch (typeOf(arena, address)) {
      case TYPE_STRING:
        this.#emitString(address);
        return;
      case TYPE_LIST:
        emitList(this.#keyspace, address, this.#version, this.#writer);
        return;
      case TYPE_SET:
        emitSet(this.#keyspace, address, this.#version, this.#writer);
        return;
      case TYPE_ZSET:
        emitZset(this.#keyspace, address, this.#version, this.#writer);
        return;
      case TYPE_HASH:
        emitHash(this.#keyspace, address, this.#version, this.#writer);
        return;
      case TYPE_STREAM:
        emitStream(this.#keyspace, address, this.#version, this.#writer);
        return;
      default:
        throw noEncoding(typeOf(arena, address), encodingOf(arena, address));
    }
  }

  #emitString(address: number): void {
    const keyspace = this.#keyspace;
    const { arena } = keyspace;
    if (encodingOf(arena, address) === ENC_INT) {
      const words = arena.words(address);
      const at = arena.wordOffset(address);
      const low = words[at + 2]! | 0;
      const high = words[at + 3]! | 0;
      if (high === low >> 31) this.#writer.integer(low);
      else this.#writer.plain(digits, 0, writeInt64(digits, 0, low, high));
      return;
    }
    const block = keyspace.valueBlock(address);
    const bytes = arena.bytes(block);
    const offset = keyspace.valueOffset(address);
    const length = keyspace.valueLength(address);
    // Who changes one asks for it first (`ownValue`), unless it stands in the entry itself.
    if (block === address) this.#writer.string(bytes, offset, length);
    else this.#writer.stringIn(block, bytes, offset, length);
  }
}

function noEncoding(type: number, encoding: number): Error {
  return new Error(`no RDB encoding for a value of type ${type}, encoding ${encoding}`);
}
