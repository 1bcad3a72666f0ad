/** XINFO: what is known of a stream, its groups and their consumers. */
import { StreamCursor } from '../../core/struct/stream-cursor.ts';
import {
  byBytes,
  ENTRIES_READ_UNKNOWN,
  type StreamConsumer,
  type StreamGroup,
} from '../../core/struct/stream-group.ts';
import { StreamId } from '../../core/struct/stream-id.ts';
import type { StreamLog } from '../../core/struct/stream-log.ts';
import { pendingCount, pendingId, pendingTime } from '../../core/struct/stream-pending.ts';
import { groupLag } from '../../core/struct/stream-trim.ts';
import { type Command, command, keyAt, READONLY } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { NO_SUCH_KEY, wrongSubcommand } from '../dispatch/errors.ts';
import { helpSubcommand, replyOwnHelp } from './help.ts';
import { radixNodes } from './stream-radix.ts';
import { readStream, replyEntry, replyId, replyRange } from './stream-shared.ts';

const FULL_COUNT = 10;
const MIN = new StreamId();
const MAX = new StreamId().setMax();
const id = new StreamId();
const cursor = new StreamCursor();

/** The stream in argument 2; null when there is none, which has been answered. */
function existing(c: Context): StreamLog | null {
  const log = readStream(c, 2);
  if (log === null) c.reply.error(NO_SUCH_KEY);
  return log ?? null;
}

function sortedGroups(log: StreamLog): [string, StreamGroup][] {
  return [...log.groups].sort(([a], [b]) => byBytes(a, b));
}

/** Answers how far a group has come, and what it has still to read. */
function replyProgress(c: Context, log: StreamLog, group: StreamGroup): void {
  const { reply } = c;
  reply.bulkText('entries-read');
  if (group.entriesRead === ENTRIES_READ_UNKNOWN) reply.null();
  else reply.integer(group.entriesRead);
  reply.bulkText('lag');
  const lag = groupLag(log, group);
  if (Number.isNaN(lag)) reply.null();
  else reply.integer(lag);
}

function xinfoStreamCommand(c: Context): void {
  const log = existing(c);
  if (log === null) return;
  let count = FULL_COUNT;
  if (c.argc > 3) {
    const isFull = (c.argc === 4 || c.argc === 6) && c.is(3, 'full');
    if (!isFull || (c.argc === 6 && !c.is(4, 'count'))) {
      c.reply.error(wrongSubcommand('XINFO', c.args.shown(1)));
      return;
    }
    if (c.argc === 6) count = c.integer(5);
    if (Number.isNaN(count)) return;
    if (count < 0) count = FULL_COUNT;
  }
  c.reply.map(c.argc > 3 ? 9 : 10);
  replyFacts(c, log);
  if (c.argc > 3) {
    c.reply.bulkText('entries');
    replyRange(c, log, MIN, MAX, count, false);
    c.reply.bulkText('groups');
    c.reply.array(log.groups.size);
    for (const [name, group] of sortedGroups(log)) replyWholeGroup(c, log, name, group, count);
    return;
  }
  c.reply.bulkText('groups');
  c.reply.integer(log.groups.size);
  c.reply.bulkText('first-entry');
  replyEdge(c, log, false);
  c.reply.bulkText('last-entry');
  replyEdge(c, log, true);
}

function replyFacts(c: Context, log: StreamLog): void {
  const { reply } = c;
  reply.bulkText('length');
  reply.integer(log.length);
  reply.bulkText('radix-tree-keys');
  reply.integer(log.nodeCount);
  reply.bulkText('radix-tree-nodes');
  reply.integer(radixNodes(log));
  reply.bulkText('last-generated-id');
  replyId(c, log.lastId);
  reply.bulkText('max-deleted-entry-id');
  replyId(c, log.maxDeletedId);
  reply.bulkText('entries-added');
  reply.integer(log.entriesAdded);
  reply.bulkText('recorded-first-entry-id');
  replyId(c, log.firstId);
}

function replyEdge(c: Context, log: StreamLog, last: boolean): void {
  cursor.start(log, MIN, MAX, last);
  if (cursor.next()) replyEntry(c, cursor);
  else c.reply.null();
}

function replyWholeGroup(
  c: Context,
  log: StreamLog,
  name: string,
  group: StreamGroup,
  count: number,
): void {
  const { reply } = c;
  const { arena } = c.keyspace;
  reply.map(7);
  reply.bulkText('name');
  reply.bulkText(name);
  reply.bulkText('last-delivered-id');
  replyId(c, group.lastId);
  replyProgress(c, log, group);
  reply.bulkText('pel-count');
  reply.integer(group.pending.size);
  reply.bulkText('pending');
  let left = count === 0 ? group.pending.size : Math.min(count, group.pending.size);
  reply.array(left);
  for (let one = group.pending.first(); left > 0; left--, one = group.pending.next()) {
    reply.array(4);
    replyId(c, pendingId(arena, one, id));
    reply.bulkText(group.consumerOf(one)?.name ?? '');
    reply.integer(pendingTime(arena, one));
    reply.integer(pendingCount(arena, one));
  }
  reply.bulkText('consumers');
  reply.array(group.consumers.size);
  for (const one of group.consumerNames()) replyWholeConsumer(c, group.consumers.get(one)!, count);
}

