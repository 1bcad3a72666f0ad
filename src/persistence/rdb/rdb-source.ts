/**
 * Where the bytes of an RDB come from: a file, read in large pieces through the file system's door.
 */
import type { OpenFile } from '../file-system.ts';

/** A row of bytes of known length that is read once, front to back. */
export interface ByteSource {
  /** Bytes in all, from where the reading began. */
  readonly sizeBytes: number;
  /** Reads up to `len` bytes to `buf[off]`; gives their number, 0 at the end. */
  read(buf: Uint8Array, off: number, len: number): number;
}

/** Called after each read with the bytes read so far, and with how many there are. */
export type ReadProgress = (doneBytes: number, totalBytes: number) => void;

/** What is needed of a file. */
type ReadableFile = Pick<OpenFile, 'readSync' | 'sizeSync'>;

export class FileSource implements ByteSource {
  readonly sizeBytes: number;
  readonly #file: ReadableFile;
  readonly #progress: ReadProgress | undefined;
  #position: number;

  /** Reads `file` from its start; the file stays its opener's to close. */
  constructor(file: ReadableFile, progress?: ReadProgress) {
    this.#file = file;
    this.#progress = progress;
    this.#position = 0;
    this.sizeBytes = file.sizeSync();
  }

  read(buf: Uint8Array, off: number, len: number): number {
    const count = this.#file.readSync(buf, off, len, this.#position);
    this.#position += count;
    this.#progress?.(this.#position, this.sizeBytes);
    return count;
  }
}
