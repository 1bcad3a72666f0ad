/**
 * The commands on single members of sorted sets: ZADD, ZINCRBY, ZREM, ZCARD, ZSCORE, ZMSCORE,
 * ZRANK, ZREVRANK.
 *
 * ZINCRBY is ZADD with INCR, down to the words it takes for options. All scores are read before the
 * key is looked at, so that a wrong one changes nothing; they wait in `scores`.
 */
import { parseDouble } from '../../core/text/double.ts';
import {
  ADD_GT,
  ADD_INCR,
  ADD_LT,
  ADD_NX,
  ADD_XX,
  OUTCOME_ADDED,
  OUTCOME_NAN,
  OUTCOME_NOTHING,
  OUTCOME_UPDATED,
  zsetAdd,
  zsetChange,
  zsetCreate,
  zsetLength,
  zsetRemove,
  zsetScore,
} from '../../core/types/zset.ts';
import { pairBytes } from '../../core/types/zset-pack.ts';
import { ZsetView } from '../../core/types/zset-view.ts';
import { TYPE_ZSET } from '../../core/value.ts';
import { command, DENYOOM, FAST, keyAt, READONLY, WRITE } from '../dispatch/command.ts';
import { type Context, WRONG } from '../dispatch/context.ts';
import { NOT_A_FLOAT, SYNTAX_ERROR, wrongArity } from '../dispatch/errors.ts';
import { NOTIFY_GENERIC, NOTIFY_NEW, NOTIFY_ZSET } from '../dispatch/notify-classes.ts';
import { OptionReader } from '../dispatch/option-reader.ts';

/** ZADD answers how many members were changed, not only those that are new. */
const CHANGED = 1 << 8;
const COMPARISONS = ADD_GT | ADD_LT;
/** Scores of one command that are kept without growing. */
const SCORES_ROOM = 128;

const options = new OptionReader();
const view = new ZsetView();
let scores = new Float64Array(SCORES_ROOM);

function zaddCommand(c: Context): void {
  add(c, 0);
}

function zincrbyCommand(c: Context): void {
  add(c, ADD_INCR);
}

function add(c: Context, given: number): void {
  const { args, db, keyspace, reply } = c;
  const { bytes, lengths, offsets } = args;
  const flags = readFlags(c, given);
  const first = options.at;
  const pairs = (args.count - first) / 2;
  const refusal = refusalOf(flags, pairs);
  if (refusal !== '') {
    reply.error(refusal);
    return;
  }
  if (!readScores(c, first, pairs)) return;
  let address = c.writeTyped(1, TYPE_ZSET);
  if (address === WRONG) return;
  const isIncrement = (flags & ADD_INCR) !== 0;
  if (address === 0) {
    if ((flags & ADD_XX) !== 0) {
      if (isIncrement) reply.null();
      else reply.integer(0);
      return;
    }
    address = create(c, first, pairs);
  }
  let added = 0;
  let updated = 0;
  for (let j = 0, i = first + 1; j < pairs; j++, i += 2) {
    const score = scores[j]!;
    address = zsetAdd(keyspace, db, address, bytes[i]!, offsets[i]!, lengths[i]!, score, flags);
    if (zsetChange.outcome === OUTCOME_ADDED) added++;
    else if (zsetChange.outcome === OUTCOME_UPDATED) updated++;
  }
  if (!isIncrement) reply.integer((flags & CHANGED) !== 0 ? added + updated : added);
  else if (zsetChange.outcome === OUTCOME_NAN) {
    reply.error('ERR resulting score is not a number (NaN)');
  } else if (zsetChange.outcome === OUTCOME_NOTHING) reply.null();
  else reply.double(zsetChange.score);
  if (added + updated === 0) return;
  keyspace.dirty += added + updated - 1;
  c.changed(1, NOTIFY_ZSET, isIncrement ? 'zincr' : 'zadd');
}

/** Reads the options from argument 2 on, up to the first score, which is at `options.at`. */
function readFlags(c: Context, given: number): number {
  let flags = given;
  options.start(c.args, 2);
  while (options.more) {
    if (options.take('nx')) flags |= ADD_NX;
    else if (options.take('xx')) flags |= ADD_XX;
    else if (options.take('ch')) flags |= CHANGED;
    else if (options.take('incr')) flags |= ADD_INCR;
    else if (options.take('gt')) flags |= ADD_GT;
    else if (options.take('lt')) flags |= ADD_LT;
    else break;
  }
  return flags;
}

