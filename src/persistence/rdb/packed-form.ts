/**
 * A compact form of a collection, walked string by string: as a whole, or while it comes, of a
 * large one, in a window that moves over it (rdb-window.ts).
 *
 *     [ head ][ passed ............. ][ at ........ ][ end ]
 *     ^ base, where it would be: a window may have left it behind      positions count from there
 *
 * The bytes come from outside. `start` looks at the head, `pass` at one string after the other, and
 * `isSound` says whether what was passed is what the head has promised, and the end is there: all
 * three together are the look at the whole.
 */
import type { ElementView } from '../../core/types/element-view.ts';

/** What a head has in 16 bits that does not tell how many strings follow: no fewer than these. */
export const COUNT_UNKNOWN_16 = 0xffff;
const END = 0xff;

export abstract class PackedForm {
  bytes: Uint8Array = new Uint8Array(0);
  base = 0;
  length = 0;
  /** Position of the string that comes next, and how many were passed. */
  at = 0;
  passed = 0;
  /** How many strings the head promises; or, if that is not exact, at least. */
  said = 0;
  isExact = true;
  /** What errors call it. */
  abstract readonly name: string;
  /** Bytes behind the last string: 1 for the mark of the end, or 0. */
  protected abstract readonly endBytes: number;

  /** Stands before the first string of `length` bytes. False when their head is damaged. */
  start(bytes: Uint8Array, base: number, length: number): boolean {
    this.bytes = bytes;
    this.base = base;
    this.length = length;
    this.passed = 0;
    return this.begin();
  }

  /** Where the last string has to end. */
  get last(): number {
    return this.length - this.endBytes;
  }

  /** Reads the head, and sets `at`, `said` and `isExact`. */
  protected abstract begin(): boolean;

  /** Passes over the next string; false when it is damaged, or does not end by `end`. */
  abstract pass(end: number): boolean;

  /**
   * Passes over the next string by its head, which is at hand, and looks at no more of it. False
   * when there is no such head. Only forms whose head may not tell how many they are can do this.
   */
  skip(): boolean {
    return false;
  }

  /** Shows a string that was passed, at `at`: the first of a pair or of one, or the second. */
  abstract show(at: number, isSecond: boolean, view: ElementView): void;

  /** Whether all is right, when the last string was passed. */
  isSound(): boolean {
    const { at, last, passed, said } = this;
    const hasEnd = last === this.length || this.bytes[this.base + last] === END;
    return at === last && hasEnd && (said === passed || !this.isExact);
  }

  /** Whether `length` bytes that are at hand are sound. */
  protected isWhole(bytes: Uint8Array, base: number, length: number): boolean {
    if (!this.start(bytes, base, length)) return false;
    const { last } = this;
    while (this.at < last) if (!this.pass(last)) return false;
    return this.isSound();
  }

  /** The number in four bytes at `at`, little endian. */
  protected uint32(at: number): number {
    const { bytes } = this;
    const from = this.base + at;
    return (
      (bytes[from]! |
        (bytes[from + 1]! << 8) |
        (bytes[from + 2]! << 16) |
        (bytes[from + 3]! << 24)) >>>
      0
    );
  }
}
