/**
 * XREAD and XREADGROUP.
 *
 * XREADGROUP gives each entry to one consumer, for which it is then pending; with an id in place of
 * `>` it returns what is pending for that consumer already.
 *
 * A client that waits runs its command once more when one of its keys has changed, as if it had
 * just come. `$` means the last id at the time of the call, so it is replaced by that id before the
 * client waits. A reader of a group is told when the key or the group has gone.
 *
 * XREADGROUP makes its consumer whether or not there is anything for it.
 */
import { StreamCursor } from '../../core/struct/stream-cursor.ts';
import type { StreamConsumer, StreamGroup } from '../../core/struct/stream-group.ts';
import { StreamId } from '../../core/struct/stream-id.ts';
import type { StreamLog } from '../../core/struct/stream-log.ts';
import { pendingCount, pendingId } from '../../core/struct/stream-pending.ts';
import { edgeId, groupAdvance } from '../../core/struct/stream-trim.ts';
import { latin1Bytes } from '../../core/text/latin1.ts';
import { TYPE_STREAM } from '../../core/value.ts';
import {
  BLOCKING,
  command,
  type KeySpec,
  MOVABLE_KEYS,
  READONLY,
  WRITE,
} from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { strictId } from './stream-arguments.ts';
import { options, readOptions } from './stream-read-options.ts';
import {
  consumerFor,
  names,
  noSuchGroup,
  readStream,
  replyEntry,
  replyEntryOf,
  replyId,
  writeClaim,
  writeConsumer,
  writeGroupId,
} from './stream-shared.ts';
import { wakesGroup, wakesReader } from './stream-wait.ts';

const SOURCES_KEPT = 16;
const DOLLAR = 36;
const PLUS = 43;
const GREATER = 62;
const MAX = new StreamId().setMax();
const cursor = new StreamCursor();
const start = new StreamId();
const last = new StreamId();

/** A stream of the command, and from where on it is read. */
class Source {
  keyAt = 0;
  log: StreamLog | null = null;
  group: StreamGroup | null = null;
  /** Entries behind this one. */
  readonly after = new StreamId();
  /** `>` */
  isNew = false;
}

/** The streams of the call that runs are the first `options.keys`. */
const sources: Source[] = [];

function xreadCommand(c: Context): void {
  read(c, false);
}

function xreadgroupCommand(c: Context): void {
  read(c, true);
  c.propagator.suppress();
}

function read(c: Context, isGroup: boolean): void {
  if (!readOptions(c, isGroup)) return;
  if (openSources(c)) answer(c);
  for (const one of sources) {
    one.log = null;
    one.group = null;
  }
  if (sources.length > SOURCES_KEPT) sources.length = SOURCES_KEPT;
}

function answer(c: Context): void {
  let served = 0;
  let head = 0;
  for (let i = 0; i < options.keys; i++) {
    const one = sources[i]!;
    // Looked for as it was for its id: a hit or a miss of its own, as everybody counts them.
    c.lookupRead(one.keyAt);
    const ready = isReady(one);
    const consumer = one.group === null ? null : readerOf(c, one);
    if (!ready) continue;
    if (served++ === 0) head = c.reply.defer(options.keys);
    serve(c, one, consumer);
  }
  if (served > 0) c.reply.fill(head, c.reply.protocol === 3 ? '%' : '*', served);
  else if (options.waitMs >= 0 && c.services.mayWait(c.client)) wait(c);
  else c.reply.nullArray();
}

// ---------------------------------------------------------------- arguments

/** Finds the streams; false when there was an error, which has been answered. */
function openSources(c: Context): boolean {
  for (let i = 0; i < options.keys; i++) {
    const keyAt = options.keysAt + i;
    const log = readStream(c, keyAt);
    if (log === undefined) return false;
    let group: StreamGroup | null = null;
    if (options.isGroup) {
      group = log?.groups.get(names.of(c.args, options.groupAt)) ?? null;
      if (group === null) {
        noSuchGroup(c, keyAt, options.groupAt, ' in XREADGROUP with GROUP option');
        return false;
      }
    }
    if (sources.length === i) sources.push(new Source());
    const source = sources[i]!;
    source.keyAt = keyAt;
    source.log = log;
    source.group = group;
    if (!readAfter(c, source)) return false;
  }
  return true;
}

