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

/** Raises each register in `registers`, a byte each, to what the value holds. */
export function denseMerge(bytes: Uint8Array, base: number, registers: Uint8Array): void {
  for (let i = 0; i < HLL_REGISTERS; i++) {
    const value = denseGet(bytes, base, i);
    if (value > registers[i]!) registers[i] = value;
  }
}

/** Counts in `histogram` how many registers hold which value. */
export function denseHistogram(bytes: Uint8Array, base: number, histogram: Uint32Array): void {
  for (let i = 0; i < HLL_REGISTERS; i++) histogram[denseGet(bytes, base, i)]!++;
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
