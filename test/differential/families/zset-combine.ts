/**
 * The commands on several sorted sets, with sets among them: unions, intersections, differences,
 * returned, counted and stored.
 */
import type { Random } from '../../support/random.ts';
import { command } from '../command.ts';
import type { Family } from '../step.ts';
import * as values from '../values.ts';
import { memberOf, upkeep } from './zset-values.ts';

const { keyOf, keysOf, word } = values;

const weights = ['1', '2', '-1', '0', '0.5', '-0.25', 'inf', '-inf', '-0', '3'];

/** "numkeys key..." and how many keys there are; now and then they do not fit together. */
function countedKeys(random: Random): string[] {
  const keys = keysOf(random, 1, random.chance(0.1) ? 8 : 4);
  if (random.chance(0.95)) return [String(keys.length), ...keys];
  const wrong = ['0', '-1', 'x', '', '1', '9', '9223372036854775807', '9223372036854775808'];
  return [random.pick(wrong), ...keys];
}

function weightsOf(random: Random, count: number): string[] {
  const given = random.list(count, count, () => random.pick(weights));
  if (random.chance(0.05)) given.push('1');
  if (random.chance(0.05)) given.pop();
  if (random.chance(0.05)) given.push(random.pick(['x', 'nan', '']));
  return [word(random, 'WEIGHTS'), ...given];
}

function aggregateOf(random: Random): string[] {
  const how = random.chance(0.95) ? random.pick(['SUM', 'MIN', 'MAX']) : random.pick(['', 'AVG']);
  return [word(random, 'AGGREGATE'), word(random, how)];
}

function combined(random: Random, withScores: boolean): string[] {
  const keys = countedKeys(random);
  const options: string[][] = [];
  if (random.chance(0.45)) options.push(weightsOf(random, keys.length - 1));
  if (random.chance(0.5)) options.push(aggregateOf(random));
  if (random.chance(withScores ? 0.6 : 0.03)) options.push([word(random, 'WITHSCORES')]);
  if (random.chance(0.03)) options.push(random.pick([['FOO'], ['AGGREGATE'], ['WEIGHTS'], ['']]));
  return [...keys, ...random.shuffled(options).flat()];
}

function subtracted(random: Random, withScores: boolean): string[] {
  const options: string[][] = [];
  if (random.chance(withScores ? 0.6 : 0.03)) options.push([word(random, 'WITHSCORES')]);
  if (random.chance(0.03))
    options.push(
      random.pick([
        ['AGGREGATE', 'SUM'],
        ['WEIGHTS', '1'],
      ]),
    );
  return [...countedKeys(random), ...options.flat()];
}

function counted(random: Random): string[] {
  const keys = countedKeys(random);
  if (random.chance(0.5)) return keys;
  if (random.chance(0.05)) return [...keys, random.pick(['LIMIT', 'WITHSCORES', 'FOO'])];
  const limit = random.chance(0.9) ? String(random.between(0, 6)) : random.pick(['-1', 'x', '']);
  return [...keys, word(random, 'LIMIT'), limit];
}

export const zsetCombineFamily: Family = {
  name: 'zset combinations',
  generators: [
    ...upkeep,
    command('SADD', 3, (r) => [keyOf(r), r.list(1, 6, () => memberOf(r))]),
    command('SADD', 1, (r) => [keyOf(r), r.list(1, 6, () => String(r.between(-5, 5)))]),
    command('ZUNION', 5, (r) => [combined(r, true)]),
    command('ZINTER', 5, (r) => [combined(r, true)]),
    command('ZDIFF', 4, (r) => [subtracted(r, true)]),
    command('ZUNIONSTORE', 5, (r) => [keyOf(r), combined(r, false)]),
    command('ZINTERSTORE', 3, (r) => [keyOf(r), combined(r, false)]),
    command('ZDIFFSTORE', 3, (r) => [keyOf(r), subtracted(r, false)]),
    command('ZINTERCARD', 4, (r) => [counted(r)]),
  ],
};
