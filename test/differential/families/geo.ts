/**
 * The geo commands: small zsets and one of some hundred points, crowded places (where many points
 * are equally far), the poles, the antimeridian, and scores that are no positions. Replies are
 * compared byte for byte: every digit, and the order of sorted and unsorted hits.
 *
 * The last bit of a distance is a question of the machine: on a processor that cannot multiply and
 * add in one step, the C library under a real server rounds some sines to the other neighbour. It
 * shows where distances are stored, so those are looked at within a transaction and then removed;
 * in the order of points that are equally far but for that bit, of which there are some when a
 * crowd is seen from afar; and near the opposite end of the earth, where it is worth some metres.
 * So on such a processor very wide searches leave the order as it is met, and show no distances,
 * and stored ones may differ by that bit.
 */
import { hasFusedMultiplyAdd } from '../../support/processor.ts';
import { Random } from '../../support/random.ts';
import { splitReply } from '../../support/resp-reader.ts';
import { command } from '../command.ts';
import type { Comparator, Draft, Family } from '../step.ts';
import { floatOrNot, indexOrNot, word } from '../values.ts';

const MEMBERS_MAX = 300;
/** Whether distances are the same to the last bit here. */
const isExact = hasFusedMultiplyAdd();
const keys = ['g1', 'g2', 'g3', 'big', 'big', 'odd'];
/** Places near which points and centres lie: longitude and latitude. */
const places: readonly (readonly [number, number])[] = [
  ...([
    [13.361389, 38.115556],
    [0, 0],
    [-73.9857, 40.7484],
    [180, 0],
    [-180, 0],
  ] as const),
  ...([
    [179.9999, -45],
    [10, 85.05112878],
    [-120, -85.05112878],
    [180, 85.05112878],
  ] as const),
  ...([
    [151.2, -33.87],
    [90, 66.5],
    [0.000001, -0.000001],
  ] as const),
];

/** A number with at most eight digits behind the point, within bounds. */
function near(random: Random, middle: number, spread: number, max: number): string {
  const value = middle + (random.next() * 2 - 1) * spread;
  return String(Number(Math.min(Math.max(value, -max), max).toFixed(8)));
}

function positionOf(random: Random): [string, string] {
  if (random.chance(0.15)) return [near(random, 0, 180, 180), near(random, 0, 85.05, 85.05112878)];
  const [longitude, latitude] = random.pick(places);
  const spread = random.pick([0, 0, 0.00001, 0.001, 0.1, 2, 20]);
  return [near(random, longitude, spread, 180), near(random, latitude, spread, 85.05112878)];
}

/** A position, or now and then what is none. */
function positionOrNot(random: Random): [string, string] {
  if (random.chance(0.96)) return positionOf(random);
  const wrong = ['180.000001', '-181', '1e300', 'inf', '-inf', '85.06', '90', '1e22', '-0'];
  const [longitude, latitude] = positionOf(random);
  const other = random.chance(0.5) ? random.pick(wrong) : floatOrNot(random);
  return random.chance(0.5) ? [other, latitude] : [longitude, other];
}

const memberOf = (random: Random): string =>
  random.chance(0.03)
    ? random.pick(['', 'x'.repeat(70), '\xff\x00', 'a', '17'])
    : `m${number(random)}`;

function number(random: Random): number {
  return random.chance(0.5) ? random.between(0, 20) : random.between(0, MEMBERS_MAX);
}

const keyOf = (random: Random): string =>
  random.chance(0.94) ? random.pick(keys) : random.pick(['none', 'text']);

function unitOf(random: Random): string {
  if (random.chance(0.02)) return random.pick(['', 'cm', 'mm', 'kilometres']);
  return random.pick(['m', 'km', 'ft', 'mi', 'M', 'KM', 'Ft', 'mI']);
}

