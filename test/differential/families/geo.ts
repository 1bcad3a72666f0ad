/**
 * The geo commands: small zsets and one of some hundred points, crowded places (where many points
 * are equally far), the poles, the antimeridian, and scores that are no positions. Replies are
 * compared byte for byte: every digit, and the order of sorted and unsorted hits.
 *
 * A distance that is stored shows its last bit, which the C library under a real server rounds
 * wrongly once in a thousand times; so those are looked at within a transaction and then removed.
 */
import { Random } from '../../support/random.ts';
import { splitReply } from '../../support/resp-reader.ts';
import { command } from '../command.ts';
import type { Comparator, Draft, Family } from '../step.ts';
import { floatOrNot, indexOrNot, word } from '../values.ts';

const MEMBERS_MAX = 700;
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

function lengthOf(random: Random): string {
  if (random.chance(0.04)) return floatOrNot(random);
  const size = random.pick([0, 0.5, 1, 5, 100, 1000, 5000, 20_000, 100_000]);
  return random.chance(0.5) ? String(size) : (size * (0.5 + random.next())).toFixed(3);
}

const radius = (random: Random): string[] => [lengthOf(random), unitOf(random)];

const centre = (random: Random): string[] =>
  random.chance(0.45)
    ? [word(random, 'FROMMEMBER'), memberOf(random)]
    : [word(random, 'FROMLONLAT'), ...positionOrNot(random)];

const shape = (random: Random): string[] =>
  random.chance(0.6)
    ? [word(random, 'BYRADIUS'), ...radius(random)]
    : [word(random, 'BYBOX'), lengthOf(random), ...radius(random)];

function count(random: Random): string[] {
  if (random.chance(0.5)) return [];
  const number = random.chance(0.92) ? String(random.between(1, 60)) : indexOrNot(random);
  const any = random.chance(0.3) ? [word(random, 'ANY')] : [];
  return [word(random, 'COUNT'), number, ...any];
}

const order = (random: Random): string[] =>
  random.chance(0.5) ? [word(random, random.pick(['ASC', 'DESC']))] : [];

const withs = (random: Random): string[] =>
  ['WITHDIST', 'WITHHASH', 'WITHCOORD']
    .filter(() => random.chance(0.35))
    .map((w) => word(random, w));

/** Now and then an option that does not belong there. */
const stray = (random: Random): string[] =>
  random.chance(0.03)
    ? random.pick([['ANY'], ['COUNT'], ['STORE', 'g3'], ['STOREDIST', 'g3'], ['FOO'], ['BYBOX']])
    : [];

/** Options in any order. */
const mixed = (random: Random, parts: string[][]): string[] => random.shuffled(parts).flat();

const geosearch = (random: Random): string[] => [
  keyOf(random),
  ...mixed(random, [
    centre(random),
    shape(random),
    count(random),
    order(random),
    withs(random),
    stray(random),
    random.chance(0.03) ? random.pick([centre(random), shape(random)]) : [],
  ]),
];

const radiusOptions = (random: Random): string[] =>
  mixed(random, [count(random), order(random), withs(random), stray(random)]);

const georadius = (random: Random): string[] => [
  keyOf(random),
  ...positionOrNot(random),
  ...radius(random),
  ...radiusOptions(random),
];

const byMember = (random: Random): string[] => [
  keyOf(random),
  memberOf(random),
  ...radius(random),
  ...radiusOptions(random),
];

const storing = (random: Random): string[] => [
  random.pick(['g2', 'g3', 'stored', 'text']),
  keyOf(random),
  ...mixed(random, [centre(random), shape(random), count(random), order(random), stray(random)]),
];

/** Numbers that are the same but for the last bit. */
const lastBit: Comparator = {
  name: 'the same numbers but for the last bit',
  same: (left, right) => {
    const [a, b] = [left, right].map((raw) => splitReply(raw).children.map(numberIn));
    if (a === undefined || b === undefined || a.length !== b.length) return false;
    return a.every((one, i) => {
      const other = b[i] ?? Number.NaN;
      return Object.is(one, other) || Math.abs(one - other) <= Math.abs(one) * 2 ** -52;
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
    { args: ['ZMSCORE', 'far', ...members], compare: lastBit },
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
