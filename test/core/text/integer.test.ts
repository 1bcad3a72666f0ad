/** Decimal int64 text: properties against BigInt, and strictness against a real server. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  integerLength,
  isInt64Text,
  parseInt64,
  parseInteger,
  parseUint64,
  writeInt64,
  writeInteger,
} from '../../../src/core/text/integer.ts';
import { Random } from '../../support/random.ts';
import { ReplyError } from '../../support/resp-reader.ts';
import { guarded, noOracle, useOracle } from './oracle.ts';

const INT64_MAX = 2n ** 63n - 1n;
const STRICT = /^(?:0|-?[1-9]\d*)$/;

/** What the strict parser must give. */
function model(text: string): bigint | undefined {
  if (!STRICT.test(text)) return undefined;
  const value = BigInt(text);
  return value > INT64_MAX || value < -INT64_MAX - 1n ? undefined : value;
}

function check(text: string): void {
  const { buf, off, len } = guarded(text);
  const expected = model(text);
  expect(parseInt64(buf, off, len), text).toBe(expected);
  expect(isInt64Text(buf, off, len), text).toBe(expected !== undefined);
  const number = expected === undefined ? Number.NaN : Number(expected);
  expect(parseInteger(buf, off, len), text).toBe(number);
}

function written(write: (buf: Uint8Array, off: number) => number): string {
  const buf = new Uint8Array(40).fill(0x21);
  const length = write(buf, 5);
  expect(buf[4]).toBe(0x21);
  expect(buf[5 + length]).toBe(0x21);
  return Buffer.from(buf.subarray(5, 5 + length)).toString('latin1');
}

const nearNumber = fc.oneof(
  fc.bigInt(-INT64_MAX - 1n, INT64_MAX),
  fc.integer({ min: 0, max: 63 }).chain((bit) => {
    const edge = 1n << BigInt(bit);
    return fc.bigInt(-3n, 3n).map((delta) => BigInt.asIntN(64, edge + delta));
  }),
  fc.integer({ min: 0, max: 18 }).chain((digits) => {
    return fc.bigInt(-2n, 2n).map((delta) => 10n ** BigInt(digits) + delta);
  }),
);

describe('parsing', () => {
  it.each([
    ...['', '-', '+1', '01', '-0', '-01', '00', ' 1', '1 ', '1.0', '0x1', '1e3', '--1', '1-', '\0'],
    ...['9223372036854775807', '9223372036854775808', '-9223372036854775808'],
    ...['-9223372036854775809', '9999999999999999999', '10000000000000000000', '0', '7', '-7'],
    ...['922337203685477580:', '1/23456789012345678', '123456789012345', '1234567890123456'],
  ])('takes %j as the model does', check);

  it('agrees with the model on every kind of number and near-number', () => {
    fc.assert(fc.property(nearNumber, (value) => check(value.toString())));
    fc.assert(fc.property(fc.bigInt(-(2n ** 70n), 2n ** 70n), (value) => check(value.toString())));
    const digits = fc.array(fc.constantFrom(...'0123456789-+ .'), { maxLength: 22 });
    fc.assert(fc.property(digits, (parts) => check(parts.join(''))));
  });
});

describe('writing', () => {
  it('prints safe integers and their lengths', () => {
    const value = fc.oneof(fc.maxSafeInteger(), nearNumber.map(Number));
    fc.assert(
      fc.property(value.filter(Number.isSafeInteger), (number) => {
        expect(written((buf, off) => writeInteger(buf, off, number))).toBe(String(number));
        expect(integerLength(number)).toBe(String(number).length);
      }),
    );
    expect(written((buf, off) => writeInteger(buf, off, -0))).toBe('0');
  });

  it('prints int64 words, signed or unsigned', () => {
    fc.assert(
      fc.property(nearNumber, (value) => {
        const lo = Number(BigInt.asIntN(32, value));
        const hi = Number(value >> 32n);
        const text = value.toString();
        expect(written((buf, off) => writeInt64(buf, off, lo, hi))).toBe(text);
        expect(written((buf, off) => writeInt64(buf, off, lo >>> 0, hi >>> 0))).toBe(text);
      }),
    );
  });
});

describe('parseUint64', () => {
  it.each([
    ['', 0n],
    ['0', 0n],
    ['007', 7n],
    ['+5', 5n],
    ['-5', 2n ** 64n - 5n],
    ['-0', 0n],
    ['18446744073709551615', 2n ** 64n - 1n],
    ['-18446744073709551615', 1n],
    ['18446744073709551616', undefined],
    [`${'0'.repeat(50)}18446744073709551615`, 2n ** 64n - 1n],
    ['5\0abc', 5n],
    ['\0', 0n],
    [' 5', undefined],
    ['5 ', undefined],
    ['+', undefined],
    ['-', undefined],
    ['+-5', undefined],
    ['5x', undefined],
  ])('%j is %s', (text, expected) => {
    const { buf, off, len } = guarded(text);
    expect(parseUint64(buf, off, len)).toBe(expected);
  });
});

describe.skipIf(noOracle)('integers against a real server', () => {
  const ask = useOracle();
  const random = new Random(64);
  const pieces = [...'0123456789', '0', '9', '-', '+', ' ', '\t', '.', 'e', 'x', '\0'];
  const texts = [
    ...random.list(1500, 1500, () => random.list(0, 4, () => random.pick(pieces)).join('')),
    ...random.list(500, 500, () => {
      const value = 10n ** BigInt(random.between(0, 20)) * BigInt(random.between(1, 99));
      return (random.chance(0.5) ? '-' : '') + (value + BigInt(random.between(-9, 9))).toString();
    }),
    ...[0n, 1n, -1n, 2n]
      .flatMap((d) => [2n ** 63n + d, -(2n ** 63n) + d, 2n ** 64n + d])
      .map(String),
  ];

  it('accepts as a value exactly what Redis accepts', async () => {
    const replies = await ask(texts.map((text) => ['GETRANGE', 'none', text, 0]));
    for (const [i, text] of texts.entries()) {
      const { buf, off, len } = guarded(text);
      const accepted = !(replies[i] instanceof ReplyError);
      expect({ text, accepted: isInt64Text(buf, off, len) }).toEqual({ text, accepted });
    }
  });

  it('accepts as a cursor exactly what Redis accepts', async () => {
    const replies = await ask(texts.map((text) => ['SCAN', text]));
    for (const [i, text] of texts.entries()) {
      const { buf, off, len } = guarded(text);
      const accepted = !(replies[i] instanceof ReplyError);
      const mine = parseUint64(buf, off, len) !== undefined;
      expect({ text, accepted: mine }).toEqual({ text, accepted });
    }
  });
});
