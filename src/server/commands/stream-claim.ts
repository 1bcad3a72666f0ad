/**
 * Claims: XCLAIM, XAUTOCLAIM.
 *
 * A claim gives pending entries to another consumer. What is pending but no longer in the stream is
 * forgotten on the way. Each change is written as the XCLAIM that stands for it.
 */
import type { StreamConsumer, StreamGroup } from '../../core/struct/stream-group.ts';
import { StreamId } from '../../core/struct/stream-id.ts';
import { pendingCount, pendingId, pendingTime } from '../../core/struct/stream-pending.ts';
import { command, FAST, keyAt, WRITE } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { SYNTAX_ERROR } from '../dispatch/errors.ts';
import { isStrictId, keptCount, rangeStart, strictId } from './stream-arguments.ts';
import {
  consumerFor,
  knownPlace,
  type Place,
  replyEntryOf,
  replyId,
  writeClaim,
  writeGroupId,
} from './stream-shared.ts';

const AUTOCLAIM_ATTEMPTS = 10;
const AUTOCLAIM_COUNT_MAX = Math.floor(2 ** 63 / 16);

const id = new StreamId();
const from = new StreamId();
const lastId = new StreamId();

// ---------------------------------------------------------------- XCLAIM

interface ClaimOptions {
  minIdle: number;
  /** Argument behind the last id. */
  idsEnd: number;
  /** When the entries are said to have been delivered; -1 is now. */
  timeMs: number;
  /** How often they are said to have been delivered; -1 counts on. */
  count: number;
  force: boolean;
  justId: boolean;
}

function xclaimCommand(c: Context): void {
  const place = knownPlace(c);
  if (place === null) return;
  const { group, log } = place;
  const options = readClaim(c);
  if (options === null) return;
  c.lookupWrite(1);
  const consumer = consumerFor(c, group, 3, 1);
  let advanced = lastId.compare(group.lastId) > 0;
  if (advanced) group.lastId.copy(lastId);
  const head = c.reply.defer(options.idsEnd - 5);
  let done = 0;
  for (let i = 5; i < options.idsEnd; i++) {
    isStrictId(c, i, id);
    const address = group.pending.find(id);
    if (!log.has(id)) {
      if (address === 0) continue;
      advanced = false;
      forget(c, group, address);
    } else if (claimOne(c, place, options, consumer, address)) {
      advanced = false;
      done++;
    }
  }
  if (advanced) {
    writeGroupId(c, 1, 2, group);
    c.keyspace.dirty++;
  }
  c.reply.fill(head, '*', done);
  c.propagator.suppress();
}

function readClaim(c: Context): ClaimOptions | null {
  const { nowMs } = c.keyspace;
  const minIdle = c.integer(4, 'ERR Invalid min-idle-time argument for XCLAIM');
  if (Number.isNaN(minIdle)) return null;
  let i = 5;
  while (i < c.argc && isStrictId(c, i, id)) i++;
  const to: ClaimOptions = {
    minIdle: Math.max(minIdle, 0),
    idsEnd: i,
    timeMs: -1,
    count: -1,
    force: false,
    justId: false,
  };
  lastId.clear();
  for (; i < c.argc; i++) {
    const more = i + 1 < c.argc;
    if (c.is(i, 'force')) to.force = true;
    else if (c.is(i, 'justid')) to.justId = true;
    else if (more && (c.is(i, 'idle') || c.is(i, 'time'))) {
      const isIdle = c.is(i, 'idle');
      const word = isIdle ? 'IDLE' : 'TIME';
      const ms = c.integer(++i, `ERR Invalid ${word} option argument for XCLAIM`);
      if (Number.isNaN(ms)) return null;
      to.timeMs = isIdle ? nowMs - ms : ms;
    } else if (more && c.is(i, 'retrycount')) {
      to.count = keptCount(c, ++i, 'ERR Invalid RETRYCOUNT option argument for XCLAIM');
      if (Number.isNaN(to.count)) return null;
    } else if (more && c.is(i, 'lastid')) {
      if (!strictId(c, ++i, lastId)) return null;
    } else {
      c.reply.error(`ERR Unrecognized XCLAIM option '${c.args.shown(i)}'`);
      return null;
    }
  }
  if (to.timeMs < 0 || to.timeMs > nowMs) to.timeMs = nowMs;
  return to;
}

/** Claims the entry `id`, pending at `address` or not. Whether it was answered as claimed. */
function claimOne(
  c: Context,
  { group, log }: Place,
  options: ClaimOptions,
  consumer: StreamConsumer,
  address: number,
): boolean {
  const { arena, nowMs } = c.keyspace;
  let pending = address;
  if (pending === 0) {
    if (!options.force) return false;
    pending = group.addPending(id, null, nowMs, 1);
  } else if (options.minIdle > 0 && nowMs - pendingTime(arena, pending) < options.minIdle) {
    return false;
  }
  const counted = pendingCount(arena, pending) + (options.justId ? 0 : 1);
  group.deliver(pending, options.timeMs, options.count >= 0 ? options.count : counted);
  take(c, group, consumer, pending);
  if (options.justId) replyId(c, id);
  else replyEntryOf(c, log, id);
  writeClaim(c, 1, 2, group, pending);
  c.keyspace.dirty++;
  return true;
}

