/**
 * The commands that put elements into lists: LPUSH, RPUSH, LPUSHX, RPUSHX, LINSERT, LSET.
 */
import {
  listGrow,
  listInsert,
  listLength,
  listPush,
  listQuicklist,
  listSet,
  listShrink,
} from '../../core/types/list.ts';
import { ListCursor } from '../../core/types/list-cursor.ts';
import { TYPE_LIST } from '../../core/value.ts';
import { type Command, command, DENYOOM, FAST, keyAt, WRITE } from '../dispatch/command.ts';
import { type Context, WRONG } from '../dispatch/context.ts';
import { NO_SUCH_KEY, OUT_OF_RANGE, SYNTAX_ERROR } from '../dispatch/errors.ts';
import { NOTIFY_LIST } from '../dispatch/notify-classes.ts';
import { listForPush } from './list-shared.ts';

const cursor = new ListCursor();

function lpushCommand(c: Context): void {
  push(c, true, false);
}

function rpushCommand(c: Context): void {
  push(c, false, false);
}

function lpushxCommand(c: Context): void {
  push(c, true, true);
}

function rpushxCommand(c: Context): void {
  push(c, false, true);
}

function push(c: Context, atHead: boolean, onlyExisting: boolean): void {
  const { args, db, keyspace } = c;
  const { bytes, count, lengths, offsets } = args;
  const found = c.writeTyped(1, TYPE_LIST);
  if (found === WRONG) return;
  if (found === 0 && onlyExisting) {
    c.reply.integer(0);
    return;
  }
  const list = found === 0 ? null : listQuicklist(keyspace, found);
  if (list === null) {
    let total = 0;
    for (let i = 2; i < count; i++) total += lengths[i]!;
    let address = listForPush(c, 1, found, total, count - 2);
    for (let i = 2; i < count; i++) {
      address = listPush(keyspace, db, address, bytes[i]!, offsets[i]!, lengths[i]!, atHead);
    }
    c.reply.integer(listLength(keyspace, address));
  } else {
    for (let i = 2; i < count; i++) list.push(bytes[i]!, offsets[i]!, lengths[i]!, atHead);
    c.reply.integer(list.count);
  }
  keyspace.dirty += count - 3;
  c.changed(1, NOTIFY_LIST, atHead ? 'lpush' : 'rpush');
}

function linsertCommand(c: Context): void {
  const { args, db, keyspace } = c;
  const { bytes, lengths, offsets } = args;
  const behind = c.is(2, 'after');
  if (!behind && !c.is(2, 'before')) {
    c.reply.error(SYNTAX_ERROR);
    return;
  }
  const found = c.writeTyped(1, TYPE_LIST);
  if (found === WRONG) return;
  if (found === 0) {
    c.reply.integer(0);
    return;
  }
  const address = listGrow(keyspace, db, found, lengths[4]!, 1);
  const index = indexOf(c, address, 3);
  if (index < 0) {
    c.reply.integer(-1);
    return;
  }
  const at = listInsert(keyspace, db, address, index, behind, bytes[4]!, offsets[4]!, lengths[4]!);
  c.changed(1, NOTIFY_LIST, 'linsert');
  c.reply.integer(listLength(keyspace, at));
}

/** Index of the first element equal to argument `i`, -1 when there is none. */
function indexOf(c: Context, address: number, i: number): number {
  const { bytes, lengths, offsets } = c.args;
  cursor.start(c.keyspace, address, 0, true);
  for (let index = 0; cursor.next(); index++) {
    if (cursor.shows(bytes[i]!, offsets[i]!, lengths[i]!)) return index;
  }
  return -1;
}

function lsetCommand(c: Context): void {
  const { args, db, keyspace } = c;
  const { bytes, lengths, offsets } = args;
  const found = c.writeTyped(1, TYPE_LIST);
  if (found === WRONG) return;
  if (found === 0) {
    c.reply.error(NO_SUCH_KEY);
    return;
  }
  let index = c.integer(2);
  if (Number.isNaN(index)) return;
  const address = listGrow(keyspace, db, found, lengths[3]!, 1);
  const count = listLength(keyspace, address);
  if (index < 0) index += count;
  if (index < 0 || index >= count) {
    c.reply.error(OUT_OF_RANGE);
    return;
  }
  const at = listSet(keyspace, db, address, index, bytes[3]!, offsets[3]!, lengths[3]!);
  listShrink(keyspace, db, at);
  c.ok();
  c.changed(1, NOTIFY_LIST, 'lset');
}

const EACH_ADDED =
  'O(1) for each element added, so O(N) to add N elements when the command is ' +
  'called with multiple arguments.';

export const listPushCommands: readonly Command[] = [
  command(
    'linsert',
    'list',
    {
      arity: 5,
      flags: WRITE | DENYOOM,
      keys: [keyAt(1, 'RW', 'insert')],
      acl: ['list'],
      since: '2.2.0',
      complexity:
        'O(N) where N is the number of elements to traverse before seeing the value ' +
        'pivot. This means that inserting somewhere on the left end on the list (head) ' +
        'can be considered O(1) and inserting somewhere on the right end (tail) is ' +
        'O(N).',
      summary: 'Adds an element in front of another one or behind it.',
      syntax: 'key:key where=(BEFORE|AFTER) pivot element',
    },
    linsertCommand,
  ),
  command(
    'lpush',
    'list',
    {
      arity: -3,
      flags: WRITE | DENYOOM | FAST,
      keys: [keyAt(1, 'RW', 'insert')],
      acl: ['list'],
      since: '1.0.0',
      complexity: EACH_ADDED,
      summary: 'Adds elements at the head of a list, which is made if need be.',
      syntax: 'key:key element...',
      history: [['2.4.0', 'Several elements in one call.']],
    },
    lpushCommand,
  ),
  command(
    'lpushx',
    'list',
    {
      arity: -3,
      flags: WRITE | DENYOOM | FAST,
      keys: [keyAt(1, 'RW', 'insert')],
      acl: ['list'],
      since: '2.2.0',
      complexity: EACH_ADDED,
      summary: 'Adds elements at the head of a list that exists.',
      syntax: 'key:key element...',
      history: [['4.0.0', 'Several elements in one call.']],
    },
    lpushxCommand,
  ),
  command(
    'lset',
    'list',
    {
      arity: 4,
      flags: WRITE | DENYOOM,
      keys: [keyAt(1, 'RW', 'update')],
      acl: ['list'],
      since: '1.0.0',
      complexity:
        'O(N) where N is the length of the list. Setting either the first or the last ' +
        'element of the list is O(1).',
      summary: 'Replaces the element at an index.',
      syntax: 'key:key index:integer element',
    },
    lsetCommand,
  ),
  command(
    'rpush',
    'list',
    {
      arity: -3,
      flags: WRITE | DENYOOM | FAST,
      keys: [keyAt(1, 'RW', 'insert')],
      acl: ['list'],
      since: '1.0.0',
      complexity: EACH_ADDED,
      summary: 'Adds elements at the tail of a list, which is made if need be.',
      syntax: 'key:key element...',
      history: [['2.4.0', 'Several elements in one call.']],
    },
    rpushCommand,
  ),
  command(
    'rpushx',
    'list',
    {
      arity: -3,
      flags: WRITE | DENYOOM | FAST,
      keys: [keyAt(1, 'RW', 'insert')],
      acl: ['list'],
      since: '2.2.0',
      complexity: EACH_ADDED,
      summary: 'Adds elements at the tail of a list that exists.',
      syntax: 'key:key element...',
      history: [['4.0.0', 'Several elements in one call.']],
    },
    rpushxCommand,
  ),
];
