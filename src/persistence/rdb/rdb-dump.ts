/**
 * One value as a row of bytes: what DUMP gives and RESTORE takes, and what MIGRATE sends.
 *
 *     type     1 byte, as in an RDB
 *     value    as the type says
 *     version  2 bytes, little-endian, of the RDB format
 *     CRC64    8 bytes, little-endian, of all before it
 */
import type { Database } from '../../core/database.ts';
import type { Keyspace } from '../../core/keyspace.ts';
import { copyBytes } from '../../core/memory/copy.ts';
import { Crc64 } from '../crc64.ts';
import { DirectSink } from '../snapshot/snapshot-now.ts';
import { RdbAssembler } from './rdb-assembler.ts';
import { ValueDecoder } from './rdb-decoder.ts';
import { RdbEncoder, type RdbWriteVersion } from './rdb-encoder.ts';
import { RdbError } from './rdb-error.ts';
import { RDB_VERSION_MAX, RDB_VERSION_VALKEY } from './rdb-format.ts';
import { FrameWriter } from './rdb-frame-writer.ts';
import { RdbReader } from './rdb-reader.ts';

const FOOTER_BYTES = 10;
const CHECKSUM_BYTES = 8;
const NO_BYTES = new Uint8Array(0);

/** Makes payloads. Its buffers have half a megabyte, so that it is kept from one to the next. */
class DumpMaker {
  readonly compress: boolean;
  readonly #assembler: RdbAssembler;
  readonly #writer: FrameWriter;
  #payload: Uint8Array = NO_BYTES;
  #length = 0;

  constructor(compress: boolean) {
    this.compress = compress;
    this.#assembler = new RdbAssembler((bytes, count) => this.#add(bytes, count), false);
    this.#writer = new FrameWriter(new DirectSink(this.#assembler), compress);
  }

  /** The payload, its maker's no more. Throws in the midst of a frame: then the maker is no use. */
  make(keyspace: Keyspace, address: number, version: RdbWriteVersion): Uint8Array {
    const encoder = new RdbEncoder(keyspace, this.#writer, { version, usage: 'none' });
    this.#length = 0;
    this.#writer.byte(encoder.typeByte(address));
    encoder.emitValue(address);
    this.#writer.flush();
    this.#assembler.flush();
    const payload = this.#payload;
    this.#payload = NO_BYTES;
    let length = this.#length;
    payload[length++] = version & 0xff;
    payload[length++] = version >>> 8;
    const crc = new Crc64();
    crc.update(payload, 0, length);
    crc.writeTo(payload, length);
    return payload.subarray(0, length + CHECKSUM_BYTES);
  }

  #add(bytes: Uint8Array, count: number): void {
    const wanted = this.#length + count;
    if (wanted + FOOTER_BYTES > this.#payload.length) {
      // A small value comes at once.
      const room = this.#length === 0 ? wanted : wanted * 2;
      const grown = new Uint8Array(room + FOOTER_BYTES);
      grown.set(this.#payload.subarray(0, this.#length));
      this.#payload = grown;
    }
    copyBytes(bytes, 0, this.#payload, this.#length, count);
    this.#length = wanted;
  }
}

let kept: DumpMaker | null = null;

/** The value of an entry as a payload. */
export function dumpPayload(
  keyspace: Keyspace,
  address: number,
  version: RdbWriteVersion,
  compress: boolean,
): Uint8Array {
  const maker = kept?.compress === compress ? kept : new DumpMaker(compress);
  kept = null;
  const payload = maker.make(keyspace, address, version);
  kept = maker;
  return payload;
}

/**
 * Whether a payload's version is one that loads here, and its checksum right (or not to be looked
 * at).
 */
export function isSoundPayload(
  payload: Uint8Array,
  offset: number,
  length: number,
  checksum: boolean,
): boolean {
  if (length < FOOTER_BYTES) return false;
  const end = offset + length;
  const version = payloadVersion(payload, end);
  if (version > RDB_VERSION_MAX && version !== RDB_VERSION_VALKEY) return false;
  if (!checksum) return true;
  const crc = new Crc64();
  crc.update(payload, offset, length - CHECKSUM_BYTES);
  return crc.equalsAt(payload, end - CHECKSUM_BYTES);
}

/** The version in a payload that ends at `end`. */
export function payloadVersion(payload: Uint8Array, end: number): number {
  return payload[end - FOOTER_BYTES]! | (payload[end - FOOTER_BYTES + 1]! << 8);
}

/**
 * Takes values from payloads. What reads them has some thirty objects and costs more to make than
 * to use on a small value, so that it is kept from one to the next. (Measured: RESTORE of a hash
 * with three fields takes 0.5 of the time.)
 */
export class PayloadRestorer {
  readonly #keyspace: Keyspace;
  /** Null while in use, and when the last payload was damaged. */
  #kept: PayloadReader | null;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
    this.#kept = null;
  }

  /**
   * Stores the value of a sound payload under a key that does not exist. Returns the entry's
   * address, or what is wrong with the value, with nothing stored then.
   * `deep` asks for a closer look, see `ValueDecoder`.
   */
  restore(
    db: Database,
    key: Uint8Array,
    keyOffset: number,
    keyLength: number,
    payload: Uint8Array,
    offset: number,
    length: number,
    deep = false,
  ): number | RdbError {
    const used = this.#take(deep);
    const { decoder, reader } = used;
    reader.beginBytes(payload, offset, length - FOOTER_BYTES);
    try {
      decoder.version = payloadVersion(payload, offset + length);
      const address = decoder.decode(db, key, keyOffset, keyLength, reader.byte());
      if (address === 0) return reader.fail('a collection without elements');
      if (reader.bytesLeftMax === 0) {
        reader.beginBytes(NO_BYTES, 0, 0);
        this.#kept = used;
        return address;
      }
      this.#keyspace.remove(db, address);
      return reader.fail(`${reader.bytesLeftMax} bytes behind the value`);
    } catch (error) {
      if (error instanceof RdbError) return error;
      throw error;
    }
  }

  #take(deep: boolean): PayloadReader {
    const kept = this.#kept;
    this.#kept = null;
    return kept?.deep === deep ? kept : new PayloadReader(this.#keyspace, deep);
  }
}

/** What reads one payload after the other. */
class PayloadReader {
  readonly reader = RdbReader.overBytes(NO_BYTES, 0, 0);
  readonly decoder: ValueDecoder;
  readonly deep: boolean;

  constructor(keyspace: Keyspace, deep: boolean) {
    this.decoder = new ValueDecoder(keyspace, this.reader, deep);
    this.deep = deep;
  }
}
