/** Heads of short bulk strings, which most are. */

/** Bulk strings of fewer bytes have two digits at most. */
export const SHORT_MAX = 100;
/** Bytes around them, and up to three that a last word writes behind them. */
export const SHORT_ROOM = 12;

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
