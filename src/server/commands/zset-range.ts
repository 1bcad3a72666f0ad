/**
 * The commands that return or count a range of a sorted set: ZRANGE, ZREVRANGE, ZRANGEBYSCORE,
 * ZREVRANGEBYSCORE, ZRANGEBYLEX, ZREVRANGEBYLEX, ZCOUNT, ZLEXCOUNT.
 *
 * The older ones are ZRANGE with some of its words given. Which elements a range has is found out
 * in zset-span.ts; here they are answered.
 */
import {
  LexRange,
  ranks,
  ScoreRange,
  zsetLexRanks,
  zsetScoreRanks,
} from '../../core/types/zset-range.ts';
import { replyRange } from '../../core/types/zset-reply.ts';
import { ZsetView } from '../../core/types/zset-view.ts';
import { TYPE_ZSET } from '../../core/value.ts';
import { command, FAST, keyAt, READONLY } from '../dispatch/command.ts';
import { type Context, WRONG } from '../dispatch/context.ts';
import {
  BY_AUTO,
  BY_LEX,
  BY_RANK,
  BY_SCORE,
  readLexRange,
  readScoreRange,
  ZsetSpan,
} from './zset-span.ts';

const span = new ZsetSpan();
const view = new ZsetView();
const scores = new ScoreRange();
const members = new LexRange();

function zrangeCommand(c: Context): void {
  if (span.read(c, 1, BY_AUTO, false, true, false)) answer(c);
}

function zrevrangeCommand(c: Context): void {
  if (span.read(c, 1, BY_RANK, true, false, false)) answer(c);
}

function zrangebyscoreCommand(c: Context): void {
  if (span.read(c, 1, BY_SCORE, false, false, false)) answer(c);
}

function zrevrangebyscoreCommand(c: Context): void {
  if (span.read(c, 1, BY_SCORE, true, false, false)) answer(c);
}

function zrangebylexCommand(c: Context): void {
  if (span.read(c, 1, BY_LEX, false, false, false)) answer(c);
}

function zrevrangebylexCommand(c: Context): void {
  if (span.read(c, 1, BY_LEX, true, false, false)) answer(c);
}

/** Answers what the span reaches, with scores in pairs of their own in RESP3. */
function answer(c: Context): void {
  const { keyspace, reply } = c;
  const address = c.readTyped(1, TYPE_ZSET);
  if (address === WRONG) return;
  if (address === 0) {
    reply.array(0);
    return;
  }
  span.find(keyspace, address);
  view.open(keyspace, address);
  const { count, withScores } = span;
  const nested = withScores && reply.protocol === 3;
  reply.array(withScores && !nested ? count * 2 : count);
  if (count > 0) {
    replyRange(reply, view, span.start, count, span.reverse, withScores, nested);
  }
}

function zcountCommand(c: Context): void {
  if (!readScoreRange(c, scores, 2, 3)) return;
  const address = c.readTyped(1, TYPE_ZSET);
  if (address === WRONG) return;
  ranks.start = 0;
  ranks.end = 0;
  if (address !== 0) zsetScoreRanks(c.keyspace, address, scores);
  c.reply.integer(ranks.end - ranks.start);
}

function zlexcountCommand(c: Context): void {
  if (!readLexRange(c, members, 2, 3)) return;
  const address = c.readTyped(1, TYPE_ZSET);
  if (address === WRONG) return;
  ranks.start = 0;
  ranks.end = 0;
  if (address !== 0) zsetLexRanks(c.keyspace, address, members, false);
  c.reply.integer(ranks.end - ranks.start);
}

const RETURNED =
  'O(log(N)+M) with N being the number of elements in the sorted set and M the number of ' +
  'elements returned.';
const RETURNED_OF_RANGE =
  'O(log(N)+M) with N being the number of elements in the sorted set and M the number of ' +
  'elements being returned. If M is constant (e.g. always asking for the first 10 elements with ' +
  'LIMIT), you can consider it O(log(N)).';
