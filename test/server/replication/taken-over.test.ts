/** Who has taken over from a primary that asks again, having missed the answer. */
import { afterEach, expect, it } from 'vitest';
import { ask, InProcessScene, until } from '../../support/in-process-scene.ts';
import { emptyDisk } from '../../support/in-process-server.ts';

const scene = new InProcessScene({
  appendonly: false,
  'repl-diskless-sync': false,
  'repl-ping-replica-period': 3600,
});

afterEach(() => scene.end());

it('grants it again, until this server follows somebody or is promoted anew', async () => {
  const primary = await scene.start(emptyDisk());
  const heir = await scene.start(emptyDisk(), { replicaof: `127.0.0.1 ${primary.port}` });
  const { replication } = heir.server;
  await until('the link is up', () => replication.follower?.isConnected === true);
  const { id, offset } = replication.history;
  const handOver = async (of = id): Promise<unknown> => {
    const client = await scene.connect(heir);
    return ask(client, 'PSYNC', of, offset + 1, 'FAILOVER');
  };
  const other = 'a'.repeat(40);
  for (const one of [other, '']) {
    expect(await handOver(one)).toContain('replid must match my replid');
  }
  expect(await handOver()).toBe('CONTINUE');
  expect(replication.isReplica).toBe(false);
  const { id: own } = replication.history;
  expect(own).not.toBe(id);
  expect(await handOver(id.toUpperCase())).toBe('CONTINUE');
  expect(replication.history.id).toBe(own);
  expect(await handOver(other)).toContain("can't be sent to a master");
  const client = await scene.connect(heir);
  await ask(client, 'REPLICAOF', '127.0.0.1', 1);
  expect(await handOver()).toContain('replid must match my replid');
  await ask(client, 'REPLICAOF', 'NO', 'ONE');
  for (const one of [id, '']) {
    expect(await handOver(one)).toContain("can't be sent to a master");
  }
});
