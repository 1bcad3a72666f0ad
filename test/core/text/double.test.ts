/** Text of doubles: exact by property, and as a real server reads and prints them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DOUBLE_TEXT_MAX,
  formatDouble17,
  parseDouble,
  parseScoreBound,
  writeDoubleShortest,
} from '../../../src/core/text/double.ts';
import { Random } from '../../support/random.ts';
import { ReplyError } from '../../support/resp-reader.ts';
import { guarded, noOracle, useOracle } from './oracle.ts';

function parsed(text: string): number {
  const { buf, off, len } = guarded(text);
  return parseDouble(buf, off, len);
}

/** Seventeen digits and the short form, as a C program with the same algorithm prints them. */
const PRINTED: readonly (readonly [string, string])[] = [
  ['0.10000000000000001', '0.1'],
  ['0.30000000000000004', '0.30000000000000004'],
  ['0.33333333333333331', '0.3333333333333333'],
  ['0.66666666666666663', '0.6666666666666666'],
  ['1.5', '1.5'],
  ['3.0000000000000001e-05', '0.00003'],
  ['1.0000000000000001e-05', '0.00001'],
  ['9.9999999999999995e-07', '0.000001'],
  ['1.5e-06', '1.5e-6'],
  ['9.9999999999999995e-08', '1e-7'],
  ['1.2499999999999999e-07', '1.25e-7'],
  ['1.25e-09', '1.25e-9'],
  ['123456.789', '123456.789'],
  ['123456789.12345679', '1.2345678912345679e+8'],
  ['1234567890.5', '1234567890.5'],
  ['0.00012345678901234567', '1.2345678901234567e-4'],
  ['0.0012345678901234567', '0.0012345678901234567'],
  ['4.9406564584124654e-324', '5e-324'],
  ['2.2250738585072014e-308', '2.2250738585072014e-308'],
  ['2.2250738585072009e-308', '2.225073858507201e-308'],
  ['1.7976931348623157e+308', '1.7976931348623157e+308'],
  ['9.2233720368547758e+18', '9223372036854776000'],
  ['2.7670116110564327e+19', '27670116110564327000'],
  ['1e+19', '1e+19'],
  ['1e+20', '1e+20'],
  ['1e+21', '1e+21'],
  ['1e+22', '1e+22'],
  ['9.9999999999999992e+22', '99999999999999990000000'],
  ['1.5e+25', '1.5e+25'],
  ['9.0071992547409933e+20', '900719925474099300000'],
  ['1.2345678e+20', '1.2345678e+20'],
  ['1.2345678899999999e+28', '1.23456789e+28'],
  ['4.3499999999999996', '4.35'],
  ['0.29999999999999999', '0.3'],
  ['2.4999999999999999e-08', '2.5e-8'],
  ['9.5367431640625e-07', '9.5367431640625e-7'],
  ['179.99999999999997', '179.99999999999997'],
  ['-85.051128779999999', '-85.05112878'],
  ['13.361389338970184', '13.361389338970184'],
  ['38.115556395496299', '38.1155563954963'],
  ['-1.1959863057080729e-314', '-1.1959863057e-314'],
  ['-1.0000000000000002e-07', '-1.0000000000000002e-7'],
  ['-123456789.12345679', '-1.2345678912345679e+8'],
  ['1e+100', '1e+100'],
  ['1e-100', '1e-100'],
  ['1.0999999999999999e-10', '1.1e-10'],
  ['5.9284663709627761e+22', '59284663709627760000000'],
  ['-8.5226502958670223e-05', '-8.522650295867022e-5'],
  ['1.4599377346158806e-05', '1.4599377346158806e-5'],
  ['-1.9535610341050499e-47', '-1.9535610341050499e-47'],
  ['-5.3164157337829831e+22', '-53164157337829830000000'],
  ['-5.9131089333051434e+22', '-59131089333051434000000'],
  ['-1496104549944818.2', '-1496104549944818.3'],
  ['2.5617697284065444e+21', '2561769728406544400000'],
  ['-5.8926595499313604e+106', '-5.8926595499313605e+106'],
  ['4.3689454776591864e+21', '4368945477659186400000'],
  ['4.3596924165060147e-91', '4.3596924165060146e-91'],
  ['-8.6686811179570525e+64', '-8.668681117957052e+64'],
];

