/**
 * The commands on several sorted sets: ZUNION, ZUNIONSTORE, ZINTER, ZINTERSTORE, ZINTERCARD, ZDIFF,
 * ZDIFFSTORE. What they compute is in zset-algebra.ts.
 *
 * All sources are looked up, and their types judged, before the options are read. A STORE puts its
 * result in place of whatever its destination holds, which may be one of the sources; where nothing
 * results the destination is removed.
 */
import { ElementView } from '../../core/types/element-view.ts';
import { ZsetResult } from '../../core/types/zset-result.ts';
import {
  command,
  DENYOOM,
  keyAt,
  keysCounted,
  MOVABLE_KEYS,
  READONLY,
  WRITE,
} from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { SYNTAX_ERROR } from '../dispatch/errors.ts';
import { OptionReader } from '../dispatch/option-reader.ts';
import {
  countCommon,
  intersect,
  MAX,
  MIN,
  type Source,
  SUM,
  sourcesOf,
  subtract,
  unite,
} from './zset-algebra.ts';
import { storeZset } from './zset-store.ts';

const result = new ZsetResult();
const member = new ElementView();
const options = new OptionReader();

/** What a command accepts behind its keys, as bits. */
const WEIGHTED = 1 << 0;
const WITH_SCORES = 1 << 1;
const LIMITED = 1 << 2;

/** What the last `readRequest` read. */
const request = { aggregate: SUM, withScores: false, limit: 0 };

/**
 * Reads "numkeys key... options" from argument `at` on, of which `accepted` says what there may be.
 * The sources, or null when an error has been answered.
 */
function readRequest(c: Context, at: number, accepted: number): Source[] | null {
  const count = c.integer(at);
  if (Number.isNaN(count)) return null;
  if (count < 1) {
    c.reply.error(`ERR at least 1 input key is needed for '${c.command.name}' command`);
    return null;
  }
  if (count > c.argc - at - 1) {
    c.reply.error(SYNTAX_ERROR);
    return null;
  }
  const sources = sourcesOf(c, at + 1, count);
  if (sources === null) return null;
  readOptions(c, at + 1 + count, accepted, sources);
  return options.refuse(c.reply) ? null : sources;
}

function readOptions(c: Context, from: number, accepted: number, sources: Source[]): void {
  const weighted = (accepted & WEIGHTED) !== 0;
  request.aggregate = SUM;
  request.withScores = false;
  request.limit = 0;
  options.start(c.args, from);
  while (options.more) {
    if (weighted && options.take('weights', sources.length)) {
      for (const source of sources)
        source.weight = options.double('ERR weight value is not a float');
    } else if (weighted && options.take('aggregate', 1)) {
      request.aggregate = readAggregate(c, options.index());
    } else if ((accepted & WITH_SCORES) !== 0 && options.take('withscores')) {
      request.withScores = true;
    } else if ((accepted & LIMITED) !== 0 && options.take('limit', 1)) {
      const error = "ERR LIMIT can't be negative";
      request.limit = options.integer(error);
      if (request.limit < 0) options.fail(error);
    } else options.fail();
  }
}

function readAggregate(c: Context, i: number): number {
  if (c.is(i, 'min')) return MIN;
  if (c.is(i, 'max')) return MAX;
  if (!c.is(i, 'sum')) options.fail();
  return SUM;
}

function zunionCommand(c: Context): void {
  const sources = readRequest(c, 1, WEIGHTED | WITH_SCORES);
  if (sources === null) return;
  unite(c, result, sources, request.aggregate);
  answer(c);
}

function zunionstoreCommand(c: Context): void {
  const sources = readRequest(c, 2, WEIGHTED);
  if (sources === null) return;
  unite(c, result, sources, request.aggregate);
  storeZset(c, result, 'zunionstore');
}

function zinterCommand(c: Context): void {
  const sources = readRequest(c, 1, WEIGHTED | WITH_SCORES);
  if (sources === null) return;
  intersect(c, result, sources, request.aggregate);
  answer(c);
}

function zinterstoreCommand(c: Context): void {
  const sources = readRequest(c, 2, WEIGHTED);
  if (sources === null) return;
  intersect(c, result, sources, request.aggregate);
  storeZset(c, result, 'zinterstore');
}

function zintercardCommand(c: Context): void {
  const sources = readRequest(c, 1, LIMITED);
  if (sources === null) return;
  const { limit } = request;
  c.reply.integer(countCommon(sources, limit === 0 ? Number.POSITIVE_INFINITY : limit));
}

function zdiffCommand(c: Context): void {
  const sources = readRequest(c, 1, WITH_SCORES);
  if (sources === null) return;
  subtract(c, result, sources);
  answer(c);
}

function zdiffstoreCommand(c: Context): void {
  const sources = readRequest(c, 2, 0);
  if (sources === null) return;
  subtract(c, result, sources);
  storeZset(c, result, 'zdiffstore');
}

