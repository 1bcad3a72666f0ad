/**
 * The bytes of a client's replies, in chunks.
 *
 *     chunks   [ full ][ full ][ current: 0 .. at ) ]
 *                   ^ sent up to here
 *
 * Replies are written straight into the current chunk; a chunk that is full joins the queue and
 * another is taken from the pool. Positions count all bytes ever written, so a position stays
 * meaningful while chunks come and go:
 *
 *     sent <= released <= total
 *
 * `sent`: given to the socket. `released`: may be sent, because every write executed before it is
 * as safe as was promised. `total`: written by commands.
 */
import { copyBytes } from '../memory/copy.ts';
import type { ChunkPool, FullChunk } from './chunk-pool.ts';

const EMPTY = new Uint8Array(0);
/** Shorter ranges are copied all the same: a chunk of their own would cost a send. */
const SHARED_BYTES_MIN = 4096;
const NO_VIEW = new DataView(new ArrayBuffer(0));

export class ReplyChunks {
  /** Bytes given to the socket, of all ever written. */
  sent = 0;
  /** Bytes that may be given to the socket. */
  released = 0;
  /** Full chunks that are not sent completely; the first one begins at `queueStart`. */
  readonly queue: FullChunk[] = [];
  /** Position of the first byte of the first chunk. */
  queueStart = 0;
  /** The chunk being written. */
  chunk: Uint8Array = EMPTY;
  /** Where the next byte of the current chunk goes. */
  at = 0;

  private readonly pool: ChunkPool;
  /** The current chunk once more, or one before it: see `open`. */
  private view: DataView = NO_VIEW;
  private viewed: Uint8Array = EMPTY;
  /** Position of the first byte of the current chunk. */
  protected chunkStart = 0;

  constructor(pool: ChunkPool) {
    this.pool = pool;
  }

  /** Bytes ever written. */
  get total(): number {
    return this.chunkStart + this.at;
  }

  /** Bytes of memory that the replies take. */
  get memoryBytes(): number {
    let bytes = this.chunk.length;
    for (const one of this.queue) bytes += one.bytes.length;
    return bytes;
  }

  // ---------------------------------------------------------------- writing

  /** Writes bytes that are a reply already, such as a shared "+OK\r\n". */
  raw(bytes: Uint8Array): void {
    this.rawRange(bytes, 0, bytes.length);
  }

  rawRange(bytes: Uint8Array, offset: number, length: number): void {
    let from = offset;
    let left = length;
    while (left > this.chunk.length - this.at) {
      const part = this.chunk.length - this.at;
      copyBytes(bytes, from, this.chunk, this.at, part);
      this.at += part;
      from += part;
      left -= part;
      this.nextChunk();
    }
    copyBytes(bytes, from, this.chunk, this.at, left);
    this.at += left;
  }

  /** Like `raw`, for bytes that never change any more: long ones are queued without a copy. */
  share(bytes: Uint8Array): void {
    if (bytes.length < SHARED_BYTES_MIN) {
      this.rawRange(bytes, 0, bytes.length);
      return;
    }
    if (this.at > 0) {
      this.queue.push({ bytes: this.chunk, length: this.at, shared: false });
      this.chunkStart += this.at;
      this.chunk = EMPTY;
      this.at = 0;
    }
    this.queue.push({ bytes, length: bytes.length, shared: true });
    this.chunkStart += bytes.length;
  }

  /**
   * Sees to `bytes` bytes of room in the current chunk, which is given as a DataView: who writes
   * there, from `at` on, sets `at`.
   */
  open(bytes: number): DataView {
    this.room(bytes);
    if (this.viewed !== this.chunk) this.look();
    return this.view;
  }

  private look(): void {
    this.viewed = this.chunk;
    this.view = this.pool.viewOf(this.chunk);
  }

  /** Makes sure that `bytes` bytes fit into the chunk. */
  protected room(bytes: number): void {
    if (this.chunk.length - this.at < bytes) this.nextChunk();
  }

  protected nextChunk(): void {
    if (this.at > 0) {
      this.queue.push({ bytes: this.chunk, length: this.at, shared: false });
      this.chunkStart += this.at;
      this.chunk = this.pool.takeNext(this.queue.length);
      this.at = 0;
    } else if (this.chunk === EMPTY) {
      // Between ranges that are shared, little is written: how many there are tells nothing.
      this.chunk = this.queue.length === 0 ? this.pool.take() : this.pool.takeNext(0);
    }
  }

  // ---------------------------------------------------------------- positions

  /** Takes back what was written after `position`, of which nothing has been released. */
  rewind(position: number): void {
    while (position < this.chunkStart) {
      const last = this.queue.pop();
      if (last === undefined) throw new Error('reply: rewound past what was sent');
      this.pool.give(this.chunk);
      this.chunk = last.shared ? last.bytes.slice() : last.bytes;
      this.chunkStart -= last.length;
    }
    this.at = position - this.chunkStart;
  }

  /** Notes that `count` more bytes were sent, and gives back the chunks that are done. */
  advance(count: number): void {
    this.sent += count;
    while (this.queue.length > 0 && this.queueStart + this.queue[0]!.length <= this.sent) {
      const done = this.queue.shift()!;
      this.queueStart += done.length;
      if (!done.shared) this.pool.give(done.bytes);
    }
    if (this.sent === this.total) this.reset();
  }

  /** Drops everything that was not sent, for a client that has gone. */
  drop(): void {
    for (const one of this.queue) if (!one.shared) this.pool.abandon(one.bytes);
    this.queue.length = 0;
    this.pool.abandon(this.chunk);
    this.chunk = EMPTY;
    this.sent = this.total;
    this.released = this.sent;
    this.reset();
  }

  private reset(): void {
    this.chunkStart += this.at;
    this.queueStart = this.chunkStart;
    this.at = 0;
    if (this.chunk !== EMPTY) this.pool.give(this.chunk);
    this.chunk = EMPTY;
  }
}
