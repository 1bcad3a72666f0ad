/**
 * Doubles with a fixed number of digits behind the point, as C's printf writes them: rounded from
 * the exact binary value, ties to even.
 *
 *     %.4f     distances      writeFixed4
 *     %.17Lf   coordinates    writeCoordinate, without the zeros at the end
 *     any      error texts    formatFixed, by BigInt
 *
 * The first two allocate nothing for the numbers that distances and coordinates are; others they
 * hand to the third. Not a number is "-nan", which is what arithmetic on x86 makes of 0/0.
 */
import { writeInteger } from './integer.ts';

/** Longest texts that `writeFixed4` and `writeCoordinate` write for a number below 2^53. */
export const FIXED_TEXT_MAX = 40;

const DASH = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const SPLITTER = 0x8000001;
const TEN_THOUSAND = 10_000;
const FIXED4_MAX = 2 ** 40;
const COORDINATE_DIGITS = 17;
/** Bits behind the binary point of a coordinate, in two halves. */
const HALF_BITS = 2 ** 24;
const FRACTION_BITS = HALF_BITS * HALF_BITS;
/** The digits are made in groups of six, the last of five. */
const GROUP = 1e6;
const LAST_GROUP = 1e5;
const GROUP_DIGITS = 6;

/** The fraction of the last coordinate in its halves, high and low. */
const fraction = new Float64Array(2);

/** Writes a number at `buf[off]` as `%.4f` does; gives the number of bytes. */
export function writeFixed4(buf: Uint8Array, off: number, value: number): number {
  if (!(value >= 0 && value < FIXED4_MAX)) return writeText(buf, off, formatFixed(value, 4));
  let whole = Math.floor(value);
  const rest = value - whole;
  // The exact product with 10^4: `product` and what it lacks.
  const product = rest * TEN_THOUSAND;
  const top = rest * SPLITTER - (rest * SPLITTER - rest);
  const miss = top * TEN_THOUSAND - product + (rest - top) * TEN_THOUSAND;
  let digits = Math.floor(product);
  const left = product - digits;
  const isOdd = (digits & 1) !== 0;
  if (left > 0.5 || (left === 0.5 && (miss > 0 || (miss === 0 && isOdd)))) digits++;
  if (digits === TEN_THOUSAND) {
    whole++;
    digits = 0;
  }
  let at = off + writeInteger(buf, off, whole);
  buf[at++] = POINT;
  at = writeGroup(buf, at, digits, 4);
  return at - off;
}

/**
 * Writes a coordinate at `buf[off]` as `%.17Lf` does, but without zeros at the end; gives the
 * number of bytes.
 */
export function writeCoordinate(buf: Uint8Array, off: number, value: number): number {
  const magnitude = Math.abs(value);
  let whole = Math.floor(magnitude);
  const bits = (magnitude - whole) * FRACTION_BITS;
  if (!Number.isSafeInteger(bits) || whole > HALF_BITS || Object.is(value, -0)) {
    return writeText(buf, off, trimmed(formatFixed(value, COORDINATE_DIGITS)));
  }
  fraction[0] = Math.floor(bits / HALF_BITS);
  fraction[1] = bits - fraction[0]! * HALF_BITS;
  let first = nextDigits(GROUP);
  let second = nextDigits(GROUP);
  let third = nextDigits(LAST_GROUP);
  const left = fraction[0]! * HALF_BITS + fraction[1]!;
  const tie = FRACTION_BITS / 2;
  if (left > tie || (left === tie && (third & 1) !== 0)) third++;
  if (third === LAST_GROUP) {
    third = 0;
    second++;
  }
  if (second === GROUP) {
    second = 0;
    first++;
  }
  if (first === GROUP) {
    first = 0;
    whole++;
  }
  let at = off;
  if (value < 0) buf[at++] = DASH;
  at += writeInteger(buf, at, whole);
  buf[at++] = POINT;
  at = writeGroup(buf, at, first, GROUP_DIGITS);
  at = writeGroup(buf, at, second, GROUP_DIGITS);
  at = writeGroup(buf, at, third, GROUP_DIGITS - 1);
  while (buf[at - 1] === ZERO) at--;
  if (buf[at - 1] === POINT) at--;
  return at - off;
}

/** Multiplies `fraction` by a power of ten; gives the digits that come before the point. */
function nextDigits(power: number): number {
  const low = fraction[1]! * power;
  const carry = Math.floor(low / HALF_BITS);
  const high = fraction[0]! * power + carry;
  const digits = Math.floor(high / HALF_BITS);
  fraction[0] = high - digits * HALF_BITS;
  fraction[1] = low - carry * HALF_BITS;
  return digits;
}

/** Writes a number with all of `count` digits; gives where they end. */
function writeGroup(buf: Uint8Array, at: number, value: number, count: number): number {
  let rest = value;
  for (let i = at + count - 1; i >= at; i--) {
    const next = Math.floor(rest / 10);
    buf[i] = ZERO + rest - next * 10;
    rest = next;
  }
  return at + count;
}

/** The text of a number as `%.<digits>f` writes it. */
export function formatFixed(value: number, digits: number): string {
  if (Number.isNaN(value)) return '-nan';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  if (!Number.isFinite(value)) return `${sign}inf`;
  // The value is mantissa / 2^shift.
  let mantissa = Math.abs(value);
  let shift = 0;
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    shift++;
  }
  const scaled = BigInt(mantissa) * 10n ** BigInt(digits);
  const unit = 1n << BigInt(shift);
  const rest = (scaled % unit) * 2n;
  let rounded = scaled / unit;
  if (rest > unit || (rest === unit && rounded % 2n === 1n)) rounded++;
  const text = rounded.toString().padStart(digits + 1, '0');
  return `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

function trimmed(text: string): string {
  return text.replace(/0+$/, '').replace(/\.$/, '');
}

function writeText(buf: Uint8Array, off: number, text: string): number {
  for (let i = 0; i < text.length; i++) buf[off + i] = text.charCodeAt(i);
  return text.length;
}
