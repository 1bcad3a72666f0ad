/**
 * Zsets in an RDB.
 *
 *     type 5    n, n (member, score: 8 bytes)   a large zset; in version 9 a compact one as well
 *     type 17   one string: a listpack          a compact zset, since version 10
 *     type 12   one string: a ziplist           what servers from 2.4 to 6.2 wrote
 *     type 3    n, n (member, score: text)      what servers before 4.0 wrote; the text stands
 *                                               behind its length in a byte, or the byte is 253
 *                                               for no number, 254 for inf, 255 for -inf
 *
 * A large zset is written from the highest element down, as Redis does: see snapshot-zset.ts.
 *
 * What is loaded becomes a listpack or large as the limits of this server say: one that comes as a
 * listpack or ziplist by its number of members alone, like everything that Redis loads.
 *
 * Bytes from outside are never believed: a compact zset is walked whole before it is taken. An odd
 * number of entries, a score that is no number, a member that comes twice and a wrong order are
 * errors.
 */
import type { Database } from '../../core/database.ts';
import type { Keyspace } from '../../core/keyspace.ts';
import { LateEntries } from '../../core/late-entries.ts';
import {
  LP_EMPTY_BYTES,
  lpBytes,
  lpElement,
  lpEntryBytes,
  lpFirst,
  lpGet,
  lpInit,
  lpInsert,
  lpNext,
} from '../../core/struct/listpack.ts';
import { parseDouble } from '../../core/text/double.ts';
import { ElementView } from '../../core/types/element-view.ts';
import { lpDistinct } from '../../core/types/listpack-distinct.ts';
import { largeOfPack } from '../../core/types/zset.ts';
import { ZsetBuilder } from '../../core/types/zset-builder.ts';
import { LargeZset } from '../../core/types/zset-large.ts';
import { packCompare, packScore } from '../../core/types/zset-pack.ts';
import { ZsetCursor } from '../../core/types/zset-view.ts';
import { ByteView, ENC_LISTPACK, ENC_SKIPLIST, encodingOf, TYPE_ZSET } from '../../core/value.ts';
import { emitCompact, pairsIn, putCompact } from './rdb-compact.ts';
import { RdbError } from './rdb-error.ts';
import { RDB_ZSET, RDB_ZSET_2, RDB_ZSET_LISTPACK } from './rdb-format.ts';
import type { FrameWriter } from './rdb-frame-writer.ts';
import type { RdbReader } from './rdb-reader.ts';
import { HeldString } from './rdb-table.ts';
import { TableRoom } from './rdb-table-room.ts';
import { ZiplistReader } from './ziplist.ts';

/** Zsets of more members than this are loaded in pieces, of so many members at most. */
const PIECE_MEMBERS = 512;
const SCORE_BYTES = 8;
const FIRST_ROOM = 4096;
/** A buffer that grew past this is not kept. */
const KEPT_ROOM = 1 << 20;

/** Lengths of a score's text that stand for what has none. */
const TEXT_NAN = 253;
const TEXT_INF = 254;
const TEXT_MINUS_INF = 255;

const cursor = new ZsetCursor();
const ziplist = new ZiplistReader();
const held = new HeldString();
/** Members that are not in their zset yet: while one is read, and never between two pieces. */
const late = new LateEntries();
const view = new ByteView();
const element = new ElementView();
const previous = new ElementView();
/** The listpack that a ziplist becomes. */
let pack = new Uint8Array(FIRST_ROOM);

const TWICE = 'a member twice in a sorted set';
const NO_SCORE = 'a score of a sorted set that is not a number';

// ---------------------------------------------------------------- writing

/** The type byte under which a zset is written. */
export function zsetTypeByte(keyspace: Keyspace, address: number, version: number): number {
  const isLarge = encodingOf(keyspace.arena, address) === ENC_SKIPLIST;
  return version >= 10 && !isLarge ? RDB_ZSET_LISTPACK : RDB_ZSET_2;
}

