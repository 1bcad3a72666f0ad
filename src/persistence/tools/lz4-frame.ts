/**
 * Reading LZ4 frame files, as the `lz4` command and most libraries write them. Nothing native is
 * needed to get a backup back.
 *
 *     frame    04 22 4d 18 | FLG | BD | [content size, 8] | [dictionary id, 4] | header check, 1
 *              block ... | 00 00 00 00 | [content checksum, 4]
 *     FLG      01 version, then bits: independent blocks, block checksums, content size,
 *              content checksum, 0, dictionary
 *     BD       0 | 3 bits: greatest block, 4: 64 kB ... 7: 4 MB | 0000
 *     block    length, 4, the top bit says that it is stored plain | bytes | [checksum, 4]
 *     skipped  5x 2a 4d 18 | length, 4 | bytes
 *
 *     bytes    token (literals << 4 | match - 4) | [255 ...] | literals | distance, 2 | [255 ...]
 *
 * Frames may follow each other. A match reaches up to 64 kB back, into earlier blocks as well, so
 *
 *     out   [ 64 kB before | block ]
 *
 * is kept. Nothing is believed: lengths and distances are held against what is there, and every
 * checksum that a frame has is compared.
 *
 * Source: doc/lz4_Frame_format.md and doc/lz4_Block_format.md of LZ4.
 */
import type { ByteSource } from '../rdb/rdb-source.ts';
import { XxHash32 } from './xxhash32.ts';

export const LZ4_MAGIC = 0x184d2204;
const MAGIC_SKIPPED = 0x184d2a50;
const WINDOW_BYTES = 1 << 16;
const PLAIN_BLOCK = 0x8000_0000;
const MATCH_MIN = 4;
const LENGTH_FULL = 15;
const PIECE_BYTES = 1 << 16;

/** What is wrong with an LZ4 file. */
export class Lz4Error extends Error {
  constructor(reason: string) {
    super(`the LZ4 file is damaged: ${reason}`);
    this.name = 'Lz4Error';
  }
}

/** Takes decompressed bytes, which are borrowed until it has resolved. */
export type Lz4Sink = (bytes: Uint8Array, length: number) => Promise<void>;

/**
 * Decompresses all frames of a source. Rejects with `Lz4Error`. Resolves to the bytes given out.
 */
export function decodeLz4(source: ByteSource, sink: Lz4Sink): Promise<number> {
  return new Lz4Decoder(source, sink).run();
}

interface FrameHeader {
  readonly blockBytesMax: number;
  readonly hasBlockSums: boolean;
  readonly contentBytes: number;
  readonly hasContentSum: boolean;
}

class Lz4Decoder {
  readonly #source: ByteSource;
  readonly #sink: Lz4Sink;
  readonly #word = new Uint8Array(8);
  #in = new Uint8Array(0);
  #out = new Uint8Array(0);
  /** Where the block begins, and how far back a match may reach. */
  #start = 0;
  #given = 0;

  constructor(source: ByteSource, sink: Lz4Sink) {
    this.#source = source;
    this.#sink = sink;
  }

