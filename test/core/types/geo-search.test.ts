/**
 * Searches against brute force: every point measured exactly, with small and large zsets, tiny and
 * huge shapes, across the antimeridian and near the poles.
 *
 * Towards the poles, and with shapes that reach over them, the cells of a real server leave points
 * out, and so do these; what they find must be right all the same. That it is the same as there is
 * for test/differential to show.
 */
import { describe, expect, it } from 'vitest';
import { geoDecode, geoEncode, geoPosition } from '../../../src/core/types/geo.ts';
import { geoDistance } from '../../../src/core/types/geo-distance.ts';
import {
  AS_MET,
  FARTHEST_FIRST,
  GeoSearch,
  NEAREST_FIRST,
} from '../../../src/core/types/geo-search.ts';
import { zsetAdd, zsetCreate } from '../../../src/core/types/zset.ts';
import { ZsetView } from '../../../src/core/types/zset-view.ts';
import { Random } from '../../support/random.ts';
import { Fixture } from './samples.ts';

const POINTS = 400;
const EVERY = Number.POSITIVE_INFINITY;

type Point = { readonly score: number; readonly longitude: number; readonly latitude: number };
type Shape = Pick<
  GeoSearch['shape'],
  'longitude' | 'latitude' | 'isBox' | 'radius' | 'width' | 'height' | 'unitM'
>;

/** A zset with points all over the world, half of them in a crowd around `centre`. */
class World extends Fixture {
  readonly points: Point[] = [];
  readonly search = new GeoSearch();
  private readonly view = new ZsetView();

  constructor(seed: number, centre: readonly [number, number], isLarge: boolean) {
    super();
    this.keyspace.limits.zsetMaxListpackEntries = isLarge ? 0 : POINTS;
    const random = new Random(seed);
    const { db, key, keyspace } = this;
    let address = zsetCreate(keyspace, db, key, 0, key.length, 1, 0);
    for (let i = 0; i < POINTS; i++) {
      const spread = i % 2 === 0 ? 180 : 10 ** random.between(-4, 1);
      const middle = i % 2 === 0 ? [0, 0] : centre;
      const longitude = wrapped((middle[0] ?? 0) + (random.next() * 2 - 1) * spread);
      const latitude = (middle[1] ?? 0) + ((random.next() * 2 - 1) * Math.min(spread, 170)) / 2;
      const score = geoEncode(longitude, Math.min(Math.max(latitude, -85), 85));
      const member = Buffer.from(String(i));
      address = zsetAdd(keyspace, db, address, member, 0, member.length, score, 0);
      geoDecode(score);
      this.points.push({ score, ...geoPosition });
    }
    this.view.open(keyspace, address);
  }

  /** The scores of what a search finds. */
  hits(shape: Shape, order: number, most = EVERY): number[] {
    Object.assign(this.search.shape, shape);
    this.search.run(this.view, most);
    this.search.sort(order, this.search.count);
    return Array.from({ length: this.search.count }, (_, i) => this.search.scoreAt(i));
  }

  distances(shape: Shape, scores: readonly number[]): number[] {
    return scores.map((score) => {
      geoDecode(score);
      return geoDistance(
        shape.longitude,
        shape.latitude,
        geoPosition.longitude,
        geoPosition.latitude,
      );
    });
  }
}

function wrapped(longitude: number): number {
  return longitude > 180 ? longitude - 360 : longitude < -180 ? longitude + 360 : longitude;
}

function isWithin(point: Point, shape: Shape): boolean {
  const { latitude, longitude } = point;
  if (!shape.isBox) {
    const distance = geoDistance(shape.longitude, shape.latitude, longitude, latitude);
    return distance <= shape.radius * shape.unitM;
  }
  const aside = geoDistance(longitude, latitude, shape.longitude, latitude);
  const up = geoDistance(longitude, latitude, longitude, shape.latitude);
  return aside <= (shape.width * shape.unitM) / 2 && up <= (shape.height * shape.unitM) / 2;
}

