/** What a load of an RDB is to do with what it finds. */
import type { Database } from '../../core/database.ts';
import type { Keyspace } from '../../core/keyspace.ts';
import type { UsageKind } from './rdb-encoder.ts';
import type { RdbReader } from './rdb-reader.ts';

export interface RdbLoadOptions {
  /** The keyspace that is filled; its `nowMs` decides which keys are expired. */
  readonly keyspace: Keyspace;
  /** The databases that are filled, if not those of the keyspace. */
  readonly databases?: readonly Database[];
  readonly reader: RdbReader;
  /** Whether the checksum is verified (where the file has one). */
  readonly checksum: boolean;
  /** Keys whose time has come: dropped on a primary, kept on a replica and from an AOF's base. */
  readonly expired: 'drop' | 'keep';
  /** A key that exists already: an error, or its value is replaced. */
  readonly duplicates: 'refuse' | 'replace';
  /** What is kept of the use that is noted with each key; other notes of it are passed over. */
  readonly usage: UsageKind;
  /** Whether values are looked at more closely than safety asks (`ValueDecoder`). */
  readonly deep?: boolean;
  /** Microseconds to wait after each key; for tests. */
  readonly keyDelayUs: number;
}
