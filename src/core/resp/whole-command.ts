/**
 * The short way to parse a command: complete, an array of at most nine bulk strings of at most
 * 9,999 bytes, nothing unusual about it, as nearly all are.
 *
 *     *3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n
 *
 * Anything else is left to the parser (request-parser.ts), which knows every form and every error.
 */
import type { Args } from './args.ts';

const COMMAND_BYTES_MIN = 10;
const ARGUMENT_BYTES_MIN = 6;
const DIGITS_MAX = 4;
const ARRAY = 42;
const BULK = 36;
const CR = 13;

/**
 * Parses the command that begins at `input[pos]` into `args`. Where it ends, or 0 when it is not
 * complete before `end` or not of this kind; `args` is spoiled then.
 */
export function parseWhole(input: Uint8Array, pos: number, end: number, args: Args): number {
  if (end - pos < COMMAND_BYTES_MIN || input[pos] !== ARRAY) return 0;
  const count = input[pos + 1]! - 48;
  if (count < 1 || count > 9 || input[pos + 2] !== CR) return 0;
  let at = pos + 4;
  const { bytes, lengths, offsets } = args;
  for (let i = 0; i < count; i++) {
    if (end - at < ARGUMENT_BYTES_MIN || input[at] !== BULK) return 0;
    let length = input[at + 1]! - 48;
    if (length < 0 || length > 9) return 0;
    at += 2;
    for (let digits = 1; input[at] !== CR; digits++, at++) {
      const digit = input[at]! - 48;
      if (digit < 0 || digit > 9 || length === 0 || digits === DIGITS_MAX) return 0;
      length = length * 10 + digit;
    }
    at += 2;
    if (end - at < length + 2) return 0;
    if (bytes[i] !== input) bytes[i] = input;
    offsets[i] = at;
    lengths[i] = length;
    at += length + 2;
  }
  args.count = count;
  return at;
}
