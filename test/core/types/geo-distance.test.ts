/** Distances: known ones, along a meridian, and those that are only fit to be printed. */
import { describe, expect, it } from 'vitest';
import {
  DEGREE,
  EARTH_RADIUS_M,
  geoDistance,
  isPrintable,
  printableDistance,
} from '../../../src/core/types/geo-distance.ts';
import { Random } from '../../support/random.ts';

const seed = 20261128;
/** Two positions and their distance, of a real server with glibc 2.36 on x86-64 with FMA. */
const KNOWN = [
  [
    -76.35145872831345, -39.92104334673575, -94.60798412561417, -52.347447927644815,
    1961791.5504703815,
  ],
  [
    74.29364114999771, 26.314733670317885, 61.342691481113434, 11.444196329583484,
    2139736.9109858046,
  ],
  [
    -172.3933383822441, 37.25527203401666, -157.45052129030228, 39.206224097869416,
    1321898.375954316,
  ],
  [
    53.94454747438431, -36.47781982530306, 53.349601328372955, -23.062430416048915,
    1493239.274691168,
  ],
] as const;

describe('distances', () => {
  it('are those of known pairs', () => {
    const palermo = [13.361389338970184, 38.1155563954963] as const;
    const catania = [15.087267458438873, 37.50266842333162] as const;
    expect(geoDistance(...palermo, ...catania)).toBe(166274.15156960033);
    expect(geoDistance(...palermo, ...palermo)).toBe(0);
    expect(geoDistance(0, 0, 180, 0)).toBe(Math.PI * EARTH_RADIUS_M);
  });

  it('are the arc itself along a meridian', () => {
    const random = new Random(seed);
    for (let i = 0; i < 1000; i++) {
      const [from, to] = [random.next() * 170 - 85, random.next() * 170 - 85];
      const arc = Math.abs(to * DEGREE - from * DEGREE);
      expect(geoDistance(i, from, i, to)).toBe(EARTH_RADIUS_M * arc);
    }
  });

  it.each(KNOWN)('are as stored by a real server: %#', (...known) => {
    const [longitude, latitude, otherLongitude, otherLatitude, metres] = known;
    expect(geoDistance(longitude, latitude, otherLongitude, otherLatitude)).toBe(metres);
  });

  it('print the digits of the exact ones', () => {
    const random = new Random(seed);
    let rough = 0;
    for (let i = 0; i < 5000; i++) {
      const [a, b] = [random.next() * 360 - 180, random.next() * 170 - 85];
      const near = i % 2 === 0 ? 0.001 : 10 ** random.between(-4, 1);
      const [c, d] = [a + (random.next() - 0.5) * near, Math.max(-85, b - random.next() * near)];
      const exact = geoDistance(a, b, c, d) / 0.3048;
      const printable = printableDistance(a, b, c, d, 0.3048);
      if (printable !== exact) rough++;
      expect(printable.toFixed(4)).toBe(exact.toFixed(4));
    }
    expect(rough).toBeGreaterThan(5);
  });

  it('are computed exactly near a tie of the fifth digit', () => {
    expect(isPrintable(1.23455)).toBe(false);
    expect(isPrintable(1.23456)).toBe(true);
    expect(isPrintable(20_000_000.12345)).toBe(false);
  });
});
