/**
 * The commands on single fields of hashes: HSET, HSETNX, HMSET, HGET, HMGET, HDEL, HEXISTS, HLEN,
 * HSTRLEN.
 *
 * HSET with numbers of a key's fields is what hashes are used for: nothing here allocates.
 */
import { lpEntryBytes } from '../../core/struct/listpack.ts';
import { ElementView } from '../../core/types/element-view.ts';
import {
  hashChange,
  hashCreate,
  hashDelete,
  hashFind,
  hashGet,
  hashLength,
  hashSet,
} from '../../core/types/hash.ts';
import { TYPE_HASH } from '../../core/value.ts';
import { command, DENYOOM, FAST, keyAt, READONLY, WRITE } from '../dispatch/command.ts';
import { type Context, WRONG } from '../dispatch/context.ts';
import { wrongArity } from '../dispatch/errors.ts';
import { NOTIFY_GENERIC, NOTIFY_HASH, NOTIFY_NEW } from '../dispatch/notify-classes.ts';

const view = new ElementView();

function hsetCommand(c: Context): void {
  const added = setPairs(c);
  if (added < 0) return;
  c.reply.integer(added);
  c.changed(1, NOTIFY_HASH, 'hset');
}

function hmsetCommand(c: Context): void {
  if (setPairs(c) < 0) return;
  c.ok();
  c.changed(1, NOTIFY_HASH, 'hset');
}

/** Sets the pairs from argument 2 on and counts all but one as changes. How many are new, or -1. */
function setPairs(c: Context): number {
  const { args, db, keyspace } = c;
  const { bytes, count, lengths, offsets } = args;
  if (count % 2 !== 0) {
    c.reply.error(wrongArity(c.command.name));
    return -1;
  }
  let address = c.writeTyped(1, TYPE_HASH);
  if (address === WRONG) return -1;
  if (address === 0) address = create(c);
  let added = 0;
  for (let i = 2; i < count; i += 2) {
    address = hashSet(
      keyspace,
      db,
      address,
      bytes[i]!,
      offsets[i]!,
      lengths[i]!,
      bytes[i + 1]!,
      offsets[i + 1]!,
      lengths[i + 1]!,
    );
    if (hashChange.happened) added++;
  }
  keyspace.dirty += (count - 2) / 2 - 1;
  return added;
}

/** Adds the key in argument 1 with an empty hash that has room for the arguments from 2 on. */
function create(c: Context): number {
  const { bytes, count, lengths, offsets } = c.args;
  const longest = c.keyspace.limits.hashMaxListpackValue;
  let room = 0;
  for (let i = 2; i < count && lengths[i]! <= longest; i++) {
    room += lpEntryBytes(bytes[i]!, offsets[i]!, lengths[i]!);
  }
  return createHash(c, room);
}

/** Adds the key in argument 1 with an empty hash, and says so. Returns its address. */
export function createHash(c: Context, room: number): number {
  const { bytes, lengths, offsets } = c.args;
  const address = hashCreate(c.keyspace, c.db, bytes[1]!, offsets[1]!, lengths[1]!, room);
  c.notify(1, NOTIFY_NEW, 'new');
  return address;
}

function hsetnxCommand(c: Context): void {
  const { bytes, lengths, offsets } = c.args;
  const { db, keyspace } = c;
  const found = c.writeTyped(1, TYPE_HASH);
  if (found === WRONG) return;
  if (found !== 0 && hashFind(keyspace, found, bytes[2]!, offsets[2]!, lengths[2]!) !== 0) {
    c.reply.integer(0);
    return;
  }
  const address = found === 0 ? create(c) : found;
  hashSet(
    keyspace,
    db,
    address,
    bytes[2]!,
    offsets[2]!,
    lengths[2]!,
    bytes[3]!,
    offsets[3]!,
    lengths[3]!,
  );
  c.reply.integer(1);
  c.changed(1, NOTIFY_HASH, 'hset');
}

function hgetCommand(c: Context): void {
  const address = c.readTyped(1, TYPE_HASH);
  if (address !== WRONG) replyField(c, address, 2);
}

function hmgetCommand(c: Context): void {
  const { count } = c.args;
  const address = c.readTyped(1, TYPE_HASH);
  if (address === WRONG) return;
  c.reply.array(count - 2);
  for (let i = 2; i < count; i++) replyField(c, address, i);
}

/** Answers the value of the field in argument `i`, or null. */
function replyField(c: Context, address: number, i: number): void {
  const { bytes, lengths, offsets } = c.args;
  if (address !== 0 && hashGet(c.keyspace, address, bytes[i]!, offsets[i]!, lengths[i]!, view)) {
    c.reply.bulk(view.bytes, view.offset, view.length);
  } else c.reply.null();
}

