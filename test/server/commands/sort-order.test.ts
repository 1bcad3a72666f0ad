/** The order of SORT: a partial sort against a whole one, and what texts mean as numbers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  comparison,
  SortItem,
  sortNumber,
  sortPart,
} from '../../../src/server/commands/sort-order.ts';

function itemsOf(weights: readonly number[]): SortItem[] {
  return weights.map((weight, i) => {
    const item = new SortItem(Buffer.from(`element ${i}`));
    item.score = weight;
    item.text = weight === 0 ? null : Buffer.from(String(weight));
    return item;
  });
}

describe('a partial sort', () => {
  const weights = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 300 });

  it('puts the wanted part where a whole sort has it', () => {
    fc.assert(
      fc.property(weights, fc.nat(320), fc.nat(320), fc.boolean(), (all, from, count, down) => {
        const compare = comparison(false, down);
        const expected = itemsOf(all).sort(compare);
        const items = itemsOf(all);
        sortPart(items, compare, from, from + count - 1);
        const part = (sorted: readonly SortItem[]): string[] =>
          sorted.slice(from, from + count).map((item) => String(item.element));
        expect(part(items)).toEqual(part(expected));
      }),
    );
  });

  it('loses no element and orders texts, whatever becomes of equal ones', () => {
    fc.assert(
      fc.property(weights, (all) => {
        const compare = comparison(true, false);
        const items = itemsOf(all);
        sortPart(items, compare, 0, items.length - 1);
        expect(new Set(items).size).toBe(all.length);
        const texts = items.map((item) => (item.text === null ? '' : String(item.text)));
        expect(texts).toEqual([...texts].sort());
      }),
    );
  });
});

describe('the number of a text', () => {
  it.each([
    ['', 0],
    [' 12', 12],
    ['\t-0x10', -16],
    ['1e3', 1000],
    ['inf', Number.POSITIVE_INFINITY],
    ['7\0x', 7],
    ['\0', 0],
    ['9007199254740993', 9007199254740992],
    [' ', Number.NaN],
    ['1 ', Number.NaN],
    ['x', Number.NaN],
    ['nan', Number.NaN],
    ['1e400', Number.NaN],
    ['1e-320', Number.NaN],
  ])('%j is %d', (text, number) => {
    expect(sortNumber(Buffer.from(text))).toBe(number);
  });
});
