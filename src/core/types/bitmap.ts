/**
 * Bitmaps: single bits of a string.
 *
 *     bit      0 1 2 3 4 5 6 7   8 9 ...
 *     byte     0                 1
 *     mask     80 40 20 ... 01   80 40 ...
 *
 * Bits behind the end of a string are zero. Writing one makes the string long enough first, with
 * `bitmapForWrite`; whole ranges are the affair of core/bits.
 */
import type { Database } from '../database.ts';
import type { Keyspace } from '../keyspace.ts';
import { type ByteView, ENC_RAW, encodingOf } from '../value.ts';
import { stringAddZeroes, stringLength, stringResize, stringView } from './string.ts';

/** The byte that holds bit `offset`, which may be past 2^32. */
export function byteOfBit(offset: number): number {
  return Math.floor(offset / 8);
}

/** Bit `offset` of the string that `view` shows: 0 or 1. */
export function bitmapGet(view: ByteView, offset: number): number {
  const byte = byteOfBit(offset);
  if (byte >= view.length) return 0;
  return (view.bytes[view.offset + byte]! >> (7 - (offset - byte * 8))) & 1;
}

/** Writes bit `offset` of the string that `view` shows, which is long enough. */
export function bitmapSet(view: ByteView, offset: number, bit: number): void {
  const byte = byteOfBit(offset);
  const at = view.offset + byte;
  const shift = 7 - (offset - byte * 8);
  view.bytes[at] = (view.bytes[at]! & ~(1 << shift)) | (bit << shift);
}

/**
 * Makes the string under a key at least `length` bytes long, raw, for bits to be changed in `view`;
 * it is created when `existing`, what `lookupWrite` returned for the key, is 0.
 */
export function bitmapForWrite(
  keyspace: Keyspace,
  db: Database,
  key: Uint8Array,
  keyOffset: number,
  keyLength: number,
  existing: number,
  length: number,
  view: ByteView,
): void {
  if (existing === 0) {
    stringAddZeroes(keyspace, db, key, keyOffset, keyLength, length, view);
    return;
  }
  const old = stringLength(keyspace, existing);
  if (old >= length && encodingOf(keyspace.arena, existing) === ENC_RAW) {
    keyspace.ownValue(existing);
    stringView(keyspace, existing, view);
  } else stringResize(keyspace, db, existing, Math.max(old, length), view);
}
