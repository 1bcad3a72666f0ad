/**
 * SORT and SORT_RO on lists, sets and sorted sets, with strings and hashes for BY and GET to
 * find. Lists go by index, so that equal weights show in which order a sort left them.
 */
import type { Random } from '../../support/random.ts';
import { command } from '../command.ts';
import { unordered } from '../comparators.ts';
import type { Draft, Family } from '../step.ts';
import { floatOrNot, indexOrNot, word } from '../values.ts';

const lists = ['l1', 'l2', 'l3'];
const sets = ['s1', 's2'];
const zsets = ['z1', 'z2'];
const patterns = ['w_*', 'w_*', 'h_*->f', 'h_*->g', '*', '*_w', 'w_*->', 'nothing_*', 'a*b*'];
const constants = ['nosort', '#', 'w_1', '', 'w_\0*'];

const number = (random: Random): string => String(random.between(0, 25));
const anyKey = (random: Random): string =>
  random.pick([...lists, ...sets, ...zsets, 'none', 'w_1', 'h_1']);

/**
 * A number or something else, never one out of range: after meeting one, a real server may refuse
 * good numbers too, until its next system call fails.
 */
function numberOrNot(random: Random): string {
  const text = floatOrNot(random);
  return ['1e400', '4.9e-324'].includes(text) ? '1e3' : text;
}

const textOf = (random: Random): string =>
  random.pick(['a', 'B', 'b', '\xff', 'x\0y', 'x\0z', '', ' ']);

function elementOf(random: Random): string {
  if (random.chance(0.92)) return number(random);
  return random.chance(0.5) ? numberOrNot(random) : textOf(random);
}

function limit(random: Random): string[] {
  if (random.chance(0.55)) return [];
  const small = (): string =>
    random.chance(0.85) ? String(random.between(-1, 40)) : indexOrNot(random);
  return [word(random, 'LIMIT'), small(), small()];
}

/** Options in any order, some of them twice. */
function optionsOf(random: Random): string[] {
  const by = random.chance(0.8) ? random.pick(patterns) : random.pick(constants);
  const gets = random.list(0, 3, () => [
    word(random, 'GET'),
    random.pick([...patterns, '#', '#', 'nosort']),
  ]);
  const all = [
    random.chance(0.6) ? [word(random, 'BY'), by] : [],
    limit(random),
    random.chance(0.3) ? gets.flat() : [],
    random.chance(0.5) ? [word(random, random.pick(['ASC', 'DESC', 'DESC']))] : [],
    random.chance(0.6) ? [word(random, 'ALPHA')] : [],
    random.chance(0.03) ? [random.pick(['FOO', 'BY', 'GET', 'LIMIT', 'STORE'])] : [],
  ];
  return random.shuffled(all).flat();
}

/** A list: its order is its own, so that everything is compared to the byte. */
const sortList = (random: Random): string[] => [random.pick(lists), ...optionsOf(random)];

/** A set in an order that its members decide alone, whatever the order in which it gives them. */
function sortSet(random: Random): string[] {
  const get = random.chance(0.3) ? [word(random, 'GET'), random.pick([...patterns, '#'])] : [];
  const order = random.pick([[], ['ASC'], ['DESC']]);
  const alpha = random.chance(0.7) ? [word(random, 'ALPHA')] : [word(random, 'BY'), 'w_*'];
  return [random.pick(sets), ...alpha, ...limit(random), ...get, ...order];
}

/** A sorted set in the order of its scores, or in one that its members decide alone. */
function sortZset(random: Random): string[] {
  const get = random.chance(0.2) ? [word(random, 'GET'), random.pick([...patterns, '#'])] : [];
  const order = random.pick([[], ['ASC'], ['DESC']]);
  const by = random.pick([
    [word(random, 'BY'), 'nosort'],
    [word(random, 'BY'), 'nosort'],
    [word(random, 'BY'), 'w_*'],
    [word(random, 'ALPHA')],
    [],
  ]);
  return [random.pick(zsets), ...by, ...limit(random), ...get, ...order];
}

const unsorted = (random: Random): string[] => [random.pick(sets), 'BY', 'nosort'];

function storing({ random }: { random: Random }): Draft[] {
  const target = random.pick([...lists, 'stored', 'stored', 'w_2']);
  const source = random.chance(0.6)
    ? sortList(random)
    : random.chance(0.5)
      ? sortZset(random)
      : [random.pick(sets), 'BY', 'nosort'];
  return [
    { args: ['SORT', ...source, word(random, 'STORE'), target] },
    { args: ['LRANGE', target, '0', '-1'] },
  ];
}

/** A list, made anew, with as many elements as a partial sort has cases for. */
function refill({ random }: { random: Random }): Draft[] {
  const key = random.pick(lists);
  const count = random.pick([3, 6, 7, 8, 20, 40, 41, 60, 200]);
  const elements = Array.from({ length: count }, () => number(random));
  const dirt = random.chance(0.2) ? [elementOf(random)] : [];
  return [{ args: ['DEL', key] }, { args: ['RPUSH', key, ...elements, ...dirt] }];
}

export const sortFamily: Family = {
  name: 'sort',
  generators: [
    command('SORT', 10, sortList),
    command('SORT_RO', 4, sortList),
    command('SORT', 4, sortSet),
    command('SORT', 4, sortZset),
    command('SORT_RO', 2, sortZset),
    command('SORT', 1, unsorted, unordered),
    command('SORT', 1, (r) => [anyKey(r)]),
    { name: 'SORT STORE', weight: 4, mangle: false, make: storing },
    { name: 'refill', weight: 3, mangle: false, make: refill },
    command('SET', 5, (r) => [
      `w_${number(r)}`,
      r.chance(0.9) ? r.pick(['1', '2', '3', '10', '2.5']) : numberOrNot(r),
    ]),
    command('HSET', 4, (r) => [
      `h_${number(r)}`,
      r.pick(['f', 'g']),
      r.chance(0.95) ? r.pick(['1', '2', 'b']) : textOf(r),
    ]),
    command('SADD', 3, (r) => [r.pick(sets), r.list(1, 6, () => number(r))]),
    command('SADD', 1, () => ['w_9', 'another type']),
    command('ZADD', 4, (r) => [
      r.pick(zsets),
      r.list(1, 6, () => [String(r.between(-3, 3)), number(r)]).flat(),
    ]),
    command('RPUSH', 2, (r) => [r.pick(lists), r.list(1, 4, () => elementOf(r))]),
    command('COMMAND GETKEYS', 2, (r) => ['SORT', ...sortList(r), 'STORE', 'stored']),
    command('DEL', 2, (r) => [r.pick([anyKey(r), `w_${number(r)}`])]),
  ],
};
