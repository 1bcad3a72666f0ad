/**
 * The seal of a manifest: a comment at its end with a checksum of what stands before it.
 *
 *     file appendonly.aof.1.base.rdb seq 1 type b
 *     file appendonly.aof.1.incr.aof seq 1 type i
 *     #CK:8b3f04c29d1e77a5
 *
 * One flipped bit makes an `i` an `h`: an increment would become history, be left out and deleted.
 * So a manifest is sealed whenever it is written, and one whose seal does not fit is refused. A
 * real server skips the comment, and writes manifests without one, which are read as well. Who
 * edits a manifest by hand deletes the line.
 *
 * A seal that is damaged itself is noticed by its form: no other comment has its length and its
 * digits.
 */
import { Crc64 } from './crc64.ts';

const PREFIX = '#CK:';
const SEAL_BYTES = PREFIX.length + 16 + 1;
/** A seal, or what one flipped bit makes of it: all but one character as it should be. */
const DIGITS_MIN = 15;

/** The text with a seal behind it. */
export function sealManifest(text: string): string {
  return `${text}${sealOf(Buffer.from(text, 'latin1'))}`;
}

/** What is wrong with the seal of a manifest; undefined when it fits or there is none. */
export function brokenSeal(bytes: Uint8Array): string | undefined {
  const from = bytes.length - SEAL_BYTES;
  if (from < 0) return undefined;
  // Whether a newline stands before it is not asked: that may be what is damaged.
  const end = Buffer.from(bytes.subarray(from)).toString('latin1');
  if (!resemblesSeal(end)) return undefined;
  if (end === sealOf(bytes.subarray(0, from))) return undefined;
  return (
    'The AOF manifest does not match its checksum: it is damaged, or it was edited (delete its ' +
    '#CK line then)'
  );
}

function sealOf(bytes: Uint8Array): string {
  const crc = new Crc64();
  crc.update(bytes, 0, bytes.length);
  const word = (part: number): string => (part >>> 0).toString(16).padStart(8, '0');
  return `${PREFIX}${word(crc.hi)}${word(crc.lo)}\n`;
}

/** Whether all but one character are those of a seal. */
function resemblesSeal(line: string): boolean {
  const digits = line.slice(PREFIX.length, -1).replace(/[^0-9a-f]/g, '').length;
  const others = [...PREFIX].filter((char, i) => line[i] === char).length;
  const isEnd = line.endsWith('\n') ? 1 : 0;
  return digits >= DIGITS_MIN && digits + others + isEnd >= SEAL_BYTES - 1;
}
