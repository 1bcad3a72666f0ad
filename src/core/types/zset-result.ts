/**
 * What a command makes of zsets and sets, before it is answered or stored: members that still stand
 * where they came from, with scores of their own.
 *
 *     result.start(keyspace, total);
 *     const owner = result.from(view);      a place that members come from
 *     result.push(owner, ref, score);       or, where a member may come twice: find(), then push()
 *     result.sort();
 *     result.show(rank, member), result.scoreAt(rank);     or     result.store(db, key, ...)
 *     result.end();
 *
 *     item     owner   ref    score   hash            table: open addressing, item + 1 at
 *     0        0       1040   1.5     ..              (hash + n) & mask, 0 for none
 *     1        1       77     3       ..
 *     order    1 0 ..    items by rank, once they are sorted
 *
 * Nothing is copied, so a union costs a hash and a look for each member, and the sort
 * (struct/merge-sort.ts). (Measured against building a zset with its index for each answer: a union
 * of two of 100 took 49 us and not 165, of two of 100,000 240 ms and not 430.)
 *
 * The sources must not change while they are shown.
 */
import type { Database } from '../database.ts';
import type { Keyspace } from '../keyspace.ts';
import { equalBytes } from '../memory/copy.ts';
import { halfSipHash } from '../memory/halfsiphash.ts';
import { lpBytes, lpInit } from '../struct/listpack.ts';
import { MergeSort } from '../struct/merge-sort.ts';
import { ENC_SKIPLIST, TYPE_ZSET } from '../value.ts';
import { ElementView } from './element-view.ts';
import { ZsetFit } from './zset-encoding.ts';
import { LargeZset } from './zset-large.ts';
import { packInsertAt } from './zset-pack.ts';

/** Where members stand: a view of a zset or a set. */
export interface MemberSource {
  show(ref: number, view: ElementView): void;
}

const FIRST_ROOM = 256;
const FIRST_BYTES = 4096;
/** Arrays that grew past this go when the result is done with: those of a million take 50 MB. */
const KEPT_ROOM = 1 << 16;
const KEPT_BYTES = 1 << 20;

const one = new ElementView();
const other = new ElementView();
const fit = new ZsetFit();
let buffer: Uint8Array = new Uint8Array(FIRST_BYTES);

export class ZsetResult extends MergeSort {
  /** Number of items. */
  count = 0;
  private keyspace: Keyspace | null = null;
  private readonly sources: MemberSource[] = [];
  private owners = new Uint32Array(FIRST_ROOM);
  private refs = new Uint32Array(FIRST_ROOM);
  private scores = new Float64Array(FIRST_ROOM);
  private hashes = new Int32Array(FIRST_ROOM);
  private table = new Uint32Array(FIRST_ROOM);
  private mask = 0;
  private seed0 = 0;
  private seed1 = 0;
  private hash = 0;
  private slot = 0;

  constructor() {
    super(FIRST_ROOM);
  }

  /**
   * Begins an empty result. `total`: how many members will be looked for with `find`, 0 for none.
   */
  start(keyspace: Keyspace, total: number): void {
    this.keyspace = keyspace;
    this.count = 0;
    this.sources.length = 0;
    this.seed0 = keyspace.seed.seed0;
    this.seed1 = keyspace.seed.seed1;
    this.mask = 0;
    if (total === 0) return;
    let size = FIRST_ROOM;
    while (size < total * 2) size *= 2;
    this.mask = size - 1;
    if (this.table.length < size) this.table = new Uint32Array(size);
    else this.table.fill(0, 0, size);
  }

  /** The result has been shown or stored: what it took beyond a little goes back. */
  end(): void {
    const { arena } = this.keyspace!;
    this.count = 0;
    this.sources.length = 0;
    if (this.refs.length > KEPT_ROOM) {
      const { hashes, order, owners, refs, scores, spare } = this;
      this.resize(FIRST_ROOM);
      arena.abandon(hashes, order, owners, refs, scores, spare);
    }
    if (this.table.length > KEPT_ROOM) {
      arena.abandon(this.table);
      this.table = new Uint32Array(FIRST_ROOM);
    }
    if (buffer.length > KEPT_BYTES) buffer = new Uint8Array(FIRST_BYTES);
  }

  /** Names a place that members come from. */
  from(source: MemberSource): number {
    return this.sources.push(source) - 1;
  }

  /** Adds a member that is not there. */
  push(owner: number, ref: number, score: number): void {
    const item = this.count++;
    if (item === this.refs.length) this.resize(item * 2);
    this.owners[item] = owner;
    this.refs[item] = ref;
    this.scores[item] = score;
  }

  /** The item of a member, -1 when there is none; `pushFound` may add it then. */
  find(member: Uint8Array, offset: number, length: number): number {
    const { hashes, mask, owners, refs, sources, table } = this;
    const hash = halfSipHash(member, offset, length, this.seed0, this.seed1);
    let slot = hash & mask;
    for (; table[slot] !== 0; slot = (slot + 1) & mask) {
      const item = table[slot]! - 1;
      if (hashes[item] !== hash) continue;
      sources[owners[item]!]!.show(refs[item]!, other);
      if (other.length !== length) continue;
      if (equalBytes(other.bytes, other.offset, member, offset, length)) return item;
    }
    this.hash = hash;
    this.slot = slot;
    return -1;
  }

