/** The arena: blocks never overlap, sizes are as promised, the books balance, memory comes back. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Arena, BLOCK_BYTES_MAX, CHUNK_BYTES, HUGE_BASE } from '../../../src/core/memory/arena.ts';

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

  test('says in time that a chunk will be wanted, and takes the one that was brought', () => {
    const arena = new Arena();
    const brought: ArrayBuffer[] = [];
    arena.onLow = () => {
      expect(arena.spareChunk).toBeNull();
      arena.spareChunk = new ArrayBuffer(CHUNK_BYTES);
      brought.push(arena.spareChunk);
    };
    const blocks = Array.from({ length: 200 }, () => arena.alloc(BLOCK_BYTES_MAX));
    const held = new Set(blocks.map((block) => arena.bytes(block).buffer));
    expect(held.size).toBeGreaterThan(3);
    expect(arena.reservedBytes).toBe(held.size * CHUNK_BYTES);
    expect(brought.slice(0, held.size - 1).every((chunk) => held.has(chunk))).toBe(true);
    expect(brought.slice(held.size - 1).every((chunk) => chunk === arena.spareChunk)).toBe(true);
  });

  test('blocks over 64 KiB have a buffer of their own', () => {
    const arena = new Arena();
    const address = arena.alloc(BLOCK_BYTES_MAX + 1);
    expect(address).toBeGreaterThanOrEqual(HUGE_BASE);
    expect(arena.byteOffset(address)).toBe(0);
    arena.free(address);
    expect(arena.usedBytes).toBe(0);
    expect(arena.reservedBytes).toBe(0);
  });
});
