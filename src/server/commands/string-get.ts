/**
 * The commands that read whole strings: GET, GETDEL, GETEX, MGET, STRLEN.
 *
 * GETDEL and GETEX read before they change: the look-up counts as a hit or a miss, as GET's does.
 * GETEX is propagated as what it did: PEXPIREAT, PERSIST, or DEL when its moment has passed.
 */
import { EXPIRY_DELETE } from '../../core/keyspace.ts';
import { stringLength, stringView } from '../../core/types/string.ts';
import { ByteView, TYPE_STRING, typeOf } from '../../core/value.ts';
import { command, FAST, keyAt, keysFrom, READONLY, WRITE } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { NOTIFY_GENERIC } from '../dispatch/notify-classes.ts';
import { OptionReader } from '../dispatch/option-reader.ts';
import { ANY_TIME, EXAT, ExpiryOption, PERSIST, PXAT } from './expiry-option.ts';

const view = new ByteView();
const options = new OptionReader();
const expiry = new ExpiryOption();

/** Answers the string in argument `i`, or null. Its address, 0 when there is none, or WRONG. */
export function answerString(c: Context, i: number): number {
  const address = c.readString(i);
  if (address > 0) {
    stringView(c.keyspace, address, view);
    c.reply.bulk(view.bytes, view.offset, view.length);
  } else if (address === 0) c.reply.null();
  return address;
}

export function getCommand(c: Context): void {
  answerString(c, 1);
}

function mgetCommand(c: Context): void {
  const { keyspace, reply } = c;
  const count = c.argc;
  reply.array(count - 1);
  for (let i = 1, seen = 1; i < count; i++) {
    seen = c.nextKey(i, seen, 1);
    const address = c.lookupRead(i);
    if (address === 0 || typeOf(keyspace.arena, address) !== TYPE_STRING) {
      reply.null();
      continue;
    }
    stringView(keyspace, address, view);
    reply.bulk(view.bytes, view.offset, view.length);
  }
  c.keysDone();
}

export function strlenCommand(c: Context): void {
  const address = c.readString(1);
  if (address >= 0) c.reply.integer(address === 0 ? 0 : stringLength(c.keyspace, address));
}

function getdelCommand(c: Context): void {
  const address = answerString(c, 1);
  const lazy = c.services.config.values.lazyfreeLazyUserDel;
  if (address > 0) removeKey(c, address, lazy ? 'UNLINK' : 'DEL');
}

function getexCommand(c: Context): void {
  const { keyspace, propagator } = c;
  const flags = getexOptions(c);
  if (options.refuse(c.reply)) return;
  const address = c.readString(1);
  if (address <= 0) {
    if (address === 0) c.reply.null();
    return;
  }
  if ((flags & ANY_TIME) !== 0 && !expiry.resolve(c, flags)) return;
  stringView(keyspace, address, view);
  c.reply.bulk(view.bytes, view.offset, view.length);
  if ((flags & (EXAT | PXAT)) !== 0 && hasPassed(c, expiry.atMs)) {
    const lazy = c.services.config.values.lazyfreeLazyExpire;
    removeKey(c, address, lazy ? 'UNLINK' : 'DEL');
  } else if ((flags & ANY_TIME) !== 0) {
    keyspace.setExpiry(c.db, address, expiry.atMs);
    if (propagator.begin(c.db.id, 3)) {
      propagator.word('PEXPIREAT');
      propagator.argument(c.args, 1);
      expiry.propagate(c);
    }
    propagator.suppress();
    c.changed(1, NOTIFY_GENERIC, 'expire');
  } else if ((flags & PERSIST) !== 0 && keyspace.hasExpiry(address)) {
    keyspace.clearExpiry(c.db, address);
    propagateOnKey(c, 'PERSIST');
    c.changed(1, NOTIFY_GENERIC, 'persist');
  }
}

function getexOptions(c: Context): number {
  let flags = 0;
  options.start(c.args, 2);
  while (options.more) {
    const joined = expiry.take(options, flags);
    if (joined >= 0) flags = joined;
    else if (options.take('persist')) flags = options.join(flags, PERSIST, ANY_TIME);
    else options.fail();
  }
  return flags;
}

/** Whether a key with this moment is to be deleted instead: not on a replica, nor while loading. */
function hasPassed(c: Context, atMs: number): boolean {
  return atMs <= c.keyspace.nowMs && c.keyspace.expiryMode === EXPIRY_DELETE;
}

function removeKey(c: Context, address: number, word: string): void {
  c.keyspace.remove(c.db, address);
  propagateOnKey(c, word);
  c.changed(1, NOTIFY_GENERIC, 'del');
}

/** Propagates `word key` in place of the command itself. */
function propagateOnKey(c: Context, word: string): void {
  const { propagator } = c;
  if (propagator.begin(c.db.id, 2)) {
    propagator.word(word);
    propagator.argument(c.args, 1);
  }
  propagator.suppress();
}

export const stringGetCommands = [
  command(
    'get',
    'string',
    {
      arity: 2,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['string'],
      since: '1.0.0',
      complexity: 'O(1)',
      summary: 'Returns the string at a key.',
      syntax: 'key:key',
    },
    getCommand,
  ),
  command(
    'getdel',
    'string',
    {
      arity: 2,
      flags: WRITE | FAST,
      keys: [keyAt(1, 'RW', 'access', 'delete')],
      acl: ['string'],
      since: '6.2.0',
      complexity: 'O(1)',
      summary: 'Returns the string at a key and deletes the key.',
      syntax: 'key:key',
    },
    getdelCommand,
  ),
  command(
    'getex',
    'string',
    {
      arity: -2,
      flags: WRITE | FAST,
      keys: [
        {
          ...keyAt(1, 'RW', 'access', 'update'),
          notes: 'RW and UPDATE because it changes the TTL',
        },
      ],
      acl: ['string'],
      since: '6.2.0',
      complexity: 'O(1)',
      summary: 'Returns the string at a key and sets or removes its expiry.',
      syntax:
        'key:key [expiration=(EX seconds:integer|PX milliseconds:integer' +
        '|EXAT unix-time-seconds:unix-time|PXAT unix-time-milliseconds:unix-time|PERSIST)]',
    },
    getexCommand,
  ),
  command(
    'mget',
    'string',
    {
      arity: -2,
      flags: READONLY | FAST,
      keys: [keysFrom(1, -1, 1, 'RO', 'access')],
      acl: ['string'],
      tips: ['request_policy:multi_shard'],
      since: '1.0.0',
      complexity: 'O(N) with N the number of keys',
      summary: 'Returns the strings at several keys.',
      syntax: 'key:key...',
    },
    mgetCommand,
  ),
  command(
    'strlen',
    'string',
    {
      arity: 2,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO')],
      acl: ['string'],
      since: '2.2.0',
      complexity: 'O(1)',
      summary: 'Returns the length of the string at a key.',
      syntax: 'key:key',
    },
    strlenCommand,
  ),
];
