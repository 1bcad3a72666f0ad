/**
 * The commands that wait for elements of sorted sets: BZPOPMIN, BZPOPMAX, BZMPOP.
 *
 * Each does what its sibling without the B does, if it can, and is propagated as that. Else its
 * client waits (blocking.ts) and the same handler runs once more when a sorted set appears. Inside
 * EXEC or a script nobody may wait: the answer is null at once.
 */
import { TYPE_ZSET } from '../../core/value.ts';
import type { Client } from '../client.ts';
import {
  BLOCKING,
  type Command,
  command,
  FAST,
  keysCounted,
  keysFrom,
  MOVABLE_KEYS,
  NOSCRIPT,
  WRITE,
} from '../command.ts';
import { type Context, WRONG } from '../context.ts';
import { readTimeout } from './blocking-timeout.ts';
import { popElements, popFromFirst, popRequest, readPopSome } from './zset-pop.ts';

/** What those who waited in vain are told, whatever they asked for. */
function answerNothing(client: Client): void {
  client.reply.nullArray();
}

/** Nothing was found in `count` arguments from `first` on: the client waits, where it may. */
function waitForZsets(c: Context, first: number, count: number, timeoutMs: number): void {
  if (!c.services.mayWait(c.client)) {
    c.reply.nullArray();
    return;
  }
  const keys: Uint8Array[] = [];
  for (let i = first; i < first + count; i++) keys.push(c.args.copy(i));
  c.services.blocking.block(c, { keys, type: TYPE_ZSET, timeoutMs, onTimeout: answerNothing });
}

export function bzpopminCommand(c: Context): void {
  popOrWait(c, false);
}

export function bzpopmaxCommand(c: Context): void {
  popOrWait(c, true);
}

function popOrWait(c: Context, fromTop: boolean): void {
  const { args, db, propagator, reply, services } = c;
  const last = c.argc - 1;
  const timeoutMs = readTimeout(c, last);
  if (Number.isNaN(timeoutMs)) return;
  for (let i = 1; i < last; i++) {
    if (!services.blocking.serves(args, i)) continue;
    const address = c.writeTyped(i, TYPE_ZSET);
    if (address === WRONG) return;
    if (address === 0) continue;
    reply.array(3);
    reply.bulk(args.bytes[i]!, args.offsets[i]!, args.lengths[i]!);
    popElements(c, i, address, fromTop, 1, false);
    if (propagator.begin(db.id, 2)) {
      propagator.word(fromTop ? 'ZPOPMAX' : 'ZPOPMIN');
      propagator.argument(args, i);
    }
    propagator.suppress();
    return;
  }
  waitForZsets(c, 1, last - 1, timeoutMs);
}

export function bzmpopCommand(c: Context): void {
  if (!readPopSome(c, 2)) return;
  const timeoutMs = readTimeout(c, 1);
  if (Number.isNaN(timeoutMs) || popFromFirst(c)) return;
  waitForZsets(c, popRequest.firstKey, popRequest.keyCount, timeoutMs);
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
      flags: WRITE | NOSCRIPT | BLOCKING | FAST,
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
      flags: WRITE | NOSCRIPT | BLOCKING | FAST,
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
