/**
 * Decimal text of 64-bit integers, read and written without allocating.
 *
 * Reading is strict, as Redis's `string2ll` is: an optional `-`, then digits without leading zeros;
 * no `+`, no blanks, no `-0`; from -9,223,372,036,854,775,808 to 9,223,372,036,854,775,807. What
 * passes is exactly what prints back as the same bytes, which is why a string value that passes may
 * be kept as an integer.
 *
 * A JavaScript number holds integers exactly up to 2^53 - 1. `parseInteger` gives the nearest
 * number past that (its callers compare or clamp); `parseInt64` gives every one exactly.
 *
 * 19 digits are read as two parts, `head` x 10^10 + `tail`. The head of any int64 is at most
 * 922,337,203, so head x 10^10 is at most 2^63 and a multiple of 2^10: exact as a number. The sum
 * is then rounded once, so the result is the nearest number.
 */

const DASH = 0x2d;
const PLUS = 0x2b;
const ZERO = 0x30;
const NINE = 0x39;

/** Digits that a number surely holds exactly, whatever they are. */
const SAFE_DIGITS = 15;
const TAIL_DIGITS = 10;
const TAIL_SCALE = 1e10;
const HEAD_MAX = 922_337_203;
const TAIL_MAX = 6_854_775_807;
export const INT64_MAX = (1n << 63n) - 1n;
export const INT64_MIN = -(1n << 63n);
export const UINT64_MAX = (1n << 64n) - 1n;
const TWO_32 = 4_294_967_296;
const BILLION = 1_000_000_000;

/** Head and tail of the last long scan. A typed array, since a variable would allocate numbers. */
const scanned = new Float64Array(2);

