/**
 * A borrowed view of one element of a collection, as bytes, whatever keeps it: integers of
 * listpacks and intsets are written out into a scratch that each view has of its own, so that two
 * of them (a field and its value) can be held at once.
 */
import { lpElement, lpGet } from '../struct/listpack.ts';
import { writeInt64 } from '../text/integer.ts';
import { ByteView } from '../value.ts';

const DIGITS_ROOM = 24;

export class ElementView extends ByteView {
  private readonly digits = new Uint8Array(DIGITS_ROOM);

  /** Shows `length` bytes of `bytes` from `offset`. */
  show(bytes: Uint8Array, offset: number, length: number): void {
    this.bytes = bytes;
    this.offset = offset;
    this.length = length;
  }

  /** Shows the entry at `at` of a listpack. */
  showListpack(bytes: Uint8Array, base: number, at: number): void {
    lpGet(bytes, base, at);
    const { low, high, length, offset, isInteger } = lpElement;
    if (isInteger) this.showInteger(low, high);
    else this.show(bytes, offset, length);
  }

  /** Shows the decimal text of a 64-bit integer, given as two words. */
  showInteger(low: number, high: number): void {
    this.bytes = this.digits;
    this.offset = 0;
    this.length = writeInt64(this.digits, 0, low, high);
  }
}