  async run(): Promise<number> {
    for (let frames = 0; ; frames++) {
      const got = this.#read(this.#word, 4, frames > 0);
      if (got === 0) return this.#given;
      const magic = uint32(this.#word, 0);
      if (magic === LZ4_MAGIC) await this.#frame();
      else if ((magic & 0xffff_fff0) >>> 0 === MAGIC_SKIPPED) this.#skip();
      else throw new Lz4Error('no frame where one should begin');
    }
  }

  async #frame(): Promise<void> {
    const header = this.#header();
    const sum = new XxHash32();
    const room = WINDOW_BYTES + header.blockBytesMax;
    if (this.#out.length < room) this.#out = new Uint8Array(room);
    this.#start = 0;
    let bytes = 0;
    for (;;) {
      const size = this.#uint32();
      if (size === 0) break;
      const length = this.#block(size, header);
      sum.update(this.#out, this.#start, length);
      await this.#sink(this.#out.subarray(this.#start, this.#start + length), length);
      bytes += length;
      this.#slide(this.#start + length);
    }
    if (header.hasContentSum && this.#uint32() !== sum.digest()) {
      throw new Lz4Error('the checksum of a frame is wrong');
    }
    if (header.contentBytes >= 0 && header.contentBytes !== bytes) {
      throw new Lz4Error(`a frame of ${header.contentBytes} bytes holds ${bytes}`);
    }
    this.#given += bytes;
  }

  #header(): FrameHeader {
    const sum = new XxHash32();
    this.#read(this.#word, 2);
    sum.update(this.#word, 0, 2);
    const flags = this.#word[0]!;
    const sizeCode = (this.#word[1]! >>> 4) & 7;
    if (flags >>> 6 !== 1 || (flags & 2) !== 0) throw new Lz4Error('a frame of an unknown version');
    if (sizeCode < 4) throw new Lz4Error('a frame with blocks of an unknown size');
    if ((flags & 1) !== 0) throw new Error('the LZ4 file needs a dictionary, which is not known');
    let contentBytes = -1;
    if ((flags & 8) !== 0) {
      this.#read(this.#word, 8);
      sum.update(this.#word, 0, 8);
      contentBytes = uint32(this.#word, 4) * 0x1_0000_0000 + uint32(this.#word, 0);
    }
    this.#read(this.#word, 1);
    if (this.#word[0] !== ((sum.digest() >>> 8) & 0xff)) {
      throw new Lz4Error('the checksum of the header of a frame is wrong');
    }
    return {
      blockBytesMax: 1 << (8 + 2 * sizeCode),
      hasBlockSums: (flags & 16) !== 0,
      contentBytes,
      hasContentSum: (flags & 4) !== 0,
    };
  }

  /** Decodes a block to where the last one ended. Returns its length. */
  #block(size: number, header: FrameHeader): number {
    const isPlain = size >= PLAIN_BLOCK;
    const length = isPlain ? size - PLAIN_BLOCK : size;
    // A block that would not become smaller is stored plain, so none is longer than the greatest.
    if (length > header.blockBytesMax) throw new Lz4Error('a block longer than it can be');
    if (this.#in.length < length) this.#in = new Uint8Array(header.blockBytesMax);
    this.#read(this.#in, length);
    if (header.hasBlockSums) {
      const sum = new XxHash32();
      sum.update(this.#in, 0, length);
      if (this.#uint32() !== sum.digest()) throw new Lz4Error('the checksum of a block is wrong');
    }
    if (!isPlain) {
      const end = this.#start + header.blockBytesMax;
      return decodeBlock(this.#in, length, this.#out, this.#start, end);
    }
    this.#out.set(this.#in.subarray(0, length), this.#start);
    return length;
  }

  /** Keeps the last 64 kB before `end` in front of the next block. */
  #slide(end: number): void {
    const kept = Math.min(WINDOW_BYTES, end);
    this.#out.copyWithin(0, end - kept, end);
    this.#start = kept;
  }

  #skip(): void {
    let left = this.#uint32();
    const scratch = new Uint8Array(Math.min(left, PIECE_BYTES));
    while (left > 0) {
      const piece = Math.min(left, scratch.length);
      this.#read(scratch, piece);
      left -= piece;
    }
  }

  #uint32(): number {
    this.#read(this.#word, 4);
    return uint32(this.#word, 0);
  }

  /** Reads `length` bytes to the front of `to`; 0 instead at the end, where that is allowed. */
  #read(to: Uint8Array, length: number, mayEnd = false): number {
    let done = 0;
    while (done < length) {
      const got = this.#source.read(to, done, length - done);
      if (got === 0 && done === 0 && mayEnd) return 0;
      if (got === 0) throw new Lz4Error('it ends too early');
      done += got;
    }
    return done;
  }
}

/** Decodes one block to `out[start .. end)`, of which everything before `start` may be repeated. */
function decodeBlock(
  bytes: Uint8Array,
  length: number,
  out: Uint8Array,
  start: number,
  end: number,
): number {
  let at = 0;
  let to = start;
  while (at < length) {
    const token = bytes[at++]!;
    let literals = token >>> 4;
    if (literals === LENGTH_FULL) {
      let more = 255;
      while (more === 255 && at < length) literals += more = bytes[at++]!;
    }
    if (at + literals > length || to + literals > end) throw new Lz4Error('a block that overflows');
    for (let i = 0; i < literals; i++) out[to++] = bytes[at++]!;
    if (at === length) return to - start;
    if (at + 2 > length) break;
    const distance = bytes[at]! | (bytes[at + 1]! << 8);
    at += 2;
    let match = (token & LENGTH_FULL) + MATCH_MIN;
    if ((token & LENGTH_FULL) === LENGTH_FULL) {
      let more = 255;
      while (more === 255 && at < length) match += more = bytes[at++]!;
    }
    if (distance === 0 || distance > to || to + match > end) {
      throw new Lz4Error('a block that refers to what is not there');
    }
    for (let i = 0; i < match; i++, to++) out[to] = out[to - distance]!;
  }
  throw new Lz4Error('a block that ends within a match');
}

function uint32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}
