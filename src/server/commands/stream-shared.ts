/**
 * What the stream commands have in common: entries and ids as replies, and the commands that stand
 * for their effects in the AOF and on replicas.
 *
 *     XREADGROUP, XCLAIM, XAUTOCLAIM    XCLAIM key group consumer 0 id TIME ms RETRYCOUNT n FORCE
 *                                       JUSTID LASTID id, for each entry whose owner changed
 *     XREADGROUP, XCLAIM                XGROUP SETID key group id ENTRIESREAD n, when the group
 *                                       advanced
 *     XREADGROUP with NOACK             XGROUP CREATECONSUMER key group consumer, when it is new
 *
 * Like in Redis, nobody is told of a consumer that came to nothing: replicas and files have it when
 * it is given an entry.
 */
import { StreamCursor } from '../../core/struct/stream-cursor.ts';
import type { StreamConsumer, StreamGroup } from '../../core/struct/stream-group.ts';
import { StreamId, StreamIdText } from '../../core/struct/stream-id.ts';
import type { StreamLog } from '../../core/struct/stream-log.ts';
import { pendingCount, pendingId, pendingTime } from '../../core/struct/stream-pending.ts';
import { TextMemo } from '../../core/text/text-memo.ts';
import { streamOf } from '../../core/types/stream.ts';
import { TYPE_STREAM, typeOf } from '../../core/value.ts';
import type { Context } from '../dispatch/context.ts';
import { WRONG_TYPE } from '../dispatch/errors.ts';
import { NOTIFY_STREAM } from '../dispatch/notify-classes.ts';

const text = new StreamIdText();
const cursor = new StreamCursor();
const id = new StreamId();
/** Names of groups and consumers. */
export const names = new TextMemo();

/** What a look-up for a stream found. */
export type Found = StreamLog | null | undefined;

/**
 * The stream in argument `i`, null when there is no such key, undefined when it holds another type:
 * that has been answered.
 */
export function readStream(c: Context, i: number): Found {
  return found(c, c.lookupRead(i));
}

/** Like `readStream`, for changing it. */
export function writeStream(c: Context, i: number): Found {
  return found(c, c.lookupWrite(i));
}

function found(c: Context, address: number): Found {
  if (address === 0) return null;
  if (typeOf(c.keyspace.arena, address) === TYPE_STREAM) return streamOf(c.keyspace, address);
  c.reply.error(WRONG_TYPE);
  return undefined;
}

/** Spoils the transactions that watch the key in argument `i`, and announces an event. */
export function touched(c: Context, i: number, event: string): void {
  const { args } = c;
  c.services.keyChanged(c.db, args.bytes[i]!, args.offsets[i]!, args.lengths[i]!);
  c.notify(i, NOTIFY_STREAM, event);
}

/**
 * Counts and announces a change of what is no part of the value in argument `i`, a group or the
 * stream's last id: whoever watches or tracks the key is not told.
 */
export function changedAside(c: Context, i: number, event: string): void {
  c.keyspace.dirty++;
  c.notify(i, NOTIFY_STREAM, event);
}

// ---------------------------------------------------------------- replies

export function replyId(c: Context, of: StreamId): void {
  const length = text.write(of);
  c.reply.bulk(text.bytes, 0, length);
}

/** Answers the entry that a cursor stands at. */
export function replyEntry(c: Context, at: StreamCursor): void {
  c.reply.array(2);
  replyId(c, at.id);
  c.reply.array(at.fieldCount * 2);
  while (at.nextField()) {
    c.reply.bulk(at.field.bytes, at.field.offset, at.field.length);
    c.reply.bulk(at.value.bytes, at.value.offset, at.value.length);
  }
}

/** Answers the entry with this id. False, without an answer, when there is none. */
export function replyEntryOf(c: Context, log: StreamLog, of: StreamId): boolean {
  cursor.start(log, of, of, false);
  if (!cursor.next()) return false;
  replyEntry(c, cursor);
  return true;
}

