/**
 * Sine, cosine and arc sine, each the double nearest to the true value.
 *
 * Math.sin and its kin are off by the last bit in one case of a hundred, and not by the same one as
 * the C library under a real server, which comes nearer still: it misses the nearest double in one
 * case of two thousand. A distance that is stored as a score shows that bit. So this computes with
 * pairs of doubles, high + low, some 90 bits in all:
 *
 *     sin, cos   x - k pi/2 as a pair, |x| up to 3.5, then the Taylor series in its square: the
 *                first terms by pairs, those below 2^-34 by doubles
 *     asin       a step of Newton's from Math.asin
 *
 * Each takes about 0.1 us, so callers ask only where the last bit matters.
 *
 * Source: T. J. Dekker, "A Floating-Point Technique for Extending the Available Precision" (1971).
 */

/** pi/2 in three parts. */
const HALF_PI = 1.5707963267948966;
const HALF_PI_2 = 6.123233995736766e-17;
const HALF_PI_3 = -1.4973849048591833e-33;
const SPLITTER = 0x8000001;
/** Terms of the series, and those of them that are added as pairs. */
const TERMS = 13;
const PAIR_TERMS = 7;

const high = 0;
const low = 1;
/** The result of the last operation on pairs. */
const pair = new Float64Array(2);
/** What is left of the angle, and its square. */
const angle = new Float64Array(2);
const square = new Float64Array(2);

/** (-1)^k / (2k + 1)! and (-1)^k / (2k)!, as pairs. */
const sineTerms = seriesOf(1);
const cosineTerms = seriesOf(0);

/** The sine of an angle from -3.5 to 3.5. */
export function exactSin(x: number): number {
  sineOf(x, 0);
  return pair[high]!;
}

/** The cosine of an angle from -3.5 to 3.5. */
export function exactCos(x: number): number {
  sineOf(x, 1);
  return pair[high]!;
}

/** The arc sine of a number; NaN when it is above 1. */
export function exactAsin(x: number): number {
  const rough = Math.asin(x);
  if (x === 0 || !(Math.abs(x) < 1)) return rough;
  sineOf(rough, 0);
  const miss = x - pair[high]! - pair[low]!;
  return rough + miss / Math.cos(rough);
}

/** Sets `pair` to sin(x + quarters pi/2). */
function sineOf(x: number, quarters: number): void {
  const k = Math.round(x / HALF_PI);
  // The first difference is exact: k is 0, or both are within a factor of two.
  twoSum(x - k * HALF_PI, -k * HALF_PI_2);
  quickTwoSum(pair[high]!, pair[low]! - k * HALF_PI_3);
  angle[high] = pair[high]!;
  angle[low] = pair[low]!;
  multiply(angle[high]!, angle[low]!, angle[high]!, angle[low]!);
  square[high] = pair[high]!;
  square[low] = pair[low]!;
  const turn = (k + quarters) & 3;
  if ((turn & 1) === 0) {
    series(sineTerms);
    multiply(pair[high]!, pair[low]!, angle[high]!, angle[low]!);
  } else series(cosineTerms);
  if (turn < 2) return;
  pair[high] = -pair[high]!;
  pair[low] = -pair[low]!;
}

/** Sets `pair` to the series with these terms in `square`. */
function series(terms: Float64Array): void {
  let rest = 0;
  for (let i = TERMS - 1; i >= PAIR_TERMS; i--) rest = rest * square[high]! + terms[i * 2]!;
  pair[high] = rest;
  pair[low] = 0;
  for (let i = PAIR_TERMS - 1; i >= 0; i--) {
    multiply(pair[high]!, pair[low]!, square[high]!, square[low]!);
    add(terms[i * 2]!, terms[i * 2 + 1]!, pair[high]!, pair[low]!);
  }
}

/** (-1)^k / (2k + first)! for all terms: high, low, high, low, ... */
function seriesOf(first: number): Float64Array {
  const terms = new Float64Array(TERMS * 2);
  terms[0] = 1;
  for (let k = 1; k < TERMS; k++) {
    const n = 2 * k + first;
    const by = -n * (n - 1);
    const quotient = terms[k * 2 - 2]! / by;
    multiply(quotient, 0, by, 0);
    const rest = terms[k * 2 - 2]! - pair[high]! - pair[low]! + terms[k * 2 - 1]!;
    quickTwoSum(quotient, rest / by);
    terms.set(pair, k * 2);
  }
  return terms;
}

/** Sets `pair` to a + b, where neither need be the larger. */
function twoSum(a: number, b: number): void {
  const sum = a + b;
  const part = sum - a;
  pair[high] = sum;
  pair[low] = a - (sum - part) + (b - part);
}

/** Sets `pair` to a + b, where a is the larger. */
function quickTwoSum(a: number, b: number): void {
  const sum = a + b;
  pair[high] = sum;
  pair[low] = b - (sum - a);
}

/** Sets `pair` to the sum of two pairs of which the first is the larger. */
function add(aHigh: number, aLow: number, bHigh: number, bLow: number): void {
  const sum = aHigh + bHigh;
  quickTwoSum(sum, bHigh - (sum - aHigh) + aLow + bLow);
}

/** Sets `pair` to the product of two pairs. */
function multiply(aHigh: number, aLow: number, bHigh: number, bLow: number): void {
  const product = aHigh * bHigh;
  const aTop = aHigh * SPLITTER - (aHigh * SPLITTER - aHigh);
  const bTop = bHigh * SPLITTER - (bHigh * SPLITTER - bHigh);
  const aRest = aHigh - aTop;
  const bRest = bHigh - bTop;
  const miss = aTop * bTop - product + aTop * bRest + aRest * bTop + aRest * bRest;
  quickTwoSum(product, miss + (aHigh * bLow + aLow * bHigh));
}
