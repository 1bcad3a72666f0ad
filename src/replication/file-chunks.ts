/**
 * The buffers that a file goes through on its way to one replica, used again in turn once what they
 * held was sent:
 *
 *     queued   sent ...| chunk | chunk | chunk | being read
 *                        ^ the oldest: its buffer comes next
 *
 * A fresh one for each piece would be memory outside the heap that only the collector gives back,
 * which V8 has run for every twenty megabytes or so (measured: 23 times, 12 to 30 ms each, while
 * 400 MB were sent; twice now).
 */
import type { ReplicaConnection } from './replica.ts';

const CHUNK_BYTES = 65_536;

class Chunk {
  readonly bytes = new Uint8Array(CHUNK_BYTES);
  /** Bytes that the connection has sent when this chunk is. */
  end = 0;
}

export class FileChunks {
  readonly #connection: ReplicaConnection;
  readonly #chunks: Chunk[] = [];
  #next = 0;

  constructor(connection: ReplicaConnection) {
    this.#connection = connection;
  }

  /** A buffer that nobody reads. What is put into it goes out by `send`, before the next one. */
  take(): Uint8Array {
    const oldest = this.#chunks[this.#next];
    if (oldest === undefined || oldest.end > this.#connection.sentBytes) {
      this.#chunks.splice(this.#next, 0, new Chunk());
    }
    return this.#chunks[this.#next]!.bytes;
  }

  /** Queues the first `count` bytes of the buffer that was taken last. */
  send(count: number): void {
    const connection = this.#connection;
    const chunk = this.#chunks[this.#next]!;
    connection.share(chunk.bytes.subarray(0, count));
    chunk.end = connection.sentBytes + connection.unsentBytes;
    this.#next = (this.#next + 1) % this.#chunks.length;
  }
}
