/**
 * Where the bytes of an RDB come from: a file, read in large pieces through the file system's door.
 */
import type { OpenFile } from './file-system.ts';

/** A row of bytes of known length that is read once, front to back. */
export interface ByteSource {
  /** Bytes in all, from where the reading began. */
  readonly sizeBytes: number;
  /** Reads up to `len` bytes to `buf[off]`; gives their number, 0 at the end. */
  read(buf: Uint8Array, off: number, len: number): number;
}

export class FileSource implements ByteSource {
  readonly sizeBytes: number;
  readonly #file: OpenFile;
  #position: number;

  /** Reads `file` from `start` on; the file stays its opener's to close. */
  constructor(file: OpenFile, start = 0) {
    this.#file = file;
    this.#position = start;
    this.sizeBytes = Math.max(0, file.sizeSync() - start);
  }

  read(buf: Uint8Array, off: number, len: number): number {
    const count = this.#file.readSync(buf, off, len, this.#position);
    this.#position += count;
    return count;
  }
}
