/**
 * The keyspace: all databases, and the one door to every change of a key.
 *
 * Reading goes through `lookupRead`, changing through `lookupWrite`, `put*`, `resizeValue`, `setExpiry` and `remove`.
 * Each of the latter passes `door`, which shows the running snapshot the entry as it is before the change; whoever
 * changes bytes of a value in place has come through `lookupWrite` first. Nothing else may write to an entry.
 *
 * An address is valid until its entry is changed in size, given or relieved of an expiry, or removed: those calls
 * return the new address. Keys and values that are handed in are borrowed and copied.
 *
 * Time is `nowMs`, set by the owner before each batch of commands, so that one command sees one moment.
 */
import { Database } from './database.ts';
import { EncodingLimits } from './encoding-limits.ts';
import { type Arena, BLOCK_BYTES_MAX, Arena as Blocks } from './memory/arena.ts';
import { copyBytes } from './memory/copy.ts';
import type { HashSeed } from './struct/dict.ts';
import {
  entryHead,
  entryKeyLength,
  entryKeyOffset,
  OWNER_SHIFT,
  WIDE_KEY,
  wideWords,
} from './struct/entry.ts';
import { lfuDecayed, lfuGrown, lfuWord } from './usage.ts';
import {
  ENC_INT,
  EXPIRES,
  EXTERNAL,
  encodingOf,
  HEAD_EXPIRES,
  HEAD_EXTERNAL,
  HEAD_LARGE,
  LARGE,
  ownerBits,
  placeWord,
} from './value.ts';

/** What to do with a key whose time has come: delete it, only hide it (a replica), or not look (its primary's stream). */
export const EXPIRY_DELETE = 0;
export const EXPIRY_HIDE = 1;
export const EXPIRY_IGNORE = 2;

/** Told of a key that is about to be removed because its time has come. */
export interface KeyspaceEvents {
  expired(db: Database, address: number): void;
}

/** The running snapshot, as the door sees it. */
export interface SnapshotDoor {
  /** Takes the entry as it is now; its caller marks it. */
  emit(db: Database, address: number): void;
  /** Whether it still reads a value's own block, which must not change meanwhile. */
  holds(block: number): boolean;
  /** A value's own block is out of use: true when the snapshot still reads it, and frees it itself. */
  takeOver(block: number): boolean;
  /** The same for a large collection; it gives it back through `releaseLater`. */
  takeOverLarge(value: LargeValue): boolean;
}

/** A large collection behind a handle. */
export interface LargeValue {
  /** Frees up to `limit` or a few more elements; true while some are left. */
  release(limit: number): boolean;
  /** A copy that shares nothing with this. */
  clone(): LargeValue;
  /** Bytes of the arena that it takes; of many elements, `samples` may be measured and the rest estimated (0: none). */
  memoryBytes(samples: number): number;
}

export interface KeyspaceOptions {
  databases: number;
  seed: HashSeed;
  /** 32 random bits a call. */
  random: () => number;
  events: KeyspaceEvents;
}

export class Keyspace {
  readonly arena: Arena;
  readonly databases: Database[] = [];
  readonly random: () => number;
  /** Seed of all dicts, those of large collections included. */
  readonly seed: HashSeed;
  readonly limits = new EncodingLimits();
  /** Milliseconds since 1970, as of the present command. */
  nowMs = 0;
  /** Changes since the last save: Redis's `dirty`. */
  dirty = 0;
  hits = 0;
  misses = 0;
  expiredKeys = 0;
  expiryMode: number = EXPIRY_DELETE;
  /** Under an LFU policy an entry's 24 bits count uses instead of keeping the time of the last. */
  lfu = false;
  lfuLogFactor = 10;
  lfuDecayTime = 1;
  /** Set while a client asked that its look-ups leave no trace. */
  noTouch = false;
  /** Generation of the running or last snapshot, 0 to 255. */
  generation = 0;
  snapshot: SnapshotDoor | null = null;
  /** No key of any database is due before this moment; it may be earlier than the first that is. */
  soonestExpiryMs = Number.POSITIVE_INFINITY;

