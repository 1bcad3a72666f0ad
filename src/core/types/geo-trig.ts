/**
 * Sine, cosine and arc sine as the C library under a real server gives them, to the last bit.
 *
 * A distance that is stored as a score shows that bit. Math.sin and its kin give the other
 * neighbour in one case of forty, and the nearest double is not the answer either: that library
 * (measured: glibc 2.36) misses it in one case of a thousand. So this goes the same way, as far as
 * its roundings can be seen in the result:
 *
 *     sin, cos    below 0.126 a polynomial; else the sum formula with x = k/128 + d, sines and
 *                 cosines of k/128 from a table as pairs of doubles, those of d by polynomials
 *                 (of pi/2 - x from 49 degrees on, of x - pi from 139)
 *
 *     asin        below 1/8 a polynomial; up to 31/32 one around the middle of each 1/256, from a
 *                 table; above that pi/2 - 2 asin sqrt((1 - x) / 2)
 *
 * On x86-64 processors since 2013 that library multiplies and adds with one rounding; where this
 * shows, `multiplyAdd` does the same. Where a rounding is thousands of times smaller than the last
 * bit, plain operations stand for it: one arc sine in a million may come out otherwise. On older
 * processors one distance in some hundred has another last bit, as between two real servers.
 *
 * Source: S. Gal and B. Bachelis, "An Accurate Elementary Mathematical Library for the IEEE
 * Floating Point Standard" (1991). The coefficients and limits are those of glibc.
 */
import {
  ARC_HIGH,
  ARC_LOW,
  ARC_MAX,
  ARC_MIN,
  arcRow,
  arcs,
  middleOf,
  sineRow,
  sines,
} from './geo-trig-tables.ts';
import { multiplyAdd } from './multiply-add.ts';

/** pi/2 as a pair; and pi in four parts, the first so short that subtracting it is exact. */
const HALF_PI = 1.5707963267948966;
const HALF_PI_LOW = 6.123233995736766e-17;
const PI_1 = 2 * 1.5707963407039642;
const PI_2 = 2 * -1.3909067564377153e-8;
const PI_3 = 2 * -4.97899623147991e-17;
const PI_4 = 2 * -1.9034889620193266e-25;

/** Up to here by a polynomial alone; to here from the table; to here by the other angle. */
const SMALL = 0.126;
const MIDDLE = 0.85546875;
const LARGE = 2.4262638092041016;
/** Adding and subtracting this leaves a multiple of 1/128. */
const TO_STEPS = 1.5 * 2 ** 45;
/** Adding and subtracting this leaves a multiple of 2^-28. */
const TO_SHORT = 2 ** 24;

/** The sine of a small angle: of its powers 3, 5, 7, 9, 11. */
const S3 = -1 / 6;
const S5 = 0.008333333333332329;
const S7 = -0.00019841269834414642;
const S9 = 2.755729806860771e-6;
const S11 = -2.5022014848318398e-8;
/** The sine of what is left beside the table: powers 3, 5; 1 - its cosine: powers 2, 4, 6. */
const D3 = -0.16666666666666488;
const D5 = 0.008333332142857223;
const D2 = 0.5;
const D4 = -0.04166666666666644;
const D6 = 0.001388888740079376;
/** The arc sine of a small number: powers 3, 5, ..., 13. */
const A3 = 0.1666666666666641;
const A5 = 0.07500000000261227;
const A7 = 0.044642856142105974;
const A9 = 0.03038212685821193;
const A11 = 0.022355121102652562;
const A13 = 0.018138290340456505;

/** The sine of an angle from -pi to pi. */
export function librarySin(x: number): number {
  const sine = positiveSin(Math.abs(x));
  return x < 0 ? -sine : sine;
}

/** The cosine of an angle from -pi/2 to pi/2. */
export function libraryCos(x: number): number {
  const size = Math.abs(x);
  if (size < MIDDLE) return nearCos(size, 0);
  const other = HALF_PI - size;
  const sum = other + HALF_PI_LOW;
  return nearSin(sum, other - sum + HALF_PI_LOW);
}

/** The arc sine of a number from 0; NaN above 1. */
export function libraryAsin(x: number): number {
  if (x < ARC_MIN) return multiplyAdd(smallArc(x * x), x * x * x, x);
  if (x < ARC_MAX) return arcFromTable(x);
  if (!(x < 1)) return Math.asin(x);
  const z = (1 - x) / 2;
  const root = Math.sqrt(z);
  const short = root + TO_SHORT - TO_SHORT;
  const rest = (z - short * short) / (root + short);
  const miss = multiplyAdd(-2 * (short + rest), smallArc(z) * z, HALF_PI_LOW - 2 * rest);
  return HALF_PI - 2 * short + miss;
}

function positiveSin(x: number): number {
  if (x < MIDDLE) return nearSin(x, 0);
  if (x < LARGE) {
    const other = HALF_PI - x;
    return other < 0 ? nearCos(-other, -HALF_PI_LOW) : nearCos(other, HALF_PI_LOW);
  }
  const rough = x - PI_1 - PI_2;
  const closer = rough - PI_3;
  const angle = closer - PI_4;
  return nearSin(-angle, -(rough - closer - PI_3 + (closer - angle - PI_4)));
}

/** The sine of a pair, from 0 to MIDDLE. */
function nearSin(x: number, low: number): number {
  if (x < SMALL) {
    const square = x * x;
    const factor = (((S11 * square + S9) * square + S7) * square + S5) * square + S3;
    return x + multiplyAdd(square, multiplyAdd(factor, x, -0.5 * low), low);
  }
  const step = x + TO_STEPS - TO_STEPS;
  const row = sineRow(step);
  const d = x - step;
  const square = d * d;
  const sine = d + (low + d * square * (D3 + square * D5));
  const rest = d * low + square * (D2 + square * (D4 + square * D6));
  const high = sines[row]!;
  const lower = sines[row + 1]! + sine * sines[row + 3]!;
  return high + multiplyAdd(sine, sines[row + 2]!, multiplyAdd(-rest, high, lower));
}

/** The cosine of a pair, from 0 to MIDDLE. */
function nearCos(x: number, low: number): number {
  const step = x + TO_STEPS - TO_STEPS;
  const row = sineRow(step);
  const d = x - step + low;
  const square = d * d;
  const sine = d + d * square * (D3 + square * D5);
  const rest = square * (D2 + square * (D4 + square * D6));
  const high = sines[row + 2]!;
  const lower = sines[row + 3]! - sine * sines[row + 1]!;
  return high + multiplyAdd(-sine, sines[row]!, multiplyAdd(-rest, high, lower));
}

/** (asin x - x) / x^3, from x^2, up to 1/64. */
function smallArc(square: number): number {
  const factor = ((A13 * square + A11) * square + A9) * square + A7;
  return (factor * square + A5) * square + A3;
}

function arcFromTable(x: number): number {
  const middle = middleOf(x);
  const row = arcRow(middle);
  const d = x - middle;
  let factor = 0;
  for (let i = ARC_LOW - 1; i > 0; i--) factor = factor * d + arcs[row + i]!;
  const rest = d * d * factor + arcs[row + ARC_LOW]!;
  return arcs[row + ARC_HIGH]! + multiplyAdd(d, arcs[row]!, rest);
}
