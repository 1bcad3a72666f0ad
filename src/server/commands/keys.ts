/**
 * The commands on keys whatever they hold: DEL, UNLINK, EXISTS, TYPE, TOUCH, RENAME, RENAMENX,
 * COPY, MOVE.
 *
 * Deleting never waits for a large value: the key goes at once and its elements are freed in
 * slices. So DEL and UNLINK differ in name only, and in what the AOF and the replicas read.
 *
 * A key that takes a new place (RENAME, COPY, MOVE) takes its time to live along.
 */
import type { Database } from '../../core/database.ts';
import { typeName } from '../../core/value.ts';
import { command, DENYOOM, FAST, keyAt, keysFrom, READONLY, WRITE } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { NO_SUCH_KEY, SAME_OBJECT, SYNTAX_ERROR } from '../dispatch/errors.ts';
import { NOTIFY_GENERIC, NOTIFY_NEW } from '../dispatch/notify-classes.ts';
import { databaseAt } from './database-number.ts';

function delCommand(c: Context): void {
  const { args, db, keyspace } = c;
  let removed = 0;
  for (let i = 1, seen = 1; i < args.count; i++) {
    seen = c.nextKey(i, seen, 1);
    if (!keyspace.removeKey(db, args.bytes[i]!, args.offsets[i]!, args.lengths[i]!)) continue;
    c.changed(i, NOTIFY_GENERIC, 'del');
    removed++;
  }
  c.keysDone();
  c.reply.integer(removed);
}

function existsCommand(c: Context): void {
  let found = 0;
  for (let i = 1, seen = 1; i < c.argc; i++) {
    seen = c.nextKey(i, seen, 1);
    if (c.inspect(i) !== 0) found++;
  }
  c.keysDone();
  c.reply.integer(found);
}

function touchCommand(c: Context): void {
  let found = 0;
  for (let i = 1, seen = 1; i < c.argc; i++) {
    seen = c.nextKey(i, seen, 1);
    if (c.lookupRead(i) !== 0) found++;
  }
  c.keysDone();
  c.reply.integer(found);
}

function typeCommand(c: Context): void {
  const address = c.inspect(1);
  c.reply.simple(address === 0 ? 'none' : typeName(c.keyspace.arena, address));
}

function renameCommand(c: Context): void {
  rename(c, false);
}

function renamenxCommand(c: Context): void {
  rename(c, true);
}

function rename(c: Context, onlyNew: boolean): void {
  const { args, db, keyspace, reply } = c;
  const address = c.lookupWrite(1);
  if (address === 0) {
    reply.error(NO_SUCH_KEY);
    return;
  }
  if (sameArgument(c, 1, 2)) {
    if (onlyNew) reply.integer(0);
    else c.ok();
    return;
  }
  const existing = c.lookupWrite(2);
  if (existing !== 0) {
    if (onlyNew) {
      reply.integer(0);
      return;
    }
    keyspace.remove(db, existing);
  }
  keyspace.rename(db, address, db, args.bytes[2]!, args.offsets[2]!, args.lengths[2]!);
  announce(c, db, 2, NOTIFY_NEW, 'new');
  c.changed(1, NOTIFY_GENERIC, 'rename_from');
  keyChanged(c, db, 2);
  announce(c, db, 2, NOTIFY_GENERIC, 'rename_to');
  if (onlyNew) reply.integer(1);
  else c.ok();
}

function copyCommand(c: Context): void {
  const { args, keyspace, reply } = c;
  let to = c.db;
  let replace = false;
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, 'replace')) replace = true;
    else if (args.is(i, 'db') && i + 1 < args.count) {
      const found = databaseAt(c, ++i);
      if (found === null) return;
      to = found;
    } else {
      reply.error(SYNTAX_ERROR);
      return;
    }
  }
  if (to === c.db && sameArgument(c, 1, 2)) {
    reply.error(SAME_OBJECT);
    return;
  }
  const source = c.lookupRead(1);
  if (source === 0) {
    reply.integer(0);
    return;
  }
  const existing = find(c, to, 2);
  if (existing !== 0) {
    if (!replace) {
      reply.integer(0);
      return;
    }
    keyspace.remove(to, existing);
  }
  keyspace.copy(c.db, source, to, args.bytes[2]!, args.offsets[2]!, args.lengths[2]!);
  announce(c, to, 2, NOTIFY_NEW, 'new');
  keyChanged(c, to, 2);
  announce(c, to, 2, NOTIFY_GENERIC, 'copy_to');
  keyspace.dirty++;
  reply.integer(1);
}

function moveCommand(c: Context): void {
  const { args, db, keyspace, reply } = c;
  const to = databaseAt(c, 2);
  if (to === null) return;
  if (to === db) {
    reply.error(SAME_OBJECT);
    return;
  }
  const address = c.lookupWrite(1);
  if (address === 0 || find(c, to, 1) !== 0) {
    reply.integer(0);
    return;
  }
  keyspace.rename(db, address, to, args.bytes[1]!, args.offsets[1]!, args.lengths[1]!);
  announce(c, to, 1, NOTIFY_NEW, 'new');
  c.changed(1, NOTIFY_GENERIC, 'move_from');
  keyChanged(c, to, 1);
  announce(c, to, 1, NOTIFY_GENERIC, 'move_to');
  reply.integer(1);
}

/** Address of the key in argument `i` in any database, for changing it. */
function find(c: Context, db: Database, i: number): number {
  const { args } = c;
  return c.keyspace.lookupWrite(db, args.bytes[i]!, args.offsets[i]!, args.lengths[i]!);
}

