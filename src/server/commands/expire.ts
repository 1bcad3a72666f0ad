/**
 * Times to live: EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT, TTL, PTTL, EXPIRETIME, PEXPIRETIME, PERSIST.
 *
 * What is propagated is the moment, never the duration: EXPIRE k 10 NX becomes PEXPIREAT k <ms> NX.
 * A moment that has passed deletes the key, which is propagated as DEL, or UNLINK with
 * lazyfree-lazy-expire; a replica and a loading server keep such a key and wait to be told.
 *
 * Limits: moments are below 2^63 ms and refused beyond. They are kept as doubles, exact to the
 * millisecond up to 2^53 ms (the year 287,396) and rounded to the nearest double from there; what
 * is propagated is exact.
 */
import { EXPIRY_DELETE } from '../../core/keyspace.ts';
import { INT64_MAX, parseInt64, parseInteger } from '../../core/text/integer.ts';
import { command, FAST, keyAt, READONLY, WRITE } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { NOT_AN_INTEGER } from '../dispatch/errors.ts';
import { NOTIFY_GENERIC } from '../dispatch/notify-classes.ts';

const NX = 1 << 0;
const XX = 1 << 1;
const GT = 1 << 2;
const LT = 1 << 3;
const BAD_OPTION = -1;

/**
 * Times up to here stay exact as numbers, even as seconds that are made milliseconds and added to
 * now.
 */
const EXACT_TIME_MAX = 1e12;
const SECONDS_MAX = INT64_MAX / 1000n;

function expireCommand(c: Context): void {
  expire(c, c.keyspace.nowMs, 1000);
}

function pexpireCommand(c: Context): void {
  expire(c, c.keyspace.nowMs, 1);
}

function expireatCommand(c: Context): void {
  expire(c, 0, 1000);
}

function pexpireatCommand(c: Context): void {
  expire(c, 0, 1);
}

/** `baseMs` is what the time counts from, `scale` the milliseconds of its unit. */
function expire(c: Context, baseMs: number, scale: number): void {
  const { db, keyspace, reply } = c;
  const flags = readConditions(c);
  if (flags === BAD_OPTION) return;
  const atMs = readMoment(c, baseMs, scale);
  if (Number.isNaN(atMs)) return;
  const address = c.lookupWrite(1);
  if (address === 0 || (flags !== 0 && !isMet(c, address, flags, atMs))) {
    reply.integer(0);
    return;
  }
  if (atMs <= keyspace.nowMs && keyspace.expiryMode === EXPIRY_DELETE) {
    keyspace.remove(db, address);
    propagateDeletion(c);
    c.changed(1, NOTIFY_GENERIC, 'del');
  } else {
    keyspace.setExpiry(db, address, atMs);
    propagateMoment(c, atMs, baseMs, scale);
    c.changed(1, NOTIFY_GENERIC, 'expire');
  }
  reply.integer(1);
}

/** NX, XX, GT and LT as flags, or BAD_OPTION when an error has been answered. */
function readConditions(c: Context): number {
  const { args, reply } = c;
  let flags = 0;
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, 'nx')) flags |= NX;
    else if (args.is(i, 'xx')) flags |= XX;
    else if (args.is(i, 'gt')) flags |= GT;
    else if (args.is(i, 'lt')) flags |= LT;
    else {
      reply.error(`ERR Unsupported option ${args.shown(i)}`);
      return BAD_OPTION;
    }
  }
  if ((flags & NX) !== 0 && flags !== NX) {
    reply.error('ERR NX and XX, GT or LT options at the same time are not compatible');
    return BAD_OPTION;
  }
  if ((flags & GT) !== 0 && (flags & LT) !== 0) {
    reply.error('ERR GT and LT options at the same time are not compatible');
    return BAD_OPTION;
  }
  return flags;
}

/** The moment that argument 2 means, in ms since 1970, NaN when an error has been answered. */
function readMoment(c: Context, baseMs: number, scale: number): number {
  const { args, reply } = c;
  const value = parseInteger(args.bytes[2]!, args.offsets[2]!, args.lengths[2]!);
  if (value >= -EXACT_TIME_MAX && value <= EXACT_TIME_MAX) return value * scale + baseMs;
  const exact = exactMoment(c, baseMs, scale);
  if (exact !== undefined) return Number(exact);
  if (Number.isNaN(value)) reply.error(NOT_AN_INTEGER);
  else reply.error(`ERR invalid expire time in '${c.command.name}' command`);
  return Number.NaN;
}

/** The moment that argument 2 means, exactly, or undefined when it means none. */
function exactMoment(c: Context, baseMs: number, scale: number): bigint | undefined {
  const { args } = c;
  const value = parseInt64(args.bytes[2]!, args.offsets[2]!, args.lengths[2]!);
  if (value === undefined) return undefined;
  if (scale === 1000 && (value > SECONDS_MAX || value < -SECONDS_MAX)) return undefined;
  const moment = value * BigInt(scale) + BigInt(baseMs);
  return moment > INT64_MAX ? undefined : moment;
}

/**
 * Whether the conditions let the key expire at `atMs`. No expiry counts as one beyond all others.
 */
function isMet(c: Context, address: number, flags: number, atMs: number): boolean {
  const { db, keyspace } = c;
  const expires = keyspace.hasExpiry(address);
  if ((flags & NX) !== 0 && expires) return false;
  if ((flags & XX) !== 0 && !expires) return false;
  const present = expires ? keyspace.expiryOf(db, address) : Number.POSITIVE_INFINITY;
  if ((flags & GT) !== 0 && atMs <= present) return false;
  return (flags & LT) === 0 || atMs < present;
}