/** Writes a zset as its type byte promises. */
export function emitZset(
  keyspace: Keyspace,
  address: number,
  version: number,
  writer: FrameWriter,
): void {
  if (zsetTypeByte(keyspace, address, version) === RDB_ZSET_LISTPACK) {
    emitCompact(keyspace, address, writer);
    return;
  }
  cursor.startHighest(keyspace, address);
  writer.length(cursor.count);
  while (cursor.next()) {
    writer.string(cursor.member.bytes, cursor.member.offset, cursor.member.length);
    writer.double(cursor.score);
  }
}

// ---------------------------------------------------------------- reading

/**
 * Reads a zset of one of the types above and stores it under a key that does not exist. Returns the
 * entry's address, 0 for a zset without members, of which nothing is stored.
 */
export function decodeZset(
  keyspace: Keyspace,
  reader: RdbReader,
  zsets: ZsetLoad,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
  type: number,
): number {
  if (type === RDB_ZSET || type === RDB_ZSET_2) {
    const count = reader.length();
    if (count === 0) return 0;
    if (count > keyspace.limits.zsetMaxListpackEntries && zsets.suits(count)) {
      return zsets.start(db, key, offset, length, count, type);
    }
    return build(keyspace, reader, db, key, offset, length, count, type);
  }
  reader.string(view);
  if (type !== RDB_ZSET_LISTPACK) packZiplist(reader);
  return storePack(keyspace, reader, db, key, offset, length);
}

/** Loading a large zset in pieces, so that a server can answer in between. */
export class ZsetLoad {
  readonly #keyspace: Keyspace;
  readonly #reader: RdbReader;
  #zset: LargeZset | null = null;
  readonly #room: TableRoom;
  #left = 0;
  #type = 0;

  constructor(keyspace: Keyspace, reader: RdbReader) {
    this.#keyspace = keyspace;
    this.#reader = reader;
    this.#room = new TableRoom(reader);
  }

  /** Whether members are still to come. */
  get isOpen(): boolean {
    return this.#left > 0;
  }

  /** Whether a zset of `count` members, which will be large, is to be loaded in pieces. */
  suits(count: number): boolean {
    return count > PIECE_MEMBERS && !this.#reader.isWhole;
  }

  /** Stores an empty zset behind a key that does not exist. Returns the entry's address. */
  start(
    db: Database,
    key: Uint8Array,
    offset: number,
    length: number,
    count: number,
    type: number,
  ): number {
    const keyspace = this.#keyspace;
    const zset = new LargeZset(keyspace.arena, keyspace.seed);
    this.#zset = zset;
    this.#left = count;
    this.#type = type;
    this.#room.start();
    return putLarge(keyspace, db, key, offset, length, zset);
  }

  /** Reads some more members; the reader commits each. True when all are there. */
  resume(): boolean {
    const zset = this.#zset;
    if (zset === null) return true;
    this.#room.enlarge(zset.dict, this.#left);
    try {
      this.#piece(zset);
    } catch (error) {
      // A fed reader that is hungry goes on here; anything else is the end of the load.
      if (!zset.settle(late)) throw this.#twice();
      if (error instanceof RdbError) this.#left = 0;
      throw error;
    }
    if (!zset.settle(late)) throw this.#twice();
    if (this.#left > 0) return false;
    this.#zset = null;
    return true;
  }

  #twice(): RdbError {
    this.#left = 0;
    return this.#reader.fail(TWICE);
  }

  #piece(zset: LargeZset): void {
    const reader = this.#reader;
    for (let i = 0; i < PIECE_MEMBERS && this.#left > 0; i++) {
      readElement(reader, zset, this.#type);
      reader.commit();
      this.#left--;
    }
  }
}

/** Reads a member and its score into a zset, where they wait for `settle`. */
function readElement(reader: RdbReader, zset: LargeZset, type: number): void {
  if (late.isFull) settle(reader, zset);
  reader.string(view);
  let { bytes, offset } = view;
  const { length } = view;
  // A member stays where it is while its score is read, if that is at hand.
  if (type !== RDB_ZSET_2 || reader.end - reader.at < SCORE_BYTES) {
    held.copy(view);
    bytes = held.bytes;
    offset = 0;
  }
  const score = type === RDB_ZSET_2 ? reader.double() : textScore(reader);
  if (Number.isNaN(score)) throw reader.fail(NO_SCORE);
  zset.addLate(late, bytes, offset, length, score);
}

