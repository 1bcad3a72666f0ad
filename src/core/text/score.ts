/**
 * Scores as text of seventeen digits, C's `%.17g`, written and read back without allocating.
 *
 * Seventeen digits tell any two doubles apart, so Redis keeps scores in listpacks this way and
 * replied so up to 7.0. The general routines (text/double.ts) work on strings; these do the usual
 * cases with pairs of doubles and hand the rest to them.
 *
 *     write    value x 10^(16 - e) as a pair high + low, exact to some 100 bits; its 17 digits are
 *              the integer nearest
 *     read     digits x 10^x as such a pair, rounded to one double
 *
 * The pair is off by less than 2^-100 of its value; where its fraction is nearer than that to a
 * tie, and where the power of ten is above 10^22, which a double does not hold, the general routine
 * decides. Both give the same bytes.
 *
 * Source: T. J. Dekker, "A Floating-Point Technique for Extending the Available Precision" (1971),
 * for sums and products of pairs.
 */
import { formatDouble17, parseScoreBound } from './double.ts';
import { writeInteger } from './integer.ts';

/** Longest text that `writeScore` writes. */
export const SCORE_TEXT_MAX = 24;

const DASH = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const LETTER_E = 0x65;
const PLUS = 0x2b;
const DIGITS = 17;
const POWER_MAX = 22;
const POWERS_OF_TEN = Float64Array.from({ length: POWER_MAX + 1 }, (_, i) => Number(`1e${i}`));
/** Digits are counted in two halves of a 17-digit number: 9 and 8. */
const HALF = 1e8;
const SMALLEST = 1e16;
const NEAR_TIE = 1e-6;
const SPLITTER = 0x8000001;

/** The pair that the last operation left: [0] is the number, [1] what it lacks. */
const pair = new Float64Array(2);
const digits = new Uint8Array(DIGITS);

/**
 * Writes a score at `buf[off]` as `%.17g` does; gives the number of bytes. Infinities are inf and
 * -inf.
 */
export function writeScore(buf: Uint8Array, off: number, value: number): number {
  if (Number.isSafeInteger(value) && (value !== 0 || !Object.is(value, -0))) {
    return writeInteger(buf, off, value);
  }
  const magnitude = Math.abs(value);
  if (!(magnitude >= 1e-6 && magnitude < 1e38)) return writeGeneral(buf, off, value);
  const exponent = findDigits(magnitude);
  if (exponent === Number.MIN_SAFE_INTEGER) return writeGeneral(buf, off, value);
  let at = off;
  if (value < 0) buf[at++] = DASH;
  let count = DIGITS;
  while (count > 1 && digits[count - 1] === ZERO) count--;
  if (exponent < -4 || exponent >= DIGITS) return writeScientific(buf, at, count, exponent) - off;
  if (exponent < 0) {
    buf[at++] = ZERO;
    buf[at++] = POINT;
    for (let i = -1; i > exponent; i--) buf[at++] = ZERO;
    for (let i = 0; i < count; i++) buf[at++] = digits[i]!;
    return at - off;
  }
  for (let i = 0; i <= exponent || i < count; i++) {
    if (i === exponent + 1) buf[at++] = POINT;
    buf[at++] = i < count ? digits[i]! : ZERO;
  }
  return at - off;
}

/**
 * The score that a listpack's text at `buf[off, len]` means, as C's `strtod` reads it. NaN only for
 * what is no number.
 */
export function parseScore(buf: Uint8Array, off: number, len: number): number {
  const value = parseUsual(buf, off, off + len);
  return Number.isNaN(value) ? parseScoreBound(buf, off, len) : value;
}

function writeGeneral(buf: Uint8Array, off: number, value: number): number {
  const text = formatDouble17(value);
  for (let i = 0; i < text.length; i++) buf[off + i] = text.charCodeAt(i);
  return text.length;
}

function writeScientific(buf: Uint8Array, off: number, count: number, exponent: number): number {
  let at = off;
  buf[at++] = digits[0]!;
  if (count > 1) buf[at++] = POINT;
  for (let i = 1; i < count; i++) buf[at++] = digits[i]!;
  buf[at++] = LETTER_E;
  buf[at++] = exponent < 0 ? DASH : PLUS;
  const power = Math.abs(exponent);
  buf[at++] = ZERO + Math.floor(power / 10);
  buf[at++] = ZERO + (power % 10);
  return at;
}

/**
 * Sets `digits` to the 17 digits of a value from 1e-6 to 1e38 and gives the power of ten of the
 * first, or MIN_SAFE_INTEGER when the general routine must decide.
 */
