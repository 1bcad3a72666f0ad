/**
 * Decimal text of doubles: scores, increments and coordinates, read and written as Redis does.
 *
 * Reading is C's `strtod` on the whole text: an optional sign, then
 *
 *     12  12.  .5  12.5e-3          decimal, rounded to nearest, ties to even
 *     0x1f  0x.8p1  0X1.8P-3        hexadecimal with a binary exponent
 *     inf  infinity                 in any case
 *
 * Refused: nan in any spelling, blanks, anything left over, the empty text, and a value other than
 * zero that overflows to infinity or underflows to zero. Numbers below the normal range are kept.
 *
 * Writing knows two forms: the seventeen digits of C's `%.17g`, which Redis wrote to 7.0 and still
 * writes to files, and the short form of 7.2, which replies use. Both print inf, -inf, nan and -0.
 */
import { shortest, shortestDigits } from './grisu.ts';
import { writeInt64, writeInteger } from './integer.ts';

const DASH = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;
const LETTER_E = 0x65;

/** Powers of ten that doubles hold exactly. */
const POWERS_OF_TEN = [
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
  1e18, 1e19, 1e20, 1e21, 1e22,
] as const;
/** Digits that make a number below 2^53, whatever they are. */
const EXACT_DIGITS = 15;
const TWO_32 = 4_294_967_296;
/** Redis prints integers as such up to half of the int64 range. */
const INTEGER_MAX = 2 ** 62;
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
export const HEXADECIMAL = /^([+-]?)0x(?=\.?[\da-f])([\da-f]*)(?:\.([\da-f]*))?(?:p([+-]?\d+))?$/i;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;

/** Longest text that `writeDoubleShortest` writes. */
export const DOUBLE_TEXT_MAX = 26;

/** The double that the text at `buf[off, len]` means, or NaN when Redis would refuse it. */
export function parseDouble(buf: Uint8Array, off: number, len: number): number {
  const value = parsePlain(buf, off, off + len);
  return Number.isNaN(value) ? parseAny(textOf(buf, off, len), false) : value;
}

/**
 * The bound of a score range, as ZRANGEBYSCORE reads it behind its optional `(`. More is let
 * through than for a score: blanks in front, the empty text as 0, what follows a zero byte, and
 * values out of range as infinity or 0. NaN when it is none.
 */
export function parseScoreBound(buf: Uint8Array, off: number, len: number): number {
  const value = parsePlain(buf, off, off + len);
  if (!Number.isNaN(value)) return value;
  const zero = buf.subarray(off, off + len).indexOf(0);
  const text = textOf(buf, off, zero < 0 ? len : zero);
  return text === '' ? 0 : parseAny(text.replace(/^[ \t-\r]+/, ''), true);
}

/** Short decimals without an exponent, which most are; NaN for all others. Allocates nothing. */
function parsePlain(buf: Uint8Array, off: number, end: number): number {
  let at = off;
  const sign = at < end ? buf[at]! : 0;
  if (sign === DASH || sign === PLUS) at++;
  let digits = 0;
  let mantissa = 0;
  let pointAt = -1;
  for (; at < end; at++) {
    const c = buf[at]!;
    if (c >= ZERO && c <= ZERO + 9) {
      if (++digits > EXACT_DIGITS) return Number.NaN;
      mantissa = mantissa * 10 + c - ZERO;
    } else if (c === POINT && pointAt < 0) {
      pointAt = at;
    } else {
      return Number.NaN;
    }
  }
  if (digits === 0) return Number.NaN;
  // Both operands are exact, so the quotient is rounded once: it is the nearest double.
  if (pointAt >= 0) mantissa /= POWERS_OF_TEN[end - pointAt - 1]!;
  return sign === DASH ? -mantissa : mantissa;
}

function textOf(buf: Uint8Array, off: number, len: number): string {
  let text = '';
  for (let i = off; i < off + len; i++) text += String.fromCharCode(buf[i]!);
  return text;
}

/** Any form; values out of range are refused unless `outOfRange` lets them be infinity or zero. */
function parseAny(text: string, outOfRange: boolean): number {
  if (DECIMAL.test(text)) {
    const value = Number(text);
    if (outOfRange || (Number.isFinite(value) && value !== 0)) return value;
    return value === 0 && !/[1-9]/.test(text.replace(/e.*/i, '')) ? value : Number.NaN;
  }
  const infinite = INFINITE.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  const parts = HEXADECIMAL.exec(text);
  if (parts === null) return Number.NaN;
  const [, sign, whole = '', fraction = '', power = '0'] = parts;
  const mantissa = BigInt(`0x0${whole}${fraction}`);
  const value = nearestDouble(mantissa, Number(power) - 4 * fraction.length);
  if (!outOfRange && (value === Infinity || (value === 0 && mantissa !== 0n))) return Number.NaN;
  return sign === '-' ? -value : value;
}

/** mantissa x 2^exponent, rounded to nearest, ties to even. */
function nearestDouble(mantissa: bigint, exponent: number): number {
  if (mantissa === 0n) return 0;
  const bits = mantissa.toString(2).length;
  if (bits + exponent > 1024) return Infinity;
  if (bits + exponent < -1074) return 0;
  const drop = Math.max(bits - 53, -1074 - exponent, 0);
  const kept = mantissa >> BigInt(drop);
  const rest = (mantissa - (kept << BigInt(drop))) * 2n;
  const one = 1n << BigInt(drop);
  const up = rest > one || (rest === one && (kept & 1n) === 1n);
  // Two factors, since 2^exponent alone can be below what a double holds.
  const power = exponent + drop;
  const half = Math.trunc(power / 2);
  return Number(kept + (up ? 1n : 0n)) * 2 ** half * 2 ** (power - half);
}

