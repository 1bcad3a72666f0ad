/**
 * The keyspace: all databases, and the one door to every change of a key.
 *
 * Reading goes through `lookupRead`, changing through `lookupWrite`, `put*`, `resizeValue`,
 * `setExpiry` and `remove`. Each of the latter passes `door`, which shows the running snapshot the
 * entry as it is before the change; whoever changes bytes of a value in place has come through
 * `lookupWrite` first. Nothing else may write to an entry.
 *
 * An address is valid until its entry is changed in size, given or relieved of an expiry, or
 * removed: those calls return the new address. Keys and values that are handed in are borrowed and
 * copied.
 *
 * Time is `nowMs`, set by the owner before each batch of commands, so that one command sees one
 * moment.
 */
import { Database } from './database.ts';
import { EncodingLimits } from './encoding-limits.ts';
import { EntryChanges } from './entry-changes.ts';
import { KeyAhead } from './key-ahead.ts';
import { copyBytes } from './memory/copy.ts';
import { Fifo } from './struct/fifo.ts';
import type { HashSeed } from './struct/key-hash.ts';
import { LFU_INITIAL, lfuWord } from './usage.ts';
import { HEAD_EXPIRES, HEAD_EXTERNAL, HEAD_LARGE } from './value.ts';

export type { LargeValue, Releasable, SnapshotDoor } from './entry-store.ts';

/**
 * What to do with a key whose time has come: delete it, only hide it (a replica), or not look (its
 * primary's stream).
 */
export const EXPIRY_DELETE = 0;
export const EXPIRY_HIDE = 1;
export const EXPIRY_IGNORE = 2;

/** Called before a key is removed because its time has come. */
export interface KeyspaceEvents {
  expired(db: Database, address: number): void;
}

/** A value that was converted but has parts that wait to be brought in. */
export interface Settling {
  /** Brings in up to `limit` parts; true while some wait. */
  settleSome(limit: number): boolean;
}

export interface KeyspaceOptions {
  databases: number;
  seed: HashSeed;
  /** 32 random bits a call. */
  random: () => number;
  events: KeyspaceEvents;
}

export class Keyspace extends EntryChanges {
  readonly databases: Database[] = [];
  /** Seed of all dicts, those of large collections included. */
  readonly seed: HashSeed;
  /** Looks for the keys of commands that were parsed ahead. */
  readonly ahead: KeyAhead;
  readonly limits = new EncodingLimits();
  /** Changes since the last save: Redis's `dirty`. */
  dirty = 0;
  hits = 0;
  misses = 0;
  expiredKeys = 0;
  /** Databases and large values that were freed in slices. */
  freedLater = 0;
  expiryMode: number = EXPIRY_DELETE;
  /** Set while a client asked that its look-ups leave no trace. */
  noTouch = false;

  private readonly events: KeyspaceEvents;
  private readonly settling = new Fifo<Settling>();

  constructor(options: KeyspaceOptions) {
    super(options.random);
    this.seed = options.seed;
    this.ahead = new KeyAhead(this);
    this.events = options.events;
    for (let id = 0; id < options.databases; id++) {
      this.databases.push(this.emptyDatabase(id));
    }
  }

  /** Whether no database has a key. */
  get isEmpty(): boolean {
    return this.databases.every(({ dict }) => dict.count === 0);
  }

  private emptyDatabase(id: number): Database {
    return new Database(id, this.arena, this.seed, this.ahead.known);
  }

  /** Address of the key for reading, or 0. Counts a hit or a miss, and notes the use. */
  lookupRead(db: Database, key: Uint8Array, offset: number, length: number): number {
    const address = this.ahead.find(db.dict, key, offset, length);
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
    const address = this.ahead.find(db.dict, key, offset, length);
    if (address === 0 || this.isGone(db, address)) {
      this.misses++;
      return 0;
    }
    this.hits++;
    return address;
  }

  /**
   * Address of the key for changing it, or 0. The running snapshot has seen it when this returns.
   */
  lookupWrite(db: Database, key: Uint8Array, offset: number, length: number): number {
    const address = this.ahead.find(db.dict, key, offset, length);
    if (address === 0) return 0;
    if (this.isGone(db, address)) {
      // A replica that may be written to removes what it only hides from readers: the key will be
      // made anew.
      if (this.expiryMode === EXPIRY_HIDE) this.expire(db, address);
      return 0;
    }
    if (!this.noTouch) this.touch(address);
    if (this.snapshot !== null) this.door(db, address);
    return address;
  }

