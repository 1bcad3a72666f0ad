/**
 * The sparse form of a HyperLogLog: its 16,384 registers as runs, one opcode each.
 *
 *     00xxxxxx            ZERO    x + 1 registers (1 to 64) are 0
 *     01xxxxxx yyyyyyyy   XZERO   xy + 1 registers (1 to 16,384) are 0
 *     1vvvvvxx            VAL     x + 1 registers (1 to 4) are v + 1 (1 to 32)
 *
 *     Z:9000 v:3,1 z:12 v:1,2 Z:7369     a value as PFDEBUG DECODE prints it
 *
 * The runs together are exactly 16,384 registers; whatever is not is corrupt. How a run is cut when
 * a register within it changes, and which neighbours are joined afterwards, follow Redis, so that
 * the same additions make the same bytes.
 *
 * Values come from clients too (SET, RESTORE): nothing here reads or writes outside the bytes that
 * it was given, however wrong they are. No register within half an XZERO, at the very end, changes.
 */

/** Registers of a HyperLogLog. */
export const HLL_REGISTERS = 16_384;
/** Bytes before the registers. */
export const HLL_HEAD_BYTES = 16;
/** How much longer one change can make a value. */
export const SPARSE_GROWTH_MAX = 3;

const XZERO = 0x40;
const VAL = 0x80;
const ZERO_RUN_MAX = 64;
const VALUE_MAX = 32;
const VALUE_RUN_MAX = 4;
/** Opcodes behind a change that may be joined. */
const JOINED_MAX = 5;

export const SPARSE_SAME = 0;
export const SPARSE_EDIT = 1;
export const SPARSE_CORRUPT = 2;
/** The value can only be kept by a dense HyperLogLog. */
export const SPARSE_FULL = 3;

/** A change that `sparsePlan` found: opcodes at `at` to be replaced by those in `bytes`. */
class SparseEdit {
  at = 0;
  oldLength = 0;
  readonly bytes = new Uint8Array(5);
  length = 0;
  /** Where joining begins: the opcode before the change. */
  joinFrom = 0;
}

export const sparseEdit = new SparseEdit();

/** One opcode, decoded. `end` is where the value ends. */
class SparseRun {
  /** Registers. */
  span = 0;
  /** What each of them holds. */
  value = 0;
  /** Bytes of the opcode. */
  length = 1;

  read(bytes: Uint8Array, at: number, end: number): void {
    const first = bytes[at]!;
    this.length = 1;
    this.value = 0;
    if (first >= VAL) {
      this.span = (first & 3) + 1;
      this.value = ((first >> 2) & 31) + 1;
    } else if (first >= XZERO) {
      // The last byte of a corrupt value reads on as if a zero followed.
      const second = at + 1 < end ? bytes[at + 1]! : 0;
      this.span = (((first & 63) << 8) | second) + 1;
      this.length = 2;
    } else this.span = first + 1;
  }
}

const run = new SparseRun();

/** Writes the opcode of a HyperLogLog that counted nothing; returns how many bytes that takes. */
export function sparseInit(bytes: Uint8Array, at: number): number {
  bytes[at] = XZERO | ((HLL_REGISTERS - 1) >> 8);
  bytes[at + 1] = (HLL_REGISTERS - 1) & 255;
  return 2;
}

/** Whether a register holds at least `count`; false as well when the value is corrupt there. */
export function sparseHolds(
  bytes: Uint8Array,
  base: number,
  length: number,
  register: number,
  count: number,
): boolean {
  const end = base + length;
  let at = base + HLL_HEAD_BYTES;
  for (let left = register; at < end; ) {
    const first = bytes[at++]!;
    let span = (first & 63) + 1;
    if (first >= VAL) span = (first & 3) + 1;
    else if (first >= XZERO) {
      if (at === end) return false;
      span = (((first & 63) << 8) | bytes[at++]!) + 1;
    }
    if (left < span) return first >= VAL && ((first >> 2) & 31) + 1 >= count;
    left -= span;
  }
  return false;
}

/**
 * Looks for what has to change for a register to hold at least `count`; SPARSE_EDIT says that it is
 * in `sparseEdit`. The value is `length` bytes from `base`, its head included, and may not become
 * longer than `bytesMax`.
 */
