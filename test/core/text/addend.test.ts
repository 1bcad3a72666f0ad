/** What INCRBYFLOAT adds: sums of short decimals are those of extended precision. */
import { describe, expect, it } from 'vitest';
import { addendSum, isFiniteAddend, NOTHING, parseAddend } from '../../../src/core/text/addend.ts';
import { longDoubleSum, parseLongDouble } from '../../../src/core/text/long-double.ts';
import { Random } from '../../support/random.ts';
import { guarded } from './oracle.ts';

function parsed(text: string) {
  const { buf, off, len } = guarded(text);
  return parseAddend(buf, off, len);
}

/** The sum by way of the addends; and by extended precision alone. */
function sum(text: string, by: string): string | undefined {
  return addendSum(parsed(text)!, parsed(by)!);
}

function exactSum(text: string, by: string): string | undefined {
  const [a, b] = [guarded(text), guarded(by)];
  const left = parseLongDouble(a.buf, a.off, a.len)!;
  return longDoubleSum(left, parseLongDouble(b.buf, b.off, b.len)!);
}

describe('addends', () => {
  it.each([
    ['10.5', '0.1', '10.6'],
    ['0.1', '-0.30', '-0.2'],
    ['+.5', '5.', '5.5'],
    ['-0', '-0.00', '0'],
    ['0.00000000000000001', '0', '0.00000000000000001'],
    ['0.1', '-0.1', '0'],
    ['-7', '-3', '-10'],
    ['1234.56', '0.1', '1234.66000000000000003'],
    ['9007199254740991', '0.5', '9007199254740991.5'],
    ['9007199254740991', '9007199254740991', '18014398509481982'],
  ])('%s + %s is %s', (text, by, expected) => {
    expect(sum(text, by)).toBe(expected);
    expect(exactSum(text, by)).toBe(expected);
  });

  it('adds to nothing', () => {
    expect(addendSum(NOTHING, parsed('0.10')!)).toBe('0.1');
    expect(addendSum(NOTHING, parsed('1e3')!)).toBe('1000');
  });

  it('takes what a long double is read from, and nothing else', () => {
    for (const text of ['', '.', '+', '-.', '1.2.3', '1-', '--1', ' 1', '1 ', 'nan', '1\0']) {
      expect(parsed(text)).toBeUndefined();
    }
    for (const text of ['1', '-1.5', '1e3', '0x10', '12345678901234567890']) {
      expect(isFiniteAddend(parsed(text)!)).toBe(true);
    }
    expect(isFiniteAddend(parsed('-inf')!)).toBe(false);
    expect(addendSum(parsed('1')!, parsed('inf')!)).toBeUndefined();
  });

  it('gives the sums of extended precision', () => {
    const random = new Random(18);
    const digits = (low: number, high: number) =>
      random.list(low, high, () => String(random.between(0, 9))).join('');
    const halves = () => random.pick(['', '.5', '.25', '.125', '.0625', '.750', '.000']);
    const number = () => {
      const sign = random.pick(['', '-', '+']);
      if (random.chance(0.3)) return `${sign}${digits(1, 15)}${halves()}`;
      const whole = random.chance(0.5) ? String(random.between(0, 45)) : digits(1, 6);
      return `${sign}${whole}.${digits(0, random.pick([1, 3, 8, 17]))}`;
    };
    for (let i = 0; i < 4000; i++) {
      const [text, by] = [number(), number()];
      expect({ text, by, sum: sum(text, by) }).toEqual({ text, by, sum: exactSum(text, by) });
    }
  });
});
