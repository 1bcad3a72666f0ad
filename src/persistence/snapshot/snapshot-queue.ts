/**
 * The pipe between the walker and the child: frames that wait to be sent, with a bound.
 *
 *     segments   [ chunk ][ chunk ][ lent: 300 MB of the arena, sent in pieces ][ chunk ]
 *                  ^ being sent                                                   ^ written last
 *
 * The walker stops at `isFull`. What changes meanwhile must be emitted before it changes, so the
 * door may go beyond the bound; `memoryBytesPeak` says how far it did.
 *
 * A large string is not copied: its block is lent (memory/arena.ts), and sent piece by piece from
 * where it lies. Nobody changes it meanwhile, and one that is freed goes once it is sent.
 *
 * Chunks are used again. The first touch of fresh ones may cost milliseconds, when the kernel makes
 * a huge page of them (measured: 7 at worst). So a snapshot of more than a chunk asks for more when
 * few are left (`QueueMemory`), and the walker waits for those; and a few stay for the next
 * snapshot. Only what comes through the door meanwhile, and where nobody brings any, is written to
 * chunks that are made on the spot.
 *
 * What must not come yet, because a large collection is being written in parts, waits in a
 * `SideBuffer` until it is joined to the end.
 *
 * Invariants: copiedBytes and lentBytes are what the chunks and the lent blocks still have to send
 * or are sending; a block is lent from `takeLent` until its last piece was written.
 */
import type { Arena } from '../../core/memory/arena.ts';
import { CHUNK_BYTES, type FrameSink } from '../rdb/rdb-frame-writer.ts';

/** Where the frames go. */
export interface FrameTransport {
  /** Takes bytes, which stay as they are until `sent` is called, in a later turn of the loop. */
  data(bytes: Uint8Array, sent: () => void): void;
  /** Ends the job, all of whose frames were sent. */
  end(): void;
}

/** Where the queues of a server have their memory from. */
export interface QueueMemory {
  /** Brings a buffer for many chunks, whose memory is there already. */
  take(): Promise<ArrayBuffer>;
  /** Takes back what was brought. */
  giveBack(buffers: ArrayBuffer[]): void;
  /** Chunks that stay from one snapshot to the next, and that none uses at present. */
  readonly kept: Uint8Array[];
}

/** The walker stops when this much waits. */
export const QUEUE_BYTES_MAX = 4 * 1024 * 1024;
const QUEUE_BYTES_LOW = 1024 * 1024;
/** Handed to the system at a time; it takes a few hundred KiB before it makes us wait. */
const IN_FLIGHT_BYTES_MAX = 512 * 1024;
const PIECE_BYTES_MAX = 256 * 1024;
const SPARE_CHUNKS_MAX = 20;
/** With so few at hand more are asked for. */
const SPARE_CHUNKS_LOW = 2;
const KEPT_CHUNKS_MAX = 2;

/** Frames that wait for their turn in the queue. */
export class SideBuffer implements FrameSink {
  /** Bytes in chunks. */
  bytes = 0;
  readonly segments: Segment[] = [];
  readonly #queue: SnapshotQueue;
  readonly #chunkBytes: number;

  constructor(queue: SnapshotQueue, chunkBytes: number) {
    this.#queue = queue;
    this.#chunkBytes = chunkBytes;
  }

