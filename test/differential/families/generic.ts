/**
 * The commands on keys of any type: existence, names, types, copies, moves between databases,
 * DUMP and RESTORE, scans. Expiry has a family of its own.
 */
import type { Random } from '../../support/random.ts';
import { command, marked } from '../command.ts';
import { dumpedValue, sameKind, scanPage, unordered, within } from '../comparators.ts';
import type { Draft, Family, Generator } from '../step.ts';
import * as values from '../values.ts';

const { keyOf, keysOf, word } = values;

function pattern(random: Random): string {
  const patterns = [
    '*',
    'k*',
    'k?',
    'k[1-4]',
    'k[^1-4]',
    '[k-m]1',
    'k\\1',
    '*1*',
    '',
    '{*',
    '[',
    'k[',
  ];
  return random.pick([...patterns, '\\', 'K*', '??', '*\x00*', 'k[4-1]', 'k1', 'nothing*']);
}

const types = ['string', 'list', 'set', 'zset', 'hash', 'stream', 'foo', ''];

function scanOptions(random: Random): string[] {
  const options: string[][] = [];
  if (random.chance(0.4)) options.push([word(random, 'MATCH'), pattern(random)]);
  if (random.chance(0.4)) options.push([word(random, 'COUNT'), String(random.between(1, 50))]);
  if (random.chance(0.3)) options.push([word(random, 'TYPE'), random.pick(types)]);
  return random.shuffled(options).flat();
}

const scanLoop: Generator = {
  name: 'SCAN loop',
  weight: 2,
  make: ({ random }): Draft => ({
    args: [word(random, 'SCAN'), '0', ...scanOptions(random)],
    loop: { cursorAt: 1, itemsPerElement: 1 },
    compare: scanPage(1),
  }),
};

/** Wrong SCANs only: a right one is compared as a whole loop. */
function wrongScan(random: Random): string[] {
  return random.pick([
    ['0', 'COUNT', random.pick(['0', '-1', 'x', '', '9223372036854775808'])],
    [random.pick(['x', '', '18446744073709551616', ' 0', '1.5']), 'COUNT', '10'],
    ['0', random.pick(['COUNT', 'MATCH', 'TYPE', 'FOO'])],
    ['0', 'FOO', 'BAR'],
    ['0', 'COUNT', '10', 'NOVALUES'],
  ]);
}

function copyOptions(random: Random): string[] {
  const options: string[][] = [];
  if (random.chance(0.4)) options.push([word(random, 'REPLACE')]);
  if (random.chance(0.4)) options.push([word(random, 'DB'), database(random)]);
  if (random.chance(0.05)) options.push([random.pick(['DB', 'FOO', 'REPLACE'])]);
  return random.shuffled(options).flat();
}

function database(random: Random): string {
  const wrong = ['16', '-1', 'x', '', '9223372036854775808', '1.5', '01'];
  return random.chance(0.93) ? random.pick(values.databases) : random.pick(wrong);
}

/** What DUMP of 7.0 gave for: hello, 12345, forty times an a (compressed); then damaged ones. */
const payloads = [
  '\x00\x05hello\x0a\x00cr\xdfve4 \x0a',
  "\x00\xc190\x0a\x00\x9d\x94\xea'\x93\xfc\x08\xb9",
  '\x00\xc3\x09(\x01aa\xe0\x1b\x00\x01aa\x0a\x00\xcf\x09/\xaa\xae%\x83\x1d',
  '\x00\x05hellp\x0a\x00cr\xdfve4 \x0a',
  '\x00\x05hello\x63\x00cr\xdfve4 \x0a',
  'garbage',
  '',
];

function restoreOptions(random: Random): string[] {
  const options: string[][] = [];
  if (random.chance(0.6)) options.push([word(random, 'REPLACE')]);
  if (random.chance(0.3)) options.push([word(random, 'ABSTTL')]);
  if (random.chance(0.2)) options.push([word(random, 'IDLETIME'), values.integerOrNot(random)]);
  if (random.chance(0.2)) options.push([word(random, 'FREQ'), values.integerOrNot(random)]);
  if (random.chance(0.05)) options.push([random.pick(['IDLETIME', 'FREQ', 'FOO'])]);
  return random.shuffled(options).flat();
}

function restoreTime(random: Random): string {
  if (random.chance(0.6)) return '0';
  if (random.chance(0.15)) return random.pick(['-1', 'x', '', '9223372036854775808']);
  return values.momentMilliseconds(random).replace(/^-?\d$/, '0');
}

/** DBSIZE may count keys past their time: a scan removes them first. */
const dbsize: Generator = {
  name: 'DBSIZE',
  weight: 1,
  mangle: false,
  alone: true,
  make: (): Draft[] => [
    { args: ['SCAN', '0', 'COUNT', '100000'], compare: scanPage(1) },
    { args: ['DBSIZE'] },
  ],
};

function restoreArguments(r: Random): (string | string[])[] {
  return [keyOf(r), restoreTime(r), r.pick(payloads), restoreOptions(r)];
}

export const genericFamily: Family = {
  name: 'generic',
  generators: [
    command('DEL', 3, (r) => [keysOf(r, 1, 3)]),
    command('UNLINK', 1, (r) => [keysOf(r, 1, 3)]),
    command('EXISTS', 2, (r) => [keysOf(r, 1, 4)]),
    command('TOUCH', 1, (r) => [keysOf(r, 1, 4)]),
    command('TYPE', 2, (r) => [keyOf(r)]),
    command('RENAME', 3, (r) => [keyOf(r), keyOf(r)]),
    command('RENAMENX', 2, (r) => [keyOf(r), keyOf(r)]),
    command('COPY', 3, (r) => [keyOf(r), keyOf(r), copyOptions(r)]),
    command('MOVE', 2, (r) => [keyOf(r), database(r)]),
    command('SELECT', 2, (r) => [database(r)]),
    command('SWAPDB', 1, (r) => [database(r), database(r)]),
    command('KEYS', 2, (r) => [pattern(r)], unordered),
    command('RANDOMKEY', 1, () => [], sameKind),
    dbsize,
    scanLoop,
    marked(
      command('SCAN', 1, (r) => [wrongScan(r)], scanPage(1)),
      { mangle: false },
    ),
    command('OBJECT ENCODING', 3, (r) => [keyOf(r)]),
    command('OBJECT REFCOUNT', 1, (r) => [keyOf(r)], sameKind),
    // A small integer is one object for all keys, as idle as the server has been without it.
    command('OBJECT IDLETIME', 1, (r) => [keyOf(r)], within(1000)),
    command('OBJECT FREQ', 1, (r) => [keyOf(r)]),
    command('OBJECT', 1, (r) => [r.pick(['FOO', 'ENCODING', '', 'freq']), ...keysOf(r, 0, 2)]),
    command('DUMP', 2, (r) => [keyOf(r)], dumpedValue),
    command('RESTORE', 3, restoreArguments),
    command('RESTORE-ASKING', 0.3, restoreArguments),
    marked(
      command('FLUSHDB', 0.2, (r) => r.some([r.pick(['ASYNC', 'SYNC', 'sync', 'FOO'])])),
      { mangle: false },
    ),
    marked(
      command('FLUSHALL', 0.1, (r) => r.some([r.pick(['ASYNC', 'SYNC', 'async', 'FOO'])])),
      { mangle: false },
    ),
  ],
};