  /** Adds the member that `find` did not find. */
  pushFound(owner: number, ref: number, score: number): void {
    this.push(owner, ref, score);
    this.hashes[this.count - 1] = this.hash;
    this.spare[this.count - 1] = 0;
    this.table[this.slot] = this.count;
  }

  /** The score of an item. */
  scoreOf(item: number): number {
    return this.scores[item]!;
  }

  setScore(item: number, score: number): void {
    this.scores[item] = score;
  }

  /** Counts that an item was met once more, when it has been met `times` times; else false. */
  meet(item: number, times: number): boolean {
    if (this.spare[item] !== times) return false;
    this.spare[item] = times + 1;
    return true;
  }

  /** Forgets the items that were not met `times` times. */
  keepMet(times: number): void {
    const { hashes, owners, refs, scores, spare } = this;
    let kept = 0;
    for (let item = 0; item < this.count; item++) {
      if (spare[item] !== times) continue;
      owners[kept] = owners[item]!;
      refs[kept] = refs[item]!;
      scores[kept] = scores[item]!;
      hashes[kept++] = hashes[item]!;
    }
    this.count = kept;
  }

  // ---------------------------------------------------------------- by rank

  /** Puts the items into order. */
  sort(): void {
    this.sortItems(this.count);
  }

  /** Shows the member of a rank. */
  show(rank: number, view: ElementView): void {
    const item = this.order[rank]!;
    this.sources[this.owners[item]!]!.show(this.refs[item]!, view);
  }

  /** The score of a rank. */
  scoreAt(rank: number): number {
    return this.scores[this.order[rank]!]!;
  }

  /**
   * Puts the result, which is sorted and not empty, behind a key, in the encoding that fits.
   * `existing` is what `lookupWrite` returned for it. Returns the entry's address; its expiry is
   * gone.
   */
  store(db: Database, key: Uint8Array, offset: number, length: number, existing: number): number {
    const keyspace = this.keyspace!;
    const encoding = this.encoding(keyspace);
    if (encoding === ENC_SKIPLIST) {
      const large = new LargeZset(keyspace.arena, keyspace.seed);
      large.beginLoad(this.count);
      for (let rank = 0; rank < this.count; rank++) {
        this.show(rank, one);
        const score = this.scoreAt(rank);
        if (this.mask === 0) large.load(one.bytes, one.offset, one.length, score);
        else {
          const hash = this.hashes[this.order[rank]!]!;
          large.loadHashed(one.bytes, one.offset, one.length, score, hash);
        }
      }
      large.endLoad();
      const type = TYPE_ZSET;
      return keyspace.putLarge(db, key, offset, length, existing, type, encoding, large, false);
    }
    const size = this.pack();
    return keyspace.putBytes(
      db,
      key,
      offset,
      length,
      existing,
      TYPE_ZSET,
      encoding,
      buffer,
      0,
      size,
      false,
    );
  }

  /** The encoding that fits. */
  private encoding({ limits }: Keyspace): number {
    if (this.count > limits.zsetMaxListpackEntries) return ENC_SKIPLIST;
    fit.start();
    for (let rank = 0; rank < this.count; rank++) {
      this.show(rank, one);
      fit.add(one, this.scoreAt(rank));
    }
    return fit.encoding(limits);
  }

  /** Packs the items into the buffer. Returns how many bytes they take. */
  private pack(): number {
    const size = fit.bytes;
    if (buffer.length < size) buffer = new Uint8Array(size);
    lpInit(buffer, 0);
    for (let rank = 0; rank < this.count; rank++) {
      this.show(rank, one);
      packInsertAt(buffer, 0, 0, one.bytes, one.offset, one.length, this.scoreAt(rank));
    }
    if (lpBytes(buffer, 0) !== size) throw new Error('zset result: a listpack of another size');
    return size;
  }

  // ---------------------------------------------------------------- order

  protected isBefore(a: number, b: number): boolean {
    const { scores } = this;
    if (scores[a]! !== scores[b]!) return scores[a]! < scores[b]!;
    return this.isMemberBefore(a, b);
  }

  private isMemberBefore(a: number, b: number): boolean {
    const { owners, refs, sources } = this;
    sources[owners[a]!]!.show(refs[a]!, one);
    sources[owners[b]!]!.show(refs[b]!, other);
    const common = Math.min(one.length, other.length);
    for (let i = 0; i < common; i++) {
      const difference = one.bytes[one.offset + i]! - other.bytes[other.offset + i]!;
      if (difference !== 0) return difference < 0;
    }
    return one.length < other.length;
  }

  /** Gives the arrays of items room for `room`. */
  private resize(room: number): void {
    const kept = Math.min(this.count, room);
    const owners = new Uint32Array(room);
    const refs = new Uint32Array(room);
    const scores = new Float64Array(room);
    const hashes = new Int32Array(room);
    owners.set(this.owners.subarray(0, kept));
    refs.set(this.refs.subarray(0, kept));
    scores.set(this.scores.subarray(0, kept));
    hashes.set(this.hashes.subarray(0, kept));
    this.owners = owners;
    this.refs = refs;
    this.scores = scores;
    this.hashes = hashes;
    const spare = new Uint32Array(room);
    spare.set(this.spare.subarray(0, kept));
    this.spare = spare;
    this.order = new Uint32Array(room);
  }
}
