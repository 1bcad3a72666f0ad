/** Buffers on offer: who adopts one gets it as it is, and it goes when nobody needs it any more. */
import { describe, expect, test } from 'vitest';
import { Arena, BLOCK_BYTES_MAX } from '../../../src/core/memory/arena.ts';
import { OfferedBuffers } from '../../../src/core/memory/offered-buffers.ts';

const LENGTH = 5_000_003;
const SIZE = 5_000_008;

function filled(offered: OfferedBuffers, length: number, byte: number): Uint8Array {
  const bytes = offered.take(length);
  bytes.fill(byte, 0, length);
  return bytes;
}

describe('an offered buffer', () => {
  test('becomes a block where it lies, which is lent until it is let go', () => {
    const arena = new Arena();
    const offered = new OfferedBuffers(arena);
    const bytes = filled(offered, LENGTH, 7);
    expect(arena.usedBytes).toBe(0);
    const block = offered.adopt(bytes, 0, LENGTH);
    expect(arena.bytes(block).buffer).toBe(bytes.buffer);
    expect([arena.usedBytes, arena.sizeOf(block), arena.isLent(block)]).toEqual([SIZE, SIZE, true]);
    offered.letGo(bytes);
    expect([arena.usedBytes, arena.isLent(block), arena.hasEmptied]).toEqual([SIZE, false, false]);
    arena.free(block);
    expect(arena.usedBytes).toBe(0);
    expect(arena.takeEmptied(1)).toEqual([bytes.buffer]);
  });

  test('stays readable when its block is freed, until it is let go', () => {
    const arena = new Arena();
    const offered = new OfferedBuffers(arena);
    const bytes = filled(offered, LENGTH, 7);
    arena.free(offered.adopt(bytes, 0, LENGTH));
    expect([arena.usedBytes, arena.hasEmptied]).toEqual([SIZE, false]);
    offered.letGo(bytes);
    expect([arena.usedBytes, arena.hasEmptied]).toEqual([0, true]);
  });

  test('that nobody adopts goes back, when the last who holds it lets it go', () => {
    const arena = new Arena();
    const offered = new OfferedBuffers(arena);
    const bytes = filled(offered, LENGTH, 7);
    expect(offered.hold(bytes)).toBe(true);
    offered.letGo(bytes);
    expect(arena.hasEmptied).toBe(false);
    const block = offered.adopt(bytes.subarray(0, LENGTH), 0, LENGTH);
    expect(block).not.toBe(0);
    arena.free(block);
    offered.letGo(bytes.subarray(0, LENGTH));
    expect(arena.takeEmptied(1)).toEqual([bytes.buffer]);

    const other = filled(offered, LENGTH, 8);
    offered.letGo(other);
    expect(arena.takeEmptied(1)).toEqual([other.buffer]);
  });

  test('is adopted once, and only as a whole', () => {
    const arena = new Arena();
    const offered = new OfferedBuffers(arena);
    const bytes = filled(offered, LENGTH, 7);
    expect(offered.adopt(bytes, 8, LENGTH - 8)).toBe(0);
    expect(offered.adopt(bytes, 0, LENGTH - 8)).toBe(0);
    expect(offered.adopt(bytes.slice(), 0, LENGTH)).toBe(0);
    expect(offered.adopt(bytes, 0, LENGTH)).not.toBe(0);
    expect(offered.adopt(bytes, 0, LENGTH)).toBe(0);
    offered.letGo(bytes);
    expect(offered.adopt(bytes, 0, LENGTH)).toBe(0);
    expect(offered.hold(bytes)).toBe(false);
  });

  test('is none when it is short, or longer than was asked for, and is used again', () => {
    const arena = new Arena();
    const offered = new OfferedBuffers(arena);
    const short = filled(offered, BLOCK_BYTES_MAX, 7);
    expect([offered.hold(short), offered.adopt(short, 0, BLOCK_BYTES_MAX)]).toEqual([false, 0]);
    offered.letGo(short);
    const longer = offered.take(4_000_000);
    offered.letGo(longer);
    const again = offered.take(100_000);
    expect(again).toBe(longer);
    expect([offered.hold(again), offered.adopt(again, 0, 100_000)]).toEqual([false, 0]);
    offered.letGo(again);
    expect(offered.take(4_000_000)).toBe(longer);
    expect(offered.adopt(longer, 0, 4_000_000)).not.toBe(0);
    offered.letGo(longer);
    expect(offered.take(100_000)).not.toBe(longer);
  });
});
