/**
 * How much goes into one node of a list, by `list-max-listpack-size` ("fill"):
 *
 *     -1 to -5     4, 8, 16, 32 or 64 KiB of listpack; anything lower is -5
 *     1 or more    so many elements, in at most 8 KiB; more than 32,767 is 32,767; 0 is 1
 */

const FILL_MAX = 32_767;
const FILL_MIN = -5;
const FIRST_LEVEL_BYTES = 4096;
/** A node that is limited by its elements takes at most these bytes all the same. */
const SAFE_BYTES_MAX = 8192;

/**
 * From this size on an element has a node of its own, unless DEBUG QUICKLIST-PACKED-THRESHOLD says
 * otherwise.
 */
export const PACKED_THRESHOLD = 1 << 30;

/** The directive's value as a list keeps it. */
export function clampFill(size: number): number {
  return Math.max(FILL_MIN, Math.min(FILL_MAX, size));
}

/** Bytes of a node for a fill below 0. */
function fillBytes(fill: number): number {
  return FIRST_LEVEL_BYTES << (-clampFill(fill) - 1);
}

/** Bytes that a node may come to take: what to make room for at most. */
export function nodeBytesMax(fill: number): number {
  return fill < 0 ? fillBytes(fill) : SAFE_BYTES_MAX;
}

/** Elements that a node may come to hold. */
export function nodeCountMax(fill: number): number {
  return fill < 0 ? Number.MAX_SAFE_INTEGER : Math.max(1, fill);
}

/** Whether a node of `bytes` bytes and `count` elements is too large for `fill`. */
export function exceedsFill(fill: number, bytes: number, count: number): boolean {
  return bytes > nodeBytesMax(fill) || count > nodeCountMax(fill);
}

/**
 * Whether a quicklist of one node is small enough to be a listpack; half the limit when it shrinks.
 */
export function fitsListpack(
  fill: number,
  bytes: number,
  count: number,
  shrinking: boolean,
): boolean {
  const share = shrinking ? 2 : 1;
  if (fill < 0) return bytes <= fillBytes(fill) / share;
  return count <= Math.floor(Math.max(1, fill) / share);
}
