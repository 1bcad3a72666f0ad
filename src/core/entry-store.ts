/**
 * The entry store: entries and their values as blocks of the arena, whatever database they are in.
 *
 * It knows how an entry is laid out (value.ts draws it), builds and copies entries, holds large
 * collections behind handles, and keeps what an entry remembers of its use. It knows no dict and no
 * expiry index: entry-changes.ts puts entries into those.
 */
import type { Database } from './database.ts';
import { Arena } from './memory/arena.ts';
import { copyBytes } from './memory/copy.ts';
import { OfferedBuffers } from './memory/offered-buffers.ts';
import type { Dict } from './struct/dict.ts';
import {
  entryHead,
  entryKeyLength,
  entryKeyOffset,
  OWNER_SHIFT,
  WIDE_KEY,
  wideWords,
} from './struct/entry.ts';
import { Fifo } from './struct/fifo.ts';
import { LFU_INITIAL, lfuDecayed, lfuGrown, lfuWord } from './usage.ts';
import {
  ALL_WORDS,
  type ByteView,
  ENC_INT,
  EXPIRES,
  EXTERNAL,
  HEAD_EXPIRES,
  HEAD_EXTERNAL,
  HEAD_LARGE,
  LARGE,
  ownerBits,
} from './value.ts';

/** The running snapshot, as the door sees it. */
export interface SnapshotDoor {
  /** Takes the entry as it is now; its caller marks it. */
  emit(db: Database, address: number): void;
  /**
   * A large collection is out of use: true when the snapshot still reads it, and gives it back
   * itself, through `releaseLater`.
   */
  takeOverLarge(value: LargeValue): boolean;
}

/** Something large whose memory is given back in slices. */
export interface Releasable {
  /** Frees up to `limit` or a few more elements; true while some are left. */
  release(limit: number): boolean;
}

/** A large collection behind a handle. */
export interface LargeValue extends Releasable {
  /** The dict that finds its elements, null where there is none. */
  readonly dict: Dict | null;
  /** About what its objects take of JavaScript's heap, beside the arena; always the same. */
  readonly heapBytes: number;
  /** A copy that shares nothing with this. */
  clone(): LargeValue;
  /**
   * Bytes of the arena that it takes; of many elements, `samples` may be measured and the rest
   * estimated (0: none).
   */
  memoryBytes(samples: number): number;
}

export class EntryStore {
  readonly arena = new Arena();
  /** Bytes that a value may take over as they are. */
  readonly offered = new OfferedBuffers(this.arena);
  /** 32 random bits a call. */
  readonly random: () => number;
  /** Milliseconds since 1970, as of the present command. */
  nowMs = 0;
  /** Under an LFU policy an entry's 24 bits count uses instead of keeping the time of the last. */
  lfu = false;
  lfuLogFactor = 10;
  lfuDecayTime = 1;
  /** Generation of the running or last snapshot, 0 to 255. */
  generation = 0;
  snapshot: SnapshotDoor | null = null;
  /** The block of an entry whose key is being written, 0 for none. */
  openedKey = 0;

  /** Databases and values out of reach whose memory is still to be freed, in slices. */
  protected readonly doomed = new Fifo<Database | Releasable>();
  /**
   * The LRU clock, and the moment that it was computed for: a double from the first, since V8 makes
   * another class of an object whose small integer becomes one, and throws code away that knew it.
   */
  private clock = 0;
  private clockedMs = Number.NaN;
  private readonly large: (LargeValue | null)[] = [];
  private readonly largeFree: number[] = [];

  constructor(random: () => number) {
    this.random = random;
  }

  /** The large collection of an entry with LARGE. */
  largeOf(address: number): LargeValue {
    return this.large[this.arena.words(address)[this.arena.wordOffset(address) + 2]!]!;
  }

