/** LZF: round trips, hand-written streams, lying streams, and 0 when nothing is gained. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STAGE_BYTES } from '../../../src/core/struct/block-stage.ts';
import {
  lzfAt,
  lzfCompress,
  lzfDecompress,
  lzfDecompressPart,
} from '../../../src/core/struct/lzf.ts';

/** The bytes from 3 on, and others around them. */
function between(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(1, 2, 3), bytes, Uint8Array.of(4)]);
}

function compress(bytes: Uint8Array, room = bytes.length - 4): Uint8Array | undefined {
  const out = new Uint8Array(Math.max(room, 0) + 8).fill(0xee);
  const len = lzfCompress(between(bytes), 3, bytes.length, out, 2, room);
  expect(out[0]).toBe(0xee);
  for (let i = Math.max(room, 0) + 2; i < out.length; i++) expect(out[i]).toBe(0xee);
  return len === 0 ? undefined : out.slice(2, 2 + len);
}

function decompress(stream: Uint8Array, len: number): Uint8Array | undefined {
  const out = new Uint8Array(len + 6).fill(0xdd);
  const ok = lzfDecompress(between(stream), 3, stream.length, out, 3, len);
  for (const i of [0, 1, 2, len + 3, len + 4, len + 5]) expect(out[i]).toBe(0xdd);
  return ok ? out.slice(3, 3 + len) : undefined;
}

const repetitive = fc
  .array(fc.tuple(fc.string({ maxLength: 12 }), fc.integer({ min: 1, max: 400 })), {
    maxLength: 30,
  })
  .map((parts) => Buffer.from(parts.map(([text, times]) => text.repeat(times)).join('')));

