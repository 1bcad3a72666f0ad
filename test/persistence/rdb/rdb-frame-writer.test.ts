/** Strings that begin at a word are written like any others, wherever in a chunk they come. */
import { describe, expect, it } from 'vitest';
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
    freshChunk: () => new Uint8Array(CHUNK_BYTES).fill(0xee),
    take: (chunk, from, to) => assembler.feed(chunk, from, to - from),
    takeLent: () => expect.fail('nothing is lent'),
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
