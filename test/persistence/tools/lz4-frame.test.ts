/**
 * LZ4 frames: what the package writes is read back, frames written by hand with everything the
 * format has are read as well, and no damage passes.
 */
import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { DurableFile } from '../../../src/persistence/durable-file.ts';
import { FileSource } from '../../../src/persistence/rdb/rdb-source.ts';
import { Lz4File, loadLz4 } from '../../../src/persistence/tools/lz4-file.ts';
import { decodeLz4 } from '../../../src/persistence/tools/lz4-frame.ts';
import { XxHash32 } from '../../../src/persistence/tools/xxhash32.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import { Random } from '../../support/random.ts';

async function decoded(bytes: Uint8Array): Promise<Buffer> {
  const fs = new FaultyFileSystem();
  fs.put('/a.lz4', bytes);
  const parts: Buffer[] = [];
  const source = new FileSource(fs.openSync('/a.lz4', 'read'));
  const given = await decodeLz4(source, async (part, length) => {
    parts.push(Buffer.from(part.slice(0, length)));
  });
  const whole = Buffer.concat(parts);
  expect(given).toBe(whole.length);
  return whole;
}

function sum(bytes: Uint8Array): number {
  const hash = new XxHash32();
  hash.update(bytes, 0, bytes.length);
  return hash.digest();
}

const word = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};

/** A frame without checksums but that of its header; blocks as in `frame`. */
function plainFrame(
  flags: number,
  blockSize: number,
  blocks: readonly (Buffer | number[])[],
  contentBytes?: number,
): Buffer {
  const size = Buffer.alloc(contentBytes === undefined ? 0 : 8);
  if (contentBytes !== undefined) size.writeBigUInt64LE(BigInt(contentBytes));
  const descriptor = Buffer.concat([Buffer.from([flags, blockSize]), size]);
  const parts = [word(0x184d2204), descriptor, Buffer.from([(sum(descriptor) >>> 8) & 0xff])];
  for (const block of blocks) {
    parts.push(word(block.length + (Buffer.isBuffer(block) ? 0x8000_0000 : 0)), Buffer.from(block));
  }
  return Buffer.concat([...parts, word(0)]);
}

/** A frame of these blocks; a Buffer is stored plain, an array is a compressed block. */
function frame(blocks: readonly (Buffer | number[])[], content: Buffer): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(content.length));
  // Version 1, linked blocks with checksums, content size and checksum; blocks of up to 64 kB.
  const descriptor = Buffer.concat([Buffer.from([0b01011100, 0x40]), size]);
  const parts = [word(0x184d2204), descriptor, Buffer.from([(sum(descriptor) >>> 8) & 0xff])];
  for (const block of blocks) {
    const bytes = Buffer.from(block);
    const plain = Buffer.isBuffer(block) ? 0x8000_0000 : 0;
    parts.push(word(bytes.length + plain), bytes, word(sum(bytes)));
  }
  return Buffer.concat([...parts, word(0), word(sum(content))]);
}

const CONTENT = Buffer.from(`abcdefgh${'abcdefgh'.repeat(40)}tail.`);
/** The second block is one match 8 bytes back, into the first: 4 + 15 + 255 + 46, and a tail. */
const LINKED = frame(
  [Buffer.from('abcdefgh'), [0x0f, 8, 0, 255, 46, 0x50, ...Buffer.from('tail.')]],
  CONTENT,
);

describe('xxh32', () => {
  it('gives the sums that its specification lists', () => {
    expect(sum(Buffer.alloc(0))).toBe(0x02cc5d05);
    expect(sum(Buffer.from('abc'))).toBe(0x32d153ff);
    expect(sum(Buffer.from('0123456789abcdef'))).toBe(0xc2c45b69);
    expect(sum(Buffer.from('Nobody inspects the spammish repetition'))).toBe(0xe2293b2f);
    const hash = new XxHash32();
    const bytes = Buffer.from('Nobody inspects the spammish repetition');
    for (let i = 0; i < bytes.length; i++) hash.update(bytes, i, 1);
    expect(hash.digest()).toBe(0xe2293b2f);
  });
});

