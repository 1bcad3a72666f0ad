/**
 * The "skiplist" encoding of large zsets: a dict that finds members, and a sorted index that orders
 * them.
 *
 *     word 0     the dict's head (struct/entry.ts); its 13 owner bits are the mark
 *     words 1-2  the score, low word first
 *     [word      length of the member, when 65,535 or more]
 *     bytes      the member
 *
 * An entry is one arena block that both share: the dict by the member, the index
 * (struct/sorted-index.ts) by score and member. A member of 16 bytes takes 32, about 10 in the dict
 * and 13 to 20 in the index.
 *
 * Entries are named by their address, which is theirs until they are removed, whatever their score
 * becomes. `entryBytes` is exact at every moment.
 *
 * Whoever walks over a zset that goes on changing stands at its `door`, which sees every entry
 * before it changes or goes, and begins a new mark: entries that are made from then on carry it,
 * and the walker gives it to those it has seen. A mark that comes round again would be taken for a
 * fresh one, so before that, after some thousand walks in a row that did not end, all entries are
 * marked anew.
 */
import type { LargeValue } from '../keyspace.ts';
import { LateEntries } from '../late-entries.ts';
import type { Arena } from '../memory/arena.ts';
import { copyBytes } from '../memory/copy.ts';
import { Dict } from '../struct/dict.ts';
import { hashAhead } from '../struct/dict-ahead.ts';
import {
  entryHead,
  entryKeyLength,
  entryKeyOffset,
  OWNER_SHIFT,
  WIDE_KEY,
  wideWords,
} from '../struct/entry.ts';
import type { HashSeed } from '../struct/key-hash.ts';
import { IndexCursor, SortedIndex } from '../struct/sorted-index.ts';
import { ENTRY_WORDS, entryScore, setEntryScore } from '../struct/sorted-node.ts';
import type { ElementView } from './element-view.ts';

const MARK_MASK = 0x1fff;
/** Walks in a row that may be left before their end. */
const UNFINISHED_MAX = MARK_MASK - 1;
const HEAD_MASK = (1 << OWNER_SHIFT) - 1;

/** What waits to stand in the dict of the zset that is being loaded. */
const loaded = new LateEntries();
/** Entries that a copy looks at together, and their hashes. */
const COPIED_MAX = 64;
const copied = new Uint32Array(COPIED_MAX);
const hashes: number[] = [];

/** Is shown every change of a zset's entries before it happens. */
export interface ZsetDoor {
  /** Called when the entry is about to get another score, or to go. */
  changing(entry: number): void;
}

const HEAP_BYTES = 570;

export class LargeZset implements LargeValue {
  readonly dict: Dict;
  readonly index: SortedIndex;
  readonly arena: Arena;
  /** Bytes of all entries, without dict and index. */
  entryBytes = 0;
  door: ZsetDoor | null = null;
  /** The entry that is being filled and stands nowhere yet, 0 for none; its member, where. */
  opened = 0;
  openAt = 0;
  private readonly seed: HashSeed;
  /** What new entries are marked with. */
  private mark = 0;
  /** Marks begun since the last one that reached every entry. */
  private unfinished = 0;

  constructor(arena: Arena, seed: HashSeed) {
    this.arena = arena;
    this.seed = seed;
    this.dict = new Dict(arena, seed);
    this.index = new SortedIndex(arena);
  }

  /** Number of members. */
  get count(): number {
    return this.dict.count;
  }

  /** The entry of a member, or 0. */
  find(member: Uint8Array, offset: number, length: number): number {
    return this.dict.find(member, offset, length);
  }

  /** The score of an entry. */
  scoreOf(entry: number): number {
    return entryScore(this.arena, entry);
  }

  /** Shows the member of an entry. */
  showMember(entry: number, view: ElementView): void {
    const { arena } = this;
    const words = arena.words(entry);
    const at = arena.wordOffset(entry);
    const head = words[at]!;
    const key = at + ((head >>> 16) & 7);
    const short = head & 0xffff;
    view.bytes = arena.bytes(entry);
    view.offset = key << 2;
    view.length = short !== WIDE_KEY ? short : words[key - 1]!;
  }

