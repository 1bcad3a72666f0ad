/** A large intset that became a table settles by itself; who reads it before sees all of it. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SettlingSlices } from '../../../src/server/keyspace/settling.ts';
import { makeKeyspace } from '../../persistence/rdb/rdb-support.ts';
import { InsideServer } from '../../support/inside.ts';

const COUNT = 5000;
let inside: InsideServer;

/** The integers, and the word that makes a table of them. */
const members = [...Array.from({ length: COUNT }, (_, i) => String(i * 7)), 'word'];

beforeEach(async () => {
  inside = await InsideServer.open({ 'set-max-intset-entries': COUNT });
  for (const member of members.slice(0, -1)) inside.run('SADD', 's', member);
  expect(inside.run('OBJECT', 'ENCODING', 's')).toBe('intset');
  expect(inside.run('SADD', 's', 'word')).toBe(1);
  expect(inside.run('OBJECT', 'ENCODING', 's')).toBe('hashtable');
  expect(inside.server.keyspace.hasSettling).toBe(true);
});
afterEach(() => inside?.close());

it('settles in the turns that follow', async () => {
  inside.server.turn.end();
  await vi.waitFor(() => expect(inside.server.keyspace.hasSettling).toBe(false), 60_000);
  expect(inside.run('SCARD', 's')).toBe(members.length);
  for (const member of members) expect(inside.run('SISMEMBER', 's', member)).toBe(1);
  expect(inside.run('SISMEMBER', 's', '1')).toBe(0);
});

it('goes on slice after slice until nothing waits', async () => {
  // One that no server gives a push now and then.
  const keyspace = makeKeyspace();
  vi.spyOn(keyspace, 'hasSettling', 'get').mockReturnValue(true);
  let slices = 0;
  vi.spyOn(keyspace, 'settleSlice').mockImplementation(() => {
    const untilMs = performance.now() + 1;
    while (performance.now() < untilMs);
    return ++slices < 4;
  });
  new SettlingSlices(keyspace).kick();
  await vi.waitFor(() => expect(slices).toBe(4), 60_000);
});

it('is a whole set for readers that come before', () => {
  inside.run('SADD', 'other', ...members);
  expect(inside.run('SCARD', 's')).toBe(members.length);
  expect(inside.run('SINTERCARD', 2, 's', 'other')).toBe(members.length);
  expect((inside.run('SMEMBERS', 's') as string[]).toSorted()).toEqual(members.toSorted());
});

it('is compared, copied and taken apart before it is settled', () => {
  inside.run('SADD', 'other', ...members);
  const digest = (key: string): unknown => inside.run('DEBUG', 'DIGEST-VALUE', key);
  const [whole] = digest('other') as unknown[];
  expect(inside.run('SREM', 's', '7', '14', '8')).toBe(2);
  expect(inside.run('SMOVE', 's', 'third', '21')).toBe(1);
  expect(inside.run('SADD', 's', '7', '14', '21', '28')).toBe(3);
  expect(inside.run('SISMEMBER', 's', '35')).toBe(1);
  expect(inside.run('COPY', 's', 'copy')).toBe(1);
  expect(digest('s')).toEqual([whole]);
  expect(digest('copy')).toEqual([whole]);
});
