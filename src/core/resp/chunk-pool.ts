/** The chunks that replies are written to: 16 KB each, used again and again. */

/** Bytes of an ordinary chunk. */
const CHUNK_BYTES = 16_384;
const POOL_MAX = 512;

/** Chunks that no writer holds. One pool serves one loop. */
export class ChunkPool {
  private readonly free: Uint8Array[] = [];
  private readonly views = new WeakMap<Uint8Array, DataView>();

  take(): Uint8Array {
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
    if (chunk.length === CHUNK_BYTES && this.free.length < POOL_MAX) this.free.push(chunk);
  }
}

/** A chunk that is full, or as full as it will get. */
export interface FullChunk {
  readonly bytes: Uint8Array;
  length: number;
  /** It belongs to others as well, not to the pool. */
  readonly shared: boolean;
}
