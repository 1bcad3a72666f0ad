/**
 * The list commands. Few distinct elements make LREM, LPOS and LINSERT find something; now and then
 * many elements at once or a long one make a quicklist of several nodes, and trims make it small
 * again. Those that wait are given a moment only, and mostly find something.
 */
import type { Random } from '../../support/random.ts';
import { command } from '../command.ts';
import type { Family } from '../step.ts';
import * as values from '../values.ts';

const { keyOf, keysOf, word } = values;

const common = ['a', 'b', 'c', '1', '2', '-5', '300', '70000', 'hello', ''];

function elementOf(random: Random): string {
  if (random.chance(0.75)) return random.pick(common);
  if (random.chance(0.06)) return random.pick(['long', 'text ']).repeat(random.between(50, 400));
  return values.stringValue(random);
}

const elements = (random: Random): string[] => {
  if (!random.chance(0.06)) return random.list(1, 6, () => elementOf(random));
  const start = random.between(0, 50);
  return Array.from({ length: random.between(10, 150) }, (_, i) => `element ${start + i}`);
};

const end = (random: Random): string =>
  random.chance(0.97) ? word(random, random.pick(['LEFT', 'RIGHT'])) : random.pick(['UP', '']);

const integer = (random: Random, low: number, high: number): string =>
  random.chance(0.94) ? String(random.between(low, high)) : values.integerOrNot(random);

/** A number of keys and the keys, which now and then do not fit together. */
function countedKeys(random: Random): string[] {
  const keys = keysOf(random, 1, 4);
  const count = random.chance(0.95) ? String(keys.length) : random.pick(['0', '-1', 'x', '9', '1']);
  return [count, ...keys];
}

function countOption(random: Random): string[] {
  if (random.chance(0.4)) return [];
  if (random.chance(0.05))
    return random.pick([['COUNT'], ['FOO', '1'], ['COUNT', '1', 'COUNT', '2']]);
  return [word(random, 'COUNT'), integer(random, 0, 12)];
}

function lposOptions(random: Random): string[] {
  const options: string[][] = [];
  if (random.chance(0.4)) options.push([word(random, 'RANK'), integer(random, -4, 4)]);
  if (random.chance(0.4)) options.push([word(random, 'COUNT'), integer(random, 0, 5)]);
  if (random.chance(0.3)) options.push([word(random, 'MAXLEN'), integer(random, 0, 12)]);
  if (random.chance(0.04)) options.push([random.pick(['RANK', 'COUNT', 'FOO'])]);
  return random.shuffled(options).flat();
}

/** A wait that is over at once, or none that Redis would begin. */
const timeout = (random: Random): string =>
  random.pick(
    random.chance(0.6)
      ? ['0.001', '0.0001', '1e-3', '.001', '0x0.001']
      : ['-1', '-0.0011', 'x', '', ' 1', '1 ', 'nan', 'inf', '-inf', '1e400', '1e5000', '--1'],
  );

export const listFamily: Family = {
  name: 'list',
  generators: [
    command('RPUSH', 8, (r) => [keyOf(r), elements(r)]),
    command('LPUSH', 8, (r) => [keyOf(r), elements(r)]),
    command('RPUSHX', 2, (r) => [keyOf(r), elements(r)]),
    command('LPUSHX', 2, (r) => [keyOf(r), elements(r)]),
    command('LINSERT', 5, (r) => [
      keyOf(r),
      r.chance(0.96) ? word(r, r.pick(['BEFORE', 'AFTER'])) : r.pick(['', 'BESIDE']),
      elementOf(r),
      elementOf(r),
    ]),
    command('LSET', 4, (r) => [keyOf(r), integer(r, -8, 8), elementOf(r)]),
    command('LPOP', 3, (r) => [keyOf(r), r.chance(0.4) ? [integer(r, -1, 9)] : []]),
    command('RPOP', 3, (r) => [keyOf(r), r.chance(0.4) ? [integer(r, -1, 9)] : []]),
    command('LMPOP', 2, (r) => [countedKeys(r), end(r), countOption(r)]),
    command('LMOVE', 4, (r) => [keyOf(r), keyOf(r), end(r), end(r)]),
    command('RPOPLPUSH', 2, (r) => [keyOf(r), keyOf(r)]),
    command('LLEN', 2, (r) => [keyOf(r)]),
    command('LINDEX', 4, (r) => [keyOf(r), integer(r, -20, 20)]),
    command('LRANGE', 5, (r) => [keyOf(r), integer(r, -30, 30), integer(r, -30, 60)]),
    command('LPOS', 4, (r) => [keyOf(r), elementOf(r), lposOptions(r)]),
    command('LREM', 4, (r) => [keyOf(r), integer(r, -3, 3), elementOf(r)]),
    command('LTRIM', 2, (r) => [keyOf(r), integer(r, -20, 12), integer(r, -8, 60)]),
    command('BLPOP', 0.3, (r) => [keysOf(r, 1, 4), timeout(r)]),
    command('BRPOP', 0.3, (r) => [keysOf(r, 1, 4), timeout(r)]),
    command('BLMPOP', 0.2, (r) => [timeout(r), countedKeys(r), end(r), countOption(r)]),
    command('BLMOVE', 0.2, (r) => [keyOf(r), keyOf(r), end(r), end(r), timeout(r)]),
    command('BRPOPLPUSH', 0.2, (r) => [keyOf(r), keyOf(r), timeout(r)]),
    command('DEL', 1, (r) => [keysOf(r, 1, 2)]),
    command('OBJECT ENCODING', 2, (r) => [keyOf(r)]),
    command('SET', 0.5, (r) => [keyOf(r), 'not a list']),
  ],
};
