/**
 * Writing an RDB file anew in another version, a key at a time: each value is decoded as a server
 * would, encoded as that version has it, and let go. No more than one value is in memory.
 *
 *     kept       every AUX field, key, expiry and use; the order of the keys
 *     packed     what comes packed stays packed, whatever its size, if the version can say it
 *     left out   collections without elements, which servers leave out as well; libraries of
 *                functions below version 10, which has no place for them
 *     refused    data of modules, fields with an expiry: better no file than one that lacks them
 */
import { Keyspace } from '../../core/keyspace.ts';
import type { ByteView } from '../../core/value.ts';
import type { FileSystem } from '../file-system.ts';
import { RdbAssembler } from '../rdb/rdb-assembler.ts';
import { ValueDecoder } from '../rdb/rdb-decoder.ts';
import { RdbEncoder, type RdbWriteVersion } from '../rdb/rdb-encoder.ts';
import { RdbFile } from '../rdb/rdb-file.ts';
import * as rdb from '../rdb/rdb-format.ts';
import { FrameWriter } from '../rdb/rdb-frame-writer.ts';
import type { RdbReader } from '../rdb/rdb-reader.ts';
import { type RdbEntry, type RdbVisitor, RdbWalk, type Rest } from '../rdb/rdb-walk.ts';
import { DirectSink } from '../snapshot/snapshot-now.ts';

const FREE_AT_ONCE = 1024;

export interface ConvertOptions {
  readonly fs: FileSystem;
  /** The file that is written or replaced. */
  readonly path: string;
  /** The id of this process, for the name of the temporary file. */
  readonly pid: number;
  readonly version: RdbWriteVersion;
  /** Asked for between keys, see `RdbWalk.runResting`. */
  readonly rest: Rest;
}

export interface ConvertResult {
  readonly fromVersion: number;
  readonly keys: number;
  readonly bytes: number;
  readonly emptyKeysLeftOut: number;
  readonly functionsLeftOut: number;
}

/**
 * Writes what `reader` gives to a file, durably. Rejects with an `RdbError`, or with what the disk
 * or a rest says; the old file stands then.
 */
export async function convertRdb(
  reader: RdbReader,
  options: ConvertOptions,
): Promise<ConvertResult> {
  const file = new RdbFile(options.fs, options.path, options.pid, true);
  try {
    const assembler = new RdbAssembler((bytes, length) => file.write(bytes, length), true);
    const writer = new FrameWriter(new DirectSink(assembler), true);
    const converter = new Converter(reader, writer, options.version);
    const walk = new RdbWalk(reader, converter);
    await walk.runResting(options.rest);
    assembler.finish();
    file.finish();
    const { emptyKeysLeftOut, functionsLeftOut, keys } = converter;
    const { bytes } = file;
    return { fromVersion: walk.version, keys, bytes, emptyKeysLeftOut, functionsLeftOut };
  } catch (error) {
    file.discard();
    throw error;
  }
}

/** A keyspace for one value at a time, and who reads into it and writes from it. */
class Bench {
  readonly keyspace: Keyspace;
  readonly decoder: ValueDecoder;
  readonly encoder: RdbEncoder;

  constructor(reader: RdbReader, writer: FrameWriter, version: RdbWriteVersion) {
    this.keyspace = new Keyspace({
      databases: 1,
      seed: { seed0: 0, seed1: 0 },
      random: () => 0,
      events: { expired: () => undefined },
    });
    this.decoder = new ValueDecoder(this.keyspace, reader, false);
    this.encoder = new RdbEncoder(this.keyspace, writer, { version, usage: 'none' });
  }
}

class Converter implements RdbVisitor {
  keys = 0;
  emptyKeysLeftOut = 0;
  functionsLeftOut = 0;
  readonly #reader: RdbReader;
  readonly #writer: FrameWriter;
  readonly #version: RdbWriteVersion;
  /** Where values that come packed are made, and stay so, and where all others are. */
  readonly #packed: Bench;
  readonly #plain: Bench;
  #db = -1;

