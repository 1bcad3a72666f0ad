/**
 * Grisu2: the short decimal digits of a double, with 64-bit integers only.
 *
 * Source: Florian Loitsch, "Printing Floating-Point Numbers Quickly and Accurately with Integers",
 * PLDI 2010, section 5. The value and the middles between it and its two neighbours are scaled by a
 * cached power of ten, so that all three are fixed-point numbers with `e` bits behind the point:
 *
 *     lower ........ value ........ upper      any number between reads back as value
 *           <----- distance ------>              upper - value
 *     <-------------- delta ------------->       upper - lower
 *
 *     upper = integer (the top 64 - e bits) and fraction (e bits), 32 <= e <= 60
 *
 * Digits of `upper` are produced until what is left of it is less than delta; the last digit is
 * then counted down towards the value. The result always reads back as the same double. In a few
 * cases of a thousand it is not the shortest or not the closest such text; servers since Redis 7.2
 * print scores by this very algorithm, and scores must print alike, so it is followed to the last
 * bit: the product's rounding, the one unit taken off both ends, and the choice of power.
 *
 * A 64-bit integer is two uint32 words here, high and low. They pass between functions as int32,
 * which V8 keeps off the heap; 140 to 260 ns a value, about what `String(value)` takes.
 * Words of a double are read through typed arrays: a little-endian machine is assumed.
 */
import { integerLength } from './integer.ts';

/** What `shortestDigits` found last: value = digits x 10^exponent. At most 18 digits. */
export const shortest = { digits: new Uint8Array(20), count: 0, exponent: 0 };

const TWO_32 = 4_294_967_296;
const POWER_FIRST = -348;
const POWER_STEP = 8;
const POWER_COUNT = 87;
/** The scaled binary exponent, -e, must come out between these. */
const EXPONENT_MIN = -60;
const EXPONENT_MAX = -32;
const LOG10_OF_2 = 0.30102999566398114;
/** The worth of the first digit of an integer, by its number of digits. */
const UNITS = new Uint32Array([0, 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]);

/** 10^-348, 10^-340 ... 10^340 as 64-bit fractions (rounded to nearest) and binary exponents. */
const powerHi = new Uint32Array(POWER_COUNT);
const powerLo = new Uint32Array(POWER_COUNT);
const powerExponent = new Int32Array(POWER_COUNT);
for (let i = 0; i < POWER_COUNT; i++) computePower(i);

const doubleView = new Float64Array(1);
const wordView = new Uint32Array(doubleView.buffer);

/**
 * The scaled numbers that the steps share. A typed array, not variables of the module: those would
 * allocate a heap number for each value from 2^31 up.
 */
const words = new Uint32Array(8);
const UPPER = 0;
const DELTA = 2;
const DISTANCE = 4;
const PRODUCT = 6;

function computePower(index: number): void {
  const power = POWER_FIRST + index * POWER_STEP;
  const numerator = power >= 0 ? 10n ** BigInt(power) : 1n;
  const denominator = power >= 0 ? 1n : 10n ** BigInt(-power);
  // Shifted by this much, the quotient has 65 or 66 bits; one more than kept, for rounding.
  const shift = 65 - (bitLength(numerator) - bitLength(denominator));
  const quotient =
    shift >= 0
      ? (numerator << BigInt(shift)) / denominator
      : numerator / (denominator << BigInt(-shift));
  const drop = bitLength(quotient) - 65;
  const fraction = ((quotient >> BigInt(drop)) + 1n) >> 1n;
  powerHi[index] = Number(fraction >> 32n);
  powerLo[index] = Number(fraction & 0xffff_ffffn);
  powerExponent[index] = drop + 1 - shift;
}

function bitLength(value: bigint): number {
  return value.toString(2).length;
}