const anyDouble = fc.oneof(
  fc.double({ noNaN: true }),
  fc.tuple(fc.maxSafeInteger(), fc.integer({ min: -25, max: 25 })).map(([m, e]) => m * 10 ** e),
  fc
    .tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -1074, max: 1023 }))
    .map(([m, e]) => m * 2 ** e),
);

function shortest(value: number): string {
  const text = Buffer.alloc(DOUBLE_TEXT_MAX);
  return text.toString('latin1', 0, writeDoubleShortest(text, 0, value));
}

describe('parseDouble', () => {
  it.each([
    ['0', 0],
    ['-0', -0],
    ['+1.5', 1.5],
    ['.5', 0.5],
    ['5.', 5],
    ['1e3', 1000],
    ['1E-3', 0.001],
    ['inf', Infinity],
    ['-INFINITY', -Infinity],
    ['+Inf', Infinity],
    ['0x1p3', 8],
    ['0X.8', 0.5],
    ['0x1.', 1],
    ['-0x1.8P-1', -0.75],
    ['0x1.00000000000008p0', 1],
    ['0x1.00000000000018p0', 1.0000000000000004],
    ['0x1p-1074', 5e-324],
    ['0x.c0000000000001p-1074', 5e-324],
    ['4.9e-324', 5e-324],
    ['1.7976931348623158e308', 1.7976931348623157e308],
    ['0e999999999', 0],
    [`0.${'0'.repeat(400)}1e401`, 1],
    [`${'9'.repeat(30)}`, 1e30],
  ])('reads %j', (text, value) => {
    expect(parsed(text)).toBe(value);
  });

  it.each([
    ...[
      '',
      '-',
      '.',
      '+.',
      'e5',
      '1e',
      '1e+',
      '1.2.3',
      '--1',
      '1 ',
      ' 1',
      '\t1',
      '1\0',
      '0x',
      '0x.',
    ],
    ...[
      '0x1p',
      'nan',
      'NaN',
      '-nan',
      'nan(1)',
      'infinit',
      'in',
      '1e400',
      '-1e400',
      '1e-400',
      '1_0',
    ],
    ...['0x1p1024', '0x1p-1075', '0x1p-2000', '2.4e-324', 'Infinity1', '1,5', '٣'],
  ])('refuses %j', (text) => {
    expect(parsed(text)).toBe(Number.NaN);
  });

  it('reads back what JavaScript prints, bit for bit', () => {
    fc.assert(
      fc.property(anyDouble.filter(Number.isFinite), (value) => {
        // JavaScript prints no sign before zero, in either form.
        const sign = Object.is(value, -0) ? '-' : '';
        expect(parsed(sign + String(value))).toBe(value);
        expect(parsed(sign + value.toExponential(20))).toBe(value);
      }),
    );
  });
});

describe('formatting', () => {
  it.each(PRINTED)('prints %s as C does', (long, short) => {
    const value = Number(long);
    expect(formatDouble17(value)).toBe(long);
    expect(shortest(value)).toBe(short);
    expect(Number(short)).toBe(value);
  });

  it.each([
    [Infinity, 'inf'],
    [-Infinity, '-inf'],
    [Number.NaN, 'nan'],
    [0, '0'],
    [-0, '-0'],
    [17, '17'],
    [-3_000_000_000, '-3000000000'],
    [4503599627370496, '4503599627370496'],
  ])('prints %s as %s in both forms', (value, text) => {
    expect(formatDouble17(value)).toBe(text);
    expect(shortest(value)).toBe(text);
  });

  it('prints integers up to 2^62 whole, larger ones short', () => {
    expect(shortest(1e18)).toBe('1000000000000000000');
    expect(shortest(-(2 ** 62))).toBe('-4611686018427387904');
    expect(shortest(2 ** 62 + 1024)).toBe('4611686018427389000');
    expect(formatDouble17(1e18)).toBe('1e+18');
    expect(formatDouble17(123456789012345680)).toBe('1.2345678901234568e+17');
  });

  it('rounds ties of the seventeenth digit to even', () => {
    expect(formatDouble17(2 ** -25)).toBe('2.9802322387695312e-08');
    expect(formatDouble17(3 * 2 ** -25)).toBe('8.9406967163085938e-08');
  });

  it('reads back, whatever the value', () => {
    fc.assert(
      fc.property(anyDouble, (value) => {
        expect(parsed(shortest(value))).toBe(value);
        expect(parsed(formatDouble17(value))).toBe(value);
        const buf = new Uint8Array(DOUBLE_TEXT_MAX + 2).fill(0x21);
        const length = writeDoubleShortest(buf, 1, value);
        expect([buf[0], buf[1 + length]]).toEqual([0x21, 0x21]);
      }),
    );
  });
});

