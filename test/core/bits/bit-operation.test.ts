/** BITOP: against plain loops at sizes around a block, and a real server. */
import { describe, expect, it } from 'vitest';
import {
  type BitOperation,
  bitOperation,
  bitOperationLength,
} from '../../../src/core/bits/bit-operation.ts';
import { Random } from '../../support/random.ts';
import { guarded, noOracle, textOf, useOracle } from '../text/oracle.ts';

const random = new Random(0xb170);

function result(operation: BitOperation, values: readonly string[]): string {
  const sources = values.map((value) => {
    const { buf, off, len } = guarded(value);
    return { bytes: buf, offset: off, length: len };
  });
  const length = bitOperationLength(sources);
  const dst = new Uint8Array(length + 6).fill(0x5a);
  bitOperation(operation, dst, 3, sources);
  expect([dst[2], dst[3 + length]]).toEqual([0x5a, 0x5a]);
  return textOf(dst.subarray(3, 3 + length));
}

function model(operation: BitOperation, values: readonly string[]): string {
  const bytes: number[] = [];
  for (let i = 0; i < Math.max(...values.map((value) => value.length)); i++) {
    const [first = 0, ...rest] = values.map((value) => value.charCodeAt(i) || 0);
    const byte = rest.reduce(
      (a, b) => (operation === 'and' ? a & b : operation === 'or' ? a | b : a ^ b),
      first,
    );
    bytes.push(operation === 'not' ? ~byte & 0xff : byte);
  }
  return Buffer.from(bytes).toString('latin1');
}

describe('bitOperation', () => {
  it.each<BitOperation>(['and', 'or', 'xor', 'not'])(
    '%s around the size of a block',
    (operation) => {
      const sizes = [0, 1, 31, 32, 33, 65_535, 65_536, 65_537, 131_090];
      for (const size of sizes) {
        const values = [random.bytes(size), random.bytes(random.pick(sizes)), random.bytes(40)];
        const used = operation === 'not' ? values.slice(0, 1) : values;
        expect(result(operation, used) === model(operation, used)).toBe(true);
      }
    },
  );

  it('gives an empty result for empty sources', () => {
    expect(result('or', ['', ''])).toBe('');
  });

  it('may write over its first source', () => {
    const bytes = Uint8Array.from([0b1100, 0xff]);
    const other = Uint8Array.from([0b1010]);
    bitOperation('xor', bytes, 0, [
      { bytes, offset: 0, length: 2 },
      { bytes: other, offset: 0, length: 1 },
    ]);
    expect([...bytes]).toEqual([0b0110, 0xff]);
  });
});

describe.skipIf(noOracle)('bitOperation against a real server', () => {
  const ask = useOracle();

  it('agrees on values of unequal lengths', async () => {
    const cases = random.list(400, 400, () => {
      const operation = random.pick<BitOperation>(['and', 'or', 'xor', 'not']);
      const length = () => random.between(0, random.pick([3, 40, 2000]));
      const count = operation === 'not' ? 1 : random.between(1, 5);
      return { operation, values: random.list(count, count, () => random.bytes(length())) };
    });
    const replies = await ask(
      cases.flatMap(({ operation, values }) => [
        ['MSET', ...values.flatMap((value, i) => [`v${i}`, value])],
        ['BITOP', operation.toUpperCase(), 'dst', ...values.map((_, i) => `v${i}`)],
        ['GET', 'dst'],
      ]),
    );
    for (const [i, { operation, values }] of cases.entries()) {
      expect(result(operation, values)).toBe(replies[3 * i + 2] ?? '');
    }
  });
});
