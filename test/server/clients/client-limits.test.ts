/**
 * Who is sent away for what it leaves unread or for being idle, and who is not.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { Client } from '../../../src/server/clients/client.ts';
import { closeIdleClients } from '../../../src/server/clients/client-upkeep.ts';
import { ask, InProcessScene, until } from '../../support/in-process-scene.ts';
import { emptyDisk, type InProcessServer } from '../../support/in-process-server.ts';
import type { RawClient } from '../../support/raw-client.ts';

const scene = new InProcessScene({ appendonly: false });

afterEach(() => scene.end());

async function ofHub({ server }: InProcessServer, client: RawClient): Promise<Client> {
  return server.hub.clients.get(Number(await client.value('CLIENT', 'ID')))!;
}

describe('client-output-buffer-limit', () => {
  it('lets a replica leave as much as the backlog holds', async () => {
    const server = await scene.start(emptyDisk(), {
      'client-output-buffer-limit': 'replica 20kb 0 0',
      'repl-backlog-size': '1mb',
    });
    const own = await ofHub(server, await scene.connect(server));
    own.isReplica = true;
    const { limits } = server.server.desk;
    own.reply.raw(new Uint8Array((1 << 20) - 1));
    expect(limits.sendsAway(own, 0)).toBe(false);
    own.reply.raw(new Uint8Array(1));
    expect(limits.sendsAway(own, 0)).toBe(true);
  });

  it('counts the time above the soft limit anew when a client has been below it', async () => {
    const server = await scene.start(emptyDisk(), {
      'client-output-buffer-limit': 'normal 0 20kb 10',
    });
    const own = await ofHub(server, await scene.connect(server));
    const { limits } = server.server.desk;
    const { reply } = own;
    reply.raw(new Uint8Array(20 << 10));
    const begunMs = Date.now();
    expect(limits.sendsAway(own, begunMs)).toBe(false);
    reply.advance(1);
    expect(limits.sendsAway(own, begunMs + 9000)).toBe(false);
    reply.raw(new Uint8Array(1));
    expect(limits.sendsAway(own, begunMs + 9500)).toBe(false);
    expect(limits.sendsAway(own, begunMs + 19_500)).toBe(false);
    expect(limits.sendsAway(own, begunMs + 19_501)).toBe(true);
  });
});

describe('timeout', () => {
  it('ends nobody who listens, waits or is a replica', async () => {
    const server = await scene.start(emptyDisk(), { timeout: 100 });
    const { blocking, hub } = server.server;
    const idle = await scene.connect(server);
    const [monitor, subscriber, waiter, replica] = [
      await scene.connect(server),
      await scene.connect(server),
      await scene.connect(server),
      await scene.connect(server),
    ];
    (await ofHub(server, replica)).isReplica = true;
    await ask(monitor, 'MONITOR');
    await ask(subscriber, 'SUBSCRIBE', 'channel');
    void waiter.value('BLPOP', 'key', 0).catch(() => {});
    await until('it waits', () => blocking.size === 1);
    const nowMs = Date.now();
    closeIdleClients(server.server, nowMs + 90_000);
    expect(hub.clients.size).toBe(5);
    closeIdleClients(server.server, nowMs + 101_000);
    await idle.waitClosed();
    expect(hub.clients.size).toBe(4);
  });
});