/** Reads from where on a stream is read; false for an error, which has been answered. */
function readAfter(c: Context, source: Source): boolean {
  const { after, group, log } = source;
  const i = source.keyAt + options.keys;
  source.isNew = false;
  const isLast = isMark(c, i, PLUS);
  if (isLast || isMark(c, i, DOLLAR)) {
    if (options.isGroup) return c.refuse(meaningless(isLast ? '+' : '$'));
    if (log === null) after.clear();
    else after.copy(log.lastId);
    if (log === null || !isLast) return true;
    if (after.isZero) return c.refuse('ERR the stream last element ID is 0-0');
    after.decrement();
    return true;
  }
  if (isMark(c, i, GREATER)) {
    if (group === null) {
      const text = 'The > ID can be specified only when calling XREADGROUP using the GROUP';
      return c.refuse(`ERR ${text} <group> <consumer> option.`);
    }
    after.copy(group.lastId);
    source.isNew = true;
    return true;
  }
  if (!strictId(c, i, after)) return false;
  if (group === null || !after.isMax) return true;
  after.copy(group.lastId);
  source.isNew = true;
  return true;
}

function meaningless(mark: string): string {
  return (
    `ERR The ${mark} ID is meaningless in the context of XREADGROUP: you want to read the ` +
    'history of this consumer by specifying a proper ID, or use the > ID to get new messages. ' +
    `The ${mark} ID would just return an empty result set.`
  );
}

/** Whether argument `i`, up to its first zero byte, is one character. */
function isMark(c: Context, i: number, mark: number): boolean {
  const bytes = c.args.bytes[i]!;
  const at = c.args.offsets[i]!;
  const length = c.args.lengths[i]!;
  return length > 0 && bytes[at] === mark && (length === 1 || bytes[at + 1] === 0);
}

/**
 * Whether a stream has something to return: history always has an answer. What is new for a group
 * is asked for when its turn comes: the same stream may have been read just before.
 */
function isReady(source: Source): boolean {
  const { group, log } = source;
  if (log === null) return false;
  if (group !== null && !source.isNew) return true;
  if (group !== null) source.after.copy(group.lastId);
  return log.length > 0 && edgeId(log, true, last) && last.compare(source.after) > 0;
}

// ---------------------------------------------------------------- answers

/** The consumer that reads, heard of now. With NOACK no XCLAIM will name it: it is told if new. */
function readerOf(c: Context, source: Source): StreamConsumer {
  const { groupAt, noAck } = options;
  const { keyAt } = source;
  const group = source.group!;
  // The running snapshot sees the stream before it changes.
  c.lookupWrite(keyAt);
  const known = group.consumers.size;
  const consumer = consumerFor(c, group, groupAt + 1, keyAt);
  if (noAck && group.consumers.size > known) writeConsumer(c, keyAt, groupAt, groupAt + 1);
  return consumer;
}

function serve(c: Context, source: Source, consumer: StreamConsumer | null): void {
  const { args } = c;
  const { group, keyAt } = source;
  const log = source.log!;
  if (c.reply.protocol === 2) c.reply.array(2);
  c.reply.bulk(args.bytes[keyAt]!, args.offsets[keyAt]!, args.lengths[keyAt]!);
  start.copy(source.after).increment();
  if (group === null || consumer === null) {
    replyBehind(c, log, options.count);
    return;
  }
  if (source.isNew) deliver(c, source, consumer);
  else replyHistory(c, options.count, log, group, consumer);
  c.keyspace.dirty++;
}

/** The most entries that a reply may have; a `count` of 0 allows for all. */
function mostOf(count: number, size: number): number {
  return count === 0 ? size : Math.min(count, size);
}

function replyBehind(c: Context, log: StreamLog, count: number): void {
  const head = c.reply.defer(mostOf(count, log.length));
  let done = 0;
  cursor.start(log, start, MAX, false);
  while ((count === 0 || done < count) && cursor.next()) {
    replyEntry(c, cursor);
    done++;
  }
  c.reply.fill(head, '*', done);
}

/** Gives new entries to a consumer. */
function deliver(c: Context, source: Source, consumer: StreamConsumer): void {
  const { keyAt } = source;
  const { count, groupAt } = options;
  const log = source.log!;
  const group = source.group!;
  const head = c.reply.defer(mostOf(count, log.length));
  let done = 0;
  let advanced = false;
  cursor.start(log, start, MAX, false);
  while ((count === 0 || done < count) && cursor.next()) {
    if (cursor.id.compare(group.lastId) > 0) {
      groupAdvance(log, group, cursor.id);
      advanced = true;
    }
    replyEntry(c, cursor);
    if (!options.noAck) {
      writeClaim(c, keyAt, groupAt, group, makePending(c, group, consumer));
    }
    done++;
  }
  if (done > 0 && !options.noAck) consumer.activeMs = c.keyspace.nowMs;
  c.reply.fill(head, '*', done);
  // The claims say the id, but not how many entries the group has read.
  if (advanced) writeGroupId(c, keyAt, groupAt, group);
}