  constructor(reader: RdbReader, writer: FrameWriter, version: RdbWriteVersion) {
    this.#reader = reader;
    this.#writer = writer;
    this.#version = version;
    this.#plain = new Bench(reader, writer, version);
    this.#packed = new Bench(reader, writer, version);
    const { limits } = this.#packed.keyspace;
    limits.hashMaxListpackEntries = Number.MAX_SAFE_INTEGER;
    limits.setMaxIntsetEntries = Number.MAX_SAFE_INTEGER;
    limits.setMaxListpackEntries = Number.MAX_SAFE_INTEGER;
    limits.zsetMaxListpackEntries = Number.MAX_SAFE_INTEGER;
    limits.hashMaxListpackValue = Number.MAX_SAFE_INTEGER;
    limits.zsetMaxListpackValue = Number.MAX_SAFE_INTEGER;
    this.#plain.encoder.header({}, []);
  }

  version(version: number): void {
    this.#plain.decoder.version = version;
    this.#packed.decoder.version = version;
  }

  aux(name: string, value: string): void {
    this.#writer.byte(rdb.OP_AUX);
    for (const text of [name, value]) {
      const bytes = Buffer.from(text, 'latin1');
      this.#writer.string(bytes, 0, bytes.length);
    }
  }

  functionLibrary(source: ByteView): void {
    if (this.#version < rdb.RDB_VERSION_FUNCTIONS) {
      this.functionsLeftOut++;
      return;
    }
    this.#writer.byte(rdb.OP_FUNCTION2);
    this.#writer.string(source.bytes, source.offset, source.length);
  }

  moduleAux(name: string): void {
    throw this.#reader.fail(`data of the module '${name}', which cannot be converted`);
  }

  sizes(keys: number, expires: number): void {
    this.#select();
    this.#plain.encoder.resizeDb(keys, expires);
  }

  database(db: number): void {
    this.#db = -1 - db;
  }

  entry(entry: RdbEntry): 'taken' {
    const bench = isPacked(entry.type) ? this.#packed : this.#plain;
    const { decoder, encoder, keyspace } = bench;
    const db = keyspace.databases[0]!;
    const { key, keyLength } = entry;
    decoder.decode(db, key, 0, keyLength, entry.type);
    while (decoder.isOpen) decoder.resume();
    const address = db.dict.find(key, 0, keyLength);
    if (address === 0) {
      this.emptyKeysLeftOut++;
      return 'taken';
    }
    this.#select();
    this.#before(entry);
    this.#writer.byte(encoder.typeByte(address));
    this.#writer.string(key, 0, keyLength);
    encoder.emitValue(address);
    keyspace.remove(db, address);
    while (keyspace.freeSlice(FREE_AT_ONCE));
    this.keys++;
    return 'taken';
  }

  /** All keys are written. */
  end(): void {
    this.#plain.encoder.eof();
  }

  /** Says the database, once it has something. */
  #select(): void {
    if (this.#db >= 0) return;
    this.#db = -1 - this.#db;
    this.#plain.encoder.selectDb(this.#db);
  }

  #before(entry: RdbEntry): void {
    const writer = this.#writer;
    if (entry.hasExpiry) {
      writer.byte(rdb.OP_EXPIRETIME_MS);
      writer.int64(entry.expiryMs);
    }
    if (entry.idleSeconds >= 0) {
      writer.byte(rdb.OP_IDLE);
      writer.length(entry.idleSeconds);
    }
    if (entry.frequency >= 0) {
      writer.byte(rdb.OP_FREQ);
      writer.byte(entry.frequency);
    }
  }
}

/** Whether a type byte stands before a value of one packed piece. */
function isPacked(type: number): boolean {
  switch (type) {
    case rdb.RDB_HASH_ZIPMAP:
    case rdb.RDB_HASH_ZIPLIST:
    case rdb.RDB_HASH_LISTPACK:
    case rdb.RDB_SET_INTSET:
    case rdb.RDB_SET_LISTPACK:
    case rdb.RDB_ZSET_ZIPLIST:
    case rdb.RDB_ZSET_LISTPACK:
      return true;
    default:
      return false;
  }
}
