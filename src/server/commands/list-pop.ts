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
} from '../command.ts';
import { type Context, WRONG } from '../context.ts';
import { SYNTAX_ERROR, wrongArity } from '../errors.ts';
import { NOTIFY_LIST } from '../notify-classes.ts';
import { elementsRemoved, listForPush, replyElements } from './list-shared.ts';

const NOT_POSITIVE = 'ERR value is out of range, must be positive';
const BAD_KEY_COUNT = 'ERR numkeys should be greater than 0';
const BAD_COUNT = 'ERR count should be greater than 0';
const FIRST_ROOM = 4096;
const KEPT_ROOM = 1 << 20;

const cursor = new ListCursor();
/** The element that is being moved. */
let moved = new Uint8Array(FIRST_ROOM);

export function lpopCommand(c: Context): void {
  pop(c, true);
}

export function rpopCommand(c: Context): void {
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
export function popSome(
  c: Context,
  i: number,
  address: number,
  atHead: boolean,
  count: number,
): void {
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

/** What LMPOP and BLMPOP are asked for; set by `readPopSome`. */
export const popRequest = { firstKey: 0, keyCount: 0, atHead: false, count: 0 };

/**
 * Reads "numkeys key... LEFT|RIGHT [COUNT n]" from argument `at` on; false when an error has been
 * answered.
 */
export function readPopSome(c: Context, at: number): boolean {
  const keyCount = c.integerIn(at, 1, Number.POSITIVE_INFINITY, BAD_KEY_COUNT);
  if (Number.isNaN(keyCount)) return false;
  const where = at + keyCount + 1;
  if (where >= c.argc) {
    c.reply.error(SYNTAX_ERROR);
    return false;
  }
  const end = readEnd(c, where);
  if (end < 0) return false;
  let count = -1;
  for (let i = where + 1; i < c.argc; i += 2) {
    if (count !== -1 || !c.is(i, 'count') || i + 1 === c.argc) {
      c.reply.error(SYNTAX_ERROR);
      return false;
    }
    count = c.integerIn(i + 1, 1, Number.POSITIVE_INFINITY, BAD_COUNT);
    if (Number.isNaN(count)) return false;
  }
  popRequest.firstKey = at + 1;
  popRequest.keyCount = keyCount;
  popRequest.atHead = end === 1;
  popRequest.count = count === -1 ? 1 : count;
  return true;
}

export function lmpopCommand(c: Context): void {
  if (!readPopSome(c, 1)) return;
  if (!popFromFirst(c)) c.reply.nullArray();
}

/** Takes what `popRequest` says from the first list that there is; false when there is none. */
export function popFromFirst(c: Context): boolean {
  const { atHead, count, firstKey, keyCount } = popRequest;
  const { args, db, propagator, reply, services } = c;
  for (let i = firstKey; i < firstKey + keyCount; i++) {
    if (!services.blocking.serves(args, i)) continue;
    const address = c.writeTyped(i, TYPE_LIST);
    if (address === WRONG) return true;
    if (address === 0) continue;
    const taken = Math.min(count, listLength(c.keyspace, address));
    reply.array(2);
    reply.bulk(args.bytes[i]!, args.offsets[i]!, args.lengths[i]!);
    popSome(c, i, address, atHead, taken);
    if (propagator.begin(db.id, 3)) {
      propagator.word(atHead ? 'LPOP' : 'RPOP');
      propagator.argument(args, i);
      propagator.number(taken);
    }
    propagator.suppress();
    return true;
  }
  return false;
}

export function lmoveCommand(c: Context): void {
  const from = readEnd(c, 3);
  if (from < 0) return;
  const to = readEnd(c, 4);
  if (to < 0) return;
  move(c, from === 1, to === 1);
}

export function rpoplpushCommand(c: Context): void {
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
