/**
 * The commands that wait for elements of sorted sets: BZPOPMIN, BZPOPMAX, BZMPOP.
 *
 * Each does what its sibling without the B does, if it can, and is propagated as that. Else its
 * client waits, as pop-first.ts says.
 */
import { TYPE_ZSET } from '../../core/value.ts';
import {
  BLOCKING,
  type Command,
  command,
  FAST,
  keysCounted,
  keysFrom,
  MOVABLE_KEYS,
  WRITE,
} from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { readTimeout } from './blocking-timeout.ts';
import {
  findFirstOrWait,
  found,
  popRequest,
  propagatePop,
  replyKeyAhead,
  waitForKeys,
} from './pop-first.ts';
import { popElements, popFromFirst, readPopSome } from './zset-pop.ts';

function bzpopminCommand(c: Context): void {
  popOrWait(c, false);
}

function bzpopmaxCommand(c: Context): void {
  popOrWait(c, true);
}

function popOrWait(c: Context, fromTop: boolean): void {
  const address = findFirstOrWait(c, TYPE_ZSET);
  if (address === 0) return;
  const i = found.argument;
  replyKeyAhead(c, 3, i);
  popElements(c, i, address, fromTop, 1, false);
  propagatePop(c, fromTop ? 'ZPOPMAX' : 'ZPOPMIN', i, 0);
}

function bzmpopCommand(c: Context): void {
  if (!readPopSome(c, 2)) return;
  const timeoutMs = readTimeout(c, 1);
  if (Number.isNaN(timeoutMs) || popFromFirst(c)) return;
  waitForKeys(c, popRequest.firstKey, popRequest.keyCount, TYPE_ZSET, timeoutMs);
}

export const zsetBlockingCommands: readonly Command[] = [
  command(
    'bzmpop',
    'sorted-set',
    {
      arity: -5,
      flags: WRITE | BLOCKING | MOVABLE_KEYS,
      keys: [keysCounted(2, 'RW', 'access', 'delete')],
      acl: ['sortedset'],
      since: '7.0.0',
      complexity:
        'O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of ' +
        'elements in the sorted set, and M being the number of elements popped.',
      summary: 'Takes elements from the first of several sorted sets, or waits for some.',
      syntax: 'timeout:double numkeys:integer key:key... where=(MIN|MAX) [COUNT count:integer]',
    },
    bzmpopCommand,
  ),
  command(
    'bzpopmax',
    'sorted-set',
    {
      arity: -3,
      flags: WRITE | BLOCKING | FAST,
      keys: [keysFrom(1, -2, 1, 'RW', 'access', 'delete')],
      acl: ['sortedset'],
      since: '5.0.0',
      complexity: 'O(log(N)) with N being the number of elements in the sorted set.',
      summary: 'Takes the member with the highest score of several sorted sets, or waits for one.',
      syntax: 'key:key... timeout:double',
      history: [['6.0.0', 'The timeout may have a fraction.']],
    },
    bzpopmaxCommand,
  ),
  command(
    'bzpopmin',
    'sorted-set',
    {
      arity: -3,
      flags: WRITE | BLOCKING | FAST,
      keys: [keysFrom(1, -2, 1, 'RW', 'access', 'delete')],
      acl: ['sortedset'],
      since: '5.0.0',
      complexity: 'O(log(N)) with N being the number of elements in the sorted set.',
      summary: 'Takes the member with the lowest score of several sorted sets, or waits for one.',
      syntax: 'key:key... timeout:double',
      history: [['6.0.0', 'The timeout may have a fraction.']],
    },
    bzpopminCommand,
  ),
];
