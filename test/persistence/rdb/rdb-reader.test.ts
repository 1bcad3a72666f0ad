/** The reader: every form of a number and string, at every cut, and lengths that lie. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lzfCompress } from '../../../src/core/struct/lzf.ts';
import { ByteView } from '../../../src/core/value.ts';
import type { OpenFile } from '../../../src/persistence/file-system.ts';
import { RdbError } from '../../../src/persistence/rdb/rdb-error.ts';
import { putLength } from '../../../src/persistence/rdb/rdb-frame-writer.ts';
import { HeldString } from '../../../src/persistence/rdb/rdb-held.ts';
import { HUNGRY, RdbReader } from '../../../src/persistence/rdb/rdb-reader.ts';
import { skipString } from '../../../src/persistence/rdb/rdb-skip.ts';
import { FileSource } from '../../../src/persistence/rdb/rdb-source.ts';
import { fileReader, latin1 } from './rdb-support.ts';

const over = (...bytes: number[]): RdbReader =>
  RdbReader.overBytes(Buffer.from(bytes), 0, bytes.length);
const view = new ByteView();

function shown(): string {
  return Buffer.from(view.bytes.slice(view.offset, view.offset + view.length)).toString('latin1');
}

function stringOf(reader: RdbReader): string {
  reader.string(view);
  return shown();
}

describe('lengths', () => {
  it('come back as they were written, in the shortest form', () => {
    const sizes = [
      [0, 1], [63, 1], [64, 2], [16_383, 2], [16_384, 5], [0xffff_ffff, 5],
      [2 ** 32, 9], [Number.MAX_SAFE_INTEGER, 9],
    ] as const; // biome-ignore format: pairs
    for (const [value, size] of sizes) {
      const buf = new Uint8Array(16);
      expect(putLength(buf, 3, value), `${value}`).toBe(3 + size);
      const reader = RdbReader.overBytes(buf, 3, size);
      expect(reader.length()).toBe(value);
      expect(reader.offset).toBe(size);
    }
  });

  it('of 64 bits that no number holds are refused; what is no length is read exactly', () => {
    const bytes = [0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe];
    expect(() => over(...bytes).length()).toThrow(/2\^53.* byte 9/);
    expect(over(...bytes).wideLength()).toBe(0xffff_ffff_ffff_fffen);
    expect(over(0x41, 0x02).wideLength()).toBe(258n);
  });

  it('of an unknown kind are refused', () => {
    for (const first of [0x82, 0xbf]) {
      expect(() => over(first, 0, 0, 0, 0, 0, 0, 0, 1).length()).toThrow(/unknown kind/);
    }
    expect(() => over(0xc0, 1).length()).toThrow(RdbError);
  });
});

describe('numbers', () => {
  it('are read with their sign', () => {
    expect(over(0xff).encodedInteger(0)).toBe(-1);
    expect(over(0x00, 0x80).encodedInteger(1)).toBe(-32_768);
    expect(over(0xff, 0xff, 0xff, 0x7f).encodedInteger(2)).toBe(2_147_483_647);
    expect(over(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff).int64()).toBe(-2);
    expect(over(0, 0, 0, 0, 1, 0, 0, 0).int64()).toBe(2 ** 32);
    expect(over(0, 0, 0, 0, 0, 0, 0xf0, 0x3f).double()).toBe(1);
  });
});

describe('strings', () => {
  it('are plain, integers, or compressed', () => {
    expect(stringOf(over(3, 97, 98, 99))).toBe('abc');
    expect(stringOf(over(0xc0, 0x85))).toBe('-123');
    expect(stringOf(over(0xc1, 0xd2, 0x04))).toBe('1234');
    expect(stringOf(over(0xc2, 0, 0, 0, 0x80))).toBe('-2147483648');
    const plain = latin1('ab'.repeat(100));
    const packed = new Uint8Array(200);
    const size = lzfCompress(plain, 0, 200, packed, 0, 196);
    expect(stringOf(over(0xc3, size, 0x40, 200, ...packed.subarray(0, size)))).toBe(
      'ab'.repeat(100),
    );
  });

  it('of an unknown encoding, damaged, or of an impossible length are refused', () => {
    expect(() => stringOf(over(0xc4, 1))).toThrow(/unknown encoding/);
    expect(() => stringOf(over(0xc3, 2, 10, 0x20, 0x05))).toThrow(/damaged/);
    expect(() => stringOf(over(0xc3, 1, 0x80, 0x7f, 0xff, 0xff, 0xff, 0))).toThrow(/impossible/);
    const zeros = Buffer.alloc(10);
    expect(() => stringOf(over(0xc3, 10, 0x43, 0x71, ...zeros))).toThrow(/impossible.*10 for 881/);
    expect(() => stringOf(over(0xc3, 10, 0x43, 0x70, ...zeros))).toThrow(/damaged/);
  });

  it('take no memory for a length that the input cannot hold', () => {
    const before = process.memoryUsage().arrayBuffers;
    for (const make of [fileReader, (all: Uint8Array) => RdbReader.overBytes(all, 0, all.length)]) {
      const reader = make(Buffer.from([0x80, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3]));
      expect(() => reader.string(view)).toThrow(/ends too early/);
      expect(() => skipString(make(Buffer.from([0x80, 0x7f, 0, 0, 0])))).toThrow(RdbError);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20);
  });

  it('longer than the buffer come whole from a file', () => {
    const long = Buffer.alloc(3 << 20, 'x');
    const head = new Uint8Array(9);
    const size = putLength(head, 0, long.length);
    const reader = fileReader(Buffer.concat([Buffer.from([7]), head.subarray(0, size), long]));
    expect(reader.byte()).toBe(7);
    expect(stringOf(reader).length).toBe(long.length);
    expect(reader.bytesLeftMax).toBe(0);
  });
});

describe('a reader of a file', () => {
  /** A file that says it has so many bytes, and gives a few of them at each read. */
  const slow = (bytes: Uint8Array, sizeBytes = bytes.length): RdbReader => {
    let at = 0;
    return RdbReader.over({
      sizeBytes,
      read: (buf, off, len) => {
        const piece = bytes.subarray(at, at + Math.min(len, 7));
        buf.set(piece, off);
        at += piece.length;
        return piece.length;
      },
    });
  };

  it('goes on after reads that gave little', () => {
    const text = 'lorem ipsum '.repeat(5);
    const reader = slow(Buffer.concat([Buffer.from([60]), latin1(text), Buffer.from([1, 98])]));
    expect([stringOf(reader), stringOf(reader), reader.bytesLeftMax]).toEqual([text, 'b', 0]);
  });

  it('refuses one that is shorter than it said, wherever it ends', () => {
    const bytes = Buffer.from([40, ...Buffer.alloc(30)]);
    expect(() => slow(bytes, 41).string(view)).toThrow(/ends too early/);
    expect(() => skipString(slow(bytes, 41))).toThrow(/ends too early/);
    const reader = slow(bytes, 41);
    const to = new Uint8Array(64);
    const all = (): void => {
      for (;;) reader.take(to, 0, 64);
    };
    expect(all).toThrow(/ends too early/);
    expect(reader.offset).toBe(31);
  });

  it('passes over a long string without room for it, and tries a compressed one', () => {
    const head = new Uint8Array(9);
    const size = putLength(head, 0, 3 << 20);
    const bytes = [head.subarray(0, size), Buffer.alloc(3 << 20), Buffer.from([0xc0, 7, 1, 97])];
    const reader = fileReader(Buffer.concat(bytes));
    skipString(reader);
    skipString(reader);
    expect([stringOf(reader), reader.bytesLeftMax]).toEqual(['a', 0]);
    expect(reader.buf.length).toBeLessThanOrEqual(1 << 20);
    expect(() => skipString(over(0xc3, 2, 10, 0x20, 0x05))).toThrow(/damaged/);
  });

  it('keeps no room of a long string for the short ones behind it', () => {
    const lengths = [3 << 20, 5 << 20, 3 << 20, ...Array.from({ length: 130 }, () => 60_000)];
    const parts = lengths.map((length, i) => {
      const head = new Uint8Array(9);
      return [head.subarray(0, putLength(head, 0, length)), Buffer.alloc(length, i)];
    });
    const reader = fileReader(Buffer.concat(parts.flat()));
    for (const [i, length] of lengths.entries()) {
      reader.string(view);
      expect([view.length, view.bytes[view.offset]]).toEqual([length, i]);
      expect(view.bytes[view.offset + length - 1]).toBe(i);
    }
    expect(reader.buf.length).toBeLessThanOrEqual(1 << 20);
  });
});

