/**
 * 64-bit integers as two 32-bit words, which is how they are kept: a number holds them exactly only
 * up to 2^53.
 */
import { parseInt64, parseInteger } from '../text/integer.ts';

const TWO_32 = 0x1_0000_0000;
const INTEGER_TEXT_MAX = 20;

/** Low word and (signed) high word of the last integer that `readInt64` read. */
export const int64Words = { low: 0, high: 0 };

/** Whether the bytes are the strict text of a 64-bit integer; if so, it is in `int64Words`. */
export function readInt64(bytes: Uint8Array, offset: number, length: number): boolean {
  if (length > INTEGER_TEXT_MAX) return false;
  const number = parseInteger(bytes, offset, length);
  if (Number.isNaN(number)) return false;
  if (Number.isSafeInteger(number)) {
    int64Words.low = number | 0;
    int64Words.high = Math.floor(number / TWO_32);
  } else {
    const exact = parseInt64(bytes, offset, length) ?? 0n;
    int64Words.low = Number(BigInt.asIntN(32, exact));
    int64Words.high = Number(exact >> 32n);
  }
  return true;
}
