/** Whether bytes that come from a file or a peer are a listpack (listpack.ts draws it). */
import { backLengthBytes, bodyLength, LP_EMPTY_BYTES, LP_HEAD_BYTES, lpBytes } from './listpack.ts';

const END = 0xff;
const COUNT_UNKNOWN = 0xffff;

/**
 * Whether `length` bytes from `base` are a listpack that can be walked safely: sizes add up, back
 * lengths agree, the end is where the head says. With `deep` false only the head and the end are
 * looked at.
 */
export function lpValid(bytes: Uint8Array, base: number, length: number, deep: boolean): boolean {
  if (length < LP_EMPTY_BYTES || lpBytes(bytes, base) !== length) return false;
  if (bytes[base + length - 1] !== END) return false;
  if (!deep) return true;
  const end = base + length - 1;
  let at = base + LP_HEAD_BYTES;
  let found = 0;
  while (at < end) {
    at = lpBehind(bytes, at, end);
    if (at < 0) return false;
    found++;
  }
  const count = bytes[base + 4]! | (bytes[base + 5]! << 8);
  return count === COUNT_UNKNOWN || count === found;
}

/**
 * Where the entry at `at` ends (both absolute), -1 when it is damaged or does not end before `end`
 * or there.
 */
export function lpBehind(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at]!;
  // Small integers and strings of up to 63 bytes, which most are: the back length is one byte.
  if (first < 0xc0) {
    const back = first < 0x80 ? at + 1 : at + 1 + (first & 63);
    return back < end && bytes[back] === back - at ? back + 1 : -1;
  }
  const body = safeBodyLength(bytes, at, end - at);
  if (body === 0) return -1;
  const back = backLengthBytes(body);
  if (at + body + back > end || !sameBackLength(bytes, at + body, body, back)) return -1;
  return at + body + back;
}

/**
 * Length of a body that may lie: 0 when it does not fit into `room` bytes or is of no known kind.
 */
function safeBodyLength(bytes: Uint8Array, from: number, room: number): number {
  const first = bytes[from]!;
  if (first > 0xf4) return 0;
  const head = first < 0xc0 ? 1 : first < 0xf0 ? 2 : 5;
  if (first <= 0xf0 && head > room) return 0;
  const body = bodyLength(bytes, from);
  return body > room ? 0 : body;
}

function sameBackLength(bytes: Uint8Array, from: number, length: number, size: number): boolean {
  let rest = length;
  for (let i = size - 1; i >= 0; i--) {
    if (bytes[from + i] !== ((rest % 128) | (i > 0 ? 128 : 0))) return false;
    rest = Math.floor(rest / 128);
  }
  return true;
}
