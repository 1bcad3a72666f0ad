/** Distances to the last bit: sines and their kin against series of 200 bits, by BigInt. */
import { describe, expect, it } from 'vitest';
import {
  EARTH_RADIUS_M,
  geoDistance,
  isPrintable,
  printableDistance,
} from '../../../src/core/types/geo-distance.ts';
import { exactAsin, exactCos, exactSin } from '../../../src/core/types/geo-trig.ts';
import { Random } from '../../support/random.ts';

const BITS = 220n;
const ONE = 1n << BITS;

/** A double in fixed point, exactly. */
function fixed(value: number): bigint {
  let mantissa = value;
  let shift = 0n;
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    shift++;
  }
  return (BigInt(mantissa) << BITS) >> shift;
}

/** The sine (`first` 1) or cosine (0) of a number in fixed point. */
function series(x: bigint, first: 0 | 1): bigint {
  let term = first === 1 ? x : ONE;
  let sum = 0n;
  for (let n = BigInt(first); term !== 0n && n < 200n; n += 2n) {
    sum += term;
    term = (-term * x * x) / (ONE * ONE) / ((n + 1n) * (n + 2n));
  }
  return sum;
}

const abs = (x: bigint): bigint => (x < 0n ? -x : x);

const words = new DataView(new ArrayBuffer(8));

/** The doubles next to one. */
function neighbours(value: number): number[] {
  words.setFloat64(0, value);
  const bits = words.getBigInt64(0);
  return [-1n, 1n].map((step) => {
    words.setBigInt64(0, bits + step);
    return words.getFloat64(0);
  });
}

function isNearest(value: number, exact: bigint): boolean {
  const miss = abs(fixed(value) - exact);
  return neighbours(value).every((other) => miss <= abs(fixed(other) - exact));
}

const seed = 20261128;

describe('sines, cosines and arc sines', () => {
  it('are the nearest doubles', () => {
    const random = new Random(seed);
    for (let i = 0; i < 1500; i++) {
      const x = (random.next() * 2 - 1) * (i % 3 === 0 ? 0.01 : Math.PI);
      expect(isNearest(exactSin(x), series(fixed(x), 1)), `sin ${x}`).toBe(true);
      expect(isNearest(exactCos(x), series(fixed(x), 0)), `cos ${x}`).toBe(true);
    }
  });

  it('invert the sine to the nearest double', () => {
    const random = new Random(seed);
    for (let i = 0; i < 1500; i++) {
      const x = i % 3 === 0 ? random.next() * 1e-6 : random.next();
      const angle = exactAsin(x);
      // Between the middles to both neighbours: the sine tells on which side of each x lies.
      const middles = neighbours(angle).map((other) => (fixed(other) + fixed(angle)) / 2n);
      const sides = middles.map((middle) => series(middle, 1) < fixed(x));
      expect(sides, `asin ${x}`).toEqual([true, false]);
    }
  });

  it('hold at the ends', () => {
    expect(exactSin(0)).toBe(0);
    expect(exactCos(0)).toBe(1);
    expect(exactSin(Math.PI)).toBe(1.2246467991473532e-16);
    expect(exactCos(Math.PI / 2)).toBe(6.123233995736766e-17);
    expect(exactAsin(0)).toBe(0);
    expect(exactAsin(1)).toBe(Math.PI / 2);
    expect(exactAsin(1.0000000000000002)).toBeNaN();
  });
});

describe('distances', () => {
  it('are those of known pairs', () => {
    const palermo = [13.361389338970184, 38.1155563954963] as const;
    const catania = [15.087267458438873, 37.50266842333162] as const;
    expect(geoDistance(...palermo, ...catania)).toBe(166274.15156960033);
    expect(geoDistance(...palermo, ...palermo)).toBe(0);
    expect(geoDistance(0, 0, 180, 0)).toBe(Math.PI * EARTH_RADIUS_M);
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
