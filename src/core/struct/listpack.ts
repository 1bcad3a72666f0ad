/**
 * The listpack: a compact list of strings and integers in one run of bytes, byte for byte Redis's.
 *
 *     [ total bytes u32 ][ elements u16 ][ entry ][ entry ] ... [ 0xff ]
 *
 *     entry    [ encoding and data ][ back length, 1 to 5 bytes: length of what stands before it ]
 *
 *     0xxxxxxx                      integer 0 to 127
 *     10xxxxxx <bytes>              string of up to 63 bytes
 *     110xxxxx xxxxxxxx             integer of 13 bits, signed
 *     1110xxxx xxxxxxxx <bytes>     string of up to 4,095 bytes
 *     11110000 u32 <bytes>          string
 *     11110001 i16 | 11110010 i24 | 11110011 i32 | 11110100 i64
 *     11111111                      the end
 *
 * All numbers are little endian but the 13-bit integer and the 12-bit length, whose high bits come
 * first. A back length has seven bits a byte, high ones first, and every byte but the first has its
 * top bit set, so that it can be read backwards. Text of a 64-bit integer is always stored as that
 * integer. 65,535 elements means "count them".
 *
 * A listpack is `bytes` from `base`; a position is relative to `base`, so that it survives a move
 * of the whole. A caller that inserts asks for the growth first (`lpEntryBytes`), makes room, and
 * then lets `lpInsert` shift the rest: nothing is rebuilt and no object is made an element.
 *
 * What the last `lpGet` read is in the fields of `lpElement`, shared by all.
 *
 * Source: the listpack specification (S. Sanfilippo, 2017), and listpack.c of Redis for the choice
 * of encodings.
 */
import { isInt64Text, parseInt64, parseInteger, writeInt64 } from '../text/integer.ts';

/** Bytes before the first entry. */
export const LP_HEAD_BYTES = 6;
/** Bytes of an empty listpack. */
export const LP_EMPTY_BYTES = 7;
const END = 0xff;
const COUNT_UNKNOWN = 0xffff;
export const INTEGER_TEXT_MAX = 20;
const TWO_32 = 0x1_0000_0000;

/** What `lpGet` found: a string's bytes, or an integer in two words. */
export class LpElement {
  isInteger = false;
  bytes: Uint8Array = new Uint8Array(0);
  offset = 0;
  length = 0;
  /** Low and high word of an integer. */
  low = 0;
  high = 0;

  /** The integer, exact up to 2^53. */
  get number(): number {
    return this.high * TWO_32 + (this.low >>> 0);
  }

  /** Makes `bytes`, `offset` and `length` the text, for integers too. */
  asText(): void {
    if (!this.isInteger) return;
    this.bytes = digits;
    this.offset = 0;
    this.length = writeInt64(digits, 0, this.low, this.high);
  }
}

const digits = new Uint8Array(24);
export const lpElement = new LpElement();

/** How the value that is being encoded will be stored; set by `measure`. */
export let valueLow = 0;
export let valueHigh = 0;
/** What the last `lpEntryBytes` measured: whether it is an integer, and the bytes of its body. */
let measuredInteger = false;
let measuredBody = 0;

/** Writes an empty listpack. */
export function lpInit(bytes: Uint8Array, base: number): void {
  setBytes(bytes, base, LP_EMPTY_BYTES);
  bytes[base + 4] = 0;
  bytes[base + 5] = 0;
  bytes[base + 6] = END;
}

/** Length of the whole, its head and end included. */
export function lpBytes(bytes: Uint8Array, base: number): number {
  return readU32(bytes, base);
}

/** Number of elements. */
export function lpCount(bytes: Uint8Array, base: number): number {
  const count = bytes[base + 4]! | (bytes[base + 5]! << 8);
  if (count !== COUNT_UNKNOWN) return count;
  let found = 0;
  for (let at = lpFirst(bytes, base); at !== 0; at = lpNext(bytes, base, at)) found++;
  return found;
}

/** Position of the first entry, 0 when there is none. */
export function lpFirst(bytes: Uint8Array, base: number): number {
  return bytes[base + LP_HEAD_BYTES] === END ? 0 : LP_HEAD_BYTES;
}

/** Position of the last entry, 0 when there is none. */
export function lpLast(bytes: Uint8Array, base: number): number {
  return lpPrev(bytes, base, readU32(bytes, base) - 1);
}

/** Position of the entry after the one at `at`, 0 at the end. */
export function lpNext(bytes: Uint8Array, base: number, at: number): number {
  const next = at + lpEntryLength(bytes, base + at);
  return bytes[base + next] === END ? 0 : next;
}

