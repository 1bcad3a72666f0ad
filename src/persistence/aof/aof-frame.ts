/**
 * The bytes around the commands of one turn in an AOF: a checksum and, when asked for, the time.
 *
 *   #CK:8b3f04c29d1e77a5:0000004c:5be0f3d1\r\n    40 bytes: the frame's head
 *   #TS:1700000000\r\n                            only with aof-timestamp-enabled, once a second
 *   *3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n     the commands that the turn propagated
 *   ...
 *
 *   #CK: <crc of the body> : <bytes of the body> : <check of what stands before it> \r\n
 *
 * The body is everything after the head: the time line and the commands. All numbers are lower-case
 * hexadecimal of fixed width. The crc is CRC64 of the body; the check is the low half of CRC64 of
 * the head's first 30 bytes. Lines that begin with `#` are annotations, which every Redis since 7.0
 * skips, so the file loads there unchanged; a file of theirs, without heads, loads here.
 *
 * Why before the turn and not after it: a reader then knows where the turn ends before it believes
 * a single byte of it. What is missing at the end of the file is a torn tail, by arithmetic; what
 * is all there and does not sum up is damage. A head behind the turn would have to be searched for
 * among bytes that clients chose.
 *
 * Of a turn with a torn end, the commands that are whole are kept, as Redis keeps them (it may have
 * cut the file itself and written more); of a replica's, those up to its last place in the stream
 * (aof-scan.ts). Its head promises bytes that will never come, so it is voided in place: `#CV:`,
 * the same numbers, a check that fits. A voided head covers nothing.
 *
 * Every single flipped bit of a framed file is noticed. In a body, by the crc. In a head: its check
 * or its fixed characters do not match; if its `#` is hit, the line is no command and no annotation
 * (`#` and `*` differ in two bits); if `CK:` or the line's end is hit, the line still has the
 * length of a head or begins like one, and a line that does either without being one is damage.
 *
 * Heads do not refer to their place in the file or to each other. Whoever edits an AOF by hand (to
 * take out a FLUSHALL) deletes the `#CK` line of the turn and may change its commands.
 */
import { latin1Text } from '../../core/text/latin1.ts';
import { Crc64 } from '../crc64.ts';

export const FRAME_HEAD_BYTES = 40;

/** A body is at most this long: eight hexadecimal digits. */
export const FRAME_BODY_BYTES_MAX = 0xffff_ffff;

/** Annotations longer than this, with their newline, are unreadable for Redis. */
export const ANNOTATION_BYTES_MAX = 1023;

const CRC_AT = 4;
const LEN_AT = 21;
const CHECK_AT = 30;
const END_AT = 38;

const HASH = 0x23;
const VOID_LETTER = 0x56;
const COLON = 0x3a;
const CR = 0x0d;
const LF = 0x0a;

const headCrc = new Crc64();

/** Writes the head of a body of `bodyBytes` whose CRC64 is `crc`, at `dst[off .. off + 40)`. */
export function encodeFrameHead(dst: Uint8Array, off: number, crc: Crc64, bodyBytes: number): void {
  dst[off] = HASH;
  dst[off + 1] = 0x43;
  dst[off + 2] = 0x4b;
  dst[off + 3] = COLON;
  putHex(dst, off + CRC_AT, crc.hi);
  putHex(dst, off + CRC_AT + 8, crc.lo);
  dst[off + LEN_AT - 1] = COLON;
  putHex(dst, off + LEN_AT, bodyBytes | 0);
  dst[off + CHECK_AT - 1] = COLON;
  headCrc.reset();
  headCrc.update(dst, off, CHECK_AT);
  putHex(dst, off + CHECK_AT, headCrc.lo);
  dst[off + END_AT] = CR;
  dst[off + END_AT + 1] = LF;
}

/** What a head says. */
export type FrameHead = {
  readonly crcLo: number;
  readonly crcHi: number;
  readonly bodyBytes: number;
};

