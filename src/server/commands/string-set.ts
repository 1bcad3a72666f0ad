/**
 * The commands that store whole strings: SET, SETNX, SETEX, PSETEX, GETSET, MSET, MSETNX.
 *
 * A time is propagated as a moment, so that it means the same wherever and whenever it is read:
 *
 *     SET k v EX 10 NX      SET k v PXAT 1700000010000
 *     SETEX k 10 v          SET k v PXAT 1700000010000
 *     SET k v XX GET        SET k v XX
 *     GETSET k v            SET k v
 */
import { stringSet } from '../../core/types/string.ts';
import { command, DENYOOM, FAST, keyAt, keysFrom, WRITE } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { wrongArity } from '../dispatch/errors.ts';
import { NOTIFY_GENERIC, NOTIFY_NEW, NOTIFY_STRING } from '../dispatch/notify-classes.ts';
import { OptionReader } from '../dispatch/option-reader.ts';
import { ANY_TIME, EX, ExpiryOption, KEEPTTL, PX } from './expiry-option.ts';
import { answerString } from './string-get.ts';

const NX = 1 << 8;
const XX = 1 << 9;
const GET = 1 << 10;

const options = new OptionReader();
const expiry = new ExpiryOption();

export function setCommand(c: Context): void {
  let flags = 0;
  if (c.argc > 3) {
    flags = setOptions(c);
    if (options.refuse(c.reply)) return;
    if ((flags & ANY_TIME) !== 0 && !expiry.resolve(c, flags)) return;
    if ((flags & GET) !== 0 && answerString(c, 1) < 0) return;
  }
  const stored = storeString(c, flags, 2);
  if ((flags & GET) !== 0) {
    if (stored && (flags & ANY_TIME) === 0) propagateWithoutGet(c);
  } else if (stored) c.ok();
  else c.reply.null();
}

function setOptions(c: Context): number {
  let flags = 0;
  options.start(c.args, 3);
  while (options.more) {
    const joined = expiry.take(options, flags);
    if (joined >= 0) flags = joined;
    else if (options.take('nx')) flags = options.join(flags, NX, XX);
    else if (options.take('xx')) flags = options.join(flags, XX, NX);
    else if (options.take('get')) flags |= GET;
    else if (options.take('keepttl')) flags = options.join(flags, KEEPTTL, ANY_TIME);
    else options.fail();
  }
  return flags;
}

function setnxCommand(c: Context): void {
  c.reply.integer(storeString(c, NX, 2) ? 1 : 0);
}

function setexCommand(c: Context): void {
  if (!expiry.resolveArgument(c, 2, EX)) return;
  storeString(c, EX, 3);
  c.ok();
}

function psetexCommand(c: Context): void {
  if (!expiry.resolveArgument(c, 2, PX)) return;
  storeString(c, PX, 3);
  c.ok();
}

function getsetCommand(c: Context): void {
  if (answerString(c, 1) < 0) return;
  put(c, 1, c.lookupWrite(1), 2, false);
  const { propagator } = c;
  if (propagator.begin(c.db.id, 3)) {
    propagator.word('SET');
    propagator.argument(c.args, 1);
    propagator.argument(c.args, 2);
  }
  propagator.suppress();
}

function msetCommand(c: Context): void {
  if (!hasPairs(c)) return;
  for (let i = 1, seen = 1; i < c.argc; i += 2) {
    seen = c.nextKey(i, seen, 2);
    put(c, i, c.lookupWrite(i), i + 1, false);
  }
  c.keysDone();
  c.ok();
}

function msetnxCommand(c: Context): void {
  if (!hasPairs(c)) return;
  for (let i = 1; i < c.argc; i += 2) {
    if (c.lookupWrite(i) === 0) continue;
    c.reply.integer(0);
    return;
  }
  for (let i = 1; i < c.argc; i += 2) put(c, i, c.lookupWrite(i), i + 1, false);
  c.reply.integer(1);
}

function hasPairs(c: Context): boolean {
  if (c.argc % 2 === 1) return true;
  c.reply.error(wrongArity(c.command.name));
  return false;
}

/**
 * Stores the string in argument `value` under the key in argument 1, as NX, XX, KEEPTTL and the
 * resolved time say. False when NX or XX forbade it.
 */
function storeString(c: Context, flags: number, value: number): boolean {
  const existing = c.lookupWrite(1);
  if ((flags & (existing === 0 ? XX : NX)) !== 0) return false;
  // An old time that is to be replaced is kept for the moment: changing it in place is cheaper.
  const address = put(c, 1, existing, value, (flags & (ANY_TIME | KEEPTTL)) !== 0);
  if ((flags & ANY_TIME) === 0) return true;
  c.keyspace.setExpiry(c.db, address, expiry.atMs);
  const { propagator } = c;
  if (propagator.begin(c.db.id, 5)) {
    propagator.word('SET');
    propagator.argument(c.args, 1);
    propagator.argument(c.args, value);
    propagator.word('PXAT');
    expiry.propagate(c);
  }
  propagator.suppress();
  c.notify(1, NOTIFY_GENERIC, 'expire');
  return true;
}

