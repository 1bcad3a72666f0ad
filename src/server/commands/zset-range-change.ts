/**
 * The commands that store or remove a range of a sorted set: ZRANGESTORE, ZREMRANGEBYRANK,
 * ZREMRANGEBYSCORE, ZREMRANGEBYLEX.
 */
import { zsetLength, zsetRemoveRange } from '../../core/types/zset.ts';
import {
  LexRange,
  ranks,
  ScoreRange,
  zsetLexRanks,
  zsetScoreRanks,
} from '../../core/types/zset-range.ts';
import { ZsetResult } from '../../core/types/zset-result.ts';
import { ZsetCursor, ZsetView } from '../../core/types/zset-view.ts';
import { TYPE_ZSET } from '../../core/value.ts';
import { command, DENYOOM, keyAt, WRITE } from '../dispatch/command.ts';
import { type Context, WRONG } from '../dispatch/context.ts';
import { NOTIFY_GENERIC, NOTIFY_ZSET } from '../dispatch/notify-classes.ts';
import { BY_AUTO, BY_RANK, readLexRange, readScoreRange, ZsetSpan } from './zset-span.ts';
import { storeZset } from './zset-store.ts';

const span = new ZsetSpan();
const view = new ZsetView();
const cursor = new ZsetCursor();
const result = new ZsetResult();
const scores = new ScoreRange();
const members = new LexRange();

function zrangestoreCommand(c: Context): void {
  if (!span.read(c, 2, BY_AUTO, false, true, true)) return;
  const address = c.readTyped(2, TYPE_ZSET);
  if (address === WRONG) return;
  result.start(c.keyspace, 0);
  if (address !== 0) {
    span.find(c.keyspace, address);
    gatherSpan(c, address);
  }
  storeZset(c, result, 'zrangestore');
}

/**
 * Gathers the elements of the span. Redis puts them into a listpack first, unless it knows that
 * they are too many, and makes it a large zset on the way: what has been in the listpack has lost
 * the sign of a zero.
 */
function gatherSpan(c: Context, address: number): void {
  const { zsetMaxListpackEntries, zsetMaxListpackValue } = c.keyspace.limits;
  let packed = span.by !== BY_RANK || span.count <= zsetMaxListpackEntries;
  view.open(c.keyspace, address);
  const owner = result.from(view);
  cursor.startView(view, span.start, span.reverse);
  for (let i = 0; i < span.count && cursor.next(); i++) {
    if (i === zsetMaxListpackEntries || cursor.member.length > zsetMaxListpackValue) packed = false;
    result.push(owner, cursor.ref, packed ? cursor.score + 0 : cursor.score);
  }
  result.sort();
}

function zremrangebyrankCommand(c: Context): void {
  if (!span.readRanks(c, 2)) return;
  const address = c.writeTyped(1, TYPE_ZSET);
  if (address === WRONG) return;
  if (address !== 0) {
    span.reverse = false;
    span.find(c.keyspace, address);
  }
  removeRange(c, address, span.start, span.count, 'zremrangebyrank');
}

function zremrangebyscoreCommand(c: Context): void {
  if (!readScoreRange(c, scores, 2, 3)) return;
  const address = c.writeTyped(1, TYPE_ZSET);
  if (address === WRONG) return;
  if (address !== 0) zsetScoreRanks(c.keyspace, address, scores);
  removeRange(c, address, ranks.start, ranks.end - ranks.start, 'zremrangebyscore');
}

function zremrangebylexCommand(c: Context): void {
  if (!readLexRange(c, members, 2, 3)) return;
  const address = c.writeTyped(1, TYPE_ZSET);
  if (address === WRONG) return;
  if (address !== 0) zsetLexRanks(c.keyspace, address, members, false);
  removeRange(c, address, ranks.start, ranks.end - ranks.start, 'zremrangebylex');
}

/** Removes `count` elements from rank `start` on and answers how many; no key, no elements. */
function removeRange(
  c: Context,
  address: number,
  start: number,
  count: number,
  event: string,
): void {
  const { db, keyspace, reply } = c;
  if (address === 0 || count === 0) {
    reply.integer(0);
    return;
  }
  const emptied = count === zsetLength(keyspace, address);
  if (emptied) keyspace.remove(db, address);
  else zsetRemoveRange(keyspace, db, address, start, count);
  keyspace.dirty += count - 1;
  c.changed(1, NOTIFY_ZSET, event);
  if (emptied) c.notify(1, NOTIFY_GENERIC, 'del');
  reply.integer(count);
}

const REMOVED =
  'O(log(N)+M) with N being the number of elements in the sorted set and M the number of ' +
  'elements removed by the operation.';

export const zsetRangeChangeCommands = [
  command(
    'zrangestore',
    'sorted-set',
    {
      arity: -5,
      flags: WRITE | DENYOOM,
      keys: [keyAt(1, 'OW', 'update'), keyAt(2, 'RO', 'access')],
      acl: ['sortedset'],
      since: '6.2.0',
      complexity:
        'O(log(N)+M) with N being the number of elements in the sorted set and M the number of ' +
        'elements stored into the destination key.',
      summary: 'Stores members of a sorted set, by rank, score or their own order, in another.',
      syntax:
        'dst:key src:key min max [sortby=(BYSCORE|BYLEX)] [REV] ' +
        '[LIMIT limit={offset:integer count:integer}]',
    },
    zrangestoreCommand,
  ),
  command(
    'zremrangebylex',
    'sorted-set',
    {
      arity: 4,
      flags: WRITE,
      keys: [keyAt(1, 'RW', 'delete')],
      acl: ['sortedset'],
      since: '2.8.9',
      complexity: REMOVED,
      summary: 'Removes the members of a sorted set in a range of their own order.',
      syntax: 'key:key min max',
    },
    zremrangebylexCommand,
  ),
  command(
    'zremrangebyrank',
    'sorted-set',
    {
      arity: 4,
      flags: WRITE,
      keys: [keyAt(1, 'RW', 'delete')],
      acl: ['sortedset'],
      since: '2.0.0',
      complexity: REMOVED,
      summary: 'Removes the members of a sorted set in a range of ranks.',
      syntax: 'key:key start:integer stop:integer',
    },
    zremrangebyrankCommand,
  ),
  command(
    'zremrangebyscore',
    'sorted-set',
    {
      arity: 4,
      flags: WRITE,
      keys: [keyAt(1, 'RW', 'delete')],
      acl: ['sortedset'],
      since: '1.2.0',
      complexity: REMOVED,
      summary: 'Removes the members of a sorted set whose score is in a range.',
      syntax: 'key:key min:double max:double',
    },
    zremrangebyscoreCommand,
  ),
];
