/**
 * Loading large collections that are one string in an RDB, in pieces, so that a server can answer
 * in between, and so that none is there twice:
 *
 *     in the file               with few elements                  with more than the limit
 *     listpack, intset          stays: read to its block           a table, element by element
 *     ziplist                   a listpack, in the same block      a table, element by element
 *     list's ziplist, zipmap                                       always
 *
 * Where the head does not tell how many elements there are, and that decides, they are counted as
 * they come, and set aside; once the limit is passed, or all have come, they are read once more.
 *
 * An entry is stored at once, as its head says, and takes what comes. Of a payload in memory, all
 * of it comes. What is wrong is said when the last byte was read, as it is of a small one.
 */
import type { Database } from '../../core/database.ts';
import type { Keyspace } from '../../core/keyspace.ts';
import type { ByteView } from '../../core/value.ts';
import type { CompactKind, PackedKind } from './rdb-compact.ts';
import { RdbError } from './rdb-error.ts';
import { LargeString } from './rdb-large.ts';
import type { RdbReader } from './rdb-reader.ts';
import { TableRoom } from './rdb-table-room.ts';
import { type ElementTaker, LargeTaker, PackTaker } from './rdb-taker.ts';
import { PackedWindow } from './rdb-window.ts';

/** Elements that are taken at a time. */
const PIECE_ELEMENTS = 512;
/** Bytes that hold the head of every form; compressed, they give more than that. */
const HEAD_BYTES_MAX = 64;
/** Bytes that a string takes at least where the head may not tell how many there are. */
const STRING_BYTES_MIN = 2;
const EMPTY = new Uint8Array(0);

export class PackedLoad {
  readonly #keyspace: Keyspace;
  readonly #reader: RdbReader;
  readonly #large = new LargeString();
  readonly #window = new PackedWindow(this.#large);
  readonly #room = new TableRoom(this.#window);
  /** What is read, null for nothing; and the same, while it is to stay compact. */
  #kind: PackedKind | null = null;
  #compact: CompactKind | null = null;
  /** Who takes the elements, null where the bytes stay as they are. */
  #taker: ElementTaker | null = null;
  /** The same, while a large element moves to its place. */
  #placing: LargeTaker | null = null;
  /** Whether it is still to be seen if it stays compact. */
  #isCounting = false;
  #fault = '';
  /** Whether the last call found no bytes to bring. */
  #isStarved = false;
  #db: Database | null = null;
  /** The key, which the caller keeps as it is while this `isOpen`. */
  #key: Uint8Array = EMPTY;
  #keyOffset = 0;
  #keyLength = 0;

  constructor(keyspace: Keyspace, reader: RdbReader) {
    this.#keyspace = keyspace;
    this.#reader = reader;
  }

  /** Whether elements or bytes are still to come. */
  get isOpen(): boolean {
    return this.#kind !== null;
  }

  /** Whether `resume` has work to do that needs no more bytes. */
  get isMoving(): boolean {
    return this.#kind !== null && !this.#isStarved;
  }

  /** Begins with the next string when it is large: true. Else shows it in `view`. */
  begins(view: ByteView): boolean {
    return this.#large.begins(this.#reader, view);
  }

  /**
   * Stores what has begun under a key that does not exist. Returns the entry's address; while this
   * `isOpen`, `resume` brings the rest. `compact` is the kind again, if it may stay compact.
   */
  start(
    db: Database,
    key: Uint8Array,
    offset: number,
    length: number,
    kind: PackedKind,
    compact: CompactKind | null,
  ): number {
    const reader = this.#reader;
    reader.need(Math.min(HEAD_BYTES_MAX, this.#large.bytesLeft));
    const isSound = this.#window.open(reader, kind.form(), kind.isPair);
    this.#fault = isSound ? '' : kind.damage;
    this.#kind = kind;
    this.#db = db;
    this.#key = key;
    this.#keyOffset = offset;
    this.#keyLength = length;
    const isCompact = compact !== null && isSound && this.#hasFew(compact, this.#window.said);
    this.#compact = isCompact ? compact : null;
    this.#isCounting = isCompact && !this.#window.isCounted && !this.#hasFew(compact, this.#most);
    const address = isCompact ? this.#storeCompact(compact) : this.#storeLarge(kind, 0);
    if (!reader.isWhole) return address;
    try {
      while (!this.resume());
    } catch (error) {
      this.#keyspace.remove(db, this.#find());
      throw error;
    }
    return this.#find();
  }

  #find(): number {
    return this.#db!.dict.find(this.#key, this.#keyOffset, this.#keyLength);
  }

  /** The most strings that there can be. */
  get #most(): number {
    return Math.floor(this.#large.length / STRING_BYTES_MIN);
  }

  /** Whether it has few elements, as those of so many strings. */
  #hasFew(kind: CompactKind, strings: number): boolean {
    return (kind.isPair ? Math.floor(strings / 2) : strings) <= kind.most(this.#keyspace.limits);
  }

  /** Stores an entry without elements, in place of the one at `oldAddress` if that is not 0. */
  #storeLarge({ grow, largeEncoding, type }: PackedKind, oldAddress: number): number {
    const keyspace = this.#keyspace;
    const taker = grow(keyspace);
    const key = this.#key;
    this.#taker = taker;
    this.#room.start();
    return keyspace.putLarge(
      this.#db!,
      key,
      this.#keyOffset,
      this.#keyLength,
      oldAddress,
      type,
      largeEncoding,
      taker.value,
      oldAddress !== 0,
    );
  }

