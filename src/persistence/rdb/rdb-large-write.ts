/**
 * A large string that is written piece by piece, so that who writes it may wait
 * in between until the bytes before have left: all of it at once would stand in memory twice.
 *
 *     string ; while it `isOpen`: piece, piece, ... until it says that this was the last
 *
 * In between nothing else may be written to the same place, and the bytes must stay as they are.
 */
import type { FrameWriter } from './rdb-frame-writer.ts';
import { LARGE_BYTES_MIN } from './rdb-large.ts';

const PIECE_BYTES = 1 << 16;

export class LargeWrite {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #left = 0;

  /** Whether pieces are still to come. */
  get isOpen(): boolean {
    return this.#left > 0;
  }

  /** Writes a string, of a large one only what stands in front of it: then pieces are to come. */
  string(writer: FrameWriter, bytes: Uint8Array, offset: number, length: number): void {
    if (length < LARGE_BYTES_MIN) {
      writer.string(bytes, offset, length);
      return;
    }
    writer.openString(length);
    this.#bytes = bytes;
    this.#at = offset;
    this.#left = length;
  }

  /** Writes the next piece. True when that was the last. */
  piece(writer: FrameWriter): boolean {
    const length = Math.min(this.#left, PIECE_BYTES);
    writer.stringPiece(this.#bytes, this.#at, length);
    this.#at += length;
    this.#left -= length;
    if (this.#left === 0) this.#bytes = new Uint8Array(0);
    return this.#left === 0;
  }
}
