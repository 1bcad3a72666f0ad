/**
 * Where a server listens after CONFIG SET of `port` and `bind`, also of one that is taken back.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCairnServer } from '../../support/cairn-server.ts';
import { RawClient } from '../../support/raw-client.ts';
import { freePort, type ServerProcess } from '../../support/server-process.ts';

let server: ServerProcess;
beforeAll(async () => {
  server = await startCairnServer();
});
afterAll(() => server?.close());

describe('a server', () => {
  it('listens where it was when something else of a CONFIG SET is refused', async () => {
    const client = await server.connect();
    const where = ['CONFIG', 'GET', 'bind', 'port'];
    const before = await client.value(...where);
    const refused = await client.send(
      ...['CONFIG', 'SET', 'port', await freePort(), 'bind', '127.0.0.1 -::1'],
      ...['maxclients', 4_000_000_000],
    );
    expect(refused.raw.toString()).toContain("argument 'maxclients') -");
    expect(await client.value(...where)).toEqual(before);
    (await RawClient.connect(server.port)).close();
    client.close();
  });
});