  /** Stores an entry with room for the bytes, unless it is still to be seen if they stay. */
  #storeCompact(kind: CompactKind): number {
    const { encoding, type } = kind;
    const at = this.#keyOffset;
    const size = this.#keyLength;
    const db = this.#db!;
    const key = this.#key;
    const keyspace = this.#keyspace;
    const address = keyspace.putBytes(db, key, at, size, 0, type, encoding, EMPTY, 0, 0, false);
    if (!this.#isCounting) return this.#makeRoom(kind, address);
    this.#window.setAside();
    return address;
  }

  /** Gives an entry room for the bytes, as they stay or as they become. */
  #makeRoom({ isKept, isPair }: CompactKind, empty: number): number {
    const keyspace = this.#keyspace;
    const { arena } = keyspace;
    const { length } = this.#large;
    const slack = isKept ? 0 : PackTaker.slackFor(length);
    const address = keyspace.resizeValue(this.#db!, empty, slack + length, 0);
    const block = keyspace.valueBlock(address);
    const bytes = arena.bytes(block);
    const base = arena.byteOffset(block);
    this.#window.moveTo(bytes, base + slack);
    this.#taker = isKept ? null : new PackTaker(bytes, base, isPair);
    return address;
  }

  /** Reads some more. True when all is there. */
  resume(): boolean {
    const kind = this.#kind;
    if (kind === null) return true;
    this.#isStarved = false;
    try {
      if (this.#isCounting) this.#count(kind);
      else if (this.#take(this.#taker)) this.#end(kind);
    } catch (error) {
      if (error instanceof RdbError) this.#stop();
      throw error;
    }
    return this.#kind === null;
  }

  /** Counts what has come, and brings more as long as that does not tell what becomes of it. */
  #count(kind: PackedKind): void {
    const window = this.#window;
    const compact = this.#compact!;
    const hasFew = this.#hasFew(compact, window.countSoFar());
    if (hasFew && !window.isComplete) {
      this.#bring();
      return;
    }
    this.#isCounting = false;
    window.again(this.#reader);
    if (hasFew) {
      this.#makeRoom(compact, this.#find());
    } else {
      this.#compact = null;
      this.#storeLarge(kind, this.#find());
    }
  }

  /** Brings bytes. */
  #bring(): void {
    this.#isStarved = !this.#window.fill(this.#reader);
    this.#reader.commit();
  }

  /** Takes some elements, or brings bytes when there are none. True when all have come. */
  #take(taker: ElementTaker | null): boolean {
    const window = this.#window;
    if (this.#placing !== null) {
      this.#moveElement(this.#placing);
      return false;
    }
    if (taker !== null && this.#fault === '' && this.#takeElements(taker)) return false;
    if (window.isComplete) return true;
    if (this.#fault !== '') window.skip();
    this.#bring();
    return false;
  }

  /** Whether there may be more elements at hand. */
  #takeElements(taker: ElementTaker): boolean {
    const window = this.#window;
    if (taker.dict !== null) this.#room.enlarge(taker.dict, window.left);
    let left = PIECE_ELEMENTS;
    let fault = '';
    let isLarge = false;
    while (fault === '' && left > 0 && !isLarge && window.next()) {
      isLarge = window.isLarge;
      if (!isLarge) fault = taker.take(window.first, window.second);
      left--;
    }
    const settled = taker.settle();
    this.#fault = fault === '' ? settled : fault;
    if (isLarge && this.#fault === '' && taker instanceof LargeTaker) this.#openElement(taker);
    return left === 0 || isLarge;
  }

  /** Makes a place for the large element that the window shows, which then moves there. */
  #openElement(taker: LargeTaker): void {
    const window = this.#window;
    this.#fault = taker.open(window.first, window.second);
    if (this.#fault !== '') return;
    window.part();
    this.#placing = taker;
  }

  #moveElement(taker: LargeTaker): void {
    if (!this.#window.move(this.#keyspace.arena.bytes(taker.block), taker.at)) return;
    this.#placing = null;
    this.#fault = taker.place();
  }

  /** Ends the value, all of whose bytes have come. */
  #end(kind: PackedKind): void {
    const compact = this.#compact;
    if (this.#fault === '' && this.#taker !== null) {
      if (this.#window.isSound()) this.#taker.end(this.#keyspace, this.#db!, this.#find());
      else this.#fault = kind.damage;
    }
    if (this.#fault === '' && compact !== null) this.#endCompact(compact);
    if (this.#fault !== '') throw this.#reader.fail(this.#fault);
    this.#stop();
  }

  /** Looks at what stays compact. */
  #endCompact(kind: CompactKind): void {
    const keyspace = this.#keyspace;
    const address = this.#find();
    const bytes = keyspace.arena.bytes(keyspace.valueBlock(address));
    this.#fault = kind.fault(bytes, keyspace.valueOffset(address), keyspace.valueLength(address));
  }

  #stop(): void {
    this.#kind = null;
    this.#compact = null;
    this.#isCounting = false;
    this.#taker = null;
    this.#placing = null;
    this.#window.close();
  }
}
