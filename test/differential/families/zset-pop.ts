/**
 * The commands that take elements of sorted sets, wait for them, show them by chance and go over
 * them. Those that wait are given a moment only, and mostly find something.
 */
import type { Random } from '../../support/random.ts';
import { splitReply } from '../../support/resp-reader.ts';
import { command, marked } from '../command.ts';
import { sameKind, scanPage } from '../comparators.ts';
import type { Comparator, Draft, Family, Generator } from '../step.ts';
import * as values from '../values.ts';
import { upkeep } from './zset-values.ts';

const { keyOf, keysOf, word } = values;

const end = (random: Random): string =>
  random.chance(0.97) ? word(random, random.pick(['MIN', 'MAX'])) : random.pick(['MID', '']);

const countOrNot = (random: Random): string =>
  random.chance(0.93) ? String(random.between(0, 9)) : values.integerOrNot(random);

function countedKeys(random: Random): string[] {
  const keys = keysOf(random, 1, 4);
  const count = random.chance(0.95) ? String(keys.length) : random.pick(['0', '-1', 'x', '9', '1']);
  return [count, ...keys];
}

function countOption(random: Random): string[] {
  if (random.chance(0.4)) return [];
  if (random.chance(0.05))
    return random.pick([['COUNT'], ['FOO', '1'], ['COUNT', '1', 'COUNT', '2']]);
  return [word(random, 'COUNT'), countOrNot(random)];
}

/** A wait that is over at once, or none that Redis would begin. */
const timeout = (random: Random): string =>
  random.chance(0.7) ? '0.001' : random.pick(['-1', 'x', '', 'nan', 'inf', '1e400', '0x0.001']);

/** The same number of picks, or the same error; what is picked is chance. */
const sameSize: Comparator = {
  name: 'same size',
  same: (left, right) => {
    if (left[0] !== right[0]) return false;
    if (left[0] !== 0x2a && left[0] !== 0x7e) return sameKind.same(left, right);
    return splitReply(left).head.equals(splitReply(right).head);
  },
};

function randomOptions(random: Random): string[] {
  if (random.chance(0.2)) return [];
  const wrong = ['x', '', '1.5', '9223372036854775808', '-9223372036854775808'];
  const count = random.chance(0.93) ? String(random.between(-6, 40)) : random.pick(wrong);
  if (random.chance(0.5)) return [count];
  if (random.chance(0.05)) return [count, random.pick(['FOO', 'WITHSCORE', '1'])];
  return [count, word(random, 'WITHSCORES')];
}

/** As many as there are, or more, come in order. */
const wholeZset = (random: Random): string[] =>
  random.chance(0.5) ? ['1000'] : ['1000', word(random, 'WITHSCORES')];

function scanOptions(random: Random): string[] {
  const options: string[][] = [];
  if (random.chance(0.4)) {
    options.push([word(random, 'MATCH'), random.pick(['*', '1*', 'm?', '[a-c]', '', 'element*'])]);
  }
  if (random.chance(0.5)) options.push([word(random, 'COUNT'), String(random.between(1, 50))]);
  return random.shuffled(options).flat();
}

const scanLoop: Generator = {
  name: 'ZSCAN loop',
  weight: 3,
  make: ({ random }): Draft => ({
    args: [word(random, 'ZSCAN'), keyOf(random), '0', ...scanOptions(random)],
    loop: { cursorAt: 2, itemsPerElement: 2 },
    compare: scanPage(2),
  }),
};

const wrongScan = (random: Random): string[] =>
  random.pick([
    ['0', 'COUNT', random.pick(['0', '-1', 'x', ''])],
    [random.pick(['x', '', '18446744073709551616', '1.5']), 'COUNT', '10'],
    ['0', random.pick(['COUNT', 'MATCH', 'NOVALUES', 'FOO'])],
    ['0', 'TYPE', 'zset'],
  ]);

export const zsetPopFamily: Family = {
  name: 'zset pops',
  generators: [
    ...upkeep,
    command('ZPOPMIN', 4, (r) => [keyOf(r), r.some([countOrNot(r)], 0.6)]),
    command('ZPOPMAX', 4, (r) => [keyOf(r), r.some([countOrNot(r)], 0.6)]),
    command('ZMPOP', 4, (r) => [countedKeys(r), end(r), countOption(r)]),
    command('BZPOPMIN', 0.5, (r) => [keysOf(r, 1, 4), timeout(r)]),
    command('BZPOPMAX', 0.5, (r) => [keysOf(r, 1, 4), timeout(r)]),
    command('BZMPOP', 0.5, (r) => [timeout(r), countedKeys(r), end(r), countOption(r)]),
    command('ZRANDMEMBER', 3, (r) => [keyOf(r), randomOptions(r)], sameSize),
    marked(
      command('ZRANDMEMBER', 2, (r) => [keyOf(r), wholeZset(r)]),
      { mangle: false },
    ),
    scanLoop,
    command('ZSCAN', 2, (r) => [keyOf(r), wrongScan(r)], sameSize),
  ],
};