  /** Adds a member that is not there. Returns its entry. */
  add(member: Uint8Array, offset: number, length: number, score: number): number {
    return this.addHashed(member, offset, length, score, this.dict.hash(member, offset, length));
  }

  /** Like `add`, for a caller that has the hash of the member already. */
  addHashed(
    member: Uint8Array,
    offset: number,
    length: number,
    score: number,
    hash: number,
  ): number {
    const entry = this.build(member, offset, length, score);
    this.dict.insert(entry, hash);
    this.index.insert(entry);
    return entry;
  }

  // ---------------------------------------------------------------- in order

  /** Begins to load `count` members, one or more, in order, into a zset without any. */
  beginLoad(count: number): void {
    this.dict.reserve(count + 1);
    loaded.count = 0;
  }

  /**
   * Loads a member that none before was and that stands behind all of them. `endLoad` must follow
   * before anything else is done with any zset.
   */
  load(member: Uint8Array, offset: number, length: number, score: number): void {
    this.loadHashed(member, offset, length, score, this.dict.hash(member, offset, length));
  }

  /** Like `load`, for a caller that has the hash of the member already. */
  loadHashed(
    member: Uint8Array,
    offset: number,
    length: number,
    score: number,
    hash: number,
  ): void {
    if (loaded.isFull) this.settleLoad();
    const entry = this.build(member, offset, length, score);
    loaded.addHashed(entry, hash);
    this.index.load(entry);
  }

  /** Ends a load. */
  endLoad(): void {
    this.settleLoad();
    this.index.endLoad();
  }

  private settleLoad(): void {
    loaded.settle(this.dict, this.arena);
    if (loaded.count > 0) throw new Error('zset: a member was loaded twice');
  }

  /** Adds a member for a loader: it stands in the zset after `settle`. Returns its entry. */
  addLate(
    late: LateEntries,
    member: Uint8Array,
    offset: number,
    length: number,
    score: number,
  ): number {
    const entry = this.build(member, offset, length, score);
    late.add(this.dict, entry);
    return entry;
  }

  /** Puts what waits into the zset. False, with the rest dropped, when a member comes twice. */
  settle(late: LateEntries): boolean {
    const settled = late.settle(this.dict, this.arena);
    const isNew = late.count === 0;
    this.index.insertAll(late.addresses, settled);
    for (let i = settled; i < late.count; i++) this.drop(late.addressAt(i));
    late.count = 0;
    return isNew;
  }

  /** Gives an entry another score. */
  setScore(entry: number, score: number): void {
    if (this.door !== null) this.door.changing(entry);
    this.index.move(entry, score);
  }

  /** Removes a member. False when there is none. */
  remove(member: Uint8Array, offset: number, length: number): boolean {
    const entry = this.dict.find(member, offset, length);
    if (entry === 0) return false;
    if (this.door !== null) this.door.changing(entry);
    this.index.remove(entry);
    this.dict.removeFound();
    this.drop(entry);
    return true;
  }

  /** Removes `count` elements from rank `rank` on, all of which exist. */
  removeRange(rank: number, count: number): void {
    const { dict, index } = this;
    for (let left = count; left > 0; ) {
      const taken = index.take(rank, left);
      for (let i = 0; i < taken; i++) {
        const entry = index.taken[i]!;
        if (this.door !== null) this.door.changing(entry);
        dict.removeAddress(entry);
        this.drop(entry);
      }
      left -= taken;
    }
  }

  // ---------------------------------------------------------------- marks

  /** Begins a mark that no entry carries yet. */
  beginMark(): void {
    if (this.unfinished === UNFINISHED_MAX) {
      this.markAll();
      this.unfinished = 0;
    }
    this.unfinished++;
    this.mark = (this.mark + 1) & MARK_MASK;
  }

  /** Ends a walk: every entry carries the present mark. */
  endMark(): void {
    this.unfinished = 0;
  }

