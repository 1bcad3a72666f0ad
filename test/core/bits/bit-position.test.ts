/** Finding bits: long runs across blocks, and a real BITPOS. */
import { describe, expect, it } from 'vitest';
import { bitPosition } from '../../../src/core/bits/bit-position.ts';
import { Random } from '../../support/random.ts';
import { guarded, noOracle, useOracle } from '../text/oracle.ts';

describe('bitPosition', () => {
  it.each([0, 1])('finds a single %i anywhere in a large value', (bit) => {
    const size = 200_000;
    const buf = new Uint8Array(size + 5).fill(bit === 1 ? 0 : 0xff);
    const off = 5;
    const places = [0, 7, 8, 4095, 4096, 65_536 * 8 - 1, 65_536 * 8, 65_537 * 8 + 3];
    for (const place of [...places, 131_072 * 8 - 1, 131_072 * 8 + 9, size * 8 - 1]) {
      const at = off + (place >> 3);
      buf[at] = buf[at]! ^ (0x80 >> (place & 7));
      expect(bitPosition(buf, off, size, bit, 0, -1, false, false)).toBe(place);
      expect(bitPosition(buf, off, size, bit, place, -1, true, true)).toBe(place);
      expect(bitPosition(buf, off, size, bit, 0, place - 1, true, true)).toBe(
        place === 0 ? place : -1,
      );
      buf[at] = buf[at]! ^ (0x80 >> (place & 7));
    }
    expect(bitPosition(buf, off, size, bit, 0, -1, true, false)).toBe(-1);
    expect(bitPosition(buf, off, size, bit, 0, -1, false, false)).toBe(bit === 1 ? -1 : size * 8);
  });

  it('finds nothing in an empty value', () => {
    expect(bitPosition(new Uint8Array(0), 0, 0, 0, 0, -1, false, false)).toBe(-1);
  });
});

describe.skipIf(noOracle)('bitPosition against a real server', () => {
  const ask = useOracle();
  const random = new Random(0xb175);

  it('agrees on ranges of bytes and of bits', async () => {
    const runs = () =>
      random
        .list(0, 4, () =>
          random.pick(['\x00', '\xff', '\x10', '\xfb']).repeat(random.between(0, 900)),
        )
        .join('');
    const values = [
      ...['', '\x00', '\xff', '\x01\x80', '\xff\xff\xfe', '\x00\x00\x00'],
      ...random.list(30, 30, runs),
    ];
    const cases = random.list(4000, 4000, () => {
      const value = random.pick(values);
      const inBits = random.chance(0.5);
      const far = value.length * (inBits ? 8 : 1) + 3;
      const form = random.between(0, 2);
      return {
        value,
        bit: random.between(0, 1),
        start: form === 0 ? 0 : random.between(-far, far),
        end: form < 2 ? -1 : random.between(-far, far),
        form,
        inBits: form === 2 && inBits,
      };
    });
    await ask(values.map((value, i) => ['SET', `v${i}`, value]));
    const replies = await ask(
      cases.map(({ value, bit, start, end, form, inBits }) => {
        const range = [start, end, inBits ? 'BIT' : 'BYTE'].slice(0, [0, 1, 3][form]);
        return ['BITPOS', `v${values.indexOf(value)}`, bit, ...range];
      }),
    );
    for (const [i, { value, bit, start, end, form, inBits }] of cases.entries()) {
      const { buf, off, len } = guarded(value);
      const at = bitPosition(buf, off, len, bit, start, end, form === 2, inBits);
      expect({ i, len, bit, start, end, form, inBits, at }).toEqual({
        ...{ i, len, bit, start, end, form, inBits },
        at: replies[i],
      });
    }
  });
});
