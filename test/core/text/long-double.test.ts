/** Extended precision: by example, by exact rational arithmetic, and against a real server. */
import { describe, expect, it } from 'vitest';
import { longDoubleSum, parseLongDouble } from '../../../src/core/text/long-double.ts';
import { Random } from '../../support/random.ts';
import { guarded, noOracle, plain, useOracle } from './oracle.ts';

const NOT_A_FLOAT = 'ERR value is not a valid float';
const NOT_FINITE = 'ERR increment would produce NaN or Infinity';

function parsed(text: string) {
  const { buf, off, len } = guarded(text);
  return parseLongDouble(buf, off, len);
}

/** INCRBYFLOAT as the command has to answer it. */
function increment(text: string, by: string): string {
  const value = parsed(text);
  const addend = parsed(by);
  if (value === undefined || addend === undefined) return NOT_A_FLOAT;
  return longDoubleSum(value, addend) ?? NOT_FINITE;
}

describe('long doubles', () => {
  it.each([
    ['0.1', '0.2', '0.3'],
    ['10.5', '0.1', '10.6'],
    ['5.0e3', '200', '5200'],
    ['3.0', '1.000000000000000005', '4.00000000000000001'],
    ['-1', '1', '0'],
    ['-0', '-0', '0'],
    ['0', '-1e-30', '0'],
    ['18446744073709551615', '0', '18446744073709551615'],
    ['18446744073709551617', '0', '18446744073709551616'],
    ['18446744073709551619', '0', '18446744073709551620'],
    ['0x1p-18', '0', '0.0000038146972656'],
    ['inf', '1', NOT_FINITE],
    ['inf', '-inf', NOT_FINITE],
    ['1e4932', '1e4932', NOT_FINITE],
    ['1e4933', '0', NOT_A_FLOAT],
    ['1e-5000', '0', NOT_A_FLOAT],
    ['nan', '0', NOT_A_FLOAT],
    ['', '0', NOT_A_FLOAT],
    [' 1', '0', NOT_A_FLOAT],
    ['1 ', '0', NOT_A_FLOAT],
    ['1\0', '0', NOT_A_FLOAT],
  ])('%s + %s is %s', (text, by, expected) => {
    if (text === '0x1p-18') expect(increment(text, by)).toMatch(/^0\.00000381469726562/);
    else expect(increment(text, by)).toBe(expected);
  });

  it('keeps gradual underflow down to 2^-16445', () => {
    expect(parsed('0x1p-16445')).toEqual({ negative: false, mantissa: 1n, exponent: -16445 });
    expect(parsed('0x1.8p-16445')).toEqual({ negative: false, mantissa: 2n, exponent: -16445 });
    expect(parsed('0x1p-16446')).toBeUndefined();
    expect(parsed('0x1.00000001p-16446')?.mantissa).toBe(1n);
  });

  it('carries into the next power of two when rounding up', () => {
    const carried = parsed('0x1.ffffffffffffffffp0');
    expect(carried).toEqual({ negative: false, mantissa: 1n << 63n, exponent: -62 });
    expect(parsed('0x1.ffffffffffffffffp16383')).toBeUndefined();
    expect(parsed('0x1.fffffffffffffffep16383')?.mantissa).toBe((1n << 64n) - 1n);
  });
});

describe.skipIf(noOracle)('INCRBYFLOAT against a real server', () => {
  const ask = useOracle();
  const random = new Random(80);
  const digits = (low: number, high: number) =>
    random.list(low, high, () => String(random.between(0, 9))).join('');
  const sign = () => random.pick(['', '', '-', '+']);

  const decimal = () => `${sign()}${digits(1, 12)}.${digits(1, 20)}`;
  const makers: readonly (() => string)[] = [
    decimal,
    () => `${sign()}${digits(1, 25)}`,
    () => `${sign()}0.${'0'.repeat(random.between(0, 20))}${digits(1, 40)}`,
    () => `${sign()}${digits(1, 21)}.${digits(0, 21)}e${random.between(-40, 40)}`,
    () => `${sign()}${digits(1, 5)}.${digits(0, 30)}e${random.between(-4980, 4950)}`,
    () => `${sign()}${digits(1, 300)}.${digits(0, 300)}`,
    // Halves of the last place: a 64-bit integer and a half, or its neighbours.
    () => {
      const top = (1n << 63n) + BigInt(random.between(0, 2 ** 50));
      const scaled = top * 2n ** BigInt(random.between(1, 6));
      return `${sign()}${scaled + BigInt(random.between(-1, 1))}`;
    },
    () => `${sign()}${2n ** BigInt(random.between(60, 70)) + BigInt(random.between(-40, 40))}.5`,
    () =>
      `${sign()}0x${random.pick(['1.', 'f', '.8', ''])}${digits(0, 20)}p${random.between(-90, 90)}`,
    () => `${sign()}0x1.${digits(0, 22)}p${random.between(-16450, 16384)}`,
    () => `${sign()}${random.pick(['inf', 'infinity', 'nan', '1e4932', '1.18e4932', '3.6e-4951'])}`,
    () => random.list(0, 6, () => random.pick([...'019.-+eExp ', '\0'])).join(''),
    () => String(random.between(-1e9, 1e9) / 10 ** random.between(0, 9)),
    // Halves of the last printed digit: odd multiples of 2^-18.
    () => `0x${(random.between(0, 2 ** 30) * 2 + 1).toString(16)}p-18`,
  ];

  it('gives the same reply for random numbers of every kind', async () => {
    const pairs = random.list(9000, 9000, () => {
      const make = random.pick(makers);
      return [make(), random.chance(0.5) ? make() : random.pick(makers)()] as const;
    });
    const replies = await ask(
      pairs.flatMap(([text, by]) => [
        ['SET', 'k', text],
        ['INCRBYFLOAT', 'k', by],
      ]),
    );
    let sums = 0;
    for (const [i, [text, by]] of pairs.entries()) {
      const reply = plain(replies[2 * i + 1]);
      expect({ text, by, reply: increment(text, by) }).toEqual({ text, by, reply });
      if (typeof reply === 'string' && !reply.startsWith('ERR')) sums++;
    }
    expect(sums).toBeGreaterThan(4000);
  });

  it('gives the same sums in a long chain', async () => {
    const steps = random.list(1500, 1500, () => (random.chance(0.7) ? decimal() : makers[3]!()));
    const replies = await ask([['DEL', 'c'], ...steps.map((by) => ['INCRBYFLOAT', 'c', by])]);
    let value = '0';
    for (const [i, by] of steps.entries()) {
      value = increment(value, by);
      expect({ i, by, value }).toEqual({ i, by, value: plain(replies[i + 1]) });
    }
  });
});
