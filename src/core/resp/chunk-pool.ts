/**
 * The chunks that replies are written to, used again and again but for the longest.
 *
 *     begin   [16 KB]               the first chunk of a client's replies
 *             [2 KB]                the same in a crowd, where CHUNKS_MAX clients hold one
 *     go on   [16 KB][16 KB] ...    what does not fit; CHUNKS_MAX of these are kept
 *     long    [     4 MB     ] ...  behind LONG_CHUNKS full ones, where CHUNKS_MAX are held
 *
 * A crowd: until a turn ends, all replies of it stand in chunks. A message to ten thousand
 * subscribers in chunks of 16 KB would take 160 MB, most of it to be allocated, cleared and
 * collected each time (measured: 24 us a message beside 5 now).
 *
 * Long replies: the C library has the small ones from its heap, which shrinks at its end only, and
 * what the pool does not keep waits for the garbage collector: after one reply of 200 MB the
 * process would have that much for good. Those of 4 MB are mapped each on its own
 * (bin/cairn-server.js), and go back to the system as soon as they are sent.
 */

/** Bytes of an ordinary chunk. */
export const CHUNK_BYTES = 16_384;
/** Ordinary chunks that replies may begin in, and that are kept. */
export const CHUNKS_MAX = 512;
/** Bytes of a small chunk; what is written in one piece is shorter. */
export const SMALL_BYTES = 2048;
const SMALL_MAX = 4096;
const LARGE_BYTES = 1 << 22;
/** Full chunks of a reply that may go on in large ones: 1 MB. */
const LONG_CHUNKS = 64;

/** Chunks that no writer holds. One pool serves one loop. */
export class ChunkPool {
  private readonly free: Uint8Array[] = [];
  private readonly small: Uint8Array[] = [];
  private readonly giveBack: (buffers: ArrayBuffer[]) => void;
  private readonly views = new WeakMap<Uint8Array, DataView>();
  /** Ordinary chunks that were made for the beginning of replies. */
  private made = 0;
  /** Ordinary chunks that writers hold. */
  private lent = 0;

  /** `giveBack` frees the memory of large chunks that were sent, which the collector does else. */
  constructor(giveBack: (buffers: ArrayBuffer[]) => void = () => {}) {
    this.giveBack = giveBack;
  }

  /** A chunk for the beginning of a client's replies. */
  take(): Uint8Array {
    const chunk = this.free.pop();
    if (chunk === undefined && this.made === CHUNKS_MAX) {
      return this.small.pop() ?? new Uint8Array(SMALL_BYTES);
    }
    this.lent++;
    if (chunk !== undefined) return chunk;
    this.made++;
    return new Uint8Array(CHUNK_BYTES);
  }

  /** A chunk to go on in, for a reply that has `fullChunks` full ones already. */
  takeNext(fullChunks: number): Uint8Array {
    if (fullChunks >= LONG_CHUNKS && this.lent >= CHUNKS_MAX) return new Uint8Array(LARGE_BYTES);
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
    if (chunk.length === LARGE_BYTES) this.giveBack([chunk.buffer as ArrayBuffer]);
    else this.abandon(chunk);
  }

  /** A chunk comes back of which a send may be under way, to a client that has gone. */
  abandon(chunk: Uint8Array): void {
    if (chunk.length === CHUNK_BYTES) {
      this.lent--;
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
  /** Whether others read these bytes too, so that they must not go back to the pool. */
  readonly shared: boolean;
}
