/**
 * Bytes of a large string that were read before it was known what becomes of it, set aside to be
 * read once more (rdb-large.ts):
 *
 *     [ given back ][ piece | piece | piece, not full yet ]
 *                    ^ at                  ^ end
 *
 *     add    puts bytes behind the others
 *     take   reads some from the front; a piece that was read is given back at once, so that
 *            whoever reads may keep them without their ever being there twice
 *
 * A piece is a resizable buffer, since only such a one gives its memory back at once.
 */
const PIECE_BYTES = 1 << 22;
/** No more is taken at a time. */
const TAKEN_BYTES_MAX = 1 << 20;

export class SetAside {
  readonly #pieces: ArrayBuffer[] = [];
  /** The piece in which is read: how many went before it. */
  #first = 0;
  /** Position in that piece, and the end of what is in the last one. */
  #at = 0;
  #end = PIECE_BYTES;

  get isEmpty(): boolean {
    const { length } = this.#pieces;
    return this.#first === length || (this.#first === length - 1 && this.#at === this.#end);
  }

  /** Copies what is in `bytes` from `from` to `end`. */
  add(bytes: Uint8Array, from: number, end: number): void {
    for (let at = from; at < end; ) {
      if (this.#end === PIECE_BYTES) {
        this.#pieces.push(new ArrayBuffer(PIECE_BYTES, { maxByteLength: PIECE_BYTES }));
        this.#end = 0;
      }
      const size = Math.min(end - at, PIECE_BYTES - this.#end);
      new Uint8Array(this.#pieces.at(-1)!).set(bytes.subarray(at, at + size), this.#end);
      this.#end += size;
      at += size;
    }
  }

  /** Moves up to `most` bytes to `to[offset]`: their number, at least one if there are any. */
  take(to: Uint8Array, offset: number, most: number): number {
    if (this.isEmpty) return 0;
    const piece = this.#pieces[this.#first]!;
    const end = this.#first === this.#pieces.length - 1 ? this.#end : PIECE_BYTES;
    const size = Math.min(most, end - this.#at, TAKEN_BYTES_MAX);
    to.set(new Uint8Array(piece, this.#at, size), offset);
    this.#at += size;
    if (this.#at === end) this.#giveBack(piece);
    return size;
  }

  #giveBack(piece: ArrayBuffer): void {
    piece.resize(0);
    this.#first++;
    this.#at = 0;
  }
}
