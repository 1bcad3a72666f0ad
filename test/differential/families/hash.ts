/**
 * The hash commands. Small pools of fields and values make compact hashes; now and then a long
 * value or many fields at once make a table, whose order no server promises.
 */
import type { Random } from '../../support/random.ts';
import { splitReply } from '../../support/resp-reader.ts';
import { command, marked } from '../command.ts';
import { sameKind, scanPage, unordered, unorderedPairs } from '../comparators.ts';
import type { Comparator, Draft, Family, Generator } from '../step.ts';
import * as values from '../values.ts';

const { keyOf, word } = values;

const fields = [
  ...['f1', 'f2', 'f3', 'f4', '1', '2', '-5', '007', '9223372036854775807', 'caf\xc3\xa9', ''],
  ...['g'.repeat(64), 'h'.repeat(65), '\x00\xff'],
];

function fieldOf(random: Random): string {
  return random.chance(0.93) ? random.pick(fields) : random.bytes(random.between(1, 6));
}

/** Mostly numbers, for the counters. */
function fieldValue(random: Random): string {
  return random.chance(0.4) ? values.integerOf(random) : values.stringValue(random);
}

function pairs(random: Random): string[] {
  const list = random.list(1, 5, () => [fieldOf(random), fieldValue(random)]).flat();
  if (random.chance(0.04)) list.pop();
  return list;
}

/** Enough fields to pass the limits that the test sets. */
function manyPairs(random: Random): string[] {
  const start = random.between(0, 30);
  return Array.from({ length: random.between(6, 40) }, (_, i) => [`n${start + i}`, `${i}`]).flat();
}

const countOrBad = (random: Random): string => {
  if (random.chance(0.1)) {
    return random.pick(['x', '', '1.5', '9223372036854775808', '-9223372036854775808']);
  }
  return String(random.between(-5, 60));
};

function randomFieldTail(random: Random): string[] {
  const dice = random.next();
  if (dice < 0.3) return [];
  if (dice < 0.6) return [countOrBad(random)];
  if (dice < 0.95) return [countOrBad(random), word(random, 'WITHVALUES')];
  return [countOrBad(random), random.pick(['FOO', '', 'WITHVALUE'])];
}

/** The same number of picks, or the same error; what is picked is chance. */
const sameSize: Comparator = {
  name: 'same size',
  same: (left, right) => {
    if (left[0] !== right[0]) return false;
    if (left[0] !== 0x2a) return sameKind.same(left, right);
    return splitReply(left).head.equals(splitReply(right).head);
  },
};

function scanOptions(random: Random): string[] {
  const options: string[][] = [];
  if (random.chance(0.4)) {
    options.push([word(random, 'MATCH'), random.pick(['*', 'f*', 'n?', '[0-9]*', '', 'f1'])]);
  }
  if (random.chance(0.5)) options.push([word(random, 'COUNT'), String(random.between(1, 50))]);
  return random.shuffled(options).flat();
}

const scanLoop: Generator = {
  name: 'HSCAN loop',
  weight: 3,
  make: ({ random }): Draft => ({
    args: [word(random, 'HSCAN'), keyOf(random), '0', ...scanOptions(random)],
    loop: { cursorAt: 2, itemsPerElement: 2 },
    compare: scanPage(2),
  }),
};

/** Wrong scans, each of which a server must refuse in the same words, or not, where no key is. */
function wrongScan(random: Random): string[] {
  return random.pick([
    ['0', 'COUNT', random.pick(['0', '-1', 'x', '', '9223372036854775808'])],
    [random.pick(['x', '', '18446744073709551616', ' 0', '1.5']), 'COUNT', '10'],
    ['0', random.pick(['COUNT', 'MATCH', 'TYPE', 'FOO'])],
    ['0', 'TYPE', 'hash'],
    ['0', 'FOO', 'BAR'],
  ]);
}

export const hashFamily: Family = {
  name: 'hash',
  generators: [
    command('HSET', 12, (r) => [keyOf(r), pairs(r)]),
    command('HSET', 2, (r) => [keyOf(r), manyPairs(r)]),
    command('HMSET', 2, (r) => [keyOf(r), pairs(r)]),
    command('HSETNX', 4, (r) => [keyOf(r), fieldOf(r), fieldValue(r)]),
    command('HGET', 5, (r) => [keyOf(r), fieldOf(r)]),
    command('HMGET', 4, (r) => [keyOf(r), r.list(1, 6, () => fieldOf(r))]),
    command('HDEL', 6, (r) => [keyOf(r), r.list(1, 8, () => fieldOf(r))]),
    command('HEXISTS', 3, (r) => [keyOf(r), fieldOf(r)]),
    command('HLEN', 3, (r) => [keyOf(r)]),
    command('HSTRLEN', 3, (r) => [keyOf(r), fieldOf(r)]),
    command('HINCRBY', 6, (r) => [keyOf(r), fieldOf(r), values.integerOrNot(r)]),
    command('HINCRBYFLOAT', 6, (r) => [keyOf(r), fieldOf(r), values.floatOrNot(r)]),
    command('HGETALL', 4, (r) => [keyOf(r)], unorderedPairs),
    command('HKEYS', 3, (r) => [keyOf(r)], unordered),
    command('HVALS', 3, (r) => [keyOf(r)], unordered),
    command('HRANDFIELD', 5, (r) => [keyOf(r), randomFieldTail(r)], sameSize),
    scanLoop,
    command('HSCAN', 2, (r) => [keyOf(r), wrongScan(r)], sameSize),
    marked(
      command('OBJECT ENCODING', 3, (r) => [keyOf(r)]),
      { mangle: false },
    ),
  ],
};
