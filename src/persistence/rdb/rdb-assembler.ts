/**
 * The assembler: reads frames (rdb-frame-writer.ts) and gives the bytes of the RDB, compressed and
 * summed. It runs in the child process of a snapshot, and in this one for SAVE and DUMP.
 *
 * Frames come in pieces of any size. A RAW body is passed on as it comes; a TEXT body is gathered
 * when it does not lie in one piece, because LZF needs to see all of a string and the file wants
 * its compressed length first.
 *
 *     out   [ RDB bytes, not yet handed on      | room ]
 *
 * Limits: one string of `COMPRESS_BYTES_MAX` and its compressed form are held at a time; what was
 * made larger for it is given back afterwards.
 */
import { copyBytes } from '../../core/memory/copy.ts';
import { lzfCompress } from '../../core/struct/lzf.ts';
import { Crc64 } from '../crc64.ts';
import { ENCODED_LZF } from './rdb-format.ts';
import {
  FRAME_HEAD_BYTES,
  FRAME_RAW,
  FRAME_TEXT,
  lengthBytes,
  putLength,
} from './rdb-frame-writer.ts';

/** Takes the bytes of an RDB, in order; they are borrowed. */
export type RdbOutput = (bytes: Uint8Array, length: number) => void;

const OUT_BYTES = 1 << 18;
const GATHER_KEPT_MAX = 1 << 20;
/** Encoding byte and two lengths of up to five bytes. */
const TEXT_HEAD_MAX = 11;
/** A string that is smaller by fewer bytes is stored plain. */
const GAIN_MIN = 4;
const CHECKSUM_BYTES = 8;

export class RdbAssembler {
  /** Bytes of the RDB so far. */
  producedBytes: number;
  readonly #output: RdbOutput;
  readonly #crc: Crc64 | null;
  readonly #head = new Uint8Array(FRAME_HEAD_BYTES);
  #headLength: number;
  #kind: number;
  #left: number;
  #gathered: Uint8Array;
  #gatheredLength: number;
  #out: Uint8Array;
  #outLength: number;
  /** Bytes of the last string that was compressed. */
  #packedLength: number;

  /** `checksum` false writes eight zeroes instead of the sum. */
  constructor(output: RdbOutput, checksum: boolean) {
    this.producedBytes = 0;
    this.#output = output;
    this.#crc = checksum ? new Crc64() : null;
    this.#headLength = 0;
    this.#kind = FRAME_RAW;
    this.#left = 0;
    this.#gathered = new Uint8Array(0);
    this.#gatheredLength = 0;
    this.#out = new Uint8Array(OUT_BYTES);
    this.#outLength = 0;
    this.#packedLength = 0;
  }

  /** Takes the next bytes of the frames. */
  feed(bytes: Uint8Array, off: number, len: number): void {
    const end = off + len;
    let at = off;
    while (at < end) {
      if (this.#left === 0) {
        if (this.#headLength === 0 && end - at >= FRAME_HEAD_BYTES) {
          this.#beginBody(bytes, at);
          at += FRAME_HEAD_BYTES;
          continue;
        }
        this.#head[this.#headLength++] = bytes[at++]!;
        if (this.#headLength === FRAME_HEAD_BYTES) this.#beginBody(this.#head, 0);
        continue;
      }
      const piece = Math.min(this.#left, end - at);
      if (this.#kind === FRAME_RAW) this.#raw(bytes, at, piece);
      else this.#textPiece(bytes, at, piece);
      this.#left -= piece;
      at += piece;
    }
  }

  /** Ends the RDB with its checksum and hands all of it on. Throws when a frame is cut off. */
  finish(): void {
    this.flush();
    if (this.#left > 0 || this.#headLength > 0) throw new Error('the frames end inside of one');
    const trailer = new Uint8Array(CHECKSUM_BYTES);
    this.#crc?.writeTo(trailer, 0);
    this.#output(trailer, CHECKSUM_BYTES);
    this.producedBytes += CHECKSUM_BYTES;
  }

  /** Hands on what was produced so far. */
  flush(): void {
    if (this.#outLength === 0) return;
    this.#handOn(this.#out, 0, this.#outLength);
    this.#outLength = 0;
  }

  #handOn(bytes: Uint8Array, off: number, len: number): void {
    this.#crc?.update(bytes, off, len);
    this.#output(off === 0 ? bytes : bytes.subarray(off), len);
    this.producedBytes += len;
  }

  /** Takes the head of a frame, which stands at `at`. */
  #beginBody(head: Uint8Array, at: number): void {
    this.#headLength = 0;
    this.#kind = head[at]!;
    this.#left =
      (head[at + 1]! | (head[at + 2]! << 8) | (head[at + 3]! << 16) | (head[at + 4]! << 24)) >>> 0;
    if (this.#kind !== FRAME_RAW && this.#kind !== FRAME_TEXT) {
      throw new Error(`a frame of an unknown kind (${this.#kind})`);
    }
  }

  #raw(bytes: Uint8Array, off: number, len: number): void {
    if (len >= OUT_BYTES) {
      this.flush();
      this.#handOn(bytes, off, len);
      return;
    }
    if (this.#outLength + len > this.#out.length) this.flush();
    copyBytes(bytes, off, this.#out, this.#outLength, len);
    this.#outLength += len;
  }

  #textPiece(bytes: Uint8Array, off: number, len: number): void {
    if (this.#gatheredLength === 0) {
      if (len === this.#left) {
        this.#text(bytes, off, len);
        return;
      }
      if (this.#gathered.length < this.#left) this.#gathered = new Uint8Array(this.#left);
    }
    this.#gathered.set(bytes.subarray(off, off + len), this.#gatheredLength);
    this.#gatheredLength += len;
    if (len < this.#left) return;
    this.#text(this.#gathered, 0, this.#gatheredLength);
    this.#gatheredLength = 0;
    if (this.#gathered.length > GATHER_KEPT_MAX) this.#gathered = new Uint8Array(0);
  }

  /** Writes a whole string, compressed if that makes it smaller. */
  #text(bytes: Uint8Array, off: number, len: number): void {
    const room = TEXT_HEAD_MAX + len;
    if (this.#outLength + room > this.#out.length) this.flush();
    if (room > this.#out.length) this.#out = new Uint8Array(room);
    const out = this.#out;
    const start = this.#outLength;
    // The head, whose length depends on that of the body, is most often as long as the last one.
    const body = start + packedHeadBytes(this.#packedLength, len);
    const packed = lzfCompress(bytes, off, len, out, body, len - GAIN_MIN);
    if (packed > 0) {
      this.#packedLength = packed;
      const at = start + packedHeadBytes(packed, len);
      if (at !== body) out.copyWithin(at, body, body + packed);
      out[start] = 0xc0 | ENCODED_LZF;
      putLength(out, putLength(out, start + 1, packed), len);
      this.#outLength = at + packed;
    } else {
      const at = putLength(out, start, len);
      out.set(bytes.subarray(off, off + len), at);
      this.#outLength = at + len;
    }
    if (out.length <= OUT_BYTES) return;
    this.flush();
    this.#out = new Uint8Array(OUT_BYTES);
  }
}

/** How many bytes stand before a compressed string. */
function packedHeadBytes(packed: number, full: number): number {
  return 1 + lengthBytes(packed) + lengthBytes(full);
}
