/** The forms in which Redis keeps small collections since 7.0, walked as they come. */
import {
  INTSET_HEAD_BYTES,
  intsetCompare,
  intsetCount,
  intsetRead,
  intsetSlot,
  intsetWidth,
} from '../../core/struct/intset.ts';
import {
  LP_EMPTY_BYTES,
  LP_HEAD_BYTES,
  lpBytes,
  lpEntryLength,
} from '../../core/struct/listpack.ts';
import { lpBehind } from '../../core/struct/listpack-valid.ts';
import type { ElementView } from '../../core/types/element-view.ts';
import { COUNT_UNKNOWN_16, PackedForm } from './packed-form.ts';

export class ListpackForm extends PackedForm {
  readonly name = 'listpack';
  protected readonly endBytes = 1;

  protected begin(): boolean {
    const { base, bytes, length } = this;
    if (length < LP_EMPTY_BYTES || lpBytes(bytes, base) !== length) return false;
    this.said = bytes[base + 4]! | (bytes[base + 5]! << 8);
    this.isExact = this.said !== COUNT_UNKNOWN_16;
    this.at = LP_HEAD_BYTES;
    return true;
  }

  pass(end: number): boolean {
    const { at, base } = this;
    const behind = at < end ? lpBehind(this.bytes, base + at, base + end) : -1;
    if (behind < 0) return false;
    this.at = behind - base;
    this.passed++;
    return true;
  }

  override skip(): boolean {
    this.at += lpEntryLength(this.bytes, this.base + this.at);
    this.passed++;
    return true;
  }

  show(at: number, _isSecond: boolean, view: ElementView): void {
    view.showListpack(this.bytes, this.base, at);
  }
}

export class IntsetForm extends PackedForm {
  readonly name = 'intset';
  protected readonly endBytes = 0;
  private width = 2;
  /** The integer that was passed last. */
  private low = 0;
  private high = 0;

  protected begin(): boolean {
    const { base, bytes, length } = this;
    if (length < INTSET_HEAD_BYTES) return false;
    this.width = intsetWidth(bytes, base);
    this.said = intsetCount(bytes, base);
    this.at = INTSET_HEAD_BYTES;
    const { said, width } = this;
    const isKnown = width === 2 || width === 4 || width === 8;
    return isKnown && said > 0 && INTSET_HEAD_BYTES + said * width === length;
  }

  pass(end: number): boolean {
    const { at, high, low, width } = this;
    if (at + width > end) return false;
    this.read(at);
    const isFirst = at === INTSET_HEAD_BYTES;
    if (!isFirst && intsetCompare(low, high, intsetSlot.low, intsetSlot.high) >= 0) return false;
    this.low = intsetSlot.low;
    this.high = intsetSlot.high;
    this.at = at + width;
    this.passed++;
    return true;
  }

  show(at: number, _isSecond: boolean, view: ElementView): void {
    this.read(at);
    view.showInteger(intsetSlot.low, intsetSlot.high);
  }

  private read(at: number): void {
    const { width } = this;
    intsetRead(this.bytes, this.base, width, (at - INTSET_HEAD_BYTES) / width);
  }
}
