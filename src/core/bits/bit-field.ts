/**
 * BITFIELD: integers of any width at any bit of a value.
 *
 * Signed integers have 1 to 64 bits, unsigned ones 1 to 63. Bits are numbered from the top of each
 * byte, and an integer's own first bit is its highest:
 *
 *     bit      0       8       16           u10 at 4 = (byte 0's low half, byte 1's top 6 bits)
 *     bytes    ....hhhh llllll.. ........
 *
 * Up to 53 bits values are numbers; wider ones are BigInt, and so are all results of wider fields.
 * What is read behind the end of the value is zero; before a write the caller makes the value at
 * least `fieldEnd` bytes long.
 *
 * Overflow, when a sum or a value to set does not fit:
 *
 *     wrap   the low bits are kept
 *     sat    the nearest limit is taken
 *     fail   nothing is written, and the result is undefined
 *
 * Two corners of Redis are kept. Setting a negative number in an unsigned field overflows upwards:
 * `sat` gives the highest value. And so does setting a signed field to a value so low that its
 * distance to the field's highest value passes 2^63 - 1.
 */

export type FieldOverflow = 'wrap' | 'sat' | 'fail';

/** Widest field whose values are numbers. */
const NUMBER_BITS = 53;
/** Sums of two numbers within this are exact. */
const ADDEND_MAX = 2 ** 52;

/** How many bytes a value needs to hold the field. */
export function fieldEnd(bitOffset: number, bits: number): number {
  return Math.ceil((bitOffset + bits) / 8);
}

/** BITFIELD GET: the field of the value `buf[off, len]`. A number up to 53 bits, else a BigInt. */
export function fieldGet(
  buf: Uint8Array,
  off: number,
  len: number,
  bitOffset: number,
  bits: number,
  signed: boolean,
): number | bigint {
  if (bits <= NUMBER_BITS) {
    const value = readBits(buf, off, len, bitOffset, bits);
    return signed && value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
  }
  const high = readBits(buf, off, len, bitOffset, bits - 32);
  const low = readBits(buf, off, len, bitOffset + bits - 32, 32);
  const value = (BigInt(high) << 32n) | BigInt(low);
  return signed ? BigInt.asIntN(bits, value) : value;
}

/**
 * BITFIELD SET: writes `value` (any int64) and gives the field's old value; undefined when it
 * failed. The value must be `fieldEnd` bytes long.
 */
export function fieldSet(
  buf: Uint8Array,
  off: number,
  bitOffset: number,
  bits: number,
  signed: boolean,
  value: number | bigint,
  overflow: FieldOverflow,
): number | bigint | undefined {
  const old = fieldGet(buf, off, fieldEnd(bitOffset, bits), bitOffset, bits, signed);
  const fitted = fitField(value, 0, bits, signed, overflow);
  if (fitted === undefined) return undefined;
  writeField(buf, off, bitOffset, bits, fitted);
  return old;
}

/**
 * BITFIELD INCRBY: adds `increment` (any int64) and gives the field's new value; undefined when it
 * failed. The value must be `fieldEnd` bytes long.
 */
export function fieldIncrBy(
  buf: Uint8Array,
  off: number,
  bitOffset: number,
  bits: number,
  signed: boolean,
  increment: number | bigint,
  overflow: FieldOverflow,
): number | bigint | undefined {
  const old = fieldGet(buf, off, fieldEnd(bitOffset, bits), bitOffset, bits, signed);
  const fitted = fitField(old, increment, bits, signed, overflow);
  if (fitted !== undefined) writeField(buf, off, bitOffset, bits, fitted);
  return fitted;
}

/** `bits` bits (at most 53) as an unsigned number. */
function readBits(
  buf: Uint8Array,
  off: number,
  len: number,
  bitOffset: number,
  bits: number,
): number {
  let at = Math.floor(bitOffset / 8);
  let inByte = 8 - (bitOffset % 8);
  let value = 0;
  while (bits > 0) {
    const take = Math.min(bits, inByte);
    const byte = at < len ? buf[off + at]! : 0;
    value = value * (1 << take) + ((byte >> (inByte - take)) & ((1 << take) - 1));
    bits -= take;
    inByte = 8;
    at++;
  }
  return value;
}

