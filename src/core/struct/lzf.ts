/**
 * LZF: the small, fast compression of strings in an RDB file (format by Marc Lehmann, liblzf).
 *
 * A compressed stream is a row of two kinds of items, told apart by the first byte:
 *
 *   000LLLLL  <L + 1 bytes>             literal run of 1 to 32 bytes
 *   LLLooooo  oooooooo                  copy L + 2 bytes (L 1..6) from o + 1 bytes back
 *   111ooooo  llllllll  oooooooo        copy l + 9 bytes (9..264) from o + 1 bytes back
 *
 * The offset has 13 bits, so a copy reaches at most 8192 bytes back; it may overlap its own output
 * (a run of one byte is a copy from 1 back). Nothing in the stream says how long the result is:
 * RDB stores that beside it, and `lzfDecompress` demands it exactly.
 *
 * The compressor remembers, for each hash of three bytes, the last position that had it. The table
 * is shared and never cleared: it stores positions on a scale that grows from call to call, so an
 * entry of an earlier call lies below the start of this one and is ignored. Both functions allocate
 * nothing. Neither is reentrant with itself, which one thread cannot notice.
 */

const HASH_BITS = 14;
const HASH_SIZE = 1 << HASH_BITS;
const LITERAL_MAX = 32;
const OFFSET_MAX = 1 << 13;
const MATCH_MAX = 264;
const MATCH_MIN = 3;

/** Positions on the growing scale restart before they leave the signed 32-bit integers. */
const SCALE_LIMIT = 0x7fff_ffff;

const table = new Int32Array(HASH_SIZE);
let scaleNext = 1;

/** Hash of the three bytes at `at`, by multiplication (Knuth), top bits kept. */
function hash3(src: Uint8Array, at: number): number {
  const three = (src[at]! << 16) | (src[at + 1]! << 8) | src[at + 2]!;
  return Math.imul(three, 0x9e3779b1) >>> (32 - HASH_BITS);
}

/**
 * Compresses `src[srcOff .. srcOff + srcLen)` into `dst[dstOff .. dstOff + dstRoom)`.
 *
 * Returns the number of bytes written, or 0 when they do not fit in `dstRoom`: give a room smaller
 * than the input (Redis gives `srcLen - 4`) and 0 means "does not shrink, store it plain".
 * Inputs of up to 2^31 - 2 bytes.
 */
export function lzfCompress(
  src: Uint8Array,
  srcOff: number,
  srcLen: number,
  dst: Uint8Array,
  dstOff: number,
  dstRoom: number,
): number {
  if (srcLen < 4 || dstRoom < 4) return 0;
  const shift = beginScale(srcLen) - srcOff;
  const srcEnd = srcOff + srcLen;
  const hashEnd = srcEnd - 2;
  const outEnd = dstOff + dstRoom;
  let at = srcOff;
  let literalStart = srcOff;
  let out = dstOff;
  while (at < hashEnd) {
    const slot = hash3(src, at);
    const from = table[slot]! - shift;
    table[slot] = at + shift;
    if (
      from < srcOff ||
      at - from > OFFSET_MAX ||
      src[from] !== src[at] ||
      src[from + 1] !== src[at + 1] ||
      src[from + 2] !== src[at + 2]
    ) {
      at++;
      continue;
    }
    out = putLiterals(src, literalStart, at, dst, out, outEnd);
    if (out < 0 || out + 3 > outEnd) return 0;
    const len = matchLength(src, from, at, srcEnd);
    out = putCopy(dst, out, at - from - 1, len);
    // The positions inside the copy are remembered at its end only: enough for text, and quick.
    at += len;
    literalStart = at;
    if (at < hashEnd) {
      table[hash3(src, at - 1)] = at - 1 + shift;
      table[hash3(src, at - 2)] = at - 2 + shift;
    }
  }
  out = putLiterals(src, literalStart, srcEnd, dst, out, outEnd);
  return out < 0 ? 0 : out - dstOff;
}

/** Reserves `len` positions of the scale and returns the first. */
function beginScale(len: number): number {
  if (scaleNext > SCALE_LIMIT - len) {
    table.fill(0);
    scaleNext = 1;
  }
  const start = scaleNext;
  scaleNext += len;
  return start;
}

/** Length of the match of `at` with `from`, at least 3 (already compared), at most MATCH_MAX. */
function matchLength(src: Uint8Array, from: number, at: number, srcEnd: number): number {
  const max = Math.min(MATCH_MAX, srcEnd - at);
  let len = MATCH_MIN;
  while (len < max && src[from + len] === src[at + len]) len++;
  return len;
}

/** Returns the new end of output, or -1 when it does not fit. */
function putLiterals(
  src: Uint8Array,
  start: number,
  end: number,
  dst: Uint8Array,
  out: number,
  outEnd: number,
): number {
  let at = start;
  while (at < end) {
    const run = Math.min(LITERAL_MAX, end - at);
    if (out + 1 + run > outEnd) return -1;
    dst[out++] = run - 1;
    const runEnd = at + run;
    while (at < runEnd) dst[out++] = src[at++]!;
  }
  return out;
}

function putCopy(dst: Uint8Array, out: number, offset: number, len: number): number {
  const code = len - 2;
  if (code < 7) {
    dst[out++] = (code << 5) | (offset >>> 8);
  } else {
    dst[out++] = (7 << 5) | (offset >>> 8);
    dst[out++] = code - 7;
  }
  dst[out++] = offset & 0xff;
  return out;
}

/**
 * Decompresses `src[srcOff .. srcOff + srcLen)` into `dst[dstOff .. dstOff + dstLen)`.
 *
 * Returns true when the stream is sound and gives exactly `dstLen` bytes. Returns false, having
 * touched nothing outside that range, when the stream ends early, points before its own output,
 * or gives more or fewer bytes.
 */
export function lzfDecompress(
  src: Uint8Array,
  srcOff: number,
  srcLen: number,
  dst: Uint8Array,
  dstOff: number,
  dstLen: number,
): boolean {
  const end = srcOff + srcLen;
  const outEnd = dstOff + dstLen;
  if (end > src.length || outEnd > dst.length) return false;
  let at = srcOff;
  let out = dstOff;
  while (at < end) {
    const control = src[at++]!;
    if (control < LITERAL_MAX) {
      const runEnd = at + control + 1;
      if (runEnd > end || out + control + 1 > outEnd) return false;
      while (at < runEnd) dst[out++] = src[at++]!;
      continue;
    }
    let len = (control >>> 5) + 2;
    if (len === 9) {
      if (at >= end) return false;
      len += src[at++]!;
    }
    if (at >= end) return false;
    let from = out - ((control & 0x1f) << 8) - src[at++]! - 1;
    if (from < dstOff || out + len > outEnd) return false;
    const copyEnd = out + len;
    while (out < copyEnd) dst[out++] = dst[from++]!;
  }
  return out === outEnd;
}
