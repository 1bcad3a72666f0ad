/**
 * The stream commands. Ids are small, so that entries, groups and pending entries meet; what
 * depends on the clock (ids given by the server, idle times) is left out or masked.
 */
import type { Random } from '../../support/random.ts';
import { command, marked } from '../command.ts';
import { masking, sameKind } from '../comparators.ts';
import type { Family, Generator } from '../step.ts';
import { consumersAtWork } from '../stream-comparators.ts';
import * as values from '../values.ts';

const { word } = values;

/** Keys of streams, and now and then one that others use. */
const keyOf = (random: Random): string =>
  random.chance(0.9) ? random.pick(['s1', 's2', 's3', 's4']) : values.keyOf(random);

const edges = [
  ...['0', '0-0', '0-1', '1', '-', '+', '5-', '-5', '5-*', '007-1', ' 5-1', '+5-2', '5--03', 'x'],
  ...['', '18446744073709551615', '18446744073709551615-18446744073709551615', '1-1-1', '$', '>'],
  ...['18446744073709551616-1', '9223372036854775808-1', '5-1\x00', '1.5', '('],
];

const small = (random: Random): string => `${random.between(1, 30)}-${random.between(0, 3)}`;

function idOf(random: Random): string {
  const dice = random.next();
  if (dice < 0.82) return small(random);
  if (dice < 0.92) return String(random.between(0, 30));
  return random.pick(edges);
}

/** Ids that XADD may be given: mostly greater ones than were given before. */
function addedId(random: Random): string {
  const dice = random.next();
  if (dice < 0.45) return `${random.between(5, 30)}-*`;
  if (dice < 0.9) return small(random);
  return idOf(random);
}

function boundOf(random: Random): string {
  const dice = random.next();
  if (dice < 0.35) return random.pick(['-', '+']);
  return dice < 0.5 ? `(${idOf(random)}` : idOf(random);
}

const group = (random: Random): string => random.pick(['g1', 'g1', 'g2', 'none']);
const consumer = (random: Random): string => random.pick(['c1', 'c2', 'c3', '', 'c\xff']);
const count = (random: Random): string =>
  random.chance(0.9) ? String(random.between(0, 8)) : random.pick(['x', '-1', '', '1.5']);

function pairs(random: Random): string[] {
  const fields = random.pick([['f'], ['f'], ['f', 'g'], ['n', '1'], ['f', 'g', 'h']]);
  return fields.flatMap((field) => [field, values.stringValue(random)]);
}

function trim(random: Random): string[] {
  const operator = random.some([random.pick(['=', '=', '~'])], 0.6);
  const limit = random.some([word(random, 'LIMIT'), count(random)], 0.15);
  if (random.chance(0.6)) return [word(random, 'MAXLEN'), ...operator, count(random), ...limit];
  return [word(random, 'MINID'), ...operator, idOf(random), ...limit];
}

const countOption = (random: Random): string[] =>
  random.some([word(random, 'COUNT'), count(random)], 0.5);

function streams(random: Random, id: (random: Random) => string): string[] {
  const keys = random.list(1, 3, () => keyOf(random));
  return [word(random, 'STREAMS'), ...keys, ...keys.map(() => id(random))];
}

const newOrOld = (random: Random): string => (random.chance(0.7) ? '>' : idOf(random));
const afterId = (random: Random): string => (random.chance(0.2) ? '$' : idOf(random));

function claim(random: Random): string[] {
  const options = [
    random.some([word(random, 'FORCE')], 0.3),
    random.some([word(random, 'JUSTID')], 0.3),
    random.some([word(random, 'RETRYCOUNT'), count(random)], 0.3),
    random.some([word(random, 'LASTID'), idOf(random)], 0.2),
    random.some([word(random, 'TIME'), random.pick(['1000', '-5', 'x'])], 0.2),
    random.some(['NOTHING'], 0.02),
  ];
  const ids = random.list(1, 5, () => idOf(random));
  return [random.pick(['0', '0', '-1', '10000000', 'x']), ...ids, ...options.flat()];
}

function autoclaim(random: Random): string[] {
  const options = [countOption(random), random.some([word(random, 'JUSTID')], 0.4)];
  return [random.pick(['0', '0', '0', 'x']), boundOf(random), ...options.flat()];
}

const read = (random: Random): string[] =>
  random.some([word(random, 'ENTRIESREAD'), random.pick(['0', '1', '5', '-1', '-2', 'x'])], 0.3);

