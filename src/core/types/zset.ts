/**
 * Sorted sets: the value API.
 *
 *     listpack   members and scores in order (zset-pack.ts), up to `zset-max-listpack-entries` of
 *                at most `zset-max-listpack-value` bytes
 *     skiplist   a large zset (zset-large.ts); the name is Redis's, the order is a tree's. A small
 *                one with long members is packed like a listpack (zset-encoding.ts)
 *
 * Looking at a zset is a matter of ZsetView and ZsetCursor (zset-view.ts), of ranges zset-range.ts;
 * here is what changes one. A zset that grew out of a listpack does not go back; results that
 * commands store are built by ZsetResult (zset-result.ts), which takes the encoding that fits.
 *
 * Functions return the zset's address, which may be a new one. Callers have come through
 * `lookupWrite`. A zset that has been emptied is the caller's to remove: there is no empty zset.
 */
import type { Database } from '../database.ts';
import type { Keyspace } from '../keyspace.ts';
import {
  lpBytes,
  lpCount,
  lpDelete,
  lpEntryLength,
  lpFirst,
  lpNext,
  lpSeek,
} from '../struct/listpack.ts';
import {
  ENC_LISTPACK,
  ENC_PACKED_SKIPLIST,
  ENC_SKIPLIST,
  encodingOf,
  setEncoding,
  TYPE_ZSET,
} from '../value.ts';
import { growValue, listpackCreate } from './compact.ts';
import { ElementView } from './element-view.ts';
import { isMinusZero, zsetEncoding } from './zset-encoding.ts';
import { LargeZset } from './zset-large.ts';
import { packInsert, packNext, packScore, pairBytes } from './zset-pack.ts';
import { ZsetView } from './zset-view.ts';

/** Conditions of `zsetAdd`, as bits. */
export const ADD_NX = 1 << 0;
export const ADD_XX = 1 << 1;
export const ADD_GT = 1 << 2;
export const ADD_LT = 1 << 3;
/** The score is added to the one that is there. */
export const ADD_INCR = 1 << 4;

/** What the last `zsetAdd` did. */
export const OUTCOME_NOTHING = 0;
export const OUTCOME_ADDED = 1;
export const OUTCOME_UPDATED = 2;
/** The member is there and has this score already. */
export const OUTCOME_SAME = 3;
/** The sum is not a number: nothing was changed. */
export const OUTCOME_NAN = 4;

class ZsetChange {
  outcome: number = OUTCOME_NOTHING;
  /** The score that the member has now, unless nothing was done. */
  score = 0;
}

export const zsetChange = new ZsetChange();

const view = new ZsetView();
const element = new ElementView();

/** Number of members. */
export function zsetLength(keyspace: Keyspace, address: number): number {
  view.open(keyspace, address);
  return view.count;
}

/** The score of a member, NaN when it is none. */
export function zsetScore(
  keyspace: Keyspace,
  address: number,
  member: Uint8Array,
  offset: number,
  length: number,
): number {
  view.open(keyspace, address);
  const ref = view.find(member, offset, length);
  return ref === 0 ? Number.NaN : view.scoreOf(ref);
}

/**
 * Adds a key with an empty zset that suits a first member of `memberLength` bytes; `room` bytes of
 * pairs will be added at once. Returns its address.
 */
export function zsetCreate(
  keyspace: Keyspace,
  db: Database,
  key: Uint8Array,
  keyOffset: number,
  keyLength: number,
  memberLength: number,
  room: number,
): number {
  const first = zsetEncoding(keyspace.limits, ENC_LISTPACK, 1, memberLength, memberLength, false);
  if (first === ENC_SKIPLIST) {
    const large = new LargeZset(keyspace.arena, keyspace.seed);
    return putLarge(keyspace, db, key, keyOffset, keyLength, 0, large);
  }
  return listpackCreate(keyspace, db, key, keyOffset, keyLength, TYPE_ZSET, room);
}

/**
 * Adds a member or changes its score, as `flags` allow. What was done is in `zsetChange`. Returns
 * the address.
 */
export function zsetAdd(
  keyspace: Keyspace,
  db: Database,
  address: number,
  member: Uint8Array,
  offset: number,
  length: number,
  score: number,
  flags: number,
): number {
  view.open(keyspace, address);
  if (view.large !== null) {
    addLarge(view.large, member, offset, length, score, flags);
    return address;
  }
  const ref = view.find(member, offset, length);
  if (ref === 0) {
    if (!decideNew(score, flags)) return address;
    return insert(keyspace, db, address, member, offset, length, score);
  }
  if (!decide(view.scoreOf(ref), score, flags)) return address;
  const now = encodingOf(keyspace.arena, address);
  if (now === ENC_PACKED_SKIPLIST && isMinusZero(zsetChange.score)) {
    const converted = zsetConvert(keyspace, db, address);
    return zsetAdd(keyspace, db, converted, member, offset, length, zsetChange.score, 0);
  }
  return replacePair(keyspace, db, address, ref, member, offset, length, zsetChange.score);
}

function addLarge(
  large: LargeZset,
  member: Uint8Array,
  offset: number,
  length: number,
  score: number,
  flags: number,
): void {
  const hash = large.dict.hash(member, offset, length);
  const entry = large.dict.findHashed(member, offset, length, hash);
  if (entry === 0) {
    if (decideNew(score, flags)) large.addHashed(member, offset, length, score, hash);
  } else if (decide(large.scoreOf(entry), score, flags)) large.setScore(entry, zsetChange.score);
}