/** The value, as the nearest number, of the strict int64 text at `buf[off, len]`; else NaN. */
export function parseInteger(buf: Uint8Array, off: number, len: number): number {
  if (len === 0) return Number.NaN;
  const first = buf[off]!;
  if (len === 1) return first >= ZERO && first <= NINE ? first - ZERO : Number.NaN;
  const negative = first === DASH;
  const start = negative ? off + 1 : off;
  const digits = negative ? len - 1 : len;
  if (digits > SAFE_DIGITS) {
    if (!scanLong(buf, start, digits, negative)) return Number.NaN;
    const value = scanned[0]! * TAIL_SCALE + scanned[1]!;
    return negative ? -value : value;
  }
  if (buf[start]! <= ZERO) return Number.NaN;
  let value = 0;
  for (let i = start; i < start + digits; i++) {
    const digit = buf[i]! - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

/** The exact value of the strict int64 text at `buf[off, len]`, or undefined. Allocates. */
export function parseInt64(buf: Uint8Array, off: number, len: number): bigint | undefined {
  const value = parseInteger(buf, off, len);
  if (Number.isSafeInteger(value)) return BigInt(value);
  if (Number.isNaN(value)) return undefined;
  const magnitude = BigInt(scanned[0]!) * 10_000_000_000n + BigInt(scanned[1]!);
  return value < 0 ? -magnitude : magnitude;
}

/** True when `buf[off, len]` is strict int64 text. */
export function isInt64Text(buf: Uint8Array, off: number, len: number): boolean {
  return !Number.isNaN(parseInteger(buf, off, len));
}

/** Reads 16 to 19 digits into `scanned`; false when they are no int64. */
function scanLong(buf: Uint8Array, off: number, digits: number, negative: boolean): boolean {
  if (digits > 19 || buf[off] === ZERO) return false;
  const split = off + digits - TAIL_DIGITS;
  let head = 0;
  for (let i = off; i < split; i++) {
    const digit = buf[i]! - ZERO;
    if (digit < 0 || digit > 9) return false;
    head = head * 10 + digit;
  }
  let tail = 0;
  for (let i = split; i < off + digits; i++) {
    const digit = buf[i]! - ZERO;
    if (digit < 0 || digit > 9) return false;
    tail = tail * 10 + digit;
  }
  if (head > HEAD_MAX) return false;
  if (head === HEAD_MAX && tail > TAIL_MAX + (negative ? 1 : 0)) return false;
  scanned[0] = head;
  scanned[1] = tail;
  return true;
}

/**
 * The value of an unsigned 64-bit text as C's `strtoull` reads it when nothing may follow, which is
 * how SCAN reads its cursor: an optional sign (`-` counts down from 2^64), leading zeros welcome,
 * the empty text is 0, and a zero byte ends the text. Undefined when it begins with a blank, has
 * anything else in it, or is past 2^64 - 1.
 */
export function parseUint64(buf: Uint8Array, off: number, len: number): bigint | undefined {
  let end = off;
  while (end < off + len && buf[end] !== 0) end++;
  if (end === off) return 0n;
  const negative = buf[off] === DASH;
  let at = negative || buf[off] === PLUS ? off + 1 : off;
  if (at === end) return undefined;
  while (at < end - 1 && buf[at] === ZERO) at++;
  if (end - at > 20) return undefined;
  let value = 0n;
  for (; at < end; at++) {
    const digit = buf[at]! - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10n + BigInt(digit);
  }
  if (value > UINT64_MAX) return undefined;
  return negative ? BigInt.asUintN(64, -value) : value;
}

/** Bytes that `writeInteger` writes for a safe integer. */
export function integerLength(value: number): number {
  let sign = 0;
  if (value < 0) {
    value = -value;
    sign = 1;
  }
  if (value < 1e8) {
    if (value < 1e4) return sign + (value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : 4);
    return sign + (value < 1e6 ? (value < 1e5 ? 5 : 6) : value < 1e7 ? 7 : 8);
  }
  if (value < 1e12) return sign + (value < 1e10 ? (value < 1e9 ? 9 : 10) : value < 1e11 ? 11 : 12);
  return sign + (value < 1e14 ? (value < 1e13 ? 13 : 14) : value < 1e15 ? 15 : 16);
}

/** Writes a safe integer in decimal at `buf[off]`; gives the number of bytes, at most 17. */
export function writeInteger(buf: Uint8Array, off: number, value: number): number {
  let at = off;
  if (value < 0) {
    buf[at++] = DASH;
    value = -value;
  }
  if (value < 10) {
    buf[at] = ZERO + value;
    return at + 1 - off;
  }
  const length = integerLength(value);
  if (value < BILLION) {
    writeDigits(buf, at, length, value | 0);
  } else {
    const head = Math.floor(value / BILLION);
    writeDigits(buf, at, length - 9, head | 0);
    writeDigits(buf, at + length - 9, 9, (value - head * BILLION) | 0);
  }
  return at + length - off;
}

/**
 * Writes the int64 whose two's complement words are `lo` and `hi` in decimal at `buf[off]`; gives
 * the number of bytes, at most 20. The words may come signed or unsigned.
 */
export function writeInt64(buf: Uint8Array, off: number, lo: number, hi: number): number {
  lo >>>= 0;
  hi |= 0;
  if (hi >= -0x20_0000 && hi < 0x20_0000) {
    const value = hi * TWO_32 + lo;
    if (value >= -Number.MAX_SAFE_INTEGER) return writeInteger(buf, off, value);
  }
  let at = off;
  if (hi < 0) {
    buf[at++] = DASH;
    lo = -lo >>> 0;
    hi = lo === 0 ? -hi : ~hi;
  }
  hi >>>= 0;
  // Long division by 10^9 in steps of 16 bits: no dividend passes 10^9 x 2^16.
  const top = Math.floor(hi / BILLION);
  let rest = (hi - top * BILLION) * 65_536 + (lo >>> 16);
  const middle = Math.floor(rest / BILLION);
  rest = (rest - middle * BILLION) * 65_536 + (lo & 0xffff);
  const bottom = Math.floor(rest / BILLION);
  at += writeInteger(buf, at, top * TWO_32 + middle * 65_536 + bottom);
  writeDigits(buf, at, 9, (rest - bottom * BILLION) | 0);
  return at + 9 - off;
}

/** Writes exactly `length` digits of an int32, zeros in front. */
function writeDigits(buf: Uint8Array, off: number, length: number, value: number): void {
  let i = off + length;
  let left = value;
  // Two at a time: each division waits for the one before.
  for (; i >= off + 2; i -= 2) {
    const rest = (left / 100) | 0;
    const two = left - rest * 100;
    const ten = (two * 205) >>> 11;
    buf[i - 2] = ZERO + ten;
    buf[i - 1] = ZERO + two - ten * 10;
    left = rest;
  }
  if (i > off) buf[off] = ZERO + (left % 10);
}
