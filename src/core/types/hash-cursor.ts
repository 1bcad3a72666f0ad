/**
 * Walks over the fields and values of a hash without allocating: for replies, files and digests.
 *
 *     cursor.start(keyspace, address);
 *     while (cursor.next()) use(cursor.field, cursor.value);
 *
 * A listpack gives its fields in the order in which they came, a table in none. The hash must not
 * change in between; other walks may run. `pick` shows a field by chance.
 */
import type { Keyspace } from '../keyspace.ts';
import type { Dict } from '../struct/dict.ts';
import { lpCount, lpFirst, lpNext, lpSeek } from '../struct/listpack.ts';
import { ElementView } from './element-view.ts';
import { hashIsLarge, hashTable } from './hash.ts';
import type { HashTable } from './hash-table.ts';
import { TableCursor } from './table-cursor.ts';

const NO_BYTES = new Uint8Array(0);

export class HashCursor {
  readonly field = new ElementView();
  readonly value = new ElementView();
  /** The ref of the field that is shown. */
  ref = 0;
  /** Number of fields of the hash. */
  count = 0;
  private table: HashTable | null = null;
  private readonly entries = new TableCursor();
  private bytes: Uint8Array = NO_BYTES;
  private base = 0;
  /** Position of the next field of a listpack, 0 at the end. */
  private at = 0;

  /** Stands before the first field. */
  start(keyspace: Keyspace, address: number): void {
    this.ref = 0;
    if (hashIsLarge(keyspace, address)) {
      this.table = hashTable(keyspace, address);
      this.count = this.table.count;
      this.entries.start(this.table);
      return;
    }
    this.table = null;
    this.bytes = keyspace.arena.bytes(keyspace.valueBlock(address));
    this.base = keyspace.valueOffset(address);
    this.count = lpCount(this.bytes, this.base) >>> 1;
    this.at = lpFirst(this.bytes, this.base);
  }

  /** Goes to the next field and shows it and its value. False at the end. */
  next(): boolean {
    if (!this.step()) return false;
    this.show(this.ref);
    return true;
  }

  /** Like `next`, but shows nothing: only `ref` is set. */
  step(): boolean {
    if (this.table !== null) {
      this.ref = this.entries.next();
      return this.ref !== 0;
    }
    this.ref = this.at;
    if (this.ref === 0) return false;
    const value = lpNext(this.bytes, this.base, this.ref);
    this.at = lpNext(this.bytes, this.base, value);
    return true;
  }

  /** Shows a field of the hash, and its value, by its ref. */
  show(ref: number): void {
    this.ref = ref;
    if (this.table !== null) {
      this.table.showField(ref, this.field);
      this.table.showValue(ref, this.value);
      return;
    }
    this.field.showListpack(this.bytes, this.base, ref);
    this.value.showListpack(this.bytes, this.base, lpNext(this.bytes, this.base, ref));
  }

  /** The dict of a large hash, else null. */
  get dict(): Dict | null {
    return this.table === null ? null : this.table.dict;
  }

  /** Whether refs are best gathered first: a pick by chance walks to its place. */
  get isCompact(): boolean {
    return this.table === null;
  }

  /** The ref of a fair random field. `random` gives 32 random bits. */
  pick(random: () => number): number {
    if (this.table !== null) return this.table.dict.randomEntry(random);
    return lpSeek(this.bytes, this.base, (random() % this.count) * 2);
  }
}
