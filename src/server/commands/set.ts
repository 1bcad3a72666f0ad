/**
 * The commands on one set and its members: SADD, SREM, SMOVE, SISMEMBER, SMISMEMBER, SCARD,
 * SMEMBERS.
 */
import { lpEntryBytes } from '../../core/struct/listpack.ts';
import { isInt64Text } from '../../core/text/integer.ts';
import { replyListpack } from '../../core/types/listpack-reply.ts';
import {
  setAdd,
  setChange,
  setCreate,
  setHas,
  setLength,
  setRemove,
} from '../../core/types/set.ts';
import { setAddMany, setManyChange } from '../../core/types/set-many.ts';
import { SetCursor } from '../../core/types/set-view.ts';
import { ENC_LISTPACK, encodingOf, TYPE_SET, typeOf } from '../../core/value.ts';
import { command, DENYOOM, FAST, keyAt, READONLY, WRITE } from '../dispatch/command.ts';
import { type Context, WRONG } from '../dispatch/context.ts';
import { WRONG_TYPE } from '../dispatch/errors.ts';
import { NOTIFY_GENERIC, NOTIFY_NEW, NOTIFY_SET } from '../dispatch/notify-classes.ts';

/** From so many arguments on, members are added at once. */
const MANY_MIN = 10;

const cursor = new SetCursor();

function saddCommand(c: Context): void {
  const { args, db, keyspace } = c;
  const { bytes, count, lengths, offsets } = args;
  let address = c.writeTyped(1, TYPE_SET);
  if (address === WRONG) return;
  if (address === 0) address = create(c, 1, 2, count);
  let added = 0;
  if (count >= MANY_MIN) {
    setAddMany(keyspace, db, address, args, 2, count);
    ({ added } = setManyChange);
  } else {
    for (let i = 2; i < count; i++) {
      address = setAdd(keyspace, db, address, bytes[i]!, offsets[i]!, lengths[i]!);
      if (setChange.happened) added++;
    }
  }
  if (added > 0) {
    keyspace.dirty += added - 1;
    c.changed(1, NOTIFY_SET, 'sadd');
  }
  c.reply.integer(added);
}

/**
 * Adds the key in argument `key` with an empty set for the members in arguments `first` to `end`.
 */
function create(c: Context, key: number, first: number, end: number): number {
  const { bytes, lengths, offsets } = c.args;
  const { setMaxListpackEntries, setMaxListpackValue } = c.keyspace.limits;
  const isInteger = isInt64Text(bytes[first]!, offsets[first]!, lengths[first]!);
  const last = isInteger ? first : Math.min(end, first + setMaxListpackEntries);
  let room = 0;
  for (let i = first; i < last && lengths[i]! <= setMaxListpackValue; i++) {
    room += lpEntryBytes(bytes[i]!, offsets[i]!, lengths[i]!);
  }
  const address = setCreate(
    c.keyspace,
    c.db,
    bytes[key]!,
    offsets[key]!,
    lengths[key]!,
    bytes[first]!,
    offsets[first]!,
    lengths[first]!,
    room,
  );
  c.notify(key, NOTIFY_NEW, 'new');
  return address;
}

function sremCommand(c: Context): void {
  const { args, db, keyspace } = c;
  const { bytes, count, lengths, offsets } = args;
  let address = c.writeTyped(1, TYPE_SET);
  if (address === WRONG) return;
  let removed = 0;
  let emptied = false;
  for (let i = 2; i < count && address !== 0 && !emptied; i++) {
    address = setRemove(keyspace, db, address, bytes[i]!, offsets[i]!, lengths[i]!);
    if (!setChange.happened) continue;
    removed++;
    emptied = setLength(keyspace, address) === 0;
  }
  if (emptied) keyspace.remove(db, address);
  if (removed > 0) {
    keyspace.dirty += removed - 1;
    c.changed(1, NOTIFY_SET, 'srem');
    if (emptied) c.notify(1, NOTIFY_GENERIC, 'del');
  }
  c.reply.integer(removed);
}

function smoveCommand(c: Context): void {
  const { args, db, keyspace, reply } = c;
  const { arena } = keyspace;
  const { bytes, lengths, offsets } = args;
  const source = c.lookupWrite(1);
  const found = c.lookupWrite(2);
  if (source === 0) {
    reply.integer(0);
    return;
  }
  if (typeOf(arena, source) !== TYPE_SET || (found !== 0 && typeOf(arena, found) !== TYPE_SET)) {
    reply.error(WRONG_TYPE);
    return;
  }
  const member = bytes[3]!;
  const from = offsets[3]!;
  const length = lengths[3]!;
  if (source === found) {
    reply.integer(setHas(keyspace, source, member, from, length) ? 1 : 0);
    return;
  }
  const left = setRemove(keyspace, db, source, member, from, length);
  if (!setChange.happened) {
    reply.integer(0);
    return;
  }
  c.changed(1, NOTIFY_SET, 'srem');
  if (setLength(keyspace, left) === 0) {
    keyspace.remove(db, left);
    c.notify(1, NOTIFY_GENERIC, 'del');
  }
  const target = found === 0 ? create(c, 2, 3, 4) : found;
  setAdd(keyspace, db, target, member, from, length);
  if (setChange.happened) c.changed(2, NOTIFY_SET, 'sadd');
  reply.integer(1);
}

