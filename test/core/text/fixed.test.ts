/**
 * Fixed digits behind the point: the fast routines against the exact one, that against C, and
 * coordinates against a real server.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  FIXED_TEXT_MAX,
  formatFixed,
  writeCoordinate,
  writeFixed4,
} from '../../../src/core/text/fixed.ts';
import { Random } from '../../support/random.ts';
import { noOracle, useOracle } from './oracle.ts';

const buffer = new Uint8Array(FIXED_TEXT_MAX);
const textOf = (length: number): string =>
  Buffer.from(buffer.subarray(0, length)).toString('latin1');
const fixed4 = (value: number): string => textOf(writeFixed4(buffer, 0, value));
const coordinate = (value: number): string => textOf(writeCoordinate(buffer, 0, value));
const check = { seed: 5, numRuns: 3000 };

describe('numbers with fixed digits', () => {
  it('are rounded from the exact value, ties to even', () => {
    // As C's printf("%.*f") has them.
    expect(formatFixed(0.5, 4)).toBe('0.5000');
    expect(formatFixed(0.03125, 4)).toBe('0.0312');
    expect(formatFixed(0.09375, 4)).toBe('0.0938');
    expect(formatFixed(-0.00001, 4)).toBe('-0.0000');
    expect(formatFixed(1.00005, 4)).toBe('1.0001');
    expect(formatFixed(1e22, 6)).toBe('10000000000000000000000.000000');
    expect(formatFixed(5e-324, 6)).toBe('0.000000');
    expect(formatFixed(-180.1, 6)).toBe('-180.100000');
    expect(formatFixed(Number.POSITIVE_INFINITY, 6)).toBe('inf');
    expect(formatFixed(Number.NEGATIVE_INFINITY, 6)).toBe('-inf');
    expect(formatFixed(Number.NaN, 4)).toBe('-nan');
  });

  it('are written alike without a string', () => {
    const distance = fc.oneof(
      fc.double({ min: 0, max: 7e7, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 0, max: 2 ** 30 }).map((n) => n / 32),
      fc.integer({ min: 0, max: 2 ** 40 }).map((n) => n / 20_000),
      fc.constantFrom(0.99995, 9.99995, 0.999949999, 2 ** 40, Number.NaN),
    );
    fc.assert(
      fc.property(distance, (value) => {
        expect(fixed4(value)).toBe(formatFixed(value, 4));
      }),
      check,
    );
  });

  it('are written as coordinates of seventeen digits, without zeros at the end', () => {
    const position = fc.oneof(
      fc.integer({ min: -(2 ** 52), max: 2 ** 52 }).map((n) => (n / 2 ** 52) * 180),
      fc.integer({ min: -(2 ** 50), max: 2 ** 50 }).map((n) => n / 2 ** 48),
      fc.integer({ min: -180, max: 180 }),
      fc.double({ min: -180, max: 180, noNaN: true }),
      fc.constantFrom(-0, 1e-17, 5e-18, 4e-18, 1 - 2 ** -53),
    );
    fc.assert(
      fc.property(position, (value) => {
        const exact = formatFixed(value, 17).replace(/0+$/, '').replace(/\.$/, '');
        expect(coordinate(value)).toBe(exact);
      }),
      check,
    );
    expect(coordinate(13.361389338970184)).toBe('13.36138933897018433');
  });
});

describe.skipIf(noOracle)('coordinates against a real server', () => {
  const ask = useOracle();
  const random = new Random(80);

  it('are printed as GEOPOS prints them', async () => {
    const points = random.list(300, 300, () => [
      random.next() * 360 - 180,
      random.next() * 170 - 85,
    ]);
    const replies = await ask(
      points.flatMap(([x, y], i) => [
        ['GEOADD', 'g', String(x), String(y), `m${i}`],
        ['GEOPOS', 'g', `m${i}`],
      ]),
    );
    for (let i = 0; i < points.length; i++) {
      const reply = replies[2 * i + 1];
      if (!Array.isArray(reply) || !Array.isArray(reply[0])) throw new Error('no GEOPOS reply');
      for (const text of reply[0]) expect(coordinate(Number(text))).toBe(text);
    }
  });
});
