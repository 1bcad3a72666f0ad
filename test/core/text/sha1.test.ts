/** SHA-1 against the one of Node, at every length around the block size and at any offset. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha1 } from '../../../src/core/text/sha1.ts';

const byNode = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex');

describe('sha1', () => {
  it('agrees with Node at all lengths up to three blocks', () => {
    const bytes = Uint8Array.from({ length: 200 }, (_, i) => (i * 37) & 0xff);
    const out = new Uint8Array(20);
    for (let length = 0; length <= bytes.length; length++) {
      sha1(bytes, 0, length, out, 0);
      expect(Buffer.from(out).toString('hex')).toBe(byNode(bytes.subarray(0, length)));
    }
  });

  it('reads and writes at any offset', () => {
    const ranges = fc.tuple(fc.uint8Array({ maxLength: 500 }), fc.nat(60), fc.nat(9));
    fc.assert(
      fc.property(ranges, ([bytes, from, to]) => {
        const start = Math.min(from, bytes.length);
        const out = new Uint8Array(32);
        sha1(bytes, start, bytes.length - start, out, to);
        expect(Buffer.from(out.subarray(to, to + 20)).toString('hex')).toBe(
          byNode(bytes.subarray(start)),
        );
        expect(out.subarray(to + 20).every((byte) => byte === 0)).toBe(true);
      }),
    );
  });

  it('counts the bits of the longest value', () => {
    const bytes = new Uint8Array(2 ** 29);
    const out = new Uint8Array(20);
    sha1(bytes, 0, bytes.length, out, 0);
    expect(Buffer.from(out).toString('hex')).toBe(byNode(bytes));
  }, 900_000);
});