describe('an LZ4 frame', () => {
  it('is read, with linked blocks and all its checksums, one behind the other', async () => {
    expect((await decoded(LINKED)).equals(CONTENT)).toBe(true);
    const skipped = Buffer.concat([word(0x184d2a53), word(5), Buffer.from('xxxxx')]);
    expect((await decoded(Buffer.concat([skipped, LINKED, skipped, LINKED]))).length).toBe(
      CONTENT.length * 2,
    );
  });

  it('that lacks its end, or has a flipped bit anywhere, is refused', async () => {
    for (let at = 0; at < LINKED.length; at++) {
      await expect(decoded(LINKED.subarray(0, at)), `cut at ${at}`).rejects.toThrow();
      for (let bit = 1; bit < 256; bit *= 2) {
        const bytes = Buffer.from(LINKED);
        bytes[at]! ^= bit;
        await expect(decoded(bytes), `byte ${at} bit ${bit}`).rejects.toThrow();
      }
    }
  });

  it('whose block lies is refused', async () => {
    const lies: number[][] = [
      [0x10, 97, 5],
      [0x10, 97, 5, 0],
      [0x10, 97, 0, 0],
      [0x10, 97, 0, 0, 0x10, 98],
      [0xf0, 255, 255],
      [0x1f, 97, 1, 0, ...new Array<number>(300).fill(255), 9],
    ];
    for (const block of lies)
      await expect(decoded(frame([block], CONTENT))).rejects.toThrow(/block/);
    await expect(decoded(Buffer.from('not an LZ4 file'))).rejects.toThrow(/no frame/);
  });

  it('whose block becomes longer than the frame allows is refused', async () => {
    const run = (bytes: number) => {
      const rest = bytes - 1 - 4 - 15;
      const more = [...new Array<number>(Math.floor(rest / 255)).fill(255), rest % 255];
      return [0x1f, 97, 1, 0, ...more];
    };
    const whole = plainFrame(0x60, 0x40, [[...run(65_532), 0x40, 98, 98, 98, 98]]);
    expect((await decoded(whole)).toString()).toBe(`${'a'.repeat(65_532)}bbbb`);
    const long = [run(70_000), [...run(65_533), 0x40, 98, 98, 98, 98], Buffer.alloc(65_537)];
    for (const block of long) {
      await expect(decoded(plainFrame(0x60, 0x40, [block]))).rejects.toThrow(/a block/);
    }
  });

  it('may be followed by one of larger blocks, which refers to none before it', async () => {
    const random = new Random(78);
    const small = Buffer.from(random.bytes(65_536), 'latin1');
    const large = Buffer.from(random.bytes(200_000), 'latin1');
    const both = [
      plainFrame(0x40, 0x40, [small, Buffer.alloc(0)]),
      plainFrame(0x40, 0x50, [large, [0x0f, 8, 0, 0, 0]]),
    ];
    const tail = large.subarray(-8);
    const repeated = Buffer.concat([tail, tail, tail]).subarray(0, 19);
    const whole = Buffer.concat([small, large, repeated]);
    expect((await decoded(Buffer.concat(both))).equals(whole)).toBe(true);
    const reaching = Buffer.concat([both[0]!, plainFrame(0x40, 0x40, [[0x0f, 8, 0, 0, 0]])]);
    await expect(decoded(reaching)).rejects.toThrow(/what is not there/);
  });

  it('that does not hold what it says, or says what is not known, is refused', async () => {
    const block = [Buffer.from('abcdefgh')];
    expect((await decoded(plainFrame(0x68, 0x40, block, 8))).toString()).toBe('abcdefgh');
    for (const bytes of [0, 7, 9, 2 ** 32 + 8]) {
      const lying = plainFrame(0x68, 0x40, block, bytes);
      await expect(decoded(lying)).rejects.toThrow(`a frame of ${bytes} bytes holds 8`);
    }
    for (const [flags, blockSize, reason] of [
      [0x20, 0x40, /unknown version/],
      [0x62, 0x40, /unknown version/],
      [0x61, 0x40, /needs a dictionary/],
      [0x60, 0x30, /unknown size/],
    ] as const) {
      await expect(decoded(plainFrame(flags, blockSize, block))).rejects.toThrow(reason);
    }
  });
});

