/**
 * Reading zipmaps: how servers before 2.6 kept small hashes.
 *
 *     [ pairs u8 ][ pair ][ pair ] ... [ 0xff ]
 *
 *     pair     [ length ][ field ][ length ][ unused u8 ][ value ][ unused bytes ]
 *
 *     length   1 byte up to 253, or 0xfe and u32 little endian
 *
 * A length that fits one byte is never written in five: that is damage, or was made to mislead.
 *
 * 254 pairs or more means "count them". The bytes come from outside: `open` walks all of them
 * first; a large one is walked as it comes (packed-form.ts).
 *
 * Source: the head comment of zipmap.c of Redis.
 */
import type { ElementView } from '../../core/types/element-view.ts';
import { PackedForm } from './packed-form.ts';

const HEAD_BYTES = 1;
const END = 0xff;
const WIDE_LENGTH = 0xfe;
const MANY_PAIRS = 254;

export class ZipmapReader extends PackedForm {
  readonly name = 'zipmap';
  protected readonly endBytes = 1;
  /** What the last `measure` found: where the text is, its length, and where all of it ends. */
  private textAt = 0;
  private textLength = 0;
  private behind = 0;

  /** Number of pairs. */
  get count(): number {
    return this.passed >>> 1;
  }

  /** Stands before the first pair of `length` bytes. False when they are no sound zipmap. */
  open(bytes: Uint8Array, base: number, length: number): boolean {
    const isSound = this.isWhole(bytes, base, length) && this.passed % 2 === 0;
    this.at = HEAD_BYTES;
    return isSound;
  }

  /** Shows the next pair; false at the end. */
  next(field: ElementView, value: ElementView): boolean {
    if (this.bytes[this.base + this.at] === END) return false;
    this.show(this.at, false, field);
    this.show(this.behind, true, value);
    this.at = this.behind;
    return true;
  }

  protected begin(): boolean {
    const pairs = this.bytes[this.base]!;
    this.said = pairs * 2;
    this.isExact = pairs < MANY_PAIRS;
    this.at = HEAD_BYTES;
    return this.length > HEAD_BYTES;
  }

  pass(end: number): boolean {
    if (!this.measure(this.at, this.passed % 2 === 1, end)) return false;
    this.at = this.behind;
    this.passed++;
    return true;
  }

  show(at: number, isSecond: boolean, view: ElementView): void {
    this.measure(at, isSecond, Number.MAX_SAFE_INTEGER);
    view.show(this.bytes, this.base + this.textAt, this.textLength);
  }

  /** Finds the parts of the field or value at `at`, which must end at `end` or before. */
  private measure(at: number, isValue: boolean, end: number): boolean {
    this.textLength = this.textLengthAt(at, end);
    if (this.textLength < 0) return false;
    this.textAt = at + this.lengthBytes(at);
    this.behind = this.textAt + this.textLength;
    if (isValue) {
      if (this.textAt >= end) return false;
      this.behind += 1 + this.bytes[this.base + this.textAt]!;
      this.textAt++;
    }
    return this.behind <= end;
  }

  private lengthBytes(at: number): number {
    return this.bytes[this.base + at]! < WIDE_LENGTH ? 1 : 5;
  }

  /** The length at `at`, -1 when there is none. */
  private textLengthAt(at: number, end: number): number {
    if (at >= end || at + this.lengthBytes(at) > end) return -1;
    const first = this.bytes[this.base + at]!;
    if (first < WIDE_LENGTH) return first;
    if (first === END) return -1;
    const length = this.uint32(at + 1);
    return length < WIDE_LENGTH ? -1 : length;
  }
}