function propagateDeletion(c: Context): void {
  const { propagator } = c;
  const lazy = c.services.config.values.lazyfreeLazyExpire;
  if (propagator.begin(c.db.id, 2)) {
    propagator.word(lazy ? 'UNLINK' : 'DEL');
    propagator.argument(c.args, 1);
  }
  propagator.suppress();
}

/** Propagates the command as PEXPIREAT, its conditions behind it. */
function propagateMoment(c: Context, atMs: number, baseMs: number, scale: number): void {
  const { args, propagator } = c;
  if (scale === 1 && baseMs === 0) return;
  if (propagator.begin(c.db.id, args.count)) {
    propagator.word('PEXPIREAT');
    propagator.argument(args, 1);
    if (Number.isSafeInteger(atMs)) propagator.number(atMs);
    else propagator.word(`${exactMoment(c, baseMs, scale)}`);
    for (let i = 3; i < args.count; i++) propagator.argument(args, i);
  }
  propagator.suppress();
}

function ttlCommand(c: Context): void {
  replyTime(c, true, 1000);
}

function pttlCommand(c: Context): void {
  replyTime(c, true, 1);
}

function expiretimeCommand(c: Context): void {
  replyTime(c, false, 1000);
}

function pexpiretimeCommand(c: Context): void {
  replyTime(c, false, 1);
}

/** Answers when the key expires, or how long that is from now, -1 for never, -2 for no key. */
function replyTime(c: Context, fromNow: boolean, scale: number): void {
  const { db, keyspace, reply } = c;
  const address = c.inspect(1);
  if (address === 0 || !keyspace.hasExpiry(address)) {
    reply.integer(address === 0 ? -2 : -1);
    return;
  }
  const atMs = keyspace.expiryOf(db, address);
  const time = Math.max(0, fromNow ? atMs - keyspace.nowMs : atMs);
  const rounded = scale === 1 ? time : Math.floor((time + 500) / 1000);
  if (Number.isSafeInteger(rounded)) reply.integer(rounded);
  else reply.bigint(BigInt(rounded) > INT64_MAX ? INT64_MAX : BigInt(rounded));
}

function persistCommand(c: Context): void {
  const { keyspace } = c;
  const address = c.lookupWrite(1);
  if (address === 0 || !keyspace.hasExpiry(address)) {
    c.reply.integer(0);
    return;
  }
  keyspace.clearExpiry(c.db, address);
  c.changed(1, NOTIFY_GENERIC, 'persist');
  c.reply.integer(1);
}

const CONDITIONS = '[condition=(NX|XX|GT|LT)@7.0.0]';
const CONDITIONS_ADDED = ['7.0.0', 'Added options: `NX`, `XX`, `GT` and `LT`.'] as const;
const MINUS_TWO_ADDED = ['2.8.0', 'Added the -2 reply.'] as const;

const setter = {
  arity: -3,
  flags: WRITE | FAST,
  keys: [keyAt(1, 'RW', 'update')],
  acl: ['keyspace'],
  complexity: 'O(log N) with N the number of keys that expire',
  history: [CONDITIONS_ADDED],
};

const getter = {
  arity: 2,
  flags: READONLY | FAST,
  keys: [keyAt(1, 'RO', 'access')],
  acl: ['keyspace'],
  complexity: 'O(1)',
  syntax: 'key:key',
};

export const expireCommands = [
  command(
    'expire',
    'generic',
    {
      ...setter,
      since: '1.0.0',
      summary: 'Lets a key expire after some seconds.',
      syntax: `key:key seconds:integer ${CONDITIONS}`,
    },
    expireCommand,
  ),
  command(
    'pexpire',
    'generic',
    {
      ...setter,
      since: '2.6.0',
      summary: 'Lets a key expire after some milliseconds.',
      syntax: `key:key milliseconds:integer ${CONDITIONS}`,
    },
    pexpireCommand,
  ),
  command(
    'expireat',
    'generic',
    {
      ...setter,
      since: '1.2.0',
      summary: 'Lets a key expire at a moment, in seconds since 1970.',
      syntax: `key:key unix-time-seconds:unix-time ${CONDITIONS}`,
    },
    expireatCommand,
  ),
  command(
    'pexpireat',
    'generic',
    {
      ...setter,
      since: '2.6.0',
      summary: 'Lets a key expire at a moment, in milliseconds since 1970.',
      syntax: `key:key unix-time-milliseconds:unix-time ${CONDITIONS}`,
    },
    pexpireatCommand,
  ),
  command(
    'ttl',
    'generic',
    {
      ...getter,
      tips: ['nondeterministic_output'],
      since: '1.0.0',
      summary: 'Returns how many seconds a key has left to live.',
      history: [MINUS_TWO_ADDED],
    },
    ttlCommand,
  ),
  command(
    'pttl',
    'generic',
    {
      ...getter,
      tips: ['nondeterministic_output'],
      since: '2.6.0',
      summary: 'Returns how many milliseconds a key has left to live.',
      history: [MINUS_TWO_ADDED],
    },
    pttlCommand,
  ),
  command(
    'expiretime',
    'generic',
    {
      ...getter,
      since: '7.0.0',
      summary: 'Returns the moment when a key expires, in seconds since 1970.',
    },
    expiretimeCommand,
  ),
  command(
    'pexpiretime',
    'generic',
    {
      ...getter,
      since: '7.0.0',
      summary: 'Returns the moment when a key expires, in milliseconds since 1970.',
    },
    pexpiretimeCommand,
  ),
  command(
    'persist',
    'generic',
    {
      arity: 2,
      flags: WRITE | FAST,
      keys: [keyAt(1, 'RW', 'update')],
      acl: ['keyspace'],
      complexity: 'O(log N) with N the number of keys that expire',
      since: '2.2.0',
      summary: 'Takes the expiry from a key.',
      syntax: 'key:key',
    },
    persistCommand,
  ),
];