/** Reads the 40 bytes at `off`; undefined where they are not a whole and sound head. */
export function decodeFrameHead(buf: Uint8Array, off: number): FrameHead | undefined {
  if (!beginsFrameHead(buf, off, FRAME_HEAD_BYTES)) return undefined;
  if (buf[off + END_AT] !== CR || buf[off + END_AT + 1] !== LF) return undefined;
  if (buf[off + LEN_AT - 1] !== COLON || buf[off + CHECK_AT - 1] !== COLON) return undefined;
  const crcHi = takeHex(buf, off + CRC_AT);
  const crcLo = takeHex(buf, off + CRC_AT + 8);
  const bodyBytes = takeHex(buf, off + LEN_AT);
  const check = takeHex(buf, off + CHECK_AT);
  if (crcHi < 0 || crcLo < 0 || bodyBytes <= 0 || check < 0) return undefined;
  headCrc.reset();
  headCrc.update(buf, off, CHECK_AT);
  if (headCrc.lo >>> 0 !== check) return undefined;
  return { crcLo: crcLo | 0, crcHi: crcHi | 0, bodyBytes };
}

/** Turns the head at `buf[off .. off + 40)` into a voided one. */
export function voidFrameHead(buf: Uint8Array, off: number): void {
  buf[off + 2] = VOID_LETTER;
  headCrc.reset();
  headCrc.update(buf, off, CHECK_AT);
  putHex(buf, off + CHECK_AT, headCrc.lo);
}

/** Whether the 40 bytes at `off` are a voided head. */
export function isVoidedHead(buf: Uint8Array, off: number): boolean {
  if (buf[off + 2] !== VOID_LETTER || takeHex(buf, off + CHECK_AT) < 0) return false;
  headCrc.reset();
  headCrc.update(buf, off, CHECK_AT);
  return headCrc.lo >>> 0 === takeHex(buf, off + CHECK_AT);
}

/** Whether `buf[off .. off + len)` can be the beginning of a head. */
export function beginsFrameHead(buf: Uint8Array, off: number, len: number): boolean {
  return (
    (len < 1 || buf[off] === HASH) &&
    (len < 2 || buf[off + 1] === 0x43) &&
    (len < 3 || buf[off + 2] === 0x4b) &&
    (len < 4 || buf[off + 3] === COLON)
  );
}

/** The longest time line. */
export const TIME_LINE_BYTES_MAX = 24;

/** Writes `#TS:<seconds>\r\n` and returns its length. */
export function encodeTimeLine(dst: Uint8Array, off: number, unixSeconds: number): number {
  const text = `#TS:${Math.floor(unixSeconds)}\r\n`;
  for (let i = 0; i < text.length; i++) dst[off + i] = text.charCodeAt(i);
  return text.length;
}

/**
 * The seconds of a line `#TS:<seconds>\r\n` of `len` bytes, as C's strtol reads them: NaN when they
 * cannot be read. Undefined when it is another line.
 */
export function decodeTimeLine(buf: Uint8Array, off: number, len: number): number | undefined {
  if (len < 6 || buf[off + 1] !== 0x54 || buf[off + 2] !== 0x53 || buf[off + 3] !== COLON) {
    return undefined;
  }
  const text = latin1Text(buf, off + 4, len - 4);
  return /^(?:[\t-\r ]*[+-]?\d+)?\r\n$/.test(text) ? Number(text) : Number.NaN;
}

function putHex(dst: Uint8Array, off: number, word: number): void {
  for (let i = 0; i < 8; i++) {
    const digit = (word >>> (28 - 4 * i)) & 15;
    dst[off + i] = digit < 10 ? 0x30 + digit : 0x57 + digit;
  }
}

/** Eight lower-case hexadecimal digits, or -1. */
function takeHex(buf: Uint8Array, off: number): number {
  let word = 0;
  for (let i = 0; i < 8; i++) {
    const char = buf[off + i]!;
    let digit: number;
    if (char >= 0x30 && char <= 0x39) digit = char - 0x30;
    else if (char >= 0x61 && char <= 0x66) digit = char - 0x57;
    else return -1;
    word = word * 16 + digit;
  }
  return word;
}
