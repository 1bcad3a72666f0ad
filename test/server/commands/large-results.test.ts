/**
 * Commands whose results are large work in arrays of their own: these go back with the answer, not
 * when the same command runs again.
 */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { InsideServer } from '../../support/inside.ts';

const MEMBERS = 70_000;
const BATCH = 1000;
/** The least that the arrays take: the place and the score of a member. */
const BYTES_MIN = MEMBERS * 12;

let server: InsideServer;

beforeAll(async () => {
  server = await InsideServer.open();
  for (let i = 0; i < MEMBERS; i += BATCH) {
    const points = Array.from({ length: BATCH }, (_, k) => ['1', '1', `m${i + k}`]);
    server.run('GEOADD', 'points', ...points.flat());
  }
});

afterAll(() => server.close());

it.each([
  ['ZUNION 2 points other'],
  ['ZINTER 2 points points'],
  ['ZDIFF 2 points other'],
  ['ZUNIONSTORE d 2 points other'],
  ['ZINTERSTORE d 2 points points'],
  ['ZDIFFSTORE d 2 points other'],
  ['ZRANGESTORE d points 0 -1'],
  ['GEOSEARCH points FROMLONLAT 1 1 BYRADIUS 1 km'],
  ['GEOSEARCHSTORE d points FROMLONLAT 1 1 BYRADIUS 1 km'],
  ['GEORADIUS points 1 1 1 km'],
])('%s', (line) => {
  const { arena } = server.server.keyspace;
  const abandon = vi.spyOn(arena, 'abandon');
  server.run(...line.split(' '));
  const bytes = abandon.mock.calls.flat().reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  abandon.mockRestore();
  expect(bytes).toBeGreaterThan(BYTES_MIN);
});
