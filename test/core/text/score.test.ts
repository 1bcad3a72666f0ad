/**
 * Scores of seventeen digits against the general routines, which are held against a real server
 * elsewhere.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDouble17, parseScoreBound } from '../../../src/core/text/double.ts';
import { parseScore, SCORE_TEXT_MAX, writeScore } from '../../../src/core/text/score.ts';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

function written(value: number): string {
  const buf = new Uint8Array(SCORE_TEXT_MAX + 8).fill(0x2a);
  const length = writeScore(buf, 3, value);
  expect(length).toBeLessThanOrEqual(SCORE_TEXT_MAX);
  return String.fromCharCode(...buf.subarray(3, 3 + length));
}

function read(text: string): number {
  const bytes = bytesOf(`7${text}7`);
  return parseScore(bytes, 1, text.length);
}

const edges = [
  ...[0, -0, 1, -1, 0.1, 0.2, 0.3, 1.5, 2 ** 53, 2 ** 53 + 2, 2 ** 62, 2 ** 63, 1e15, 1e16, 1e17],
  ...[1e-4, 1e-5, 1e-4 - 1e-20, 1e-6, 9.99999e-7, 1e21, 1e22, 1e23, 1e37, 1e38, 1e39],
  ...[0.5, 0.25, 0.125, 1e17 - 16, 999999999999999.9, 1e16 - 2, 123456789.123],
  ...[Infinity, -Infinity, 5e-324, 1.7976931348623157e308, 2.5, 1e16 + 2, 0.000012345, 1 / 3],
];

describe('scores of seventeen digits', () => {
  it('are written as the general routine writes them', () => {
    for (const value of edges) expect(written(value)).toBe(formatDouble17(value));
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (value) => {
        expect(written(value)).toBe(formatDouble17(value));
      }),
      { numRuns: 2000 },
    );
    const usual = fc.double({ noNaN: true, min: -1e39, max: 1e39 });
    const decimal = fc.tuple(fc.integer(), fc.integer({ min: -9, max: 12 }));
    fc.assert(
      fc.property(usual, decimal, (value, [mantissa, power]) => {
        expect(written(value)).toBe(formatDouble17(value));
        const short = mantissa / 10 ** power;
        expect(written(short)).toBe(formatDouble17(short));
        expect(written(mantissa * 2 ** -power)).toBe(formatDouble17(mantissa * 2 ** -power));
      }),
      { numRuns: 5000 },
    );
  });

  it('are read back as the same score', () => {
    for (const value of edges) expect(read(formatDouble17(value))).toBe(value);
    fc.assert(
      fc.property(
        fc.double({ noNaN: true }),
        fc.double({ noNaN: true, min: -1e9, max: 1e9 }),
        (a, b) => {
          expect(read(formatDouble17(a))).toBe(a);
          expect(read(formatDouble17(b))).toBe(b);
          expect(read(String(b))).toBe(b + 0);
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('are read as the general routine reads any text', () => {
    const texts = [
      '',
      '-',
      '.',
      '1.',
      '.5',
      '1e5',
      '1E-5',
      '1e',
      '1e+',
      'inf',
      '-inf',
      'nan',
      '1x',
    ];
    texts.push('1..2', '--1', '1e1000', '1e-1000', '123456789012345678', '0.00000000000000000001');
    texts.push('9007199254740993', '9007199254740993.5', '00012', '-0', '1e22', '1e23', '0x10');
    for (const text of texts) {
      const bytes = bytesOf(text);
      expect([text, read(text)]).toEqual([text, parseScoreBound(bytes, 0, bytes.length)]);
    }
    const digits = fc.stringMatching(/^-?\d{1,18}(\.\d{0,18})?(e[+-]?\d{1,2})?$/);
    fc.assert(
      fc.property(digits, (text) => {
        expect(read(text)).toBe(Number(text));
      }),
      { numRuns: 5000 },
    );
  });
});
