/**
 * The key that an RDB brings before its value. A large one is read piece by piece to where it
 * stays, an entry that has no value yet (`openKey`); others are copied to a scratch.
 *
 *     begins    the next key is large: its bytes are still to be read
 *     fill      brings the next piece; true when the key is complete
 *
 * With a fed reader, what was read must be committed when a large key has begun, and after each
 * piece of it.
 */
import type { Keyspace } from '../../core/keyspace.ts';
import { copyBytes } from '../../core/memory/copy.ts';
import { ByteView } from '../../core/value.ts';
import { printedKey } from './rdb-error.ts';
import { LargeString } from './rdb-large.ts';
import type { RdbReader } from './rdb-reader.ts';

const FIRST_ROOM = 256;

export class KeyRead {
  bytes: Uint8Array = new Uint8Array(FIRST_ROOM);
  offset = 0;
  length = 0;
  readonly #keyspace: Keyspace;
  readonly #reader: RdbReader;
  readonly #large = new LargeString();
  readonly #view = new ByteView();
  #scratch = this.bytes;

  constructor(keyspace: Keyspace, reader: RdbReader) {
    this.#keyspace = keyspace;
    this.#reader = reader;
  }

  begins(): boolean {
    const view = this.#view;
    if (this.#large.begins(this.#reader, view)) {
      this.length = this.#large.length;
      this.offset = this.#keyspace.openKey(this.length);
      this.bytes = this.#keyspace.arena.bytes(this.#keyspace.openedKey);
      return true;
    }
    const { length } = view;
    if (length > this.#scratch.length) this.#scratch = new Uint8Array(length * 2);
    copyBytes(view.bytes, view.offset, this.#scratch, 0, length);
    this.bytes = this.#scratch;
    this.offset = 0;
    this.length = length;
    return false;
  }

  fill(): boolean {
    return this.#large.fill(this.#reader, this.bytes, this.offset);
  }

  /** The key as messages show it. */
  printed(): string {
    return printedKey(this.bytes.subarray(this.offset), this.length);
  }
}