function setid(random: Random): string[] {
  return [
    ...random.some([word(random, 'ENTRIESADDED'), count(random)], 0.3),
    ...random.some([word(random, 'MAXDELETEDID'), small(random)], 0.3),
  ];
}

/** Ids that no entry has had, not even one that was deleted: 7.0 does not look at those. */
const freshId = (random: Random): string =>
  random.chance(0.9) ? `${random.between(31, 33)}-1` : random.pick(['-', '', 'x', '1-1-1']);

const withoutShortTimes = masking(/(?<=\r\n\$\d+\r\n[^\r]*\r\n):\d+\r\n(?=:)/g);

/** Counts past 2^53 - 1 are kept as that number, so damage must not bring any. */
const whole = (generator: Generator): Generator => marked(generator, { mangle: false });

export const streamFamily: Family = {
  name: 'stream',
  generators: [
    command('XADD', 20, (r) => [
      keyOf(r),
      r.some([word(r, 'NOMKSTREAM')], 0.1),
      r.chance(0.15) ? trim(r) : [],
      addedId(r),
      pairs(r),
    ]),
    command('XADD', 1, (r) => [keyOf(r), addedId(r), 'f']),
    command('XLEN', 2, (r) => [keyOf(r)]),
    command('XRANGE', 8, (r) => [keyOf(r), boundOf(r), boundOf(r), countOption(r)]),
    command('XREVRANGE', 6, (r) => [keyOf(r), boundOf(r), boundOf(r), countOption(r)]),
    command('XDEL', 6, (r) => [keyOf(r), r.list(1, 4, () => idOf(r))]),
    command('XTRIM', 4, (r) => [keyOf(r), trim(r)]),
    whole(command('XSETID', 1, (r) => [keyOf(r), freshId(r), setid(r)])),
    command('XREAD', 6, (r) => [countOption(r), streams(r, afterId)]),
    command('XREADGROUP', 14, (r) => [
      ...[word(r, 'GROUP'), group(r), consumer(r)],
      countOption(r),
      r.some([word(r, 'NOACK')], 0.15),
      streams(r, newOrOld),
    ]),
    whole(
      command('XGROUP CREATE', 8, (r) => [
        ...[keyOf(r), group(r), r.chance(0.3) ? '$' : idOf(r)],
        r.some([word(r, 'MKSTREAM')], 0.4),
        read(r),
      ]),
    ),
    whole(command('XGROUP SETID', 4, (r) => [keyOf(r), group(r), afterId(r), read(r)])),
    command('XGROUP DESTROY', 1, (r) => [keyOf(r), group(r)]),
    command('XGROUP CREATECONSUMER', 2, (r) => [keyOf(r), group(r), consumer(r)], sameKind),
    command('XGROUP DELCONSUMER', 2, (r) => [keyOf(r), group(r), consumer(r)]),
    command('XACK', 5, (r) => [keyOf(r), group(r), r.list(1, 4, () => idOf(r))]),
    command('XPENDING', 4, (r) => [keyOf(r), group(r)]),
    command(
      'XPENDING',
      6,
      (r) => [
        ...[keyOf(r), group(r)],
        r.some([word(r, 'IDLE'), r.pick(['0', '100000000', 'x'])], 0.2),
        ...[boundOf(r), boundOf(r), count(r)],
        r.some([consumer(r)], 0.4),
      ],
      withoutShortTimes,
    ),
    whole(command('XCLAIM', 6, (r) => [keyOf(r), group(r), consumer(r), claim(r)])),
    command('XAUTOCLAIM', 6, (r) => [keyOf(r), group(r), consumer(r), autoclaim(r)]),
    command('XINFO STREAM', 6, (r) => [keyOf(r)]),
    command('XINFO STREAM', 6, (r) => [keyOf(r), word(r, 'FULL'), countOption(r)], consumersAtWork),
    command('XINFO GROUPS', 5, (r) => [keyOf(r)], consumersAtWork),
    command('XINFO CONSUMERS', 4, (r) => [keyOf(r), group(r)], consumersAtWork),
    command('DEL', 2, (r) => [keyOf(r)]),
    command('COPY', 2, (r) => [keyOf(r), keyOf(r), 'REPLACE']),
    marked(
      command('OBJECT ENCODING', 1, (r) => [keyOf(r)]),
      { mangle: false },
    ),
  ],
};
