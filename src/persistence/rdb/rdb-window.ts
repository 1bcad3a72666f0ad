/**
 * A large collection in a compact form, element by element as its bytes come: what is to become
 * something else is never there as a whole.
 *
 *     the string   [ dropped .......... | window ................ | still to be read ]
 *     window                     bytes  [ history | next ..  end | room ]
 *                   ^ base, which is negative once bytes were dropped
 *
 * An element is one string of the form, or a pair of them. The history is what a compressed string
 * may still copy from. The window grows where an element does not fit into it. Where the string
 * stays, or becomes something else in its place, all of its block is the window.
 *
 *     next   shows the next element. False at the end of what is at hand
 *     fill   brings more. False when there is nothing to bring
 */
import { LZF_REACH_BYTES } from '../../core/struct/lzf.ts';
import { ElementView } from '../../core/types/element-view.ts';
import type { PackedForm } from './packed-form.ts';
import type { LargeString } from './rdb-large.ts';
import type { RdbReader } from './rdb-reader.ts';

const WINDOW_BYTES = 1 << 18;
/** Less than this is not worth a piece. */
const ROOM_BYTES_MIN = 1 << 16;
const NO_BYTES = new Uint8Array(0);

export class PackedWindow {
  /** The element that `next` has shown; of one string, the first. */
  readonly first = new ElementView();
  readonly second = new ElementView();
  /** Whether all bytes have come. */
  isComplete = false;
  readonly #large: LargeString;
  #form: PackedForm | null = null;
  #isPair = false;
  #bytes: Uint8Array = NO_BYTES;
  #base = 0;
  /** Whether the bytes are all of a block, which the string has for itself. */
  #isBlock = false;
  /** Where the next element begins, and its second string, once the first was passed. */
  #at = 0;
  #secondAt = 0;

  constructor(large: LargeString) {
    this.#large = large;
  }

  /** Begins with the string that the large one has begun, whose first bytes are at hand. */
  open(reader: RdbReader, form: PackedForm, isPair: boolean): boolean {
    this.isComplete = false;
    this.#form = form;
    this.#isPair = isPair;
    this.#bytes = new Uint8Array(WINDOW_BYTES);
    this.#base = 0;
    this.#isBlock = false;
    this.#at = 0;
    this.#secondAt = 0;
    this.fill(reader);
    const isSound = form.start(this.#bytes, 0, this.#large.length);
    this.#at = form.at;
    return isSound;
  }

  /** Bytes of the elements so far. */
  get offset(): number {
    return this.#at;
  }

  /** Bytes that are still to come. */
  get bytesLeftMax(): number {
    return this.#large.length - this.#at;
  }

  /** How many strings the head promises, at least. */
  get said(): number {
    return this.#form!.said;
  }

  /** How many elements are still to come, as far as the head has told. */
  get left(): number {
    const { isExact, passed, said } = this.#form!;
    return isExact ? (said - passed) / (this.#isPair ? 2 : 1) : Number.POSITIVE_INFINITY;
  }

  /** Moves what came so far, of which nothing was dropped yet, to where all of it goes. */
  moveTo(bytes: Uint8Array, offset: number): void {
    bytes.set(this.#bytes.subarray(0, this.#large.filled), offset);
    this.#isBlock = true;
    this.#see(bytes, offset);
  }

  next(): boolean {
    const form = this.#form!;
    const end = Math.min(this.#large.filled, form.last);
    if (this.#secondAt === 0) {
      if (form.at >= end || !form.pass(end)) return false;
      this.#secondAt = form.at;
    }
    if (this.#isPair) {
      if (form.at >= end || !form.pass(end)) return false;
      form.show(this.#secondAt, true, this.second);
    }
    form.show(this.#at, false, this.first);
    this.#at = form.at;
    this.#secondAt = 0;
    return true;
  }

  /** Whether the elements have come to a sound end. */
  isSound(): boolean {
    return this.#secondAt === 0 && this.#form!.isSound();
  }

  /** Looks at no more of it: `fill` brings the rest and drops it. */
  skip(): void {
    this.#at = Number.POSITIVE_INFINITY;
  }

  fill(reader: RdbReader): boolean {
    const large = this.#large;
    const had = large.filled;
    const room = this.#isBlock ? Number.POSITIVE_INFINITY : this.#makeRoom(had);
    this.isComplete = large.fill(reader, this.#bytes, this.#base, room);
    return large.filled > had || this.isComplete;
  }

  /** Moves what is still needed to the front of a window that has room for more: how much. */
  #makeRoom(had: number): number {
    const kept = had - Math.min(this.#at, Math.max(had - LZF_REACH_BYTES, 0));
    const from = had - kept + this.#base;
    const old = this.#bytes;
    const isLow = old.length - kept < ROOM_BYTES_MIN;
    const bytes = isLow ? new Uint8Array(old.length * 2) : old;
    if (bytes === old) old.copyWithin(0, from, from + kept);
    else bytes.set(old.subarray(from, from + kept));
    this.#see(bytes, kept - had);
    return bytes.length - kept;
  }

  #see(bytes: Uint8Array, base: number): void {
    const form = this.#form!;
    this.#bytes = bytes;
    this.#base = base;
    form.bytes = bytes;
    form.base = base;
  }

  /** Gives the window up. */
  close(): void {
    this.#form = null;
    this.#bytes = NO_BYTES;
  }
}
