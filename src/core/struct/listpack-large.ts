/**
 * A listpack of one string of many bytes, which are written to their place by the caller: a loader,
 * that has them piece by piece.
 *
 *     [ head, 6 bytes ][ 0xf0 | length u32 | the string ...  | back length ][ end ]
 *                                            ^ where `lpFrame` says
 */
import {
  backLengthBytes,
  LP_EMPTY_BYTES,
  LP_HEAD_BYTES,
  lpInit,
  lpPutEnd,
  writeBackLength,
} from './listpack.ts';

/** What stands before a string of 4,096 bytes or more, and how that begins. */
const STRING_HEAD_BYTES = 5;
const STRING_32 = 0xf0;

/** Bytes of the listpack with a string of `length` bytes, 4,096 or more. */
export function lpFramedBytes(length: number): number {
  const body = STRING_HEAD_BYTES + length;
  return LP_EMPTY_BYTES + body + backLengthBytes(body);
}

/** Writes all of the listpack but the string. Returns where that is to stand (absolute). */
export function lpFrame(bytes: Uint8Array, base: number, length: number): number {
  const from = base + LP_HEAD_BYTES;
  const body = STRING_HEAD_BYTES + length;
  lpInit(bytes, base);
  bytes[from] = STRING_32;
  for (let i = 0; i < 4; i++) bytes[from + 1 + i] = length >>> (i * 8);
  writeBackLength(bytes, from + body, body);
  lpPutEnd(bytes, base, from + body + backLengthBytes(body), 1);
  return from + STRING_HEAD_BYTES;
}
