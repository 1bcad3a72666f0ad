/**
 * A buffered byte output: small writes are gathered, large ones are passed on as they are.
 *
 *     out   [ gathered, not yet handed on | room ]
 */
import type { ByteView } from '../core/value.ts';

/** Takes bytes, all of them, before it returns; they are borrowed. */
export type ByteSink = (bytes: Uint8Array, length: number) => void;

const OUT_BYTES = 1 << 16;

export class ByteOutput {
  /** Bytes written so far. */
  bytes = 0;
  readonly #sink: ByteSink;
  readonly #out = Buffer.alloc(OUT_BYTES);
  #length = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  write(bytes: Uint8Array, offset: number, length: number): void {
    this.bytes += length;
    if (this.#length + length > OUT_BYTES) this.flush();
    if (length > OUT_BYTES) {
      this.#sink(bytes.subarray(offset, offset + length), length);
      return;
    }
    this.#out.set(bytes.subarray(offset, offset + length), this.#length);
    this.#length += length;
  }

  view(view: ByteView): void {
    this.write(view.bytes, view.offset, view.length);
  }

  /** A text; its characters are bytes when `encoding` is latin1. */
  text(text: string, encoding: 'latin1' | 'utf8' = 'utf8'): void {
    const most = encoding === 'latin1' ? text.length : text.length * 3;
    if (this.#length + most > OUT_BYTES) this.flush();
    if (most > OUT_BYTES) {
      const bytes = Buffer.from(text, encoding);
      this.write(bytes, 0, bytes.length);
      return;
    }
    const written = this.#out.write(text, this.#length, encoding);
    this.#length += written;
    this.bytes += written;
  }

  /** Hands on what was gathered. */
  flush(): void {
    if (this.#length === 0) return;
    this.#sink(this.#out, this.#length);
    this.#length = 0;
  }
}
