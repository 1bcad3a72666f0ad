/** Pending entries: XACK, XPENDING. */
import type { StreamGroup } from '../../core/struct/stream-group.ts';
import { StreamId } from '../../core/struct/stream-id.ts';
import {
  type PendingList,
  pendingCount,
  pendingId,
  pendingTime,
} from '../../core/struct/stream-pending.ts';
import { command, FAST, keyAt, READONLY, WRITE } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { SYNTAX_ERROR } from '../dispatch/errors.ts';
import { rangeEnd, rangeStart, strictId } from './stream-arguments.ts';
import { knownPlace, placeOf, replyId } from './stream-shared.ts';

const id = new StreamId();
const from = new StreamId();
const to = new StreamId();

// ---------------------------------------------------------------- XACK

function xackCommand(c: Context): void {
  const place = placeOf(c);
  if (place === undefined) return;
  if (place === null) {
    c.reply.integer(0);
    return;
  }
  for (let i = 3; i < c.argc; i++) if (!strictId(c, i, id)) return;
  // The running snapshot, if there is one, sees the stream before it changes.
  if (c.keyspace.snapshot !== null) c.lookupWrite(1);
  let done = 0;
  for (let i = 3; i < c.argc; i++) {
    if (c.argc > 4) strictId(c, i, id);
    if (place.group.removePending(id)) done++;
  }
  c.keyspace.dirty += done;
  c.reply.integer(done);
}

// ---------------------------------------------------------------- XPENDING

function xpendingCommand(c: Context): void {
  if (c.argc === 3) {
    const place = knownPlace(c);
    if (place !== null) replySummary(c, place.group);
    return;
  }
  if (c.argc < 6 || c.argc > 9) {
    c.reply.error(SYNTAX_ERROR);
    return;
  }
  let minIdle = 0;
  let at = 3;
  if (c.is(3, 'idle')) {
    minIdle = c.integer(4);
    if (Number.isNaN(minIdle)) return;
    if (c.argc < 8) {
      c.reply.error(SYNTAX_ERROR);
      return;
    }
    at = 5;
  }
  const count = c.integer(at + 2);
  if (Number.isNaN(count)) return;
  if (!rangeStart(c, at, from) || !rangeEnd(c, at + 1, to)) return;
  const place = knownPlace(c);
  if (place === null) return;
  let { pending } = place.group;
  if (at + 3 < c.argc) {
    const consumer = place.group.consumers.get(c.args.text(at + 3));
    if (consumer === undefined) {
      c.reply.array(0);
      return;
    }
    ({ pending } = consumer);
  }
  replyPending(c, place.group, pending, count, minIdle);
}

function replySummary(c: Context, group: StreamGroup): void {
  const { arena } = c.keyspace;
  const { pending } = group;
  c.reply.array(4);
  c.reply.integer(pending.size);
  if (pending.size === 0) {
    c.reply.null();
    c.reply.null();
    c.reply.nullArray();
    return;
  }
  replyId(c, pendingId(arena, pending.first(), id));
  replyId(c, pendingId(arena, pending.last(), id));
  const names = group.consumerNames().filter((one) => group.consumers.get(one)!.pending.size > 0);
  c.reply.array(names.length);
  for (const name of names) {
    c.reply.array(2);
    c.reply.bulkText(name);
    c.reply.bulkInteger(group.consumers.get(name)!.pending.size);
  }
}

/** Answers up to `count` entries between `from` and `to` that have been idle for long enough. */
function replyPending(
  c: Context,
  group: StreamGroup,
  pending: PendingList,
  count: number,
  minIdle: number,
): void {
  const { arena, nowMs } = c.keyspace;
  const head = c.reply.defer(pending.size);
  let done = 0;
  for (
    let address = pending.atOrAfter(from);
    address !== 0 && done < count;
    address = pending.next()
  ) {
    if (pendingId(arena, address, id).compare(to) > 0) break;
    const idle = nowMs - pendingTime(arena, address);
    if (minIdle !== 0 && idle < minIdle) continue;
    c.reply.array(4);
    replyId(c, id);
    c.reply.bulkText(group.consumerOf(address)?.name ?? '');
    c.reply.integer(Math.max(idle, 0));
    c.reply.integer(pendingCount(arena, address));
    done++;
  }
  c.reply.fill(head, '*', done);
}

// ---------------------------------------------------------------- specifications

const shared = { acl: ['stream'], since: '5.0.0' } as const;

export const streamPendingCommands = [
  command(
    'xack',
    'stream',
    {
      ...shared,
      arity: -4,
      flags: WRITE | FAST,
      keys: [keyAt(1, 'RW', 'update')],
      complexity: 'O(1) for each id',
      summary: 'Acknowledges pending entries and returns how many there were.',
      syntax: 'key:key group id...',
    },
    xackCommand,
  ),

  command(
    'xpending',
    'stream',
    {
      ...shared,
      arity: -3,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      tips: ['nondeterministic_output'],
      complexity: 'O(N) with N the entries that are returned or passed over, or the consumers',
      summary: 'Tells what is pending for a group or a consumer.',
      syntax:
        'key:key group [filters={[IDLE min-idle-time:integer@6.2.0] start end count:integer ' +
        '[consumer]}]',
      history: [['6.2.0', 'Option IDLE and exclusive ends.']],
    },
    xpendingCommand,
  ),
];
