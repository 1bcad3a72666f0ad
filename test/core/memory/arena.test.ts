/** The arena: blocks never overlap, sizes are as promised, the books balance, memory comes back. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Arena, BLOCK_BYTES_MAX, HUGE_BASE } from '../../../src/core/memory/arena.ts';
import { CHUNK_BYTES } from '../../../src/core/memory/chunk-space.ts';

const ALL = Number.POSITIVE_INFINITY;

describe('arena', () => {
  test('blocks hold their bytes apart from each other, and usedBytes is their sum', () => {
    const size = fc.oneof(
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 300, max: BLOCK_BYTES_MAX + 5000 }),
    );
    const operation = fc.record({ free: fc.boolean(), size, pick: fc.nat() });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 600 }), (operations) => {
        const arena = new Arena();
        const live: { address: number; size: number; mark: number }[] = [];
        let mark = 0;
        for (const one of operations) {
          if (one.free && live.length > 0) {
            const [gone] = live.splice(one.pick % live.length, 1);
            if (gone !== undefined) arena.free(gone.address);
            continue;
          }
          const address = arena.alloc(one.size);
          mark = (mark + 1) & 255;
          const from = arena.byteOffset(address);
          arena.bytes(address).fill(mark, from, from + arena.sizeOf(address));
          expect(arena.sizeOf(address)).toBeGreaterThanOrEqual(one.size);
          expect(arena.sizeOf(address)).toBe(Arena.roundUp(one.size));
          live.push({ address, size: one.size, mark });
        }
        let used = 0;
        for (const one of live) {
          const from = arena.byteOffset(one.address);
          const bytes = arena.bytes(one.address).subarray(from, from + arena.sizeOf(one.address));
          expect(bytes.every((byte) => byte === one.mark)).toBe(true);
          used += arena.sizeOf(one.address);
        }
        expect(arena.usedBytes).toBe(used);
      }),
      { numRuns: 100 },
    );
  });

  test('no block wastes more than an eighth above 64 bytes', () => {
    for (let size = 64; size <= BLOCK_BYTES_MAX; size += 7) {
      expect(Arena.roundUp(size)).toBeLessThanOrEqual(Math.ceil((size * 9) / 8) + 8);
    }
  });

  test('address 0 is never given out', () => {
    const arena = new Arena();
    for (let i = 0; i < 20_000; i++) expect(arena.alloc(8)).not.toBe(0);
  });

  test('chunks go back to the system when everything is freed', () => {
    const arena = new Arena();
    const blocks: number[] = [];
    for (let i = 0; i < 40_000; i++) blocks.push(arena.alloc(1000));
    const high = arena.reservedBytes;
    for (const address of blocks) arena.free(address);
    expect(arena.usedBytes).toBe(0);
    expect(arena.reservedBytes).toBeLessThan(high / 4);
    const again = blocks.map(() => arena.alloc(1000));
    expect(arena.reservedBytes).toBeLessThanOrEqual(high);
    for (const address of again) arena.free(address);
  });

  test('keeps a block that is freed while it is lent, until the last reader gives it back', () => {
    const arena = new Arena();
    const block = arena.alloc(100_000);
    const size = arena.sizeOf(block);
    arena.bytes(block).fill(7);
    expect(arena.isLent(block)).toBe(false);
    arena.lend(block);
    arena.lend(block);
    arena.free(block);
    arena.giveBack(block);
    expect(arena.isLent(block)).toBe(true);
    expect(arena.alloc(100_000)).not.toBe(block);
    expect(arena.bytes(block).every((byte) => byte === 7)).toBe(true);
    expect([arena.usedBytes, arena.freedWhileLentBytes]).toEqual([2 * size, size]);
    arena.giveBack(block);
    expect(arena.isLent(block)).toBe(false);
    expect([arena.usedBytes, arena.freedWhileLentBytes]).toEqual([size, 0]);
    expect(arena.alloc(100_000)).toBe(block);
    arena.lend(block);
    arena.giveBack(block);
    expect(arena.usedBytes).toBe(2 * size);
  });

  test('says in time that a chunk will be wanted, and takes the one that was brought', () => {
    const arena = new Arena();
    const brought: ArrayBuffer[] = [];
    arena.onLow = () => {
      if (arena.spareChunks.length > 0) return;
      brought.push(new ArrayBuffer(CHUNK_BYTES));
      arena.spareChunks.push(brought.at(-1)!);
    };
    const blocks = Array.from({ length: 200 }, () => arena.alloc(BLOCK_BYTES_MAX));
    const held = new Set(blocks.map((block) => arena.bytes(block).buffer));
    expect(held.size).toBeGreaterThan(3);
    expect(arena.reservedBytes).toBe(held.size * CHUNK_BYTES);
    expect(brought.slice(0, held.size - 1).every((chunk) => held.has(chunk))).toBe(true);
    expect(
      brought
        .slice(held.size - 1)
        .every((chunk) => arena.spareChunks.includes(chunk as ArrayBuffer)),
    ).toBe(true);
  });

  test('says so twice a chunk when nobody brings one', () => {
    const arena = new Arena();
    let said = 0;
    arena.onLow = () => said++;
    const chunks = (): number => arena.reservedBytes / CHUNK_BYTES;
    while (chunks() < 6) arena.alloc(4096);
    expect(said).toBe(2 * 5);
  });

  test('says so all the same when a large block was given up', () => {
    const arena = new Arena();
    let said = 0;
    arena.onLow = () => said++;
    arena.free(arena.alloc(CHUNK_BYTES / 8));
    const chunks = (): number => arena.reservedBytes / CHUNK_BYTES;
    while (chunks() < 6) arena.alloc(4096);
    expect(said).toBe(2 * 5);
  });

  test('tidied, an arena without blocks holds one chunk, whatever was in it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1 << 30 }), (start) => {
        const arena = new Arena();
        const blocks: number[] = [];
        let seed = start;
        const next = (bound: number): number => {
          seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
          return Math.floor((seed / 2 ** 32) * bound);
        };
        for (let i = 0; i < 6000; i++) {
          blocks.push(arena.alloc(1 + next(i % 2 === 0 ? 600 : BLOCK_BYTES_MAX)));
          if (i % 3 === 0) arena.free(blocks.splice(next(blocks.length), 1)[0]!);
        }
        const high = arena.reservedBytes;
        expect(high).toBeLessThan(arena.usedBytes * 1.5);
        for (const address of blocks) arena.free(address);
        arena.tidy(true);
        expect(arena.usedBytes).toBe(0);
        expect(arena.reservedBytes).toBe(1 << 22);
        const emptied = arena.takeEmptied(ALL);
        expect(emptied.reduce((sum, one) => sum + one.byteLength, 0)).toBe(high - (1 << 22));
        expect(arena.takeEmptied(ALL)).toEqual([]);
      }),
      { numRuns: 5 },
    );
  });

  test('what is given up can be taken bit by bit', () => {
    const arena = new Arena();
    const blocks = Array.from({ length: 400 }, () => arena.alloc(BLOCK_BYTES_MAX));
    const chunks = arena.reservedBytes / CHUNK_BYTES;
    for (const address of blocks) arena.free(address);
    arena.tidy(false);
    const given = chunks - arena.reservedBytes / CHUNK_BYTES;
    expect(given).toBeGreaterThan(3);
    for (let left = given; left > 0; left--) {
      expect(arena.hasEmptied).toBe(true);
      expect(arena.takeEmptied(CHUNK_BYTES).map((one) => one.byteLength)).toEqual([CHUNK_BYTES]);
    }
    expect(arena.hasEmptied).toBe(false);
  });

  test('a chunk that was given up is taken again before a new one is', () => {
    const arena = new Arena();
    const fill = () => Array.from({ length: 2000 }, () => arena.alloc(BLOCK_BYTES_MAX / 4));
    const first = fill();
    const buffers = new Set(arena.u8.map(({ buffer }) => buffer));
    for (const address of first) arena.free(address);
    const second = fill();
    for (const { buffer } of arena.u8) expect(buffers.has(buffer)).toBe(true);
    expect(new Set(second).size).toBe(second.length);
  });

  test('blocks over 64 KiB have a buffer of their own', () => {
    const arena = new Arena();
    const address = arena.alloc(BLOCK_BYTES_MAX + 1);
    expect(address).toBeGreaterThanOrEqual(HUGE_BASE);
    expect(arena.byteOffset(address)).toBe(0);
    arena.free(address);
    expect(arena.usedBytes).toBe(0);
    expect(arena.reservedBytes).toBe(0);
    expect(arena.takeEmptied(ALL).map((one) => one.byteLength)).toEqual([BLOCK_BYTES_MAX + 8]);
  });
});
