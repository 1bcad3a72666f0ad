/** Which chunks replies are given, which are kept, and which go back to the system. */
import { describe, expect, it } from 'vitest';
import {
  CHUNK_BYTES,
  CHUNKS_MAX,
  ChunkPool,
  SMALL_BYTES,
} from '../../../src/core/resp/chunk-pool.ts';
import { Reply } from '../../../src/core/resp/reply.ts';

const MB = 1 << 20;
const block = new Uint8Array(MB).fill(120);

/** Writes a reply for each of so many clients of one turn. */
function turn(pool: ChunkPool, clients: number, bytes: number): Reply[] {
  const value = new Uint8Array(bytes);
  return Array.from({ length: clients }, () => {
    const reply = new Reply(pool);
    reply.bulk(value, 0, value.length);
    return reply;
  });
}

function write(reply: Reply, megabytes: number): void {
  for (let i = 0; i < megabytes; i++) reply.raw(block);
}

function lengths(reply: Reply): number[] {
  return [...reply.queue.map(({ bytes }) => bytes.length), reply.chunk.length];
}

function bytesOf(replies: Reply[]): number {
  return replies.reduce((sum, one) => sum + one.memoryBytes, 0);
}

describe('the chunks of replies', () => {
  it('are large for few clients and small for those that come on top', () => {
    const pool = new ChunkPool();
    const replies = turn(pool, CHUNKS_MAX + 9000, 100);
    expect(bytesOf(replies)).toBe(CHUNKS_MAX * CHUNK_BYTES + 9000 * SMALL_BYTES);
  });

  it('are the same ones in the next turn', () => {
    const pool = new ChunkPool();
    const clients = CHUNKS_MAX + 1000;
    const first = turn(pool, clients, 100);
    const chunks = new Set(first.map(({ chunk }) => chunk));
    for (const one of first) one.drop();
    for (const { chunk } of turn(pool, clients, 100)) chunks.add(chunk);
    expect(chunks.size).toBe(clients);
  });

  it('are large ones where a reply goes on, in a crowd too', () => {
    const pool = new ChunkPool();
    turn(pool, CHUNKS_MAX, 1);
    const [reply] = turn(pool, 1, 20_000);
    expect(reply?.queue.map(({ bytes }) => bytes.length)).toEqual([SMALL_BYTES, CHUNK_BYTES]);
    expect(reply?.chunk.length).toBe(CHUNK_BYTES);
  });
});

describe('the chunks of a long reply', () => {
  it('are ordinary ones, used again, up to what the pool keeps', () => {
    const reply = new Reply(new ChunkPool());
    write(reply, 7);
    const first = new Set([...reply.queue.map(({ bytes }) => bytes), reply.chunk]);
    expect(new Set(lengths(reply))).toEqual(new Set([CHUNK_BYTES]));
    reply.drop();
    write(reply, 7);
    expect(reply.queue.every(({ bytes }) => first.has(bytes))).toBe(true);
  });

  it('are large ones where a reply is longer than the pool keeps', () => {
    const pool = new ChunkPool();
    const reply = new Reply(pool);
    write(reply, 64);
    const taken = lengths(reply);
    expect(taken.filter((length) => length === CHUNK_BYTES).length).toBeLessThanOrEqual(513);
    expect(taken.slice(513).every((length) => length >= 4 * MB)).toBe(true);
    reply.drop();
    write(reply, 7);
    expect(new Set(lengths(reply))).toEqual(new Set([CHUNK_BYTES]));
  });

  it('go back to the system when they are large and sent, not while a send may be on', () => {
    let bytes = 0;
    const pool = new ChunkPool((buffers) => {
      for (const { byteLength } of buffers) bytes += byteLength;
    });
    const reply = new Reply(pool);
    write(reply, 64);
    reply.released = reply.total;
    reply.advance(32 * MB);
    expect(bytes).toBeGreaterThanOrEqual(20 * MB);
    expect(bytes).toBeLessThanOrEqual(24 * MB);
    reply.advance(32 * MB);
    expect(bytes).toBeGreaterThanOrEqual(56 * MB);
    const before = bytes;
    write(reply, 64);
    reply.drop();
    expect(bytes).toBe(before);
  });

  it('are ordinary ones for short replies of others meanwhile', () => {
    const pool = new ChunkPool();
    write(new Reply(pool), 64);
    const other = new Reply(pool);
    write(other, 1);
    expect(new Set(lengths(other))).toEqual(new Set([CHUNK_BYTES]));
  });

  it('are ordinary ones for the little that is written between shared ranges', () => {
    const reply = new Reply(new ChunkPool());
    for (let i = 0; i < 2000; i++) {
      reply.raw(block.subarray(0, 50));
      reply.share(block.subarray(0, 5000));
    }
    expect(Math.max(...lengths(reply))).toBe(CHUNK_BYTES);
  });
});
