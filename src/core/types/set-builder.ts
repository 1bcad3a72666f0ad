/**
 * A set that is being built beside the keyspace: a union, the result of a STORE, a set from a file.
 *
 *     builder.start(keyspace);
 *     builder.add(bytes, offset, length); ...
 *     builder.store(db, key, keyOffset, keyLength, existing)    or   builder.discard()
 *
 * It takes the encodings that the same members added one by one to a key would take. Compact ones
 * stand in a buffer that the builder keeps; a table is handed over to the keyspace as it is.
 */
import type { Database } from '../database.ts';
import type { Keyspace } from '../keyspace.ts';
import {
  intsetAdd,
  intsetBytes,
  intsetGet,
  intsetGrown,
  intsetInit,
  intsetRemoveAt,
  intsetSlot,
} from '../struct/intset.ts';
import { lpBytes, lpDelete, lpEntryBytes, lpInit, lpInsert } from '../struct/listpack.ts';
import { ENC_HASHTABLE, ENC_INTSET, ENC_LISTPACK, TYPE_SET } from '../value.ts';
import { ElementView } from './element-view.ts';
import { HashTable } from './hash-table.ts';
import { int64Words, readInt64 } from './int64-words.ts';
import {
  encodingWith,
  firstEncoding,
  listpackBytesOf,
  tableOf,
  writeListpackOf,
} from './set-encoding.ts';
import { SetCursor, SetView } from './set-view.ts';

const FIRST_ROOM = 4096;
/** A buffer that grew past this is not kept. */
const KEPT_ROOM = 1 << 20;
const RELEASE_STEP = 1 << 20;

const cursor = new SetCursor();
const member = new ElementView();

export class SetBuilder {
  /** The members so far. */
  readonly view = new SetView();
  private keyspace: Keyspace | null = null;
  private started = false;

  /** Begins an empty set; of one from a file it is known that it will have `count` members. */
  start(keyspace: Keyspace, count = 0): void {
    this.keyspace = keyspace;
    this.started = count > keyspace.limits.setMaxIntsetEntries;
    const { view } = this;
    if (view.bytes.length < FIRST_ROOM || view.bytes.length > KEPT_ROOM) {
      view.bytes = new Uint8Array(FIRST_ROOM);
    }
    view.base = 0;
    view.table = null;
    view.encoding = ENC_INTSET;
    intsetInit(view.bytes, 0);
    if (this.started) this.beginTable();
  }

  /** Adds a member; false when it is there already. */
  add(member: Uint8Array, offset: number, length: number): boolean {
    const { view } = this;
    if (!this.started) this.begin(readInt64(member, offset, length));
    if (view.table !== null) return view.table.add(member, offset, length);
    if (view.find(member, offset, length) !== 0) return false;
    const isInteger = view.encoding === ENC_INTSET && readInt64(member, offset, length);
    const encoding = encodingWith(view, this.owner.limits, isInteger, length);
    if (encoding !== view.encoding) this.convert(encoding);
    if (encoding === ENC_INTSET) {
      this.insert(int64Words.low, int64Words.high);
    } else if (encoding !== ENC_HASHTABLE) {
      const end = lpBytes(view.bytes, 0);
      this.room(end + lpEntryBytes(member, offset, length));
      lpInsert(view.bytes, 0, end - 1, member, offset, length);
    } else return this.table().add(member, offset, length);
    return true;
  }

  /** Adds all members of a set. */
  addAll(set: SetView): void {
    const { view } = this;
    const { setMaxIntsetEntries, setMaxListpackEntries } = this.owner.limits;
    const outgrown = set.count > Math.max(setMaxIntsetEntries, setMaxListpackEntries);
    if (!this.started && outgrown) this.beginTable();
    if (set.table !== null && view.table !== null) {
      view.table.addAll(set.table);
      return;
    }
    cursor.startView(set);
    while (cursor.step()) this.addOf(set, cursor.ref);
  }