function lengthOf(random: Random, isWide: boolean): string {
  if (random.chance(0.03)) return random.pick(['x', '', '-1', '-0.5', 'nan', '1e400', ' 1', '1 ']);
  const size = random.pick(isWide ? [5000, 20_000, 100_000] : [0, 0.5, 1, 5, 100, 1000, 3000]);
  if (isWide && random.chance(0.1)) return 'inf';
  return random.chance(0.5) ? String(size) : (size * (0.5 + random.next())).toFixed(3);
}

const radius = (random: Random, isWide = false): string[] => [
  lengthOf(random, isWide),
  unitOf(random),
];

const centre = (random: Random): string[] =>
  random.chance(0.45)
    ? [word(random, 'FROMMEMBER'), memberOf(random)]
    : [word(random, 'FROMLONLAT'), ...positionOrNot(random)];

const shape = (random: Random, isWide = false): string[] =>
  random.chance(0.6)
    ? [word(random, 'BYRADIUS'), ...radius(random, isWide)]
    : [word(random, 'BYBOX'), lengthOf(random, isWide), ...radius(random, isWide)];

function count(random: Random): string[] {
  if (random.chance(0.4)) return [];
  const number = random.chance(0.92) ? String(random.between(1, 60)) : indexOrNot(random);
  return [word(random, 'COUNT'), number];
}

const order = (random: Random): string[] =>
  random.chance(0.5) ? [word(random, random.pick(['ASC', 'DESC']))] : [];

const any = (random: Random): string[] => [
  ...[word(random, 'COUNT'), String(random.between(1, 60)), word(random, 'ANY')],
];

/** How many hits and in which order; a wide search may take them as they come. */
function limits(random: Random, isWide: boolean): string[] {
  if (isWide && !isExact) return random.chance(0.5) ? any(random) : [];
  if (random.chance(0.2)) return [...any(random), ...order(random)];
  return [...count(random), ...order(random)];
}

const withs = (random: Random, isWide: boolean): string[] =>
  ['WITHHASH', 'WITHCOORD', ...(isWide && !isExact ? [] : ['WITHDIST'])]
    .filter(() => random.chance(0.35))
    .map((option) => word(random, option));

/** Now and then an option that does not belong there. */
const stray = (random: Random): string[] =>
  random.chance(0.03)
    ? random.pick([['ANY'], ['COUNT'], ['STORE', 'g3'], ['STOREDIST', 'g3'], ['FOO'], ['BYBOX']])
    : [];

/** Options in any order. */
const mixed = (random: Random, parts: string[][]): string[] => random.shuffled(parts).flat();

/** The arguments behind the key of GEOSEARCH. */
function searching(random: Random, stores: boolean): string[] {
  const isWide = random.chance(0.1);
  const more = stores ? [] : withs(random, isWide);
  const twice = random.chance(0.03) ? random.pick([centre(random), shape(random)]) : [];
  const parts = [centre(random), shape(random, isWide), limits(random, isWide), more, twice];
  return mixed(random, [...parts, stray(random)]);
}

/** The arguments of GEORADIUS behind its centre. */
function around(random: Random): string[] {
  const isWide = random.chance(0.1);
  const parts = [limits(random, isWide), withs(random, isWide), stray(random)];
  return [...radius(random, isWide), ...mixed(random, parts)];
}

const geosearch = (random: Random): string[] => [keyOf(random), ...searching(random, false)];

const georadius = (random: Random): string[] => [
  keyOf(random),
  ...positionOrNot(random),
  ...around(random),
];

const byMember = (random: Random): string[] => [keyOf(random), memberOf(random), ...around(random)];

const storing = (random: Random): string[] => [
  random.pick(['g2', 'g3', 'stored', 'text']),
  keyOf(random),
  ...searching(random, true),
];

