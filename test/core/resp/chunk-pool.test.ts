/** Which chunks replies are given, and which are kept. */
import { describe, expect, it } from 'vitest';
import {
  CHUNK_BYTES,
  CHUNKS_MAX,
  ChunkPool,
  SMALL_BYTES,
} from '../../../src/core/resp/chunk-pool.ts';
import { Reply } from '../../../src/core/resp/reply.ts';

/** Writes a reply for each of so many clients of one turn. */
function turn(pool: ChunkPool, clients: number, bytes: number): Reply[] {
  const value = new Uint8Array(bytes);
  return Array.from({ length: clients }, () => {
    const reply = new Reply(pool);
    reply.bulk(value, 0, value.length);
    return reply;
  });
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