  freshChunk(): Uint8Array {
    return new Uint8Array(this.#chunkBytes);
  }

  take(chunk: Uint8Array, from: number, to: number): void {
    this.segments.push(new Segment(chunk, from, to - from, 0, false));
    this.bytes += to - from;
    this.#queue.noteAside(to - from);
  }

  takeLent(block: number, bytes: Uint8Array, off: number, length: number): void {
    this.segments.push(this.#queue.lentSegment(block, bytes, off, length));
  }
}

class Segment {
  readonly bytes: Uint8Array;
  off: number;
  left: number;
  /** The block of the arena that holds the bytes, or 0 for a chunk. */
  readonly block: number;
  /** Whether the chunk can be used again once this is sent. */
  readonly isReusable: boolean;

  constructor(bytes: Uint8Array, off: number, left: number, block: number, isReusable: boolean) {
    this.bytes = bytes;
    this.off = off;
    this.left = left;
    this.block = block;
    this.isReusable = isReusable;
  }
}

export class SnapshotQueue implements FrameSink {
  /** Bytes in chunks that wait or are being sent. */
  copiedBytes = 0;
  /** Bytes of lent strings that wait or are being sent. */
  lentBytes = 0;
  /** Bytes in side buffers. */
  asideBytes = 0;
  /** The most memory that was ever held on account of the snapshot. */
  memoryBytesPeak = 0;
  readonly #transport: FrameTransport;
  readonly #arena: Arena;
  readonly #onChange: () => void;
  #segments: Segment[] = [];
  #first = 0;
  #inFlightBytes = 0;
  #isEnding = false;
  #isDropped = false;
  readonly #spare: Uint8Array[] = [];
  readonly #memory: QueueMemory | null;
  /** Whether there is more to be had. */
  #mayAsk: boolean;
  #isAsking = false;
  /** Whether a chunk was wanted before: a second one means that the snapshot is not a small one. */
  #hasBegun = false;
  /** The segments whose blocks are lent and not yet sent. */
  readonly #lent = new Set<Segment>();

  /** `onChange` is called when there is room again. */
  constructor(
    transport: FrameTransport,
    arena: Arena,
    onChange: () => void,
    memory: QueueMemory | null = null,
  ) {
    this.#transport = transport;
    this.#arena = arena;
    this.#onChange = onChange;
    this.#memory = memory;
    this.#mayAsk = memory !== null;
  }

  /** Memory that is held on account of the snapshot. */
  get memoryBytes(): number {
    return this.copiedBytes + this.asideBytes + this.#arena.freedWhileLentBytes;
  }

  get isFull(): boolean {
    return this.copiedBytes + this.lentBytes >= QUEUE_BYTES_MAX || this.#lacksChunks;
  }

  /** Whether the walker may go on after it was stopped. */
  get hasRoom(): boolean {
    return this.copiedBytes + this.lentBytes < QUEUE_BYTES_LOW && !this.#lacksChunks;
  }

  /** Chunks are on their way, and there is none. */
  get #lacksChunks(): boolean {
    return this.#isAsking && this.#spare.length === 0;
  }

  /** Ends the stream of frames; the chunk `unused` was not begun. */
  end(unused: Uint8Array): void {
    this.#spare.push(unused);
    this.#isEnding = true;
    this.#pump();
  }

  /** Forgets all that was not sent. */
  drop(): void {
    this.#isDropped = true;
    this.#segments = [];
    this.#first = 0;
    this.copiedBytes = 0;
    this.lentBytes = 0;
    this.asideBytes = 0;
    for (const { block } of this.#lent) this.#arena.giveBack(block);
    this.#lent.clear();
  }

  /** Gives back the memory of what was sent. Only after the last frame was sent. */
  giveBack(): void {
    const memory = this.#memory;
    const brought = new Set<ArrayBuffer>();
    for (const chunk of this.#spare.splice(0)) {
      if (chunk.buffer.byteLength > CHUNK_BYTES) brought.add(chunk.buffer as ArrayBuffer);
      else if (memory !== null && memory.kept.length < KEPT_CHUNKS_MAX) memory.kept.push(chunk);
    }
    memory?.giveBack([...brought]);
  }

  // ---------------------------------------------------------------- being written to

  freshChunk(): Uint8Array {
    if (this.#hasBegun && this.#spare.length < SPARE_CHUNKS_LOW) this.#askMore();
    this.#hasBegun = true;
    return this.#spare.pop() ?? this.#memory?.kept.pop() ?? new Uint8Array(CHUNK_BYTES);
  }

  #askMore(): void {
    if (this.#memory === null || !this.#mayAsk || this.#isAsking) return;
    this.#isAsking = true;
    this.#memory.take().then(
      (buffer) => this.#supply(buffer),
      () => this.#supply(null),
    );
  }

  /** What was asked for has come; null when nothing will. */
  #supply(buffer: ArrayBuffer | null): void {
    this.#isAsking = false;
    if (this.#isDropped) return;
    if (buffer === null) this.#mayAsk = false;
    const bytes = buffer?.byteLength ?? 0;
    for (let at = 0; buffer !== null && at + CHUNK_BYTES <= bytes; at += CHUNK_BYTES) {
      this.#spare.push(new Uint8Array(buffer, at, CHUNK_BYTES));
    }
    this.#onChange();
  }

  take(chunk: Uint8Array, from: number, to: number, isLast: boolean): void {
    this.#add(new Segment(chunk, from, to - from, 0, isLast));
  }

  takeLent(block: number, bytes: Uint8Array, off: number, length: number): void {
    this.#add(this.lentSegment(block, bytes, off, length));
  }

  /** A string whose block is lent from now on. */
  lentSegment(block: number, bytes: Uint8Array, off: number, length: number): Segment {
    const segment = new Segment(bytes, off, length, block, false);
    this.#lent.add(segment);
    this.#arena.lend(block);
    return segment;
  }

  /** Puts what was written to a side buffer at the end. */
  join(side: SideBuffer): void {
    this.asideBytes -= side.bytes;
    for (const segment of side.segments) this.#add(segment);
  }

  /** Bytes were written to a side buffer. */
  noteAside(bytes: number): void {
    this.asideBytes += bytes;
    this.#notePeak();
  }

  #notePeak(): void {
    if (this.memoryBytes > this.memoryBytesPeak) this.memoryBytesPeak = this.memoryBytes;
  }

  #add(segment: Segment): void {
    if (this.#isDropped || segment.left === 0) return;
    this.#segments.push(segment);
    if (segment.block === 0) this.copiedBytes += segment.left;
    else this.lentBytes += segment.left;
    this.#notePeak();
    this.#pump();
  }

  // ---------------------------------------------------------------- sending

  #pump(): void {
    while (this.#inFlightBytes < IN_FLIGHT_BYTES_MAX) {
      const segment = this.#segments[this.#first];
      if (segment === undefined) break;
      const piece = Math.min(segment.left, PIECE_BYTES_MAX);
      const bytes = segment.bytes.subarray(segment.off, segment.off + piece);
      segment.off += piece;
      segment.left -= piece;
      this.#inFlightBytes += piece;
      const isLast = segment.left === 0;
      if (isLast) this.#first++;
      this.#transport.data(bytes, () => this.#sent(segment, piece, isLast));
    }
    if (this.#first === this.#segments.length || this.#first >= 64) {
      this.#segments.splice(0, this.#first);
      this.#first = 0;
    }
    if (!this.#isEnding || this.#segments.length > 0) return;
    this.#isEnding = false;
    this.#transport.end();
  }

  #sent(segment: Segment, piece: number, isLast: boolean): void {
    if (this.#isDropped) return;
    this.#notePeak();
    this.#inFlightBytes -= piece;
    if (segment.block === 0) this.copiedBytes -= piece;
    else this.lentBytes -= piece;
    if (isLast && this.#lent.delete(segment)) this.#arena.giveBack(segment.block);
    else if (isLast && segment.isReusable && this.#spare.length < SPARE_CHUNKS_MAX) {
      this.#spare.push(segment.bytes);
    }
    this.#pump();
    this.#onChange();
  }
}