/** Answers up to `count` entries of a range as an array; 0 is all. */
export function replyRange(
  c: Context,
  log: StreamLog,
  from: StreamId,
  to: StreamId,
  count: number,
  reverse: boolean,
): void {
  const head = c.reply.defer(count === 0 ? log.length : Math.min(count, log.length));
  let done = 0;
  cursor.start(log, from, to, reverse);
  while ((count === 0 || done < count) && cursor.next()) {
    replyEntry(c, cursor);
    done++;
  }
  c.reply.fill(head, '*', done);
}

export function noSuchGroup(c: Context, keyAt: number, groupAt: number, suffix = ''): void {
  const [key, group] = [c.args.shown(keyAt), c.args.shown(groupAt)];
  c.reply.error(`NOGROUP No such key '${key}' or consumer group '${group}'${suffix}`);
}

/** Where a command on a group works. */
export interface Place {
  readonly log: StreamLog;
  readonly group: StreamGroup;
}

/**
 * The stream in argument 1 and the group in argument 2, null when either is missing, undefined when
 * the key holds another type: that has been answered.
 */
export function placeOf(c: Context): Place | null | undefined {
  const log = readStream(c, 1);
  if (log === undefined) return undefined;
  const group = log?.groups.get(names.of(c.args, 2));
  return log === null || group === undefined ? null : { log, group };
}

/**
 * Like `placeOf`, but answers the error for a missing group as well; null for all that was
 * answered.
 */
export function knownPlace(c: Context): Place | null {
  const place = placeOf(c);
  if (place === null) noSuchGroup(c, 1, 2);
  return place ?? null;
}

// ---------------------------------------------------------------- consumers

/** The consumer named in argument `i`, heard of now; made when there is none. */
export function consumerFor(
  c: Context,
  group: StreamGroup,
  i: number,
  keyAt: number,
): StreamConsumer {
  const name = names.of(c.args, i);
  const there = group.consumers.get(name);
  if (there !== undefined) {
    there.seenMs = c.keyspace.nowMs;
    return there;
  }
  c.keyspace.dirty++;
  c.notify(keyAt, NOTIFY_STREAM, 'xgroup-createconsumer');
  return group.addConsumer(name, c.keyspace.nowMs);
}

// ---------------------------------------------------------------- effects

/** Writes the XCLAIM that stands for a pending entry as it is now. */
export function writeClaim(
  c: Context,
  keyAt: number,
  groupAt: number,
  group: StreamGroup,
  address: number,
): void {
  const { args, keyspace, propagator } = c;
  if (!propagator.begin(c.db.id, 14)) return;
  propagator.word('XCLAIM');
  propagator.argument(args, keyAt);
  propagator.argument(args, groupAt);
  propagator.word(group.consumerOf(address)?.name ?? '');
  propagator.number(0);
  writeId(c, pendingId(keyspace.arena, address, id));
  propagator.word('TIME');
  propagator.number(pendingTime(keyspace.arena, address));
  propagator.word('RETRYCOUNT');
  propagator.number(pendingCount(keyspace.arena, address));
  propagator.word('FORCE');
  propagator.word('JUSTID');
  propagator.word('LASTID');
  writeId(c, group.lastId);
}

/** Writes the XGROUP SETID that stands for how far a group has come. */
export function writeGroupId(c: Context, keyAt: number, groupAt: number, group: StreamGroup): void {
  const { args, propagator } = c;
  if (!propagator.begin(c.db.id, 7)) return;
  propagator.word('XGROUP');
  propagator.word('SETID');
  propagator.argument(args, keyAt);
  propagator.argument(args, groupAt);
  writeId(c, group.lastId);
  propagator.word('ENTRIESREAD');
  propagator.number(group.entriesRead);
}

/** Writes the XGROUP CREATECONSUMER that stands for a consumer. */
export function writeConsumer(c: Context, keyAt: number, groupAt: number, nameAt: number): void {
  const { args, propagator } = c;
  if (!propagator.begin(c.db.id, 5)) return;
  propagator.word('XGROUP');
  propagator.word('CREATECONSUMER');
  propagator.argument(args, keyAt);
  propagator.argument(args, groupAt);
  propagator.argument(args, nameAt);
}

/** Writes an id as a word of the operation that is being written. */
export function writeId(c: Context, of: StreamId): void {
  const length = text.write(of);
  c.propagator.bytes(text.bytes, 0, length);
}
