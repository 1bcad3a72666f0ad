/**
 * Loading an RDB into a keyspace, in slices of time, so that a server can answer between them.
 *
 *     header -> items ... -> EOF -> checksum -> done
 *
 * An item is an opcode, or a key with what stands before it (expiry, use). Nothing is allocated a
 * key: the key is copied to a scratch, the value stored from the reader's buffer. Before the keys
 * of a database come, its table is made as large as RESIZEDB says, in steps.
 *
 * With a fed reader (a socket) a slice also ends, `isHungry`, where bytes are missing; the item
 * that was cut off is then read again from its beginning.
 *
 * Refused, with the byte where it stands, is an unknown version, opcode or type; a key twice; a
 * database that this server does not have; module data; a wrong checksum. What stands beside the
 * keys is taken by rdb-extras.ts.
 */
import type { Database } from '../../core/database.ts';
import type { Keyspace } from '../../core/keyspace.ts';
import { LATE_MAX, LateEntries } from '../../core/late-entries.ts';
import { entryKeyLength, entryKeyOffset } from '../../core/struct/entry.ts';
import { lfuWord } from '../../core/usage.ts';
import { ValueDecoder } from './rdb-decoder.ts';
import { checkNothingFollows, readRdbHeader, verifyChecksum } from './rdb-ends.ts';
import { printedKey, RdbError } from './rdb-error.ts';
import { readExtra } from './rdb-extras.ts';
import * as rdb from './rdb-format.ts';
import { KeyRead } from './rdb-key.ts';
import type { RdbLoadOptions } from './rdb-load-options.ts';
import { HUNGRY, type RdbReader } from './rdb-reader.ts';
import { skipValue } from './rdb-skip.ts';

/** A clock in milliseconds that never goes back. */
export type Clock = () => number;

const STATE_HEADER = 0;
const STATE_ITEMS = 1;
const STATE_RESERVE = 2;
const STATE_VALUE = 3;
const STATE_TRAILER = 4;
const STATE_DONE = 5;
// A large key comes, its value is next.
const STATE_KEY = 6;
const STATE_KEYED = 7;

const ITEMS_A_LOOK = 32;
/** A piece of a large value counts as so many items. */
const PIECE_ITEMS = 16;
const BYTES_A_LOOK = 1 << 18;
const RESERVE_STEP = 1 << 16;
const RESERVE_FED_MAX = 1 << 24;
/** What a key is taken to need in a file at least, so that a hint that lies reserves no more. */
const KEY_BYTES_MIN = 8;
const EMPTY_NAMES_MAX = 10;
const NEVER = Number.NEGATIVE_INFINITY;

export class RdbLoad {
  /** Keys stored, those of them that expire, those whose time had come; those left out for that. */
  keys = 0;
  expires = 0;
  overdueKeys = 0;
  expiredKeys = 0;
  /** Keys left out because their collection was empty, as others may write them; some names. */
  emptyKeys = 0;
  readonly emptyKeyNames: string[] = [];
  version = 0;
  /** Why the last `step` ended early: a fed reader has too few bytes. */
  isHungry = false;
  /** The AUX fields, as latin1 text. */
  readonly aux = new Map<string, string>();
  /** The sources of the function libraries. */
  readonly functions: Uint8Array[] = [];

  readonly #options: RdbLoadOptions;
  readonly #keyspace: Keyspace;
  readonly #databases: readonly Database[];
  readonly #reader: RdbReader;
  readonly #decoder: ValueDecoder;
  #state = STATE_HEADER;
  #db: Database;
  readonly #key: KeyRead;
  /** What stood before a large key. */
  #before = { type: 0, hasExpiry: false, expiryMs: -1, usage: -1 };
  readonly #late = new LateEntries();
  readonly #lateOffsets = new Float64Array(LATE_MAX);
  #reserved = 0;
  #reserveTo = 0;
  #pauseUntilMs = NEVER;

  constructor(options: RdbLoadOptions) {
    this.#options = options;
    this.#keyspace = options.keyspace;
    this.#databases = options.databases ?? options.keyspace.databases;
    this.#reader = options.reader;
    this.#decoder = new ValueDecoder(options.keyspace, options.reader, options.deep === true);
    this.#key = new KeyRead(options.keyspace, options.reader);
    this.#db = this.#databases[0]!;
    if (!options.checksum) options.reader.dropChecksum();
  }

  /** Bytes read so far. Of how many, `totalBytes` says. */
  get bytes(): number {
    return this.#reader.offset;
  }

  get totalBytes(): number {
    return this.#reader.sizeBytes;
  }

