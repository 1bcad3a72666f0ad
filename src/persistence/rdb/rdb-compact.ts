/**
 * Compact values in an RDB: hashes, sets and zsets that are one string, which holds in the file
 * what it holds in memory, a listpack or an intset.
 */
import type { Database } from '../../core/database.ts';
import type { Keyspace } from '../../core/keyspace.ts';
import { lpCount } from '../../core/struct/listpack.ts';
import { lpValid } from '../../core/struct/listpack-valid.ts';
import type { ByteView } from '../../core/value.ts';
import type { FrameWriter } from './rdb-frame-writer.ts';
import type { RdbReader } from './rdb-reader.ts';

/** Writes a compact value. */
export function emitCompact(keyspace: Keyspace, address: number, writer: FrameWriter): void {
  const bytes = keyspace.arena.bytes(keyspace.valueBlock(address));
  writer.string(bytes, keyspace.valueOffset(address), keyspace.valueLength(address));
}

/** The number of pairs in a listpack that was read; one that is damaged is an error. */
export function pairsIn(view: ByteView, reader: RdbReader, what: string): number {
  const { bytes, length, offset } = view;
  if (!lpValid(bytes, offset, length, true) || lpCount(bytes, offset) % 2 !== 0) {
    throw reader.fail(`a damaged listpack of ${what}`);
  }
  return lpCount(bytes, offset) >>> 1;
}

/** Stores a compact value that was read and checked. Returns the entry's address. */
export function putCompact(
  keyspace: Keyspace,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
  type: number,
  encoding: number,
  view: ByteView,
): number {
  const { bytes, length: size, offset: from } = view;
  return keyspace.putBytes(db, key, offset, length, 0, type, encoding, bytes, from, size, false);
}