function replyWholeConsumer(c: Context, consumer: StreamConsumer, count: number): void {
  const { reply } = c;
  const { arena } = c.keyspace;
  const { pending } = consumer;
  reply.map(5);
  reply.bulkText('name');
  reply.bulkText(consumer.name);
  reply.bulkText('seen-time');
  reply.integer(consumer.seenMs);
  reply.bulkText('active-time');
  reply.integer(consumer.activeMs);
  reply.bulkText('pel-count');
  reply.integer(pending.size);
  reply.bulkText('pending');
  let left = count === 0 ? pending.size : Math.min(count, pending.size);
  reply.array(left);
  for (let one = pending.first(); left > 0; left--, one = pending.next()) {
    reply.array(3);
    replyId(c, pendingId(arena, one, id));
    reply.integer(pendingTime(arena, one));
    reply.integer(pendingCount(arena, one));
  }
}

function xinfoGroupsCommand(c: Context): void {
  const { reply } = c;
  const log = existing(c);
  if (log === null) return;
  reply.array(log.groups.size);
  for (const [name, group] of sortedGroups(log)) {
    reply.map(6);
    reply.bulkText('name');
    reply.bulkText(name);
    reply.bulkText('consumers');
    reply.integer(group.consumers.size);
    reply.bulkText('pending');
    reply.integer(group.pending.size);
    reply.bulkText('last-delivered-id');
    replyId(c, group.lastId);
    replyProgress(c, log, group);
  }
}

function xinfoConsumersCommand(c: Context): void {
  const { reply } = c;
  const log = existing(c);
  if (log === null) return;
  const group = log.groups.get(c.args.text(3));
  if (group === undefined) {
    const [key, name] = [c.args.shown(2), c.args.shown(3)];
    reply.error(`NOGROUP No such consumer group '${name}' for key name '${key}'`);
    return;
  }
  reply.array(group.consumers.size);
  for (const name of group.consumerNames()) {
    const consumer = group.consumers.get(name)!;
    reply.map(4);
    reply.bulkText('name');
    reply.bulkText(name);
    reply.bulkText('pending');
    reply.integer(consumer.pending.size);
    reply.bulkText('idle');
    reply.integer(Math.max(c.keyspace.nowMs - consumer.seenMs, 0));
    reply.bulkText('inactive');
    const { activeMs } = consumer;
    reply.integer(activeMs < 0 ? activeMs : Math.max(c.keyspace.nowMs - activeMs, 0));
  }
}

// ---------------------------------------------------------------- specifications

const shared = {
  flags: READONLY,
  keys: [keyAt(2, 'RO', 'access')],
  acl: ['stream'],
  since: '5.0.0',
  complexity: 'O(1)',
} as const;

const subcommands: readonly Command[] = [
  command(
    'xinfo|consumers',
    'stream',
    {
      ...shared,
      arity: 4,
      tips: ['nondeterministic_output'],
      summary: 'Lists the consumers of a group.',
      syntax: 'key:key group',
      history: [['7.2.0', 'Field inactive; idle counts from the last attempt.']],
    },
    xinfoConsumersCommand,
  ),
  command(
    'xinfo|groups',
    'stream',
    {
      ...shared,
      arity: 3,
      summary: 'Lists the groups of a stream.',
      syntax: 'key:key',
      history: [['7.0.0', 'Fields entries-read and lag.']],
    },
    xinfoGroupsCommand,
  ),
  helpSubcommand('xinfo', 'stream', { acl: ['stream'], since: '5.0.0' }),
  command(
    'xinfo|stream',
    'stream',
    {
      ...shared,
      arity: -3,
      summary: 'Tells what is known of a stream.',
      syntax: 'key:key [full-block={FULL [COUNT count:integer]}]',
      history: [
        ['6.0.0', 'Option FULL.'],
        ['7.0.0', 'Fields of deleted and added entries, entries-read and lag.'],
        ['7.2.0', 'Field active-time; seen-time is that of the last attempt.'],
      ],
    },
    xinfoStreamCommand,
  ),
];

export const streamInfoCommands = [
  command(
    'xinfo',
    'stream',
    {
      arity: -2,
      flags: 0,
      since: '5.0.0',
      complexity: 'Depends on subcommand.',
      summary: 'Tells what is known of streams.',
      subcommands,
    },
    replyOwnHelp,
  ),
];
