/** The intset against a sorted array of distinct integers. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  INTSET_HEAD_BYTES,
  intsetAdd,
  intsetBytes,
  intsetCount,
  intsetFind,
  intsetGet,
  intsetGrown,
  intsetInit,
  intsetRemoveAt,
  intsetSlot,
  intsetValid,
} from '../../../src/core/struct/intset.ts';

const BASE = 3;
const words = (value: bigint): [number, number] => [
  Number(BigInt.asIntN(32, value)),
  Number(value >> 32n),
];

const integer = fc.oneof(
  fc.bigInt({ min: -50n, max: 50n }),
  fc.bigInt({ min: -40_000n, max: 40_000n }),
  fc.bigInt({ min: -(2n ** 31n) - 2n, max: 2n ** 31n + 2n }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);

test('agrees with a sorted array while it widens, grows and shrinks', () => {
  const operation = fc.record({ remove: fc.boolean(), value: integer, pick: fc.nat() });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
      const bytes = new Uint8Array(4096);
      intsetInit(bytes, BASE);
      let model: bigint[] = [];
      for (const one of operations) {
        const value = one.remove ? (model[one.pick % (model.length || 1)] ?? 0n) : one.value;
        const [low, high] = words(value);
        const there = intsetFind(bytes, BASE, low, high);
        expect(there).toBe(model.includes(value));
        if (there && one.remove) {
          intsetRemoveAt(bytes, BASE, intsetSlot.index);
          model = model.filter((each) => each !== value);
        } else if (!there) {
          const grown = intsetGrown(bytes, BASE, low, high);
          intsetAdd(bytes, BASE, low, high);
          expect(intsetBytes(bytes, BASE)).toBe(grown);
          model = [...model, value].sort((a, b) => (a < b ? -1 : 1));
        }
        expect(intsetCount(bytes, BASE)).toBe(model.length);
      }
      const got = model.map((_, i) => {
        intsetGet(bytes, BASE, i);
        return (BigInt(intsetSlot.high) << 32n) | BigInt(intsetSlot.low >>> 0);
      });
      expect(got).toEqual(model);
      const length = intsetBytes(bytes, BASE);
      expect(intsetValid(bytes, BASE, length, true)).toBe(model.length > 0);
    }),
    { numRuns: 300 },
  );
});

test('bytes that lie are refused', () => {
  const bytes = new Uint8Array(64);
  intsetInit(bytes, 0);
  for (const value of [5n, -3n, 70_000n]) {
    expect(intsetFind(bytes, 0, ...words(value))).toBe(false);
    intsetAdd(bytes, 0, ...words(value));
  }
  const length = intsetBytes(bytes, 0);
  expect(length).toBe(INTSET_HEAD_BYTES + 12);
  expect(intsetValid(bytes, 0, length, true)).toBe(true);
  expect(intsetValid(bytes, 0, length - 1, true)).toBe(false);
  const swapped = bytes.slice();
  swapped.copyWithin(8, 12, 16);
  expect(intsetValid(swapped, 0, length, false)).toBe(true);
  expect(intsetValid(swapped, 0, length, true)).toBe(false);
  bytes[0] = 3;
  expect(intsetValid(bytes, 0, length, false)).toBe(false);
});
