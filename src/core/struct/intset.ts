/**
 * The intset: a sorted array of distinct integers, byte for byte Redis's.
 *
 *     [ width u32: 2, 4 or 8 ][ count u32 ][ integer ][ integer ] ...    all little endian, signed
 *
 * All integers have the width that the widest one ever added needed; it never narrows. An intset is
 * `bytes` from `base`. Integers come and go as two 32-bit words (low, high), since 64 bits do not
 * fit a number. A caller that adds looks for the integer first, asks for the size (`intsetGrown`),
 * makes room, and then lets `intsetAdd` shift the rest.
 *
 * What `intsetFind` saw last is in `intsetSlot`: the place of the integer, or where it would go.
 *
 * Source: intset.c of Redis, for the layout.
 */

/** Bytes before the first integer: the size of an empty intset. */
export const INTSET_HEAD_BYTES = 8;

/** Place that the last `intsetFind` found, and the words that the last `intsetGet` read. */
export const intsetSlot = { index: 0, low: 0, high: 0 };

/** Writes an empty intset. */
export function intsetInit(bytes: Uint8Array, base: number): void {
  writeWord(bytes, base, 2);
  writeWord(bytes, base + 4, 0);
}

/** Number of integers. */
export function intsetCount(bytes: Uint8Array, base: number): number {
  return readWord(bytes, base + 4) >>> 0;
}

/** Bytes of each integer. */
export function intsetWidth(bytes: Uint8Array, base: number): number {
  return readWord(bytes, base);
}

/** Bytes of the whole. */
export function intsetBytes(bytes: Uint8Array, base: number): number {
  return INTSET_HEAD_BYTES + intsetCount(bytes, base) * readWord(bytes, base);
}

/** Reads the integer in place `index` into `intsetSlot`. */
export function intsetGet(bytes: Uint8Array, base: number, index: number): void {
  intsetRead(bytes, base, readWord(bytes, base), index);
}

/** Whether the integer is there; `intsetSlot.index` is its place, or the one where it would go. */
export function intsetFind(bytes: Uint8Array, base: number, low: number, high: number): boolean {
  const width = readWord(bytes, base);
  const count = intsetCount(bytes, base);
  if (width !== 8) {
    if (high === low >> 31) return findShort(bytes, base, width, count, low);
    intsetSlot.index = high < 0 ? 0 : count;
    return false;
  }
  let first = 0;
  let last = count - 1;
  while (first <= last) {
    const middle = (first + last) >>> 1;
    intsetRead(bytes, base, width, middle);
    const order = intsetCompare(intsetSlot.low, intsetSlot.high, low, high);
    if (order === 0) {
      intsetSlot.index = middle;
      return true;
    }
    if (order < 0) first = middle + 1;
    else last = middle - 1;
  }
  intsetSlot.index = first;
  return false;
}

/** `intsetFind` among integers of 2 or 4 bytes. */
function findShort(
  bytes: Uint8Array,
  base: number,
  width: number,
  count: number,
  wanted: number,
): boolean {
  const start = base + INTSET_HEAD_BYTES;
  let first = 0;
  let last = count - 1;
  while (first <= last) {
    const middle = (first + last) >>> 1;
    const at = start + middle * width;
    const value =
      width === 2 ? ((bytes[at]! | (bytes[at + 1]! << 8)) << 16) >> 16 : readWord(bytes, at);
    if (value === wanted) {
      intsetSlot.index = middle;
      return true;
    }
    if (value < wanted) first = middle + 1;
    else last = middle - 1;
  }
  intsetSlot.index = first;
  return false;
}

/** Bytes of the whole once the integer, which is not there, has been added. */
export function intsetGrown(bytes: Uint8Array, base: number, low: number, high: number): number {
  const width = Math.max(readWord(bytes, base), widthOf(low, high));
  return INTSET_HEAD_BYTES + (intsetCount(bytes, base) + 1) * width;
}

/**
 * Adds the integer that the last `intsetFind`, of this intset, did not find. The room behind must
 * hold the growth.
 */
