/**
 * The commands that take elements from the ends of sorted sets: ZPOPMIN, ZPOPMAX, ZMPOP. Those that
 * wait for elements are in zset-blocking.ts.
 */
import { zsetLength, zsetRemoveRange } from '../../core/types/zset.ts';
import { replyRange } from '../../core/types/zset-reply.ts';
import { ZsetView } from '../../core/types/zset-view.ts';
import { TYPE_ZSET } from '../../core/value.ts';
import {
  type Command,
  command,
  FAST,
  keyAt,
  keysCounted,
  MOVABLE_KEYS,
  WRITE,
} from '../dispatch/command.ts';
import { type Context, WRONG } from '../dispatch/context.ts';
import { NOT_POSITIVE, SYNTAX_ERROR } from '../dispatch/errors.ts';
import { NOTIFY_GENERIC, NOTIFY_ZSET } from '../dispatch/notify-classes.ts';
import {
  findFirst,
  found,
  popRequest,
  propagatePop,
  readPopRequest,
  replyKeyAhead,
} from './pop-first.ts';

const view = new ZsetView();

function zpopminCommand(c: Context): void {
  pop(c, false);
}

function zpopmaxCommand(c: Context): void {
  pop(c, true);
}

function pop(c: Context, fromTop: boolean): void {
  const { argc, reply } = c;
  if (argc > 3) {
    reply.error(SYNTAX_ERROR);
    return;
  }
  let wanted = 1;
  if (argc === 3) {
    wanted = c.integerIn(2, 0, Number.POSITIVE_INFINITY, NOT_POSITIVE);
    if (Number.isNaN(wanted)) return;
  }
  const address = c.writeTyped(1, TYPE_ZSET);
  if (address === WRONG) return;
  if (address === 0 || wanted === 0) {
    reply.array(0);
    return;
  }
  const taken = Math.min(wanted, zsetLength(c.keyspace, address));
  const nested = argc === 3 && reply.protocol === 3;
  reply.array(nested ? taken : taken * 2);
  popElements(c, 1, address, fromTop, taken, nested);
}

/**
 * Takes `count` elements, which there are, from the zset in argument `i`, and answers each, as an
 * array of two when `nested`.
 */
export function popElements(
  c: Context,
  i: number,
  address: number,
  fromTop: boolean,
  count: number,
  nested: boolean,
): void {
  const { db, keyspace, reply } = c;
  view.open(keyspace, address);
  const length = view.count;
  replyRange(reply, view, fromTop ? length - 1 : 0, count, fromTop, true, nested);
  const emptied = count === length;
  if (emptied) keyspace.remove(db, address);
  else zsetRemoveRange(keyspace, db, address, fromTop ? length - count : 0, count);
  keyspace.dirty += count - 1;
  c.changed(i, NOTIFY_ZSET, fromTop ? 'zpopmax' : 'zpopmin');
  if (emptied) c.notify(i, NOTIFY_GENERIC, 'del');
}

/** Reads what ZMPOP and BZMPOP are asked for, from argument `at` on. */
export function readPopSome(c: Context, at: number): boolean {
  return readPopRequest(c, at, 'min', 'max');
}

function zmpopCommand(c: Context): void {
  if (!readPopSome(c, 1)) return;
  if (!popFromFirst(c)) c.reply.nullArray();
}

/** Takes what `popRequest` says from the first zset that there is; false when there is none. */
export function popFromFirst(c: Context): boolean {
  const { count, firstKey, fromEnd, keyCount } = popRequest;
  const address = findFirst(c, firstKey, keyCount, TYPE_ZSET);
  if (address === 0 || address === WRONG) return address === WRONG;
  const i = found.argument;
  const taken = Math.min(count, zsetLength(c.keyspace, address));
  replyKeyAhead(c, 2, i);
  c.reply.array(taken);
  popElements(c, i, address, fromEnd, taken, true);
  propagatePop(c, fromEnd ? 'ZPOPMAX' : 'ZPOPMIN', i, taken);
  return true;
}

export const zsetPopCommands: readonly Command[] = [
  command(
    'zmpop',
    'sorted-set',
    {
      arity: -4,
      flags: WRITE | MOVABLE_KEYS,
      keys: [keysCounted(1, 'RW', 'access', 'delete')],
      acl: ['sortedset'],
      since: '7.0.0',
      complexity:
        'O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of ' +
        'elements in the sorted set, and M being the number of elements popped.',
      summary: 'Takes elements with the lowest or highest scores from the first of several zsets.',
      syntax: 'numkeys:integer key:key... where=(MIN|MAX) [COUNT count:integer]',
    },
    zmpopCommand,
  ),
  command(
    'zpopmax',
    'sorted-set',
    {
      arity: -2,
      flags: WRITE | FAST,
      keys: [keyAt(1, 'RW', 'access', 'delete')],
      acl: ['sortedset'],
      since: '5.0.0',
      complexity:
        'O(log(N)*M) with N being the number of elements in the sorted set, and M being the ' +
        'number of elements popped.',
      summary: 'Takes the members with the highest scores out of a sorted set.',
      syntax: 'key:key [count:integer]',
    },
    zpopmaxCommand,
  ),
  command(
    'zpopmin',
    'sorted-set',
    {
      arity: -2,
      flags: WRITE | FAST,
      keys: [keyAt(1, 'RW', 'access', 'delete')],
      acl: ['sortedset'],
      since: '5.0.0',
      complexity:
        'O(log(N)*M) with N being the number of elements in the sorted set, and M being the ' +
        'number of elements popped.',
      summary: 'Takes the members with the lowest scores out of a sorted set.',
      syntax: 'key:key [count:integer]',
    },
    zpopminCommand,
  ),
];
