/**
 * Whom the hub does not read from for a while, and whom it reads from whatever happens.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { type Client, RUNNING, WAIT_OUTPUT } from '../../../src/server/clients/client.ts';
import { ask, InProcessScene, until } from '../../support/in-process-scene.ts';
import { emptyDisk, type InProcessServer } from '../../support/in-process-server.ts';
import { encodeCommand, type RawClient } from '../../support/raw-client.ts';

const scene = new InProcessScene();

afterEach(() => scene.end());

async function ofHub({ server }: InProcessServer, client: RawClient): Promise<Client> {
  return server.hub.clients.get(Number(await client.value('CLIENT', 'ID')))!;
}

describe('the hub', () => {
  it('reads no more of a client whose replies wait for a log that is far behind', async () => {
    const disk = emptyDisk();
    const server = await scene.start(disk, { appendfsync: 'always' });
    const client = await scene.connect(server);
    const own = await ofHub(server, client);
    let isCongested = true;
    Object.defineProperty(server.server.turn.log, 'isCongested', { get: () => isCongested });
    disk.holdSyncs(/\.aof$/);
    client.write(encodeCommand(['SET', 'first', '1']));
    await until('it waits', () => own.waiting === WAIT_OUTPUT);
    client.write(encodeCommand(['SET', 'second', '2']));
    isCongested = false;
    disk.releaseSyncs();
    expect([(await client.read()).value, (await client.read()).value]).toEqual(['OK', 'OK']);
    expect(own.waiting).toBe(RUNNING);
  });

  it('reads what a replica says, whatever of the stream stands unsent', async () => {
    const server = await scene.start(emptyDisk());
    const client = await scene.connect(server);
    const own = await ofHub(server, client);
    // As if more stood unsent than an ordinary client may leave.
    own.outputMark = -1;
    own.isReplica = true;
    const { commandCount } = own;
    const said = Buffer.from(encodeCommand(['REPLCONF', 'ACK', '0']).toString().repeat(20));
    server.server.hub.read(own, said, 0, said.length);
    expect([own.waiting, own.commandCount - commandCount]).toEqual([RUNNING, 20]);
  });

  it('closes a client that sends too much bit by bit while it waits', async () => {
    const server = await scene.start(emptyDisk(), { 'client-query-buffer-limit': '1mb' });
    const [boss, client] = [await scene.connect(server), await scene.connect(server)];
    const { hub, stats } = server.server;
    const own = await ofHub(server, client);
    client.write(encodeCommand(['BLPOP', 'nothing', '0']));
    await until('it waits', () => own.waiting !== RUNNING);
    const piece = encodeCommand(['SET', 'key', 'x'.repeat(400)]);
    const pieces = Math.ceil((1 << 20) / piece.length) + 1;
    for (let i = 0; i < pieces; i++) hub.read(own, piece, 0, piece.length);
    await client.waitClosed();
    expect(stats.queryBufferLimitDisconnections).toBe(1);
    expect(await ask(boss, 'EXISTS', 'key')).toBe(0);
  });
});