/** Puts the members that wait into their zset. */
function settle(reader: RdbReader, zset: LargeZset): void {
  if (!zset.settle(late)) throw reader.fail(TWICE);
}

/** The score of a type 3, NaN when it is no number. */
function textScore(reader: RdbReader): number {
  const length = reader.byte();
  if (length === TEXT_NAN) return Number.NaN;
  if (length === TEXT_INF) return Number.POSITIVE_INFINITY;
  if (length === TEXT_MINUS_INF) return Number.NEGATIVE_INFINITY;
  reader.need(length);
  const { at, buf } = reader;
  reader.at += length;
  return parseDouble(buf, at, length);
}

function build(
  keyspace: Keyspace,
  reader: RdbReader,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
  count: number,
  type: number,
): number {
  const builder = new ZsetBuilder(keyspace);
  try {
    for (let i = 0; i < count; i++) readElement(reader, builder.large, type);
    settle(reader, builder.large);
  } catch (error) {
    builder.large.settle(late);
    builder.discard();
    throw error;
  }
  return builder.store(db, key, offset, length, 0);
}

/** Makes the ziplist in `view` a listpack with the same entries, which `view` shows then. */
function packZiplist(reader: RdbReader): void {
  if (!ziplist.open(view.bytes, view.offset, view.length)) {
    throw reader.fail('a damaged ziplist of a sorted set');
  }
  if (pack.length > KEPT_ROOM) pack = new Uint8Array(FIRST_ROOM);
  lpInit(pack, 0);
  let end = LP_EMPTY_BYTES;
  while (ziplist.next(element)) {
    const { bytes, length, offset } = element;
    const need = end + lpEntryBytes(bytes, offset, length);
    if (need > pack.length) {
      const larger = new Uint8Array(need * 2);
      larger.set(pack);
      pack = larger;
    }
    lpInsert(pack, 0, end - 1, bytes, offset, length);
    end = need;
  }
  view.bytes = pack;
  view.offset = 0;
  view.length = lpBytes(pack, 0);
}

/** Stores the listpack in `view` as it is, or as a large zset when it has too many members. */
function storePack(
  keyspace: Keyspace,
  reader: RdbReader,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
): number {
  const { bytes, offset: from } = view;
  const count = pairsIn(view, reader, 'a sorted set');
  const reason = faultOf(bytes, from);
  if (reason !== '') throw reader.fail(reason);
  if (count === 0) return 0;
  if (count > keyspace.limits.zsetMaxListpackEntries) {
    return putLarge(keyspace, db, key, offset, length, largeOfPack(keyspace, bytes, from));
  }
  return putCompact(keyspace, db, key, offset, length, TYPE_ZSET, ENC_LISTPACK, view);
}

/** What is wrong with the pairs of a sound listpack, or ''. */
function faultOf(bytes: Uint8Array, base: number): string {
  if (!lpDistinct(bytes, base, 2)) return TWICE;
  let last = Number.NEGATIVE_INFINITY;
  for (let at = lpFirst(bytes, base), before = 0; at !== 0; ) {
    const scoreAt = lpNext(bytes, base, at);
    lpGet(bytes, base, scoreAt);
    const { isInteger, length, offset } = lpElement;
    if (!isInteger && Number.isNaN(parseDouble(bytes, offset, length))) return NO_SCORE;
    const score = packScore(bytes, base, at);
    if (score < last || (score === last && before !== 0 && !follows(bytes, base, at, before))) {
      return 'a sorted set that is not in order';
    }
    last = score;
    before = at;
    at = lpNext(bytes, base, scoreAt);
  }
  return '';
}

/** Whether the member at `at` belongs behind the one at `before`, which has the same score. */
function follows(bytes: Uint8Array, base: number, at: number, before: number): boolean {
  previous.showListpack(bytes, base, before);
  return packCompare(bytes, base, at, previous.bytes, previous.offset, previous.length) > 0;
}

function putLarge(
  keyspace: Keyspace,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
  zset: LargeZset,
): number {
  return keyspace.putLarge(db, key, offset, length, 0, TYPE_ZSET, ENC_SKIPLIST, zset, false);
}
