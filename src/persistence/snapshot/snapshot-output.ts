/**
 * Reads what the snapshot's child streams, into buffers of whoever takes it:
 *
 *     pipe --read--> buffer --take--> taker
 *                       ^-----room------'   another one, for what comes next
 *
 * A pipe of Node's makes a buffer for each read, memory outside the heap that V8 has the collector
 * run for (sync-chunks.ts has the figures). A socket can be told to read into given ones
 * (`onread`), but only when it is made, and `spawn` makes the pipes. So a second socket is made of
 * the pipe's handle, as `spawn` makes the first. That leans on internals of Node: where they are
 * missing the pipe's own buffers are handed on.
 */
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';

/** Takes a stream, buffer for buffer. */
export interface StreamTaker {
  /**
   * Takes the first `count` bytes of `buffer`, which is the taker's from now on. False asks to hold
   * the rest back.
   */
  take(buffer: Uint8Array, count: number): boolean;
  /** Called behind each `take`: a buffer that nobody reads, given away for what comes next. */
  room(): Uint8Array;
}

interface Handle {
  readonly useUserBuffer?: unknown;
}

interface HandleSocket {
  readonly _handle?: Handle | null;
}

/** The first read of a process goes here. */
const FIRST_BYTES = 65_536;

export class SnapshotOutput {
  /** Returns who takes the bytes that come now; null where they are to vanish. */
  readonly #takerNow: () => StreamTaker | null;
  /** The stream that is read: the pipe, or another socket on its handle. */
  readonly #source: Readable;
  #buffer: Uint8Array;

  constructor(pipe: Readable, takerNow: () => StreamTaker | null) {
    this.#takerNow = takerNow;
    this.#buffer = new Uint8Array(0);
    const handle = (pipe as HandleSocket)._handle;
    if (typeof handle?.useUserBuffer === 'function') {
      this.#buffer = new Uint8Array(FIRST_BYTES);
      const callback = (count: number): boolean => this.#exchange(count);
      const onread = { buffer: () => this.#buffer, callback };
      const options = { handle, onread, readable: true, writable: false };
      this.#source = new Socket(options);
      this.#source.on('error', () => {});
    } else {
      this.#source = pipe;
      pipe.on('data', (bytes: Buffer) => this.#handOn(bytes));
    }
  }

  /** Goes on with what was held back. */
  resume(): void {
    this.#source.resume();
  }

  /** Hands on `count` bytes of the buffer and turns to the next one; false pauses reading. */
  #exchange(count: number): boolean {
    const taker = this.#takerNow();
    if (taker === null) return true;
    const goesOn = taker.take(this.#buffer, count);
    this.#buffer = taker.room();
    return goesOn;
  }

  #handOn(bytes: Buffer): void {
    const taker = this.#takerNow();
    if (taker === null) return;
    if (!taker.take(bytes, bytes.length)) this.#source.pause();
    taker.room();
  }
}
