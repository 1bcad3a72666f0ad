/**
 * The commands that wait for elements: BLPOP, BRPOP, BLMPOP, BLMOVE, BRPOPLPUSH.
 *
 * Each does what its sibling without the B does, if it can, and is propagated as that. Else its
 * client waits, as pop-first.ts says.
 */
import { TYPE_LIST } from '../../core/value.ts';
import {
  BLOCKING,
  type Command,
  command,
  DENYOOM,
  keyAt,
  keysCounted,
  keysFrom,
  MOVABLE_KEYS,
  WRITE,
} from '../dispatch/command.ts';
import { type Context, WRONG } from '../dispatch/context.ts';
import { readTimeout } from './blocking-timeout.ts';
import { moveElement, popFromFirst, popOne, readEnd, readPopSome } from './list-pop.ts';
import {
  findFirstOrWait,
  found,
  popRequest,
  propagatePop,
  replyKeyAhead,
  waitForKeys,
} from './pop-first.ts';

function blpopCommand(c: Context): void {
  popOrWait(c, true);
}

function brpopCommand(c: Context): void {
  popOrWait(c, false);
}

function popOrWait(c: Context, atHead: boolean): void {
  const address = findFirstOrWait(c, TYPE_LIST);
  if (address === 0) return;
  const i = found.argument;
  replyKeyAhead(c, 2, i);
  popOne(c, i, address, atHead);
  propagatePop(c, atHead ? 'LPOP' : 'RPOP', i, 0);
}

function blmpopCommand(c: Context): void {
  if (!readPopSome(c, 2)) return;
  const timeoutMs = readTimeout(c, 1);
  if (Number.isNaN(timeoutMs) || popFromFirst(c)) return;
  waitForKeys(c, popRequest.firstKey, popRequest.keyCount, TYPE_LIST, timeoutMs);
}

function blmoveCommand(c: Context): void {
  const { args, db, propagator } = c;
  const from = readEnd(c, 3);
  if (from < 0) return;
  const to = readEnd(c, 4);
  if (to < 0) return;
  if (!moveOrWait(c, 5, from === 1, to === 1)) return;
  if (propagator.begin(db.id, 5)) {
    propagator.word('LMOVE');
    propagator.argument(args, 1);
    propagator.argument(args, 2);
    propagator.argument(args, 3);
    propagator.argument(args, 4);
  }
  propagator.suppress();
}

function brpoplpushCommand(c: Context): void {
  const { args, db, propagator } = c;
  if (!moveOrWait(c, 3, false, true)) return;
  if (propagator.begin(db.id, 3)) {
    propagator.word('RPOPLPUSH');
    propagator.argument(args, 1);
    propagator.argument(args, 2);
  }
  propagator.suppress();
}

/**
 * Moves an element, or lets the client wait as long as argument `i` says. Whether one was moved.
 */
function moveOrWait(c: Context, i: number, fromHead: boolean, toHead: boolean): boolean {
  const timeoutMs = readTimeout(c, i);
  if (Number.isNaN(timeoutMs)) return false;
  const source = c.writeTyped(1, TYPE_LIST);
  if (source === WRONG) return false;
  if (source !== 0) return moveElement(c, source, fromHead, toHead);
  if (c.services.mayWait(c.client)) waitForKeys(c, 1, 1, TYPE_LIST, timeoutMs);
  else c.reply.null();
  return false;
}

export const listBlockingCommands: readonly Command[] = [
  command(
    'blmove',
    'list',
    {
      arity: 6,
      flags: WRITE | DENYOOM | BLOCKING,
      keys: [keyAt(1, 'RW', 'access', 'delete'), keyAt(2, 'RW', 'insert')],
      acl: ['list'],
      since: '6.2.0',
      complexity: 'O(1)',
      summary: 'Moves an element between lists, or waits for one.',
      syntax:
        'source:key destination:key wherefrom=(LEFT|RIGHT) whereto=(LEFT|RIGHT) timeout:double',
    },
    blmoveCommand,
  ),
  command(
    'blmpop',
    'list',
    {
      arity: -5,
      flags: WRITE | BLOCKING | MOVABLE_KEYS,
      keys: [keysCounted(2, 'RW', 'access', 'delete')],
      acl: ['list'],
      since: '7.0.0',
      complexity:
        'O(N+M) where N is the number of provided keys and M is the number of elements ' +
        'returned.',
      summary: 'Takes elements from the first of several lists, or waits for some.',
      syntax: 'timeout:double numkeys:integer key:key... where=(LEFT|RIGHT) [COUNT count:integer]',
    },
    blmpopCommand,
  ),
  command(
    'blpop',
    'list',
    {
      arity: -3,
      flags: WRITE | BLOCKING,
      keys: [keysFrom(1, -2, 1, 'RW', 'access', 'delete')],
      acl: ['list'],
      since: '2.0.0',
      complexity: 'O(N) where N is the number of provided keys.',
      summary: 'Takes the first element of the first of several lists, or waits for one.',
      syntax: 'key:key... timeout:double',
      history: [['6.0.0', 'The timeout may have a fraction.']],
    },
    blpopCommand,
  ),
  command(
    'brpop',
    'list',
    {
      arity: -3,
      flags: WRITE | BLOCKING,
      keys: [keysFrom(1, -2, 1, 'RW', 'access', 'delete')],
      acl: ['list'],
      since: '2.0.0',
      complexity: 'O(N) where N is the number of provided keys.',
      summary: 'Takes the last element of the first of several lists, or waits for one.',
      syntax: 'key:key... timeout:double',
      history: [['6.0.0', 'The timeout may have a fraction.']],
    },
    brpopCommand,
  ),
  command(
    'brpoplpush',
    'list',
    {
      arity: 4,
      flags: WRITE | DENYOOM | BLOCKING,
      keys: [keyAt(1, 'RW', 'access', 'delete'), keyAt(2, 'RW', 'insert')],
      acl: ['list'],
      since: '2.2.0',
      complexity: 'O(1)',
      deprecated: { since: '6.2.0', replacedBy: '`BLMOVE` with the `RIGHT` and `LEFT` arguments' },
      summary: 'Moves the last element of a list to the head of another, or waits for one.',
      syntax: 'source:key destination:key timeout:double',
      history: [['6.0.0', 'The timeout may have a fraction.']],
    },
    brpoplpushCommand,
  ),
];