/** The same numbers, but for what a wrong last bit does to a distance where that may be. */
const sameDistances: Comparator = {
  name: isExact ? 'the same numbers' : 'the same numbers but for the last bit',
  same: (left, right) => {
    const [a, b] = [left, right].map((raw) => splitReply(raw).children.map(numberIn));
    if (a === undefined || b === undefined || a.length !== b.length) return false;
    return a.every((one, i) => {
      const other = b[i] ?? Number.NaN;
      const most = isExact ? 0 : Math.abs(one) * 2 ** -50;
      return Object.is(one, other) || Math.abs(one - other) <= most;
    });
  },
};

/** The number in a bulk string or a double; NaN for null. */
function numberIn(raw: Buffer): number {
  const text = raw.toString('latin1');
  return Number(/^(?:\$\d+\r\n|,)(\S+)\r\n$/.exec(text)?.[1]);
}

function storingDistances({ random }: { random: Random }): Draft[] {
  const members = Array.from({ length: 60 }, (_, i) => `m${i}`);
  const by = mixed(random, [centre(random), shape(random), count(random)]);
  const commands = [
    ['GEOSEARCHSTORE', 'far', keyOf(random), ...by, 'STOREDIST'],
    ['GEORADIUS', keyOf(random), ...positionOf(random), ...radius(random), 'STOREDIST', 'far'],
  ];
  return [
    { args: ['MULTI'] },
    { args: random.pick(commands) },
    { args: ['ZCARD', 'far'] },
    { args: ['ZMSCORE', 'far', ...members], compare: sameDistances },
    { args: ['DEL', 'far'] },
    { args: ['EXEC'] },
  ];
}

/** The large zset: the same points before every sequence. */
function bigSet(): string[] {
  const random = new Random(7);
  const points = Array.from({ length: MEMBERS_MAX }, (_, i) => [...positionOf(random), `m${i}`]);
  return ['GEOADD', 'big', ...points.flat()];
}

const oddScores = ['-1', '0.5', '1e300', 'inf', '-inf', '4503599627370496', '9007199254740993'];

export const geoFamily: Family = {
  name: 'geo',
  setup: [
    bigSet(),
    ['SET', 'text', 'x'],
    ['ZADD', 'odd', ...oddScores.flatMap((score, i) => [score, `m${i}`])],
  ],
  generators: [
    command('GEOADD', 12, (r) => [
      keyOf(r),
      r.some(['NX'], 0.1),
      r.some(['XX'], 0.1),
      r.some(['CH'], 0.3),
      r.list(1, 5, () => [...positionOrNot(r), memberOf(r)]).flat(),
    ]),
    command('GEOSEARCH', 24, geosearch),
    command('GEORADIUS', 6, georadius),
    command('GEORADIUS_RO', 3, georadius),
    command('GEORADIUSBYMEMBER', 6, byMember),
    command('GEORADIUSBYMEMBER_RO', 3, byMember),
    command('GEOSEARCHSTORE', 8, storing),
    command('GEORADIUS', 2, (r) => [...georadius(r), word(r, 'STORE'), r.pick(['g2', 'stored'])]),
    command('GEORADIUSBYMEMBER', 2, (r) => [...byMember(r), word(r, 'STORE'), 'g3']),
    { name: 'STOREDIST', weight: 4, mangle: false, make: storingDistances },
    command('GEODIST', 8, (r) => [keyOf(r), memberOf(r), memberOf(r), r.some([unitOf(r)], 0.6)]),
    command('GEOPOS', 5, (r) => [keyOf(r), r.list(0, 5, () => memberOf(r))]),
    command('GEOHASH', 5, (r) => [keyOf(r), r.list(0, 5, () => memberOf(r))]),
    command('ZREM', 2, (r) => [r.pick(['g1', 'g2', 'g3']), r.list(1, 5, () => memberOf(r))]),
    command('DEL', 1, (r) => [r.pick(['g1', 'g2', 'stored', 'none'])]),
    command('COMMAND GETKEYS', 1, (r) => ['GEORADIUS', ...georadius(r), 'STORE', 'stored']),
  ],
};
