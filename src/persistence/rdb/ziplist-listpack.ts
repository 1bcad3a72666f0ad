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
 *
 * A small one, which lies where it must stay as it is, becomes one in a buffer that is used again.
 */
import { LP_HEAD_BYTES, lpBytes, lpInit, lpPut, lpPutEnd } from '../../core/struct/listpack.ts';
import { ElementView } from '../../core/types/element-view.ts';
import type { ByteView } from '../../core/value.ts';
import type { ZiplistReader } from './ziplist.ts';

const SLACK_SHIFT = 6;
/** More than stands before the text in any entry. */
const SLACK_BYTES_MIN = 16;

const FIRST_ROOM = 1 << 14;
/** A buffer that grew past this is not kept. */
const KEPT_ROOM = 1 << 20;

const element = new ElementView();
let pack = new Uint8Array(FIRST_ROOM);

/** Bytes to be left in front of a ziplist of `length` bytes. */
export function ziplistSlack(length: number): number {
  return SLACK_BYTES_MIN + Math.ceil(length / (1 << SLACK_SHIFT));
}

/**
 * Turns the ziplist that was opened into a listpack in `bytes` at `base`, where its slack begins or
 * anywhere else, and reads it to its end.
 */
export function becomeListpack(ziplist: ZiplistReader, bytes: Uint8Array, base: number): void {
  let to = base + LP_HEAD_BYTES;
  lpInit(bytes, base);
  while (ziplist.next(element)) {
    to = lpPut(bytes, to, element.bytes, element.offset, element.length);
  }
  lpPutEnd(bytes, base, to, ziplist.count);
}

/** Shows the ziplist that was opened as a listpack, until the next call. */
export function ziplistAsListpack(ziplist: ZiplistReader, view: ByteView): void {
  const room = ziplist.length + ziplistSlack(ziplist.length);
  if (room > pack.length || pack.length > KEPT_ROOM) {
    pack = new Uint8Array(Math.max(room, FIRST_ROOM));
  }
  becomeListpack(ziplist, pack, 0);
  view.bytes = pack;
  view.offset = 0;
  view.length = lpBytes(pack, 0);
}
