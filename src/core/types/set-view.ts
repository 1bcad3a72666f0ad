/**
 * A set as those see it who look at it, whatever its encoding and whoever owns its bytes: an entry
 * of the keyspace, or a set that is being built (set-builder.ts).
 *
 * A member goes by its `ref`: 1 + its place in an intset, its position in a listpack, or the
 * address of its entry in a table. Refs are greater than 0 and hold until the set changes, as does
 * the view.
 *
 *     view.open(keyspace, address);
 *     if (view.find(bytes, offset, length) !== 0) ...
 */
import type { Keyspace } from '../keyspace.ts';
import type { Dict } from '../struct/dict.ts';
import { intsetCount, intsetFind, intsetGet, intsetSlot } from '../struct/intset.ts';
import { lpCount, lpFirst, lpNext, lpSeek } from '../struct/listpack.ts';
import { lpFind } from '../struct/listpack-find.ts';
import { ENC_HASHTABLE, ENC_INTSET, encodingOf } from '../value.ts';
import { ElementView } from './element-view.ts';
import type { HashTable } from './hash-table.ts';
import { int64Words, readInt64 } from './int64-words.ts';
import { TableCursor } from './table-cursor.ts';

const NO_BYTES = new Uint8Array(0);

export class SetView {
  encoding: number = ENC_INTSET;
  /** Where a compact set begins. */
  bytes: Uint8Array = NO_BYTES;
  base = 0;
  /** A large set, else null. */
  table: HashTable | null = null;

  /** Looks at the set of an entry. */
  open(keyspace: Keyspace, address: number): void {
    const { arena } = keyspace;
    this.encoding = encodingOf(arena, address);
    if (this.encoding === ENC_HASHTABLE) {
      this.table = keyspace.largeOf(address) as HashTable;
      return;
    }
    this.table = null;
    this.bytes = arena.bytes(keyspace.valueBlock(address));
    this.base = keyspace.valueOffset(address);
  }

  /** Number of members. */
  get count(): number {
    if (this.table !== null) return this.table.count;
    if (this.encoding === ENC_INTSET) return intsetCount(this.bytes, this.base);
    return lpCount(this.bytes, this.base);
  }

  /** The ref of a member, 0 when there is none. Of an intset, `int64Words` then has the integer. */
  find(member: Uint8Array, offset: number, length: number): number {
    const { bytes, base } = this;
    if (this.table !== null) return this.table.find(member, offset, length);
    if (this.encoding !== ENC_INTSET) {
      return lpFind(bytes, base, lpFirst(bytes, base), member, offset, length, 0);
    }
    if (!readInt64(member, offset, length)) return 0;
    const found = intsetFind(bytes, base, int64Words.low, int64Words.high);
    return found ? intsetSlot.index + 1 : 0;
  }

  /** The ref of the member that another set has by `theirs`; `text` may be used to show it. */
  findOf(other: SetView, theirs: number, text: ElementView): number {
    if (this.encoding !== ENC_INTSET || other.encoding !== ENC_INTSET) {
      other.show(theirs, text);
      return this.find(text.bytes, text.offset, text.length);
    }
    intsetGet(other.bytes, other.base, theirs - 1);
    const found = intsetFind(this.bytes, this.base, intsetSlot.low, intsetSlot.high);
    return found ? intsetSlot.index + 1 : 0;
  }

  /** Shows the member with this ref. */
  show(ref: number, view: ElementView): void {
    if (this.table !== null) this.table.showField(ref, view);
    else if (this.encoding === ENC_INTSET) {
      intsetGet(this.bytes, this.base, ref - 1);
      view.showInteger(intsetSlot.low, intsetSlot.high);
    } else view.showListpack(this.bytes, this.base, ref);
  }

  /** The ref of a fair random member. `random` gives 32 random bits. */
  pick(random: () => number): number {
    if (this.table !== null) return this.table.dict.randomEntry(random);
    const index = random() % this.count;
    if (this.encoding === ENC_INTSET) return index + 1;
    return lpSeek(this.bytes, this.base, index);
  }
}

/**
 * Walks over the members of a set without allocating: for replies, files and digests.
 *
 *     cursor.start(keyspace, address);
 *     while (cursor.next()) use(cursor.member);
 *
 * An intset gives its members in order, a listpack as they came, a table in no order. The set must
 * not change in between; other walks may run.
 */
export class SetCursor {
  readonly member = new ElementView();
  /** The ref of the member that is shown. */
  ref = 0;
  /** Number of members of the set. */
  count = 0;
  private own = new SetView();
  private view: SetView = this.own;
  private readonly entries = new TableCursor();
  /** The next ref of a compact set, 0 at the end. */
  private at = 0;

  /** Stands before the first member of an entry's set. */
  start(keyspace: Keyspace, address: number): void {
    this.own.open(keyspace, address);
    this.startView(this.own);
  }

  /** Stands before the first member of what a view shows. */
  startView(view: SetView): void {
    this.view = view;
    this.count = view.count;
    this.ref = 0;
    if (view.table !== null) this.entries.start(view.table);
    else if (view.encoding === ENC_INTSET) this.at = this.count === 0 ? 0 : 1;
    else this.at = lpFirst(view.bytes, view.base);
  }

  /** Goes to the next member and shows it. False at the end. */
  next(): boolean {
    if (!this.step()) return false;
    this.view.show(this.ref, this.member);
    return true;
  }

  /** Like `next`, but shows nothing: only `ref` is set. */
  step(): boolean {
    const { view } = this;
    if (view.table !== null) {
      this.ref = this.entries.next();
      return this.ref !== 0;
    }
    this.ref = this.at;
    if (this.ref === 0) return false;
    if (view.encoding === ENC_INTSET) this.at = this.at === this.count ? 0 : this.at + 1;
    else this.at = lpNext(view.bytes, view.base, this.at);
    return true;
  }

  /** Shows a member of the set by its ref. */
  show(ref: number): void {
    this.ref = ref;
    this.view.show(ref, this.member);
  }

  /** The dict of a large set, else null. */
  get dict(): Dict | null {
    return this.view.table === null ? null : this.view.table.dict;
  }

  /** Whether refs are best gathered first: a pick by chance may walk to its place. */
  get isCompact(): boolean {
    return this.view.table === null;
  }

  /** The ref of a fair random member. */
  pick(random: () => number): number {
    return this.view.pick(random);
  }
}
