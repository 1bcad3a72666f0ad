/**
 * The 80-bit extended precision of the x87, as far as INCRBYFLOAT and HINCRBYFLOAT show it.
 *
 * Redis keeps their sums in C's `long double`. On x86 that is
 *
 *     sign (1 bit)   exponent (15 bits, biased by 16383)   mantissa (64 bits, first one explicit)
 *
 *     value = mantissa x 2^exponent       mantissa < 2^64, -16445 <= exponent <= 16320
 *
 * and the 64 bits show: 0.1 + 0.2 prints 0.3, and 19 digits survive that a double would lose. So
 * the same arithmetic is done here, with BigInt: every result is the exact one rounded once to
 * nearest, ties to even, with gradual underflow below 2^-16382.
 *
 * A text is read as `strtold` reads it: decimal, hexadecimal with a binary exponent, inf, infinity.
 * A sum is printed as `%.17Lf` without trailing zeros: at most 17 digits behind the point, rounded
 * from the exact binary value, ties to even.
 *
 * Limits: a text has at most 5,119 bytes. Cost: some microseconds an operation with usual numbers.
 */
import { HEXADECIMAL } from './double.ts';
import { latin1Text } from './latin1.ts';

/** A finite number or infinity: mantissa x 2^exponent; infinity has a mantissa of -1. */
export type LongDouble = {
  readonly negative: boolean;
  readonly mantissa: bigint;
  readonly exponent: number;
};

const ZERO: LongDouble = { negative: false, mantissa: 0n, exponent: 0 };

const MANTISSA_BITS = 64;
const EXPONENT_MIN = -16_445;
/** mantissa bits + exponent of the largest finite number. */
const TOP_MAX = 16_384;
const TEXT_MAX = 5119;
/** Exponents in a text beyond this decide alone: 5,119 digits cannot make up for them. */
const POWER_LIMIT = 50_000;
/** Numbers of 10^4934 and more and those below 10^-4955 are out of range, without computing. */
const POWER_MAX = 4934;
const POWER_MIN = -4955;
const FRACTION_DIGITS = 17;
const FRACTION_SCALE = 10n ** BigInt(FRACTION_DIGITS);
const INFINITE = -1n;
const DOUBLE_BIAS = 1023;

const doubleView = new DataView(new ArrayBuffer(8));
const POWERS = Array.from({ length: 40 }, (_, i) => 10n ** BigInt(i));

const DECIMAL = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:e([+-]?\d+))?$/i;
const INFINITY_TEXT = /^([+-]?)inf(?:inity)?$/i;

/**
 * The number that the text at `buf[off, len]` means, or undefined when Redis answers
 * `value is not a valid float`: nan, blanks, anything left over, an overflow, a nonzero value that
 * underflows to zero, the empty text, or one of more than 5,119 bytes. Infinity is a valid text.
 */
export function parseLongDouble(buf: Uint8Array, off: number, len: number): LongDouble | undefined {
  if (len === 0 || len > TEXT_MAX) return undefined;
  const text = latin1Text(buf, off, len);
  const parsed = parseDecimal(text) ?? parseHexadecimal(text);
  if (parsed !== undefined) return isFiniteLongDouble(parsed) ? parsed : undefined;
  const infinite = INFINITY_TEXT.exec(text);
  return infinite === null ? undefined : infinity(infinite[1] === '-');
}

/** units / 10^scale, of a safe integer and a scale below 18. */
export function decimalLongDouble(units: number, scale: number): LongDouble {
  if (units === 0) return ZERO;
  return round(units < 0, BigInt(Math.abs(units)), tenTo(scale), 0);
}

/** False for the infinities only. */
export function isFiniteLongDouble(value: LongDouble): boolean {
  return value.mantissa !== INFINITE;
}

/**
 * The rounded sum as `%.17Lf` prints it, without trailing zeros, and `-0` as `0`. Undefined for NaN
 * and the infinities, which Redis refuses with `increment would produce NaN or Infinity`.
 */
export function longDoubleSum(a: LongDouble, b: LongDouble): string | undefined {
  if (!isFiniteLongDouble(a) || !isFiniteLongDouble(b)) return undefined;
  const sum = added(a, b);
  return isFiniteLongDouble(sum) ? formatted(sum) : undefined;
}

function added(a: LongDouble, b: LongDouble): LongDouble {
  if (a.mantissa === 0n) return b;
  if (b.mantissa === 0n) return a;
  const exponent = Math.min(a.exponent, b.exponent);
  const left = signed(a) << BigInt(a.exponent - exponent);
  const sum = left + (signed(b) << BigInt(b.exponent - exponent));
  if (sum === 0n) return ZERO;
  return sum < 0n ? round(true, -sum, 1n, exponent) : round(false, sum, 1n, exponent);
}

