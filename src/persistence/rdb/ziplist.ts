/**
 * Reading ziplists: how servers before 7.0 kept small lists, hashes and sorted sets, and how their
 * RDB files still carry them.
 *
 *     [ total bytes u32 ][ offset of the last entry u32 ][ entries u16 ][ entry ] ... [ 0xff ]
 *
 *     entry    [ length of the entry before: 1 byte, or 0xfe and u32 ][ encoding and data ]
 *
 *     00LLLLLL <bytes>              string of up to 63 bytes
 *     01LLLLLL LLLLLLLL <bytes>     string of up to 16,383 bytes
 *     10000000 u32 <bytes>          string; this length is big endian, as are the 14 bits
 *     11000000 i16 | 11010000 i32 | 11100000 i64 | 11110000 i24 | 11111110 i8
 *     1111VVVV                      integer VVVV - 1, VVVV from 1 to 13
 *
 * All other numbers are little endian. 65,535 entries means "count them".
 *
 * The bytes come from outside, so `open` first walks all of them: every size and every length of
 * the entry before must agree, the last entry must be where the head says. Then `next` needs no
 * care. A large one is walked as it comes (packed-form.ts).
 *
 * Source: the head comment of ziplist.c of Redis.
 */
import type { ElementView } from '../../core/types/element-view.ts';
import { COUNT_UNKNOWN_16, PackedForm } from './packed-form.ts';
import { bigEndian32 } from './rdb-format.ts';

const HEAD_BYTES = 10;
const END = 0xff;
const WIDE_BACK = 0xfe;

export class ZiplistReader extends PackedForm {
  readonly name = 'ziplist';
  protected readonly endBytes = 1;
  /** Where the last entry is said to be, where it is so far, and how long. */
  private saidLast = 0;
  private lastAt = 0;
  private before = 0;
  /** What the last `measure` found: where the data begin, and how long they are. */
  private dataAt = 0;
  private dataLength = 0;

  /** Number of entries. */
  get count(): number {
    return this.passed;
  }

  /** Stands before the first entry of `length` bytes. False when they are no sound ziplist. */
  open(bytes: Uint8Array, base: number, length: number): boolean {
    const isSound = this.isWhole(bytes, base, length);
    this.at = HEAD_BYTES;
    return isSound;
  }

  protected begin(): boolean {
    const { base, bytes, length } = this;
    if (length < HEAD_BYTES + 1 || this.uint32(0) !== length) return false;
    this.saidLast = this.uint32(4);
    this.said = bytes[base + 8]! | (bytes[base + 9]! << 8);
    this.isExact = this.said !== COUNT_UNKNOWN_16;
    this.at = HEAD_BYTES;
    this.lastAt = HEAD_BYTES;
    this.before = 0;
    return true;
  }

  pass(end: number): boolean {
    const { at, base, bytes } = this;
    const first = bytes[base + at]!;
    const kind = bytes[base + at + 1]!;
    let size: number;
    // Most are strings of up to 63 bytes behind an entry of less than 254.
    if (first < WIDE_BACK && kind < 0x40) {
      size = 2 + kind;
      if (at + size > end || first !== this.before) return false;
    } else {
      if (!this.measure(at, end) || this.backLength(at) !== this.before) return false;
      size = this.dataAt + this.dataLength - at;
    }
    this.lastAt = at;
    this.before = size;
    this.at = at + size;
    this.passed++;
    return true;
  }

  override skip(): boolean {
    if (!this.measure(this.at, Number.MAX_SAFE_INTEGER)) return false;
    this.at = this.dataAt + this.dataLength;
    this.passed++;
    return true;
  }

  override isSound(): boolean {
    return super.isSound() && this.saidLast === this.lastAt;
  }

  /** Shows the next entry; false at the end. */
  next(view: ElementView): boolean {
    if (this.bytes[this.base + this.at] === END) return false;
    this.show(this.at, false, view);
    this.at = this.dataAt + this.dataLength;
    return true;
  }

  show(at: number, _isSecond: boolean, view: ElementView): void {
    const { bytes, base } = this;
    this.measure(at, Number.MAX_SAFE_INTEGER);
    const kind = bytes[base + at + this.backBytes(at)]!;
    if (kind < 0xc0) view.show(bytes, base + this.dataAt, this.dataLength);
    else this.showInteger(kind, view);
  }

  private showInteger(kind: number, view: ElementView): void {
    if (this.dataLength === 0) {
      view.showInteger((kind & 15) - 1, 0);
      return;
    }
    let low = 0;
    const from = this.base + this.dataAt;
    const bytes = Math.min(this.dataLength, 4);
    for (let i = 0; i < bytes; i++) low |= this.bytes[from + i]! << (i * 8);
    const unused = 32 - bytes * 8;
    low = (low << unused) >> unused;
    view.showInteger(low, this.dataLength === 8 ? this.uint32(this.dataAt + 4) | 0 : low >> 31);
  }

  /** Finds the data of the entry at `at`, which must end before `end`. */
  private measure(at: number, end: number): boolean {
    const { bytes, base } = this;
    const start = at + this.backBytes(at);
    if (start >= end) return false;
    const kind = bytes[base + start]!;
    const head = kind < 0x40 || kind >= 0xc0 ? 1 : kind < 0x80 ? 2 : 5;
    if (start + head > end) return false;
    if (kind < 0x40) this.dataLength = kind;
    else if (kind < 0x80) this.dataLength = ((kind & 63) << 8) | bytes[base + start + 1]!;
    else if (kind === 0x80) this.dataLength = bigEndian32(this.bytes, this.base + start + 1);
    else this.dataLength = integerBytes(kind);
    this.dataAt = start + head;
    return this.dataLength >= 0 && this.dataAt + this.dataLength <= end;
  }

  private backBytes(at: number): number {
    return this.bytes[this.base + at]! < WIDE_BACK ? 1 : 5;
  }

  private backLength(at: number): number {
    const first = this.bytes[this.base + at]!;
    if (first < WIDE_BACK) return first;
    return first === WIDE_BACK ? this.uint32(at + 1) : -1;
  }
}

/** Bytes of an integer's data, -1 for a kind that there is not. */
function integerBytes(kind: number): number {
  switch (kind) {
    case 0xc0:
      return 2;
    case 0xd0:
      return 4;
    case 0xe0:
      return 8;
    case 0xf0:
      return 3;
    case 0xfe:
      return 1;
    default:
      return kind > 0xf0 && kind <= 0xfd ? 0 : -1;
  }
}
