/**
 * Changes of entries: what keeps the dict and the expiry index of a database in step with the
 * blocks that its entries are.
 *
 * Every change passes `door` first, which shows the running snapshot the entry as it is. An entry
 * whose size changes moves, and the dict and the index follow it.
 */
import type { Database } from './database.ts';
import { EntryStore, type LargeValue } from './entry-store.ts';
import type { LateEntries } from './late-entries.ts';
import { Arena, BLOCK_BYTES_MAX } from './memory/arena.ts';
import { copyBytes } from './memory/copy.ts';
import { entryKeyLength, entryKeyOffset, OWNER_SHIFT, wideWords } from './struct/entry.ts';
import {
  ENC_INT,
  EXPIRES,
  EXTERNAL,
  encodingOf,
  HEAD_EXPIRES,
  HEAD_EXTERNAL,
  hasAllWords,
  LARGE,
  ownerBits,
  placeWord,
} from './value.ts';

export class EntryChanges extends EntryStore {
  /** No key of any database is due before this moment; it may be earlier than the first that is. */
  soonestExpiryMs = Number.POSITIVE_INFINITY;
  /** Where new entries wait to be put into their dict while a file is loaded, else null. */
  late: LateEntries | null = null;
  /** Called when an entry is given an expiry; null while nobody asks. */
  onExpirySet: ((db: Database, address: number) => void) | null = null;
  /** Large collections put behind keys, made anew or of small ones. */
  largePut = 0;

  /**
   * Stores bytes as the value of a key. `existing` is what `lookupWrite` just returned for that key
   * (0: none). `encoding` goes with `type`. Returns the entry's address; its expiry is gone unless
   * `keepExpiry`.
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
      words[at + 3] =
        this.offered.adopt(value, valueOffset, valueLength) ||
        this.copyOf(value, valueOffset, valueLength);
    } else {
      const to = ((at + ((words[at]! >>> 16) & 7)) << 2) + keyLength;
      copyBytes(value, valueOffset, this.arena.bytes(address), to, valueLength);
    }
    this.place(db, existing, address, key, keyOffset, keyLength);
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
      this.place(db, existing, address, key, keyOffset, keyLength);
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
    this.largePut++;
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
    this.place(db, existing, address, key, keyOffset, keyLength);
    return address;
  }

  /**
   * Makes the value's bytes `length` long, keeping what fits; new bytes hold anything. `spare` more
   * may be kept for growth. Returns the entry's address. Only for values that are bytes. A block of
   * its own that is lent is left to who reads it, and the value goes on in a copy: so whoever
   * changes such bytes comes through here.
   */
  resizeValue(db: Database, address: number, length: number, spare: number): number {
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address);
    const block = this.valueBlock(address);
    const start = this.valueOffset(address);
    const room = this.arena.sizeOf(block) - (start - this.arena.byteOffset(block));
    const wanted = length + spare;
    const isLent = block !== address && this.arena.isLent(block);
    if (length <= room && room <= 64 + wanted * 2 && !isLent) {
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
   * Must be called before bytes of a string are changed in place at their present length. A block
   * of its own that is lent is left to who reads it, and the value goes on in a copy. No other
   * value needs it: compact collections are copied to a snapshot at once.
   */
  ownValue(address: number): void {
    const block = this.valueBlock(address);
    if (block === address || !this.arena.isLent(block)) return;
    const length = this.valueLength(address);
    this.resizeExternal(address, length, length);
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
      if (this.onExpirySet !== null) this.onExpirySet(db, address);
      return address;
    }
    let fresh = address;
    if (hasAllWords(this.arena, address)) this.setFlag(address, HEAD_EXPIRES);
    else {
      fresh = this.reshape(address, true);
      db.dict.relocate(address, fresh, db.dict.hashOf(address));
      this.arena.free(address);
    }
    db.expires.insert(fresh, atMs);
    if (this.onExpirySet !== null) this.onExpirySet(db, fresh);
    return fresh;
  }

  private setFlag(address: number, flag: number): void {
    const at = this.arena.wordOffset(address);
    const words = this.arena.words(address);
    words[at] = (words[at]! | flag) >>> 0;
  }

  /** `setExpiry` for the entry that was added to `late` last. */
  setLateExpiry(db: Database, late: LateEntries, address: number, atMs: number): number {
    if (atMs < this.soonestExpiryMs) this.soonestExpiryMs = atMs;
    const fresh = this.reshape(address, true);
    late.replaceLast(fresh);
    this.arena.free(address);
    db.expires.insert(fresh, atMs);
    return fresh;
  }

