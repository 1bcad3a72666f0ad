/**
 * The arguments of one command: `count` ranges of bytes, borrowed from wherever they arrived.
 *
 * Argument i is `bytes[i]` from `offsets[i]`, `lengths[i]` long. Most often all share one receive
 * buffer; a very large argument has a buffer of its own. One object is used over and over, so
 * nothing is allocated for a command; what is to outlive the command must be copied.
 */
import { latin1Text } from '../text/latin1.ts';

const FIRST_ROOM = 16;
/** Room for more goes when a command is done with: that of a million takes 8 MB. */
const KEPT_ROOM = 1 << 14;

export class Args {
  count = 0;
  readonly bytes: Uint8Array[] = [];
  offsets = new Int32Array(FIRST_ROOM);
  lengths = new Int32Array(FIRST_ROOM);

  /** Adds an argument. */
  push(bytes: Uint8Array, offset: number, length: number): void {
    const i = this.count++;
    if (i === this.offsets.length) this.grow();
    if (this.bytes[i] !== bytes) this.bytes[i] = bytes;
    this.offsets[i] = offset;
    this.lengths[i] = length;
  }

  clear(): void {
    this.count = 0;
  }

  /** Forgets the buffers, and the room for very many, so that they can be collected. */
  release(): void {
    this.count = 0;
    this.bytes.length = 0;
    if (this.offsets.length <= KEPT_ROOM) return;
    this.offsets = new Int32Array(FIRST_ROOM);
    this.lengths = new Int32Array(FIRST_ROOM);
  }

  /**
   * The argument, or its first `most` bytes, as a string of one character a byte; of one that is
   * longer than text may be, its beginning (latin1.ts).
   */
  text(i: number, most = this.lengths[i]!): string {
    return latin1Text(this.bytes[i]!, this.offsets[i]!, Math.min(most, this.lengths[i]!));
  }

  /**
   * The argument as error texts show it: up to its first zero byte, which is where Redis ends it.
   */
  shown(i: number): string {
    const text = this.text(i);
    const end = text.indexOf('\0');
    return end < 0 ? text : text.slice(0, end);
  }

  /** A copy of the argument. */
  copy(i: number): Uint8Array {
    const from = this.offsets[i]!;
    return this.bytes[i]!.slice(from, from + this.lengths[i]!);
  }

  /** A copy of all arguments that owns its bytes. */
  copies(): Args {
    const args = new Args();
    for (let i = 0; i < this.count; i++) args.push(this.copy(i), 0, this.lengths[i]!);
    return args;
  }

  /** Whether the argument is `word` (lower case, ASCII), whatever its own case. */
  is(i: number, word: string): boolean {
    const length = this.lengths[i]!;
    if (length !== word.length) return false;
    const bytes = this.bytes[i]!;
    const from = this.offsets[i]!;
    for (let k = 0; k < length; k++) {
      let c = bytes[from + k]!;
      if (c >= 65 && c <= 90) c += 32;
      if (c !== word.charCodeAt(k)) return false;
    }
    return true;
  }

  /** Replaces the arguments by copies of `words`. */
  setTo(words: readonly Uint8Array[]): void {
    this.count = 0;
    for (const word of words) this.push(word, 0, word.length);
  }

  private grow(): void {
    const offsets = new Int32Array(this.offsets.length * 2);
    const lengths = new Int32Array(this.lengths.length * 2);
    offsets.set(this.offsets);
    lengths.set(this.lengths);
    this.offsets = offsets;
    this.lengths = lengths;
  }
}
