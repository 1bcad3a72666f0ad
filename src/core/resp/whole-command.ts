/**
 * The short way to parse a command: complete, an array of at most nine bulk strings of at most
 * 9,999 bytes, nothing unusual about it, as nearly all are. Or a short line of words parted by
 * spaces, with neither quotes nor control characters, as most inline commands are.
 *
 *     *3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n
 *     SET k v\r\n
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
const LF = 10;
const SPACE = 32;
const QUOTE = 34;
const APOSTROPHE = 39;
const LINE_BYTES_MAX = 1024;

/**
 * Parses the command that begins at `input[pos]` into `args`. Where it ends, or 0 when it is not
 * complete before `end` or not of this kind; `args` is spoiled then.
 */
export function parseWhole(input: Uint8Array, pos: number, end: number, args: Args): number {
  if (input[pos] !== ARRAY) return parseLine(input, pos, end, args);
  if (end - pos < COMMAND_BYTES_MIN) return 0;
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

/**
 * Reads an inline command, as `parseWhole` does. A line without a word is left to the parser, too.
 */
function parseLine(input: Uint8Array, pos: number, end: number, args: Args): number {
  const last = Math.min(end, pos + LINE_BYTES_MAX);
  args.count = 0;
  let from = pos;
  for (let at = pos; at < last; at++) {
    const c = input[at]!;
    if (c > APOSTROPHE) continue;
    if (c > SPACE) {
      if (c === QUOTE || c === APOSTROPHE) return 0;
      continue;
    }
    if (at > from) args.push(input, from, at - from);
    from = at + 1;
    if (c === SPACE) continue;
    if (c === CR && input[from] === LF && from < last) at = from;
    else if (c !== LF) return 0;
    return args.count > 0 ? at + 1 : 0;
  }
  return 0;
}
