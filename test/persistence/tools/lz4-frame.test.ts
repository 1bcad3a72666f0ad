/**
 * LZ4 frames: what the package writes is read back, frames written by hand with everything the
 * format has are read as well, and no damage passes.
 */
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
  await decodeLz4(new FileSource(fs.openSync('/a.lz4', 'read')), async (part, length) => {
    parts.push(Buffer.from(part.slice(0, length)));
  });
  return Buffer.concat(parts);
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
      [0x10, 97, 5, 0],
      [0x10, 97, 0, 0],
      [0xf0, 255, 255],
      [0x1f, 97, 1, 0, ...new Array<number>(300).fill(255), 9],
    ];
    for (const block of lies)
      await expect(decoded(frame([block], CONTENT))).rejects.toThrow(/block/);
    await expect(decoded(Buffer.from('not an LZ4 file'))).rejects.toThrow(/no frame/);
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
    expect(() => loadLz4(load)).toThrow(/built for another Node\.js: .*npm rebuild lz4/);
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
