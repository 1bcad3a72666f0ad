/**
 * What INCRBYFLOAT and HINCRBYFLOAT add: numbers in extended precision (long-double.ts), of which
 * those of few digits are kept as they are written, since most of their sums need no computing in
 * it.
 *
 *     units / 10^scale        12.50: 1250 units of a hundredth
 *
 * A sum of two of them is printed as on paper where it is
 *
 *   exact    both have a finite binary expansion, of at most 53 bits: whole numbers, halves
 *   near     both together are no larger than 40: reading each, and adding them, errs by half a
 *            place of 64 bits at most, in all by 2^-64 x 80 = 4.4e-18. The text has 17 digits
 *            behind the point; that is less than half of its last one, so printing drops it
 *
 * Any other is left to `longDoubleSum`. (Measured, with reading both: 0.13 us instead of 3.2.)
 */
import {
  decimalLongDouble,
  isFiniteLongDouble,
  type LongDouble,
  longDoubleSum,
  parseLongDouble,
} from './long-double.ts';

export type Addend = ShortDecimal | LongDouble;

/** A number of which all digits are in a safe integer. */
class ShortDecimal {
  readonly units: number;
  readonly scale: number;

  constructor(units: number, scale: number) {
    this.units = units;
    this.scale = scale;
  }
}

/** What a key or a field that does not exist counts from. */
export const NOTHING: Addend = new ShortDecimal(0, 0);

const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const DIGIT_0 = 0x30;
/** A safe integer has up to 16 digits, and there may be a sign and a point. */
const SHORT_TEXT_MAX = 18;
const NEAR_MAX = 40;

const TENS = Array.from({ length: SHORT_TEXT_MAX }, (_, i) => 10 ** i);
const FIVES = Array.from({ length: SHORT_TEXT_MAX }, (_, i) => 5 ** i);

/** The number that a text means, or undefined for none; see `parseLongDouble`. */
export function parseAddend(buf: Uint8Array, off: number, len: number): Addend | undefined {
  return parseShort(buf, off, len) ?? parseLongDouble(buf, off, len);
}

/** False for the infinities only. */
export function isFiniteAddend(value: Addend): boolean {
  return value instanceof ShortDecimal || isFiniteLongDouble(value);
}

/** The text of the sum, or undefined where there is none that is finite; see `longDoubleSum`. */
export function addendSum(a: Addend, b: Addend): string | undefined {
  if (a instanceof ShortDecimal && b instanceof ShortDecimal) {
    const sum = shortSum(a, b);
    if (sum !== undefined) return sum;
  }
  return longDoubleSum(exact(a), exact(b));
}

function exact(value: Addend): LongDouble {
  return value instanceof ShortDecimal ? decimalLongDouble(value.units, value.scale) : value;
}

function parseShort(buf: Uint8Array, off: number, len: number): ShortDecimal | undefined {
  if (len === 0 || len > SHORT_TEXT_MAX) return undefined;
  const end = off + len;
  const first = buf[off]!;
  let at = first === MINUS || first === PLUS ? off + 1 : off;
  let units = 0;
  let digits = 0;
  let point = -1;
  for (; at < end; at++) {
    const digit = buf[at]! - DIGIT_0;
    if (digit >= 0 && digit <= 9) {
      units = units * 10 + digit;
      digits++;
    } else if (buf[at] === POINT && point < 0) point = digits;
    else return undefined;
  }
  if (digits === 0 || units > Number.MAX_SAFE_INTEGER) return undefined;
  return new ShortDecimal(first === MINUS ? -units : units, point < 0 ? 0 : digits - point);
}

/** The sum, or undefined when it is neither exact nor near. */
function shortSum(a: ShortDecimal, b: ShortDecimal): string | undefined {
  const scale = Math.max(a.scale, b.scale);
  const left = a.units * TENS[scale - a.scale]!;
  const right = b.units * TENS[scale - b.scale]!;
  const size = Math.abs(left) + Math.abs(right);
  if (size > Number.MAX_SAFE_INTEGER) return undefined;
  const isNear = size <= NEAR_MAX * TENS[scale]!;
  const five = FIVES[scale]!;
  if (!isNear && (left % five !== 0 || right % five !== 0)) return undefined;
  return formatted(left + right, scale);
}

function formatted(units: number, scale: number): string {
  let rest = Math.abs(units);
  let places = scale;
  for (; places > 0 && rest % 10 === 0; places--) rest /= 10;
  const sign = units < 0 ? '-' : '';
  if (places === 0) return `${sign}${rest}`;
  const digits = String(rest).padStart(places + 1, '0');
  const point = digits.length - places;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