/** Makes the entry at the cursor pending for a consumer, whoever had it before. */
function makePending(c: Context, group: StreamGroup, consumer: StreamConsumer): number {
  const { nowMs } = c.keyspace;
  const there = group.pending.find(cursor.id);
  if (there === 0) return group.addPending(cursor.id, consumer, nowMs, 1);
  group.movePending(there, consumer);
  group.deliver(there, nowMs, 1);
  return there;
}

/** Answers what is pending for a consumer from `start` on; entries that are gone without fields. */
function replyHistory(
  c: Context,
  count: number,
  log: StreamLog,
  group: StreamGroup,
  consumer: StreamConsumer,
): void {
  const { arena, nowMs } = c.keyspace;
  const { pending } = consumer;
  const head = c.reply.defer(mostOf(count, pending.size));
  let done = 0;
  let address = pending.atOrAfter(start);
  while (address !== 0 && (count === 0 || done < count)) {
    if (replyEntryOf(c, log, pendingId(arena, address, last))) {
      group.deliver(address, nowMs, pendingCount(arena, address) + 1);
    } else {
      c.reply.array(2);
      replyId(c, last);
      c.reply.nullArray();
    }
    done++;
    address = pending.next();
  }
  c.reply.fill(head, '*', done);
}

// ---------------------------------------------------------------- waiting

function wait(c: Context): void {
  const { blocking } = c.services;
  const { groupAt, isGroup, keys, keysAt, waitMs } = options;
  if (blocking.isBlocked(c.client)) return;
  const waited: Uint8Array[] = [];
  const after: StreamId[] = [];
  const args = c.args.copies();
  for (let i = 0; i < keys; i++) {
    waited.push(args.bytes[keysAt + i]!);
    after.push(new StreamId().copy(sources[i]!.after));
    const idAt = keysAt + keys + i;
    if (!isMark(c, idAt, DOLLAR)) continue;
    const text = latin1Bytes(sources[i]!.after.toString());
    args.bytes[idAt] = text;
    args.offsets[idAt] = 0;
    args.lengths[idAt] = text.length;
  }
  blocking.block(c, {
    keys: waited,
    type: TYPE_STREAM,
    args,
    timeoutMs: waitMs,
    onTimeout: (client) => client.reply.nullArray(),
    wakesOn: isGroup
      ? wakesGroup(c.keyspace, args.text(groupAt))
      : wakesReader(c.keyspace, waited, after),
  });
}

// ---------------------------------------------------------------- specifications

function streamKeys(from: number): KeySpec {
  return {
    begin: { kind: 'keyword', keyword: 'STREAMS', from },
    range: { kind: 'range', last: -1, step: 1, limit: 2 },
    flags: ['RO', 'access'],
  };
}

const STREAMS = 'STREAMS streams={key:key... id...}';
const COMPLEXITY = 'O(N) for each stream, with N the entries returned';

export const streamReadCommands = [
  command(
    'xread',
    'stream',
    {
      arity: -4,
      flags: READONLY | BLOCKING | MOVABLE_KEYS,
      keys: [streamKeys(1)],
      acl: ['stream'],
      since: '5.0.0',
      complexity: COMPLEXITY,
      summary: 'Returns the entries behind given ids, and waits for some if asked to.',
      syntax: `[COUNT count:integer] [BLOCK milliseconds:integer] ${STREAMS}`,
    },
    xreadCommand,
  ),
  command(
    'xreadgroup',
    'stream',
    {
      arity: -7,
      flags: WRITE | BLOCKING | MOVABLE_KEYS,
      keys: [streamKeys(4)],
      acl: ['stream'],
      since: '5.0.0',
      complexity: COMPLEXITY,
      summary: 'Returns new or pending entries to a consumer of a group.',
      syntax:
        'GROUP group-block={group consumer} [COUNT count:integer] ' +
        `[BLOCK milliseconds:integer] [NOACK] ${STREAMS}`,
    },
    xreadgroupCommand,
  ),
];
