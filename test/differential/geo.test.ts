/**
 * The geo commands: Cairn must answer as the real server does, to the last digit and in the same
 * order, with small zsets and large ones, and leave the same data behind. Stored distances are the
 * same to the last bit, and so is the edge of a shape: what lies exactly on it is within.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasFusedMultiplyAdd } from '../support/processor.ts';
import { Random } from '../support/random.ts';
import { requireRedisServer } from '../support/real-server.ts';
import { describeRuns } from './describe-runs.ts';
import { geoFamily } from './families/geo.ts';
import { ServerPair } from './harness.ts';

const families = [geoFamily];

const runs = [
  { name: 'with the usual limits', families, config: {} },
  {
    name: 'with small zsets of up to 1,000 points',
    families,
    config: { 'zset-max-listpack-entries': 1000 },
  },
  { name: 'with large zsets alone', families, config: { 'zset-max-listpack-entries': 0 } },
];

describeRuns('the geo commands', runs, 2500);

const POINTS = 2000;
/** Where the C library under the real server rounds otherwise, one in some hundred differs. */
const isExact = hasFusedMultiplyAdd();
const differingMax = isExact ? 0 : POINTS / 100;

describe.skipIf(requireRedisServer() === null)('distances beside a real server', () => {
  const random = new Random(20261130);
  let pair: ServerPair | undefined;

  beforeAll(async () => {
    pair = await ServerPair.start();
    for (const side of [pair.left, pair.right]) await side.prepare(2, []);
  });

  afterAll(() => pair?.close());

  /** Both servers' values for the same commands. */
  async function ask(commands: readonly (readonly string[])[]): Promise<[unknown[], unknown[]]> {
    const answers = [pair!.left, pair!.right].map(async ({ checker }) =>
      (await checker.pipeline(commands)).map((reply) => reply.value),
    );
    const [ours, theirs] = await Promise.all(answers);
    return [ours!, theirs!];
  }

  /** Adds points around a centre, which is the member `m`; gives all distances from it, stored. */
  async function distances(across: number, along: number): Promise<[number[], number[]]> {
    const [longitude, latitude] = [random.next() * 100 - 50, random.next() * 60 - 30];
    const around = (by: number) => (random.next() * 2 - 1) * by;
    const points = Array.from({ length: POINTS }, (_, i) => [
      ...[longitude + around(across), latitude + around(along)].map(String),
      String(i),
    ]);
    const members = points.map((point) => point[2]!);
    const commands = [
      ['DEL', 'points'],
      ['GEOADD', 'points', String(longitude), String(latitude), 'm', ...points.flat()],
      ['GEORADIUSBYMEMBER', 'points', 'm', '30000000', 'm', 'STOREDIST', 'stored'],
      ['ZMSCORE', 'stored', ...members],
    ];
    const both = (await ask(commands)).map((values) => (values[3] as string[]).map(Number));
    return [both[0]!, both[1]!];
  }

  it.each([
    { name: 'all over the world', across: 130, along: 55, most: differingMax },
    { name: 'in a country', across: 5, along: 5, most: differingMax },
    { name: 'in a town', across: 0.1, along: 0.1, most: differingMax },
    { name: 'on a parallel', across: 130, along: 0, most: differingMax },
    { name: 'on a meridian', across: 0, along: 55, most: 0 },
  ])('are the same to the last bit: $name', async ({ across, along, most }) => {
    const [ours, theirs] = await distances(across, along);
    expect(theirs.every((distance) => distance >= 0)).toBe(true);
    const differing = ours.filter((distance, i) => distance !== theirs[i]);
    expect(differing.length).toBeLessThanOrEqual(most);
  });

  it.skipIf(!isExact).each([
    { name: 'circles', across: 20, along: 20, shape: (d: number) => ['BYRADIUS', `${d}`] },
    { name: 'height', across: 0, along: 50, shape: (d: number) => ['BYBOX', '1', `${2 * d}`] },
    { name: 'width', across: 50, along: 0, shape: (d: number) => ['BYBOX', `${2 * d}`, '1'] },
  ])('decide alike at the edge: $name', async ({ across, along, shape }) => {
    const [, theirs] = await distances(across, along);
    const edges = theirs.slice(0, 150).flatMap((distance) => [distance, distance * (1 - 2 ** -52)]);
    const search = ['GEOSEARCH', 'points', 'FROMMEMBER', 'm'];
    const [left, right] = await ask(edges.map((edge) => [...search, ...shape(edge), 'm', 'DESC']));
    expect(left).toEqual(right);
    const within = right.filter((members, i) => (members as string[]).includes(String(i >> 1)));
    expect(within.length).toBeGreaterThan(140);
    expect(within.length).toBeLessThan(290);
  });
});