  private readonly events: KeyspaceEvents;
  private readonly large: (LargeValue | null)[] = [];
  private readonly largeFree: number[] = [];
  /** Databases and values out of reach whose memory is still to be freed, in slices. */
  private readonly doomed: (Database | LargeValue)[] = [];

  constructor(options: KeyspaceOptions) {
    this.arena = new Blocks();
    this.seed = options.seed;
    this.random = options.random;
    this.events = options.events;
    for (let id = 0; id < options.databases; id++) {
      this.databases.push(new Database(id, this.arena, this.seed));
    }
  }

  // ---------------------------------------------------------------- look-up

  /** Address of the key for reading, or 0. Counts a hit or a miss, and notes the use. */
  lookupRead(db: Database, key: Uint8Array, offset: number, length: number): number {
    const address = db.dict.find(key, offset, length);
    if (address === 0 || this.isGone(db, address)) {
      this.misses++;
      return 0;
    }
    this.hits++;
    if (!this.noTouch) this.touch(address);
    return address;
  }

  /** Like `lookupRead`, but the look is not a use: TTL, TYPE, EXISTS, OBJECT. */
  lookupInspect(db: Database, key: Uint8Array, offset: number, length: number): number {
    const address = db.dict.find(key, offset, length);
    if (address === 0 || this.isGone(db, address)) {
      this.misses++;
      return 0;
    }
    this.hits++;
    return address;
  }

  /** Address of the key for changing it, or 0. The running snapshot has seen it when this returns. */
  lookupWrite(db: Database, key: Uint8Array, offset: number, length: number): number {
    const address = db.dict.find(key, offset, length);
    if (address === 0) return 0;
    if (this.isGone(db, address)) {
      // A replica that may be written to removes what it only hides from readers: the key will be made anew.
      if (this.expiryMode === EXPIRY_HIDE) this.expire(db, address);
      return 0;
    }
    if (!this.noTouch) this.touch(address);
    if (this.snapshot !== null) this.door(db, address);
    return address;
  }

  /** Address of the key, or 0, without a trace: no hit, no use. Keys whose time has come are not there. */
  peek(db: Database, key: Uint8Array, offset: number, length: number): number {
    const address = db.dict.find(key, offset, length);
    return address === 0 || this.isGone(db, address) ? 0 : address;
  }

  /** Whether the entry's time has come. If so, and if that is our part, it has been removed. */
  isGone(db: Database, address: number): boolean {
    if (!this.isExpired(db, address)) return false;
    if (this.expiryMode === EXPIRY_IGNORE) return false;
    if (this.expiryMode === EXPIRY_DELETE) this.expire(db, address);
    return true;
  }

  /** Whether the entry's time has come, by the clock alone. */
  isExpired(db: Database, address: number): boolean {
    const head = this.arena.words(address)[this.arena.wordOffset(address)]!;
    return (head & HEAD_EXPIRES) !== 0 && this.expiryOf(db, address) < this.nowMs;
  }

  /** Removes an entry because its time has come. */
  expire(db: Database, address: number): void {
    this.expiredKeys++;
    this.events.expired(db, address);
    this.remove(db, address);
  }

  /** Address of the entry that is due next if it is due now, else 0. */
  nextDue(db: Database): number {
    const index = db.expires;
    return index.size > 0 && index.timeAt(0) < this.nowMs ? index.entryAt(0) : 0;
  }

  /** Sets `soonestExpiryMs` to the moment when the next key of all databases is due. */
  findSoonestExpiry(): void {
    let soonest = Number.POSITIVE_INFINITY;
    for (const { expires } of this.databases) {
      if (expires.size > 0) soonest = Math.min(soonest, expires.timeAt(0));
    }
    this.soonestExpiryMs = soonest;
  }

  // ---------------------------------------------------------------- whole values

