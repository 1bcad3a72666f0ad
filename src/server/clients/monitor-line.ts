/**
 * A command as MONITOR shows it, written as bytes: of a large argument each character as a string
 * of its own would take 60 times its room (measured: 4 s and 600 MB for one of 10 MB).
 *
 *     +1700000000.123456 [0 127.0.0.1:51234] "set" "key" "\x00\xff value"\r\n
 */
import type { Args } from '../../core/resp/args.ts';
import { latin1Bytes } from '../../core/text/latin1.ts';
import { quotedLength, writeQuoted } from '../../core/text/quoted.ts';
import { REDACTED } from '../latency/slow-log.ts';

/** Bytes of all arguments that a line shows at most, so that it stays one that can be sent. */
const SHOWN_BYTES_MAX = 2 ** 29;
const SPACE = 0x20;

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
    size += 1 + quotedLength(bytes, from, to) + end.length;
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
    at = writeQuoted(line, at, bytes, from, to);
    line.set(end, at);
    at += end.length;
  }
  line[at++] = 0x0d;
  line[at] = 0x0a;
  return line;
}