/** Answers what was gathered, with scores in pairs of their own in RESP3. */
function answer(c: Context): void {
  const { reply } = c;
  const { withScores } = request;
  const { count } = result;
  const nested = withScores && reply.protocol === 3;
  reply.array(withScores && !nested ? count * 2 : count);
  for (let rank = 0; rank < count; rank++) {
    if (nested) reply.array(2);
    result.show(rank, member);
    reply.bulk(member.bytes, member.offset, member.length);
    if (withScores) reply.double(result.scoreAt(rank));
  }
  result.end();
}

const UNITED =
  'O(N)+O(M*log(M)) with N being the sum of the sizes of the input sorted sets, and M being the ' +
  'number of elements in the resulting sorted set.';
const INTERSECTED =
  'O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number ' +
  'of input sorted sets and M being the number of elements in the resulting sorted set.';
const SUBTRACTED =
  'O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is ' +
  'the size of the first set, and K is the size of the result set.';
const WEIGHTS = '[WEIGHTS weight:integer...] [AGGREGATE aggregate=(SUM|MIN|MAX)]';

export const zsetCombineCommands = [
  command(
    'zdiff',
    'sorted-set',
    {
      arity: -3,
      flags: READONLY | MOVABLE_KEYS,
      keys: [keysCounted(1, 'RO', 'access')],
      acl: ['sortedset'],
      since: '6.2.0',
      complexity: SUBTRACTED,
      summary: 'Returns the members of a sorted set that no other has.',
      syntax: 'numkeys:integer key:key... [WITHSCORES]',
    },
    zdiffCommand,
  ),
  command(
    'zdiffstore',
    'sorted-set',
    {
      arity: -4,
      flags: WRITE | DENYOOM | MOVABLE_KEYS,
      keys: [keyAt(1, 'OW', 'update'), keysCounted(2, 'RO', 'access')],
      acl: ['sortedset'],
      since: '6.2.0',
      complexity: SUBTRACTED,
      summary: 'Stores the members of a sorted set that no other has.',
      syntax: 'destination:key numkeys:integer key:key...',
    },
    zdiffstoreCommand,
  ),
  command(
    'zinter',
    'sorted-set',
    {
      arity: -3,
      flags: READONLY | MOVABLE_KEYS,
      keys: [keysCounted(1, 'RO', 'access')],
      acl: ['sortedset'],
      since: '6.2.0',
      complexity: INTERSECTED,
      summary: 'Returns the members that all sorted sets have, their scores combined.',
      syntax: `numkeys:integer key:key... ${WEIGHTS} [WITHSCORES]`,
    },
    zinterCommand,
  ),
  command(
    'zintercard',
    'sorted-set',
    {
      arity: -3,
      flags: READONLY | MOVABLE_KEYS,
      keys: [keysCounted(1, 'RO', 'access')],
      acl: ['sortedset'],
      since: '7.0.0',
      complexity:
        'O(N*K) worst case with N being the smallest input sorted set, K being the number of ' +
        'input sorted sets.',
      summary: 'Counts the members that all sorted sets have.',
      syntax: 'numkeys:integer key:key... [LIMIT limit:integer]',
    },
    zintercardCommand,
  ),
  command(
    'zinterstore',
    'sorted-set',
    {
      arity: -4,
      flags: WRITE | DENYOOM | MOVABLE_KEYS,
      keys: [keyAt(1, 'OW', 'update'), keysCounted(2, 'RO', 'access')],
      acl: ['sortedset'],
      since: '2.0.0',
      complexity: INTERSECTED,
      summary: 'Stores the members that all sorted sets have, their scores combined.',
      syntax: `destination:key numkeys:integer key:key... ${WEIGHTS}`,
    },
    zinterstoreCommand,
  ),
  command(
    'zunion',
    'sorted-set',
    {
      arity: -3,
      flags: READONLY | MOVABLE_KEYS,
      keys: [keysCounted(1, 'RO', 'access')],
      acl: ['sortedset'],
      since: '6.2.0',
      complexity: UNITED,
      summary: 'Returns the members that any sorted set has, their scores combined.',
      syntax: `numkeys:integer key:key... ${WEIGHTS} [WITHSCORES]`,
    },
    zunionCommand,
  ),
  command(
    'zunionstore',
    'sorted-set',
    {
      arity: -4,
      flags: WRITE | DENYOOM | MOVABLE_KEYS,
      keys: [keyAt(1, 'OW', 'update'), keysCounted(2, 'RO', 'access')],
      acl: ['sortedset'],
      since: '2.0.0',
      complexity: UNITED,
      summary: 'Stores the members that any sorted set has, their scores combined.',
      syntax: `destination:key numkeys:integer key:key... ${WEIGHTS}`,
    },
    zunionstoreCommand,
  ),
];
