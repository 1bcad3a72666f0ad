/**
 * Which values are written in parts: those that would stall the loop if they were written at once.
 *
 * A type whose large form keeps its entries in a dict is added here in one line.
 */
import type { Keyspace } from '../core/keyspace.ts';
import { ElementView } from '../core/types/element-view.ts';
import { HashTable } from '../core/types/hash-table.ts';
import { HEAD_LARGE, headOf, TYPE_HASH, typeOf } from '../core/value.ts';
import type { EntryEmitter, TableValue } from './snapshot-table.ts';

/** Tables of fewer entries are written at once: about 0.1 ms. */
export const PARTS_ENTRIES_MIN = 1000;

/** A table, and how one of its entries is written. */
export interface TableParts {
  readonly table: TableValue;
  readonly emit: EntryEmitter;
}

const view = new ElementView();

/** The table that the value of an entry is, if it is to be written in parts, else null. */
export function tableInParts(keyspace: Keyspace, address: number): TableParts | null {
  if ((headOf(keyspace.arena, address) & HEAD_LARGE) === 0) return null;
  const table = keyspace.largeOf(address);
  if (table instanceof HashTable && table.count >= PARTS_ENTRIES_MIN) {
    const hasValues = typeOf(keyspace.arena, address) === TYPE_HASH;
    return { table, emit: hasValues ? pairsOf(table) : membersOf(table) };
  }
  return null;
}

function membersOf(table: HashTable): EntryEmitter {
  return (entry, writer) => {
    table.showField(entry, view);
    writer.string(view.bytes, view.offset, view.length);
  };
}

function pairsOf(table: HashTable): EntryEmitter {
  return (entry, writer) => {
    table.showField(entry, view);
    writer.string(view.bytes, view.offset, view.length);
    table.showValue(entry, view);
    writer.string(view.bytes, view.offset, view.length);
  };
}