/** What is wrong with a combination of options and a number of pairs; '' for nothing. */
function refusalOf(flags: number, pairs: number): string {
  if (pairs < 1 || !Number.isInteger(pairs)) return SYNTAX_ERROR;
  const isNew = (flags & ADD_NX) !== 0;
  if (isNew && (flags & ADD_XX) !== 0) {
    return 'ERR XX and NX options at the same time are not compatible';
  }
  const compared = flags & COMPARISONS;
  if (compared === COMPARISONS || (isNew && compared !== 0)) {
    return 'ERR GT, LT, and/or NX options at the same time are not compatible';
  }
  if ((flags & ADD_INCR) !== 0 && pairs > 1) {
    return 'ERR INCR option supports a single increment-element pair';
  }
  return '';
}

/** Reads the scores of the pairs from argument `first` on. False: one is none, as answered. */
function readScores(c: Context, first: number, pairs: number): boolean {
  const { bytes, lengths, offsets } = c.args;
  if (pairs > scores.length) scores = new Float64Array(pairs * 2);
  for (let j = 0, i = first; j < pairs; j++, i += 2) {
    const score = parseDouble(bytes[i]!, offsets[i]!, lengths[i]!);
    if (Number.isNaN(score)) {
      c.reply.error(NOT_A_FLOAT);
      return false;
    }
    scores[j] = score;
  }
  return true;
}

/** Adds the key in argument 1 with an empty zset that has room for the pairs from `first` on. */
function create(c: Context, first: number, pairs: number): number {
  const { args, db, keyspace } = c;
  const { bytes, lengths, offsets } = args;
  const longest = keyspace.limits.zsetMaxListpackValue;
  let room = 0;
  for (let j = 0, i = first + 1; j < pairs && lengths[i]! <= longest; j++, i += 2) {
    room += pairBytes(bytes[i]!, offsets[i]!, lengths[i]!, scores[j]!);
  }
  const member = lengths[first + 1]!;
  const address = zsetCreate(keyspace, db, bytes[1]!, offsets[1]!, lengths[1]!, member, room);
  c.notify(1, NOTIFY_NEW, 'new');
  return address;
}

function zremCommand(c: Context): void {
  const { args, db, keyspace } = c;
  const { bytes, count, lengths, offsets } = args;
  let address = c.writeTyped(1, TYPE_ZSET);
  if (address === WRONG) return;
  let removed = 0;
  let emptied = false;
  for (let i = 2; i < count && address !== 0 && !emptied; i++) {
    const left = zsetRemove(keyspace, db, address, bytes[i]!, offsets[i]!, lengths[i]!);
    if (left === 0) continue;
    address = left;
    removed++;
    emptied = zsetLength(keyspace, address) === 0;
  }
  if (emptied) keyspace.remove(db, address);
  if (removed > 0) {
    keyspace.dirty += removed - 1;
    c.changed(1, NOTIFY_ZSET, 'zrem');
    if (emptied) c.notify(1, NOTIFY_GENERIC, 'del');
  }
  c.reply.integer(removed);
}

function zcardCommand(c: Context): void {
  const address = c.readTyped(1, TYPE_ZSET);
  if (address !== WRONG) c.reply.integer(address === 0 ? 0 : zsetLength(c.keyspace, address));
}

function zscoreCommand(c: Context): void {
  const address = c.readTyped(1, TYPE_ZSET);
  if (address !== WRONG) replyScore(c, address, 2);
}

function zmscoreCommand(c: Context): void {
  const { count } = c.args;
  const address = c.readTyped(1, TYPE_ZSET);
  if (address === WRONG) return;
  c.reply.array(count - 2);
  for (let i = 2; i < count; i++) replyScore(c, address, i);
}

/** Answers the score of the member in argument `i`, or null. */
function replyScore(c: Context, address: number, i: number): void {
  const { bytes, lengths, offsets } = c.args;
  let score = Number.NaN;
  if (address !== 0) score = zsetScore(c.keyspace, address, bytes[i]!, offsets[i]!, lengths[i]!);
  if (Number.isNaN(score)) c.reply.null();
  else c.reply.double(score);
}

function zrankCommand(c: Context): void {
  rank(c, false);
}

function zrevrankCommand(c: Context): void {
  rank(c, true);
}

