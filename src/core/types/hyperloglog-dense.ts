/**
 * The dense form of a HyperLogLog: 16,384 registers of 6 bits, packed from the lowest bit on.
 *
 *     byte     0         1         2         3
 *           +--------+---------+---------+-------
 *     bits  |11000000|22221111 |33333322 | ...      0 to 3 are registers, their low bits first
 *           +--------+---------+---------+-------
 *
 * 12,288 bytes behind the head of 16. A register is 0 to 50 + 1; nothing stops a value that
 * somebody stored with SET from holding up to 63.
 */
import { HLL_HEAD_BYTES, HLL_REGISTERS } from './hyperloglog-sparse.ts';

const REGISTER_BITS = 6;
const REGISTER_MAX = 63;
/** The highest bit of each byte of a word. */
const SIGNS = 0x8080_8080 | 0;
/** Where the bytes of a word stand in it, as this machine orders them. */
const IS_LITTLE = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
const BYTE_0 = IS_LITTLE ? 0 : 24;
const BYTE_1 = IS_LITTLE ? 8 : 16;
const BYTE_2 = IS_LITTLE ? 16 : 8;
const BYTE_3 = IS_LITTLE ? 24 : 0;
/**
 * Four histograms, one for each register of a group: counting equal values in turn in one waits
 * for the last count to be stored.
 */
const parts = new Uint32Array(4 * 64);

/** Bytes of a dense HyperLogLog, its head included. */
export const DENSE_BYTES = HLL_HEAD_BYTES + (HLL_REGISTERS * REGISTER_BITS) / 8;

/** What a register holds. `base` is where the value begins. */
export function denseGet(bytes: Uint8Array, base: number, register: number): number {
  const bit = register * REGISTER_BITS;
  const at = base + HLL_HEAD_BYTES + (bit >> 3);
  const shift = bit & 7;
  // The last register ends with its byte.
  const next = shift > 2 ? bytes[at + 1]! : 0;
  return ((bytes[at]! | (next << 8)) >> shift) & REGISTER_MAX;
}

/** Raises a register to `count`; false when it holds as much. */
export function denseRaise(
  bytes: Uint8Array,
  base: number,
  register: number,
  count: number,
): boolean {
  if (denseGet(bytes, base, register) >= count) return false;
  const bit = register * REGISTER_BITS;
  const at = base + HLL_HEAD_BYTES + (bit >> 3);
  const shift = bit & 7;
  const mask = REGISTER_MAX << shift;
  const value = count << shift;
  bytes[at] = (bytes[at]! & ~mask) | value;
  if (shift > 2) bytes[at + 1] = (bytes[at + 1]! & ~(mask >> 8)) | (value >> 8);
  return true;
}

/**
 * Raises each register in `registers`, a byte each and four a word, to what the value holds. Twelve
 * bytes are sixteen registers.
 */
export function denseMerge(bytes: Uint8Array, base: number, registers: Int32Array): void {
  const from = bytes.byteOffset + base + HLL_HEAD_BYTES;
  const view = new DataView(bytes.buffer, from, DENSE_BYTES - HLL_HEAD_BYTES);
  for (let i = 0, at = 0; i < registers.length; i += 4, at += 12) {
    const a = view.getUint32(at, true);
    const b = view.getUint32(at + 4, true);
    const c = view.getUint32(at + 8, true);
    registers[i] = larger(registers[i]!, spread(a));
    registers[i + 1] = larger(registers[i + 1]!, spread((a >>> 24) | (b << 8)));
    registers[i + 2] = larger(registers[i + 2]!, spread((b >>> 16) | (c << 16)));
    registers[i + 3] = larger(registers[i + 3]!, spread(c >>> 8));
  }
}

/** The four registers in the low 24 bits of `x`, a byte each. */
function spread(x: number): number {
  return (
    ((x & REGISTER_MAX) << BYTE_0) |
    (((x >>> 6) & REGISTER_MAX) << BYTE_1) |
    (((x >>> 12) & REGISTER_MAX) << BYTE_2) |
    (((x >>> 18) & REGISTER_MAX) << BYTE_3)
  );
}

/** The larger of each two bytes, four at once: a byte of `kept` is 127 where ours is not less. */
function larger(ours: number, theirs: number): number {
  const signs = ((ours | SIGNS) - theirs) & SIGNS;
  const kept = (signs - (signs >>> 7)) | 0;
  return (ours & kept) | (theirs & ~kept);
}

/** Counts in `histogram` how many registers hold which value. */
export function denseHistogram(bytes: Uint8Array, base: number, histogram: Uint32Array): void {
  parts.fill(0);
  const end = base + DENSE_BYTES;
  for (let at = base + HLL_HEAD_BYTES; at < end; at += 3) {
    const x = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
    parts[x & 63]!++;
    parts[64 | ((x >>> 6) & 63)]!++;
    parts[128 | ((x >>> 12) & 63)]!++;
    parts[192 | ((x >>> 18) & 63)]!++;
  }
  addParts(histogram);
}

/**
 * Like `denseHistogram`, of registers that have a byte each. Where few were counted most of them
 * are 0.
 */
export function plainHistogram(registers: Int32Array, histogram: Uint32Array): void {
  parts.fill(0);
  let zeros = 0;
  for (let i = 0; i < registers.length; i += 4) {
    const a = registers[i]!;
    const b = registers[i + 1]!;
    const c = registers[i + 2]!;
    const d = registers[i + 3]!;
    if ((a | b | c | d) === 0) zeros += 16;
    else {
      countFour(a);
      countFour(b);
      countFour(c);
      countFour(d);
    }
  }
  histogram[0]! += zeros;
  addParts(histogram);
}

function countFour(word: number): void {
  parts[word & 63]!++;
  parts[64 | ((word >>> 8) & 63)]!++;
  parts[128 | ((word >>> 16) & 63)]!++;
  parts[192 | ((word >>> 24) & 63)]!++;
}

function addParts(histogram: Uint32Array): void {
  for (let i = 0; i < 64; i++) {
    histogram[i]! += parts[i]! + parts[64 + i]! + parts[128 + i]! + parts[192 + i]!;
  }
}

/** Writes registers, a byte each, behind the head of a dense HyperLogLog. */
export function densePack(registers: Uint8Array, bytes: Uint8Array, base: number): void {
  let at = base + HLL_HEAD_BYTES;
  for (let i = 0; i < HLL_REGISTERS; i += 4) {
    const b = registers[i + 1]!;
    const c = registers[i + 2]!;
    bytes[at++] = registers[i]! | (b << 6);
    bytes[at++] = (b >> 2) | (c << 4);
    bytes[at++] = (c >> 4) | (registers[i + 3]! << 2);
  }
}
