/** Chunks are made ready beside the loop, and where that fails all goes on. */
import { expect, test, vi } from 'vitest';
import { Arena, BLOCK_BYTES_MAX } from '../../../src/core/memory/arena.ts';
import { CHUNK_BYTES } from '../../../src/core/memory/chunk-space.ts';
import { supplyChunks } from '../../../src/server/memory/memory-ahead.ts';

function fillChunk(arena: Arena): Set<ArrayBufferLike> {
  const buffers = new Set<ArrayBufferLike>();
  for (let filled = 0; filled < CHUNK_BYTES; filled += BLOCK_BYTES_MAX) {
    buffers.add(arena.bytes(arena.alloc(BLOCK_BYTES_MAX)).buffer);
  }
  return buffers;
}

test('each chunk but the first was ready before it was wanted', async () => {
  const arena = new Arena();
  supplyChunks(arena);
  for (let i = 0; i < 5; i++) {
    fillChunk(arena);
    await vi.waitFor(() => expect(arena.spareChunks).not.toEqual([]), 60_000);
    const [ready] = arena.spareChunks;
    expect(ready?.byteLength).toBe(CHUNK_BYTES);
    expect(fillChunk(arena)).toContain(ready);
  }
});

test('a chunk that is not taken goes back, and another is ready when growth goes on', async () => {
  const arena = new Arena();
  supplyChunks(arena);
  fillChunk(arena);
  await vi.waitFor(() => expect(arena.spareChunks).not.toEqual([]), 60_000);
  const [idle] = arena.spareChunks;
  await vi.waitFor(() => expect(arena.spareChunks).toEqual([]), 60_000);
  expect(idle?.byteLength).toBe(0);
  expect(arena.bytes(arena.alloc(BLOCK_BYTES_MAX)).byteLength).toBe(CHUNK_BYTES);
  fillChunk(arena);
  await vi.waitFor(() => expect(arena.spareChunks).not.toEqual([]), 60_000);
});

test('who grows faster than they come has more of them made ready at a time', async () => {
  const arena = new Arena();
  supplyChunks(arena);
  for (let i = 0; i < 5; i++) fillChunk(arena);
  await vi.waitFor(() => expect(arena.spareChunks).toHaveLength(4), 60_000);
  const ready = [...arena.spareChunks];
  const held = new Set<ArrayBufferLike>();
  for (let i = 0; i < 5; i++) for (const buffer of fillChunk(arena)) held.add(buffer);
  for (const chunk of ready) expect(held).toContain(chunk);
});

test('without a file to read zeroes from, chunks come as they are wanted', async () => {
  const arena = new Arena();
  supplyChunks(arena, '/nowhere/zero');
  const { onLow } = arena;
  fillChunk(arena);
  await vi.waitFor(() => expect(arena.onLow).not.toBe(onLow), 60_000);
  for (let i = 0; i < 5; i++) fillChunk(arena);
  expect(arena.spareChunks).toEqual([]);
  expect(arena.reservedBytes).toBeGreaterThan(5 * CHUNK_BYTES);
});
