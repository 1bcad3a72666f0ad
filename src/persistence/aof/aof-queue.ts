/**
 * Turns on their way to the disk, encoded as they will stand in the file.
 *
 *   batch     batch     batch
 *   |#CK t t| |#CK t t| |#CK t t ....|
 *   flying    waiting   filling: new turns of the same file are added here
 *
 * A batch is written with one call, so all turns that came while the disk was busy share one
 * write and one fsync (group commit). Invariant: batches of one file stand together, in the order
 * of the files, and only the last batch grows, and only while it is not flying.
 *
 * Bytes are copied in: the caller's buffer is free when `add` returns. One buffer of at most
 * `SPARE_BYTES_MAX` is kept for reuse, and large ones are given back.
 */
import { copyBytes } from '../../core/memory/copy.ts';
import { Crc64 } from '../crc64.ts';
import type { DurableFile } from '../durable-file.ts';
import {
  encodeFrameHead,
  encodeTimeLine,
  FRAME_BODY_BYTES_MAX,
  FRAME_HEAD_BYTES,
  TIME_LINE_BYTES_MAX,
} from './aof-frame.ts';

/** Bytes that `encodeTurn` may add to a turn. */
export const TURN_EXTRA_BYTES_MAX = FRAME_HEAD_BYTES + TIME_LINE_BYTES_MAX;

const BATCH_BYTES_MIN = 16 * 1024;
const SPARE_BYTES_MAX = 1024 * 1024;
/** Shorter buffers are left to the garbage collector. */
const LARGE_BYTES_MIN = 4 * 1024 * 1024;
/** A batch beyond this size takes no more turns. */
const BATCH_BYTES_FULL = 16 * 1024 * 1024;

const bodyCrc = new Crc64();

/**
 * Encodes one turn at `dst[at ..]`: head if `checksum`, time line if `timeSeconds >= 0`, commands.
 * There is room for `len + TURN_EXTRA_BYTES_MAX`. Returns the bytes written.
 */
export function encodeTurn(
  dst: Uint8Array,
  at: number,
  buf: Uint8Array,
  off: number,
  len: number,
  checksum: boolean,
  timeSeconds: number,
): number {
  const bodyAt = at + (checksum ? FRAME_HEAD_BYTES : 0);
  const timeBytes = timeSeconds >= 0 ? encodeTimeLine(dst, bodyAt, timeSeconds) : 0;
  const bodyBytes = timeBytes + len;
  if (bodyBytes > FRAME_BODY_BYTES_MAX) {
    throw new RangeError(`a turn of ${len} bytes is longer than the AOF format allows`);
  }
  copyBytes(buf, off, dst, bodyAt + timeBytes, len);
  if (checksum) {
    bodyCrc.reset();
    bodyCrc.update(dst, bodyAt, bodyBytes);
    encodeFrameHead(dst, at, bodyCrc, bodyBytes);
  }
  return bodyAt + bodyBytes - at;
}

/** Turns that go to one file with one write. */
export type TurnBatch = {
  readonly file: DurableFile;
  buf: Uint8Array;
  /** Encoded bytes in `buf`. */
  len: number;
  /** The journal offset after the last turn, in bytes of commands. */
  endOffset: number;
  flying: boolean;
};

export class TurnQueue {
  #batches: TurnBatch[];
  #spare: Uint8Array | undefined;
  /** Encoded bytes of all batches. */
  bytes: number;
  readonly #giveBack: (buffers: ArrayBuffer[]) => void;

  constructor(giveBack: (buffers: ArrayBuffer[]) => void) {
    this.#giveBack = giveBack;
    this.#batches = [];
    this.#spare = undefined;
    this.bytes = 0;
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  /** The batch to write next, or undefined. */
  get head(): TurnBatch | undefined {
    return this.#batches[0];
  }

  /** Adds one turn for `file`; `endOffset` is the journal offset after it. */
  add(
    file: DurableFile,
    buf: Uint8Array,
    off: number,
    len: number,
    endOffset: number,
    checksum: boolean,
    timeSeconds: number,
  ): void {
    const batch = this.#batchFor(file, len + TURN_EXTRA_BYTES_MAX);
    const bytes = encodeTurn(batch.buf, batch.len, buf, off, len, checksum, timeSeconds);
    batch.len += bytes;
    batch.endOffset = endOffset;
    this.bytes += bytes;
  }

  /** Removes the head once it is written, and keeps its buffer for reuse. */
  remove(batch: TurnBatch): void {
    if (this.#batches[0] !== batch) return;
    this.#batches.shift();
    this.bytes -= batch.len;
    if (batch.buf.length <= SPARE_BYTES_MAX) this.#spare = batch.buf;
    else this.done(batch.buf);
  }

  /** Gives a buffer back that nobody uses any more. */
  done(buf: Uint8Array): void {
    if (buf.length >= LARGE_BYTES_MIN) this.#giveBack([buf.buffer as ArrayBuffer]);
  }

  clear(): void {
    this.#batches = [];
    this.bytes = 0;
  }

  /** Forgets the turns of `file`. */
  dropFile(file: DurableFile): void {
    this.#batches = this.#batches.filter((batch) => batch.file !== file);
    this.bytes = this.#batches.reduce((sum, batch) => sum + batch.len, 0);
  }

  #batchFor(file: DurableFile, room: number): TurnBatch {
    const last = this.#batches.at(-1);
    if (last === undefined || last.flying || last.file !== file || last.len > BATCH_BYTES_FULL) {
      const buf = this.#takeBuffer(room);
      const batch: TurnBatch = { file, buf, len: 0, endOffset: 0, flying: false };
      this.#batches.push(batch);
      return batch;
    }
    if (last.buf.length - last.len < room) {
      const grown = new Uint8Array(Math.max(last.buf.length * 2, last.len + room));
      grown.set(last.buf.subarray(0, last.len));
      this.done(last.buf);
      last.buf = grown;
    }
    return last;
  }

  #takeBuffer(room: number): Uint8Array {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare !== undefined && spare.length >= room) return spare;
    return new Uint8Array(Math.max(BATCH_BYTES_MIN, room));
  }
}
