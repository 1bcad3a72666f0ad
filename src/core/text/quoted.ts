/**
 * Bytes between double quotes, as configuration files have them and MONITOR shows them. Those that
 * cannot be printed are escaped as Redis does: as `\n` and the like, or as `\x` and two hexadecimal
 * digits, four bytes for one.
 *
 *     a b " \xff    ->    "a b \" \xff"
 */
import { latin1Bytes } from './latin1.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const HEX_DIGITS = latin1Bytes('0123456789abcdef');

/** What stands behind the backslash of a short escape, 0 for no such. */
const SHORT = new Uint8Array(256);
/** How many bytes show each byte. */
const SHOWN_BYTES = new Uint8Array(256).map((_, byte) => (byte >= 0x20 && byte <= 0x7e ? 1 : 4));
for (const [byte, letter] of [
  [BACKSLASH, '\\'],
  [QUOTE, '"'],
  [0x0a, 'n'],
  [0x0d, 'r'],
  [0x09, 't'],
  [0x07, 'a'],
  [0x08, 'b'],
] as const) {
  SHORT[byte] = letter.charCodeAt(0);
  SHOWN_BYTES[byte] = 2;
}

/** How many bytes `writeQuoted` writes, quotes included. */
export function quotedLength(bytes: Uint8Array, from: number, to: number): number {
  let length = 2;
  for (let i = from; i < to; i++) length += SHOWN_BYTES[bytes[i]!]!;
  return length;
}

/** Writes `bytes[from .. to)` in quotes to `out[at]`; gives the position behind them. */
export function writeQuoted(
  out: Uint8Array,
  at: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): number {
  let end = at;
  out[end++] = QUOTE;
  for (let i = from; i < to; i++) end = escaped(out, end, bytes[i]!);
  out[end++] = QUOTE;
  return end;
}

function escaped(out: Uint8Array, at: number, byte: number): number {
  const size = SHOWN_BYTES[byte]!;
  if (size === 1) out[at] = byte;
  else {
    out[at] = BACKSLASH;
    out[at + 1] = size === 2 ? SHORT[byte]! : 0x78;
    if (size === 4) {
      out[at + 2] = HEX_DIGITS[byte >>> 4]!;
      out[at + 3] = HEX_DIGITS[byte & 15]!;
    }
  }
  return at + size;
}