/** Gives a pending entry to a consumer. */
function take(c: Context, group: StreamGroup, consumer: StreamConsumer, address: number): void {
  consumer.activeMs = c.keyspace.nowMs;
  group.movePending(address, consumer);
}

/** Forgets a pending entry that is no longer in the stream; `id` is its id. */
function forget(c: Context, group: StreamGroup, address: number): void {
  writeClaim(c, 1, 2, group, address);
  c.keyspace.dirty++;
  group.removePending(id);
}

// ---------------------------------------------------------------- XAUTOCLAIM

function xautoclaimCommand(c: Context): void {
  const minIdle = c.integer(4, 'ERR Invalid min-idle-time argument for XAUTOCLAIM');
  if (Number.isNaN(minIdle) || !rangeStart(c, 5, from)) return;
  let count = 100;
  let justId = false;
  for (let i = 6; i < c.argc; i++) {
    if (c.is(i, 'count') && i + 1 < c.argc) {
      count = c.integerIn(++i, 1, AUTOCLAIM_COUNT_MAX, 'ERR COUNT must be > 0');
      if (Number.isNaN(count)) return;
    } else if (c.is(i, 'justid')) justId = true;
    else {
      c.reply.error(SYNTAX_ERROR);
      return;
    }
  }
  const place = knownPlace(c);
  if (place === null) return;
  c.lookupWrite(1);
  autoclaim(c, place, Math.max(minIdle, 0), count, justId);
  c.propagator.suppress();
}

/** Claims what has been idle for `minIdle` milliseconds from `from` on. */
function autoclaim(
  c: Context,
  place: Place,
  minIdle: number,
  count: number,
  justId: boolean,
): void {
  const { arena, nowMs } = c.keyspace;
  const { group, log } = place;
  const consumer = consumerFor(c, group, 3, 1);
  const claimed: StreamId[] = [];
  const gone: StreamId[] = [];
  let address = group.pending.atOrAfter(from);
  let attempts = count * AUTOCLAIM_ATTEMPTS;
  while (attempts-- > 0 && address !== 0 && claimed.length + gone.length < count) {
    pendingId(arena, address, id);
    if (!log.has(id)) {
      gone.push(new StreamId().copy(id));
      forget(c, group, address);
      address = group.pending.atOrAfter(id);
      continue;
    }
    if (minIdle === 0 || nowMs - pendingTime(arena, address) >= minIdle) {
      group.deliver(address, nowMs, pendingCount(arena, address) + (justId ? 0 : 1));
      take(c, group, consumer, address);
      claimed.push(new StreamId().copy(id));
      writeClaim(c, 1, 2, group, address);
      c.keyspace.dirty++;
    }
    address = group.pending.next();
  }
  c.reply.array(3);
  replyId(c, address === 0 ? id.clear() : pendingId(arena, address, id));
  c.reply.array(claimed.length);
  for (const one of claimed) {
    if (justId) replyId(c, one);
    else replyEntryOf(c, log, one);
  }
  c.reply.array(gone.length);
  for (const one of gone) replyId(c, one);
}

// ---------------------------------------------------------------- specifications

const shared = { acl: ['stream'], since: '5.0.0' } as const;

export const streamClaimCommands = [
  command(
    'xautoclaim',
    'stream',
    {
      ...shared,
      arity: -6,
      flags: WRITE | FAST,
      keys: [keyAt(1, 'RW', 'delete')],
      tips: ['nondeterministic_output'],
      since: '6.2.0',
      complexity: 'O(1) when COUNT is small',
      summary: 'Gives a consumer what has been pending for others for long, page by page.',
      syntax: 'key:key group consumer min-idle-time start [COUNT count:integer] [JUSTID]',
      history: [['7.0.0', 'Returns the ids of entries that are gone, too.']],
    },
    xautoclaimCommand,
  ),
  command(
    'xclaim',
    'stream',
    {
      ...shared,
      arity: -6,
      flags: WRITE | FAST,
      keys: [keyAt(1, 'RW', 'update')],
      tips: ['nondeterministic_output'],
      complexity: 'O(log N) for each id, with N the pending entries of the group',
      summary: 'Gives pending entries to another consumer.',
      syntax:
        'key:key group consumer min-idle-time id... [IDLE ms:integer] ' +
        '[TIME unix-time-milliseconds:unix-time] [RETRYCOUNT count:integer] [FORCE] [JUSTID] ' +
        '[LASTID lastid]',
    },
    xclaimCommand,
  ),
];
