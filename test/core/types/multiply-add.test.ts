/** The fused multiply-add against exact arithmetic, by BigInt. */
import { expect, it } from 'vitest';
import { multiplyAdd } from '../../../src/core/types/multiply-add.ts';
import { abs, BITS, fixed, neighbours } from '../../support/fixed-point.ts';
import { Random } from '../../support/random.ts';

/** Whether no other double is nearer to a b + c. */
function isNearest(value: number, a: number, b: number, c: number): boolean {
  const exact = fixed(a) * fixed(b) + (fixed(c) << BITS);
  const miss = abs((fixed(value) << BITS) - exact);
  return neighbours(value).every((other) => miss <= abs((fixed(other) << BITS) - exact));
}

it('rounds once', () => {
  const random = new Random(20261130);
  const number = () => (random.next() - 0.5) * 2 ** random.between(-12, 12);
  let twice = 0;
  for (let i = 0; i < 4000; i++) {
    const [a, b] = [number(), number()];
    const c = i % 4 === 0 ? -a * b * (1 + random.next() * 1e-9) : number();
    const value = multiplyAdd(a, b, c);
    if (value !== a * b + c) twice++;
    expect(isNearest(value, a, b, c), `${a} ${b} ${c}`).toBe(true);
  }
  expect(twice).toBeGreaterThan(500);
});

it('gives exactly what a product misses', () => {
  expect(multiplyAdd(0.1, 10, -1)).toBe(2 ** -54);
  expect(multiplyAdd(1 + 2 ** -30, 1 + 2 ** -30, -1 - 2 ** -29)).toBe(2 ** -60);
  expect(multiplyAdd(3, 5, 0)).toBe(15);
  expect(multiplyAdd(0, 5, 7)).toBe(7);
});
