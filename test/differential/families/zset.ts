/**
 * The commands on single members of sorted sets, with every option of ZADD and many that do not fit
 * together.
 */
import type { Random } from '../../support/random.ts';
import { command, marked } from '../command.ts';
import type { Family } from '../step.ts';
import * as values from '../values.ts';
import { memberOf, pairsOf, scoreOf, upkeep } from './zset-values.ts';

const { keyOf, word } = values;

const conditions = ['NX', 'XX', 'GT', 'LT', 'CH', 'INCR'];

/** Options in any order; mostly some that may stand together. */
function addOptions(random: Random): string[] {
  const all = random.chance(0.15)
    ? conditions.filter(() => random.chance(0.4))
    : [
        ...random.some(['CH'], 0.3),
        ...random.pick([[], [], ['NX'], ['XX'], ['GT'], ['LT'], ['XX', 'GT'], ['LT', 'XX']]),
      ];
  if (random.chance(0.03)) all.push(random.pick(['FOO', 'NX', 'WITHSCORES', '']));
  return random.shuffled(all).map((one) => word(random, one));
}

const onePair = (random: Random): string[] => [scoreOf(random), memberOf(random)];

/** A pair, now and then too much or too little. */
function incrPairs(random: Random): string[] {
  if (random.chance(0.05)) return [...onePair(random), ...onePair(random)];
  return random.chance(0.03) ? [scoreOf(random)] : onePair(random);
}

/** With one argument more they ask for the score in 7.2, and are refused by 7.0. */
const ranks = ['ZRANK', 'ZREVRANK'].map((name) =>
  marked(
    command(name, 5, (r) => [keyOf(r), memberOf(r)]),
    { mangle: false },
  ),
);

export const zsetFamily: Family = {
  name: 'zset members',
  generators: [
    ...upkeep,
    command('ZADD', 14, (r) => [keyOf(r), addOptions(r), pairsOf(r)]),
    command('ZADD', 6, (r) => [
      keyOf(r),
      r.shuffled([word(r, 'INCR'), ...addOptions(r)]),
      incrPairs(r),
    ]),
    command('ZINCRBY', 4, (r) => [keyOf(r), incrPairs(r)]),
    command('ZINCRBY', 1, (r) => [keyOf(r), values.floatOrNot(r), memberOf(r)]),
    command('ZREM', 3, (r) => [keyOf(r), r.list(1, 8, () => memberOf(r))]),
    command('ZCARD', 3, (r) => [keyOf(r)]),
    command('ZSCORE', 4, (r) => [keyOf(r), memberOf(r)]),
    command('ZMSCORE', 3, (r) => [keyOf(r), r.list(1, 6, () => memberOf(r))]),
    ...ranks,
    command('COPY', 1, (r) => [keyOf(r), keyOf(r), r.some(['REPLACE'], 0.7)]),
    command('RENAME', 1, (r) => [keyOf(r), keyOf(r)]),
    command('TYPE', 1, (r) => [keyOf(r)]),
    marked(
      command('DEBUG DIGEST-VALUE', 2, (r) => [keyOf(r)]),
      { mangle: false },
    ),
  ],
};