/** Stores argument `value` under the key in argument `key` and says so. Returns the address. */
function put(c: Context, key: number, existing: number, value: number, keep: boolean): number {
  const { bytes, offsets, lengths } = c.args;
  const address = stringSet(
    c.keyspace,
    c.db,
    bytes[key]!,
    offsets[key]!,
    lengths[key]!,
    existing,
    bytes[value]!,
    offsets[value]!,
    lengths[value]!,
    keep,
  );
  if (existing === 0) c.notify(key, NOTIFY_NEW, 'new');
  c.changed(key, NOTIFY_STRING, 'set');
  return address;
}

/** Propagates a SET without its GET, which may have been given several times. */
function propagateWithoutGet(c: Context): void {
  const { args, propagator } = c;
  let words = args.count;
  for (let i = 3; i < args.count; i++) if (args.is(i, 'get')) words--;
  if (propagator.begin(c.db.id, words)) {
    for (let i = 0; i < args.count; i++) {
      if (i < 3 || !args.is(i, 'get')) propagator.argument(args, i);
    }
  }
  propagator.suppress();
}

const pairSyntax = 'data={key:key value}...';

export const stringSetCommands = [
  command(
    'getset',
    'string',
    {
      arity: 3,
      flags: WRITE | DENYOOM | FAST,
      keys: [keyAt(1, 'RW', 'access', 'update')],
      acl: ['string'],
      since: '1.0.0',
      complexity: 'O(1)',
      summary: 'Stores a string and returns the one before it.',
      syntax: 'key:key value',
      deprecated: { since: '6.2.0', replacedBy: '`SET` with the `!GET` argument' },
    },
    getsetCommand,
  ),
  command(
    'mset',
    'string',
    {
      arity: -3,
      flags: WRITE | DENYOOM,
      keys: [keysFrom(1, -1, 2, 'OW', 'update')],
      acl: ['string'],
      tips: ['request_policy:multi_shard', 'response_policy:all_succeeded'],
      since: '1.0.1',
      complexity: 'O(N) with N the number of keys',
      summary: 'Stores several strings at once.',
      syntax: pairSyntax,
    },
    msetCommand,
  ),
  command(
    'msetnx',
    'string',
    {
      arity: -3,
      flags: WRITE | DENYOOM,
      keys: [keysFrom(1, -1, 2, 'OW', 'insert')],
      acl: ['string'],
      since: '1.0.1',
      complexity: 'O(N) with N the number of keys',
      summary: 'Stores several strings at once if none of the keys exists.',
      syntax: pairSyntax,
    },
    msetnxCommand,
  ),
  command(
    'psetex',
    'string',
    {
      arity: 4,
      flags: WRITE | DENYOOM,
      keys: [keyAt(1, 'OW', 'update')],
      acl: ['string'],
      since: '2.6.0',
      complexity: 'O(1)',
      deprecated: { since: '2.6.12', replacedBy: '`SET` with the `PX` argument' },
      summary: 'Stores a string that expires after some milliseconds.',
      syntax: 'key:key milliseconds:integer value',
    },
    psetexCommand,
  ),
  command(
    'set',
    'string',
    {
      arity: -3,
      flags: WRITE | DENYOOM,
      keys: [
        {
          ...keyAt(1, 'RW', 'access', 'update', 'variable_flags'),
          notes: 'RW and ACCESS due to the optional `GET` argument',
        },
      ],
      acl: ['string'],
      since: '1.0.0',
      complexity: 'O(1)',
      summary: 'Stores a string, perhaps on conditions and with an expiry.',
      syntax:
        'key:key value [condition=(NX|XX)@2.6.12] [GET@6.2.0] [expiration=(' +
        'EX seconds:integer@2.6.12|PX milliseconds:integer@2.6.12' +
        '|EXAT unix-time-seconds:unix-time@6.2.0|PXAT unix-time-milliseconds:unix-time@6.2.0' +
        '|KEEPTTL@6.0.0)]',
      history: [
        ['2.6.12', 'Added the `EX`, `PX`, `NX` and `XX` options.'],
        ['6.0.0', 'Added the `KEEPTTL` option.'],
        ['6.2.0', 'Added the `GET`, `EXAT` and `PXAT` option.'],
        ['7.0.0', 'Allowed the `NX` and `GET` options to be used together.'],
      ],
    },
    setCommand,
  ),
  command(
    'setex',
    'string',
    {
      arity: 4,
      flags: WRITE | DENYOOM,
      keys: [keyAt(1, 'OW', 'update')],
      acl: ['string'],
      since: '2.0.0',
      complexity: 'O(1)',
      deprecated: { since: '2.6.12', replacedBy: '`SET` with the `EX` argument' },
      summary: 'Stores a string that expires after some seconds.',
      syntax: 'key:key seconds:integer value',
    },
    setexCommand,
  ),
  command(
    'setnx',
    'string',
    {
      arity: 3,
      flags: WRITE | DENYOOM | FAST,
      keys: [keyAt(1, 'OW', 'insert')],
      acl: ['string'],
      since: '1.0.0',
      complexity: 'O(1)',
      deprecated: { since: '2.6.12', replacedBy: '`SET` with the `NX` argument' },
      summary: 'Stores a string if the key does not exist.',
      syntax: 'key:key value',
    },
    setnxCommand,
  ),
];