  /** Frees the entries of `late` from number `from` on, which no dict will see. */
  dropLate(db: Database, late: LateEntries, from: number): void {
    for (let i = from; i < late.count; i++) {
      this.dropExpiry(db, late.addressAt(i));
      this.freeEntry(late.addressAt(i));
    }
    late.count = 0;
  }

  /** The entry expires no more. Returns its address, which may have changed. */
  clearExpiry(db: Database, address: number): number {
    if (!this.hasExpiry(address)) return address;
    if (this.snapshot !== null) this.door(db, address);
    const at = this.arena.wordOffset(address);
    db.expires.remove(this.arena.words(address)[at + placeWord(this.arena, address)]!);
    const fresh = this.reshape(address, false);
    db.dict.relocate(address, fresh, db.dict.hashOf(address));
    this.arena.free(address);
    return fresh;
  }

  /** A block of its own with these bytes. */
  private copyOf(value: Uint8Array, offset: number, length: number): number {
    const { arena } = this;
    const block = arena.alloc(length);
    copyBytes(value, offset, arena.bytes(block), arena.byteOffset(block), length);
    return block;
  }

  /** Shows the running snapshot an entry that is about to change. */
  door(db: Database, address: number): void {
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address) + 1;
    const word = words[at]!;
    if (word >>> 24 === this.generation || this.snapshot === null) return;
    this.snapshot.emit(db, address);
    words[at] = ((word & 0xffffff) | (this.generation << 24)) >>> 0;
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
    if (need > BLOCK_BYTES_MAX || this.arena.sizeOf(address) !== Arena.roundUp(need)) return false;
    const fresh = ownerBits(type, encoding, owner & EXPIRES);
    words[at] = ((head & ((1 << OWNER_SHIFT) - 1)) | (fresh << OWNER_SHIFT)) >>> 0;
    words[at + 2] = valueLength;
    copyBytes(value, valueOffset, this.arena.bytes(address), to, valueLength);
    return true;
  }

  /**
   * Whether the entry that replaces `existing` takes over its expiry; if not, the expiry is dropped
   * here.
   */
  private keptPlace(db: Database, existing: number, keepExpiry: boolean): boolean {
    if (existing === 0 || !this.hasExpiry(existing)) return false;
    if (!keepExpiry) this.dropExpiry(db, existing);
    return keepExpiry;
  }

  /**
   * Puts a fresh entry where `existing` was, or adds it; the key's hash may be known. The place
   * word is copied if both expire.
   */
  private place(
    db: Database,
    existing: number,
    fresh: number,
    key: Uint8Array,
    keyOffset: number,
    keyLength: number,
  ): void {
    if (existing === 0 && this.late !== null) {
      this.late.add(db.dict, fresh);
      return;
    }
    const hash = db.dict.hash(key, keyOffset, keyLength);
    if (existing === 0) {
      db.dict.insert(fresh, hash);
      return;
    }
    if (this.hasExpiry(fresh)) this.movePlace(db, existing, fresh);
    db.dict.relocate(existing, fresh, hash);
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
    db.dict.relocate(from, to, db.dict.hashOf(from));
    this.arena.free(from);
  }

  protected dropExpiry(db: Database, address: number): void {
    const words = this.arena.words(address);
    const at = this.arena.wordOffset(address);
    if ((words[at]! & HEAD_EXPIRES) === 0) return;
    db.expires.remove(words[at + placeWord(this.arena, address)]!);
  }

  /** Moves a value that outgrows its entry's block into one of its own. */
  private makeExternal(db: Database, address: number, length: number, wanted: number): number {
    const arena = this.arena;
    const words = arena.words(address);
    const at = arena.wordOffset(address);
    const block = arena.alloc(wanted);
    const kept = Math.min(length, words[at + 2]!);
    const from = this.valueOffset(address);
    copyBytes(arena.bytes(address), from, arena.bytes(block), arena.byteOffset(block), kept);
    let fresh = address;
    if (hasAllWords(arena, address)) this.setFlag(address, HEAD_EXTERNAL);
    else {
      const owner = words[at]! >>> OWNER_SHIFT;
      fresh = this.build(
        arena.bytes(address),
        entryKeyOffset(arena, address),
        entryKeyLength(arena, address),
        owner & 7,
        (owner >>> 3) & 15,
        (owner & EXPIRES) | EXTERNAL,
        0,
      );
    }
    const to = arena.words(fresh);
    const toAt = arena.wordOffset(fresh);
    to[toAt + 1] = words[at + 1]!;
    to[toAt + 2] = length;
    to[toAt + 3] = block;
    if (fresh !== address) this.moved(db, address, fresh);
    return fresh;
  }
}