describe('a file that compresses', () => {
  /** Gives back what it is given in pairs; fails where it is told to. */
  class PairEncoder extends EventEmitter {
    failsAt: 'write' | 'end' | 'nowhere' = 'nowhere';
    #kept: Uint8Array | null = null;

    write(chunk: Uint8Array, done: (error?: Error | null) => void): void {
      if (this.failsAt === 'write') done(new Error('cannot write'));
      else {
        if (this.#kept === null) this.#kept = chunk;
        else {
          this.emit('data', this.#kept);
          this.emit('data', chunk);
          this.#kept = null;
        }
        done();
      }
    }

    end(): void {
      if (this.failsAt === 'end') this.emit('error', new Error('cannot end'));
      else {
        this.emit('data', this.#kept ?? new Uint8Array(0));
        this.emit('end');
      }
    }
  }

  async function begun(): Promise<[FaultyFileSystem, PairEncoder, Lz4File]> {
    const fs = new FaultyFileSystem();
    fs.mkdirSync('/d');
    const encoder = new PairEncoder();
    return [
      fs,
      encoder,
      new Lz4File(new DurableFile(await fs.open('/d/a', 'replace')), () => encoder),
    ];
  }

  it('borrows bytes only while it is called, and ends on the disk', async () => {
    const [fs, , file] = await begun();
    const bytes = Buffer.from('-abc-');
    for (const text of ['abc', 'def', 'ghi']) {
      bytes.write(text, 1);
      await file.writeAll(bytes, 1, 3);
    }
    await file.end();
    expect(Buffer.from(fs.content('/d/a')!).toString()).toBe('abcdefghi');
    await file.syncData();
    await file.close();
    expect(fs.calls.slice(-2)).toEqual(['syncData a', 'close a']);
  });

  it('says what its encoder says', async () => {
    const [, encoder, file] = await begun();
    encoder.failsAt = 'write';
    await expect(file.writeAll(Buffer.from('a'), 0, 1)).rejects.toThrow('cannot write');
    encoder.failsAt = 'end';
    await expect(file.end()).rejects.toThrow('cannot end');
  });
});

/** Whether the optional package is there. */
const hasPackage = (() => {
  try {
    loadLz4();
    return true;
  } catch {
    process.stderr.write('\n*** SKIPPED: the optional package lz4 is not installed ***\n\n');
    return false;
  }
})();

describe('where the package is not there', () => {
  it('that is said, with what to do', () => {
    const load = (): unknown => {
      throw new Error('Cannot find module');
    };
    expect(() => loadLz4(load)).toThrow(/needs the package lz4, .*optional.*npm install lz4/);
  });

  it('or is another version of Node.js what it was built for, that is said', () => {
    const load = (): unknown => {
      throw Object.assign(new Error('did not self-register'), { code: 'ERR_DLOPEN_FAILED' });
    };
    expect(() => loadLz4(load)).toThrow(/is not built for this Node\.js: .*npm rebuild lz4/);
  });
});

describe.skipIf(!hasPackage)('what the package writes', () => {
  it('is read back', async () => {
    const random = new Random(77);
    const pieces = Array.from({ length: 40 }, (_, i) =>
      i % 3 === 0 ? Buffer.from(random.bytes(200_000)) : Buffer.alloc(250_000, `text ${i}`),
    );
    for (const count of [0, 1, 40]) {
      const fs = new FaultyFileSystem();
      fs.mkdirSync('/d');
      const file = new Lz4File(new DurableFile(await fs.open('/d/a.lz4', 'replace')), loadLz4());
      for (const piece of pieces.slice(0, count)) await file.writeAll(piece, 0, piece.length);
      await file.end();
      await file.syncData();
      await file.close();
      const whole = Buffer.concat(pieces.slice(0, count));
      const bytes = fs.content('/d/a.lz4')!;
      expect((await decoded(bytes)).equals(whole), `${count} pieces`).toBe(true);
      if (count === 40) expect(bytes.length).toBeLessThan(whole.length / 2);
    }
  });
});