/** The text of C's `%.17g`. */
export function formatDouble17(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (value === Infinity) return 'inf';
  if (value === -Infinity) return '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const sign = value < 0 ? '-' : '';
  const text = seventeenDigits(Math.abs(value));
  const exponent = Number(text.slice(text.indexOf('e') + 1));
  const digits = (text.slice(0, 1) + text.slice(2, text.indexOf('e'))).replace(/0+$/, '');
  if (exponent < -4 || exponent >= 17) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    const power = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${digits.slice(0, 1)}${fraction}e${exponent < 0 ? '-' : '+'}${power}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = digits.slice(exponent + 1);
  return fraction === '' ? sign + whole : `${sign}${whole}.${fraction}`;
}

/**
 * Seventeen digits in the form `d.dddde+x`, ties to even as in C. JavaScript rounds ties up; a tie
 * is a value of exactly 18 digits that ends with a 5, and such values lie between 1e-8 and 1e17,
 * where 100 digits are enough to show a value whole.
 */
function seventeenDigits(value: number): string {
  const text = value.toExponential(16);
  if (value < 1e-9 || value >= 1e18) return text;
  const exact = value.toExponential(99);
  const isTie = exact[18] === '5' && /^0*e/.test(exact.slice(19));
  const isEvenBelow = Number(exact[17]) % 2 === 0;
  return isTie && isEvenBelow ? exact.slice(0, 18) + exact.slice(exact.indexOf('e')) : text;
}

/**
 * Writes a double at `buf[off]` as Redis 7.2 replies it; gives the number of bytes, at most
 * `DOUBLE_TEXT_MAX`. Allocates nothing.
 *
 *     integers up to 2^62                      all their digits
 *     others, digits x 10^exponent (Grisu2)
 *       exponent 0 to 7                        digits and zeros
 *       exponent -6 to -1                      plain, as 0.000012 or 1.5
 *       leading digit worth 10^-3 to 10^3      plain, whatever the number of digits
 *       the rest                               d.ddde+x, the power without leading zeros
 */
export function writeDoubleShortest(buf: Uint8Array, off: number, value: number): number {
  if (Math.floor(value) === value && value <= INTEGER_MAX && value >= -INTEGER_MAX) {
    return writeWhole(buf, off, value);
  }
  if (Number.isNaN(value)) return writeWord(buf, off, 0x6e, 0x61, 0x6e);
  let at = off;
  if (value < 0) {
    buf[at++] = DASH;
    value = -value;
  }
  if (value === Infinity) return at + writeWord(buf, at, 0x69, 0x6e, 0x66) - off;
  shortestDigits(value);
  const { count, exponent } = shortest;
  const leading = Math.abs(exponent + count - 1);
  if (exponent >= 0 && exponent < 8) {
    at = writeDigits(buf, at, 0, count);
    at = writeZeros(buf, at, exponent);
  } else if (exponent < 0 && (exponent > -7 || leading < 4)) {
    at = writePlain(buf, at, count, count + exponent);
  } else {
    at = writeScientific(buf, at, Math.min(count, at === off ? 18 : 17), exponent);
  }
  return at - off;
}

function writeWhole(buf: Uint8Array, off: number, value: number): number {
  if (Number.isSafeInteger(value)) {
    if (!Object.is(value, -0)) return writeInteger(buf, off, value);
    buf[off] = DASH;
    buf[off + 1] = ZERO;
    return 2;
  }
  const hi = Math.floor(value / TWO_32);
  return writeInt64(buf, off, value - hi * TWO_32, hi);
}

function writeWord(buf: Uint8Array, off: number, a: number, b: number, c: number): number {
  buf[off] = a;
  buf[off + 1] = b;
  buf[off + 2] = c;
  return 3;
}

/** Copies digits `from` to `to` of the last result; gives where they end. */
function writeDigits(buf: Uint8Array, at: number, from: number, to: number): number {
  for (let i = from; i < to; i++) buf[at++] = shortest.digits[i]!;
  return at;
}

function writeZeros(buf: Uint8Array, at: number, count: number): number {
  for (let i = 0; i < count; i++) buf[at++] = ZERO;
  return at;
}

/** `whole` digits come before the point; when it is 0 or less, zeros do. */
function writePlain(buf: Uint8Array, at: number, count: number, whole: number): number {
  if (whole > 0) {
    at = writeDigits(buf, at, 0, whole);
    buf[at++] = POINT;
    return writeDigits(buf, at, whole, count);
  }
  buf[at++] = ZERO;
  buf[at++] = POINT;
  at = writeZeros(buf, at, -whole);
  return writeDigits(buf, at, 0, count);
}

function writeScientific(buf: Uint8Array, at: number, count: number, exponent: number): number {
  const power = exponent + count - 1;
  at = writeDigits(buf, at, 0, 1);
  if (count > 1) {
    buf[at++] = POINT;
    at = writeDigits(buf, at, 1, count);
  }
  buf[at++] = LETTER_E;
  buf[at++] = power < 0 ? DASH : PLUS;
  return at + writeInteger(buf, at, Math.abs(power));
}
