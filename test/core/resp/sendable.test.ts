/** What of a reply is sent at once, held against what was written. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHUNKS_MAX, ChunkPool } from '../../../src/core/resp/chunk-pool.ts';
import { Reply } from '../../../src/core/resp/reply.ts';
import { sendableParts } from '../../../src/core/resp/sendable.ts';

const SEED = 1;

/** Pieces of a reply: how long, and how it is written. */
const piece = fc.record({
  length: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 51, max: 40_000 })),
  how: fc.constantFrom('raw', 'share', 'defer'),
});

describe('the pieces of a long reply', () => {
  it.each([
    ['by itself', 0],
    ['in a crowd', CHUNKS_MAX],
  ])('are what was written and released, once each, however taken, %s', (_name, others) => {
    const pool = new ChunkPool();
    for (let i = 0; i < others; i++) pool.take();
    const property = fc.property(
      fc.array(fc.record({ piece, release: fc.boolean(), taken: fc.integer({ min: 0, max: 4 }) })),
      // Small ones take long.
      fc.oneof(
        { arbitrary: fc.integer({ min: 1000, max: 100_000 }), weight: 9 },
        { arbitrary: fc.integer({ min: 1, max: 999 }), weight: 1 },
      ),
      (steps, limit) => {
        const reply = new Reply(pool);
        const written: Buffer[] = [];
        const sent: Buffer[] = [];
        let next = 0;
        const send = (quarters: number): void => {
          const parts = sendableParts(reply, limit);
          for (const part of parts) expect(part.length).toBeGreaterThan(0);
          const bytes = Buffer.concat(parts);
          expect(bytes.length).toBeLessThanOrEqual(limit);
          expect(bytes.length > 0).toBe(reply.sent < reply.released);
          const taken = Math.ceil((bytes.length * quarters) / 4);
          sent.push(bytes.subarray(0, taken));
          reply.advance(taken);
        };
        for (const { piece: one, release, taken } of steps) {
          const bytes = Buffer.from(Array.from({ length: one.length }, () => next++ & 255));
          if (one.how === 'defer') {
            const deferred = reply.defer(one.length);
            reply.fill(deferred, '*', one.length);
            written.push(Buffer.from(`*${one.length}\r\n`));
          }
          if (one.how === 'share') reply.share(bytes);
          else reply.raw(bytes);
          written.push(bytes);
          if (!release) continue;
          reply.released = reply.total;
          send(taken);
        }
        reply.released = reply.total;
        while (reply.sent < reply.total) send(4);
        expect(Buffer.concat(sent).equals(Buffer.concat(written))).toBe(true);
      },
    );
    fc.assert(property, { seed: SEED, numRuns: 150 });
  });
});
