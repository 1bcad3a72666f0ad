/**
 * Taking equal entries out of a listpack, in place, from either end on: LREM.
 */
import { lpDelete, lpEquals, lpFirst, lpLast, lpPrev } from './listpack.ts';
import { lpFind } from './listpack-find.ts';

const END = 0xff;

/** Deletes the first `most` entries, at most, that equal a value. Returns how many were deleted. */
export function deleteForward(
  bytes: Uint8Array,
  base: number,
  value: Uint8Array,
  offset: number,
  length: number,
  most: number,
): number {
  let gone = 0;
  let at = lpFirst(bytes, base);
  while (gone < most && at !== 0 && bytes[base + at] !== END) {
    at = lpFind(bytes, base, at, value, offset, length, 0);
    if (at === 0) break;
    lpDelete(bytes, base, at, 1);
    gone++;
  }
  return gone;
}

/** Deletes the last `most` entries, at most, that equal a value. Returns how many were deleted. */
export function deleteBackward(
  bytes: Uint8Array,
  base: number,
  value: Uint8Array,
  offset: number,
  length: number,
  most: number,
): number {
  let gone = 0;
  let at = lpLast(bytes, base);
  while (gone < most && at !== 0) {
    const before = lpPrev(bytes, base, at);
    if (lpEquals(bytes, base, at, value, offset, length)) {
      lpDelete(bytes, base, at, 1);
      gone++;
    }
    at = before;
  }
  return gone;
}