export function intsetAdd(bytes: Uint8Array, base: number, low: number, high: number): void {
  const width = widthOf(low, high);
  if (width > readWord(bytes, base)) {
    widen(bytes, base, width, low, high);
    return;
  }
  const { index } = intsetSlot;
  const kept = readWord(bytes, base);
  const count = intsetCount(bytes, base);
  const at = base + INTSET_HEAD_BYTES + index * kept;
  if (index < count) bytes.copyWithin(at + kept, at, base + INTSET_HEAD_BYTES + count * kept);
  writeAt(bytes, base, kept, index, low, high);
  writeWord(bytes, base + 4, count + 1);
}

/** Takes out the integer in place `index`. */
export function intsetRemoveAt(bytes: Uint8Array, base: number, index: number): void {
  const width = readWord(bytes, base);
  const count = intsetCount(bytes, base);
  const at = base + INTSET_HEAD_BYTES + index * width;
  bytes.copyWithin(at, at + width, base + INTSET_HEAD_BYTES + count * width);
  writeWord(bytes, base + 4, count - 1);
}

/**
 * Whether `length` bytes from `base` are an intset; with `deep`, also whether its integers rise.
 */
export function intsetValid(
  bytes: Uint8Array,
  base: number,
  length: number,
  deep: boolean,
): boolean {
  if (length < INTSET_HEAD_BYTES) return false;
  const width = readWord(bytes, base);
  if (width !== 2 && width !== 4 && width !== 8) return false;
  const count = intsetCount(bytes, base);
  if (count === 0 || INTSET_HEAD_BYTES + count * width !== length) return false;
  for (let i = 1; deep && i < count; i++) {
    intsetRead(bytes, base, width, i - 1);
    const { low, high } = intsetSlot;
    intsetRead(bytes, base, width, i);
    if (intsetCompare(low, high, intsetSlot.low, intsetSlot.high) >= 0) return false;
  }
  return true;
}

/** An integer wider than all others is less, or greater, than all of them: it goes to one end. */
function widen(bytes: Uint8Array, base: number, width: number, low: number, high: number): void {
  const old = readWord(bytes, base);
  const count = intsetCount(bytes, base);
  const shift = high < 0 ? 1 : 0;
  for (let i = count - 1; i >= 0; i--) {
    intsetRead(bytes, base, old, i);
    writeAt(bytes, base, width, i + shift, intsetSlot.low, intsetSlot.high);
  }
  writeAt(bytes, base, width, shift === 1 ? 0 : count, low, high);
  writeWord(bytes, base, width);
  writeWord(bytes, base + 4, count + 1);
}

function widthOf(low: number, high: number): number {
  if (high !== low >> 31) return 8;
  return low >= -32_768 && low <= 32_767 ? 2 : 4;
}

/** Compares two integers of two words each. Returns less than 0, 0 or more than 0. */
export function intsetCompare(aLow: number, aHigh: number, bLow: number, bHigh: number): number {
  if (aHigh !== bHigh) return aHigh < bHigh ? -1 : 1;
  if (aLow === bLow) return 0;
  return aLow >>> 0 < bLow >>> 0 ? -1 : 1;
}

/** Like `intsetGet`, where the head, with the width, is not at hand. */
export function intsetRead(bytes: Uint8Array, base: number, width: number, index: number): void {
  const at = base + INTSET_HEAD_BYTES + index * width;
  if (width === 2) intsetSlot.low = ((bytes[at]! | (bytes[at + 1]! << 8)) << 16) >> 16;
  else intsetSlot.low = readWord(bytes, at);
  intsetSlot.high = width === 8 ? readWord(bytes, at + 4) : intsetSlot.low >> 31;
}

function writeAt(
  bytes: Uint8Array,
  base: number,
  width: number,
  index: number,
  low: number,
  high: number,
): void {
  const at = base + INTSET_HEAD_BYTES + index * width;
  bytes[at] = low & 255;
  bytes[at + 1] = (low >>> 8) & 255;
  if (width === 2) return;
  bytes[at + 2] = (low >>> 16) & 255;
  bytes[at + 3] = low >>> 24;
  if (width === 8) writeWord(bytes, at + 4, high);
}

function readWord(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

function writeWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 255;
  bytes[at + 1] = (value >>> 8) & 255;
  bytes[at + 2] = (value >>> 16) & 255;
  bytes[at + 3] = value >>> 24;
}