describe('a fed reader', () => {
  it('reads the same strings, however its bytes are cut', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 });
    const values = fc.array(fc.string({ maxLength: 200, unit: 'binary-ascii' }), { minLength: 1 });
    fc.assert(
      fc.property(values, cuts, (texts, sizes) => {
        const parts = texts.map((one) => {
          const head = new Uint8Array(9);
          return [head.subarray(0, putLength(head, 0, one.length)), latin1(one)];
        });
        const all = Buffer.concat(parts.flat());
        const reader = RdbReader.fed();
        const found: string[] = [];
        let at = 0;
        let turn = 0;
        while (found.length < texts.length) {
          try {
            if (!reader.isSated) throw HUNGRY;
            found.push(stringOf(reader));
            reader.commit();
          } catch (error) {
            if (error !== HUNGRY || at === all.length) throw error;
            const size = sizes[turn++ % sizes.length]!;
            reader.feed(all.subarray(at, at + size));
            at = Math.min(all.length, at + size);
            if (at === all.length) reader.endOfFeed();
          }
        }
        expect(found).toEqual(texts);
        expect(reader.offset).toBe(all.length);
      }),
    );
  });

  it('makes room for a long string once, however small the pieces are', () => {
    const reader = RdbReader.fed();
    const length = 20 << 20;
    const head = new Uint8Array(16);
    reader.feed(head.subarray(0, putLength(head, 0, length)));
    expect(() => reader.string(view)).toThrow(HUNGRY);
    const piece = Buffer.alloc(1 << 16, 'x');
    const rooms = new Set([reader.buf]);
    for (let fed = 0; fed < length; fed += piece.length) {
      reader.feed(piece);
      rooms.add(reader.buf);
    }
    reader.string(view);
    expect(view.length).toBe(length);
    expect(rooms.size).toBe(2);
  });

  it('wants what is missing, past 64 KiB twice what it has, and never more than will come', () => {
    const reader = RdbReader.fed();
    const isSatedBy = (bytes: number): boolean => {
      reader.feed(new Uint8Array(bytes));
      return reader.isSated;
    };
    const pair = (): number[] => [reader.uint32(), reader.uint32()];
    reader.feed(new Uint8Array(5));
    expect(pair).toThrow(HUNGRY);
    expect([isSatedBy(2), isSatedBy(1)]).toEqual([false, true]);
    expect(pair()).toEqual([0, 0]);
    reader.commit();
    expect(reader.isSated).toBe(true);
    const head = new Uint8Array(9);
    reader.feed(head.subarray(0, putLength(head, 0, 100_000)));
    reader.feed(new Uint8Array(70_000));
    expect(() => reader.string(view)).toThrow(HUNGRY);
    expect(isSatedBy(30_000)).toBe(false);
    reader.endOfFeed();
    expect(reader.isSated).toBe(true);
    reader.string(view);
    expect([view.length, reader.bytesLeftMax]).toEqual([100_000, 0]);
    expect(() => reader.take(new Uint8Array(1), 0, 1)).toThrow(/ends too early/);
  });

  it('takes a byte more than it has room for, and nothing in the middle of a value', () => {
    const reader = RdbReader.fed();
    const bytes = new Uint8Array(reader.buf.length + 1).fill(1);
    reader.feed(bytes);
    reader.skip(bytes.length);
    expect(() => reader.feed(bytes)).toThrow(/between two values/);
    reader.commit();
    reader.feed(Buffer.from([7]));
    expect([reader.byte(), reader.offset]).toEqual([7, bytes.length + 1]);
  });

  it('says where its input ended', () => {
    const reader = RdbReader.fed();
    reader.feed(Buffer.from([5, 97]));
    expect(() => reader.string(view)).toThrow(HUNGRY);
    expect(reader.offset).toBe(0);
    reader.endOfFeed();
    expect(() => reader.string(view)).toThrow(/ends too early, at byte 2/);
  });
});

