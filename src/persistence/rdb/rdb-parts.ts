/**
 * Which values are written in parts: those that would stall the loop if they were written at once.
 *
 * A type whose large form keeps its entries in a dict is added here in one line.
 */
import type { Keyspace } from '../../core/keyspace.ts';
import { Quicklist } from '../../core/struct/quicklist.ts';
import { StreamLog } from '../../core/struct/stream-log.ts';
import type { ElementView } from '../../core/types/element-view.ts';
import { HashTable } from '../../core/types/hash-table.ts';
import { LargeZset } from '../../core/types/zset-large.ts';
import { HEAD_LARGE, headOf, TYPE_HASH, typeOf } from '../../core/value.ts';
import { ListSnapshot } from '../snapshot/snapshot-list.ts';
import { StreamSnapshot } from '../snapshot/snapshot-stream.ts';
import {
  type EntryStrings,
  type PartsSnapshot,
  TableSnapshot,
  type TableValue,
} from '../snapshot/snapshot-table.ts';
import { ZsetSnapshot } from '../snapshot/snapshot-zset.ts';
import type { FrameWriter } from './rdb-frame-writer.ts';
import { emitListLength } from './rdb-list-write.ts';

/** Tables and zsets of fewer entries are written at once: about 0.1 ms. */
export const PARTS_ENTRIES_MIN = 1000;

/** Tables whose entries take fewer bytes than this are not written in parts. */
const PARTS_TABLE_BYTES_MIN = 1 << 20;

/** Streams of up to this many nodes are written at once, if those are small. */
const PARTS_NODES_MAX = 32;

/** Lists of fewer bytes are written at once. */
export const PARTS_LIST_BYTES_MIN = 1 << 17;

/** Writes what stands before the parts, and begins. */
export type PartsBeginning = (writer: FrameWriter) => PartsSnapshot;

/** A table, and how one of its entries is written. */
interface TableParts {
  readonly table: TableValue;
  readonly strings: EntryStrings;
}

/** How to begin to write the value of an entry in parts, null when it is to be written at once. */
export function inParts(
  keyspace: Keyspace,
  address: number,
  version: number,
): PartsBeginning | null {
  // What follows has closures, and V8 makes room for what they hold on where a function begins.
  return (headOf(keyspace.arena, address) & HEAD_LARGE) === 0
    ? null
    : largeInParts(keyspace, address, version);
}

function largeInParts(keyspace: Keyspace, address: number, version: number): PartsBeginning | null {
  const value = keyspace.largeOf(address);
  if (value instanceof Quicklist) {
    if (value.nodes.bytes < PARTS_LIST_BYTES_MIN) return null;
    return (writer) => {
      emitListLength(value, version, writer);
      return new ListSnapshot(value, version, writer);
    };
  }
  if (value instanceof StreamLog) {
    if (!isLargeStream(value)) return null;
    return (writer) => {
      return new StreamSnapshot(value, version, writer, (one) => keyspace.releaseLater(one));
    };
  }
  if (value instanceof LargeZset) {
    if (isSmall(value)) return null;
    return (writer) => {
      writer.length(value.count);
      return new ZsetSnapshot(value, writer);
    };
  }
  const parts = tableInParts(keyspace, address);
  if (parts === null) return null;
  return (writer) => {
    writer.length(parts.table.count);
    return new TableSnapshot(parts.table, parts.strings, writer);
  };
}

/** Whether a stream has many nodes, or large ones, or much that is pending. */
function isLargeStream(log: StreamLog): boolean {
  if (log.nodeCount > PARTS_NODES_MAX) return true;
  let bytes = 0;
  for (let i = 0; i < log.nodeCount; i++) bytes += log.arena.sizeOf(log.nodeBlock(i));
  let pending = 0;
  for (const group of log.groups.values()) pending += group.pending.size + group.consumers.size;
  return bytes >= PARTS_LIST_BYTES_MIN || pending >= PARTS_ENTRIES_MIN;
}

/** Whether a table or zset is written at once. */
function isSmall(value: HashTable | LargeZset): boolean {
  return value.count < PARTS_ENTRIES_MIN && value.entryBytes < PARTS_TABLE_BYTES_MIN;
}

/** The table that the value of an entry is, if it is to be written in parts, else null. */
function tableInParts(keyspace: Keyspace, address: number): TableParts | null {
  const table = keyspace.largeOf(address);
  if (!(table instanceof HashTable)) return null;
  if (isSmall(table)) return null;
  const hasValues = typeOf(keyspace.arena, address) === TYPE_HASH;
  return { table, strings: new FieldStrings(table, hasValues) };
}

/** Entries of a hash, field and value, or of a set, which are fields alone. */
class FieldStrings implements EntryStrings {
  readonly count: number;
  private readonly table: HashTable;

  constructor(table: HashTable, hasValues: boolean) {
    this.table = table;
    this.count = hasValues ? 2 : 1;
  }

  show(entry: number, index: number, view: ElementView): void {
    if (index === 0) this.table.showField(entry, view);
    else this.table.showValue(entry, view);
  }
}
