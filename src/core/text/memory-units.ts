/**
 * Amounts of memory in configuration: a decimal number and a unit in any case.
 *
 *     none, b   1          k    1,000        m    1,000,000      g    1,000,000,000
 *                          kb   1,024        mb   1,048,576      gb   1,073,741,824
 *
 * As in Redis, an empty number is 0, a number past 2^64 - 1 counts as that, and the product is
 * taken modulo 2^64. Results are exact up to 2^53, then the nearest double.
 */
import { UINT64_MAX } from './integer.ts';

const AMOUNT = /^(\d{0,127})(b|kb?|mb?|gb?)?$/i;

const UNITS: Readonly<Record<string, bigint>> = {
  b: 1n,
  k: 1000n,
  kb: 1024n,
  m: 1_000_000n,
  mb: 1_048_576n,
  g: 1_000_000_000n,
  gb: 1_073_741_824n,
};

/** The number of bytes that the text means, or undefined when it is not an amount of memory. */
export function parseMemory(text: string): number | undefined {
  const parts = AMOUNT.exec(text);
  if (parts === null) return undefined;
  const [, digits = '', unit = 'b'] = parts;
  const number = BigInt(digits === '' ? '0' : digits);
  const factor = UNITS[unit.toLowerCase()] ?? 1n;
  return Number(BigInt.asUintN(64, (number > UINT64_MAX ? UINT64_MAX : number) * factor));
}
