/**
 * The longest common subsequence of two byte strings, with the ranges that LCS IDX reports.
 *
 * The table has (aLen + 1) x (bLen + 1) lengths: cell (i, j) is the length for the first i bytes of
 * `a` and the first j of `b`.
 *
 *     cell(i, j) = cell(i-1, j-1) + 1                    when a[i-1] = b[j-1]
 *                = max(cell(i-1, j), cell(i, j-1))       otherwise
 *
 * From one cell of a row to the next it grows by one or not at all, so a row is kept as one bit a
 * cell, 32 to a word, which is 1 where it does not grow. A sum carries what a whole word of cells
 * would hand on to each other (Crochemore, Iliopoulos, Pinzon and Reid, "A fast and practical
 * bit-vector algorithm for the longest common subsequence problem", 2001):
 *
 *     row    cells of the row above           match   cells whose byte of `b` is a[i-1]
 *     next = (row + (row & match)) | (row & ~match)
 *
 * Reading it back from the last cell gives the bytes from the end to the beginning, so ranges come
 * last first. Where both neighbours are equal the walk drops a byte of `b`: of several equally long
 * subsequences this choice decides which one clients see. The lengths themselves are not needed for
 * that: where the bytes differ, cell (i-1, j) is the larger one just when row i grows at j. Matches
 * that touch in both strings form one range.
 *
 * Limits: a bit a cell. Callers refuse what `lcsRefusal` refuses before they compute, as if a cell
 * took four bytes.
 */
import { popcountWord } from '../bits/bit-count.ts';

/** One common range: the same `length` bytes from `a[aStart]` and from `b[bStart]`. */
export type LcsRange = {
  readonly aStart: number;
  readonly bStart: number;
  readonly length: number;
};

export type Lcs = {
  /** The subsequence itself. */
  readonly text: Uint8Array;
  /** The ranges of at least the asked length, from the end of the strings to their beginning. */
  readonly ranges: readonly LcsRange[];
};

const STRING_MAX = 0xffff_fffe;

/**
 * The error message for strings of these lengths, or undefined when they may be compared.
 * `bulkLengthMax` is the configuration `proto-max-bulk-len`, in bytes.
 */
export function lcsRefusal(aLen: number, bLen: number, bulkLengthMax: number): string | undefined {
  if (aLen >= STRING_MAX || bLen >= STRING_MAX) return 'ERR String too long for LCS';
  if ((aLen + 1) * (bLen + 1) * 4 > bulkLengthMax) {
    return 'ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len';
  }
  return undefined;
}

/** Which row of the matches is a byte's; 0, which has none, of those that are not in `a`. */
const rowOf = new Uint16Array(256);

/** The length of the longest common subsequence of `a[aOff, aLen]` and `b[bOff, bLen]`. */
export function lcsLength(
  a: Uint8Array,
  aOff: number,
  aLen: number,
  b: Uint8Array,
  bOff: number,
  bLen: number,
): number {
  const width = wordsOf(bLen);
  const matches = matchesOf(a, aOff, aLen, b, bOff, bLen);
  const row = new Int32Array(width).fill(-1);
  for (let i = 0; i < aLen; i++) fillRow(row, 0, 0, width, matches, rowOf[a[aOff + i]!]! * width);
  return growths(row, 0, width);
}

/**
 * The subsequence of `a[aOff, aLen]` and `b[bOff, bLen]`, and its ranges of `rangeLengthMin` bytes
 * and more (0 for all). Throws RangeError when the table cannot be allocated; Redis then answers
 * `ERR Insufficient memory, failed allocating transient memory for LCS`.
 */
export function lcs(
  a: Uint8Array,
  aOff: number,
  aLen: number,
  b: Uint8Array,
  bOff: number,
  bLen: number,
  rangeLengthMin: number,
): Lcs {
  const width = wordsOf(bLen);
  const table = fillTable(a, aOff, aLen, b, bOff, bLen);
  const text = new Uint8Array(growths(table, aLen * width, width));
  const ranges: LcsRange[] = [];
  let at = text.length;
  let i = aLen;
  let j = bLen;
  let length = 0;
  while (i > 0 && j > 0) {
    if (a[aOff + i - 1] === b[bOff + j - 1]) {
      i--;
      j--;
      text[--at] = a[aOff + i]!;
      length++;
      if (i > 0 && j > 0) continue;
    }
    if (length > 0 && length >= rangeLengthMin) ranges.push({ aStart: i, bStart: j, length });
    length = 0;
    if (i === 0 || j === 0) break;
    const isSame = (table[i * width + ((j - 1) >>> 5)]! >>> ((j - 1) & 31)) & 1;
    if (isSame === 0) i--;
    else j--;
  }
  return { text, ranges };
}

/** How many words the cells of a row take. */
function wordsOf(bLen: number): number {
  return Math.ceil(bLen / 32);
}

/** A row for each different byte of `a`, at the place in `rowOf`: at which cells `b` has it. */
function matchesOf(
  a: Uint8Array,
  aOff: number,
  aLen: number,
  b: Uint8Array,
  bOff: number,
  bLen: number,
): Int32Array {
  rowOf.fill(0);
  let rows = 1;
  for (let i = aOff; i < aOff + aLen; i++) if (rowOf[a[i]!] === 0) rowOf[a[i]!] = rows++;
  const width = wordsOf(bLen);
  const matches = new Int32Array(rows * width);
  for (let j = 0; j < bLen; j++) {
    const row = rowOf[b[bOff + j]!]!;
    if (row !== 0) matches[row * width + (j >>> 5)]! |= 1 << (j & 31);
  }
  return matches;
}

function fillTable(
  a: Uint8Array,
  aOff: number,
  aLen: number,
  b: Uint8Array,
  bOff: number,
  bLen: number,
): Int32Array {
  const width = wordsOf(bLen);
  const matches = matchesOf(a, aOff, aLen, b, bOff, bLen);
  const table = new Int32Array((aLen + 1) * width);
  table.fill(-1, 0, width);
  for (let i = 0; i < aLen; i++) {
    fillRow(table, i * width, (i + 1) * width, width, matches, rowOf[a[aOff + i]!]! * width);
  }
  return table;
}

/** Fills the row at `to` from the one above, at `from`, and the matches at `match`. */
function fillRow(
  table: Int32Array,
  from: number,
  to: number,
  width: number,
  matches: Int32Array,
  match: number,
): void {
  let carry = 0;
  for (let k = 0; k < width; k++) {
    const above = table[from + k]!;
    const both = above & matches[match + k]!;
    const sum = (above + both + carry) | 0;
    // What was added is part of `above`: a bit is carried out where both have it, or is lost.
    carry = (both | (above & ~sum)) >>> 31;
    table[to + k] = sum | (above ^ both);
  }
}

/** How often the cells of a row grow, which is the length in its last cell. */
function growths(table: Int32Array, from: number, width: number): number {
  let count = 0;
  for (let k = from; k < from + width; k++) count += popcountWord(~table[k]!);
  return count;
}
