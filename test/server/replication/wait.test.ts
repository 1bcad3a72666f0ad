/**
 * What WAIT waits for: whatever the client itself has put into the stream, though it be no data.
 * And when nobody waits any more.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { ask, InProcessScene, until } from '../../support/in-process-scene.ts';
import { emptyDisk } from '../../support/in-process-server.ts';
import { RawReplica } from '../../support/raw-replica.ts';

const scene = new InProcessScene({ appendonly: false, 'repl-ping-replica-period': 3600 });

afterEach(() => scene.end());

describe('WAIT', () => {
  it.each([[['SET', 'key', 'value']], [['PUBLISH', 'channel', 'message']], [['GET', 'expired']]])(
    'waits for what %j put into the stream',
    async (words) => {
      const primary = await scene.start(emptyDisk());
      const { activeExpiry, replication } = primary.server;
      replication.primary.openBacklog();
      const { history } = replication;
      const replica = new RawReplica(primary, history.id, history.offset + 1);
      try {
        await until('it is fed', () => replication.primary.replicas.size === 1);
        const [client, other] = [await scene.connect(primary), await scene.connect(primary)];
        activeExpiry.enabled = false;
        await ask(other, 'SET', 'expired', 'value', 'PX', 1);
        await until('it is due', () => Date.now() > primary.server.keyspace.soonestExpiryMs + 1);
        expect(await ask(client, 'WAIT', 1, 0)).toBe(1);
        await ask(client, ...words);
        const { offset } = history;
        const waited = ask(client, 'WAIT', 1, 0);
        await until('it waits', () => replication.waits.size === 1);
        replica.acknowledge(offset - 1);
        await ask(other, 'PING');
        expect(replication.waits.size).toBe(1);
        replica.acknowledge(offset);
        expect(await waited).toBe(1);
      } finally {
        replica.socket.destroy();
      }
    },
  );

  it('is over for a client that goes, and for one whose server becomes a replica', async () => {
    const server = await scene.start(emptyDisk());
    const { replication } = server.server;
    const [gone, left] = [await scene.connect(server), await scene.connect(server)];
    const waited = [ask(gone, 'WAIT', 1, 0).catch(() => 'gone'), ask(left, 'WAIT', 1, 0)];
    await until('both wait', () => replication.waits.size === 2);
    gone.close();
    await until('one waits', () => replication.waits.size === 1);
    await ask(await scene.connect(server), 'REPLICAOF', '127.0.0.1', 1);
    expect(await waited[1]).toMatch(/^UNBLOCKED .* \(master -> replica\?\)$/);
    await expect(ask(left, 'PING')).rejects.toThrow();
    expect(replication.waits.size).toBe(0);
  });
});
