/** What chunks the replies of clients are written to, and when they are used again. */
import { describe, expect, it } from 'vitest';
import { ChunkPool } from '../../../src/core/resp/chunk-pool.ts';
import { Reply } from '../../../src/core/resp/reply.ts';

const MB = 1 << 20;
const ordinary = new ChunkPool().take(0).length;
const block = new Uint8Array(MB).fill(120);

function write(reply: Reply, megabytes: number): void {
  for (let i = 0; i < megabytes; i++) reply.raw(block);
}

function lengths(reply: Reply): number[] {
  return [...reply.queue.map(({ bytes }) => bytes.length), reply.chunk.length];
}

describe('the chunks of replies', () => {
  it('are ordinary ones, used again, up to what the pool keeps', () => {
    const reply = new Reply(new ChunkPool());
    write(reply, 7);
    const first = new Set([...reply.queue.map(({ bytes }) => bytes), reply.chunk]);
    expect(new Set(lengths(reply))).toEqual(new Set([ordinary]));
    reply.drop();
    write(reply, 7);
    expect(reply.queue.every(({ bytes }) => first.has(bytes))).toBe(true);
  });

  it('are large ones where a reply is longer than the pool keeps', () => {
    const pool = new ChunkPool();
    const reply = new Reply(pool);
    write(reply, 64);
    const taken = lengths(reply);
    expect(taken.filter((length) => length === ordinary).length).toBeLessThanOrEqual(513);
    expect(taken.slice(513).every((length) => length >= 4 * MB)).toBe(true);
    reply.drop();
    write(reply, 7);
    expect(new Set(lengths(reply))).toEqual(new Set([ordinary]));
  });

  it('go back to the system when they are large and sent, not while a send may be on', () => {
    let bytes = 0;
    const pool = new ChunkPool((buffers) => {
      for (const { byteLength } of buffers) bytes += byteLength;
    });
    const reply = new Reply(pool);
    write(reply, 64);
    reply.releaseAll();
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
    expect(new Set(lengths(other))).toEqual(new Set([ordinary]));
  });

  it('are ordinary ones for the little that is written between shared ranges', () => {
    const reply = new Reply(new ChunkPool());
    for (let i = 0; i < 2000; i++) {
      reply.raw(block.subarray(0, 50));
      reply.share(block.subarray(0, 5000));
    }
    expect(Math.max(...lengths(reply))).toBe(ordinary);
  });
});
