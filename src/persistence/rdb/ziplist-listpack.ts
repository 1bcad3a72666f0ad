/**
 * A ziplist as a listpack, in the same place:
 *
 *     before    [ slack  ][ head | entry | entry | entry | end ]
 *     then      [ head | entry | entry -->  ][ entry | end ]       what was read is written over
 *     behind    [ head | entry | entry | entry | end ][ room ]
 *
 * Nearly every entry takes as many bytes as before or fewer, and none that is shorter than 126
 * takes more: 1 more up to 4,095, then at most 5. So the slack, a 64th, is never used up, and what
 * is written stays behind what is still to be read.
 */
import { LP_HEAD_BYTES, lpInit, lpPut, lpPutEnd } from '../../core/struct/listpack.ts';
import { ElementView } from '../../core/types/element-view.ts';
import type { ZiplistReader } from './ziplist.ts';

const SLACK_SHIFT = 6;
/** More than stands before the text in any entry. */
const SLACK_BYTES_MIN = 16;

const element = new ElementView();

/** Bytes to be left in front of a ziplist of `length` bytes. */
export function ziplistSlack(length: number): number {
  return SLACK_BYTES_MIN + Math.ceil(length / (1 << SLACK_SHIFT));
}

/**
 * Turns the ziplist that was opened in `bytes`, its slack beginning at `base`, into a listpack at
 * `base`, and reads the ziplist to its end.
 */
export function becomeListpack(ziplist: ZiplistReader, bytes: Uint8Array, base: number): void {
  let to = base + LP_HEAD_BYTES;
  lpInit(bytes, base);
  while (ziplist.next(element)) {
    to = lpPut(bytes, to, element.bytes, element.offset, element.length);
  }
  lpPutEnd(bytes, base, to, ziplist.count);
}