function hdelCommand(c: Context): void {
  const { args, db, keyspace } = c;
  const { bytes, count, lengths, offsets } = args;
  let address = c.writeTyped(1, TYPE_HASH);
  if (address === WRONG) return;
  let removed = 0;
  let emptied = false;
  for (let i = 2; i < count && address !== 0 && !emptied; i++) {
    address = hashDelete(keyspace, db, address, bytes[i]!, offsets[i]!, lengths[i]!);
    if (!hashChange.happened) continue;
    removed++;
    emptied = hashLength(keyspace, address) === 0;
  }
  if (emptied) keyspace.remove(db, address);
  if (removed > 0) {
    keyspace.dirty += removed - 1;
    c.changed(1, NOTIFY_HASH, 'hdel');
    if (emptied) c.notify(1, NOTIFY_GENERIC, 'del');
  }
  c.reply.integer(removed);
}

function hexistsCommand(c: Context): void {
  const { bytes, lengths, offsets } = c.args;
  const address = c.readTyped(1, TYPE_HASH);
  if (address === WRONG) return;
  const found =
    address !== 0 && hashFind(c.keyspace, address, bytes[2]!, offsets[2]!, lengths[2]!) !== 0;
  c.reply.integer(found ? 1 : 0);
}

function hlenCommand(c: Context): void {
  const address = c.readTyped(1, TYPE_HASH);
  if (address !== WRONG) c.reply.integer(address === 0 ? 0 : hashLength(c.keyspace, address));
}

function hstrlenCommand(c: Context): void {
  const { bytes, lengths, offsets } = c.args;
  const address = c.readTyped(1, TYPE_HASH);
  if (address === WRONG) return;
  const found =
    address !== 0 && hashGet(c.keyspace, address, bytes[2]!, offsets[2]!, lengths[2]!, view);
  c.reply.integer(found ? view.length : 0);
}

export const hashCommands = [
  command(
    'hdel',
    'hash',
    {
      arity: -3,
      flags: WRITE | FAST,
      keys: [keyAt(1, 'RW', 'delete')],
      acl: ['hash'],
      since: '2.0.0',
      complexity: 'O(N) where N is the number of fields to be removed.',
      summary: 'Removes fields of a hash; the key goes with the last one.',
      syntax: 'key:key field...',
      history: [['2.4.0', 'Several fields in one call.']],
    },
    hdelCommand,
  ),
  command(
    'hexists',
    'hash',
    {
      arity: 3,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO')],
      acl: ['hash'],
      since: '2.0.0',
      complexity: 'O(1)',
      summary: 'Tells whether a hash has a field.',
      syntax: 'key:key field',
    },
    hexistsCommand,
  ),
  command(
    'hget',
    'hash',
    {
      arity: 3,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['hash'],
      since: '2.0.0',
      complexity: 'O(1)',
      summary: 'Returns the value of a field of a hash.',
      syntax: 'key:key field',
    },
    hgetCommand,
  ),
  command(
    'hlen',
    'hash',
    {
      arity: 2,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO')],
      acl: ['hash'],
      since: '2.0.0',
      complexity: 'O(1)',
      summary: 'Counts the fields of a hash.',
      syntax: 'key:key',
    },
    hlenCommand,
  ),
  command(
    'hmget',
    'hash',
    {
      arity: -3,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['hash'],
      since: '2.0.0',
      complexity: 'O(N) where N is the number of fields being requested.',
      summary: 'Returns the values of several fields of a hash.',
      syntax: 'key:key field...',
    },
    hmgetCommand,
  ),
  command(
    'hmset',
    'hash',
    {
      arity: -4,
      flags: WRITE | DENYOOM | FAST,
      keys: [keyAt(1, 'RW', 'update')],
      acl: ['hash'],
      since: '2.0.0',
      complexity: 'O(N) where N is the number of fields being set.',
      summary: 'Sets several fields of a hash.',
      deprecated: { since: '4.0.0', replacedBy: '`HSET` with multiple field-value pairs' },
      syntax: 'key:key data={field value}...',
    },
    hmsetCommand,
  ),
  command(
    'hset',
    'hash',
    {
      arity: -4,
      flags: WRITE | DENYOOM | FAST,
      keys: [keyAt(1, 'RW', 'update')],
      acl: ['hash'],
      since: '2.0.0',
      complexity:
        'O(1) for each field/value pair added, so O(N) to add N field/value pairs when ' +
        'the command is called with multiple field/value pairs.',
      summary: 'Sets fields of a hash and tells how many are new.',
      syntax: 'key:key data={field value}...',
      history: [['4.0.0', 'Several fields in one call.']],
    },
    hsetCommand,
  ),
  command(
    'hsetnx',
    'hash',
    {
      arity: 4,
      flags: WRITE | DENYOOM | FAST,
      keys: [keyAt(1, 'RW', 'insert')],
      acl: ['hash'],
      since: '2.0.0',
      complexity: 'O(1)',
      summary: 'Sets a field of a hash only if it has none of that name.',
      syntax: 'key:key field value',
    },
    hsetnxCommand,
  ),
  command(
    'hstrlen',
    'hash',
    {
      arity: 3,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO')],
      acl: ['hash'],
      since: '3.2.0',
      complexity: 'O(1)',
      summary: 'Returns the length of the value of a field of a hash.',
      syntax: 'key:key field',
    },
    hstrlenCommand,
  ),
];