function rank(c: Context, reverse: boolean): void {
  const { args, reply } = c;
  const { bytes, count, lengths, offsets } = args;
  if (count > 4) {
    reply.error(wrongArity(c.command.name));
    return;
  }
  const withScore = count === 4;
  if (withScore && !c.is(3, 'withscore')) {
    reply.error(SYNTAX_ERROR);
    return;
  }
  const address = c.readTyped(1, TYPE_ZSET);
  if (address === WRONG) return;
  let ref = 0;
  if (address !== 0) {
    view.open(c.keyspace, address);
    ref = view.find(bytes[2]!, offsets[2]!, lengths[2]!);
  }
  if (ref === 0) {
    if (withScore) reply.nullArray();
    else reply.null();
    return;
  }
  const found = view.rankOf(ref);
  if (withScore) reply.array(2);
  reply.integer(reverse ? view.count - 1 - found : found);
  if (withScore) reply.double(view.scoreOf(ref));
}

export const zsetCommands = [
  command(
    'zadd',
    'sorted-set',
    {
      arity: -4,
      flags: WRITE | DENYOOM | FAST,
      keys: [keyAt(1, 'RW', 'update')],
      acl: ['sortedset'],
      since: '1.2.0',
      complexity:
        'O(log(N)) for each item added, where N is the number of elements in the sorted set.',
      summary: 'Adds members to a sorted set, or gives them other scores.',
      syntax:
        'key:key [condition=(NX|XX)@3.0.2] [comparison=(GT|LT)@6.2.0] [change=CH@3.0.2] ' +
        '[increment=INCR@3.0.2] data={score:double member}...',
      history: [
        ['2.4.0', 'Several members in one call.'],
        ['3.0.2', 'Added the `XX`, `NX`, `CH` and `INCR` options.'],
        ['6.2.0', 'Added the `GT` and `LT` options.'],
      ],
    },
    zaddCommand,
  ),
  command(
    'zcard',
    'sorted-set',
    {
      arity: 2,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO')],
      acl: ['sortedset'],
      since: '1.2.0',
      complexity: 'O(1)',
      summary: 'Counts the members of a sorted set.',
      syntax: 'key:key',
    },
    zcardCommand,
  ),
  command(
    'zincrby',
    'sorted-set',
    {
      arity: 4,
      flags: WRITE | DENYOOM | FAST,
      keys: [keyAt(1, 'RW', 'access', 'update')],
      acl: ['sortedset'],
      since: '1.2.0',
      complexity: 'O(log(N)) where N is the number of elements in the sorted set.',
      summary: 'Adds a number to the score of a member of a sorted set.',
      syntax: 'key:key increment:integer member',
    },
    zincrbyCommand,
  ),
  command(
    'zmscore',
    'sorted-set',
    {
      arity: -3,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['sortedset'],
      since: '6.2.0',
      complexity: 'O(N) where N is the number of members being requested.',
      summary: 'Returns the scores of several members of a sorted set.',
      syntax: 'key:key member...',
    },
    zmscoreCommand,
  ),
  command(
    'zrank',
    'sorted-set',
    {
      arity: -3,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['sortedset'],
      since: '2.0.0',
      complexity: 'O(log(N))',
      summary: 'Returns the place of a member of a sorted set, from the lowest score.',
      syntax: 'key:key member [WITHSCORE]',
      history: [['7.2.0', 'Added the optional `WITHSCORE` argument.']],
    },
    zrankCommand,
  ),
  command(
    'zrem',
    'sorted-set',
    {
      arity: -3,
      flags: WRITE | FAST,
      keys: [keyAt(1, 'RW', 'delete')],
      acl: ['sortedset'],
      since: '1.2.0',
      complexity:
        'O(M*log(N)) with N being the number of elements in the sorted set and M the ' +
        'number of elements to be removed.',
      summary: 'Removes members of a sorted set; the key goes with the last one.',
      syntax: 'key:key member...',
      history: [['2.4.0', 'Several members in one call.']],
    },
    zremCommand,
  ),
  command(
    'zrevrank',
    'sorted-set',
    {
      arity: -3,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['sortedset'],
      since: '2.0.0',
      complexity: 'O(log(N))',
      summary: 'Returns the place of a member of a sorted set, from the highest score.',
      syntax: 'key:key member [WITHSCORE]',
      history: [['7.2.0', 'Added the optional `WITHSCORE` argument.']],
    },
    zrevrankCommand,
  ),
  command(
    'zscore',
    'sorted-set',
    {
      arity: 3,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['sortedset'],
      since: '1.2.0',
      complexity: 'O(1)',
      summary: 'Returns the score of a member of a sorted set.',
      syntax: 'key:key member',
    },
    zscoreCommand,
  ),
];
