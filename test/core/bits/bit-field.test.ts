/** Bit fields: round trips and corners by example, and a real BITFIELD with every kind of field. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type FieldOverflow,
  fieldEnd,
  fieldGet,
  fieldIncrBy,
  fieldSet,
} from '../../../src/core/bits/bit-field.ts';
import { Random } from '../../support/random.ts';
import type { Argument } from '../../support/raw-client.ts';
import type { ReplyValue } from '../../support/resp-reader.ts';
import { noOracle, textOf, useOracle } from '../text/oracle.ts';

/** The plain value of a result: a number where one is exact, as replies are read. */
function asReply(value: number | bigint | undefined): ReplyValue {
  if (value === undefined) return null;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : BigInt(value);
}

describe('bit fields', () => {
  it('writes what it reads, and touches no other bit', () => {
    const field = fc.record({
      signed: fc.boolean(),
      bits: fc.integer({ min: 1, max: 63 }),
      offset: fc.integer({ min: 0, max: 90 }),
      raw: fc.bigInt(0n, 2n ** 64n - 1n),
      filler: fc.integer({ min: 0, max: 255 }),
    });
    fc.assert(
      fc.property(field, ({ signed, bits, offset, raw, filler }) => {
        const buf = new Uint8Array(24).fill(filler);
        const value = signed ? BigInt.asIntN(bits, raw) : BigInt.asUintN(bits, raw);
        fieldSet(buf, 1, offset, bits, signed, value, 'fail');
        const read = fieldGet(buf, 1, 23, offset, bits, signed);
        expect(BigInt(read)).toBe(value);
        expect(typeof read).toBe(bits <= 53 ? 'number' : 'bigint');
        const text = [...buf.subarray(1)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
        const rest = filler.toString(2).padStart(8, '0').repeat(23);
        expect(text.slice(0, offset)).toBe(rest.slice(0, offset));
        expect(text.slice(offset + bits)).toBe(rest.slice(offset + bits));
        expect(buf[0]).toBe(filler);
      }),
    );
  });

  it('reads zeros behind the end', () => {
    const buf = new Uint8Array(4).fill(0xff);
    expect(fieldGet(buf, 0, 1, 4, 8, false)).toBe(0xf0);
    expect(fieldGet(buf, 0, 1, 800, 64, true)).toBe(0n);
    expect(fieldEnd(4, 8)).toBe(2);
    expect(fieldEnd(8, 8)).toBe(2);
  });

  it('overflows upwards in the two corners of Redis', () => {
    const buf = new Uint8Array(8);
    fieldSet(buf, 0, 0, 8, false, -1, 'sat');
    expect(fieldGet(buf, 0, 8, 0, 8, false)).toBe(255);
    fieldSet(buf, 0, 0, 8, true, -(2n ** 63n), 'sat');
    expect(fieldGet(buf, 0, 8, 0, 8, true)).toBe(127);
    fieldSet(buf, 0, 0, 8, true, -(2n ** 63n) + 200n, 'sat');
    expect(fieldGet(buf, 0, 8, 0, 8, true)).toBe(-128);
  });

  it('works at offsets past 2^31 bits', () => {
    const offset = 2 ** 31 - 12;
    const buf = new Uint8Array(fieldEnd(offset, 20));
    expect(fieldSet(buf, 0, offset, 20, false, 0xabcde, 'fail')).toBe(0);
    expect(fieldIncrBy(buf, 0, offset, 20, false, 1, 'fail')).toBe(0xabcdf);
  });
});

describe.skipIf(noOracle)('bit fields against a real server', () => {
  const ask = useOracle();
  const random = new Random(0xf1e1d);
  const int64Edge = () => random.pick([2n ** 63n - 1n, -(2n ** 63n), 2n ** 62n, -(2n ** 62n), 0n]);
  const operand = (bits: number): bigint => {
    const edge = 2n ** BigInt(random.pick([bits, bits - 1, random.between(0, 62)]));
    const near = edge * (random.chance(0.5) ? 1n : -1n) + BigInt(random.between(-2, 2));
    const value = random.chance(0.15) ? int64Edge() + BigInt(random.between(-3, 3)) : near;
    return BigInt.asIntN(64, value);
  };

  it('agrees on long series of operations', async () => {
    const size = 40;
    const buf = new Uint8Array(size);
    const mine: ReplyValue[] = [];
    const commands: Argument[][] = [['SETRANGE', 'k', size - 1, '\0']];
    for (let i = 0; i < 6000; i++) {
      const signed = random.chance(0.5);
      const bits = random.chance(0.3)
        ? random.pick([1, 8, 16, 32, 52, 53, 54, 63, signed ? 64 : 63])
        : random.between(1, signed ? 64 : 63);
      const offset = random.between(0, size * 8 - bits);
      const type = `${signed ? 'i' : 'u'}${bits}`;
      const overflow = random.pick<FieldOverflow>(['wrap', 'sat', 'fail']);
      const value = operand(bits);
      const exact = Number.isSafeInteger(Number(value)) ? Number(value) : value;
      const head = ['BITFIELD', 'k', 'OVERFLOW', overflow];
      const kind = random.between(0, 5);
      if (kind === 0) {
        commands.push([...head, 'GET', type, offset]);
        mine.push(asReply(fieldGet(buf, 0, size, offset, bits, signed)));
      } else if (kind < 3) {
        commands.push([...head, 'SET', type, offset, String(value)]);
        mine.push(asReply(fieldSet(buf, 0, offset, bits, signed, exact, overflow)));
      } else {
        commands.push([...head, 'INCRBY', type, offset, String(value)]);
        mine.push(asReply(fieldIncrBy(buf, 0, offset, bits, signed, exact, overflow)));
      }
    }
    const replies = await ask([...commands, ['GET', 'k']]);
    for (const [i, value] of mine.entries()) {
      const command = commands[i + 1];
      expect({ i, command, reply: [value] }).toEqual({ i, command, reply: replies[i + 1] });
    }
    expect(textOf(buf)).toBe(replies.at(-1));
    expect(mine.filter((value) => value === null).length).toBeGreaterThan(100);
  });
});
