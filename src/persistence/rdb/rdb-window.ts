/**
 * A large collection in a compact form, element by element as its bytes come: what is to become
 * something else is never there as a whole.
 *
 *     the string   [ dropped .......... | window ................ | still to be read ]
 *     window                     bytes  [ history | next ..  end | room ]
 *                   ^ base, which is negative once bytes were dropped
 *
 * An element is one string of the form, or a pair of them. The history is what a compressed string
 * may still copy from. The window grows where an element does not fit into it, a large one in place
 * and by pieces. Where the string stays, or becomes something else in its place, all of its block
 * is the window.
 *
 *     next   shows the next element. False at the end of what is at hand
 *     fill   brings more. False when there is nothing to bring
 *     part   leaves a large element behind, alone, and begins a small window with what follows
 *     setAside
 *            keeps all bytes beside from now on, and only counts them (`countSoFar`)
 *     again  shows them once more from the first on, as if they came now
 *     move   brings that element to its place, from its end on, and gives back what has moved, so
 *            that it is never held twice: only a resizable buffer can
 */
import { LZF_REACH_BYTES } from '../../core/struct/lzf.ts';
import { ElementView } from '../../core/types/element-view.ts';
import type { PackedForm } from './packed-form.ts';
import { LARGE_BYTES_MIN, type LargeString } from './rdb-large.ts';
import type { RdbReader } from './rdb-reader.ts';
import { SetAside } from './rdb-set-aside.ts';

const WINDOW_BYTES = 1 << 18;
/** Less than this is not worth a piece. */
const ROOM_BYTES_MIN = 1 << 16;
/** So much a large window grows at a time, and so much of an element moves. */
const PIECE_BYTES = 1 << 20;
/** No string's head has more bytes. */
const HEAD_BYTES_MAX = 16;
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
  /** The buffer of a large window, and that of an element that was parted from it. */
  #growing: ArrayBuffer | null = null;
  #parted: ArrayBuffer | null = null;
  #setAside: SetAside | null = null;
  /** Where the next element begins, and its second string, once the first was passed. */
  #at = 0;
  #secondAt = 0;

  constructor(large: LargeString) {
    this.#large = large;
  }

  /** Begins with the string that the large one has begun, whose first bytes are at hand. */
  open(reader: RdbReader, form: PackedForm, isPair: boolean): boolean {
    this.#form = form;
    this.#isPair = isPair;
    return this.#begin(reader, form);
  }

  #begin(reader: RdbReader, form: PackedForm): boolean {
    this.isComplete = false;
    this.#bytes = new Uint8Array(WINDOW_BYTES);
    this.#base = 0;
    this.#isBlock = false;
    this.#growing = null;
    this.#setAside = null;
    this.#at = 0;
    this.#secondAt = 0;
    this.second.length = 0;
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

  /** Whether the element that `next` has shown is to be parted from what follows. */
  get isLarge(): boolean {
    return this.#growing !== null && this.first.length + this.second.length >= LARGE_BYTES_MIN;
  }

  /** How many strings the head promises, at least. */
  get said(): number {
    return this.#form!.said;
  }

  /** Whether that is how many there are. */
  get isCounted(): boolean {
    return this.#form!.isExact;
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

  /** Sets aside what came so far, of which nothing was dropped yet, and what comes. */
  setAside(): void {
    this.#setAside = new SetAside();
    this.#setAside.add(this.#bytes, 0, this.#large.filled);
    this.skip();
  }

  /** How many strings began so far, by their heads; infinitely many when one has none. */
  countSoFar(): number {
    const form = this.#form!;
    const end = this.isComplete ? form.last : this.#large.filled - HEAD_BYTES_MAX;
    while (form.at < end) if (!form.skip()) return Number.POSITIVE_INFINITY;
    return form.passed;
  }

  /** Begins once more, with what was set aside. */
  again(reader: RdbReader): void {
    this.#large.again(this.#setAside!);
    this.#begin(reader, this.#form!);
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
    this.#setAside?.add(this.#bytes, this.#base + had, this.#base + large.filled);
    return large.filled > had || this.isComplete;
  }

  /** From where on the bytes are still needed. */
  #neededFrom(had: number): number {
    return Math.min(this.#at, Math.max(had - LZF_REACH_BYTES, 0));
  }

  /** Moves what is still needed to the front of a window that has room for more: how much. */
  #makeRoom(had: number): number {
    const needed = this.#neededFrom(had);
    const kept = had - needed;
    const from = needed + this.#base;
    const old = this.#bytes;
    const bytes = old.length - kept < ROOM_BYTES_MIN ? this.#enlarged(old) : old;
    if (bytes !== old) bytes.set(old.subarray(from, from + kept));
    else if (from > 0) old.copyWithin(0, from, from + kept);
    this.#see(bytes, -needed);
    return bytes.length - kept;
  }

  /** A larger window, still empty; or the same one, if it can grow. */
  #enlarged(old: Uint8Array): Uint8Array {
    if (old.length < LARGE_BYTES_MIN) return new Uint8Array(old.length * 2);
    const maxByteLength = this.#large.length + ROOM_BYTES_MIN;
    const buffer = this.#growing ?? new ArrayBuffer(0, { maxByteLength });
    buffer.resize(Math.min(old.length + PIECE_BYTES, maxByteLength));
    if (this.#growing !== null) return old;
    this.#growing = buffer;
    return new Uint8Array(buffer);
  }

  part(): void {
    const had = this.#large.filled;
    const from = this.#neededFrom(had);
    const rest = this.#bytes.subarray(from + this.#base, had + this.#base);
    const bytes = new Uint8Array(Math.max(WINDOW_BYTES, rest.length + ROOM_BYTES_MIN));
    bytes.set(rest);
    this.#parted = this.#growing;
    this.#growing = null;
    this.#see(bytes, -from);
  }

  /** The first string goes to `to[offset]`, the second behind it. True when all has moved. */
  move(to: Uint8Array, offset: number): boolean {
    const { first, second } = this;
    const isSecond = second.length > 0;
    const view = isSecond ? second : first;
    const piece = Math.min(PIECE_BYTES, view.length);
    view.length -= piece;
    const from = view.offset + view.length;
    const at = offset + view.length + (isSecond ? first.length : 0);
    to.set(view.bytes.subarray(from, from + piece), at);
    if (view.bytes.buffer === this.#parted) this.#parted.resize(from);
    return first.length + second.length === 0;
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
    this.#growing = null;
    this.#parted = null;
    this.#setAside = null;
  }
}
