/**
 * Client-side caching where a command was refused, compared with the real server: what CLIENT
 * CACHING said was of that command, and not of the next. And who is told of what changes in one
 * turn, or without a command.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { flushAll } from '../../../src/server/keyspace/databases.ts';
import { ask, InProcessScene } from '../../support/in-process-scene.ts';
import { emptyDisk } from '../../support/in-process-server.ts';
import { encodeCommand, type RawClient } from '../../support/raw-client.ts';
import { requireRedisServer } from '../../support/real-server.ts';
import { sideBySide } from '../../support/side-by-side.ts';

const scene = new InProcessScene({ appendonly: false });

afterEach(() => scene.end());

describe.skipIf(requireRedisServer() === null)('what CLIENT CACHING said', () => {
  const { same } = sideBySide();

  same(
    'is over with a command that is refused, unless it is another CLIENT',
    `
    a3> CLIENT TRACKING ON OPTOUT
    b> SET k 1
    a3> CLIENT CACHING NO
    a3> GET
    a3> GET k
    b> SET k 2
    a3<<
    a3> CLIENT CACHING NO
    a3> CLIENT NOSUCH
    a3> GET k
    b> SET k 3
    a3<<
    a3> CLIENT CACHING NO
    a3> CLIENT INFO x
    a3> GET k
    b> SET k 4
    a3> CLIENT CACHING NO
    a3> MULTI
    a3> GET
    a3> EXEC
    a3> GET k
    b> SET k 5
    a3<<
  `,
  );

  same(
    'lets nobody in who was refused first',
    `
    a3> CLIENT TRACKING ON OPTIN
    b> SET k 1
    a3> CLIENT CACHING YES
    a3> NOSUCH
    a3> GET k
    b> SET k 2
    a3> PING
  `,
  );
});

describe('a client that tracks', () => {
  const tracking = async (client: RawClient, ...words: string[]): Promise<void> => {
    await client.send('HELLO', 3);
    await client.send('CLIENT', 'TRACKING', 'ON', ...words);
  };

  it('is told, with NOLOOP too, of a key that somebody else changed in the same turn', async () => {
    const server = await scene.start(emptyDisk());
    const { hub } = server.server;
    const [first, second] = [await scene.connect(server), await scene.connect(server)];
    const set = encodeCommand(['SET', 'key', 'value']);
    const own: number[] = [];
    for (const client of [first, second]) {
      await tracking(client, 'BCAST', 'NOLOOP');
      own.push(Number(await client.value('CLIENT', 'ID')));
    }
    for (const id of own) hub.read(hub.clients.get(id)!, set, 0, set.length);
    for (const client of [first, second]) {
      expect((await client.read()).value).toBe('OK');
      expect((await client.readPush()).value).toEqual(['invalidate', ['key']]);
    }
  });

  it('is told, with NOLOOP too, of a key that expired, and not of its own changes', async () => {
    const server = await scene.start(emptyDisk());
    const [client, other] = [await scene.connect(server), await scene.connect(server)];
    server.server.activeExpiry.enabled = false;
    await tracking(client, 'NOLOOP');
    await ask(client, 'SET', 'expires', 'value', 'PX', 100_000);
    await ask(client, 'MGET', 'expires', 'own', 'other');
    const laterMs = Date.now() + 200_000;
    vi.spyOn(Date, 'now').mockReturnValue(laterMs);
    expect(await ask(client, 'EXISTS', 'expires')).toBe(0);
    vi.restoreAllMocks();
    expect((await client.readPush()).value).toEqual(['invalidate', ['expires']]);
    await ask(client, 'SET', 'own', 'value');
    await ask(other, 'SET', 'other', 'value');
    expect((await client.readPush()).value).toEqual(['invalidate', ['other']]);
  });

  it('is told at once when everything goes without a command', async () => {
    const server = await scene.start(emptyDisk());
    const { desk } = server.server;
    const client = await scene.connect(server);
    await tracking(client);
    await ask(client, 'SET', 'key', 'value');
    await ask(client, 'GET', 'key');
    expect([desk.tracking.keyCount, desk.tracking.itemCount]).toEqual([1, 1]);
    flushAll(server.server);
    expect([desk.tracking.keyCount, desk.tracking.itemCount]).toEqual([0, 0]);
    expect(desk.tracking.memoryBytes).toBe(0);
    expect((await client.readPush()).value).toEqual(['invalidate', null]);
  });

  it('takes nothing in the table any more when it has been told', async () => {
    const server = await scene.start(emptyDisk());
    const { tracking: table } = server.server.desk;
    const client = await scene.connect(server);
    await tracking(client);
    await ask(client, 'GET', 'key');
    await ask(client, 'SET', 'key', 'value');
    expect([table.keyCount, table.itemCount, table.memoryBytes]).toEqual([0, 0, 0]);
  });
});