describe('lzf', () => {
  it('gives back what it took, when it shrank', () => {
    fc.assert(
      fc.property(repetitive, (bytes) => {
        const packed = compress(bytes);
        if (packed === undefined) return;
        expect(packed.length).toBeLessThanOrEqual(bytes.length - 4);
        expect(Buffer.compare(decompress(packed, bytes.length)!, bytes)).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('shrinks runs to almost nothing, and to copies of at most 264 bytes', () => {
    const packed = compress(Buffer.alloc(100_000, 'a'))!;
    expect(packed.length).toBeLessThan(1200);
    expect(Buffer.compare(decompress(packed, 100_000)!, Buffer.alloc(100_000, 'a'))).toBe(0);
  });

  it('returns 0 for noise and for inputs too short to win', () => {
    const noise = new Uint8Array(5000);
    let seed = 12345;
    for (let i = 0; i < noise.length; i++) {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      noise[i] = seed >>> 16;
    }
    expect(compress(noise)).toBeUndefined();
    for (let len = 0; len < 8; len++) expect(compress(new Uint8Array(len))).toBeUndefined();
  });

  it('never finds a copy in the input of an earlier call', () => {
    const first = Buffer.from('abcdefghijklmnopqrstuvwxyz0123456789'.repeat(3));
    const second = Buffer.from('abcdefghijklmnopqrstuvwxyz0123456789');
    compress(first);
    expect(compress(second)).toBeUndefined();
  });

  it('reaches exactly 8192 bytes back', () => {
    for (const gap of [8189, 8190, 8191, 8192, 8193]) {
      const bytes = new Uint8Array(gap + 300);
      for (let i = 0; i < bytes.length; i++)
        bytes[i] = (i * 7919 + (i >> 8) * 31 + (i >> 3)) & 0xff;
      bytes.set(bytes.subarray(0, 300), gap);
      const packed = compress(bytes, bytes.length * 2)!;
      expect(Buffer.compare(decompress(packed, bytes.length)!, bytes)).toBe(0);
      const out = new Uint8Array(STAGE_BYTES + 1);
      const len = lzfCompress(bytes, 0, bytes.length, out, 0, out.length);
      expect(packed.length).toBe(len);
    }
  });

  it('reads hand-written streams', () => {
    const run = Uint8Array.from([0x00, 0x61, 0x20 | 0, 0x00]); // "a", then 3 bytes from 1 back
    expect(Buffer.from(decompress(run, 4)!).toString()).toBe('aaaa');
    const long = Uint8Array.from([0x01, 0x61, 0x62, 0xe0, 0xff, 0x01]); // 264 bytes from 2 back
    expect(Buffer.from(decompress(long, 266)!).toString()).toBe('ab'.repeat(133));
  });

  it('refuses streams that end early, point before the start or miss the length', () => {
    const bad: [number[], number][] = [
      [[0x05, 1, 2], 6],
      [[0x20], 3],
      [[0xe0], 9],
      [[0xe0, 0x00], 9],
      [[0x00, 0x61, 0x20, 0x01], 4],
      [[0x00, 0x61, 0x20, 0x00], 3],
      [[0x00, 0x61, 0x20, 0x00], 5],
      [[0x00, 0x61], 0],
    ];
    for (const [stream, len] of bad) {
      expect(decompress(Uint8Array.from(stream), len)).toBeUndefined();
    }
    expect(lzfDecompress(new Uint8Array(2), 0, 9, new Uint8Array(20), 0, 20)).toBe(false);
    expect(lzfDecompress(Uint8Array.from([2, 1, 1, 1]), 0, 4, new Uint8Array(2), 0, 3)).toBe(false);
  });

  it('survives any bytes as a stream', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 600 }), (stream, len) => {
        decompress(stream, len);
      }),
      { numRuns: 500 },
    );
  });

  it('packs a block as it packs a longer string', () => {
    fc.assert(
      fc.property(repetitive, (bytes) => {
        const out = new Uint8Array(STAGE_BYTES + 1);
        // So much room is for longer strings, and so is the code that then runs.
        const len = lzfCompress(bytes, 0, bytes.length, out, 0, out.length);
        const room = len + 8;
        const packed = compress(bytes, room);
        if (packed !== undefined) expect(Buffer.compare(packed, out.subarray(0, len))).toBe(0);
        else expect(bytes.length).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('unpacks a block, damaged or not, as it unpacks a longer stream', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 2 });
    fc.assert(
      fc.property(repetitive, damage, fc.nat({ max: 3 }), (bytes, flips, cut) => {
        const packed = compress(bytes);
        if (packed === undefined) return;
        for (const [at, bits] of flips) packed[at % packed.length]! ^= bits;
        const stream = packed.subarray(0, packed.length - cut);
        const out = new Uint8Array(bytes.length);
        const end = out.length;
        const isSound =
          lzfDecompressPart(stream, 0, stream.length, true, out, 0, 0, end) && lzfAt.dst === end;
        const block = decompress(stream, end);
        expect(block !== undefined).toBe(isSound);
        if (block !== undefined) expect(Buffer.compare(block, out)).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it('reads nothing behind a stream that ends early, whatever another has left there', () => {
    for (const [stream, length] of [
      [[0x00, 0x61, 0x20, 0x00], 4],
      [[0x00, 0x61, 0xe0, 0x02, 0x00], 12],
      [[0x01, 0x61, 0x62, 0x00, 0x63], 3],
    ] as const) {
      for (let end = 1; end <= stream.length; end++) {
        expect(decompress(Uint8Array.from(stream), length)).toBeDefined();
        const isWhole = end === stream.length;
        const found = decompress(Uint8Array.from(stream.slice(0, end)), length);
        expect(found !== undefined).toBe(isWhole);
      }
    }
  });

  it('refuses a stream of more than its length, and is as good as new then', () => {
    const copies = Array.from({ length: 20_000 }, () => [0xe0, 0xff, 0x00]).flat();
    const literals = Array.from({ length: 1900 }, () => [
      0x1f,
      ...Array<number>(32).fill(7),
    ]).flat();
    for (const items of [copies, literals, [...copies.slice(0, 720), ...literals]]) {
      const stream = Uint8Array.from([0x00, 0x61, ...items]);
      expect(stream.length).toBeLessThan(STAGE_BYTES);
      for (const length of [1, 40, 1000, STAGE_BYTES]) {
        expect(decompress(stream, length)).toBeUndefined();
      }
    }
    const bytes = Buffer.from('as good as new, '.repeat(100));
    expect(Buffer.compare(decompress(compress(bytes)!, bytes.length)!, bytes)).toBe(0);
  });

  it('unpacks a block from a stream that is longer than one', () => {
    const bytes = Uint8Array.from({ length: 40_000 }, (_, i) => i * 7);
    const stream = Uint8Array.from([...bytes].flatMap((byte) => [0, byte]));
    expect(Buffer.compare(decompress(stream, bytes.length)!, bytes)).toBe(0);
  });

  it.each([-1, 0, 1])('packs and unpacks a block and %i bytes', (more) => {
    const words = Array.from({ length: 8000 }, (_, i) => `${(i * 7919) % 10_007} `);
    const bytes = Buffer.from(words.join('').repeat(2)).subarray(0, STAGE_BYTES + more);
    expect(bytes.length).toBe(STAGE_BYTES + more);
    expect(Buffer.compare(decompress(compress(bytes)!, bytes.length)!, bytes)).toBe(0);
  });
});
