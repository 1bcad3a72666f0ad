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
 * The compressor chooses exactly as Redis's does, so that DUMP gives the same bytes: the same hash,
 * no match with the very first byte, and the rule for the last bytes of the input.
 *
 * It remembers, for each hash of three bytes, the last position that had it. The table
 * is shared and never cleared: it stores positions on a scale that grows from call to call, so an
 * entry of an earlier call lies below the start of this one and is ignored. Both functions allocate
 * nothing. Neither is reentrant with itself, which one thread cannot notice.
 */
import { fitStage } from './block-stage.ts';
import { packBlock, unpackBlock } from './lzf-machine.ts';

const HASH_BITS = 16;
const HASH_SIZE = 1 << HASH_BITS;
const LITERAL_MAX = 32;
/** How far back a copy can reach, in bytes. */
export const LZF_REACH_BYTES = 1 << 13;
const MATCH_MAX = 264;

/** Copies of so many bytes that do not overlap their source are left to the engine. */
const BLOCK_COPY_MIN = 64;

/** Positions on the growing scale restart before they leave the signed 32-bit integers. */
const SCALE_LIMIT = 0x7fff_ffff;

const table = new Int32Array(HASH_SIZE);
let scaleNext = 1;

/** Slot of the three bytes at `at`. */
function hash3(src: Uint8Array, at: number): number {
  const three = (src[at]! << 16) | (src[at + 1]! << 8) | src[at + 2]!;
  return ((three >>> 8) - three * 5) & (HASH_SIZE - 1);
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
  if (srcLen === 0 || dstRoom === 0) return 0;
  if (fitStage(srcLen, dstRoom)) {
    return packBlock(src, srcOff, srcLen, dst, dstOff, dstRoom);
  }
  const shift = beginScale(srcLen) - srcOff;
  const srcEnd = srcOff + srcLen;
  const hashEnd = srcEnd - 2;
  const outEnd = dstOff + dstRoom;
  let at = srcOff;
  // A literal run is open: its length byte stands at out - literals - 1, and is written at its end.
  let literals = 0;
  let out = dstOff + 1;
  while (at < hashEnd) {
    const slot = hash3(src, at);
    const from = table[slot]! - shift;
    table[slot] = at + shift;
    if (!isMatch(src, from, at, srcOff)) {
      if (out >= outEnd) return 0;
      dst[out++] = src[at++]!;
      if (++literals === LITERAL_MAX) {
        dst[out - literals - 1] = literals - 1;
        literals = 0;
        out++;
      }
      continue;
    }
    if (out - (literals === 0 ? 1 : 0) + 4 >= outEnd) return 0;
    if (literals === 0) out--;
    else dst[out - literals - 1] = literals - 1;
    const len = matchLength(src, from, at, srcEnd);
    out = putCopy(dst, out, at - from - 1, len) + 1;
    literals = 0;
    at += len;
    if (at >= hashEnd) break;
    // The positions inside the copy are remembered at its end only: enough for text, and quick.
    table[hash3(src, at - 2)] = at - 2 + shift;
    table[hash3(src, at - 1)] = at - 1 + shift;
  }
  if (out + 3 > outEnd) return 0;
  while (at < srcEnd) {
    dst[out++] = src[at++]!;
    if (++literals === LITERAL_MAX) {
      dst[out - literals - 1] = literals - 1;
      literals = 0;
      out++;
    }
  }
  if (literals === 0) out--;
  else dst[out - literals - 1] = literals - 1;
  return out - dstOff;
}

function isMatch(src: Uint8Array, from: number, at: number, srcOff: number): boolean {
  return (
    from > srcOff &&
    at - from <= LZF_REACH_BYTES &&
    src[from + 2] === src[at + 2] &&
    src[from] === src[at] &&
    src[from + 1] === src[at + 1]
  );
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

/**
 * Length of the match of `at` with `from`, of which three bytes are compared already. It stops two
 * bytes before the end, except where sixteen further bytes agree near it.
 */
function matchLength(src: Uint8Array, from: number, at: number, srcEnd: number): number {
  const max = Math.min(MATCH_MAX, srcEnd - at - 2);
  let len = 2;
  if (max > 16) {
    for (const unchecked = 18; len < unchecked; ) {
      len++;
      if (src[from + len] !== src[at + len]) return len;
    }
  }
  do len++;
  while (len < max && src[from + len] === src[at + len]);
  return len;
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
  if (fitStage(dstLen, srcLen)) {
    return unpackBlock(src, srcOff, srcLen, dst, dstOff, dstLen);
  }
  if (!lzfDecompressPart(src, srcOff, end, true, dst, dstOff, dstOff, outEnd)) return false;
  return lzfAt.dst === outEnd;
}

/** Where the last `lzfDecompressPart` has come to, in the source and in the result. */
export const lzfAt = { src: 0, dst: 0 };

/** The longest item, a full literal run: with so many bytes at hand no item is cut off. */
const ITEM_BYTES_MAX = 1 + LITERAL_MAX;

/**
 * Decompresses as many items as lie whole in `src[srcOff .. srcEnd)`, which is a part of a stream,
 * the last one if `isLast`. The result goes on at `dst[dstAt]`; it began at `dstOff` and must not
 * pass `dstEnd`. False when the stream is damaged; else `lzfAt` says where to go on.
 */
export function lzfDecompressPart(
  src: Uint8Array,
  srcOff: number,
  srcEnd: number,
  isLast: boolean,
  dst: Uint8Array,
  dstOff: number,
  dstAt: number,
  dstEnd: number,
): boolean {
  const stop = isLast ? srcEnd : srcEnd - ITEM_BYTES_MAX;
  let at = srcOff;
  let out = dstAt;
  while (at < stop) {
    const control = src[at++]!;
    if (control < LITERAL_MAX) {
      const runEnd = at + control + 1;
      if (runEnd > srcEnd || out + control + 1 > dstEnd) return false;
      do dst[out++] = src[at++]!;
      while (at < runEnd);
      continue;
    }
    let len = (control >>> 5) + 2;
    if (len === 9) {
      if (at >= srcEnd) return false;
      len += src[at++]!;
    }
    if (at >= srcEnd) return false;
    let from = out - ((control & 0x1f) << 8) - src[at++]! - 1;
    const copyEnd = out + len;
    if (from < dstOff || copyEnd > dstEnd) return false;
    if (len >= BLOCK_COPY_MIN && out - from >= len) {
      dst.copyWithin(out, from, from + len);
      out = copyEnd;
      continue;
    }
    // Four at a time (measured with the line above: 0.6 GB/s instead of 0.47), still one after the
    // other, since the copy may overlap its source.
    for (const end = copyEnd - 3; out < end; out += 4, from += 4) {
      dst[out] = dst[from]!;
      dst[out + 1] = dst[from + 1]!;
      dst[out + 2] = dst[from + 2]!;
      dst[out + 3] = dst[from + 3]!;
    }
    while (out < copyEnd) dst[out++] = dst[from++]!;
  }
  lzfAt.src = at;
  lzfAt.dst = out;
  return true;
}
