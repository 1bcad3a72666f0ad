/**
 * The commands that take elements from the ends of lists: LPOP, RPOP, LMPOP, LMOVE, RPOPLPUSH.
 * Those that wait for elements are in list-blocking.ts.
 */
import { copyBytes } from '../../core/memory/copy.ts';
import { listDelete, listGrow, listLength, listPush, listShrink } from '../../core/types/list.ts';
import { ListCursor } from '../../core/types/list-cursor.ts';
import { listPop } from '../../core/types/list-reply.ts';
import { TYPE_LIST } from '../../core/value.ts';
import {
  type Command,
  command,
  DENYOOM,
  FAST,
  keyAt,
  keysCounted,
  MOVABLE_KEYS,
  WRITE,
} from '../dispatch/command.ts';
import { type Context, WRONG } from '../dispatch/context.ts';
import { NOT_POSITIVE, SYNTAX_ERROR, wrongArity } from '../dispatch/errors.ts';
import { NOTIFY_LIST } from '../dispatch/notify-classes.ts';
import { elementsRemoved, listForPush, replyElements } from './list-shared.ts';
import {
  findFirst,
  found,
  popRequest,
  propagatePop,
  readPopRequest,
  replyKeyAhead,
} from './pop-first.ts';

const FIRST_ROOM = 4096;
const KEPT_ROOM = 1 << 20;

const cursor = new ListCursor();
/** The element that is being moved. */
let moved = new Uint8Array(FIRST_ROOM);

function lpopCommand(c: Context): void {
  pop(c, true);
}

function rpopCommand(c: Context): void {
  pop(c, false);
}

function pop(c: Context, atHead: boolean): void {
  const { keyspace, reply } = c;
  let wanted = -1;
  if (c.argc > 3) {
    reply.error(wrongArity(c.command.name));
    return;
  }
  if (c.argc === 3) {
    wanted = c.integerIn(2, 0, Number.POSITIVE_INFINITY, NOT_POSITIVE);
    if (Number.isNaN(wanted)) return;
  }
  const address = c.writeTyped(1, TYPE_LIST);
  if (address === WRONG) return;
  if (address === 0) {
    if (wanted < 0) reply.null();
    else reply.nullArray();
    return;
  }
  if (wanted === 0) {
    reply.array(0);
    return;
  }
  if (wanted < 0) {
    popOne(c, 1, address, atHead);
    return;
  }
  popSome(c, 1, address, atHead, Math.min(wanted, listLength(keyspace, address)));
}

/** Takes an element from the list in argument `i` and answers it. */
export function popOne(c: Context, i: number, address: number, atHead: boolean): void {
  const { db, keyspace } = c;
  const at = listPop(c.reply, keyspace, db, address, atHead);
  elementsRemoved(c, i, at, atHead ? 'lpop' : 'rpop', 1);
}

/** Takes `count` elements, which there are, and answers them as an array. */
function popSome(c: Context, i: number, address: number, atHead: boolean, count: number): void {
  const { db, keyspace } = c;
  const length = listLength(keyspace, address);
  c.reply.array(count);
  replyElements(c, address, atHead ? 0 : length - 1, count, atHead);
  const at = listDelete(keyspace, db, address, atHead ? 0 : length - count, count);
  elementsRemoved(c, i, at, atHead ? 'lpop' : 'rpop', count);
}

/** "left" or "right" in argument `i`: 1 or 0, -1 when it is neither, which has been answered. */
export function readEnd(c: Context, i: number): number {
  if (c.is(i, 'left')) return 1;
  if (c.is(i, 'right')) return 0;
  c.reply.error(SYNTAX_ERROR);
  return -1;
}

/** Reads what LMPOP and BLMPOP are asked for, from argument `at` on. */
export function readPopSome(c: Context, at: number): boolean {
  return readPopRequest(c, at, 'left', 'right');
}

function lmpopCommand(c: Context): void {
  if (!readPopSome(c, 1)) return;
  if (!popFromFirst(c)) c.reply.nullArray();
}

/** Takes what `popRequest` says from the first list that there is; false when there is none. */
export function popFromFirst(c: Context): boolean {
  const { count, firstKey, fromEnd, keyCount } = popRequest;
  const address = findFirst(c, firstKey, keyCount, TYPE_LIST);
  if (address === 0 || address === WRONG) return address === WRONG;
  const i = found.argument;
  const taken = Math.min(count, listLength(c.keyspace, address));
  replyKeyAhead(c, 2, i);
  popSome(c, i, address, !fromEnd, taken);
  propagatePop(c, fromEnd ? 'RPOP' : 'LPOP', i, taken);
  return true;
}

function lmoveCommand(c: Context): void {
  const from = readEnd(c, 3);
  if (from < 0) return;
  const to = readEnd(c, 4);
  if (to < 0) return;
  move(c, from === 1, to === 1);
}