const COUNTED = 'O(log(N)) with N being the number of elements in the sorted set.';

export const zsetRangeCommands = [
  command(
    'zcount',
    'sorted-set',
    {
      arity: 4,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['sortedset'],
      since: '2.0.0',
      complexity: COUNTED,
      summary: 'Counts the members of a sorted set whose score is in a range.',
      syntax: 'key:key min:double max:double',
    },
    zcountCommand,
  ),
  command(
    'zlexcount',
    'sorted-set',
    {
      arity: 4,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['sortedset'],
      since: '2.8.9',
      complexity: COUNTED,
      summary: 'Counts the members of a sorted set in a range of their own order.',
      syntax: 'key:key min max',
    },
    zlexcountCommand,
  ),
  command(
    'zrange',
    'sorted-set',
    {
      arity: -4,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['sortedset'],
      since: '1.2.0',
      complexity: RETURNED,
      summary: 'Returns members of a sorted set by rank, by score or by their own order.',
      syntax:
        'key:key start stop [sortby=(BYSCORE|BYLEX)@6.2.0] [REV@6.2.0] ' +
        '[LIMIT limit={offset:integer count:integer}@6.2.0] [WITHSCORES]',
      history: [['6.2.0', 'The `REV`, `BYSCORE`, `BYLEX` and `LIMIT` options.']],
    },
    zrangeCommand,
  ),
  command(
    'zrangebylex',
    'sorted-set',
    {
      arity: -4,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['sortedset'],
      since: '2.8.9',
      complexity: RETURNED_OF_RANGE,
      deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `BYLEX` argument' },
      summary: 'Returns the members of a sorted set in a range of their own order.',
      syntax: 'key:key min max [LIMIT limit={offset:integer count:integer}]',
    },
    zrangebylexCommand,
  ),
  command(
    'zrangebyscore',
    'sorted-set',
    {
      arity: -4,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['sortedset'],
      since: '1.0.5',
      complexity: RETURNED_OF_RANGE,
      deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `BYSCORE` argument' },
      summary: 'Returns the members of a sorted set whose score is in a range.',
      syntax:
        'key:key min:double max:double [WITHSCORES@2.0.0] ' +
        '[LIMIT limit={offset:integer count:integer}]',
      history: [['2.0.0', 'The `WITHSCORES` modifier.']],
    },
    zrangebyscoreCommand,
  ),
  command(
    'zrevrange',
    'sorted-set',
    {
      arity: -4,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['sortedset'],
      since: '1.2.0',
      complexity: RETURNED,
      deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `REV` argument' },
      summary: 'Returns members of a sorted set by rank, from the highest score.',
      syntax: 'key:key start:integer stop:integer [WITHSCORES]',
    },
    zrevrangeCommand,
  ),
  command(
    'zrevrangebylex',
    'sorted-set',
    {
      arity: -4,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['sortedset'],
      since: '2.8.9',
      complexity: RETURNED_OF_RANGE,
      deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `REV` and `BYLEX` arguments' },
      summary: 'Returns the members of a sorted set in a range of their own order, from its end.',
      syntax: 'key:key max min [LIMIT limit={offset:integer count:integer}]',
    },
    zrevrangebylexCommand,
  ),
  command(
    'zrevrangebyscore',
    'sorted-set',
    {
      arity: -4,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['sortedset'],
      since: '2.2.0',
      complexity: RETURNED_OF_RANGE,
      deprecated: {
        since: '6.2.0',
        replacedBy: '`ZRANGE` with the `REV` and `BYSCORE` arguments',
      },
      summary: 'Returns the members of a sorted set whose score is in a range, from the highest.',
      syntax:
        'key:key max:double min:double [WITHSCORES] ' +
        '[LIMIT limit={offset:integer count:integer}]',
      history: [['2.1.6', '`min` and `max` can be exclusive.']],
    },
    zrevrangebyscoreCommand,
  ),
];
