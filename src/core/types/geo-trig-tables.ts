/**
 * The tables that geo-trig.ts interpolates in. A row is computed when it is first asked for, in
 * some 50 us; all of them at once would hold up the start by 15 ms.
 *
 *     sines      a row for each 1/128 from 0 to 110/128:
 *
 *                | sin high | sin low | cos high | cos low |
 *
 *     arcs       a row for each 1/256 from 1/8 to 31/32, around the middle m of it:
 *
 *                | c1 | c2 | ... | c10 | asin m low | asin m high |
 *
 * High and low are a pair of doubles, some 90 bits together. The c are those of the Taylor series
 * asin(m + d) = asin m + c1 d + c2 d^2 + ..., which is broken off behind the sixth power at 1/8
 * and the tenth at 31/32. The two terms behind that are not lost: each is replaced by the
 * polynomial of lower degree that is nearest to it (Chebyshev), which moves the other c a little.
 *
 * Source: C. Lanczos, "Trigonometric Interpolation of Empirical and Analytical Functions" (1938).
 */
import { multiplyAdd } from './multiply-add.ts';

const SINE_STEPS = 128;
const SINE_ROW = 4;
const SINE_ROWS = 111;

const ARC_STEPS = 256;
/** Numbers of a row, and where in it the pair is. */
const ARC_ROW = 12;
export const ARC_LOW = 10;
export const ARC_HIGH = 11;
/** Where the rows begin and end. */
export const ARC_MIN = 1 / 8;
export const ARC_MAX = 31 / 32;
const ARC_ROWS = (ARC_MAX - ARC_MIN) * ARC_STEPS;
/** How far a row reaches from its middle. */
const REACH = 1 / (2 * ARC_STEPS);
/** Terms behind the last that are replaced. */
const REPLACED = 2;

/** Terms of the sine's series, for angles up to 1.4, and those of them that are added as pairs. */
const TERMS = 16;
const PAIR_TERMS = 8;
const high = 0;
const low = 1;
/** The result of the last operation on pairs. */
const pair = new Float64Array(2);

/** (-1)^k / (2k + 1)! and (-1)^k / (2k)!, as pairs. */
const sineTerms = seriesOf(1);
const cosineTerms = seriesOf(0);

/** The rows that were asked for; the others are 0. */
export const sines = new Float64Array(SINE_ROWS * SINE_ROW);
export const arcs = new Float64Array(ARC_ROWS * ARC_ROW);

/** Where the row of a multiple of 1/128 begins in `sines`. */
export function sineRow(step: number): number {
  const row = step * SINE_STEPS * SINE_ROW;
  if (sines[row + 2] === 0) fillSine(row, step);
  return row;
}

/** Where the row around a middle begins in `arcs`. */
export function arcRow(middle: number): number {
  const row = ((middle - ARC_MIN) * ARC_STEPS - 0.5) * ARC_ROW;
  if (arcs[row] === 0) fillArc(arcs.subarray(row, row + ARC_ROW), middle);
  return row;
}

/** The middle of the row that a number from ARC_MIN to ARC_MAX lies in. */
export function middleOf(x: number): number {
  return (Math.floor(x * ARC_STEPS) + 0.5) / ARC_STEPS;
}

function fillSine(row: number, step: number): void {
  sine(step);
  sines.set(pair, row);
  series(cosineTerms, step);
  sines.set(pair, row + 2);
}

/** The highest power in the row around a middle. */
function degreeAt(middle: number): number {
  if (middle < 0.5) return 6;
  if (middle < 0.75) return 7;
  if (middle < 59 / 64) return 8;
  return middle < 61 / 64 ? 9 : 10;
}

function fillArc(row: Float64Array, middle: number): void {
  const degree = degreeAt(middle);
  const last = degree + REPLACED;
  const left = 1 - middle * middle;
  // c1 is 1 / sqrt(1 - m^2): a step of Newton's gives what its double misses.
  const root = 1 / Math.sqrt(left);
  const square = root * root;
  const miss = multiplyAdd(-left, square, 1) - left * multiplyAdd(root, root, -square);
  // Times the powers of the reach.
  const terms = [0, root * REACH];
  for (let n = 0; terms.length <= last; n++) {
    const next = (2 * n + 1) * (n + 1) * middle * terms[n + 1]! * REACH;
    const before = n * n * terms[n]! * REACH * REACH;
    terms.push((next + before) / ((n + 2) * (n + 1) * left));
  }
  // Of asin m and c1 only what is to be added to their doubles.
  terms[1] = (root * miss * REACH) / 2;
  for (let n = last; n > degree; n--) {
    const shape = chebyshev(n);
    const size = terms[n]! / shape[n]!;
    for (let i = 0; i <= n; i++) terms[i] = terms[i]! - size * shape[i]!;
  }
  row[0] = root + terms[1]! / REACH;
  for (let i = 2; i <= degree; i++) row[i - 1] = terms[i]! / REACH ** i;
  const arc = Math.asin(middle);
  sine(arc);
  row[ARC_LOW] = (middle - pair[high]! - pair[low]!) / Math.cos(arc) + terms[0]!;
  row[ARC_HIGH] = arc;
}

/** The coefficients of Chebyshev's polynomial of degree n: from 1 and x, each from two before. */
function chebyshev(n: number): number[] {
  let before = [1];
  let now = [0, 1];
  for (let i = 1; i < n; i++) {
    const next = [0, ...now.map((c) => 2 * c)];
    for (let k = 0; k < before.length; k++) next[k] = next[k]! - before[k]!;
    before = now;
    now = next;
  }
  return now;
}

/** Sets `pair` to the sine of an angle. */
function sine(x: number): void {
  series(sineTerms, x);
  multiply(pair[high]!, pair[low]!, x, 0);
}

/** Sets `pair` to the series with these terms in x^2. */
function series(terms: Float64Array, x: number): void {
  const square = x * x;
  const rest = multiplyAdd(x, x, -square);
  let sum = 0;
  for (let i = TERMS - 1; i >= PAIR_TERMS; i--) sum = sum * square + terms[i * 2]!;
  pair[high] = sum;
  pair[low] = 0;
  for (let i = PAIR_TERMS - 1; i >= 0; i--) {
    multiply(pair[high]!, pair[low]!, square, rest);
    add(terms[i * 2]!, terms[i * 2 + 1]!);
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
    const miss = multiplyAdd(-quotient, by, terms[k * 2 - 2]!);
    setPair(quotient, (miss + terms[k * 2 - 1]!) / by);
    terms.set(pair, k * 2);
  }
  return terms;
}

/** Sets `pair` to a + b, where a is the larger. */
function setPair(a: number, b: number): void {
  const sum = a + b;
  pair[high] = sum;
  pair[low] = b - (sum - a);
}

/** Adds a larger pair to `pair`. */
function add(aHigh: number, aLow: number): void {
  const sum = aHigh + pair[high]!;
  setPair(sum, pair[high]! - (sum - aHigh) + aLow + pair[low]!);
}

/** Sets `pair` to the product of two pairs. */
function multiply(aHigh: number, aLow: number, bHigh: number, bLow: number): void {
  const product = aHigh * bHigh;
  setPair(product, multiplyAdd(aHigh, bHigh, -product) + (aHigh * bLow + aLow * bHigh));
}
