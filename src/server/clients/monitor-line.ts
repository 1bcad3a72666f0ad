/**
 * A command as MONITOR shows it, written as bytes: of a large argument each character as a string
 * of its own would take 60 times its room (measured: 4 s and 600 MB for one of 10 MB).
 *
 *     +1700000000.123456 [0 127.0.0.1:51234] "set" "key" "\x00\xff value"\r\n
 *
 * An argument is shown in quotes; of its bytes, those that cannot be printed are escaped as Redis
 * does: as `\n` and the like, or as `\x` and two hexadecimal digits, four bytes for one.
 */
import type { Args } from '../../core/resp/args.ts';
import { latin1Bytes } from '../../core/text/latin1.ts';
import { REDACTED } from '../latency/slow-log.ts';

/** Bytes of all arguments that a line shows at most, so that it stays one that can be sent. */
const SHOWN_BYTES_MAX = 2 ** 29;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
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

/**
 * The reply that shows a command behind `head`. Arguments whose numbers are in `redacted` are not
 * shown; of all others together no more than `most` bytes, and then how many are left out.
 */
export function monitorLine(
  head: string,
  args: Args,
  redacted: readonly number[],
  most = SHOWN_BYTES_MAX,
): Uint8Array {
  const start = latin1Bytes(`+${head}`);
  const shown: Part[] = [];
  let size = start.length + 2;
  let left = most;
  for (let i = 0; i < args.count; i++) {
    const length = args.lengths[i]!;
    const isHidden = redacted.includes(i);
    const bytes = isHidden ? latin1Bytes(REDACTED) : args.bytes[i]!;
    const from = isHidden ? 0 : args.offsets[i]!;
    const to = from + (isHidden ? bytes.length : Math.min(length, left));
    const cut = isHidden ? 0 : Math.max(0, length - left);
    const end = latin1Bytes(cut === 0 ? '' : `... (${cut} more bytes)`);
    if (!isHidden) left -= to - from;
    shown.push({ bytes, from, to, end });
    size += 3 + end.length;
    for (let at = from; at < to; at++) size += SHOWN_BYTES[bytes[at]!]!;
  }
  return written(start, shown, size);
}

/** What is shown of an argument: bytes of it, and what stands behind its quotes. */
interface Part {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
  readonly end: Uint8Array;
}

function written(start: Uint8Array, shown: readonly Part[], size: number): Uint8Array {
  const line = new Uint8Array(size);
  line.set(start);
  let at = start.length;
  for (const { bytes, from, to, end } of shown) {
    line[at++] = SPACE;
    line[at++] = QUOTE;
    for (let i = from; i < to; i++) at = escaped(line, at, bytes[i]!);
    line[at++] = QUOTE;
    line.set(end, at);
    at += end.length;
  }
  line[at++] = 0x0d;
  line[at] = 0x0a;
  return line;
}

/** Writes a byte as it is shown; where the next one goes. */
function escaped(line: Uint8Array, at: number, byte: number): number {
  const size = SHOWN_BYTES[byte]!;
  if (size === 1) line[at] = byte;
  else {
    line[at] = BACKSLASH;
    line[at + 1] = size === 2 ? SHORT[byte]! : 0x78;
    if (size === 4) {
      line[at + 2] = HEX_DIGITS[byte >>> 4]!;
      line[at + 3] = HEX_DIGITS[byte & 15]!;
    }
  }
  return at + size;
}