export function sparsePlan(
  bytes: Uint8Array,
  base: number,
  length: number,
  register: number,
  count: number,
  bytesMax: number,
): number {
  if (count > VALUE_MAX) return SPARSE_FULL;
  const end = base + length;
  let at = base + HLL_HEAD_BYTES;
  let previous = at;
  let first = 0;
  run.span = 0;
  while (at < end) {
    run.read(bytes, at, end);
    if (register < first + run.span) break;
    previous = at;
    at += run.length;
    first += run.span;
  }
  if (at >= end || at + run.length > end) return SPARSE_CORRUPT;
  if (run.value >= count) return SPARSE_SAME;
  const edit = sparseEdit;
  edit.at = at - base;
  edit.oldLength = run.length;
  edit.joinFrom = previous - base;
  edit.length = 0;
  addRun(run.value, register - first);
  addRun(count, 1);
  addRun(run.value, first + run.span - 1 - register);
  const growth = edit.length - edit.oldLength;
  return growth > 0 && length + growth > bytesMax ? SPARSE_FULL : SPARSE_EDIT;
}

/** Adds the opcode of a run to the planned change; none for an empty run. */
function addRun(value: number, span: number): void {
  if (span === 0) return;
  const { bytes } = sparseEdit;
  if (value > 0) bytes[sparseEdit.length++] = VAL | ((value - 1) << 2) | (span - 1);
  else if (span > ZERO_RUN_MAX) {
    bytes[sparseEdit.length++] = XZERO | ((span - 1) >> 8);
    bytes[sparseEdit.length++] = (span - 1) & 255;
  } else bytes[sparseEdit.length++] = span - 1;
}

/**
 * Carries out the planned change on the `length` bytes from `base`, behind which there is room for
 * it, and joins equal neighbours. Returns how long the value is now.
 */
export function sparseApply(bytes: Uint8Array, base: number, length: number): number {
  const edit = sparseEdit;
  const at = base + edit.at;
  bytes.copyWithin(at + edit.length, at + edit.oldLength, base + length);
  for (let i = 0; i < edit.length; i++) bytes[at + i] = edit.bytes[i]!;
  let end = base + length + edit.length - edit.oldLength;
  let scan = base + edit.joinFrom;
  for (let left = JOINED_MAX; left > 0 && scan < end; left--) {
    const one = bytes[scan]!;
    if (one < VAL) {
      scan += one >= XZERO ? 2 : 1;
      continue;
    }
    const next = scan + 1 < end ? bytes[scan + 1]! : 0;
    const span = (one & 3) + (next & 3) + 2;
    if (next >= VAL && one >> 2 === next >> 2 && span <= VALUE_RUN_MAX) {
      bytes[scan + 1] = (one & ~3) | (span - 1);
      bytes.copyWithin(scan, scan + 1, end);
      end--;
    } else scan++;
  }
  return end - base;
}

/**
 * Raises each register in `registers`, a byte each, to what the value holds; false when the value
 * is corrupt.
 */
export function sparseMerge(
  bytes: Uint8Array,
  base: number,
  length: number,
  registers: Uint8Array,
): boolean {
  const end = base + length;
  let register = 0;
  for (let at = base + HLL_HEAD_BYTES; at < end; at += run.length) {
    run.read(bytes, at, end);
    const next = register + run.span;
    if (next > HLL_REGISTERS) return false;
    if (run.value > 0) {
      for (let i = register; i < next; i++) {
        if (run.value > registers[i]!) registers[i] = run.value;
      }
    }
    register = next;
  }
  return register === HLL_REGISTERS;
}

/** Counts in `histogram` how many registers hold which value; false when the value is corrupt. */
export function sparseHistogram(
  bytes: Uint8Array,
  base: number,
  length: number,
  histogram: Uint32Array,
): boolean {
  const end = base + length;
  let registers = 0;
  for (let at = base + HLL_HEAD_BYTES; at < end; at += run.length) {
    run.read(bytes, at, end);
    registers += run.span;
    histogram[run.value]! += run.span;
  }
  return registers === HLL_REGISTERS;
}

/** The opcodes in words, as PFDEBUG DECODE prints them. */
export function sparseText(bytes: Uint8Array, base: number, length: number): string {
  const end = base + length;
  const words: string[] = [];
  for (let at = base + HLL_HEAD_BYTES; at < end; at += run.length) {
    run.read(bytes, at, end);
    if (run.value > 0) words.push(`v:${run.value},${run.span}`);
    else words.push(`${run.length === 2 ? 'Z' : 'z'}:${run.span}`);
  }
  return words.join(' ');
}
