/** The next string of a reader, copied, so that it lasts while the following one is read. */
import { copyBytes } from '../../core/memory/copy.ts';
import { ByteView } from '../../core/value.ts';
import type { RdbReader } from './rdb-reader.ts';

const FIRST_ROOM = 256;
/** A buffer that grew past this is not kept. */
const KEPT_ROOM = 1 << 20;

const NO_BYTES = new Uint8Array(0);
const view = new ByteView();

export class HeldString {
  bytes: Uint8Array = NO_BYTES;
  length = 0;

  read(reader: RdbReader): void {
    reader.string(view);
    this.copy(view);
  }

  copy({ bytes, length, offset }: ByteView): void {
    const tooLarge = this.bytes.length > KEPT_ROOM && length < KEPT_ROOM;
    if (length > this.bytes.length || tooLarge) {
      this.bytes = new Uint8Array(Math.max(length, FIRST_ROOM));
    }
    this.length = length;
    copyBytes(bytes, offset, this.bytes, 0, length);
  }
}