  /** Adds the member of a set by its ref. */
  addOf(set: SetView, ref: number): void {
    const { view } = this;
    if (!this.started && set.encoding === ENC_INTSET) this.begin(true);
    if (set.encoding === ENC_INTSET && view.encoding === ENC_INTSET) {
      if (view.findOf(set, ref, member) !== 0) return;
      if (encodingWith(view, this.owner.limits, true, 0) === ENC_INTSET) {
        intsetGet(set.bytes, set.base, ref - 1);
        this.insert(intsetSlot.low, intsetSlot.high);
        return;
      }
    }
    set.show(ref, member);
    this.add(member.bytes, member.offset, member.length);
  }

  /** Adds an integer that was just looked for in the intset and is not there. */
  private insert(low: number, high: number): void {
    const { view } = this;
    this.room(intsetGrown(view.bytes, 0, low, high));
    intsetAdd(view.bytes, 0, low, high);
  }

  /** Removes a member; its encoding stays. False when there is none. */
  remove(member: Uint8Array, offset: number, length: number): boolean {
    const { view } = this;
    if (view.table !== null) return view.table.remove(member, offset, length);
    const ref = view.find(member, offset, length);
    if (ref === 0) return false;
    if (view.encoding === ENC_INTSET) intsetRemoveAt(view.bytes, 0, ref - 1);
    else lpDelete(view.bytes, 0, ref, 1);
    return true;
  }

  /** Number of members so far. */
  get count(): number {
    return this.view.count;
  }

  /**
   * Puts the set, which is not empty, behind a key. `existing` is what `lookupWrite` returned for
   * it. Returns the entry's address; its expiry is gone.
   */
  store(db: Database, key: Uint8Array, offset: number, length: number, existing: number): number {
    const { encoding, table, bytes } = this.view;
    const keyspace = this.owner;
    this.view.table = null;
    if (table !== null) {
      return keyspace.putLarge(db, key, offset, length, existing, TYPE_SET, encoding, table, false);
    }
    const size = encoding === ENC_INTSET ? intsetBytes(bytes, 0) : lpBytes(bytes, 0);
    return keyspace.putBytes(
      db,
      key,
      offset,
      length,
      existing,
      TYPE_SET,
      encoding,
      bytes,
      0,
      size,
      false,
    );
  }

  /** Forgets the set, which is not wanted any more. */
  discard(): void {
    const { table } = this.view;
    this.view.table = null;
    while (table?.release(RELEASE_STEP));
  }

  private get owner(): Keyspace {
    if (this.keyspace === null) throw new Error('set builder: start() comes first');
    return this.keyspace;
  }

  /** Chooses the encoding that suits the first member. */
  private begin(isInteger: boolean): void {
    const { view } = this;
    this.started = true;
    view.encoding = firstEncoding(this.owner.limits, isInteger);
    if (view.encoding === ENC_INTSET) intsetInit(view.bytes, 0);
    else if (view.encoding === ENC_LISTPACK) lpInit(view.bytes, 0);
    else this.beginTable();
  }

  /** Begins as a table. */
  private beginTable(): void {
    const { arena, seed } = this.owner;
    this.started = true;
    this.view.encoding = ENC_HASHTABLE;
    this.view.table = new HashTable(arena, seed);
  }

  /** The set, which is a table from now on. */
  asTable(): HashTable {
    if (!this.started) this.beginTable();
    if (this.view.table === null) this.convert(ENC_HASHTABLE);
    return this.table();
  }

  private table(): HashTable {
    if (this.view.table === null) throw new Error('set builder: the set is no table');
    return this.view.table;
  }

  private convert(encoding: number): void {
    const { view } = this;
    if (encoding === ENC_HASHTABLE) {
      view.table = tableOf(view, this.owner.arena, this.owner.seed);
    } else if (view.encoding === ENC_INTSET) {
      const bytes = new Uint8Array(Math.max(FIRST_ROOM, listpackBytesOf(view) * 2));
      writeListpackOf(view, bytes, 0);
      view.bytes = bytes;
    }
    view.encoding = encoding;
  }

  /** Makes the buffer hold at least `bytes`. */
  private room(bytes: number): void {
    const { view } = this;
    if (bytes <= view.bytes.length) return;
    const larger = new Uint8Array(bytes * 2);
    larger.set(view.bytes);
    view.bytes = larger;
  }
}
