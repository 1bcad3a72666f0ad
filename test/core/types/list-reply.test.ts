/** Lists as replies, and elements taken at the ends, against an array: whatever keeps the list. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChunkPool } from '../../../src/core/resp/chunk-pool.ts';
import { Reply } from '../../../src/core/resp/reply.ts';
import {
  listCreate,
  listGrow,
  listLength,
  listPush,
  listShrink,
} from '../../../src/core/types/list.ts';
import { listPop, listReply } from '../../../src/core/types/list-reply.ts';
import { bytesOf, element, Fixture } from './samples.ts';

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

class Harness extends Fixture {
  readonly model: string[] = [];
  private readonly pool = new ChunkPool();

  push(value: string, atHead: boolean): void {
    const { db, key, keyspace } = this;
    let address = this.find();
    if (address === 0) address = listCreate(keyspace, db, key, 0, key.length, value.length, 1);
    else address = listGrow(keyspace, db, address, value.length, 1);
    listPush(keyspace, db, address, bytesOf(value), 0, value.length, atHead);
    if (atHead) this.model.unshift(value);
    else this.model.push(value);
  }

  pop(atHead: boolean): void {
    const { db, keyspace } = this;
    const address = this.find();
    if (address === 0) return;
    const expected = (atHead ? this.model.shift() : this.model.pop())!;
    let after = 0;
    const answer = this.answered((reply) => {
      after = listPop(reply, keyspace, db, address, atHead);
    });
    expect(answer).toBe(bulk(expected));
    expect(listLength(keyspace, after)).toBe(this.model.length);
    if (this.model.length === 0) keyspace.remove(db, after);
    else listShrink(keyspace, db, after);
  }

  range(start: number, length: number): void {
    const { model } = this;
    if (model.length === 0) return;
    const from = start % model.length;
    const count = 1 + (length % (model.length - from));
    const answer = this.answered((reply) => {
      listReply(reply, this.keyspace, this.find(), from, count);
    });
    expect(answer).toBe(
      model
        .slice(from, from + count)
        .map(bulk)
        .join(''),
    );
  }

  private answered(run: (reply: Reply) => void): string {
    const reply = new Reply(this.pool);
    run(reply);
    const parts = reply.queue.map((one) => one.bytes.subarray(0, one.length));
    parts.push(reply.chunk.subarray(0, reply.at));
    const text = Buffer.concat(parts).toString('latin1');
    reply.drop();
    return text;
  }
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ push: element, atHead: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ pop: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ range: fc.nat(500), length: fc.nat(500) }) },
);

test('ranges and popped elements are those of an array', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(-1, -2, 3, 20),
      fc.constantFrom(0, 1),
      fc.constantFrom(200, 1 << 30),
      fc.array(step, { minLength: 20, maxLength: 200 }),
      (fill, depth, threshold, steps) => {
        const list = new Harness();
        const { arena, limits } = list.keyspace;
        const before = arena.usedBytes;
        limits.listMaxListpackSize = fill;
        limits.listCompressDepth = depth;
        limits.listPackedThreshold = threshold;
        for (const one of steps) {
          if ('push' in one) list.push(one.push, one.atHead);
          else if ('pop' in one) list.pop(one.pop);
          else list.range(one.range, one.length);
        }
        list.range(0, list.model.length - 1);
        while (list.model.length > 0) list.pop(list.model.length % 3 === 0);
        list.drain();
        expect(arena.usedBytes).toBe(before);
      },
    ),
    { numRuns: 150, seed: 20261128 },
  );
});

test('a range of short elements is written whole over many chunks', () => {
  const list = new Harness();
  for (let i = 0; i < 6000; i++) list.push('abcdefghij'.repeat(7).slice(0, i % 67), false);
  list.range(0, 5999);
  list.range(2345, 3000);
});
