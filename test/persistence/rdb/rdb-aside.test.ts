/** A large string that waits aside: it moves in pieces, and what has moved takes no memory. */
import { describe, expect, it } from 'vitest';
import { AsideString } from '../../../src/persistence/rdb/rdb-aside.ts';

const MIB = 1 << 20;

describe('a string aside', () => {
  it.each([1, MIB, 2 * MIB + 5])('of %i bytes moves, and gives back what it took', (length) => {
    const aside = new AsideString();
    aside.open(length);
    const { bytes } = aside;
    for (let i = 0; i < length; i++) bytes[i] = i % 251;
    const to = new Uint8Array(length + 7);
    let held = length;
    while (!aside.move(to, 7)) {
      expect(aside.length).toBe(length);
      expect(bytes.length).toBe(held - MIB);
      held = bytes.length;
    }
    expect([aside.length, aside.bytes.length, bytes.length]).toEqual([0, 0, 0]);
    expect(to.every((byte, i) => byte === (i < 7 ? 0 : (i - 7) % 251))).toBe(true);
  });

  it('is given up as a whole, and another takes its place', () => {
    const aside = new AsideString();
    aside.open(MIB);
    aside.drop();
    expect([aside.length, aside.bytes.length]).toEqual([0, 0]);
    aside.open(3);
    aside.bytes.set([1, 2, 3]);
    const to = new Uint8Array(3);
    expect(aside.move(to, 0)).toBe(true);
    expect([...to]).toEqual([1, 2, 3]);
  });
});
