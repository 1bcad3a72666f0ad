/**
 * Writing LZ4 frame files, with the package `lz4`. It is native and optional: where it could not be
 * built, everything else works, and whoever asks for LZ4 is told.
 *
 *     writeAll -> encoder -> frames -> durable file
 *
 * One piece is in the encoder at a time, so its output never piles up.
 */
import { createRequire } from 'node:module';
import type { DurableFile } from '../durable-file.ts';
import { errorCode } from '../file-system.ts';

/** The part of a Transform stream that is used of the package's encoder. */
interface Encoder {
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  once(event: 'end', listener: () => void): unknown;
  write(chunk: Uint8Array, done: (error?: Error | null) => void): unknown;
  end(): unknown;
}

type EncoderFactory = () => Encoder;

const requireHere = createRequire(import.meta.url);

/** How encoders are made. Throws where they cannot be: the text is for whoever asked for LZ4. */
export function loadLz4(load: (name: string) => unknown = requireHere): EncoderFactory {
  let found: unknown;
  try {
    found = load('lz4');
  } catch (error) {
    // It is there, but as it was built for another version, or where it was packed.
    const isForeign = errorCode(error) === 'ERR_DLOPEN_FAILED';
    const state = isForeign ? 'is not built for this Node.js: build' : 'is not there: install';
    const command = isForeign ? 'rebuild' : 'install';
    throw new Error(
      `LZ4 needs the package lz4, which is native and optional and ${state} it with ` +
        `npm ${command} lz4 (it needs a C++ compiler), or do without LZ4`,
      { cause: error },
    );
  }
  const { createEncoderStream } = found as { readonly createEncoderStream: EncoderFactory };
  return () => createEncoderStream();
}

/** A file that compresses what it is given. */
export class Lz4File {
  readonly #file: DurableFile;
  readonly #encoder: Encoder;
  #chunks: Uint8Array[] = [];
  #position = 0;
  #failure: Error | null = null;
  #onEnd: (() => void) | null = null;

  constructor(file: DurableFile, makeEncoder: EncoderFactory) {
    this.#file = file;
    this.#encoder = makeEncoder();
    this.#encoder.on('data', (chunk) => this.#chunks.push(chunk));
    this.#encoder.on('error', (error) => {
      this.#failure = error;
      this.#onEnd?.();
    });
  }

  async writeAll(bytes: Uint8Array, offset: number, length: number): Promise<void> {
    // The encoder keeps what does not fill a block.
    const copy = Buffer.from(bytes.subarray(offset, offset + length));
    await new Promise<void>((resolve, reject) => {
      this.#encoder.write(copy, (error) => (error ? reject(error) : resolve()));
    });
    await this.#drain();
  }

  /** Ends the frame. */
  async end(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onEnd = resolve;
      this.#encoder.once('end', resolve);
      this.#encoder.end();
    });
    await this.#drain();
  }

  syncData(): Promise<void> {
    return this.#file.syncData();
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #drain(): Promise<void> {
    const chunks = this.#chunks;
    this.#chunks = [];
    for (const chunk of chunks) {
      await this.#file.writeAll(chunk, 0, chunk.length, this.#position);
      this.#position += chunk.length;
    }
    if (this.#failure !== null) throw this.#failure;
  }
}
