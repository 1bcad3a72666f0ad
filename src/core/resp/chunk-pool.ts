/**
 * The chunks that replies are written to, used again and again: 16 KB each, and 2 KB for a crowd.
 *
 * Until a turn ends, all replies of it stand in chunks. A message to ten thousand subscribers in
 * chunks of 16 KB would take 160 MB, most of it to be allocated, cleared and collected each time
 * (measured: 24 us a message beside 5 now). So when CHUNKS_MAX clients hold one, others begin in a
 * small one, and go on in a large one when their replies are longer.
 */

/** Bytes of an ordinary chunk. */
export const CHUNK_BYTES = 16_384;
/** Ordinary chunks that replies may begin in, and that are kept. */
export const CHUNKS_MAX = 512;
/** Bytes of a small chunk; what is written in one piece is shorter. */
export const SMALL_BYTES = 2048;
const SMALL_MAX = 4096;

/** Chunks that no writer holds. One pool serves one loop. */
export class ChunkPool {
  private readonly free: Uint8Array[] = [];
  private readonly small: Uint8Array[] = [];
  private readonly views = new WeakMap<Uint8Array, DataView>();
  /** Ordinary chunks that were made for the beginning of replies. */
  private made = 0;

  /** A chunk for the beginning of a client's replies. */
  take(): Uint8Array {
    const chunk = this.free.pop();
    if (chunk !== undefined) return chunk;
    if (this.made === CHUNKS_MAX) return this.small.pop() ?? new Uint8Array(SMALL_BYTES);
    this.made++;
    return new Uint8Array(CHUNK_BYTES);
  }

  /** A chunk to go on in. */
  takeNext(): Uint8Array {
    return this.free.pop() ?? new Uint8Array(CHUNK_BYTES);
  }

  /** A chunk as a DataView, which stays with it. */
  viewOf(chunk: Uint8Array): DataView {
    const known = this.views.get(chunk);
    if (known !== undefined) return known;
    const view = new DataView(chunk.buffer);
    this.views.set(chunk, view);
    return view;
  }

  give(chunk: Uint8Array): void {
    if (chunk.length === CHUNK_BYTES) {
      if (this.free.length < CHUNKS_MAX) this.free.push(chunk);
    } else if (chunk.length === SMALL_BYTES && this.small.length < SMALL_MAX) {
      this.small.push(chunk);
    }
  }
}

/** A chunk that is full, or as full as it will get. */
export interface FullChunk {
  readonly bytes: Uint8Array;
  length: number;
  /** It belongs to others as well, not to the pool. */
  readonly shared: boolean;
}
