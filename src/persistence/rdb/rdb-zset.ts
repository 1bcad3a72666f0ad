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
 * A skiplist is written from the highest element down, as Redis does: see snapshot-zset.ts.
 *
 * What is loaded becomes a listpack or large as the limits of this server say: one that comes as a
 * listpack or ziplist by its number of members alone, like everything that Redis loads.
 *
 * Bytes from outside are never believed: see rdb-zset-packed.ts for compact zsets.
 */
import type { Database } from '../../core/database.ts';
import type { Keyspace } from '../../core/keyspace.ts';
import { parseDouble } from '../../core/text/double.ts';
import { ZsetBuilder } from '../../core/types/zset-builder.ts';
import type { LargeZset } from '../../core/types/zset-large.ts';
import { ZsetCursor } from '../../core/types/zset-view.ts';
import { ByteView, ENC_LISTPACK, ENC_SKIPLIST, encodingOf, TYPE_ZSET } from '../../core/value.ts';
import { emitCompact, storeCompact } from './rdb-compact.ts';
import type { RdbError } from './rdb-error.ts';
import { RDB_ZSET, RDB_ZSET_2, RDB_ZSET_LISTPACK } from './rdb-format.ts';
import type { FrameWriter } from './rdb-frame-writer.ts';
import { HeldString } from './rdb-held.ts';
import type { PackedLoad } from './rdb-packed.ts';
import { late, PieceLoad } from './rdb-pieces.ts';
import type { RdbReader } from './rdb-reader.ts';
import { NO_SCORE, TWICE, ZSET_LISTPACK, ZSET_ZIPLIST } from './rdb-zset-packed.ts';

const SCORE_BYTES = 8;

/** Lengths of a score's text that stand for what has none. */
const TEXT_NAN = 253;
const TEXT_INF = 254;
const TEXT_MINUS_INF = 255;

const cursor = new ZsetCursor();
const held = new HeldString();
const view = new ByteView();

// ---------------------------------------------------------------- writing

/** The type byte under which a zset is written. */
export function zsetTypeByte(keyspace: Keyspace, address: number, version: number): number {
  const isListpack = encodingOf(keyspace.arena, address) === ENC_LISTPACK;
  return version >= 10 && isListpack ? RDB_ZSET_LISTPACK : RDB_ZSET_2;
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
  packed: PackedLoad,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
  type: number,
): number {
  if (type === RDB_ZSET || type === RDB_ZSET_2) {
    const count = reader.length();
    return count === 0 ? 0 : build(keyspace, reader, zsets, db, key, offset, length, count, type);
  }
  const kind = type === RDB_ZSET_LISTPACK ? ZSET_LISTPACK : ZSET_ZIPLIST;
  if (packed.begins(view)) return packed.start(db, key, offset, length, kind, kind);
  return storeCompact(keyspace, reader, db, key, offset, length, kind, view);
}

// What of a large member is there: it is being read, or all but its score.
const NOTHING = 0;
const MEMBER = 1;
const MEMBER_HELD = 2;

/** Loads zsets that are not compact, in pieces where they are large. */
export class ZsetLoad extends PieceLoad<LargeZset> {
  /** The type byte of the zset. */
  type = 0;
  #open = NOTHING;

  override start(zset: LargeZset, count: number): void {
    super.start(zset, count);
    this.#open = NOTHING;
  }

  protected element(zset: LargeZset): boolean {
    if (this.#open !== NOTHING) return this.#resume(zset);
    const { reader } = this;
    if (this.large.begins(reader, view)) {
      this.#open = MEMBER;
      return false;
    }
    let { bytes, offset } = view;
    const { length } = view;
    // A member stays where it is while its score is read, if that is at hand.
    if (this.type !== RDB_ZSET_2 || reader.end - reader.at < SCORE_BYTES) {
      held.copy(view);
      bytes = held.bytes;
      offset = 0;
    }
    zset.addLate(late, bytes, offset, length, this.#score());
    return true;
  }

  /** Reads some more of a large member to where it stays, or its score. */
  #resume(zset: LargeZset): boolean {
    if (this.#open === MEMBER_HELD) {
      if (!zset.place(this.#score())) throw this.twice();
      this.#open = NOTHING;
      return true;
    }
    if (zset.opened === 0) zset.openMember(this.large.length);
    const bytes = zset.arena.bytes(zset.opened);
    if (this.large.fill(this.reader, bytes, zset.openAt)) this.#open = MEMBER_HELD;
    return false;
  }

  #score(): number {
    const { reader } = this;
    const score = this.type === RDB_ZSET_2 ? reader.double() : textScore(reader);
    if (Number.isNaN(score)) throw reader.fail(NO_SCORE);
    return score;
  }

  protected twice(): RdbError {
    return this.reader.fail(TWICE);
  }
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
  zsets: ZsetLoad,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
  count: number,
  type: number,
): number {
  const builder = new ZsetBuilder(keyspace);
  const { large } = builder;
  zsets.type = type;
  zsets.start(large, count);
  try {
    if (count <= keyspace.limits.zsetMaxListpackEntries || !zsets.suits(count)) zsets.readOn();
    if (reader.isWhole) while (!zsets.resume());
  } catch (error) {
    zsets.stop();
    builder.discard();
    throw error;
  }
  if (zsets.isOpen) return putLarge(keyspace, db, key, offset, length, large);
  return builder.store(db, key, offset, length, 0);
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