/** Sets `shortest` to the digits of `value`, which must be finite and greater than 0. */
export function shortestDigits(value: number): void {
  doubleView[0] = value;
  let lo = wordView[0]!;
  let hi = wordView[1]!;
  const biased = hi >>> 20;
  hi &= 0xf_ffff;
  const isPower = hi === 0 && lo === 0 && biased !== 0;
  if (biased !== 0) hi |= 0x10_0000;
  const shift = hi !== 0 ? Math.clz32(hi) : 32 + Math.clz32(lo);
  const exponent = (biased !== 0 ? biased : 1) - 1075 - shift;
  if (shift >= 32) {
    hi = (lo << (shift - 32)) >>> 0;
    lo = 0;
  } else {
    hi = ((hi << shift) | (lo >>> (32 - shift))) >>> 0;
    lo = (lo << shift) >>> 0;
  }
  const power = choosePower(exponent);
  scale(hi | 0, lo | 0, shift, isPower ? 2 : 1, power);
  const point = -(exponent + powerExponent[power]! + 64);
  shortest.exponent = -(POWER_FIRST + power * POWER_STEP);
  generateDigits(point);
}

function choosePower(exponent: number): number {
  const approximate = Math.trunc(-(exponent + POWER_COUNT) * LOG10_OF_2);
  let index = Math.trunc((approximate - POWER_FIRST) / POWER_STEP);
  for (;;) {
    const scaled = exponent + powerExponent[index]! + 64;
    if (scaled < EXPONENT_MIN) index++;
    else if (scaled > EXPONENT_MAX) index--;
    else return index;
  }
}

/** Sets upper, delta and distance from the normalized value, shifted left by `shift` bits. */
function scale(hi: number, lo: number, shift: number, lowerShift: number, power: number): void {
  hi >>>= 0;
  lo >>>= 0;
  // Half the gap to the next double above, and half (or a quarter of) it below, as word pairs.
  const up = shift - 1;
  const down = shift - lowerShift;
  if (up >= 32) multiply((hi + (1 << (up - 32))) | 0, lo | 0, power);
  else multiply(hi | 0, lo | (1 << up), power);
  const upperHi = words[PRODUCT]! - (words[PRODUCT + 1]! === 0 ? 1 : 0);
  const upperLo = (words[PRODUCT + 1]! - 1) >>> 0;
  const step = (1 << (down & 31)) >>> 0;
  const belowLo = (down >= 32 ? lo : lo - step) | 0;
  multiply((down >= 32 ? hi - step : hi - (lo < step ? 1 : 0)) | 0, belowLo, power);
  const lowerLo = (words[PRODUCT + 1]! + 1) >>> 0;
  const lowerHi = words[PRODUCT]! + (lowerLo === 0 ? 1 : 0);
  multiply(hi | 0, lo | 0, power);
  const valueHi = words[PRODUCT]!;
  const valueLo = words[PRODUCT + 1]!;
  words[UPPER] = upperHi;
  words[UPPER + 1] = upperLo;
  words[DELTA] = upperHi - lowerHi - (upperLo < lowerLo ? 1 : 0);
  words[DELTA + 1] = upperLo - lowerLo;
  words[DISTANCE] = upperHi - valueHi - (upperLo < valueLo ? 1 : 0);
  words[DISTANCE + 1] = upperLo - valueLo;
}

/** The high word of a product of two uint32, whose low word is `lo`. */
function highWord(a: number, b: number, lo: number): number {
  // a * b is off by at most 2^10, so the quotient is within 2^-21 of the integer sought.
  return ((a * b - lo) / TWO_32 + 0.5) >>> 0;
}

/** Sets the product to the top 64 bits of (hi, lo) times a cached power, rounded half up. */
function multiply(hi: number, lo: number, power: number): void {
  hi >>>= 0;
  lo >>>= 0;
  const ph = powerHi[power]!;
  const pl = powerLo[power]!;
  const hhLo = Math.imul(hi, ph) >>> 0;
  const hlLo = Math.imul(hi, pl) >>> 0;
  const lhLo = Math.imul(lo, ph) >>> 0;
  const llLo = Math.imul(lo, pl) >>> 0;
  const middle = hlLo + lhLo + highWord(lo, pl, llLo) + 0x8000_0000;
  const low = hhLo + highWord(hi, pl, hlLo) + highWord(lo, ph, lhLo) + ((middle / TWO_32) >>> 0);
  words[PRODUCT] = highWord(hi, ph, hhLo) + ((low / TWO_32) >>> 0);
  words[PRODUCT + 1] = low >>> 0;
}

/** Ten times the low word is carried into the high one by this much. */
function carryOfTen(lo: number): number {
  return ((lo >>> 16) * 10 + (((lo & 0xffff) * 10) >>> 16)) >>> 16;
}