/** Position of the entry before the one at `at` (which may be the end), 0 at the beginning. */
export function lpPrev(bytes: Uint8Array, base: number, at: number): number {
  if (at <= LP_HEAD_BYTES) return 0;
  let from = base + at - 1;
  let length = 0;
  for (let factor = 1; ; factor *= 128, from--) {
    length += (bytes[from]! & 127) * factor;
    if (bytes[from]! < 128) break;
  }
  return at - length - backLengthBytes(length);
}

/** Position of the entry with this index, from the end when negative; 0 when there is none. */
export function lpSeek(bytes: Uint8Array, base: number, index: number): number {
  const count = bytes[base + 4]! | (bytes[base + 5]! << 8);
  let i = index;
  if (count !== COUNT_UNKNOWN) {
    if (i >= count || i < -count) return 0;
    if (i >= 0 && i > count >>> 1) i -= count;
    else if (i < 0 && -i > count >>> 1) i += count;
  }
  if (i >= 0) return seekForward(bytes, base, i);
  let at = lpLast(bytes, base);
  for (; i < -1 && at !== 0; i++) {
    const back = bytes[base + at - 1]!;
    if (back < 128 && at > LP_HEAD_BYTES) at -= back + 1;
    else at = lpPrev(bytes, base, at);
  }
  return at;
}

function seekForward(bytes: Uint8Array, base: number, index: number): number {
  let from = base + LP_HEAD_BYTES;
  for (let i = index; i > 0; i--) {
    const first = bytes[from]!;
    if (first === END) return 0;
    const body = first < 0x80 ? 1 : first < 0xc0 ? 1 + (first & 63) : bodyLength(bytes, from);
    from += body + (body < 128 ? 1 : backLengthBytes(body));
  }
  return bytes[from] === END ? 0 : from - base;
}

/** Reads the entry at `at` into `lpElement`. */
export function lpGet(bytes: Uint8Array, base: number, at: number): void {
  const e = lpElement;
  let from = base + at;
  const first = bytes[from]!;
  if (first < 0x80) {
    e.isInteger = true;
    e.low = first;
    e.high = 0;
    return;
  }
  if (first < 0xc0 || (first >= 0xe0 && first <= 0xf0)) {
    e.isInteger = false;
    e.bytes = bytes;
    if (first < 0xc0) e.length = first & 63;
    else if (first < 0xf0) e.length = ((first & 15) << 8) | bytes[++from]!;
    else {
      e.length = readU32(bytes, from + 1);
      from += 4;
    }
    e.offset = from + 1;
    return;
  }
  e.isInteger = true;
  if (first < 0xe0) e.low = (((first & 31) << 27) >> 19) | bytes[from + 1]!;
  else if (first === 0xf1) e.low = ((bytes[from + 1]! | (bytes[from + 2]! << 8)) << 16) >> 16;
  else if (first === 0xf2) {
    e.low = ((bytes[from + 1]! | (bytes[from + 2]! << 8) | (bytes[from + 3]! << 16)) << 8) >> 8;
  } else e.low = readU32(bytes, from + 1) | 0;
  e.high = first === 0xf4 ? readU32(bytes, from + 5) | 0 : e.low >> 31;
}

/** Length of the entry at `from` (absolute), its back length included. */
export function lpEntryLength(bytes: Uint8Array, from: number): number {
  const length = bodyLength(bytes, from);
  return length + backLengthBytes(length);
}

/** Whether the entry at `at` is this value. */
export function lpEquals(
  bytes: Uint8Array,
  base: number,
  at: number,
  value: Uint8Array,
  offset: number,
  length: number,
): boolean {
  lpGet(bytes, base, at);
  const e = lpElement;
  if (e.isInteger) e.asText();
  if (e.length !== length) return false;
  for (let i = 0; i < length; i++) if (e.bytes[e.offset + i] !== value[offset + i]) return false;
  return true;
}

/** Bytes that a value will take as an entry. */
export function lpEntryBytes(value: Uint8Array, offset: number, length: number): number {
  measuredInteger = measure(value, offset, length);
  const body = measuredInteger ? integerBody(valueLow, valueHigh) : stringBody(length);
  measuredBody = body;
  return body + backLengthBytes(body);
}

/** Like `lpInsert`, for the value that `lpEntryBytes` has just measured, and nothing since. */
export function lpInsertMeasured(
  bytes: Uint8Array,
  base: number,
  at: number,
  value: Uint8Array,
  offset: number,
  length: number,
): void {
  insertBody(bytes, base, at, measuredInteger, measuredBody, value, offset, length);
}

/** Bytes that an integer will take as an entry. */
export function lpIntegerBytes(value: number): number {
  const body = integerBody(value | 0, Math.floor(value / TWO_32));
  return body + backLengthBytes(body);
}

/**
 * Puts a value in front of the entry at `at` (the end: `lpBytes - 1`). The room behind the listpack
 * must hold `lpEntryBytes` more. Returns the position after the new entry.
 */