describe.skipIf(noOracle)('doubles against a real server', () => {
  const ask = useOracle();
  const random = new Random(0xd0b1e);
  const pieces = [...'0123456789', '0', '1', '.', '.', '-', '+', 'e', 'e-3', 'e1', 'E+30', '0x'];
  const words = ['p2', 'p-1', 'a', 'f', 'inf', 'nan', 'INFINITY', ' ', '\t', '\0', 'e400', 'e-320'];
  const digits = (max: number) => random.list(1, max, () => String(random.between(0, 9))).join('');
  const texts = [
    ...random.list(1500, 1500, () =>
      random.list(0, 5, () => random.pick(random.chance(0.8) ? pieces : words)).join(''),
    ),
    ...random.list(1500, 1500, () => {
      const power = random.chance(0.5) ? `e${random.between(-345, 315)}` : '';
      return `${random.pick(['', '-', '+'])}${digits(22)}.${digits(22)}${power}`;
    }),
    ...random.list(500, 500, () =>
      String(random.between(-1e15, 1e15) * 2 ** random.between(-80, 9)),
    ),
    ...random.list(300, 300, () => {
      const hex = random.list(1, 18, () => random.pick([...'0123456789abcdef.'])).join('');
      return `0x${hex}p${random.between(-1080, 1030)}`;
    }),
  ];

  it('reads and prints scores as Redis 7.0 does', async () => {
    // A listpack would keep -0 as the integer 0.
    await ask([['CONFIG', 'SET', 'zset-max-listpack-entries', 0]]);
    const replies = await ask(
      texts.flatMap((text, i) => [
        ['ZADD', `z${i}`, text, 'm'],
        ['ZSCORE', `z${i}`, 'm'],
      ]),
    );
    let accepted = 0;
    for (const [i, text] of texts.entries()) {
      const value = parsed(text);
      const refused = replies[2 * i] instanceof ReplyError;
      expect({ text, refused: Number.isNaN(value) }).toEqual({ text, refused });
      if (refused) continue;
      accepted++;
      expect({ text, score: formatDouble17(value) }).toEqual({ text, score: replies[2 * i + 1] });
    }
    expect(accepted).toBeGreaterThan(1500);
  });

  it('accepts as a bound of a range what Redis accepts', async () => {
    const bounds = [
      ...texts,
      '',
      ' ',
      '\t5',
      ' 5',
      '5 ',
      ' nan',
      '1e400',
      '1e-400',
      ' \0',
      '\v-inf',
    ];
    await ask([['ZADD', 'b', 0, 'm']]);
    const replies = await ask(bounds.map((text) => ['ZCOUNT', 'b', `(${text}`, '+inf']));
    for (const [i, text] of bounds.entries()) {
      const { buf, off, len } = guarded(text);
      const value = parseScoreBound(buf, off, len);
      const expected = replies[i] instanceof ReplyError ? 'refused' : replies[i];
      const mine = Number.isNaN(value) ? 'refused' : value < 0 ? 1 : 0;
      expect({ text, mine }).toEqual({ text, mine: expected });
    }
  });
});
