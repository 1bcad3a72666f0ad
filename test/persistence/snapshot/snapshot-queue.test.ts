/** The queue between walker and child takes memory that is ready, and gives it back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Arena } from '../../../src/core/memory/arena.ts';
import { CHUNK_BYTES } from '../../../src/persistence/rdb/rdb-frame-writer.ts';
import {
  QUEUE_BYTES_MAX,
  SideBuffer,
  SnapshotQueue,
} from '../../../src/persistence/snapshot/snapshot-queue.ts';

const sents: (() => void)[] = [];
const transport = {
  data: (_bytes: Uint8Array, sent: () => void): void => {
    sents.push(sent);
  },
  end: (): void => {},
};

/** Memory that `take` brings, and what of it was given back. */
function memoryOf(take: () => Promise<ArrayBuffer>) {
  const returned: ArrayBuffer[] = [];
  const giveBack = (buffers: ArrayBuffer[]): void => {
    returned.push(...buffers);
  };
  return { take, giveBack, kept: [], returned };
}

/** Fills so many chunks, and says whose memory they were. */
function fill(queue: SnapshotQueue, chunks: number): Set<ArrayBufferLike> {
  const buffers = new Set<ArrayBufferLike>();
  for (let i = 0; i < chunks; i++) {
    const chunk = queue.freshChunk();
    expect(chunk.length).toBe(CHUNK_BYTES);
    buffers.add(chunk.buffer);
    queue.take(chunk, 0, chunk.length, true);
  }
  return buffers;
}

it('asks for memory when one chunk is full, and hands it back when all is sent', async () => {
  const made: ArrayBuffer[] = [];
  const memory = memoryOf(async () => {
    const buffer = new ArrayBuffer(CHUNK_BYTES * 12);
    made.push(buffer);
    return buffer;
  });
  const queue = new SnapshotQueue(transport, new Arena(), () => {}, memory);
  fill(queue, 1);
  await sleep(0);
  expect(made).toEqual([]);
  fill(queue, 1);
  expect(made.length).toBe(1);
  await sleep(0);
  expect([...fill(queue, 4)]).toEqual([made[0]]);
  expect(made.length).toBe(1);
  expect([...fill(queue, 8)]).toEqual([made[0]]);
  expect(made.length).toBe(2);
  await sleep(0);
  while (sents.length > 0) sents.shift()?.();
  expect(queue.copiedBytes).toBe(0);
  queue.giveBack();
  expect(new Set(memory.returned)).toEqual(new Set(made));
  expect(memory.returned.length).toBe(2);
  queue.giveBack();
  expect(memory.returned.length).toBe(2);
});

it('has its owner wait while memory is on its way, and says when it has come', async () => {
  let bring = (_buffer: ArrayBuffer): void => {};
  let changes = 0;
  const memory = memoryOf(() => {
    return new Promise((resolve) => {
      bring = resolve;
    });
  });
  const queue = new SnapshotQueue(transport, new Arena(), () => changes++, memory);
  fill(queue, 1);
  expect([queue.isFull, queue.hasRoom]).toEqual([false, true]);
  fill(queue, 1);
  expect([queue.isFull, queue.hasRoom]).toEqual([true, false]);
  // What must be written all the same goes to chunks of its own.
  fill(queue, 1);
  bring(new ArrayBuffer(CHUNK_BYTES));
  await sleep(0);
  expect([queue.isFull, queue.hasRoom, changes]).toEqual([false, true, 1]);
});

it('leaves two chunks to the next snapshot', () => {
  const memory = memoryOf(() => new Promise(() => {}));
  const chunks = (): ArrayBufferLike[] => {
    const queue = new SnapshotQueue(transport, new Arena(), () => {}, memory);
    const last = queue.freshChunk();
    const used = [...fill(queue, 2), last.buffer];
    queue.end(last);
    while (sents.length > 0) sents.shift()?.();
    queue.giveBack();
    expect(memory.returned).toEqual([]);
    return used;
  };
  const first = chunks();
  expect(chunks().filter((one) => first.includes(one)).length).toBe(2);
});