export function lpInsert(
  bytes: Uint8Array,
  base: number,
  at: number,
  value: Uint8Array,
  offset: number,
  length: number,
): number {
  const isInteger = measure(value, offset, length);
  const body = isInteger ? integerBody(valueLow, valueHigh) : stringBody(length);
  return insertBody(bytes, base, at, isInteger, body, value, offset, length);
}

/** Like `lpInsert`, for a safe integer. */
export function lpInsertInteger(
  bytes: Uint8Array,
  base: number,
  at: number,
  value: number,
): number {
  valueLow = value | 0;
  valueHigh = Math.floor(value / TWO_32);
  return insertBody(bytes, base, at, true, integerBody(valueLow, valueHigh), bytes, 0, 0);
}

/**
 * Writes a value as an entry at `from` (absolute), behind the last one. Returns the position behind
 * it. Several may be written in turn; `lpPutEnd` then makes them part of the listpack.
 */
export function lpPut(
  bytes: Uint8Array,
  from: number,
  value: Uint8Array,
  offset: number,
  length: number,
): number {
  const isInteger = measure(value, offset, length);
  const body = isInteger ? integerBody(valueLow, valueHigh) : stringBody(length);
  writeEntry(bytes, from, isInteger, body, value, offset, length);
  return from + body + backLengthBytes(body);
}

/** Like `lpPut`, for a safe integer. */
export function lpPutInteger(bytes: Uint8Array, from: number, value: number): number {
  if (value >= 0 && value < 128) {
    bytes[from] = value;
    bytes[from + 1] = 1;
    return from + 2;
  }
  valueLow = value | 0;
  valueHigh = Math.floor(value / TWO_32);
  const body = integerBody(valueLow, valueHigh);
  writeEntry(bytes, from, true, body, bytes, 0, 0);
  return from + body + 1;
}

/** Ends a listpack at `from` (absolute), behind `count` entries that `lpPut` has written. */
export function lpPutEnd(bytes: Uint8Array, base: number, from: number, count: number): void {
  bytes[from] = END;
  setBytes(bytes, base, from + 1 - base);
  addCount(bytes, base, count);
}

/** Takes out `count` entries from the one at `at` on. */
export function lpDelete(bytes: Uint8Array, base: number, at: number, count: number): void {
  let end = at;
  let gone = 0;
  while (gone < count && bytes[base + end] !== END) {
    end += lpEntryLength(bytes, base + end);
    gone++;
  }
  const total = readU32(bytes, base);
  if (end === total - 1) bytes[base + at] = END;
  else bytes.copyWithin(base + at, base + end, base + total);
  setBytes(bytes, base, total - (end - at));
  addCount(bytes, base, -gone);
}

/**
 * Replaces the entry at `at` by a value. The room behind the listpack must hold the growth
 * (`lpEntryBytes` less `lpEntryLength`).
 */
export function lpReplace(
  bytes: Uint8Array,
  base: number,
  at: number,
  value: Uint8Array,
  offset: number,
  length: number,
): void {
  const isInteger = measure(value, offset, length);
  const body = isInteger ? integerBody(valueLow, valueHigh) : stringBody(length);
  replaceBody(bytes, base, at, isInteger, body, value, offset, length);
}

/** Like `lpReplace`, for a safe integer. */
export function lpReplaceInteger(bytes: Uint8Array, base: number, at: number, value: number): void {
  valueLow = value | 0;
  valueHigh = Math.floor(value / TWO_32);
  replaceBody(bytes, base, at, true, integerBody(valueLow, valueHigh), bytes, 0, 0);
}

// ---------------------------------------------------------------- encoding

/** Whether a value will be stored as an integer, whose words are then in valueLow and valueHigh. */
export function measure(value: Uint8Array, offset: number, length: number): boolean {
  if (length === 0 || length > INTEGER_TEXT_MAX) return false;
  const number = parseInteger(value, offset, length);
  if (Number.isNaN(number)) return false;
  if (Number.isSafeInteger(number)) {
    valueLow = number | 0;
    valueHigh = Math.floor(number / TWO_32);
  } else {
    if (!isInt64Text(value, offset, length)) return false;
    const exact = parseInt64(value, offset, length) ?? 0n;
    valueLow = Number(BigInt.asIntN(32, exact));
    valueHigh = Number(exact >> 32n);
  }
  return true;
}

function integerBody(low: number, high: number): number {
  if (high !== low >> 31) return 9;
  if (low >= 0 && low <= 127) return 1;
  if (low >= -4096 && low <= 4095) return 2;
  if (low >= -32_768 && low <= 32_767) return 3;
  if (low >= -8_388_608 && low <= 8_388_607) return 4;
  return 5;
}