it('a held string keeps no room of a long one for the short ones behind it', () => {
  const held = new HeldString();
  for (const length of [5000, 2 << 20, 100, 2 << 20]) {
    view.bytes = new Uint8Array(length + 1).fill(length & 0xff);
    view.offset = 1;
    view.length = length;
    held.copy(view);
    expect(held.length).toBe(length);
    expect(Buffer.from(held.bytes.subarray(0, length)).equals(view.bytes.subarray(1))).toBe(true);
    if (length === 100) expect(held.bytes.length).toBeLessThan(1000);
  }
});

describe('a file', () => {
  it('that gives less than it is asked for is read on where that ended', () => {
    const whole = latin1('0123456789');
    const file: Pick<OpenFile, 'readSync' | 'sizeSync'> = {
      sizeSync: () => whole.length,
      readSync: (buf, off, len, position) => {
        const piece = whole.subarray(position, position + Math.min(len, 3));
        buf.set(piece, off);
        return piece.length;
      },
    };
    const told: [number, number][] = [];
    const source = new FileSource(file, (...at) => told.push(at));
    const buf = new Uint8Array(10);
    let end = 0;
    for (let got = -1; got !== 0; end += got) got = source.read(buf, end, buf.length - end);
    expect(Buffer.from(buf).equals(whole)).toBe(true);
    expect(told.map(([done]) => done)).toEqual([3, 6, 9, 10, 10]);
    expect(told[0]).toEqual([3, 10]);
  });
});
