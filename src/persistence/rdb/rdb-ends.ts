/** The two ends of an RDB: the header with its version, and the checksum. */
import { latin1Text } from '../../core/text/latin1.ts';
import * as rdb from './rdb-format.ts';
import type { RdbReader } from './rdb-reader.ts';

const TRAILER_BYTES = 8;

/** So many bytes of a file `beginsWithRdb` looks at. */
export const RDB_START_BYTES = 6;

/** Whether a file that begins so is an RDB, of Redis or of Valkey, commands behind it or not. */
export function beginsWithRdb(start: Uint8Array): boolean {
  return /^(?:REDIS|VALKEY)/.test(Buffer.from(start).toString('latin1'));
}

interface RdbVersion {
  readonly version: number;
  readonly isValkey: boolean;
}

/** What the first bytes of an RDB tell; null when they are not of one. */
export function rdbVersionIn(head: Uint8Array, at: number): RdbVersion | null {
  if (head.length < at + rdb.RDB_HEADER_BYTES) return null;
  const text = latin1Text(head, at, rdb.RDB_HEADER_BYTES);
  const match = /^(?:REDIS(\d{4})|VALKEY(\d{3}))$/.exec(text);
  if (match === null) return null;
  return { version: Number(match[1] ?? match[2]), isValkey: match[1] === undefined };
}

/** Whether this server loads RDBs of a version, by Redis's numbers or Valkey's. */
export function isLoadedVersion(version: number): boolean {
  const isOfRedis = version >= 1 && version <= rdb.RDB_VERSION_MAX;
  return isOfRedis || version === rdb.RDB_VERSION_VALKEY;
}

/** Reads "REDIS" and four digits, or "VALKEY" and three, and gives the version. */
export function readRdbHeader(reader: RdbReader): number {
  reader.need(rdb.RDB_HEADER_BYTES);
  const told = rdbVersionIn(reader.buf, reader.at);
  if (told === null) throw reader.fail('no RDB: it does not begin with REDIS and a version');
  const { isValkey, version } = told;
  if (!isLoadedVersion(version) || isValkey !== (version === rdb.RDB_VERSION_VALKEY)) {
    throw reader.fail(`an RDB of version ${version}, which this server cannot load`);
  }
  reader.at += rdb.RDB_HEADER_BYTES;
  return version;
}

/**
 * The end of a version without a checksum: more bytes mean that it is of another, its number
 * damaged, for nothing has ever stood behind such a file.
 */
export function checkNothingFollows(reader: RdbReader): void {
  if (Number.isFinite(reader.bytesLeftMax) && reader.bytesLeftMax > 0) {
    throw reader.fail('bytes behind the end of an RDB of a version without a checksum');
  }
}

/** What a checksum says of the bytes before it. */
export type ChecksumVerdict = 'right' | 'absent' | 'not looked at';

/** Reads the eight bytes behind EOF; throws when they are not the sum of all that was read. */
export function verifyChecksum(reader: RdbReader): ChecksumVerdict {
  const sum = reader.checksum;
  reader.need(TRAILER_BYTES);
  const { buf, at } = reader;
  const isRight = sum?.equalsAt(buf, at) ?? true;
  let isZero = true;
  for (let i = at; i < at + TRAILER_BYTES; i++) if (buf[i] !== 0) isZero = false;
  reader.at += TRAILER_BYTES;
  reader.dropChecksum();
  if (isZero) return 'absent';
  if (!isRight) throw reader.fail('RDB CRC error: the checksum is wrong, the RDB is damaged');
  return sum === null ? 'not looked at' : 'right';
}