function findDigits(value: number): number {
  let exponent = Math.floor(Math.log10(value));
  // The logarithm may be off by one at a power of ten, and rounding may carry into another digit.
  for (let tries = 0; tries < 3; tries++) {
    scale(value, DIGITS - 1 - exponent);
    const high = pair[0]!;
    const low = pair[1]!;
    if (high < SMALLEST || (high === SMALLEST && low < 0)) {
      exponent--;
      continue;
    }
    const whole = Math.floor(low);
    const fraction = low - whole;
    if (Math.abs(fraction - 0.5) < NEAR_TIE) return Number.MIN_SAFE_INTEGER;
    let head = Math.floor(high / HALF);
    let tail = high - head * HALF + whole + (fraction > 0.5 ? 1 : 0);
    if (tail < 0) {
      head--;
      tail += HALF;
    } else if (tail >= HALF) {
      head++;
      tail -= HALF;
    }
    if (head < HALF * 10) {
      putDigits(0, 9, head);
      putDigits(9, 8, tail);
      return exponent;
    }
    exponent++;
  }
  return Number.MIN_SAFE_INTEGER;
}

function putDigits(first: number, count: number, value: number): void {
  let rest = value;
  for (let i = first + count - 1; i >= first; i--) {
    const next = Math.floor(rest / 10);
    digits[i] = ZERO + rest - next * 10;
    rest = next;
  }
}

/** Sets `pair` to value x 10^power, the power from -22 to 22. */
function scale(value: number, power: number): void {
  if (power >= 0) {
    multiply(value, POWERS_OF_TEN[power]!);
    return;
  }
  divide(value, 0, POWERS_OF_TEN[-power]!);
}

/** Sets `pair` to the exact product. */
function multiply(a: number, b: number): void {
  const product = a * b;
  const aHigh = a * SPLITTER - (a * SPLITTER - a);
  const bHigh = b * SPLITTER - (b * SPLITTER - b);
  const aLow = a - aHigh;
  const bLow = b - bHigh;
  pair[0] = product;
  pair[1] = aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
}

/** Sets `pair` to (high + low) / by. */
function divide(high: number, low: number, by: number): void {
  const quotient = high / by;
  multiply(quotient, by);
  const rest = high - pair[0]! - pair[1]! + low;
  pair[0] = quotient;
  pair[1] = rest / by;
}

/** `[-]digits[.digits][e[+-]digits]` with up to 17 digits that count; NaN for all others. */
function parseUsual(buf: Uint8Array, off: number, end: number): number {
  let at = off;
  const negative = at < end && buf[at] === DASH;
  if (negative) at++;
  let head = 0;
  let tail = 0;
  let count = 0;
  let power = 0;
  let seen = false;
  let behind = false;
  for (; at < end; at++) {
    const digit = buf[at]! - ZERO;
    if (digit >= 0 && digit <= 9) {
      seen = true;
      if (behind) power--;
      if (count === 0 && digit === 0) continue;
      if (count < 9) head = head * 10 + digit;
      else tail = tail * 10 + digit;
      if (++count > DIGITS) return Number.NaN;
    } else if (buf[at] === POINT && !behind) behind = true;
    else break;
  }
  if (!seen) return Number.NaN;
  if (at < end) {
    if ((buf[at]! | 0x20) !== LETTER_E) return Number.NaN;
    const exponent = parseExponent(buf, at + 1, end);
    if (Number.isNaN(exponent)) return Number.NaN;
    power += exponent;
  }
  if (power < -POWER_MAX || power > POWER_MAX) return Number.NaN;
  const value = combine(head, tail, Math.max(0, count - 9), power);
  return negative ? -value : value;
}

function parseExponent(buf: Uint8Array, off: number, end: number): number {
  let at = off;
  const negative = at < end && buf[at] === DASH;
  if (negative || (at < end && buf[at] === PLUS)) at++;
  if (at === end || end - at > 3) return Number.NaN;
  let value = 0;
  for (; at < end; at++) {
    const digit = buf[at]! - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

/**
 * (head x 10^tailDigits + tail) x 10^power, rounded once; NaN when that is too near a tie to be
 * sure.
 */
function combine(head: number, tail: number, tailDigits: number, power: number): number {
  // The head has 30 bits and the factor 27, so their product may be rounded; the pair holds the
  // rest.
  multiply(head, POWERS_OF_TEN[tailDigits]!);
  const rough = pair[0]!;
  let high = rough + tail;
  let low = tail - (high - rough) + pair[1]!;
  if (power > 0) {
    multiply(high, POWERS_OF_TEN[power]!);
    low = pair[1]! + low * POWERS_OF_TEN[power]!;
    high = pair[0]!;
  } else if (power < 0) {
    divide(high, low, POWERS_OF_TEN[-power]!);
    high = pair[0]!;
    low = pair[1]!;
  }
  const sum = high + low;
  const rest = low - (sum - high);
  return sum + rest * (1 + NEAR_TIE) === sum && sum - rest * NEAR_TIE === sum ? sum : Number.NaN;
}
