/** Heads of short bulk strings, which most are. */

/** Bulk strings of fewer bytes have two digits at most. */
export const SHORT_MAX = 100;
/** Bytes around them, and up to three that a last word writes behind them. */
export const SHORT_ROOM = 12;

const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
const LINE_END = 0x0a0d;

/** Writes "$length" with less than three digits at `chunk[at]`; the number of bytes. */
export function shortHead(chunk: Uint8Array, at: number, length: number): number {
  chunk[at] = 36;
  if (length < 10) {
    chunk[at + 1] = 48 + length;
    chunk[at + 2] = 13;
    chunk[at + 3] = 10;
    return 4;
  }
  const tens = (length * 205) >>> 11;
  chunk[at + 1] = 48 + tens;
  chunk[at + 2] = 48 + length - tens * 10;
  chunk[at + 3] = 13;
  chunk[at + 4] = 10;
  return 5;
}

/** The first four bytes of each head, low byte first; heads of ten bytes and more have another. */
const HEAD_WORDS = new Uint32Array(SHORT_MAX);
for (let length = 0; length < SHORT_MAX; length++) {
  const bytes = new Uint8Array(8);
  shortHead(bytes, 0, length);
  HEAD_WORDS[length] = new DataView(bytes.buffer).getUint32(0, true);
}

/**
 * Writes a bulk string of less than SHORT_MAX bytes that begin with the word at `from` of `words`.
 * Returns where it ends; up to three bytes behind that are written as well.
 */
export function shortBulkWords(
  view: DataView,
  at: number,
  words: Uint32Array,
  from: number,
  length: number,
): number {
  view.setUint32(at, HEAD_WORDS[length]!, true);
  let to = at + 4;
  if (length >= 10) view.setUint8(to++, 10);
  const end = to + length;
  for (let word = from; to < end; to += 4) view.setUint32(to, words[word++]!, LITTLE_ENDIAN);
  view.setUint16(end, LINE_END, true);
  return end + 2;
}