function formatted({ exponent, mantissa, negative }: LongDouble): string {
  const sign = negative ? '-' : '';
  const scaled = roundedShift(mantissa * FRACTION_SCALE, exponent);
  if (scaled === 0n) return '0';
  const digits = scaled.toString().padStart(FRACTION_DIGITS + 1, '0');
  const whole = digits.slice(0, -FRACTION_DIGITS);
  const fraction = digits.slice(-FRACTION_DIGITS).replace(/0+$/, '');
  return fraction === '' ? sign + whole : `${sign}${whole}.${fraction}`;
}

/** A decimal number; infinity when it is out of range, be it too large or too small. */
function parseDecimal(text: string): LongDouble | undefined {
  const parts = DECIMAL.exec(text);
  if (parts === null) return undefined;
  const [, sign, whole = '', behind, bare, power = '0'] = parts;
  const negative = sign === '-';
  const fraction = behind ?? bare ?? '';
  const digits = (whole + fraction).replace(/^0+/, '');
  const scale = clampPower(power) - fraction.length;
  if (digits === '') return { negative, mantissa: 0n, exponent: 0 };
  const power10 = digits.length + scale;
  if (power10 > POWER_MAX || power10 < POWER_MIN) return infinity(negative);
  const mantissa = BigInt(digits);
  const number =
    scale >= 0
      ? round(negative, mantissa * tenTo(scale), 1n, 0)
      : round(negative, mantissa, tenTo(-scale), 0);
  return number.mantissa === 0n ? infinity(negative) : number;
}

/** A hexadecimal number; infinity when it is out of range. */
function parseHexadecimal(text: string): LongDouble | undefined {
  const parts = HEXADECIMAL.exec(text);
  if (parts === null) return undefined;
  const [, sign, whole = '', fraction = '', power = '0'] = parts;
  const negative = sign === '-';
  const mantissa = BigInt(`0x0${whole}${fraction}`);
  if (mantissa === 0n) return { negative, mantissa, exponent: 0 };
  const number = round(negative, mantissa, 1n, clampPower(power) - 4 * fraction.length);
  return number.mantissa === 0n ? infinity(negative) : number;
}

/** 10^exponent; the usual ones are at hand. */
function tenTo(exponent: number): bigint {
  return POWERS[exponent] ?? 10n ** BigInt(exponent);
}

function clampPower(text: string): number {
  return Math.max(-POWER_LIMIT, Math.min(POWER_LIMIT, Number(text)));
}

function infinity(negative: boolean): LongDouble {
  return { negative, mantissa: INFINITE, exponent: 0 };
}

function signed(value: LongDouble): bigint {
  return value.negative ? -value.mantissa : value.mantissa;
}

/** Bits of a number above zero. */
function bitLength(value: bigint): number {
  const number = Number(value);
  if (number === Number.POSITIVE_INFINITY) return bitLength(value >> 1000n) + 1000;
  doubleView.setFloat64(0, number);
  const high = doubleView.getUint32(0);
  const length = (high >>> 20) - DOUBLE_BIAS + 1;
  // A number just below a power of two has become that.
  const isPower = (high & 0xf_ffff) === 0 && doubleView.getUint32(4) === 0;
  return isPower && value >> BigInt(length - 1) === 0n ? length - 1 : length;
}

/** numerator / denominator x 2^exponent, rounded to 64 bits or, below 2^-16382, to 2^-16445. */
function round(
  negative: boolean,
  numerator: bigint,
  denominator: bigint,
  exponent: number,
): LongDouble {
  // Scaled by this much, the quotient has 64 or 65 bits; the division leaves the rest for rounding.
  let drop = bitLength(numerator) - bitLength(denominator) - MANTISSA_BITS;
  drop = Math.max(drop, EXPONENT_MIN - exponent);
  let mantissa = roundedQuotient(numerator, denominator, drop);
  if (mantissa >> 64n !== 0n) {
    drop += 1;
    mantissa = roundedQuotient(numerator, denominator, drop);
    // Rounding up can carry into a 65th bit; that number is 2^64, a power of two.
    if (mantissa >> 64n !== 0n) {
      mantissa >>= 1n;
      drop++;
    }
  }
  exponent += drop;
  if (mantissa !== 0n && bitLength(mantissa) + exponent > TOP_MAX) return infinity(negative);
  return { negative, mantissa, exponent };
}

/** numerator / (denominator x 2^drop) to the nearest integer, ties to even. */
function roundedQuotient(numerator: bigint, denominator: bigint, drop: number): bigint {
  const top = drop < 0 ? numerator << BigInt(-drop) : numerator;
  const bottom = drop > 0 ? denominator << BigInt(drop) : denominator;
  const quotient = top / bottom;
  const twice = (top - quotient * bottom) * 2n;
  const up = twice > bottom || (twice === bottom && (quotient & 1n) === 1n);
  return up ? quotient + 1n : quotient;
}

/** value x 2^exponent to the nearest integer, ties to even. */
function roundedShift(value: bigint, exponent: number): bigint {
  return roundedQuotient(value, 1n, -exponent);
}