function shapeOf(random: Random, centre: readonly [number, number], sizeMax: number): Shape {
  const size = random.next() * 10 ** random.between(0, Math.log10(sizeMax));
  const near = 10 ** random.between(-6, 0);
  return {
    longitude: wrapped(centre[0] + (random.next() - 0.5) * near),
    latitude: Math.min(Math.max(centre[1] + (random.next() - 0.5) * near, -85.05), 85.05),
    isBox: random.chance(0.4),
    radius: size,
    width: size * (0.5 + random.next()),
    height: size * (0.5 + random.next()),
    unitM: random.pick([1, 1000, 0.3048, 1609.34]),
  };
}

const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

const places: readonly (readonly [string, readonly [number, number]])[] = [
  ['in the middle of a cell', [13.4, 38.1]],
  ['at the corner of four cells', [0, 0]],
  ['in the south', [151.2, -33.87]],
];

const encodings = [
  { encoding: 'a small zset', isLarge: false },
  { encoding: 'a large zset', isLarge: true },
];

describe.each(encodings)('a search in $encoding', ({ isLarge }) => {
  it.each(places)('finds what brute force finds, %s', (_, centre) => {
    const world = new World(3, centre, isLarge);
    const random = new Random(17);
    let found = 0;
    for (let i = 0; i < 60; i++) {
      const shape = shapeOf(random, centre, 1000);
      const expected = world.points.filter((point) => isWithin(point, shape));
      const scores = world.hits(shape, AS_MET);
      found += scores.length;
      expect(sorted(scores)).toEqual(sorted(expected.map(({ score }) => score)));
    }
    expect(found).toBeGreaterThan(150);
  });

  it.each([
    ['at the antimeridian', [180, 10] as const],
    ['in the far north', [20, 84.9] as const],
    ['in the far south', [-120, -80] as const],
  ])('finds nothing outside, and each once, %s', (_, centre) => {
    const world = new World(5, centre, isLarge);
    const random = new Random(23);
    let found = 0;
    for (let i = 0; i < 60; i++) {
      const shape = shapeOf(random, centre, 10_000);
      const within = new Set(world.points.filter((p) => isWithin(p, shape)).map((p) => p.score));
      const scores = world.hits(shape, AS_MET);
      found += scores.length;
      expect(scores.every((score) => within.has(score))).toBe(true);
      expect(scores.length).toBeLessThanOrEqual(
        world.points.filter(({ score }) => within.has(score)).length,
      );
    }
    expect(found).toBeGreaterThan(150);
  });

  it('sees across the antimeridian', () => {
    const world = new World(7, [180, 10], isLarge);
    const shape = { isBox: false, radius: 100, width: 0, height: 0, unitM: 1000 };
    const scores = world.hits({ ...shape, longitude: 179.99, latitude: 10 }, AS_MET);
    const wests = scores.filter((score) => {
      geoDecode(score);
      return geoPosition.longitude < 0;
    });
    expect(wests.length).toBeGreaterThan(10);
    expect(scores.length - wests.length).toBeGreaterThan(10);
  });

  it('finds all with a radius as long as the way around', () => {
    const world = new World(9, [0, 0], isLarge);
    const shape = { isBox: false, width: 0, height: 0, unitM: 1, longitude: 10, latitude: 20 };
    for (const radius of [20_100_000, 1e9, EVERY]) {
      const scores = world.hits({ ...shape, radius }, AS_MET);
      expect(sorted(scores)).toEqual(sorted(world.points.map(({ score }) => score)));
    }
  });
});

describe.each(encodings)('hits in $encoding', ({ isLarge }) => {
  it('come in order, and end when there are enough', () => {
    const centre = [13.4, 38.1] as const;
    const world = new World(11, centre, isLarge);
    const random = new Random(29);
    for (let i = 0; i < 40; i++) {
      const shape = { ...shapeOf(random, centre, 1000), unitM: 1000 };
      const met = world.hits(shape, AS_MET);
      const nearest = world.hits(shape, NEAREST_FIRST);
      const distances = world.distances(shape, nearest);
      expect(distances).toEqual(sorted(distances));
      expect(sorted(nearest)).toEqual(sorted(met));
      const farthest = world.distances(shape, world.hits(shape, FARTHEST_FIRST));
      expect(farthest).toEqual(distances.reverse());
      const most = random.between(1, 20);
      expect(world.hits(shape, AS_MET, most)).toEqual(met.slice(0, most));
    }
  });
});
