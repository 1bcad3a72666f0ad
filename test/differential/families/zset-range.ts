/**
 * The commands on ranges of sorted sets: by rank, by score, by member, returned, counted, stored
 * and removed, with every option and many that do not fit.
 */
import type { Random } from '../../support/random.ts';
import { command, marked } from '../command.ts';
import type { Family } from '../step.ts';
import * as values from '../values.ts';
import {
  lexBoundOf,
  lexKeyOf,
  limitOf,
  memberOf,
  rankOf,
  scoreBoundOf,
  upkeep,
} from './zset-values.ts';

const { keyOf, word } = values;

const wrongOptions = [['FOO'], ['REV', 'REV'], ['BYSCORE', 'BYSCORE'], ['BYLEX', 'BYSCORE'], ['']];

/** The options of a range, in any order: `words` are those that there may be. */
function optionsOf(random: Random, words: readonly string[], limit: number): string[] {
  const all = words.filter(() => random.chance(0.4)).map((text) => [word(random, text)]);
  if (random.chance(limit)) all.push(limitOf(random));
  if (random.chance(0.04)) all.push(random.pick(wrongOptions));
  return random.shuffled(all).flat();
}

function rangeByRank(random: Random, words: readonly string[]): string[] {
  return [rankOf(random), rankOf(random), ...optionsOf(random, words, 0.03)];
}

function rangeByScore(random: Random, words: readonly string[]): string[] {
  const ends = [scoreBoundOf(random), scoreBoundOf(random)];
  const options = optionsOf(random, words, 0.5);
  return [...ends, ...random.shuffled([[word(random, 'BYSCORE')], options]).flat()];
}

function rangeByMember(random: Random, words: readonly string[]): string[] {
  const ends = [lexBoundOf(random), lexBoundOf(random)];
  const options = optionsOf(random, words, 0.5);
  if (random.chance(0.03)) options.push('WITHSCORES');
  return [...ends, ...random.shuffled([[word(random, 'BYLEX')], options]).flat()];
}

const scored = ['WITHSCORES'];
const turned = ['REV', 'WITHSCORES'];
const sameScore = (random: Random): string[] =>
  random
    .list(1, random.chance(0.05) ? 160 : 5, () =>
      random.chance(0.5) ? memberOf(random) : `member ${random.between(0, 200)}`,
    )
    .flatMap((member) => ['0', member]);

/** Of zsets whose scores are all equal; damaged arguments could name others. */
const byMember = [
  command('ZADD', 4, (r) => [lexKeyOf(r), sameScore(r)]),
  command('ZREM', 1, (r) => [lexKeyOf(r), r.list(1, 4, () => memberOf(r))]),
  command('ZRANGE', 4, (r) => [lexKeyOf(r), rangeByMember(r, ['REV'])]),
  command('ZRANGESTORE', 2, (r) => [
    r.chance(0.5) ? lexKeyOf(r) : keyOf(r),
    lexKeyOf(r),
    rangeByMember(r, ['REV']),
  ]),
  command('ZRANGEBYLEX', 3, (r) => [
    lexKeyOf(r),
    lexBoundOf(r),
    lexBoundOf(r),
    optionsOf(r, [], 0.5),
  ]),
  command('ZREVRANGEBYLEX', 3, (r) => [
    lexKeyOf(r),
    lexBoundOf(r),
    lexBoundOf(r),
    optionsOf(r, [], 0.5),
  ]),
  command('ZLEXCOUNT', 3, (r) => [lexKeyOf(r), lexBoundOf(r), lexBoundOf(r)]),
  command('ZREMRANGEBYLEX', 2, (r) => [lexKeyOf(r), lexBoundOf(r), lexBoundOf(r)]),
  command('DEL', 0.3, (r) => [lexKeyOf(r)]),
].map((generator) => marked(generator, { mangle: false }));

export const zsetRangeFamily: Family = {
  name: 'zset ranges',
  generators: [
    ...upkeep,
    ...byMember,
    command('ZRANGE', 6, (r) => [keyOf(r), rangeByRank(r, turned)]),
    command('ZRANGE', 6, (r) => [keyOf(r), rangeByScore(r, turned)]),
    command('ZREVRANGE', 3, (r) => [keyOf(r), rangeByRank(r, scored)]),
    command('ZRANGEBYSCORE', 5, (r) => [
      keyOf(r),
      scoreBoundOf(r),
      scoreBoundOf(r),
      optionsOf(r, scored, 0.5),
    ]),
    command('ZREVRANGEBYSCORE', 5, (r) => [
      keyOf(r),
      scoreBoundOf(r),
      scoreBoundOf(r),
      optionsOf(r, scored, 0.5),
    ]),
    command('ZCOUNT', 4, (r) => [keyOf(r), scoreBoundOf(r), scoreBoundOf(r)]),
    command('ZRANGESTORE', 3, (r) => [keyOf(r), keyOf(r), rangeByRank(r, ['REV'])]),
    command('ZRANGESTORE', 3, (r) => [keyOf(r), keyOf(r), rangeByScore(r, ['REV'])]),
    command('ZREMRANGEBYRANK', 2, (r) => [keyOf(r), rankOf(r), rankOf(r)]),
    command('ZREMRANGEBYSCORE', 2, (r) => [keyOf(r), scoreBoundOf(r), scoreBoundOf(r)]),
  ],
};
