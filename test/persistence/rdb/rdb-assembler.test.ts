/** The assembler makes the same RDB of frames in pieces of any size, plain or compressed. */
import { randomFillSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { lzfCompress } from '../../../src/core/struct/lzf.ts';
import { RdbAssembler } from '../../../src/persistence/rdb/rdb-assembler.ts';
import {
  FRAME_HEAD_BYTES,
  FRAME_RAW,
  FRAME_TEXT,
  putLength,
} from '../../../src/persistence/rdb/rdb-frame-writer.ts';

/** Lengths on both sides of what a length of one, two and five bytes can say, packed or not. */
const LENGTHS = [21, 63, 64, 900, 40, 16_383, 16_384, 30, 300_000, 25, 70_000];

function frame(kind: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head[0] = kind;
  head.writeUInt32LE(body.length, 1);
  return Buffer.concat([head, body]);
}

function lengthOf(value: number): Buffer {
  const bytes = Buffer.alloc(9);
  return bytes.subarray(0, putLength(bytes, 0, value));
}

/** How a string of the file looks. */
function stringBytes(text: Buffer): Buffer {
  const packed = Buffer.alloc(text.length);
  const count = lzfCompress(text, 0, text.length, packed, 0, text.length - 4);
  if (count === 0) return Buffer.concat([lengthOf(text.length), text]);
  const head = [Buffer.of(0xc3), lengthOf(count), lengthOf(text.length)];
  return Buffer.concat([...head, packed.subarray(0, count)]);
}

/** Texts that shrink to next to nothing, by a little, and not at all. */
function textsOf(length: number): Buffer[] {
  const same = Buffer.alloc(length, 'a');
  const random = randomFillSync(Buffer.alloc(length));
  const half = Buffer.concat([random.subarray(0, length >>> 1), same.subarray(length >>> 1)]);
  return [same, half, random];
}

it('gives the same bytes whatever the pieces', () => {
  const texts = LENGTHS.flatMap(textsOf);
  const raw = Buffer.from('between two strings');
  const frames = texts.flatMap((text) => [frame(FRAME_RAW, raw), frame(FRAME_TEXT, text)]);
  const all = Buffer.concat(frames);
  const wanted = Buffer.concat(texts.flatMap((text) => [raw, stringBytes(text)]));
  for (const size of [1, 3, 7, 4096, all.length]) {
    const parts: Buffer[] = [];
    const assembler = new RdbAssembler((bytes, length) => {
      parts.push(Buffer.from(bytes.subarray(0, length)));
    }, false);
    for (let at = 0; at < all.length; at += size) {
      assembler.feed(all, at, Math.min(size, all.length - at));
    }
    assembler.finish();
    const rdb = Buffer.concat(parts);
    expect(rdb.length - 8).toBe(wanted.length);
    expect(rdb.subarray(0, -8).equals(wanted)).toBe(true);
  }
});
