/**
 * Sines, cosines and arc sines: how near they are to series of 220 bits, and those of the C library
 * where it does not give the nearest double. Those were computed by glibc 2.36 on x86-64 with FMA.
 */
import { describe, expect, it } from 'vitest';
import { libraryAsin, libraryCos, librarySin } from '../../../src/core/types/geo-trig.ts';
import { abs, fixed, neighbours, series } from '../../support/fixed-point.ts';
import { Random } from '../../support/random.ts';

const seed = 20261128;
/** What the library may miss: hundredths of the gap to the next double. */
const MISS_MAX = 55n;

/** The gap beside a double towards zero: no wider than the other. */
function gapAt(value: number): bigint {
  return abs(fixed(neighbours(value)[0]!) - fixed(value));
}

function isNear(value: number, exact: bigint): boolean {
  return abs(fixed(value) - exact) * 100n <= gapAt(value) * MISS_MAX;
}

describe('sines, cosines and arc sines', () => {
  it('are near the true values', () => {
    const random = new Random(seed);
    for (let i = 0; i < 1500; i++) {
      const x = (random.next() * 2 - 1) * (i % 3 === 0 ? 0.01 : Math.PI);
      expect(isNear(librarySin(x), series(fixed(x), 1)), `sin ${x}`).toBe(true);
      expect(isNear(libraryCos(x / 2), series(fixed(x / 2), 0)), `cos ${x / 2}`).toBe(true);
    }
  });

  it('invert the sine', () => {
    const random = new Random(seed);
    for (let i = 0; i < 1500; i++) {
      const x = i % 3 === 0 ? random.next() * 1e-6 : random.next();
      const angle = libraryAsin(x);
      // The sine tells on which side of x the ends of what may be are.
      const miss = (gapAt(angle) * MISS_MAX) / 100n;
      const sides = [-miss, miss].map((by) => series(fixed(angle) + by, 1) < fixed(x));
      expect(sides, `asin ${x}`).toEqual([true, false]);
    }
  });

  it('hold at the ends', () => {
    expect(librarySin(0)).toBe(0);
    expect(librarySin(-1e-300)).toBe(-1e-300);
    expect(libraryCos(0)).toBe(1);
    expect(librarySin(Math.PI)).toBe(1.2246467991473532e-16);
    expect(libraryCos(Math.PI / 2)).toBe(6.123233995736766e-17);
    expect(libraryAsin(0)).toBe(0);
    expect(libraryAsin(1)).toBe(Math.PI / 2);
    expect(libraryAsin(1.0000000000000002)).toBeNaN();
  });

  it.each([
    [0.06655147757668883, 0.06650236127267638],
    [0.10039917469018553, 0.10023058916193867],
    [0.22298713749916177, 0.22114378498211268],
    [0.7166368788972628, 0.6568525340157461],
    [-2.2764458319671865, -0.7611904898219881],
    [-1.1206413102801365, -0.9003796646928823],
    [2.9353082639423373, 0.20482448744383513],
    [3.0567839924610416, 0.08470703317386052],
  ])('misses the nearest double as the library does: sin %s', (x, sine) => {
    expect(librarySin(x)).toBe(sine);
    expect(librarySin(-x)).toBe(-sine);
  });

  it.each([
    [0.7466264670030203, 0.7339842317901519],
    [0.7939829490293655, 0.7010104394034862],
    [-1.4199608495094564, 0.15026417599803843],
    [-1.4170502475451396, 0.1531410900886499],
    [1.4701844148065455, 0.10044225289539879],
  ])('misses the nearest double as the library does: cos %s', (x, cosine) => {
    expect(libraryCos(x)).toBe(cosine);
    expect(libraryCos(-x)).toBe(cosine);
  });

  it.each([
    [0.11708499901878812, 0.11735418062859446],
    [0.12408762849815867, 0.12440830026528936],
    [0.39448941782287483, 0.40551214004794833],
    [0.1526127403502472, 0.15321144500587341],
    [0.5580279244200271, 0.5920073919010691],
    [0.7687490359329838, 0.8768828406086495],
    [0.9255573393552111, 1.1825050322801642],
    [0.9663030561592773, 1.3104584295573072],
    [0.96938595007291, 1.3227175443073371],
  ])('misses the nearest double as the library does: asin %s', (x, angle) => {
    expect(libraryAsin(x)).toBe(angle);
  });
});
