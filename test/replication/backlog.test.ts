/**
 * The backlog against a plain model: a string of all bytes ever appended, and how many of the last
 * ones must be kept.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplicationBacklog } from '../../src/replication/backlog.ts';

const joined = (views: readonly Uint8Array[]): Buffer => Buffer.concat(views);

/** `length` bytes that differ from place to place, from `at` of the stream on. */
function streamBytes(at: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => ((at + i) * 31 + ((at + i) >>> 8)) & 255);
}

describe('backlog', () => {
  it('keeps exactly the last bytes of the stream, whatever is appended and resized', () => {
    const append = fc.record({
      kind: fc.constant('append' as const),
      length: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 200_000 })),
      offset: fc.integer({ min: 0, max: 9 }),
      shared: fc.boolean(),
    });
    const resize = fc.record({
      kind: fc.constant('resize' as const),
      size: fc.integer({ min: 1, max: 300_000 }),
    });
    const hold = fc.record({
      kind: fc.constant('hold' as const),
      back: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e12 }),
        fc.integer({ min: 1, max: 200_000 }),
        fc.array(fc.oneof(append, append, resize, hold), { maxLength: 40 }),
        (origin, firstSize, steps) => {
          const backlog = new ReplicationBacklog(firstSize, origin);
          let total = 0;
          let kept = 0;
          let held = Number.POSITIVE_INFINITY;
          const wanted = (): number => Math.max(backlog.sizeBytes, total - held);
          for (const step of steps) {
            if (step.kind === 'resize') {
              backlog.resize(step.size);
              kept = Math.min(kept, wanted());
            } else if (step.kind === 'hold') {
              const { back } = step;
              held = back === null ? Number.POSITIVE_INFINITY : total - Math.floor(kept * back);
              backlog.hold(origin + held);
              kept = Math.min(kept, wanted());
            } else {
              const bytes = streamBytes(total - step.offset, step.length + step.offset);
              const views: Uint8Array[] | null = step.shared ? [] : null;
              backlog.append(bytes, step.offset, step.length, views);
              if (views !== null) {
                expect(joined(views).equals(bytes.subarray(step.offset))).toBe(true);
              }
              total += step.length;
              kept = Math.min(kept + step.length, wanted());
            }
            backlog.assertInvariants();
            expect(backlog.end).toBe(origin + total);
            expect(backlog.length).toBe(kept);
            expect(backlog.heldBytes).toBe(Math.max(0, kept - backlog.sizeBytes));
            expect(
              joined(backlog.views(backlog.start)).equals(streamBytes(total - kept, kept)),
            ).toBe(true);
            const half = backlog.end - (kept >> 1);
            const tail = streamBytes(total - (kept >> 1), kept >> 1);
            expect(joined(backlog.views(half)).equals(tail)).toBe(true);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('reaches from its first byte to its end, and no further', () => {
    const backlog = new ReplicationBacklog(100, 1000);
    expect(backlog.reaches(1000)).toBe(true);
    backlog.append(streamBytes(0, 250), 0, 250, null);
    expect([backlog.start, backlog.end]).toEqual([1150, 1250]);
    expect(backlog.reaches(1150)).toBe(true);
    expect(backlog.reaches(1250)).toBe(true);
    expect(backlog.reaches(1149)).toBe(false);
    expect(backlog.reaches(1251)).toBe(false);
    expect(() => backlog.views(1149)).toThrow('does not reach back');
  });

  it('never changes what it has shared', () => {
    const backlog = new ReplicationBacklog(1, 0);
    const early: Uint8Array[] = [];
    backlog.append(streamBytes(0, 70_000), 0, 70_000, early);
    for (let i = 0; i < 50; i++) backlog.append(streamBytes(7, 5000), 0, 5000, null);
    expect(joined(early).equals(streamBytes(0, 70_000))).toBe(true);
    expect(backlog.memoryBytes).toBeLessThanOrEqual(2 * 65_536);
  });
});
