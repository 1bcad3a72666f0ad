/** Ziplists that become listpacks where they stand: no entry is written over before it is read. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lpBytes } from '../../../src/core/struct/listpack.ts';
import { ZiplistReader } from '../../../src/persistence/rdb/ziplist.ts';
import { becomeListpack, ziplistSlack } from '../../../src/persistence/rdb/ziplist-listpack.ts';
import { listpackOf, ziplistOf } from './rdb-forms.ts';

/** The listpack that a ziplist of these entries becomes, with other bytes around it. */
function converted(entries: readonly string[], base: number): Buffer {
  const packed = ziplistOf(entries);
  const at = base + ziplistSlack(packed.length);
  const bytes = new Uint8Array(at + packed.length).fill(0xa5);
  bytes.set(packed, at);
  const ziplist = new ZiplistReader();
  expect(ziplist.open(bytes, at, packed.length)).toBe(true);
  becomeListpack(ziplist, bytes, base);
  expect(bytes.subarray(0, base).every((byte) => byte === 0xa5)).toBe(true);
  return Buffer.from(bytes.subarray(base, base + lpBytes(bytes, base)));
}

// Lengths at which one of the two takes a wider head, or a wider length behind.
const lengths = [0, 1, 62, 63, 64, 121, 122, 125, 126, 127, 128, 248, 249, 250, 251, 252, 253, 254];
const longer = [4090, 4095, 4096, 4097, 16_370, 16_383, 16_384, 16_400];
const entry = fc.oneof(
  fc.constantFrom(...lengths, ...longer).map((length) => 'x'.repeat(length)),
  fc.integer({ min: -300, max: 300 }).map(String),
  fc.constantFrom('4095', '4096', '-4097', '32768', '8388608', '2147483648', '-9007199254740991'),
);

describe('a ziplist as a listpack in its place', () => {
  it('holds the same entries, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 40 }), fc.nat(9), (entries, base) => {
        expect(converted(entries, base).equals(listpackOf(entries))).toBe(true);
      }),
      { numRuns: 200, seed: 20_260_801 },
    );
  });

  it.each([126, 130, 251, 252, 253, 4096])('holds many entries of %i bytes each', (length) => {
    // These grow the most: a listpack needs wider lengths for them than a ziplist.
    const entries = Array.from({ length: 3000 }, (_, i) => `${i}:`.padEnd(length, 'y'));
    expect(converted(entries, 8).equals(listpackOf(entries))).toBe(true);
  });
});