/** Writes the low `bits` bits of `value`, at most 53 of them, from the last byte to the first. */
function writeBits(
  buf: Uint8Array,
  off: number,
  bitOffset: number,
  bits: number,
  value: number,
): void {
  let endBit = bitOffset + bits;
  while (bits > 0) {
    const at = off + Math.ceil(endBit / 8) - 1;
    const below = (8 - (endBit % 8)) % 8;
    const take = Math.min(bits, 8 - below);
    const mask = (1 << take) - 1;
    const rest = Math.floor(value / (1 << take));
    const part = value - rest * (1 << take);
    buf[at] = (buf[at]! & ~(mask << below)) | (part << below);
    value = rest;
    bits -= take;
    endBit -= take;
  }
}

function writeField(
  buf: Uint8Array,
  off: number,
  bitOffset: number,
  bits: number,
  value: number | bigint,
): void {
  if (typeof value === 'number') {
    writeBits(buf, off, bitOffset, bits, value < 0 ? value + 2 ** bits : value);
    return;
  }
  const low = Number(BigInt.asUintN(32, value));
  const high = Number(BigInt.asUintN(bits - 32, value >> 32n));
  writeBits(buf, off, bitOffset, bits - 32, high);
  writeBits(buf, off, bitOffset + bits - 32, 32, low);
}

/** value + increment, made to fit the field; a number up to 53 bits, else a BigInt. */
function fitField(
  value: number | bigint,
  increment: number | bigint,
  bits: number,
  signed: boolean,
  overflow: FieldOverflow,
): number | bigint | undefined {
  if (
    bits < NUMBER_BITS &&
    typeof value === 'number' &&
    typeof increment === 'number' &&
    Math.abs(value) <= ADDEND_MAX &&
    Math.abs(increment) <= ADDEND_MAX
  ) {
    return fitNumber(value, increment, bits, signed, overflow);
  }
  const fitted = signed
    ? fitSigned(BigInt(value), BigInt(increment), bits, overflow)
    : fitUnsigned(BigInt(value), BigInt(increment), bits, overflow);
  return fitted !== undefined && bits <= NUMBER_BITS ? Number(fitted) : fitted;
}

function fitNumber(
  value: number,
  increment: number,
  bits: number,
  signed: boolean,
  overflow: FieldOverflow,
): number | undefined {
  const span = 2 ** bits;
  const max = signed ? span / 2 - 1 : span - 1;
  const min = signed ? -span / 2 : 0;
  const sum = value + increment;
  if (sum >= min && sum <= max) return sum;
  if (overflow === 'fail') return undefined;
  if (overflow === 'sat') return sum > max || (!signed && value < 0) ? max : min;
  const wrapped = sum - Math.floor(sum / span) * span;
  return wrapped > max ? wrapped - span : wrapped;
}

function fitUnsigned(
  value: bigint,
  increment: bigint,
  bits: number,
  overflow: FieldOverflow,
): bigint | undefined {
  const max = (1n << BigInt(bits)) - 1n;
  const start = BigInt.asUintN(64, value);
  const isOver = start > max || start + increment > max;
  if (!isOver && start + increment >= 0n) return start + increment;
  if (overflow === 'fail') return undefined;
  if (overflow === 'sat') return isOver ? max : 0n;
  return BigInt.asUintN(bits, start + increment);
}

function fitSigned(
  value: bigint,
  increment: bigint,
  bits: number,
  overflow: FieldOverflow,
): bigint | undefined {
  const max = (1n << BigInt(bits - 1)) - 1n;
  const min = -max - 1n;
  // The distance is an int64 in Redis: it turns negative for the lowest values.
  const isFar = bits !== 64 && increment > BigInt.asIntN(64, max - value);
  const isOver = value > max || isFar || value + increment > max;
  if (!isOver && value >= min && value + increment >= min) return value + increment;
  if (overflow === 'fail') return undefined;
  if (overflow === 'sat') return isOver ? max : min;
  return BigInt.asIntN(bits, value + increment);
}