/** What to do with a member that is not there, in `zsetChange`: whether it is to be added. */
function decideNew(score: number, flags: number): boolean {
  zsetChange.outcome = OUTCOME_NOTHING;
  if ((flags & ADD_XX) !== 0) return false;
  zsetChange.outcome = OUTCOME_ADDED;
  zsetChange.score = score;
  return true;
}

/** What to do with a member of score `old`, in `zsetChange`: whether its score is to be changed. */
function decide(old: number, score: number, flags: number): boolean {
  zsetChange.outcome = OUTCOME_NOTHING;
  if ((flags & ADD_NX) !== 0) return false;
  const wanted = (flags & ADD_INCR) !== 0 ? old + score : score;
  if (Number.isNaN(wanted)) {
    zsetChange.outcome = OUTCOME_NAN;
    return false;
  }
  if ((flags & ADD_GT) !== 0 && wanted <= old) return false;
  if ((flags & ADD_LT) !== 0 && wanted >= old) return false;
  zsetChange.score = wanted;
  zsetChange.outcome = wanted === old ? OUTCOME_SAME : OUTCOME_UPDATED;
  return wanted !== old;
}

/** Removes a member. Returns the address, or 0 when it is none. */
export function zsetRemove(
  keyspace: Keyspace,
  db: Database,
  address: number,
  member: Uint8Array,
  offset: number,
  length: number,
): number {
  view.open(keyspace, address);
  if (view.large !== null) return view.large.remove(member, offset, length) ? address : 0;
  const at = view.find(member, offset, length);
  if (at === 0) return 0;
  return deletePairs(keyspace, db, address, at, 1);
}

/** Removes `count` elements from rank `rank` on, all of which exist. Returns the address. */
export function zsetRemoveRange(
  keyspace: Keyspace,
  db: Database,
  address: number,
  rank: number,
  count: number,
): number {
  view.open(keyspace, address);
  if (view.large !== null) {
    view.large.removeRange(rank, count);
    return address;
  }
  const at = lpSeek(view.bytes, view.base, rank * 2);
  return deletePairs(keyspace, db, address, at, count);
}

/** A large zset of the pairs of a listpack. */
export function largeOfPack(keyspace: Keyspace, bytes: Uint8Array, base: number): LargeZset {
  const large = new LargeZset(keyspace.arena, keyspace.seed);
  large.beginLoad(lpCount(bytes, base) >>> 1);
  for (let at = lpFirst(bytes, base); at !== 0; at = packNext(bytes, base, at)) {
    element.showListpack(bytes, base, at);
    large.load(element.bytes, element.offset, element.length, packScore(bytes, base, at));
  }
  large.endLoad();
  return large;
}

/** Turns the small zset in view into a large one. Returns the address. */
function zsetConvert(keyspace: Keyspace, db: Database, address: number): number {
  const large = largeOfPack(keyspace, view.bytes, view.base);
  const key = keyspace.arena.bytes(address);
  const keyOffset = keyspace.keyOffset(address);
  return putLarge(keyspace, db, key, keyOffset, keyspace.keyLength(address), address, large);
}

function putLarge(
  keyspace: Keyspace,
  db: Database,
  key: Uint8Array,
  keyOffset: number,
  keyLength: number,
  existing: number,
  large: LargeZset,
): number {
  return keyspace.putLarge(
    db,
    key,
    keyOffset,
    keyLength,
    existing,
    TYPE_ZSET,
    ENC_SKIPLIST,
    large,
    true,
  );
}

/** Adds a member that is not there to the small zset in view. */
function insert(
  keyspace: Keyspace,
  db: Database,
  address: number,
  member: Uint8Array,
  offset: number,
  length: number,
  score: number,
): number {
  const { arena, limits } = keyspace;
  const now = encodingOf(arena, address);
  const size = lpBytes(view.bytes, view.base) + length;
  const encoding = zsetEncoding(limits, now, view.count + 1, size, length, isMinusZero(score));
  if (encoding === ENC_SKIPLIST) {
    const converted = zsetConvert(keyspace, db, address);
    view.open(keyspace, converted);
    view.large?.add(member, offset, length, score);
    return converted;
  }
  if (encoding !== now) setEncoding(arena, address, encoding);
  const entry = growValue(keyspace, db, address, pairBytes(member, offset, length, score));
  view.open(keyspace, entry);
  packInsert(view.bytes, view.base, member, offset, length, score);
  return entry;
}

/** Replaces the pair at `at` of a small zset by one with another score. */
function replacePair(
  keyspace: Keyspace,
  db: Database,
  address: number,
  at: number,
  member: Uint8Array,
  offset: number,
  length: number,
  score: number,
): number {
  const { base, bytes } = view;
  const old =
    lpEntryLength(bytes, base + at) + lpEntryLength(bytes, base + lpNext(bytes, base, at));
  const more = pairBytes(member, offset, length, score) - old;
  const entry = more > 0 ? growValue(keyspace, db, address, more) : address;
  view.open(keyspace, entry);
  lpDelete(view.bytes, view.base, at, 2);
  packInsert(view.bytes, view.base, member, offset, length, score);
  return more < 0 ? growValue(keyspace, db, entry, more) : entry;
}

function deletePairs(
  keyspace: Keyspace,
  db: Database,
  address: number,
  at: number,
  count: number,
): number {
  lpDelete(view.bytes, view.base, at, count * 2);
  return keyspace.resizeValue(db, address, lpBytes(view.bytes, view.base), 0);
}
