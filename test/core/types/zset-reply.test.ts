/**
 * Ranges of a large zset as bytes of a reply, with members of lengths that are written in other
 * ways: by words, by bytes, over several chunks, in a block of their own.
 */
import { describe, expect, it } from 'vitest';
import { ChunkPool } from '../../../src/core/resp/chunk-pool.ts';
import { Reply } from '../../../src/core/resp/reply.ts';
import { sendableParts } from '../../../src/core/resp/sendable.ts';
import { LargeZset } from '../../../src/core/types/zset-large.ts';
import { replyRange } from '../../../src/core/types/zset-reply.ts';
import { ZsetView } from '../../../src/core/types/zset-view.ts';
import { Random } from '../../support/random.ts';
import { Fixture } from './samples.ts';

const SEED = 1;
const COUNT = 900;
const LENGTHS = [0, 1, 9, 10, 11, 12, 16, 63, 98, 99, 100, 101, 300];
const LONG = [17_000, 65_535, 70_000];

function answer(view: ZsetView, start: number, count: number, ...how: [boolean, boolean, boolean]) {
  const reply = new Reply(new ChunkPool());
  replyRange(reply, view, start, count, ...how);
  reply.released = reply.total;
  return Buffer.concat(sendableParts(reply, Number.POSITIVE_INFINITY)).toString('latin1');
}

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

describe('a range of a large zset', () => {
  it('is answered byte for byte', () => {
    process.stderr.write(`seed ${SEED}\n`);
    const random = new Random(SEED);
    const { keyspace } = new Fixture();
    const view = new ZsetView();
    const large = new LargeZset(keyspace.arena, keyspace.seed);
    view.large = large;
    const members: string[] = [];
    for (let i = 0; i < COUNT; i++) {
      const length = i % 290 === 0 ? random.pick(LONG) : random.pick(LENGTHS);
      const member = `${i}`.padEnd(length, 'x').slice(0, Math.max(length, 3));
      members.push(member);
      const bytes = Buffer.from(member);
      large.add(bytes, 0, bytes.length, i);
    }
    for (let round = 0; round < 300; round++) {
      const start = random.between(0, COUNT - 1);
      const up = random.pick([1, 10, 63, 64, 200, COUNT]);
      const count = Math.min(up, COUNT - start);
      const slice = members.slice(start, start + count);
      expect(answer(view, start, count, false, false, false)).toBe(slice.map(bulk).join(''));
      const back = members.slice(Math.max(0, start + 1 - up), start + 1).reverse();
      expect(answer(view, start, back.length, true, false, false)).toBe(back.map(bulk).join(''));
      const scored = slice.map((one, i) => `*2\r\n${bulk(one)}${bulk(`${start + i}`)}`).join('');
      expect(answer(view, start, count, false, true, true)).toBe(scored);
    }
  });
});