function rpoplpushCommand(c: Context): void {
  move(c, false, true);
}

function move(c: Context, fromHead: boolean, toHead: boolean): void {
  const source = c.writeTyped(1, TYPE_LIST);
  if (source === WRONG) return;
  if (source === 0) c.reply.null();
  else moveElement(c, source, fromHead, toHead);
}

/**
 * Moves an element from the list in argument 1 to that in argument 2 and answers it. False when the
 * latter is no list, which has been answered.
 */
export function moveElement(
  c: Context,
  source: number,
  fromHead: boolean,
  toHead: boolean,
): boolean {
  const { args, db, keyspace, services } = c;
  const target = c.writeTyped(2, TYPE_LIST);
  if (target === WRONG) return false;
  const index = fromHead ? 0 : listLength(keyspace, source) - 1;
  const length = keepElement(c, source, index);
  let from = listDelete(keyspace, db, source, index, 1);
  const isSame = target === source;
  let to = isSame ? listGrow(keyspace, db, from, length, 1) : listForPush(c, 2, target, length, 1);
  to = listPush(keyspace, db, to, moved, 0, length, toHead);
  if (isSame) from = listShrink(keyspace, db, to);
  services.keyChanged(db, args.bytes[2]!, args.offsets[2]!, args.lengths[2]!);
  c.notify(2, NOTIFY_LIST, toHead ? 'lpush' : 'rpush');
  c.reply.bulk(moved, 0, length);
  elementsRemoved(c, 1, from, fromHead ? 'lpop' : 'rpop', 1);
  if (moved.length > KEPT_ROOM) moved = new Uint8Array(FIRST_ROOM);
  return true;
}

/** Copies an element to `moved`; returns its length. */
function keepElement(c: Context, address: number, index: number): number {
  cursor.start(c.keyspace, address, index, true);
  cursor.next();
  const { bytes, length, offset } = cursor.element;
  if (length > moved.length) moved = new Uint8Array(length);
  copyBytes(bytes, offset, moved, 0, length);
  return length;
}

export const listPopCommands: readonly Command[] = [
  command(
    'lmove',
    'list',
    {
      arity: 5,
      flags: WRITE | DENYOOM,
      keys: [keyAt(1, 'RW', 'access', 'delete'), keyAt(2, 'RW', 'insert')],
      acl: ['list'],
      since: '6.2.0',
      complexity: 'O(1)',
      summary: 'Takes an element from an end of a list and adds it at an end of another.',
      syntax: 'source:key destination:key wherefrom=(LEFT|RIGHT) whereto=(LEFT|RIGHT)',
    },
    lmoveCommand,
  ),
  command(
    'lmpop',
    'list',
    {
      arity: -4,
      flags: WRITE | MOVABLE_KEYS,
      keys: [keysCounted(1, 'RW', 'access', 'delete')],
      acl: ['list'],
      since: '7.0.0',
      complexity:
        'O(N+M) where N is the number of provided keys and M is the number of elements ' +
        'returned.',
      summary: 'Takes elements from the first of several lists that is there.',
      syntax: 'numkeys:integer key:key... where=(LEFT|RIGHT) [COUNT count:integer]',
    },
    lmpopCommand,
  ),
  command(
    'lpop',
    'list',
    {
      arity: -2,
      flags: WRITE | FAST,
      keys: [keyAt(1, 'RW', 'access', 'delete')],
      acl: ['list'],
      since: '1.0.0',
      complexity: 'O(N) where N is the number of elements returned',
      summary: 'Takes elements from the head of a list; it goes with the last one.',
      syntax: 'key:key [count:integer@6.2.0]',
      history: [['6.2.0', 'Takes a count.']],
    },
    lpopCommand,
  ),
  command(
    'rpop',
    'list',
    {
      arity: -2,
      flags: WRITE | FAST,
      keys: [keyAt(1, 'RW', 'access', 'delete')],
      acl: ['list'],
      since: '1.0.0',
      complexity: 'O(N) where N is the number of elements returned',
      summary: 'Takes elements from the tail of a list; it goes with the last one.',
      syntax: 'key:key [count:integer@6.2.0]',
      history: [['6.2.0', 'Takes a count.']],
    },
    rpopCommand,
  ),
  command(
    'rpoplpush',
    'list',
    {
      arity: 3,
      flags: WRITE | DENYOOM,
      keys: [keyAt(1, 'RW', 'access', 'delete'), keyAt(2, 'RW', 'insert')],
      acl: ['list'],
      since: '1.2.0',
      complexity: 'O(1)',
      deprecated: { since: '6.2.0', replacedBy: '`LMOVE` with the `RIGHT` and `LEFT` arguments' },
      summary: 'Takes the last element of a list and adds it at the head of another.',
      syntax: 'source:key destination:key',
    },
    rpoplpushCommand,
  ),
];
