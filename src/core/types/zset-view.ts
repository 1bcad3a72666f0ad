/**
 * Looking at zsets, whatever their encoding: a view finds members, scores and ranks, a cursor walks
 * in order.
 *
 * Elements are named by refs, which are never 0: positions of a listpack's pairs, or entries of a
 * large zset. A ref is valid until the zset changes.
 */
import type { Keyspace } from '../keyspace.ts';
import type { Dict } from '../struct/dict.ts';
import { lpCount, lpFirst, lpSeek } from '../struct/listpack.ts';
import { IndexCursor } from '../struct/sorted-index.ts';
import { ENC_SKIPLIST, encodingOf } from '../value.ts';
import { ElementView } from './element-view.ts';
import type { LargeZset } from './zset-large.ts';
import { packFind, packNext, packPrevious, packRank, packScore } from './zset-pack.ts';

const NO_BYTES = new Uint8Array(0);

export class ZsetView {
  /** A large zset, else null. */
  large: LargeZset | null = null;
  /** Where a small zset begins. */
  bytes: Uint8Array = NO_BYTES;
  base = 0;

  /** Looks at the zset of an entry. */
  open(keyspace: Keyspace, address: number): void {
    const { arena } = keyspace;
    if (encodingOf(arena, address) === ENC_SKIPLIST) {
      this.large = keyspace.largeOf(address) as LargeZset;
      return;
    }
    this.large = null;
    this.bytes = arena.bytes(keyspace.valueBlock(address));
    this.base = keyspace.valueOffset(address);
  }

  /** Number of members. */
  get count(): number {
    return this.large !== null ? this.large.count : lpCount(this.bytes, this.base) >>> 1;
  }

  /** The ref of a member, 0 when there is none. */
  find(member: Uint8Array, offset: number, length: number): number {
    if (this.large !== null) return this.large.find(member, offset, length);
    return packFind(this.bytes, this.base, member, offset, length);
  }

  /** The score of an element. */
  scoreOf(ref: number): number {
    if (this.large !== null) return this.large.scoreOf(ref);
    return packScore(this.bytes, this.base, ref);
  }

  /** The rank of an element, from the lowest score. */
  rankOf(ref: number): number {
    if (this.large !== null) return this.large.index.rankOf(ref);
    return packRank(this.bytes, this.base, ref);
  }

  /** Shows the member of an element. */
  show(ref: number, view: ElementView): void {
    if (this.large !== null) this.large.showMember(ref, view);
    else view.showListpack(this.bytes, this.base, ref);
  }
}

/**
 * Walks over a zset in order, up or down, without allocating: for replies, files and digests.
 *
 *     cursor.startAt(keyspace, address, rank, reverse);      or cursor.start(keyspace, address)
 *     while (cursor.next()) use(cursor.member, cursor.score);
 *
 * The zset must not change in between; other walks may run.
 */
export class ZsetCursor {
  readonly member = new ElementView();
  /** The ref of the element that is shown. */
  ref = 0;
  /** Number of members of the zset. */
  count = 0;
  private own = new ZsetView();
  private view: ZsetView = this.own;
  private readonly walker = new IndexCursor();
  private reverse = false;
  /** The next ref, 0 at the end. */
  private at = 0;

  /** Stands before the lowest element of an entry's zset. */
  start(keyspace: Keyspace, address: number): void {
    this.startAt(keyspace, address, 0, false);
  }

  /** Stands before the highest element, to go down. */
  startHighest(keyspace: Keyspace, address: number): void {
    this.own.open(keyspace, address);
    this.startView(this.own, this.own.count - 1, true);
  }

  /**
   * Stands before the element with this rank (from the lowest, always), to go up or down from
   * there.
   */
  startAt(keyspace: Keyspace, address: number, rank: number, reverse: boolean): void {
    this.own.open(keyspace, address);
    this.startView(this.own, rank, reverse);
  }

  /** Like `startAt`, of what a view shows. */
  startView(view: ZsetView, rank: number, reverse: boolean): void {
    this.view = view;
    this.count = view.count;
    this.reverse = reverse;
    this.ref = 0;
    if (view.large !== null) {
      view.large.index.seek(rank, this.walker);
      this.at = this.walker.entry;
    } else if (rank < 0 || rank >= this.count) this.at = 0;
    else if (rank === 0) this.at = lpFirst(view.bytes, view.base);
    else this.at = lpSeek(view.bytes, view.base, rank * 2);
  }

  /** Goes to the next element and shows it. False at the end. */
  next(): boolean {
    if (!this.step()) return false;
    this.view.show(this.ref, this.member);
    return true;
  }

  /** Like `next`, but shows nothing: only `ref` and `score` are set. */
  step(): boolean {
    const { view } = this;
    this.ref = this.at;
    if (this.ref === 0) return false;
    if (view.large !== null) {
      if (this.reverse) this.walker.previous();
      else this.walker.next();
      this.at = this.walker.entry;
    } else if (this.reverse) this.at = packPrevious(view.bytes, view.base, this.ref);
    else this.at = packNext(view.bytes, view.base, this.ref);
    return true;
  }

  /** The score of the element that `next` or `step` went to. */
  get score(): number {
    return this.view.scoreOf(this.ref);
  }

  /** Shows an element of the zset by its ref. */
  show(ref: number): void {
    this.ref = ref;
    this.view.show(ref, this.member);
  }

  /** The dict of a large zset, else null. */
  get dict(): Dict | null {
    return this.view.large === null ? null : this.view.large.dict;
  }

  /** Whether refs are best gathered first: a pick by chance may walk to its place. */
  get isCompact(): boolean {
    return this.view.large === null;
  }

  /** The ref of a fair random element. `random` gives 32 random bits. */
  pick(random: () => number): number {
    const { view } = this;
    if (view.large !== null) return view.large.dict.randomEntry(random);
    return lpSeek(view.bytes, view.base, (random() % this.count) * 2);
  }
}