  /**
   * Address of the key, or 0, without a trace: no hit, no use. Keys whose time has come are not
   * there.
   */
  peek(db: Database, key: Uint8Array, offset: number, length: number): number {
    const address = this.ahead.find(db.dict, key, offset, length);
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
    this.removeFound(db, address);
    return true;
  }

  /** Like `removeKey`, but a key whose time has come is there as well: nobody is told of that. */
  removeAnyway(db: Database, key: Uint8Array, offset: number, length: number): boolean {
    const address = db.dict.find(key, offset, length);
    if (address !== 0) this.removeFound(db, address);
    return address !== 0;
  }

  /** Removes the entry that the dict has just found. */
  private removeFound(db: Database, address: number): void {
    if (this.snapshot !== null) this.door(db, address);
    this.dropExpiry(db, address);
    db.dict.removeFound();
    this.freeEntry(address);
  }

  /**
   * Moves an entry's value under another key, in another database perhaps. The key must not exist
   * there.
   */
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
    if (expires) {
      to.expires.insert(fresh, atMs);
      if (this.onExpirySet !== null) this.onExpirySet(to, fresh);
    }
    return fresh;
  }

  /**
   * Adds a copy of an entry, value and expiry, under a key that does not exist in `to`. Returns its
   * address.
   */
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
    const usage = this.lfu ? lfuWord(this.nowMs, LFU_INITIAL) : this.lruClock;
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
    if (expires) {
      to.expires.insert(fresh, this.expiryOf(from, address));
      if (this.onExpirySet !== null) this.onExpirySet(to, fresh);
    }
    return fresh;
  }

  /**
   * Empties a database at once for everyone; its memory is freed in slices. Returns how many keys
   * it held.
   */
  flush(id: number): number {
    const old = this.databases[id]!;
    if (old.dict.count === 0 && old.snapshotId < 0) return 0;
    this.databases[id] = this.emptyDatabase(id);
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

  /** Databases that nobody sees: a dataset is loaded into them while this one serves. */
  databasesAside(): Database[] {
    return this.databases.map(({ id }) => this.emptyDatabase(id));
  }

  /** Puts databases from aside in place of those that are served, which are freed in slices. */
  install(fresh: readonly Database[]): void {
    for (const one of this.databases) this.doomed.push(one);
    for (const one of fresh) this.databases[one.id] = one;
    this.findSoonestExpiry();
  }

  /** Gives up databases from aside; their memory is freed in slices. */
  discard(aside: readonly Database[]): void {
    for (const one of aside) this.doomed.push(one);
    this.dropKey();
  }

  /** Frees up to about `limit` entries of what was flushed; true while more is left. */
  freeSlice(limit: number): boolean {
    const one = this.doomed.first;
    if (one === undefined) return false;
    if (one instanceof Database) {
      // The snapshot still reads it; what stands behind it in the queue can wait as well.
      if (one.snapshotId >= 0 && this.snapshot !== null) return false;
      const more = one.dict.drain(limit);
      for (let i = 0; i < one.dict.collectedCount; i++) this.freeEntry(one.dict.collected[i]!);
      if (!more) {
        one.expires.release();
        this.freed();
      }
    } else if (!one.release(limit)) {
      this.freed();
    }
    return this.doomed.length > 0;
  }

  /** The first of what waits to be freed is free. */
  private freed(): void {
    this.doomed.shift();
    this.freedLater++;
  }

  /** Has a value settle in slices; whoever needs the whole of it settles the rest at once. */
  settleLater(value: Settling): void {
    this.settling.push(value);
  }

  /** Brings in up to about `limit` of the parts that wait; true while more do. */
  settleSlice(limit: number): boolean {
    const one = this.settling.first;
    if (one !== undefined && !one.settleSome(limit)) this.settling.shift();
    return this.settling.length > 0;
  }

  /** Whether parts of converted values wait. */
  get hasSettling(): boolean {
    return this.settling.length > 0;
  }

  /** Flushed databases and large values whose memory is still to be freed. */
  get doomedCount(): number {
    return this.doomed.length;
  }

  /** Whether flushed memory is waiting to be freed. */
  get hasDoomed(): boolean {
    return this.doomed.length > 0;
  }
}
