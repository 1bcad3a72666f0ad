/** ACL LOG beside the real server: under which word it keeps what was refused. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCairnServer } from '../../support/cairn-server.ts';
import { requireRedisServer, startRealServer } from '../../support/real-server.ts';
import type { ServerProcess } from '../../support/server-process.ts';

/** Of each entry, newest first: count, reason, context, object and user. */
async function entriesAfter(server: ServerProcess, commands: string[][]): Promise<unknown[]> {
  const [client, admin] = [await server.connect(), await server.connect()];
  await admin.send('ACL', 'LOG', 'RESET');
  await admin.send('ACL', 'SETUSER', 'poor', 'on', '>pw', '+multi', '+ping');
  await admin.send('ACL', 'SETUSER', 'picky', 'on', 'nopass', '+get');
  await client.pipeline(commands);
  const log = await admin.value('ACL', 'LOG', '100');
  client.close();
  admin.close();
  return (Array.isArray(log) ? log : []).map((one) =>
    Array.isArray(one) ? [1, 3, 5, 7, 9].map((at) => one[at]) : one,
  );
}

describe.skipIf(requireRedisServer() === null)('ACL LOG like the real server', () => {
  let cairn: ServerProcess;
  let redis: ServerProcess;
  beforeAll(async () => {
    [cairn, redis] = await Promise.all([startCairnServer(), startRealServer()]);
  });
  afterAll(async () => {
    await cairn?.close();
    await redis?.close();
  });

  const refusedKeys = (from: number, to: number): string[][] =>
    Array.from({ length: to - from }, (_, i) => ['GET', `k${from + i}`]);

  it.each([
    ['the tenth newest', 10],
    ['the eleventh', 11],
    ['the twelfth', 12],
  ])('counts a refusal that is %s', async (_, keys) => {
    const commands = [['AUTH', 'picky', ''], ...refusedKeys(0, keys), ...refusedKeys(0, 1)];
    const theirs = await entriesAfter(redis, commands);
    expect(theirs.length).toBeGreaterThanOrEqual(keys);
    expect(await entriesAfter(cairn, commands)).toEqual(theirs);
  });

  it.each([
    ['AUTH', [['AUTH', 'poor', 'no']]],
    ['HELLO', [['HELLO', '3', 'AUTH', 'poor', 'no']]],
    [
      'both, as they were written',
      [
        ['auth', 'poor', 'no'],
        ['Hello', '2', 'AUTH', 'poor', 'no'],
      ],
    ],
    [
      'one word twice',
      [
        ['HELLO', '3', 'AUTH', 'poor', 'x'],
        ['HELLO', '2', 'AUTH', 'poor', 'y'],
      ],
    ],
    [
      'none, but of a command that a transaction does not take',
      [['AUTH', 'poor', 'pw'], ['MULTI'], ['SHUTDOWN'], ['get', 'k']],
    ],
  ])('after a wrong password of %s', async (_, commands) => {
    const theirs = await entriesAfter(redis, commands);
    expect(theirs.length).toBeGreaterThan(0);
    expect(await entriesAfter(cairn, commands)).toEqual(theirs);
  });
});
