/** What the writer is given is in the file as it was, wherever in a chunk it comes. */
import { describe, expect, it } from 'vitest';
import { HUGE_BASE } from '../../../src/core/memory/arena.ts';
import { RdbAssembler } from '../../../src/persistence/rdb/rdb-assembler.ts';
import { type FrameSink, FrameWriter } from '../../../src/persistence/rdb/rdb-frame-writer.ts';

const CHUNK_BYTES = 256;
const LENGTH_MAX = 72;

type Write = (writer: FrameWriter, bytes: Uint8Array, offset: number, length: number) => void;

/** The RDB bytes of what `write` writes. */
function rdbOf(compress: boolean, write: (writer: FrameWriter) => void): string {
  const parts: Buffer[] = [];
  const assembler = new RdbAssembler((bytes, length) => {
    parts.push(Buffer.from(bytes.subarray(0, length)));
  }, false);
  const sink: FrameSink = {
    // Parts of a buffer, as those of a server are.
    freshChunk: () => new Uint8Array(3 * CHUNK_BYTES).fill(0xee).subarray(100, 100 + CHUNK_BYTES),
    take: (chunk, from, to) => assembler.feed(chunk, from, to - from),
    takeLent: (_block, bytes, off, length) => assembler.feed(bytes, off, length),
  };
  const writer = new FrameWriter(sink, compress);
  write(writer);
  writer.flush();
  assembler.finish();
  return Buffer.concat(parts).toString('latin1');
}

/** What `write` makes of texts of all lengths, each with some beginnings. */
function written(compress: boolean, write: Write): string {
  return rdbOf(compress, (writer) => {
    for (let length = 0; length <= LENGTH_MAX; length++) {
      for (const head of ['12345', '-7', '-', 'member:1', '\0\xff', 'aaaaaaaaaaaaaaaa']) {
        const bytes = Buffer.alloc(LENGTH_MAX + 8, 0xdd);
        bytes.write(head.repeat(LENGTH_MAX).slice(0, length), 4, 'latin1');
        write(writer, bytes, 4, length);
        writer.double(length / 3);
      }
    }
  });
}

/** The words over the same memory. */
const wordsOf = (bytes: Uint8Array): Uint32Array => {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
};

describe('a string that begins at a word', () => {
  it.each([true, false])('is the same in the file (compressed: %s)', (compress) => {
    const plain = written(compress, (to, bytes, offset, length) =>
      to.string(bytes, offset, length),
    );
    const aligned = written(compress, (to, bytes, offset, length) => {
      const copy = new Uint8Array(bytes);
      to.alignedString(copy, wordsOf(copy), offset, length);
    });
    expect(aligned).toBe(plain);
    expect(aligned.length).toBeGreaterThan(LENGTH_MAX ** 2);
  });
});

it('a string of 64 bytes is the first whose length takes two', () => {
  const text = 'x'.repeat(65);
  for (const [length, head] of [
    [63, '\x3f'],
    [64, '\x40\x40'],
    [65, '\x40\x41'],
  ] as const) {
    const rdb = rdbOf(false, (writer) => writer.string(Buffer.from(text), 0, length));
    expect(rdb.slice(0, head.length + length)).toBe(head + text.slice(0, length));
  }
});

it.each([true, false])(
  'a string that is lent is where it was written (compressed: %s)',
  (compress) => {
    const large = Buffer.alloc(200_000, 'a large string, ');
    const written = (write: (writer: FrameWriter) => void): string =>
      rdbOf(compress, (writer) => {
        // Each time somewhere else in a chunk, and followed by more than is left of it.
        for (let i = 0; i < 40; i++) {
          writer.plain(Buffer.alloc(60, 97 + i), 0, 40 + (i % 20));
          write(writer);
          for (let n = 0; n < 9; n++) writer.plain(Buffer.alloc(60, 65 + n), 0, 60);
        }
      });
    const lent = written((writer) => writer.stringIn(HUGE_BASE + 3, large, 5, 150_000));
    expect(lent === written((writer) => writer.string(large, 5, 150_000))).toBe(true);
  },
);

it.each([0, 1, -1, 2 ** 31, -(2 ** 31) - 1, 2 ** 40 + 5, -(2 ** 40) - 5, 2 ** 53 - 1, 1 - 2 ** 53])(
  'the integer %i has eight bytes',
  (value) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    const rdb = rdbOf(false, (writer) => writer.int64(value));
    expect(rdb.slice(0, 8)).toBe(bytes.toString('latin1'));
  },
);
