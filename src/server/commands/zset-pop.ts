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
} from '../command.ts';
import { type Context, WRONG } from '../context.ts';
import { SYNTAX_ERROR } from '../errors.ts';
import { NOTIFY_GENERIC, NOTIFY_ZSET } from '../notify-classes.ts';

const NOT_POSITIVE = 'ERR value is out of range, must be positive';
const BAD_KEY_COUNT = 'ERR numkeys should be greater than 0';
const BAD_COUNT = 'ERR count should be greater than 0';

const view = new ZsetView();

export function zpopminCommand(c: Context): void {
  pop(c, false);
}

export function zpopmaxCommand(c: Context): void {
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

/** What ZMPOP and BZMPOP are asked for; set by `readPopSome`. */
export const popRequest = { firstKey: 0, keyCount: 0, fromTop: false, count: 0 };

/**
 * Reads "numkeys key... MIN|MAX [COUNT n]" from argument `at` on; false when an error has been
 * answered.
 */
export function readPopSome(c: Context, at: number): boolean {
  const keyCount = c.integerIn(at, 1, Number.POSITIVE_INFINITY, BAD_KEY_COUNT);
  if (Number.isNaN(keyCount)) return false;
  const where = at + keyCount + 1;
  const fromTop = where < c.argc && c.is(where, 'max');
  if (where >= c.argc || !(fromTop || c.is(where, 'min'))) {
    c.reply.error(SYNTAX_ERROR);
    return false;
  }
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
  popRequest.fromTop = fromTop;
  popRequest.count = count === -1 ? 1 : count;
  return true;
}

export function zmpopCommand(c: Context): void {
  if (!readPopSome(c, 1)) return;
  if (!popFromFirst(c)) c.reply.nullArray();
}

/** Takes what `popRequest` says from the first zset that there is; false when there is none. */
export function popFromFirst(c: Context): boolean {
  const { count, firstKey, fromTop, keyCount } = popRequest;
  const { args, db, propagator, reply, services } = c;
  for (let i = firstKey; i < firstKey + keyCount; i++) {
    if (!services.blocking.serves(args, i)) continue;
    const address = c.writeTyped(i, TYPE_ZSET);
    if (address === WRONG) return true;
    if (address === 0) continue;
    const taken = Math.min(count, zsetLength(c.keyspace, address));
    reply.array(2);
    reply.bulk(args.bytes[i]!, args.offsets[i]!, args.lengths[i]!);
    reply.array(taken);
    popElements(c, i, address, fromTop, taken, true);
    if (propagator.begin(db.id, 3)) {
      propagator.word(fromTop ? 'ZPOPMAX' : 'ZPOPMIN');
      propagator.argument(args, i);
      propagator.number(taken);
    }
    propagator.suppress();
    return true;
  }
  return false;
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
