/**
 * The chunks that replies are written to: 16 KB each, used again and again.
 *
 *     lent    [16 KB][16 KB] ... up to POOL_MAX of them, and the first LONG_CHUNKS of any reply
 *     beyond  [       4 MB       ][       4 MB       ] ... for what is longer; not used again
 *
 * The C library has the small ones from its heap, which shrinks at its end only, and what the pool
 * does not keep waits for the garbage collector: after one reply of 200 MB the process would have
 * that much for good. The large ones are mapped each on its own (bin/cairn-server.js), and go back
 * to the system as soon as they are sent.
 */

/** Bytes of an ordinary chunk. */
const CHUNK_BYTES = 16_384;
const POOL_MAX = 512;
const LARGE_CHUNK_BYTES = 1 << 22;
/** Full chunks of a reply that may go on in large ones: 1 MB. */
const LONG_CHUNKS = 64;

/** Chunks that no writer holds. One pool serves one loop. */
export class ChunkPool {
  private readonly free: Uint8Array[] = [];
  /** Ordinary chunks that writers hold. */
  private lent = 0;
  private readonly giveBack: (buffers: ArrayBuffer[]) => void;
  private readonly views = new WeakMap<Uint8Array, DataView>();

  /** `giveBack` frees the memory of large chunks that were sent, which the collector does else. */
  constructor(giveBack: (buffers: ArrayBuffer[]) => void = () => {}) {
    this.giveBack = giveBack;
  }

  /** A chunk for a reply that has so many full ones already. */
  take(fullChunks: number): Uint8Array {
    if (fullChunks >= LONG_CHUNKS && this.lent >= POOL_MAX) {
      return new Uint8Array(LARGE_CHUNK_BYTES);
    }
    this.lent++;
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

  /** A chunk comes back that nobody reads any more. */
  give(chunk: Uint8Array): void {
    if (chunk.length === LARGE_CHUNK_BYTES) this.giveBack([chunk.buffer as ArrayBuffer]);
    else this.abandon(chunk);
  }

  /** A chunk comes back of which a send may be under way, to a client that has gone. */
  abandon(chunk: Uint8Array): void {
    if (chunk.length !== CHUNK_BYTES) return;
    this.lent--;
    if (this.free.length < POOL_MAX) this.free.push(chunk);
  }
}

/** A chunk that is full, or as full as it will get. */
export interface FullChunk {
  readonly bytes: Uint8Array;
  length: number;
  /** It belongs to others as well, not to the pool. */
  readonly shared: boolean;
}