  /** Whether an entry carries the present mark. */
  isMarked(entry: number): boolean {
    const { arena } = this;
    return arena.words(entry)[arena.wordOffset(entry)]! >>> OWNER_SHIFT === this.mark;
  }

  /** Gives an entry the present mark. */
  setMark(entry: number): void {
    const words = this.arena.words(entry);
    const at = this.arena.wordOffset(entry);
    words[at] = ((words[at]! & HEAD_MASK) | (this.mark << OWNER_SHIFT)) >>> 0;
  }

  private markAll(): void {
    const { dict } = this;
    let cursor = 0;
    do {
      cursor = dict.collect(cursor);
      for (let i = 0; i < dict.collectedCount; i++) this.setMark(dict.collected[i]!);
    } while (cursor !== 0);
  }

  // ---------------------------------------------------------------- as a large value

  release(limit: number): boolean {
    if (this.opened !== 0) this.drop(this.opened);
    this.opened = 0;
    if (this.dict.drain(limit)) {
      this.dropCollected();
      return true;
    }
    this.dropCollected();
    return this.index.drain(limit);
  }

  clone(): LargeZset {
    const copy = new LargeZset(this.arena, this.seed);
    const { arena, index } = this;
    const cursor = new IndexCursor();
    copy.beginLoad(this.count);
    for (index.seek(0, cursor); cursor.entry !== 0; ) {
      const count = cursor.take(copied, COPIED_MAX);
      hashAhead(copy.dict, arena, copied, count, hashes);
      for (let i = 0; i < count; i++) {
        const entry = copied[i]!;
        const from = entryKeyOffset(arena, entry);
        const length = entryKeyLength(arena, entry);
        copy.loadHashed(arena.bytes(entry), from, length, entryScore(arena, entry), hashes[i]!);
      }
    }
    copy.endLoad();
    return copy;
  }

  get heapBytes(): number {
    return HEAP_BYTES;
  }

  memoryBytes(): number {
    return this.dict.overheadBytes + this.index.nodeBytes + this.entryBytes;
  }

  /** Opens an entry for a member that the caller writes before it calls `place`. */
  openMember(length: number): void {
    this.opened = this.make(length);
  }

  /** Adds the entry that is open. False, and it is dropped, when its member is here already. */
  place(score: number): boolean {
    const { arena, dict, opened: entry } = this;
    const hash = dict.hashOf(entry);
    const length = entryKeyLength(arena, entry);
    const found = dict.findHashed(arena.bytes(entry), entryKeyOffset(arena, entry), length, hash);
    this.opened = 0;
    if (found !== 0) {
      this.drop(entry);
      return false;
    }
    setEntryScore(arena, entry, score);
    dict.insert(entry, hash);
    this.index.insert(entry);
    return true;
  }

  private build(member: Uint8Array, offset: number, length: number, score: number): number {
    const { arena } = this;
    const entry = this.make(length);
    copyBytes(member, offset, arena.bytes(entry), this.openAt, length);
    setEntryScore(arena, entry, score);
    return entry;
  }

  /** Makes an entry whose member is to be written at `openAt`. */
  private make(length: number): number {
    const { arena } = this;
    const wide = wideWords(length);
    const keyWords = ENTRY_WORDS + wide;
    const entry = arena.alloc(keyWords * 4 + length);
    this.entryBytes += arena.sizeOf(entry);
    const words = arena.words(entry);
    const at = arena.wordOffset(entry);
    words[at] = entryHead(length, keyWords, this.mark);
    if (wide !== 0) words[at + ENTRY_WORDS] = length;
    this.openAt = (at + keyWords) << 2;
    return entry;
  }

  private dropCollected(): void {
    const { collected, collectedCount } = this.dict;
    for (let i = 0; i < collectedCount; i++) this.drop(collected[i]!);
  }

  private drop(entry: number): void {
    this.entryBytes -= this.arena.sizeOf(entry);
    this.arena.free(entry);
  }
}
