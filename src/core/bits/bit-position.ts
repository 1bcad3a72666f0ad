/**
 * Finding the first bit of a kind: BITPOS.
 *
 * Bits are numbered from the top of each byte. Bytes of nothing but the other bit (0x00 when a one
 * is sought, 0xff when a zero is) are skipped, in words of 64 bits where there are many.
 *
 * A value counts as followed by zeros without end, but only for a caller that named no end: the
 * first zero of 0xff 0xff is bit 16, whereas with an end given there is none.
 */
import { BLOCK_BYTES, blockA, skipBlock } from './kernel.ts';

/** From this many bytes on the kernel was the faster way. */
const KERNEL_BYTES = 512;

/**
 * BITPOS of the value `buf[off, len]`: the position of the first `bit` (0 or 1) from `start` to
 * `end`, both included, in bytes or in bits, negative ones counted from the end; -1 when there is
 * none. Without an end given, pass -1 and false.
 */
export function bitPosition(
  buf: Uint8Array,
  off: number,
  len: number,
  bit: number,
  start: number,
  end: number,
  endGiven: boolean,
  inBits: boolean,
): number {
  const total = inBits ? len * 8 : len;
  const unit = inBits ? 1 : 8;
  const from = start < 0 ? Math.max(total + start, 0) : start;
  const to = Math.min(end < 0 ? Math.max(total + end, 0) : end, total - 1);
  if (from > to) return -1;
  const found = firstBit(buf, off, from * unit, (to + 1) * unit, bit);
  return found < 0 && bit === 0 && !endGiven ? len * 8 : found;
}

/** The first `bit` among the bits `startBit` to `endBit` - 1 (at least one), or -1. */
function firstBit(
  buf: Uint8Array,
  off: number,
  startBit: number,
  endBit: number,
  bit: number,
): number {
  // With `flip`, a byte without the sought bit is 0 in both cases.
  const flip = bit === 1 ? 0 : 0xff;
  const endByte = Math.ceil(endBit / 8);
  let at = Math.floor(startBit / 8);
  let byte = (buf[off + at]! ^ flip) & (0xff >> (startBit % 8));
  if (byte === 0) {
    at = skipBytes(buf, off, at + 1, endByte, flip);
    if (at === endByte) return -1;
    byte = buf[off + at]! ^ flip;
  }
  const position = at * 8 + Math.clz32(byte) - 24;
  return position < endBit ? position : -1;
}

/** The first byte from `at` to `end` - 1 that is not `filler`; `end` when there is none. */
function skipBytes(buf: Uint8Array, off: number, at: number, end: number, filler: number): number {
  while (end - at >= KERNEL_BYTES) {
    const length = Math.min(end - at, BLOCK_BYTES);
    blockA.set(buf.subarray(off + at, off + at + length));
    const skipped = Math.min(skipBlock(length, filler === 0 ? 0 : -1), length);
    at += skipped;
    if (skipped < length) break;
  }
  while (at < end && buf[off + at] === filler) at++;
  return at;
}