function stringBody(length: number): number {
  return length < 64 ? 1 + length : length < 4096 ? 2 + length : 5 + length;
}

function insertBody(
  bytes: Uint8Array,
  base: number,
  at: number,
  isInteger: boolean,
  body: number,
  value: Uint8Array,
  offset: number,
  length: number,
): number {
  const size = body + backLengthBytes(body);
  const total = readU32(bytes, base);
  // At the end only one byte moves: not worth a call into the runtime (30 ns).
  if (at === total - 1) bytes[base + at + size] = END;
  else bytes.copyWithin(base + at + size, base + at, base + total);
  writeEntry(bytes, base + at, isInteger, body, value, offset, length);
  setBytes(bytes, base, total + size);
  addCount(bytes, base, 1);
  return at + size;
}

function replaceBody(
  bytes: Uint8Array,
  base: number,
  at: number,
  isInteger: boolean,
  body: number,
  value: Uint8Array,
  offset: number,
  length: number,
): void {
  const old = lpEntryLength(bytes, base + at);
  const size = body + backLengthBytes(body);
  const total = readU32(bytes, base);
  if (old !== size) bytes.copyWithin(base + at + size, base + at + old, base + total);
  writeEntry(bytes, base + at, isInteger, body, value, offset, length);
  setBytes(bytes, base, total + size - old);
}

function writeEntry(
  bytes: Uint8Array,
  from: number,
  isInteger: boolean,
  body: number,
  value: Uint8Array,
  offset: number,
  length: number,
): void {
  if (isInteger) writeInteger(bytes, from, body);
  else {
    let at = from;
    if (length < 64) bytes[at++] = 0x80 | length;
    else if (length < 4096) {
      bytes[at++] = 0xe0 | (length >>> 8);
      bytes[at++] = length & 255;
    } else {
      bytes[at] = 0xf0;
      setBytes(bytes, at + 1, length);
      at += 5;
    }
    if (length > 96) bytes.set(value.subarray(offset, offset + length), at);
    else for (let i = 0; i < length; i++) bytes[at + i] = value[offset + i]!;
  }
  writeBackLength(bytes, from + body, body);
}

function writeInteger(bytes: Uint8Array, from: number, body: number): void {
  const low = valueLow;
  if (body === 1) bytes[from] = low;
  else if (body === 2) {
    bytes[from] = 0xc0 | ((low >>> 8) & 31);
    bytes[from + 1] = low & 255;
  } else {
    bytes[from] = body === 9 ? 0xf4 : 0xf1 + body - 3;
    for (let i = 1; i < body && i < 5; i++) bytes[from + i] = (low >>> ((i - 1) * 8)) & 255;
    if (body === 9) setBytes(bytes, from + 5, valueHigh >>> 0);
  }
}

/** Length of the body of the entry at `from` (absolute). */
export function bodyLength(bytes: Uint8Array, from: number): number {
  const first = bytes[from]!;
  if (first < 0x80) return 1;
  if (first < 0xc0) return 1 + (first & 63);
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 2 + (((first & 15) << 8) | bytes[from + 1]!);
  if (first === 0xf0) return 5 + readU32(bytes, from + 1);
  if (first === 0xf4) return 9;
  return first - 0xf1 + 3;
}

/** Bytes that the back length behind a body of this length takes. */
export function backLengthBytes(length: number): number {
  if (length < 128) return 1;
  if (length < 16_384) return 2;
  if (length < 2_097_152) return 3;
  return length < 268_435_456 ? 4 : 5;
}

/** Writes the back length behind a body of this length. */
export function writeBackLength(bytes: Uint8Array, from: number, length: number): void {
  const size = backLengthBytes(length);
  let rest = length;
  for (let i = size - 1; i >= 0; i--) {
    bytes[from + i] = (rest % 128) | (i > 0 ? 128 : 0);
    rest = Math.floor(rest / 128);
  }
}

function readU32(bytes: Uint8Array, from: number): number {
  return (
    (bytes[from]! |
      (bytes[from + 1]! << 8) |
      (bytes[from + 2]! << 16) |
      (bytes[from + 3]! << 24)) >>>
    0
  );
}

function setBytes(bytes: Uint8Array, from: number, value: number): void {
  bytes[from] = value & 255;
  bytes[from + 1] = (value >>> 8) & 255;
  bytes[from + 2] = (value >>> 16) & 255;
  bytes[from + 3] = (value >>> 24) & 255;
}

function addCount(bytes: Uint8Array, base: number, change: number): void {
  const count = bytes[base + 4]! | (bytes[base + 5]! << 8);
  if (count === COUNT_UNKNOWN) return;
  const next = Math.min(COUNT_UNKNOWN, count + change);
  bytes[base + 4] = next & 255;
  bytes[base + 5] = next >>> 8;
}
