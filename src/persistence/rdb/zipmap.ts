/**
 * Reading zipmaps: how servers before 2.6 kept small hashes.
 *
 *     [ pairs u8 ][ pair ][ pair ] ... [ 0xff ]
 *
 *     pair     [ length ][ field ][ length ][ unused u8 ][ value ][ unused bytes ]
 *
 *     length   1 byte up to 253, or 0xfe and u32 little endian
 *
 * 254 pairs or more means "count them". The bytes come from outside: `open` walks all of them
 * first.
 *
 * Source: the head comment of zipmap.c of Redis.
 */
import type { ElementView } from '../../core/types/element-view.ts';

const END = 0xff;
const WIDE_LENGTH = 0xfe;
const COUNT_UNKNOWN = 254;

export class ZipmapReader {
  /** Number of pairs. */
  count = 0;
  private bytes: Uint8Array = new Uint8Array(0);
  private base = 0;
  private at = 0;
  /** What the last `measure` found, and where the pair ends. */
  private fieldAt = 0;
  private fieldLength = 0;
  private valueAt = 0;
  private valueLength = 0;
  private pairEnd = 0;

  /** Stands before the first pair of `length` bytes. False when they are no sound zipmap. */
  open(bytes: Uint8Array, base: number, length: number): boolean {
    this.bytes = bytes;
    this.base = base;
    this.at = 1;
    this.count = 0;
    if (length < 2 || bytes[base + length - 1] !== END) return false;
    let at = 1;
    while (at < length - 1) {
      if (!this.measure(at, length - 1)) return false;
      at = this.pairEnd;
      this.count++;
    }
    const said = bytes[base]!;
    return at === length - 1 && (said >= COUNT_UNKNOWN || said === this.count);
  }

  /** Shows the next pair; false at the end. */
  next(field: ElementView, value: ElementView): boolean {
    const { bytes, base } = this;
    if (bytes[base + this.at] === END) return false;
    this.measure(this.at, Number.MAX_SAFE_INTEGER);
    field.show(bytes, base + this.fieldAt, this.fieldLength);
    value.show(bytes, base + this.valueAt, this.valueLength);
    this.at = this.pairEnd;
    return true;
  }

  /** Finds the parts of the pair at `at`, which must end at `end` or before. */
  private measure(at: number, end: number): boolean {
    this.fieldLength = this.length(at, end);
    if (this.fieldLength < 0) return false;
    this.fieldAt = at + this.lengthBytes(at);
    const second = this.fieldAt + this.fieldLength;
    this.valueLength = this.length(second, end);
    if (this.valueLength < 0) return false;
    const unusedAt = second + this.lengthBytes(second);
    if (unusedAt >= end) return false;
    this.valueAt = unusedAt + 1;
    this.pairEnd = this.valueAt + this.valueLength + this.bytes[this.base + unusedAt]!;
    return this.pairEnd <= end;
  }

  private lengthBytes(at: number): number {
    return this.bytes[this.base + at]! < WIDE_LENGTH ? 1 : 5;
  }

  /** The length at `at`, -1 when there is none. */
  private length(at: number, end: number): number {
    if (at >= end || at + this.lengthBytes(at) > end) return -1;
    const { bytes } = this;
    const from = this.base + at;
    const first = bytes[from]!;
    if (first < WIDE_LENGTH) return first;
    if (first === END) return -1;
    return (
      (bytes[from + 1]! |
        (bytes[from + 2]! << 8) |
        (bytes[from + 3]! << 16) |
        (bytes[from + 4]! << 24)) >>>
      0
    );
  }
}