function sismemberCommand(c: Context): void {
  const address = c.readTyped(1, TYPE_SET);
  if (address !== WRONG) c.reply.integer(has(c, address, 2));
}

function smismemberCommand(c: Context): void {
  const { count } = c.args;
  const address = c.readTyped(1, TYPE_SET);
  if (address === WRONG) return;
  c.reply.array(count - 2);
  for (let i = 2; i < count; i++) c.reply.integer(has(c, address, i));
}

/** 1 when the set has the member in argument `i`, else 0. */
function has(c: Context, address: number, i: number): number {
  const { bytes, lengths, offsets } = c.args;
  if (address === 0) return 0;
  return setHas(c.keyspace, address, bytes[i]!, offsets[i]!, lengths[i]!) ? 1 : 0;
}

function scardCommand(c: Context): void {
  const address = c.readTyped(1, TYPE_SET);
  if (address !== WRONG) c.reply.integer(address === 0 ? 0 : setLength(c.keyspace, address));
}

function smembersCommand(c: Context): void {
  const { reply } = c;
  const address = c.readTyped(1, TYPE_SET);
  if (address === WRONG) return;
  if (address === 0) {
    reply.set(0);
    return;
  }
  cursor.start(c.keyspace, address);
  reply.set(cursor.count);
  if (encodingOf(c.keyspace.arena, address) === ENC_LISTPACK) {
    replyListpack(reply, c.keyspace, address);
    return;
  }
  while (cursor.next()) {
    const { bytes, length, offset } = cursor.member;
    reply.bulk(bytes, offset, length);
  }
}

export const setCommands = [
  command(
    'sadd',
    'set',
    {
      arity: -3,
      flags: WRITE | DENYOOM | FAST,
      keys: [keyAt(1, 'RW', 'insert')],
      acl: ['set'],
      since: '1.0.0',
      complexity:
        'O(1) for each element added, so O(N) to add N elements when the command is ' +
        'called with multiple arguments.',
      summary: 'Adds members to a set and tells how many are new.',
      syntax: 'key:key member...',
      history: [['2.4.0', 'Several members in one call.']],
    },
    saddCommand,
  ),
  command(
    'scard',
    'set',
    {
      arity: 2,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO')],
      acl: ['set'],
      since: '1.0.0',
      complexity: 'O(1)',
      summary: 'Counts the members of a set.',
      syntax: 'key:key',
    },
    scardCommand,
  ),
  command(
    'sismember',
    'set',
    {
      arity: 3,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO')],
      acl: ['set'],
      since: '1.0.0',
      complexity: 'O(1)',
      summary: 'Tells whether a set has a member.',
      syntax: 'key:key member',
    },
    sismemberCommand,
  ),
  command(
    'smembers',
    'set',
    {
      arity: 2,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['set'],
      tips: ['nondeterministic_output_order'],
      since: '1.0.0',
      complexity: 'O(N) where N is the set cardinality.',
      summary: 'Returns all members of a set.',
      syntax: 'key:key',
    },
    smembersCommand,
  ),
  command(
    'smismember',
    'set',
    {
      arity: -3,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['set'],
      since: '6.2.0',
      complexity: 'O(N) where N is the number of elements being checked for membership',
      summary: 'Tells for several members whether a set has them.',
      syntax: 'key:key member...',
    },
    smismemberCommand,
  ),
  command(
    'smove',
    'set',
    {
      arity: 4,
      flags: WRITE | FAST,
      keys: [keyAt(1, 'RW', 'access', 'delete'), keyAt(2, 'RW', 'insert')],
      acl: ['set'],
      since: '1.0.0',
      complexity: 'O(1)',
      summary: 'Moves a member from one set to another.',
      syntax: 'source:key destination:key member',
    },
    smoveCommand,
  ),
  command(
    'srem',
    'set',
    {
      arity: -3,
      flags: WRITE | FAST,
      keys: [keyAt(1, 'RW', 'delete')],
      acl: ['set'],
      since: '1.0.0',
      complexity: 'O(N) where N is the number of members to be removed.',
      summary: 'Removes members of a set; the key goes with the last one.',
      syntax: 'key:key member...',
      history: [['2.4.0', 'Several members in one call.']],
    },
    sremCommand,
  ),
];