/** The key in argument `i` of `db` was changed; for keys besides the one that `changed` counts. */
function keyChanged(c: Context, db: Database, i: number): void {
  const { args } = c;
  c.services.keyChanged(db, args.bytes[i]!, args.offsets[i]!, args.lengths[i]!);
}

/** Like `Context.notify`, for a key of any database. */
function announce(c: Context, db: Database, i: number, eventClass: number, event: string): void {
  const { args, services } = c;
  if ((services.notifyClasses & eventClass) === 0) return;
  const bytes = args.bytes[i]!;
  services.notifyKey(db.id, bytes, args.offsets[i]!, args.lengths[i]!, eventClass, event);
}

function sameArgument(c: Context, i: number, k: number): boolean {
  const { args } = c;
  const length = args.lengths[i]!;
  if (length !== args.lengths[k]) return false;
  const first = args.bytes[i]!;
  const second = args.bytes[k]!;
  for (let n = 0; n < length; n++) {
    if (first[args.offsets[i]! + n] !== second[args.offsets[k]! + n]) return false;
  }
  return true;
}

const EVERY_KEY_TIPS = ['request_policy:multi_shard', 'response_policy:agg_sum'];

export const keysCommands = [
  command(
    'del',
    'generic',
    {
      arity: -2,
      flags: WRITE,
      keys: [keysFrom(1, -1, 1, 'RM', 'delete')],
      acl: ['keyspace'],
      tips: EVERY_KEY_TIPS,
      since: '1.0.0',
      complexity: 'O(N) with N the number of keys; large values are freed afterwards, in slices',
      summary: 'Deletes keys.',
      syntax: 'key:key...',
    },
    delCommand,
  ),
  command(
    'unlink',
    'generic',
    {
      arity: -2,
      flags: WRITE | FAST,
      keys: [keysFrom(1, -1, 1, 'RM', 'delete')],
      acl: ['keyspace'],
      tips: EVERY_KEY_TIPS,
      since: '4.0.0',
      complexity: 'O(N) with N the number of keys; large values are freed afterwards, in slices',
      summary: 'Deletes keys without waiting for their memory.',
      syntax: 'key:key...',
    },
    delCommand,
  ),
  command(
    'exists',
    'generic',
    {
      arity: -2,
      flags: READONLY | FAST,
      keys: [keysFrom(1, -1, 1, 'RO')],
      acl: ['keyspace'],
      tips: EVERY_KEY_TIPS,
      since: '1.0.0',
      complexity: 'O(N) with N the number of keys',
      summary: 'Counts how many of the named keys exist.',
      history: [['3.0.3', 'Accepts multiple `key` arguments.']],
      syntax: 'key:key...',
    },
    existsCommand,
  ),
  command(
    'touch',
    'generic',
    {
      arity: -2,
      flags: READONLY | FAST,
      keys: [keysFrom(1, -1, 1, 'RO')],
      acl: ['keyspace'],
      tips: EVERY_KEY_TIPS,
      since: '3.2.1',
      complexity: 'O(N) with N the number of keys',
      summary: 'Notes a use of the named keys and counts those that exist.',
      syntax: 'key:key...',
    },
    touchCommand,
  ),
  command(
    'type',
    'generic',
    {
      arity: 2,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO')],
      acl: ['keyspace'],
      since: '1.0.0',
      complexity: 'O(1)',
      summary: 'Names the type of the value at a key.',
      syntax: 'key:key',
    },
    typeCommand,
  ),
  command(
    'rename',
    'generic',
    {
      arity: 3,
      flags: WRITE,
      keys: [keyAt(1, 'RW', 'access', 'delete'), keyAt(2, 'OW', 'update')],
      acl: ['keyspace'],
      since: '1.0.0',
      complexity: 'O(1)',
      summary: 'Gives a key another name, replacing what is there.',
      syntax: 'key:key newkey:key',
    },
    renameCommand,
  ),
  command(
    'renamenx',
    'generic',
    {
      arity: 3,
      flags: WRITE | FAST,
      keys: [keyAt(1, 'RW', 'access', 'delete'), keyAt(2, 'OW', 'insert')],
      acl: ['keyspace'],
      since: '1.0.0',
      complexity: 'O(1)',
      summary: 'Gives a key another name unless that one is taken.',
      history: [
        [
          '3.2.0',
          'The command no longer returns an error when source and destination names are the same.',
        ],
      ],
      syntax: 'key:key newkey:key',
    },
    renamenxCommand,
  ),
  command(
    'copy',
    'generic',
    {
      arity: -3,
      flags: WRITE | DENYOOM,
      keys: [keyAt(1, 'RO', 'access'), keyAt(2, 'OW', 'update')],
      acl: ['keyspace'],
      since: '6.2.0',
      complexity: 'O(N) with N the size of the value',
      summary: 'Copies a value to another key.',
      syntax: 'source:key destination:key [DB destination-db:integer] [REPLACE]',
    },
    copyCommand,
  ),
  command(
    'move',
    'generic',
    {
      arity: 3,
      flags: WRITE | FAST,
      keys: [keyAt(1, 'RW', 'access', 'update')],
      acl: ['keyspace'],
      since: '1.0.0',
      complexity: 'O(1)',
      summary: 'Moves a key to another database.',
      syntax: 'key:key db:integer',
    },
    moveCommand,
  ),
];
