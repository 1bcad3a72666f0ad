/**
 * The longest common subsequence of two byte strings, with the ranges that LCS IDX reports.
 *
 * The table has (aLen + 1) x (bLen + 1) lengths: cell (i, j) is the length for the first i bytes of
 * `a` and the first j of `b`.
 *
 *     cell(i, j) = cell(i-1, j-1) + 1                    when a[i-1] = b[j-1]
 *                = max(cell(i-1, j), cell(i, j-1))       otherwise
 *
 * Reading it back from the last cell gives the bytes from the end to the beginning, so ranges come
 * last first. Where both neighbours are equal the walk drops a byte of `b`: of several equally long
 * subsequences this choice decides which one clients see. Matches that touch in both strings form
 * one range.
 *
 * Limits: four bytes a cell. Callers refuse what `lcsRefusal` refuses before they compute.
 */

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

/** The length of the longest common subsequence of `a[aOff, aLen]` and `b[bOff, bLen]`. */
export function lcsLength(
  a: Uint8Array,
  aOff: number,
  aLen: number,
  b: Uint8Array,
  bOff: number,
  bLen: number,
): number {
  // One row of the table at a time; `diagonal` is the cell up and to the left.
  const row = new Uint32Array(bLen + 1);
  for (let i = 0; i < aLen; i++) {
    const byte = a[aOff + i]!;
    let diagonal = 0;
    let left = 0;
    for (let j = 1; j <= bLen; j++) {
      const above = row[j]!;
      if (b[bOff + j - 1] === byte) left = diagonal + 1;
      else if (above > left) left = above;
      row[j] = left;
      diagonal = above;
    }
  }
  return row[bLen]!;
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
  const width = bLen + 1;
  const table = fillTable(a, aOff, aLen, b, bOff, bLen);
  const text = new Uint8Array(table[aLen * width + bLen]!);
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
    if (table[(i - 1) * width + j]! > table[i * width + j - 1]!) i--;
    else j--;
  }
  return { text, ranges };
}

function fillTable(
  a: Uint8Array,
  aOff: number,
  aLen: number,
  b: Uint8Array,
  bOff: number,
  bLen: number,
): Uint32Array {
  const width = bLen + 1;
  const table = new Uint32Array((aLen + 1) * width);
  for (let i = 1; i <= aLen; i++) {
    const byte = a[aOff + i - 1]!;
    const above = (i - 1) * width;
    const here = i * width;
    let left = 0;
    for (let j = 1; j <= bLen; j++) {
      if (b[bOff + j - 1] === byte) left = table[above + j - 1]! + 1;
      else left = Math.max(left, table[above + j]!);
      table[here + j] = left;
    }
  }
  return table;
}