it('makes chunks itself where nobody brings memory', async () => {
  let asked = 0;
  const memory = memoryOf(() => {
    asked++;
    return Promise.reject(new Error('none'));
  });
  const queue = new SnapshotQueue(transport, new Arena(), () => {}, memory);
  for (let i = 0; i < 3; i++) {
    fill(queue, 3);
    await sleep(0);
  }
  expect(asked).toBe(1);
  expect([queue.isFull, queue.hasRoom]).toEqual([false, false]);
});

it('is full with four mebibytes, copied or lent', () => {
  const copied = new SnapshotQueue(transport, new Arena(), () => {});
  fill(copied, 15);
  expect(copied.isFull).toBe(false);
  fill(copied, 1);
  expect([copied.isFull, copied.hasRoom]).toEqual([true, false]);
  const arena = new Arena();
  const lent = new SnapshotQueue(transport, arena, () => {});
  const bytes = new Uint8Array(QUEUE_BYTES_MAX);
  lent.takeLent(arena.alloc(bytes.length), bytes, 0, bytes.length);
  expect([lent.isFull, lent.hasRoom]).toEqual([true, false]);
});

it('keeps a lent block, though it is freed, until the last piece of it is sent', () => {
  sents.length = 0;
  const arena = new Arena();
  const queue = new SnapshotQueue(transport, arena, () => {});
  const bytes = new Uint8Array(CHUNK_BYTES * 3);
  const block = arena.alloc(bytes.length);
  queue.takeLent(block, bytes, 0, bytes.length);
  arena.free(block);
  const held: boolean[] = [];
  while (sents.length > 0) {
    held.push(arena.freedWhileLentBytes > 0);
    sents.shift()?.();
  }
  expect([held, arena.freedWhileLentBytes]).toEqual([[true, true, true], 0]);
});

it('neither sends nor ends anything once it is dropped', () => {
  sents.length = 0;
  let ends = 0;
  const arena = new Arena();
  const end = (): void => void ends++;
  const queue = new SnapshotQueue({ ...transport, end }, arena, () => {});
  fill(queue, 4);
  queue.end(new Uint8Array(CHUNK_BYTES));
  const block = arena.alloc(CHUNK_BYTES);
  queue.takeLent(block, new Uint8Array(CHUNK_BYTES), 0, CHUNK_BYTES);
  arena.free(block);
  queue.drop();
  const given = sents.length;
  fill(queue, 1);
  expect(sents.length).toBe(given);
  while (sents.length > 0) sents.shift()?.();
  expect([ends, queue.memoryBytes, arena.freedWhileLentBytes]).toEqual([0, 0, 0]);
});

it('counts what waits aside until it is joined, and the end comes once, after all of it', () => {
  let ends = 0;
  const counting = {
    ...transport,
    end: () => {
      ends++;
    },
  };
  const arena = new Arena();
  const queue = new SnapshotQueue(counting, arena, () => {});
  const side = new SideBuffer(queue, 100);
  for (const length of [70, 30]) side.take(side.freshChunk(), 0, length);
  const block = arena.alloc(500);
  side.takeLent(block, arena.bytes(block), arena.byteOffset(block), 500);
  expect([queue.asideBytes, queue.copiedBytes, queue.memoryBytes]).toEqual([100, 0, 100]);
  queue.join(side);
  expect([queue.asideBytes, queue.copiedBytes, queue.lentBytes]).toEqual([0, 100, 500]);
  expect(queue.memoryBytesPeak).toBe(100);
  queue.end(queue.freshChunk());
  expect(ends).toBe(1);
  while (sents.length > 0) sents.shift()?.();
  expect([queue.copiedBytes, queue.lentBytes, queue.memoryBytes, ends]).toEqual([0, 0, 0, 1]);
});
