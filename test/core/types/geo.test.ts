/** Positions as scores: against a model that interleaves bit by bit with BigInt. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  GEOHASH_LENGTH,
  geoBits,
  geoDecode,
  geoEncode,
  geoInteger,
  geoPosition,
  isGeoPosition,
  LATITUDE_MAX,
  LONGITUDE_MAX,
  writeGeohash,
} from '../../../src/core/types/geo.ts';

const CELLS = 2 ** 26;

function modelBits(longitude: number, latitude: number, latitudeMax: number): bigint {
  const column = BigInt(Math.floor(((longitude + 180) / 360) * CELLS));
  const row = BigInt(Math.floor(((latitude + latitudeMax) / (2 * latitudeMax)) * CELLS));
  let bits = 0n;
  for (let i = 0n; i < 32n; i++) {
    bits |= ((row >> i) & 1n) << (2n * i);
    bits |= ((column >> i) & 1n) << (2n * i + 1n);
  }
  return bits;
}

const longitudes = fc.oneof(
  fc.double({ min: -LONGITUDE_MAX, max: LONGITUDE_MAX, noNaN: true }),
  fc.constantFrom(-LONGITUDE_MAX, LONGITUDE_MAX, 0, -0, 179.99999999, 1e-300),
);
const latitudes = fc.oneof(
  fc.double({ min: -LATITUDE_MAX, max: LATITUDE_MAX, noNaN: true }),
  fc.constantFrom(-LATITUDE_MAX, LATITUDE_MAX, 0, -0, 85.0511, -1e-300),
);
const check = { seed: 71, numRuns: 2000 };

function hashOf(score: number): string {
  const text = new Uint8Array(GEOHASH_LENGTH + 2).fill(46);
  writeGeohash(text, 1, score);
  return Buffer.from(text).toString('latin1');
}

describe('positions as scores', () => {
  it('interleave the bits of longitude and latitude', () => {
    fc.assert(
      fc.property(longitudes, latitudes, (longitude, latitude) => {
        const bits = modelBits(longitude, latitude, LATITUDE_MAX);
        expect(geoEncode(longitude, latitude)).toBe(Number(bits));
        expect((BigInt(geoBits.high) << 32n) | BigInt(geoBits.low)).toBe(bits);
      }),
      check,
    );
  });

  it('come back within a cell, and to the same score', () => {
    fc.assert(
      fc.property(longitudes, latitudes, (longitude, latitude) => {
        // At the upper edge a score has 54 bits, of which a double keeps 53.
        fc.pre(longitude < LONGITUDE_MAX);
        const score = geoEncode(longitude, latitude);
        geoDecode(score);
        const { latitude: back, longitude: backLongitude } = geoPosition;
        expect(Math.abs(backLongitude - longitude)).toBeLessThan(360 / CELLS);
        expect(Math.abs(back - latitude)).toBeLessThan((2 * LATITUDE_MAX) / CELLS);
        expect(geoEncode(backLongitude, back)).toBe(score);
      }),
      check,
    );
  });

  it('end at the edges of the projection', () => {
    expect(isGeoPosition(180, 85.05112878)).toBe(true);
    expect(isGeoPosition(-180, -85.05112878)).toBe(true);
    expect(isGeoPosition(180.0000001, 0)).toBe(false);
    expect(isGeoPosition(0, 85.05112879)).toBe(false);
    expect(isGeoPosition(Number.NEGATIVE_INFINITY, 0)).toBe(false);
  });

  it('are read from any double as C reads it', () => {
    const words = (score: number): string => {
      geoInteger(score);
      return BigInt.asUintN(64, (BigInt(geoBits.high) << 32n) | BigInt(geoBits.low)).toString(16);
    };
    expect(words(1.9)).toBe('1');
    expect(words(-0.9)).toBe('0');
    expect(words(-1)).toBe('ffffffffffffffff');
    expect(words(-4_294_967_296.5)).toBe('ffffffff00000000');
    expect(words(2 ** 63)).toBe('8000000000000000');
    expect(words(2 ** 64 - 2048)).toBe('fffffffffffff800');
    expect(words(2 ** 64)).toBe('0');
    expect(words(-(2 ** 63))).toBe('8000000000000000');
    expect(words(-1e300)).toBe('8000000000000000');
    expect(words(Number.POSITIVE_INFINITY)).toBe('0');
    geoDecode(Number.NEGATIVE_INFINITY);
    expect(geoPosition).toEqual({ longitude: 180, latitude: -85.05112751263943 });
  });

  it('are shown as geohashes of ten characters and a zero', () => {
    const alphabet = '0123456789bcdefghjkmnpqrstuvwxyz';
    fc.assert(
      fc.property(longitudes, latitudes, (longitude, latitude) => {
        const score = geoEncode(longitude, latitude);
        geoDecode(score);
        const bits = modelBits(geoPosition.longitude, geoPosition.latitude, 90);
        const groups = Array.from({ length: 10 }, (_, i) => (bits >> BigInt(47 - 5 * i)) & 31n);
        const text = groups.map((group) => alphabet[Number(group)]).join('');
        expect(hashOf(score)).toBe(`.${text}0.`);
      }),
      check,
    );
  });
});