  /**
   * Stores bytes as the value of a key. `existing` is what `lookupWrite` just returned for that key (0: none).
   * `encoding` goes with `type`. Returns the entry's address; its expiry is gone unless `keepExpiry`.
   */
  putBytes(
    db: Database,
    key: Uint8Array,
    keyOffset: number,
    keyLength: number,
    existing: number,
    type: number,
    encoding: number,
    value: Uint8Array,
    valueOffset: number,
    valueLength: number,
    keepExpiry: boolean,
  ): number {
    if (existing !== 0) {
      const same = this.putInPlace(
        existing,
        type,
        encoding,
        value,
        valueOffset,
        valueLength,
        keepExpiry,
      );
      if (same) return existing;
    }
    const expires = this.keptPlace(db, existing, keepExpiry);
    const room = 12 + (expires ? 4 : 0) + wideWords(keyLength) * 4 + keyLength + valueLength;
    const external = room > BLOCK_BYTES_MAX && valueLength > 0;
    const address = this.build(
      key,
      keyOffset,
      keyLength,
      type,
      encoding,
      (expires ? EXPIRES : 0) | (external ? EXTERNAL : 0),
      external ? 0 : valueLength,
    );
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address);
    words[at + 2] = valueLength;
    if (external) {
      const block = this.arena.alloc(valueLength);
      words[at + 3] = block;
      copyBytes(
        value,
        valueOffset,
        this.arena.bytes(block),
        this.arena.byteOffset(block),
        valueLength,
      );
    } else {
      const to = ((at + ((words[at]! >>> 16) & 7)) << 2) + keyLength;
      copyBytes(value, valueOffset, this.arena.bytes(address), to, valueLength);
    }
    this.place(db, existing, address);
    return address;
  }

  /** Stores an integer, as two 32-bit words, as the string value of a key. See `putBytes`. */
  putInteger(
    db: Database,
    key: Uint8Array,
    keyOffset: number,
    keyLength: number,
    existing: number,
    low: number,
    high: number,
    keepExpiry: boolean,
  ): number {
    let address = existing;
    if (
      existing === 0 ||
      encodingOf(this.arena, existing) !== ENC_INT ||
      (!keepExpiry && this.hasExpiry(existing))
    ) {
      const expires = this.keptPlace(db, existing, keepExpiry);
      address = this.build(key, keyOffset, keyLength, 0, ENC_INT, expires ? EXPIRES : 0, 0);
      this.place(db, existing, address);
    }
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address);
    words[at + 2] = low >>> 0;
    words[at + 3] = high >>> 0;
    return address;
  }

  /** Puts a large collection behind a key. See `putBytes`. */
  putLarge(
    db: Database,
    key: Uint8Array,
    keyOffset: number,
    keyLength: number,
    existing: number,
    type: number,
    encoding: number,
    value: LargeValue,
    keepExpiry: boolean,
  ): number {
    const expires = this.keptPlace(db, existing, keepExpiry);
    const address = this.build(
      key,
      keyOffset,
      keyLength,
      type,
      encoding,
      LARGE | (expires ? EXPIRES : 0),
      0,
    );
    this.arena.words(address)[this.arena.wordOffset(address) + 2] = this.newHandle(value);
    this.place(db, existing, address);
    return address;
  }

  /** The large collection of an entry with LARGE. */
  largeOf(address: number): LargeValue {
    return this.large[this.arena.words(address)[this.arena.wordOffset(address) + 2]!]!;
  }

  // ---------------------------------------------------------------- a value's bytes, in place

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

  /**
   * Makes the value's bytes `length` long, keeping what fits; new bytes hold anything. `spare` more may be kept for
   * growth. Returns the entry's address. Only for values that are bytes. A block of its own that the running snapshot
   * still reads is left to it, and the value goes on in a copy: so whoever changes such bytes comes through here.
   */
  resizeValue(db: Database, address: number, length: number, spare: number): number {
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address);
    const block = this.valueBlock(address);
    const start = this.valueOffset(address);
    const room = this.arena.sizeOf(block) - (start - this.arena.byteOffset(block));
    const wanted = length + spare;
    if (length <= room && room <= 64 + wanted * 2 && !this.isHeld(address, block)) {
      words[at + 2] = length;
      return address;
    }
    if (block !== address) return this.resizeExternal(address, length, wanted);
    const head = start - this.arena.byteOffset(address);
    if (head + wanted > BLOCK_BYTES_MAX) return this.makeExternal(db, address, length, wanted);
    const fresh = this.arena.alloc(head + wanted);
    const kept = head + Math.min(length, words[at + 2]!);
    copyBytes(
      this.arena.bytes(address),
      at << 2,
      this.arena.bytes(fresh),
      this.arena.byteOffset(fresh),
      kept,
    );
    this.arena.words(fresh)[this.arena.wordOffset(fresh) + 2] = length;
    this.moved(db, address, fresh);
    return fresh;
  }

  /**
   * To be called before bytes of a value are changed in place at their present length. A block of its own that the
   * running snapshot still reads is left to it, and the value goes on in a copy.
   */
  ownValue(address: number): void {
    if (this.snapshot === null || !this.isHeld(address, this.valueBlock(address))) return;
    const length = this.valueLength(address);
    this.resizeExternal(address, length, length);
  }

  /** Sets the encoding of an entry whose value stays as it is. */
  setEncoding(address: number, encoding: number): void {
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address);
    const mask = (15 << (OWNER_SHIFT + 3)) >>> 0;
    words[at] = ((words[at]! & ~mask) | (encoding << (OWNER_SHIFT + 3))) >>> 0;
  }

  // ---------------------------------------------------------------- expiry

  /** Whether the entry expires at all. */
  hasExpiry(address: number): boolean {
    return (this.arena.words(address)[this.arena.wordOffset(address)]! & HEAD_EXPIRES) !== 0;
  }

  /** When the entry expires, in ms since 1970, or -1. */
  expiryOf(db: Database, address: number): number {
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address);
    if ((words[at]! & HEAD_EXPIRES) === 0) return -1;
    return db.expires.timeAt(words[at + placeWord(this.arena, address)]!);
  }

  /** Makes the entry expire at `atMs`. Returns its address, which may have changed. */
  setExpiry(db: Database, address: number, atMs: number): number {
    if (this.snapshot !== null) this.door(db, address);
    if (atMs < this.soonestExpiryMs) this.soonestExpiryMs = atMs;
    if (this.hasExpiry(address)) {
      const at = this.arena.wordOffset(address);
      db.expires.change(this.arena.words(address)[at + placeWord(this.arena, address)]!, atMs);
      return address;
    }
    const fresh = this.reshape(address, true);
    db.dict.relocate(address, fresh);
    this.arena.free(address);
    db.expires.insert(fresh, atMs);
    return fresh;
  }

  /** The entry expires no more. Returns its address, which may have changed. */
  clearExpiry(db: Database, address: number): number {
    if (!this.hasExpiry(address)) return address;
    if (this.snapshot !== null) this.door(db, address);
    const at = this.arena.wordOffset(address);
    db.expires.remove(this.arena.words(address)[at + placeWord(this.arena, address)]!);
    const fresh = this.reshape(address, false);
    db.dict.relocate(address, fresh);
    this.arena.free(address);
    return fresh;
  }

  // ---------------------------------------------------------------- removal

  /** Removes an entry. A large value is freed in slices. */
  remove(db: Database, address: number): void {
    if (this.snapshot !== null) this.door(db, address);
    this.dropExpiry(db, address);
    db.dict.removeAddress(address);
    this.freeEntry(address);
  }

  /** Removes a key, if it is there. A large value is freed in slices. */
  removeKey(db: Database, key: Uint8Array, offset: number, length: number): boolean {
    const address = db.dict.find(key, offset, length);
    if (address === 0 || this.isGone(db, address)) return false;
    if (this.snapshot !== null) this.door(db, address);
    this.dropExpiry(db, address);
    db.dict.removeFound();
    this.freeEntry(address);
    return true;
  }

  /** Moves an entry's value under another key, in another database perhaps. The key must not exist there. */
  rename(
    from: Database,
    address: number,
    to: Database,
    key: Uint8Array,
    keyOffset: number,
    keyLength: number,
  ): number {
    if (this.snapshot !== null) this.door(from, address);
    const expires = this.hasExpiry(address);
    const atMs = this.expiryOf(from, address);
    this.dropExpiry(from, address);
    from.dict.removeAddress(address);
    const fresh = this.rekeyed(address, key, keyOffset, keyLength, expires);
    this.arena.free(address);
    to.dict.insert(fresh, to.dict.hash(key, keyOffset, keyLength));
    if (expires) to.expires.insert(fresh, atMs);
    return fresh;
  }

  /** Adds a copy of an entry, value and expiry, under a key that does not exist in `to`. Returns its address. */
  copy(
    from: Database,
    address: number,
    to: Database,
    key: Uint8Array,
    keyOffset: number,
    keyLength: number,
  ): number {
    const { arena } = this;
    const expires = this.hasExpiry(address);
    const fresh = this.rekeyed(address, key, keyOffset, keyLength, expires);
    const words = arena.words(fresh);
    const at = arena.wordOffset(fresh);
    const usage = this.lfu ? lfuWord(this.nowMs, 5) : this.lruClock;
    words[at + 1] = ((this.generation << 24) | usage) >>> 0;
    if ((words[at]! & HEAD_LARGE) !== 0) {
      words[at + 2] = this.newHandle(this.largeOf(address).clone());
    } else if ((words[at]! & HEAD_EXTERNAL) !== 0) {
      const length = words[at + 2]!;
      const old = words[at + 3]!;
      const block = arena.alloc(length);
      words[at + 3] = block;
      const start = arena.byteOffset(block);
      copyBytes(arena.bytes(old), arena.byteOffset(old), arena.bytes(block), start, length);
    }
    to.dict.insert(fresh, to.dict.hash(key, keyOffset, keyLength));
    if (expires) to.expires.insert(fresh, this.expiryOf(from, address));
    return fresh;
  }

  /** Empties a database at once for everyone; its memory is freed in slices. Returns how many keys it held. */
  flush(id: number): number {
    const old = this.databases[id]!;
    if (old.dict.count === 0 && old.snapshotId < 0) return 0;
    this.databases[id] = new Database(id, this.arena, this.seed);
    this.doomed.push(old);
    return old.dict.count;
  }

  /** Exchanges the contents of two databases. */
  swap(a: number, b: number): void {
    const first = this.databases[a]!;
    const second = this.databases[b]!;
    first.id = b;
    second.id = a;
    this.databases[a] = second;
    this.databases[b] = first;
  }

  /** Frees up to about `limit` entries of what was flushed; true while more is left. */
  freeSlice(limit: number): boolean {
    const one = this.doomed[0];
    if (one === undefined) return false;
    if (one instanceof Database) {
      // The snapshot still reads it; what stands behind it in the queue can wait as well.
      if (one.snapshotId >= 0 && this.snapshot !== null) return false;
      const more = one.dict.drain(limit);
      for (let i = 0; i < one.dict.collectedCount; i++) this.freeEntry(one.dict.collected[i]!);
      if (!more) {
        one.expires.release();
        this.doomed.shift();
      }
    } else if (!one.release(limit)) {
      this.doomed.shift();
    }
    return this.doomed.length > 0;
  }

  /** Flushed databases and large values whose memory is still to be freed. */
  get doomedCount(): number {
    return this.doomed.length;
  }

  /** Frees a large collection that no entry holds any more, in slices. */
  releaseLater(value: LargeValue): void {
    if (value.release(64)) this.doomed.push(value);
  }

  /** Whether flushed memory is waiting to be freed. */
  get hasDoomed(): boolean {
    return this.doomed.length > 0;
  }

  // ---------------------------------------------------------------- snapshot and usage

  /** Shows the running snapshot an entry that is about to change. */
  door(db: Database, address: number): void {
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address) + 1;
    const word = words[at]!;
    if (word >>> 24 === this.generation || this.snapshot === null) return;
    this.snapshot.emit(db, address);
    words[at] = ((word & 0xffffff) | (this.generation << 24)) >>> 0;
  }

  /** Whether the running snapshot has not seen this entry yet. */
  isUnseen(address: number): boolean {
    return (
      this.arena.words(address)[this.arena.wordOffset(address) + 1]! >>> 24 !== this.generation
    );
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
    words[at] = ((words[at]! & 0xff000000) | this.usageAfter(words[at]! & 0xffffff)) >>> 0;
  }

  /** The LRU clock: seconds, 24 bits. */
  get lruClock(): number {
    return Math.floor(this.nowMs / 1000) & 0xffffff;
  }

  private usageAfter(old: number): number {
    if (!this.lfu) return this.lruClock;
    const counter = lfuDecayed(old, this.nowMs, this.lfuDecayTime);
    return lfuWord(this.nowMs, lfuGrown(counter, this.lfuLogFactor, this.random));
  }

  // ---------------------------------------------------------------- building blocks

  /** A fresh entry with head and key; words 2 and 3, the place and the value are the caller's to write. */
  private build(
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
    const keyWords = 3 + four + ((flags & EXPIRES) !== 0 ? 1 : 0) + wide;
    const address = this.arena.alloc(keyWords * 4 + keyLength + inlineLength);
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address);
    words[at] = entryHead(keyLength, keyWords, ownerBits(type, encoding, flags));
    const usage = this.lfu ? lfuWord(this.nowMs, 5) : this.lruClock;
    words[at + 1] = ((this.generation << 24) | usage) >>> 0;
    if (wide !== 0) words[at + keyWords - 1] = keyLength;
    copyBytes(key, keyOffset, this.arena.bytes(address), (at + keyWords) << 2, keyLength);
    return address;
  }

  private putInPlace(
    address: number,
    type: number,
    encoding: number,
    value: Uint8Array,
    valueOffset: number,
    valueLength: number,
    keepExpiry: boolean,
  ): boolean {
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address);
    const head = words[at]!;
    const owner = head >>> OWNER_SHIFT;
    if ((owner & (EXTERNAL | LARGE)) !== 0 || (owner & 127) === ENC_INT << 3) return false;
    if ((owner & EXPIRES) !== 0 && !keepExpiry) return false;
    const to = this.valueOffset(address);
    const need = to - (at << 2) + valueLength;
    if (need > BLOCK_BYTES_MAX || this.arena.sizeOf(address) !== Blocks.roundUp(need)) return false;
    const fresh = ownerBits(type, encoding, owner & EXPIRES);
    words[at] = ((head & ((1 << OWNER_SHIFT) - 1)) | (fresh << OWNER_SHIFT)) >>> 0;
    words[at + 2] = valueLength;
    copyBytes(value, valueOffset, this.arena.bytes(address), to, valueLength);
    return true;
  }

  /** Whether the entry that replaces `existing` takes over its expiry; if not, the expiry is dropped here. */
  private keptPlace(db: Database, existing: number, keepExpiry: boolean): boolean {
    if (existing === 0 || !this.hasExpiry(existing)) return false;
    if (!keepExpiry) this.dropExpiry(db, existing);
    return keepExpiry;
  }

  /** Puts a fresh entry where `existing` was, or adds it. The place word is copied if both expire. */
  private place(db: Database, existing: number, fresh: number): void {
    if (existing === 0) {
      db.dict.insert(fresh, db.dict.hashOf(fresh));
      return;
    }
    if (this.hasExpiry(fresh)) this.movePlace(db, existing, fresh);
    db.dict.relocate(existing, fresh);
    this.freeEntry(existing);
  }

  private movePlace(db: Database, from: number, to: number): void {
    const arena = this.arena;
    const place = arena.words(from)[arena.wordOffset(from) + placeWord(arena, from)]!;
    arena.words(to)[arena.wordOffset(to) + placeWord(arena, to)] = place;
    db.expires.relocate(place, to);
  }

  /** The same entry at a new address, its old block freed: dict and expiry index follow. */
  private moved(db: Database, from: number, to: number): void {
    if (this.hasExpiry(to)) this.movePlace(db, from, to);
    db.dict.relocate(from, to);
    this.arena.free(from);
  }

  private dropExpiry(db: Database, address: number): void {
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address);
    if ((words[at]! & HEAD_EXPIRES) === 0) return;
    db.expires.remove(words[at + placeWord(this.arena, address)]!);
  }

  /** Bytes behind the key in the entry's own block that belong to the value. */
  private inlineLength(address: number): number {
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address);
    const head = words[at]!;
    const owner = head >>> OWNER_SHIFT;
    if ((owner & (EXTERNAL | LARGE)) !== 0 || (owner & 127) === ENC_INT << 3) return 0;
    return words[at + 2]!;
  }

  /** A copy of the entry with or without a place word. The old block still stands. */
  private reshape(address: number, expires: boolean): number {
    const keyLength = entryKeyLength(this.arena, address);
    const head = this.arena.words(address)[this.arena.wordOffset(address)]!;
    const keyAt = (this.arena.wordOffset(address) + ((head >>> 16) & 7)) << 2;
    return this.rekeyed(address, this.arena.bytes(address), keyAt, keyLength, expires);
  }

  /** A copy of the entry under another key, with or without a place word. The old block still stands. */
  private rekeyed(
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

  private resizeExternal(address: number, length: number, wanted: number): number {
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
    this.freeOwnBlock(old);
    return address;
  }

  /** Moves a value that outgrows its entry's block into one of its own. */
  private makeExternal(db: Database, address: number, length: number, wanted: number): number {
    const arena = this.arena;
    const words = arena.words(address);
    const at = arena.wordOffset(address);
    const owner = words[at]! >>> OWNER_SHIFT;
    const head = words[at]!;
    const keyAt = (at + ((head >>> 16) & 7)) << 2;
    const fresh = this.build(
      arena.bytes(address),
      keyAt,
      entryKeyLength(arena, address),
      owner & 7,
      (owner >>> 3) & 15,
      (owner & EXPIRES) | EXTERNAL,
      0,
    );
    const block = arena.alloc(wanted);
    const to = arena.words(fresh);
    const toAt = arena.wordOffset(fresh);
    to[toAt + 1] = words[at + 1]!;
    to[toAt + 2] = length;
    to[toAt + 3] = block;
    copyBytes(
      arena.bytes(address),
      this.valueOffset(address),
      arena.bytes(block),
      arena.byteOffset(block),
      Math.min(length, words[at + 2]!),
    );
    this.moved(db, address, fresh);
    return fresh;
  }

  private freeEntry(address: number): void {
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address);
    const head = words[at]!;
    if ((head & HEAD_EXTERNAL) !== 0) this.freeOwnBlock(words[at + 3]!);
    if ((head & HEAD_LARGE) !== 0) this.freeLarge(words[at + 2]!);
    this.arena.free(address);
  }

  private newHandle(value: LargeValue): number {
    const handle = this.largeFree.pop() ?? this.large.length;
    this.large[handle] = value;
    return handle;
  }

  /** Whether the value stands in a block of its own that the running snapshot still reads. */
  private isHeld(address: number, block: number): boolean {
    return block !== address && this.snapshot?.holds(block) === true;
  }

  /** Frees a value's own block, unless the running snapshot does that later. */
  private freeOwnBlock(block: number): void {
    if (this.snapshot?.takeOver(block) !== true) this.arena.free(block);
  }

  private freeLarge(handle: number): void {
    const value = this.large[handle]!;
    this.large[handle] = null;
    this.largeFree.push(handle);
    if (this.snapshot?.takeOverLarge(value) !== true) this.releaseLater(value);
  }
}
