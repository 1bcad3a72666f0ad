/**
 * Streams: the value API. Every stream is a large collection (struct/stream-log.ts), which may be
 * empty: a stream stays when its last entry goes.
 */
import type { Database } from '../database.ts';
import type { Keyspace } from '../keyspace.ts';
import { StreamLog } from '../struct/stream-log.ts';
import { ENC_STREAM, TYPE_STREAM } from '../value.ts';

/** The stream of an entry of TYPE_STREAM. */
export function streamOf(keyspace: Keyspace, address: number): StreamLog {
  return keyspace.largeOf(address) as StreamLog;
}

/** Puts a stream behind a key that does not exist. Returns the entry's address. */
export function streamStore(
  keyspace: Keyspace,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
  stream: StreamLog,
): number {
  return keyspace.putLarge(db, key, offset, length, 0, TYPE_STREAM, ENC_STREAM, stream, false);
}

/** Puts an empty stream behind a key that does not exist. */
export function streamCreate(
  keyspace: Keyspace,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
): StreamLog {
  const stream = new StreamLog(keyspace.arena);
  streamStore(keyspace, db, key, offset, length, stream);
  return stream;
}
