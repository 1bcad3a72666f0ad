/** Counting bits: against plain loops at every size and alignment, and a real BITCOUNT. */
import { describe, expect, it } from 'vitest';
import { bitCountRange, popcount, popcountBits } from '../../../src/core/bits/bit-count.ts';
import { Random } from '../../support/random.ts';
import { guarded, noOracle, useOracle } from '../text/oracle.ts';

const random = new Random(0xb17);

function counted(buf: Uint8Array, startBit: number, endBit: number): number {
  let count = 0;
  for (let bit = startBit; bit < endBit; bit++) {
    if ((buf[bit >> 3]! & (0x80 >> (bit & 7))) !== 0) count++;
  }
  return count;
}

describe('popcount', () => {
  const buf = Buffer.from(random.bytes(140_000), 'latin1');

  it('counts every short length at every alignment', () => {
    for (let len = 0; len < 300; len++) {
      for (let off = 0; off < 9; off++) {
        expect(popcount(buf, off, len)).toBe(counted(buf, off * 8, (off + len) * 8));
      }
    }
  });

  it.each([511, 512, 65_535, 65_536, 65_537, 65_568, 131_072, 131_103, 139_990])(
    'counts %i bytes, which end within or at a block',
    (len) => {
      for (const off of [0, 1, 7]) {
        expect(popcount(buf, off, len)).toBe(counted(buf, off * 8, (off + len) * 8));
      }
    },
  );

  it('counts all ones without overflow', () => {
    expect(popcount(new Uint8Array(1 << 20).fill(0xff), 0, 1 << 20)).toBe(8 << 20);
  });

  it('counts ranges of bits', () => {
    for (let i = 0; i < 3000; i++) {
      const start = random.between(0, 3000);
      const end = random.between(start, random.chance(0.5) ? start + 20 : 6000);
      expect(popcountBits(buf, 3, start, end)).toBe(counted(buf, start + 24, end + 24));
    }
  });
});

describe.skipIf(noOracle)('bitCountRange against a real server', () => {
  const ask = useOracle();

  it('agrees on ranges of bytes and of bits', async () => {
    const values = ['', 'a', '\xff', random.bytes(3), random.bytes(40), random.bytes(3000)];
    const cases = random.list(3000, 3000, () => {
      const value = random.pick(values);
      const far = random.chance(0.1) ? 100_000 : value.length * (random.chance(0.5) ? 8 : 1) + 3;
      return {
        value,
        start: random.between(-far, far),
        end: random.between(-far, far),
        inBits: random.chance(0.5),
      };
    });
    await ask(values.map((value, i) => ['SET', `v${i}`, value]));
    const replies = await ask(
      cases.map(({ value, start, end, inBits }) => {
        const key = `v${values.indexOf(value)}`;
        return ['BITCOUNT', key, start, end, inBits ? 'BIT' : 'BYTE'];
      }),
    );
    for (const [i, { value, start, end, inBits }] of cases.entries()) {
      const { buf, off, len } = guarded(value);
      const count = bitCountRange(buf, off, len, start, end, inBits);
      expect({ len, start, end, inBits, count }).toEqual({
        len,
        start,
        end,
        inBits,
        count: replies[i],
      });
    }
  });
});