/** Digits of upper, with `point` bits behind the point, until what is left is less than delta. */
function generateDigits(point: number): void {
  const shift = point - 32;
  let part1 = words[UPPER]! >>> shift;
  const restHi = words[UPPER]! & ((1 << shift) - 1);
  const restLo = words[UPPER + 1]!;
  const deltaHi = words[DELTA]!;
  const deltaLo = words[DELTA + 1]!;
  const digits = shortest.digits;
  let count = 0;
  let kappa = integerLength(part1);
  let unit = UNITS[kappa]!;
  while (kappa > 0) {
    const digit = (part1 / unit) >>> 0;
    part1 -= digit * unit;
    if (digit !== 0 || count !== 0) digits[count++] = 0x30 + digit;
    kappa--;
    const leftHi = ((part1 << shift) | restHi) >>> 0;
    if (leftHi < deltaHi || (leftHi === deltaHi && restLo <= deltaLo)) {
      shortest.count = count;
      shortest.exponent += kappa;
      countDown(count - 1, leftHi | 0, restLo | 0, unit << shift);
      return;
    }
    unit = (unit / 10) >>> 0;
  }
  generateFraction(shift, count, restHi | 0, restLo | 0);
}

/** Goes on behind the point: rest, delta and distance grow by ten with each digit. */
function generateFraction(shift: number, count: number, restHi: number, restLo: number): void {
  restHi >>>= 0;
  restLo >>>= 0;
  const mask = (1 << shift) - 1;
  let deltaHi = words[DELTA]!;
  let deltaLo = words[DELTA + 1]!;
  let distanceHi = words[DISTANCE]!;
  let distanceLo = words[DISTANCE + 1]!;
  let exponent = shortest.exponent;
  const digits = shortest.digits;
  for (;;) {
    restHi = (restHi * 10 + carryOfTen(restLo)) >>> 0;
    restLo = Math.imul(restLo, 10) >>> 0;
    deltaHi = (deltaHi * 10 + carryOfTen(deltaLo)) >>> 0;
    deltaLo = Math.imul(deltaLo, 10) >>> 0;
    distanceHi = (distanceHi * 10 + carryOfTen(distanceLo)) >>> 0;
    distanceLo = Math.imul(distanceLo, 10) >>> 0;
    exponent--;
    const digit = restHi >>> shift;
    restHi &= mask;
    if (digit !== 0 || count !== 0) digits[count++] = 0x30 + digit;
    if (restHi < deltaHi || (restHi === deltaHi && restLo < deltaLo)) break;
  }
  words[DELTA] = deltaHi;
  words[DELTA + 1] = deltaLo;
  words[DISTANCE] = distanceHi;
  words[DISTANCE + 1] = distanceLo;
  shortest.count = count;
  shortest.exponent = exponent;
  countDown(count - 1, restHi | 0, restLo | 0, 1 << shift);
}

/**
 * Counts the last digit down while that brings the text closer to the value and keeps it above the
 * lower end. `rest` is how far the text is below upper; one digit is worth `unit` x 2^32.
 */
function countDown(last: number, restHi: number, restLo: number, unit: number): void {
  restHi >>>= 0;
  restLo >>>= 0;
  unit >>>= 0;
  const deltaHi = words[DELTA]! - (words[DELTA + 1]! < restLo ? 1 : 0);
  const distanceHi = words[DISTANCE]!;
  const distanceLo = words[DISTANCE + 1]!;
  for (;;) {
    if (restHi > distanceHi || (restHi === distanceHi && restLo >= distanceLo)) return;
    if (deltaHi - restHi < unit) return;
    const nextHi = restHi + unit;
    if (nextHi > distanceHi || (nextHi === distanceHi && restLo >= distanceLo)) {
      const nowHi = distanceHi - restHi - (distanceLo < restLo ? 1 : 0);
      const nowLo = (distanceLo - restLo) >>> 0;
      const thenHi = nextHi - distanceHi - (restLo < distanceLo ? 1 : 0);
      const thenLo = (restLo - distanceLo) >>> 0;
      if (nowHi < thenHi || (nowHi === thenHi && nowLo <= thenLo)) return;
    }
    shortest.digits[last]!--;
    restHi = nextHi;
  }
}
