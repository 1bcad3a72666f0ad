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
const FIRST_ROOM = 256;

/** The value of an entry as a payload. */
export function dumpPayload(
  keyspace: Keyspace,
  address: number,
  version: RdbWriteVersion,
  compress: boolean,
): Uint8Array {
  let payload = new Uint8Array(FIRST_ROOM);
  let length = 0;
  const assembler = new RdbAssembler((bytes, count) => {
    if (length + count + FOOTER_BYTES > payload.length) {
      const grown = new Uint8Array((length + count) * 2 + FOOTER_BYTES);
      grown.set(payload.subarray(0, length));
      payload = grown;
    }
    payload.set(bytes.subarray(0, count), length);
    length += count;
  }, false);
  const writer = new FrameWriter(new DirectSink(assembler), compress);
  const encoder = new RdbEncoder(keyspace, writer, { version, usage: 'none' });
  writer.byte(encoder.typeByte(address));
  encoder.emitValue(address);
  writer.flush();
  assembler.flush();
  payload[length++] = version & 0xff;
  payload[length++] = version >>> 8;
  const crc = new Crc64();
  crc.update(payload, 0, length);
  crc.writeTo(payload, length);
  return payload.subarray(0, length + CHECKSUM_BYTES);
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
 * Stores the value of a sound payload under a key that does not exist. Returns the entry's address,
 * or what is wrong with the value, with nothing stored then.
 * `deep` asks for a closer look, see `ValueDecoder`.
 */
export function restorePayload(
  keyspace: Keyspace,
  db: Database,
  key: Uint8Array,
  keyOffset: number,
  keyLength: number,
  payload: Uint8Array,
  offset: number,
  length: number,
  deep = false,
): number | RdbError {
  const reader = RdbReader.overBytes(payload, offset, length - FOOTER_BYTES);
  try {
    const decoder = new ValueDecoder(keyspace, reader, deep);
    decoder.version = payloadVersion(payload, offset + length);
    const address = decoder.decode(db, key, keyOffset, keyLength, reader.byte());
    if (address === 0) return reader.fail('a collection without elements');
    if (reader.bytesLeftMax === 0) return address;
    keyspace.remove(db, address);
    return reader.fail(`${reader.bytesLeftMax} bytes behind the value`);
  } catch (error) {
    if (error instanceof RdbError) return error;
    throw error;
  }
}
