/**
 * What Redis does with streams as a whole: trimming, their first and last entries, and how far a
 * reader has come.
 *
 * Trimming takes whole nodes from the front while that is allowed; unless it is approximate, the
 * entries of the next node are then deleted one by one.
 */
import { lpLast, lpPrev } from './listpack.ts';
import { StreamCursor } from './stream-cursor.ts';
import { ENTRIES_READ_UNKNOWN, type StreamGroup } from './stream-group.ts';
import { StreamId } from './stream-id.ts';
import type { StreamLog } from './stream-log.ts';
import {
  ENTRY_DELETED,
  entryId,
  firstEntryAt,
  markDeleted,
  masterFieldsAt,
  nextEntryAt,
  nodeLive,
  numberAt,
} from './stream-node.ts';

/** Up to which point a stream is trimmed. */
export interface TrimTarget {
  readonly byLength: boolean;
  /** Entries that may stay. */
  readonly maxLength: number;
  /** Entries with smaller ids go. */
  readonly minId: StreamId;
  readonly approximate: boolean;
  /** Entries that may go, 0 for any number. */
  readonly limit: number;
}

const cursor = new StreamCursor();
const ZERO = new StreamId();
const MAX = new StreamId().setMax();
const master = new StreamId();
const id = new StreamId();
const COUNT_BYTES = 20;

/** Trims a stream. Number of entries that went. */
export function streamTrim(log: StreamLog, target: TrimTarget): number {
  let gone = 0;
  while (log.nodeCount > 0 && !(target.byLength && log.length <= target.maxLength)) {
    const block = log.nodeBlock(0);
    const live = nodeLive(log.arena.bytes(block), log.arena.byteOffset(block));
    if (target.limit > 0 && gone + live > target.limit) break;
    if (isNodeBehind(log, block, live, target)) {
      log.dropNode(0);
      gone += live;
      continue;
    }
    if (!target.approximate) gone += trimNode(log, target);
    break;
  }
  if (gone > 0) mendFirstId(log);
  return gone;
}

/** Sets `firstId` to the first entry's. */
export function mendFirstId(log: StreamLog): void {
  if (log.length === 0 || !edgeId(log, false, id)) id.clear();
  log.firstId = id;
}

/** Sets `to` to the id of the first entry, or the last if `last`. False when there is none. */
export function edgeId(log: StreamLog, last: boolean, to: StreamId): boolean {
  cursor.start(log, ZERO, MAX, last);
  if (!cursor.next()) return false;
  to.copy(cursor.id);
  return true;
}

/** Whether an entry at or behind `start` was deleted by its id. */
function hasTombstones(log: StreamLog, start: StreamId): boolean {
  if (log.length === 0 || log.maxDeletedId.isZero) return false;
  if (log.firstId.compare(log.maxDeletedId) > 0) return false;
  return start.compare(log.maxDeletedId) <= 0;
}

/** How many entries were added up to this id, as far as can be known, or ENTRIES_READ_UNKNOWN. */
export function entriesUpTo(log: StreamLog, at: StreamId): number {
  if (log.entriesAdded === 0) return 0;
  const toLast = at.compare(log.lastId);
  if (log.length === 0 && toLast <= 0) return log.entriesAdded;
  if (toLast === 0) return log.entriesAdded;
  if (toLast > 0) return ENTRIES_READ_UNKNOWN;
  if (log.maxDeletedId.isZero || log.maxDeletedId.compare(log.firstId) < 0) {
    const toFirst = at.compare(log.firstId);
    if (toFirst < 0) return log.entriesAdded - log.length;
    if (toFirst === 0) return log.entriesAdded - log.length + 1;
  }
  return ENTRIES_READ_UNKNOWN;
}

/**
 * Entries that a group has still to read, NaN when that is not known; less than 0 if it says so.
 */
export function groupLag(log: StreamLog, group: StreamGroup): number {
  if (log.entriesAdded === 0) return 0;
  const { entriesRead, lastId } = group;
  const isKnown = entriesRead !== ENTRIES_READ_UNKNOWN && !hasTombstones(log, lastId);
  const read = isKnown ? entriesRead : entriesUpTo(log, lastId);
  return read === ENTRIES_READ_UNKNOWN ? Number.NaN : log.entriesAdded - read;
}

/** A group has been given the entry `at`, which stands behind all it was given before. */
export function groupAdvance(log: StreamLog, group: StreamGroup, at: StreamId): void {
  if (group.entriesRead !== ENTRIES_READ_UNKNOWN && !hasTombstones(log, at)) group.entriesRead++;
  else if (log.entriesAdded > 0) group.entriesRead = entriesUpTo(log, at);
  group.lastId.copy(at);
}

/** Whether the whole first node may go. */
function isNodeBehind(log: StreamLog, block: number, live: number, target: TrimTarget): boolean {
  if (target.byLength) return log.length - live >= target.maxLength;
  const bytes = log.arena.bytes(block);
  const base = log.arena.byteOffset(block);
  let at = lpLast(bytes, base);
  const elements = numberAt(bytes, base, at);
  for (let i = 0; i < elements; i++) at = lpPrev(bytes, base, at);
  entryId(bytes, base, at, log.nodeFirstId(0, master), id);
  return id.compare(target.minId) < 0;
}

/** Deletes entries of the first node one by one. Number of entries that went. */
function trimNode(log: StreamLog, target: TrimTarget): number {
  const block = log.roomInNode(0, COUNT_BYTES);
  const bytes = log.arena.bytes(block);
  const base = log.arena.byteOffset(block);
  log.nodeFirstId(0, master);
  const fields = numberAt(bytes, base, masterFieldsAt(bytes, base));
  let at = firstEntryAt(bytes, base);
  let gone = 0;
  while (at !== 0) {
    entryId(bytes, base, at, master, id);
    const isEnough = target.byLength
      ? log.length <= target.maxLength
      : id.compare(target.minId) >= 0;
    if (isEnough) break;
    if ((numberAt(bytes, base, at) & ENTRY_DELETED) === 0) {
      const before = firstEntryAt(bytes, base);
      markDeleted(bytes, base, at);
      // The counts in front may have changed their width.
      at += firstEntryAt(bytes, base) - before;
      log.length--;
      gone++;
    }
    at = nextEntryAt(bytes, base, at, fields);
  }
  return gone;
}
