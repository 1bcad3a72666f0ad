/**
 * The backlog against a plain model: a string of all bytes ever appended, and how many of the last
 * ones must be kept.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplicationBacklog } from '../../src/replication/backlog.ts';
import type { Sender } from '../../src/replication/senders.ts';

/** A connection to a replica: what it is given is read only when it is sent. */
class Link implements Sender {
  sentBytes = 0;
  unsentBytes = 0;
  readonly given: Uint8Array[] = [];

  share(bytes: Uint8Array): void {
    this.given.push(bytes);
    this.unsentBytes += bytes.length;
  }

  /** Sends what has been given first, of all at most `count` pieces. */
  send(count = Number.POSITIVE_INFINITY): Buffer {
    const bytes = Buffer.concat(this.given.splice(0, count));
    this.sentBytes += bytes.length;
    this.unsentBytes -= bytes.length;
    return bytes;
  }
}

/** What a backlog keeps from `offset` on. */
function kept(backlog: ReplicationBacklog, offset: number): Buffer {
  const link = new Link();
  backlog.share(offset, link);
  return link.send();
}

/** `length` bytes that differ from place to place, also by a block, from `at` of the stream on. */
function streamBytes(at: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const place = at + i;
    bytes[i] = place * 31 + (place >>> 8) + (place >>> 16) * 7;
  }
  return bytes;
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
          let size = 0;
          let held = Number.POSITIVE_INFINITY;
          const wanted = (): number => Math.max(backlog.sizeBytes, total - held);
          for (const step of steps) {
            if (step.kind === 'resize') {
              backlog.resize(step.size);
              size = Math.min(size, wanted());
            } else if (step.kind === 'hold') {
              const { back } = step;
              held = back === null ? Number.POSITIVE_INFINITY : total - Math.floor(size * back);
              backlog.hold(origin + held);
              size = Math.min(size, wanted());
            } else {
              const bytes = streamBytes(total - step.offset, step.length + step.offset);
              const link = new Link();
              backlog.append(bytes, step.offset, step.length, step.shared ? [link] : []);
              if (step.shared) {
                expect(link.send().equals(bytes.subarray(step.offset))).toBe(true);
              }
              total += step.length;
              size = Math.min(size + step.length, wanted());
            }
            backlog.assertInvariants();
            expect(backlog.end).toBe(origin + total);
            expect(backlog.length).toBe(size);
            expect(backlog.heldBytes).toBe(Math.max(0, size - backlog.sizeBytes));
            const all = streamBytes(total - size, size);
            expect(kept(backlog, backlog.start).equals(all)).toBe(true);
            const half = backlog.end - (size >> 1);
            const tail = streamBytes(total - (size >> 1), size >> 1);
            expect(kept(backlog, half).equals(tail)).toBe(true);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('reaches from its first byte to its end, and no further', () => {
    const backlog = new ReplicationBacklog(100, 1000);
    expect(backlog.reaches(1000)).toBe(true);
    backlog.append(streamBytes(0, 250), 0, 250, []);
    expect([backlog.start, backlog.end]).toEqual([1150, 1250]);
    expect(backlog.reaches(1150)).toBe(true);
    expect(backlog.reaches(1250)).toBe(true);
    expect(backlog.reaches(1149)).toBe(false);
    expect(backlog.reaches(1251)).toBe(false);
    expect(() => kept(backlog, 1149)).toThrow('does not reach back');
  });

  it('changes nothing that a replica has yet to send', () => {
    const step = fc.record({
      length: fc.noBias(fc.oneof(fc.nat(5000), fc.nat(300_000))),
      /** 0: the replica asks for it later; otherwise it is given it as it comes. */
      fed: fc.array(fc.nat(9), { minLength: 3, maxLength: 3 }),
      /** How many pieces each sends then. */
      sends: fc.array(fc.oneof(fc.constant(0), fc.nat(3)), { minLength: 3, maxLength: 3 }),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.array(step, { minLength: 20, maxLength: 60 }),
        (size, steps) => {
          const backlog = new ReplicationBacklog(size, 0);
          const links = [new Link(), new Link(), new Link()];
          const wanted: Buffer[] = [];
          const got = links.map((): Buffer[] => []);
          const goneOn = [0, 0, 0];
          for (const { length, fed, sends } of steps) {
            const from = backlog.end;
            const bytes = streamBytes(from, length);
            wanted.push(Buffer.from(bytes));
            const now = links.filter((link, i) => {
              if (fed[i] === 0 || !backlog.reaches(goneOn[i]!)) return false;
              if (goneOn[i] !== from) backlog.share(goneOn[i]!, link);
              goneOn[i] = from + length;
              return true;
            });
            backlog.append(bytes, 0, length, now);
            for (const [i, link] of links.entries()) got[i]!.push(link.send(sends[i]));
            backlog.assertInvariants();
          }
          const stream = Buffer.concat(wanted);
          for (const [i, link] of links.entries()) {
            const all = Buffer.concat([...got[i]!, link.send()]);
            expect(all.equals(stream.subarray(0, goneOn[i]))).toBe(true);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('fills the blocks again that all have sent', () => {
    const backlog = new ReplicationBacklog(100_000, 0);
    const link = new Link();
    const memory = new Set<ArrayBufferLike>();
    for (let i = 0; i < 200; i++) {
      backlog.append(streamBytes(i, 50_000), 0, 50_000, [link]);
      for (const view of link.given) memory.add(view.buffer);
      link.send();
    }
    expect(memory.size).toBeLessThan(6);
    expect(backlog.memoryBytes).toBeLessThanOrEqual(3 * 65_536);
  });

  it('lets blocks go that many had to wait for', () => {
    const backlog = new ReplicationBacklog(1, 0);
    const link = new Link();
    backlog.append(streamBytes(0, 100 * 65_536), 0, 100 * 65_536, [link]);
    const early = new Set(link.given.map((view) => view.buffer));
    link.send();
    for (let i = 0; i < 100; i++) backlog.append(streamBytes(i, 65_536), 0, 65_536, [link]);
    const again = link.given.filter((view) => early.has(view.buffer));
    expect(again.length).toBeGreaterThan(0);
    expect(again.length).toBeLessThan(10);
  });
});