  /** The block that holds the value's bytes of `address`: itself, or the one it points to. */
  valueBlock(address: number): number {
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address);
    return (words[at]! & HEAD_EXTERNAL) !== 0 ? words[at + 3]! : address;
  }

  /** Where the value's bytes begin in `arena.bytes(valueBlock(address))`. */
  valueOffset(address: number): number {
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address);
    const head = words[at]!;
    if ((head & HEAD_EXTERNAL) !== 0) return this.arena.byteOffset(words[at + 3]!);
    const short = head & 0xffff;
    const keyWords = (head >>> 16) & 7;
    const keyLength = short !== WIDE_KEY ? short : words[at + keyWords - 1]!;
    return ((at + keyWords) << 2) + keyLength;
  }

  /** Shows the value's bytes: `valueBlock`, `valueOffset` and `valueLength` in one. */
  viewValue(address: number, view: ByteView): void {
    const { arena } = this;
    const words = arena.words(address);
    const at = arena.wordOffset(address);
    const head = words[at]!;
    view.length = words[at + 2]!;
    if ((head & HEAD_EXTERNAL) !== 0) {
      const block = words[at + 3]!;
      view.bytes = arena.bytes(block);
      view.offset = arena.byteOffset(block);
      return;
    }
    const short = head & 0xffff;
    const keyWords = (head >>> 16) & 7;
    const keyLength = short !== WIDE_KEY ? short : words[at + keyWords - 1]!;
    view.bytes = arena.bytes(address);
    view.offset = ((at + keyWords) << 2) + keyLength;
  }

  /** Length of the key. */
  keyLength(address: number): number {
    return entryKeyLength(this.arena, address);
  }

  /** Where the key begins in `arena.bytes(address)`. */
  keyOffset(address: number): number {
    return entryKeyOffset(this.arena, address);
  }

  /** Length of the value's bytes. */
  valueLength(address: number): number {
    return this.arena.words(address)[this.arena.wordOffset(address) + 2]!;
  }

  /** Sets the encoding of an entry whose value stays as it is. */
  setEncoding(address: number, encoding: number): void {
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address);
    const mask = (15 << (OWNER_SHIFT + 3)) >>> 0;
    words[at] = ((words[at]! & ~mask) | (encoding << (OWNER_SHIFT + 3))) >>> 0;
  }

  /** Whether the entry expires at all. */
  hasExpiry(address: number): boolean {
    return (this.arena.words(address)[this.arena.wordOffset(address)]! & HEAD_EXPIRES) !== 0;
  }

  /** The 24 bits of an entry that say when, or how often, it was used. */
  usageOf(address: number): number {
    return this.arena.words(address)[this.arena.wordOffset(address) + 1]! & 0xffffff;
  }

  setUsage(address: number, usage: number): void {
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address) + 1;
    words[at] = ((words[at]! & 0xff000000) | (usage & 0xffffff)) >>> 0;
  }

  /** Notes that the entry was used now. */
  touch(address: number): void {
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address) + 1;
    const word = words[at]! | 0;
    const used = (word & 0xff000000) | this.usageAfter(word & 0xffffff);
    // Most often it was used in this very second: its cache line need not be written back.
    if (used !== word) words[at] = used;
  }

  /** The LRU clock: seconds, 24 bits. */
  get lruClock(): number {
    if (this.nowMs !== this.clockedMs) {
      this.clockedMs = this.nowMs;
      this.clock = Math.floor(this.nowMs / 1000) & 0xffffff;
    }
    return this.clock;
  }

  private usageAfter(old: number): number {
    if (!this.lfu) return this.lruClock;
    const counter = lfuDecayed(old, this.nowMs, this.lfuDecayTime);
    return lfuWord(this.nowMs, lfuGrown(counter, this.lfuLogFactor, this.random));
  }

  /** Frees a large collection that no entry holds any more, or a part of one, in slices. */
  releaseLater(value: Releasable): void {
    if (value.release(64)) this.doomed.push(value);
  }

  /**
   * A fresh entry with head and key; words 2 and 3, the place and the value are the caller's to
   * write.
   */
  protected build(
    key: Uint8Array,
    keyOffset: number,
    keyLength: number,
    type: number,
    encoding: number,
    flags: number,
    inlineLength: number,
  ): number {
    const wide = wideWords(keyLength);
    const four = encoding === ENC_INT && type === 0 ? 1 : (flags & EXTERNAL) !== 0 ? 1 : 0;
    const isThere = wide !== 0 && this.openedKey !== 0 && key === this.arena.bytes(this.openedKey);
    const keyWords = isThere ? ALL_WORDS : 3 + four + ((flags & EXPIRES) !== 0 ? 1 : 0) + wide;
    const size = keyWords * 4 + keyLength + inlineLength;
    const address = isThere ? this.openedKey : this.arena.alloc(size);
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address);
    words[at] = entryHead(keyLength, keyWords, ownerBits(type, encoding, flags));
    const usage = this.lfu ? lfuWord(this.nowMs, LFU_INITIAL) : this.lruClock;
    words[at + 1] = ((this.generation << 24) | usage) >>> 0;
    if (wide !== 0) words[at + keyWords - 1] = keyLength;
    if (isThere) this.openedKey = 0;
    else copyBytes(key, keyOffset, this.arena.bytes(address), (at + keyWords) << 2, keyLength);
    return address;
  }

  /**
   * Opens an entry for a key of so many bytes, 65,535 or more, whose value is not known yet.
   * Returns where the caller is to write the key in the bytes of `openedKey`: when a value is put
   * with those very bytes for its key, the entry is made there.
   */
  openKey(length: number): number {
    this.dropKey();
    this.openedKey = this.arena.alloc(ALL_WORDS * 4 + length);
    return this.arena.byteOffset(this.openedKey) + ALL_WORDS * 4;
  }

  /** Frees what `openKey` has made, if no value came. */
  dropKey(): void {
    if (this.openedKey !== 0) this.arena.free(this.openedKey);
    this.openedKey = 0;
  }

  /** Bytes behind the key in the entry's own block that belong to the value. */
  protected inlineLength(address: number): number {
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address);
    const head = words[at]!;
    const owner = head >>> OWNER_SHIFT;
    if ((owner & (EXTERNAL | LARGE)) !== 0 || (owner & 127) === ENC_INT << 3) return 0;
    return words[at + 2]!;
  }

  /** A copy of the entry with or without a place word. The old block still stands. */
  protected reshape(address: number, expires: boolean): number {
    const keyLength = entryKeyLength(this.arena, address);
    const head = this.arena.words(address)[this.arena.wordOffset(address)]!;
    const keyAt = (this.arena.wordOffset(address) + ((head >>> 16) & 7)) << 2;
    return this.rekeyed(address, this.arena.bytes(address), keyAt, keyLength, expires);
  }

  /**
   * A copy of the entry under another key, with or without a place word. The old block still
   * stands.
   */
  protected rekeyed(
    address: number,
    key: Uint8Array,
    keyOffset: number,
    keyLength: number,
    expires: boolean,
  ): number {
    const arena = this.arena;
    const from = arena.words(address);
    const fromAt = arena.wordOffset(address);
    const owner = from[fromAt]! >>> OWNER_SHIFT;
    const inline = this.inlineLength(address);
    const flags = (owner & ~EXPIRES & ~127) | (expires ? EXPIRES : 0);
    const fresh = this.build(
      key,
      keyOffset,
      keyLength,
      owner & 7,
      (owner >>> 3) & 15,
      flags,
      inline,
    );
    const to = arena.words(fresh);
    const toAt = arena.wordOffset(fresh);
    to[toAt + 1] = from[fromAt + 1]!;
    to[toAt + 2] = from[fromAt + 2]!;
    if ((owner & EXTERNAL) !== 0 || (owner & 127) === ENC_INT << 3)
      to[toAt + 3] = from[fromAt + 3]!;
    const valueAt = ((toAt + ((to[toAt]! >>> 16) & 7)) << 2) + keyLength;
    if (inline > 0) {
      const bytes = arena.bytes(address);
      copyBytes(bytes, this.valueOffset(address), arena.bytes(fresh), valueAt, inline);
    }
    return fresh;
  }

  protected resizeExternal(address: number, length: number, wanted: number): number {
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address);
    const old = words[at + 3]!;
    const fresh = this.arena.alloc(Math.max(wanted, 1));
    const kept = Math.min(length, words[at + 2]!);
    copyBytes(
      this.arena.bytes(old),
      this.arena.byteOffset(old),
      this.arena.bytes(fresh),
      this.arena.byteOffset(fresh),
      kept,
    );
    words[at + 2] = length;
    words[at + 3] = fresh;
    this.arena.free(old);
    return address;
  }

  protected freeEntry(address: number): void {
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address);
    const head = words[at]!;
    if ((head & HEAD_EXTERNAL) !== 0) this.arena.free(words[at + 3]!);
    if ((head & HEAD_LARGE) !== 0) this.freeLarge(words[at + 2]!);
    this.arena.free(address);
  }

  protected newHandle(value: LargeValue): number {
    const handle = this.largeFree.pop() ?? this.large.length;
    this.large[handle] = value;
    this.arena.besideBytes += value.heapBytes;
    return handle;
  }

  private freeLarge(handle: number): void {
    const value = this.large[handle]!;
    this.large[handle] = null;
    this.largeFree.push(handle);
    this.arena.besideBytes -= value.heapBytes;
    if (this.snapshot?.takeOverLarge(value) !== true) this.releaseLater(value);
  }
}