  /** Loads for about `budgetMs`. True when all is loaded; throws an `RdbError`. */
  step(budgetMs: number, clock: Clock): boolean {
    const startMs = clock();
    this.isHungry = !this.#reader.isSated;
    if (this.isHungry || startMs < this.#pauseUntilMs) return false;
    try {
      this.#run(startMs + budgetMs, clock);
      this.#settle();
    } catch (error) {
      if (error !== HUNGRY) {
        this.#keyspace.dropLate(this.#db, this.#late, 0);
        this.#dropOpen();
        this.#keyspace.dropKey();
        throw error;
      }
      this.#settle();
      this.isHungry = true;
    }
    return this.#state === STATE_DONE;
  }

  #run(untilMs: number, clock: Clock): void {
    const reader = this.#reader;
    const { keyDelayUs } = this.#options;
    const { keys } = this;
    let items = 0;
    let from = reader.offset;
    while (this.#state !== STATE_DONE) {
      if (this.#state === STATE_ITEMS) this.#item();
      else this.#advance();
      reader.commit();
      if (this.isHungry) return;
      if (keyDelayUs > 0 && this.keys > keys) {
        this.#pauseUntilMs = clock() + keyDelayUs / 1000;
        return;
      }
      items += this.#state === STATE_VALUE ? PIECE_ITEMS : 1;
      if (items < ITEMS_A_LOOK && reader.offset - from < BYTES_A_LOOK) continue;
      items = 0;
      from = reader.offset;
      if (clock() >= untilMs) return;
    }
  }

  /** One step in a state other than that of items. */
  #advance(): void {
    switch (this.#state) {
      case STATE_HEADER:
        this.version = readRdbHeader(this.#reader);
        this.#decoder.version = this.version;
        this.#state = STATE_ITEMS;
        return;
      case STATE_RESERVE:
        this.#reserved = Math.min(this.#reserved + RESERVE_STEP, this.#reserveTo);
        this.#db.dict.reserve(this.#reserved);
        if (this.#reserved === this.#reserveTo) this.#state = STATE_ITEMS;
        return;
      case STATE_VALUE: {
        const before = this.#reader.offset;
        if (this.#decoder.resume()) this.#state = STATE_ITEMS;
        else this.isHungry = this.#reader.offset === before && !this.#decoder.isMoving;
        return;
      }
      case STATE_KEY: {
        const before = this.#reader.offset;
        if (this.#key.fill()) this.#state = STATE_KEYED;
        else this.isHungry = this.#reader.offset === before;
        return;
      }
      case STATE_KEYED: {
        const { type, hasExpiry, expiryMs, usage } = this.#before;
        this.#value(type, hasExpiry, expiryMs, usage);
        if (this.#state === STATE_KEYED) this.#state = STATE_ITEMS;
        this.#keyspace.dropKey();
        return;
      }
      default:
        this.#trailer();
    }
  }

  /** Reads an opcode, or a key. */
  #item(): void {
    const reader = this.#reader;
    const kept = this.#options.usage;
    let expiryMs = -1;
    let hasExpiry = false;
    let usage = -1;
    for (;;) {
      const type = reader.byte();
      switch (type) {
        case rdb.OP_EXPIRETIME_MS:
          expiryMs = reader.int64();
          hasExpiry = true;
          continue;
        case rdb.OP_EXPIRETIME:
          expiryMs = (reader.uint32() | 0) * 1000;
          hasExpiry = true;
          continue;
        case rdb.OP_IDLE: {
          const idleSeconds = reader.length();
          if (kept === 'lru') usage = idleSeconds;
          continue;
        }
        case rdb.OP_FREQ: {
          const frequency = reader.byte();
          if (kept === 'lfu') usage = frequency;
          continue;
        }
        default:
          if (type >= rdb.OP_SLOT_IMPORT) this.#opcode(type);
          else this.#entry(type, hasExpiry, expiryMs, usage);
          return;
      }
    }
  }

  #opcode(opcode: number): void {
    const reader = this.#reader;
    this.#settle();
    switch (opcode) {
      case rdb.OP_EOF:
        this.#state = STATE_TRAILER;
        return;
      case rdb.OP_SELECTDB:
        this.#selectDb(reader.length());
        return;
      case rdb.OP_RESIZEDB:
        this.#resizeDb(reader.length());
        reader.length();
        return;
      default:
        readExtra(reader, opcode, this);
    }
  }

  #selectDb(id: number): void {
    const db = this.#databases[id];
    if (db === undefined) {
      const { length } = this.#databases;
      throw this.#reader.fail(
        `keys of database ${id}, but there are only ${length} (raise 'databases')`,
      );
    }
    this.#db = db;
  }

  #resizeDb(keys: number): void {
    const left = this.#reader.bytesLeftMax;
    const most = Number.isFinite(left) ? Math.floor(left / KEY_BYTES_MIN) : RESERVE_FED_MAX;
    this.#reserved = this.#db.dict.count;
    this.#reserveTo = this.#reserved + Math.min(keys, most);
    this.#state = STATE_RESERVE;
  }

