/** Views of borrowed bytes: the right ones, also when the buffers change; and what they compare. */
import { describe, expect, test } from 'vitest';
import { halfSipHash, halfSipHashView } from '../../../src/core/memory/halfsiphash.ts';
import { equalViews, viewed, viewOf, viewOfKey } from '../../../src/core/memory/view-of.ts';

const LARGE = 2 << 20;

/** Bytes that begin inside their buffer, all different from those of another `seed`. */
function part(seed: number, length: number): Uint8Array {
  return Uint8Array.from({ length: length + 3 }, (_, i) => (i * 7 + seed) & 255).subarray(3);
}

describe('viewOf', () => {
  test('sees the bytes it is asked for, in whatever order', () => {
    const all = [part(1, 8), part(2, 9), new Uint8Array(LARGE), part(4, 0)];
    for (let round = 0; round < 64; round++) {
      const bytes = all[(round * round + (round >> 2)) & 3]!;
      const view = viewOf(bytes);
      expect(view.byteLength).toBe(bytes.length);
      if (bytes.length > 0) expect(view.getUint8(5)).toBe(bytes[5]);
    }
  });

  test('keeps the views of two buffers, and of no large one', () => {
    const [a, b, large] = [part(1, 8), part(2, 8), new Uint8Array(LARGE)];
    const first = viewOf(a);
    const second = viewOf(b);
    const once = viewOf(large);
    expect(viewOf(a)).toBe(first);
    expect(viewOf(b)).toBe(second);
    expect(viewOf(large)).not.toBe(once);
  });
});

describe('viewOfKey', () => {
  test('shows the bytes, of small buffers and of large ones, short and long', () => {
    for (const size of [1000, LARGE]) {
      const bytes = part(3, size);
      for (const [offset, length] of [
        [0, 16],
        [5, 1],
        [7, 256],
        [9, 300],
        [11, 0],
      ] as const) {
        const view = viewOfKey(bytes, offset, length);
        for (let i = 0; i < length; i++) {
          expect(view.getUint8(viewed.at + i)).toBe(bytes[offset + i]);
        }
      }
    }
  });

  test('keeps no view of the small buffer that a key has for itself', () => {
    const shared = part(1, 1000);
    const [first, second] = [viewOf(shared), viewOf(part(2, 1000))];
    const own = Uint8Array.of(1, 2, 3, 4, 5);

    const view = viewOfKey(own, 1, 3);
    const seen = [0, 1, 2].map((i) => view.getUint8(viewed.at + i));

    expect(seen).toEqual([2, 3, 4]);
    expect(viewOf(shared)).toBe(first);
    expect(viewOf(shared)).not.toBe(second);
  });
});

describe('equalViews', () => {
  test('tells a difference in any byte of any length', () => {
    for (let length = 0; length <= 20; length++) {
      const a = part(5, length + 2);
      const b = new Uint8Array(length + 8);
      b.set(a.subarray(2), 5);
      expect(equalViews(viewOf(a), 2, viewOf(b), 5, length)).toBe(true);
      for (let i = 5; i < 5 + length; i++) {
        b[i]! ^= 0x80;
        expect(equalViews(viewOf(a), 2, viewOf(b), 5, length)).toBe(false);
        b[i]! ^= 0x80;
      }
    }
  });
});

describe('halfSipHash', () => {
  test('is the same wherever the bytes stand', () => {
    for (let length = 0; length <= 20; length++) {
      const bytes = part(6, length);
      const hash = halfSipHash(bytes, 0, length, 11, 22);
      const room = new Uint8Array(64).fill(length);
      room.set(bytes, 9);
      expect(halfSipHash(room, 9, length, 11, 22)).toBe(hash);
      expect(halfSipHashView(new DataView(room.buffer), 9, length, 11, 22)).toBe(hash);
      if (length > 0) expect(halfSipHash(room, 10, length, 11, 22)).not.toBe(hash);
    }
  });
});
