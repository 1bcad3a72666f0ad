/** The option reader: words in any case, values, conflicts, and the first error only. */
import { describe, expect, it } from 'vitest';
import { Args } from '../../../src/core/resp/args.ts';
import { ChunkPool } from '../../../src/core/resp/chunk-pool.ts';
import { Reply } from '../../../src/core/resp/reply.ts';
import { OptionReader } from '../../../src/server/dispatch/option-reader.ts';

const NX = 1;
const XX = 2;
const reader = new OptionReader();

function start(...words: string[]): void {
  const args = new Args();
  args.setTo(['zadd', 'key', ...words].map((word) => Buffer.from(word, 'latin1')));
  reader.start(args, 2);
}

/** The error that is answered, or null. */
function answered(): string | null {
  const reply = new Reply(new ChunkPool());
  if (!reader.refuse(reply)) {
    expect(reply.total).toBe(0);
    return null;
  }
  return Buffer.from(reply.chunk.subarray(0, reply.at)).toString('latin1');
}

/** Reads what a made-up command takes. */
function read(...words: string[]) {
  const found = { flags: 0, count: -1, score: -1, at: -1 };
  start(...words);
  while (reader.more) {
    if (reader.take('nx')) found.flags = reader.join(found.flags, NX, XX);
    else if (reader.take('xx')) found.flags = reader.join(found.flags, XX, NX);
    else if (reader.take('count', 1)) found.count = reader.integer();
    else if (reader.take('score', 1)) found.score = reader.double('ERR no score');
    else if (reader.take('pair', 2)) found.at = reader.index() + reader.index();
    else reader.fail();
  }
  return found;
}

describe('the option reader', () => {
  it('takes words in any case and order, with their values', () => {
    expect(read('Count', '12', 'nX', 'SCORE', '-1.5e3')).toEqual({
      flags: NX,
      count: 12,
      score: -1500,
      at: -1,
    });
    expect(answered()).toBeNull();
    expect(read('pair', 'a', 'b', 'XX')).toMatchObject({ flags: XX, at: 3 + 4 });
    expect(answered()).toBeNull();
    expect(read()).toEqual({ flags: 0, count: -1, score: -1, at: -1 });
    expect(answered()).toBeNull();
  });

  it('takes a word only when its values follow', () => {
    read('nx', 'count');
    expect(answered()).toBe('-ERR syntax error\r\n');
    read('pair', 'a');
    expect(answered()).toBe('-ERR syntax error\r\n');
    read('count', '1', 'pair', 'a', 'b', 'nx');
    expect(answered()).toBeNull();
  });

  it('refuses conflicts, unknown words and wrong values', () => {
    read('nx', 'nx');
    expect(answered()).toBeNull();
    read('nx', 'xx');
    expect(answered()).toBe('-ERR syntax error\r\n');
    read('nxx');
    expect(answered()).toBe('-ERR syntax error\r\n');
    read('');
    expect(answered()).toBe('-ERR syntax error\r\n');
    read('count', '1.5');
    expect(answered()).toBe('-ERR value is not an integer or out of range\r\n');
    read('score', 'abc');
    expect(answered()).toBe('-ERR no score\r\n');
  });

  it('stops at the first error and keeps it', () => {
    expect(read('score', 'x', 'count', 'y', 'xx')).toEqual({
      flags: 0,
      count: -1,
      score: 0,
      at: -1,
    });
    expect(answered()).toBe('-ERR no score\r\n');
    reader.fail('ERR another');
    expect(answered()).toBe('-ERR no score\r\n');
    start('nx');
    expect(reader.more).toBe(true);
    expect(answered()).toBeNull();
  });

  it('lets a handler leave the loop where its data begin', () => {
    start('XX', '1', 'member');
    while (reader.more && reader.take('xx'));
    expect(reader.at).toBe(3);
    expect(reader.double()).toBe(1);
    expect(reader.index()).toBe(4);
    expect(reader.more).toBe(false);
    expect(answered()).toBeNull();
  });
});