  #entry(type: number, hasExpiry: boolean, expiryMs: number, usage: number): void {
    if (!rdb.isObjectType(type)) throw this.#reader.fail(`a value of the unknown type ${type}`);
    if (this.#key.begins()) {
      this.#before = { type, hasExpiry, expiryMs, usage };
      this.#state = STATE_KEY;
    } else this.#value(type, hasExpiry, expiryMs, usage);
  }

  /** Reads the value behind a key. */
  #value(type: number, hasExpiry: boolean, expiryMs: number, usage: number): void {
    const { expired, duplicates } = this.#options;
    const { bytes, length, offset } = this.#key;
    const isOver = hasExpiry && expiryMs < this.#keyspace.nowMs;
    if (isOver && expired === 'drop') {
      skipValue(this.#reader, type, this.version);
      this.expiredKeys++;
      return;
    }
    const db = this.#db;
    const isSmall = this.#state === STATE_ITEMS && this.#decoder.isShortString(type);
    if (duplicates === 'refuse' && isSmall) {
      this.#lateEntry(type, hasExpiry ? expiryMs : NEVER, usage);
      return;
    }
    this.#settle();
    const old = db.dict.find(bytes, offset, length);
    if (old !== 0 && duplicates === 'refuse') {
      throw this.#twice(this.#key.printed(), this.#reader.offset);
    }
    if (old !== 0) this.#keyspace.remove(db, old);
    let address = this.#decoder.decode(db, bytes, offset, length, type);
    if (address === 0) {
      if (this.emptyKeys++ < EMPTY_NAMES_MAX) this.emptyKeyNames.push(this.#key.printed());
      return;
    }
    if (isOver) this.overdueKeys++;
    if (hasExpiry) address = this.#keyspace.setExpiry(db, address, expiryMs);
    if (usage >= 0) this.#setUsage(address, usage);
    this.keys++;
    if (hasExpiry) this.expires++;
    if (this.#decoder.isOpen) this.#state = STATE_VALUE;
  }

  /** A short string: it waits to be put into the dict together with others. */
  #lateEntry(type: number, expiryMs: number, usage: number): void {
    const keyspace = this.#keyspace;
    const late = this.#late;
    if (late.isFull) this.#settle();
    const readerAt = this.#reader.offset;
    const { bytes, length, offset } = this.#key;
    keyspace.late = late;
    let address: number;
    try {
      address = this.#decoder.decode(this.#db, bytes, offset, length, type);
    } finally {
      keyspace.late = null;
    }
    this.#lateOffsets[late.count - 1] = readerAt;
    this.keys++;
    if (expiryMs !== NEVER) {
      if (expiryMs < keyspace.nowMs) this.overdueKeys++;
      address = keyspace.setLateExpiry(this.#db, late, address, expiryMs);
      this.expires++;
    }
    if (usage >= 0) this.#setUsage(address, usage);
  }

  /** Removes the key of which a part was loaded. */
  #dropOpen(): void {
    if (this.#state !== STATE_VALUE) return;
    const { bytes, length, offset } = this.#key;
    const address = this.#db.dict.find(bytes, offset, length);
    if (address !== 0) this.#keyspace.remove(this.#db, address);
  }

  /** Puts the keys that wait into the dict; throws when one is there already. */
  #settle(): void {
    const late = this.#late;
    if (late.count === 0) return;
    const settled = late.settle(this.#db.dict, this.#keyspace.arena);
    if (late.count === 0) return;
    const { arena } = this.#keyspace;
    const address = late.addressAt(settled);
    const at = entryKeyOffset(arena, address);
    const key = arena.bytes(address).subarray(at, at + entryKeyLength(arena, address));
    const error = this.#twice(printedKey(key, key.length), this.#lateOffsets[settled]!);
    this.#keyspace.dropLate(this.#db, late, settled);
    throw error;
  }

  #twice(name: string, offset: number): RdbError {
    return new RdbError(`the key '${name}' twice in database ${this.#db.id}`, offset);
  }

  /** Notes the use that stood before the key: FREQ for an LFU, else IDLE seconds. */
  #setUsage(address: number, usage: number): void {
    const keyspace = this.#keyspace;
    const { nowMs, lruClock } = keyspace;
    const isLfu = this.#options.usage === 'lfu';
    keyspace.setUsage(address, isLfu ? lfuWord(nowMs, usage) : (lruClock - usage) & 0xffffff);
  }

  #trailer(): void {
    if (this.version >= rdb.RDB_VERSION_CHECKSUM) verifyChecksum(this.#reader);
    else checkNothingFollows(this.#reader);
    this.#state = STATE_DONE;
  }
}
