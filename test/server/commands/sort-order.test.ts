/** The order of SORT: a partial sort against a whole one, and what texts mean as numbers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteView } from '../../../src/core/value.ts';
import { SortItems, sortNumber } from '../../../src/server/commands/sort-order.ts';

function view(text: string): ByteView {
  const bytes = Buffer.from(`..${text}`);
  return Object.assign(new ByteView(), { bytes, offset: 2, length: bytes.length - 2 });
}

function itemsOf(elements: readonly string[]): SortItems {
  const items = new SortItems(elements.length);
  for (const element of elements) items.push(view(element));
  return items;
}

function elementsIn(items: SortItems, from: number, count: number): string[] {
  const end = Math.min(items.count, from + count);
  const ranks = Array.from({ length: Math.max(0, end - from) }, (_, i) => from + i);
  const shown = new ByteView();
  return ranks.map((rank) => {
    items.show(rank, shown);
    return Buffer.from(shown.copy()).toString();
  });
}

function weighted(weights: readonly number[]): SortItems {
  const items = itemsOf(weights.map((_, i) => `element ${i}`));
  weights.forEach((weight, item) => {
    items.setScore(item, weight);
  });
  return items;
}

describe('a whole sort', () => {
  const texts = fc.array(
    fc.tuple(fc.constantFrom('', 'key:', 'key:0'), fc.string({ unit: 'binary', maxLength: 9 })),
    { maxLength: 300 },
  );

  it.each([false, true])('orders texts by their bytes, descending: %s', (down) => {
    fc.assert(
      fc.property(texts, (pairs) => {
        const all = pairs.map(([prefix, rest]) => prefix + rest);
        const items = itemsOf(all);
        items.weighTexts(false);
        items.sort(down);
        const expected = all.map((text) => Buffer.from(text));
        expected.sort((a, b) => (down ? Buffer.compare(b, a) : Buffer.compare(a, b)));
        expect(elementsIn(items, 0, all.length)).toEqual(expected.map(String));
      }),
    );
  });

  it('leaves equal texts as they came, and puts what has none first', () => {
    const words = fc.array(fc.option(fc.constantFrom('', 'a', 'ab', 'ab\0c', 'a long text')));
    fc.assert(
      fc.property(words, fc.boolean(), (all, down) => {
        const items = itemsOf(all.map((_, i) => `element ${i}`));
        all.forEach((word, item) => {
          items.setText(item, word === null ? null : view(word));
        });
        items.weighTexts(true);
        items.sort(down);
        const rank = (word: string | null): string =>
          word === null ? '' : `.${word.split('\0')[0]}`;
        const expected = all.map((word, i) => ({ rank: rank(word), name: `element ${i}` }));
        const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
        expected.sort((a, b) => (down ? order(b.rank, a.rank) : order(a.rank, b.rank)));
        expect(elementsIn(items, 0, all.length)).toEqual(expected.map(({ name }) => name));
      }),
    );
  });
});

describe('a partial sort', () => {
  const weights = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 300 });

  it('puts the wanted part where a whole sort has it', () => {
    fc.assert(
      fc.property(weights, fc.nat(320), fc.nat(320), fc.boolean(), (all, from, count, down) => {
        const whole = weighted(all);
        const items = weighted(all);
        whole.sort(down);
        items.sortPart(down, from, from + count - 1);
        expect(elementsIn(items, from, count)).toEqual(elementsIn(whole, from, count));
      }),
    );
  });

  it('loses no element and orders texts, whatever becomes of equal ones', () => {
    fc.assert(
      fc.property(weights, (all) => {
        const items = itemsOf(all.map((weight) => `text ${weight}`));
        items.weighTexts(false);
        items.sortPart(false, 0, items.count - 1);
        const expected = all.map((weight) => `text ${weight}`).sort();
        expect(elementsIn(items, 0, items.count)).toEqual(expected);
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
  ])('of %j is %d', (text, number) => {
    const { bytes, length, offset } = view(text);
    expect(sortNumber(bytes, offset, length)).toBe(number);
  });
});
