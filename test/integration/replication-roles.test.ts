/**
 * Roles: chains, promotion and failover without a full sync, what a replica refuses, waiting for
 * replicas, and a primary that comes back without its data.
 */
import { describe, expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.ts';
import { requireRedisServer } from '../support/real-server.ts';
import { Load } from './replication-load.ts';
import {
  converged,
  type Directives,
  level,
  type Node,
  type NodeKind,
  nodesOfTest,
  until,
} from './replication-nodes.ts';

const { node } = nodesOfTest();

/** A replica of `primary` whose link is up. */
async function replicaOf(primary: Node, kind: NodeKind = 'cairn', config: Directives = {}) {
  const replica = await node(kind, config);
  await replica.follow(primary.port);
  await replica.linked();
  return replica;
}

const hasRedis = requireRedisServer() !== null;

describe('chains', () => {
  it.skipIf(!hasRedis).each([
    ['redis', 'cairn', 'redis'],
    ['cairn', 'redis', 'cairn'],
    ['cairn', 'cairn', 'cairn'],
  ] as const)('%s -> %s -> %s pass the stream on byte for byte', async (first, second, third) => {
    const top = await node(first);
    const middle = await replicaOf(top, second);
    await top.client.select(3);
    await top.call('SET', 'before', 'x');
    const bottom = await replicaOf(middle, third);
    const load = new Load(top.client, 7);
    for (let i = 0; i < 10; i++) await load.round();
    await converged(top, middle, bottom);
    const [a, b, c] = await Promise.all(
      [top, middle, bottom].map((one) => one.info('replication')),
    );
    expect([b?.master_replid, c?.master_replid]).toEqual([a?.master_replid, a?.master_replid]);
    await level(top, middle, bottom);
  });

  it.skipIf(!hasRedis).each([
    ['redis', 'cairn'],
    ['cairn', 'redis'],
    ['cairn', 'cairn'],
  ] as const)(
    'when the middle (%s) is promoted, the bottom (%s) goes on',
    async (second, third) => {
      // A PING that is under way when the middle leaves would put the top ahead of it.
      const top = await node('cairn', { 'repl-ping-replica-period': 3600 });
      const middle = await replicaOf(top, second);
      const bottom = await replicaOf(middle, third);
      for (let i = 0; i < 100; i++) await top.call('SET', `k${i}`, i);
      await converged(top, middle, bottom);
      const { master_replid: old } = await top.info('replication');
      await middle.call('REPLICAOF', 'NO', 'ONE');
      await middle.call('SET', 'new', 'era');
      await bottom.linked();
      await converged(middle, bottom);
      const info = await middle.info('replication');
      expect(info.master_replid2).toBe(old);
      expect(info.master_replid).not.toBe(old);
      expect(await middle.number('sync_full')).toBe(1);
      expect(await middle.number('sync_partial_ok')).toBeGreaterThan(0);
      // The old primary may follow its former replica without a full sync either, having nothing of
      // its own.
      await top.follow(middle.port);
      await top.linked();
      await converged(middle, top);
      expect(await middle.number('sync_full')).toBe(1);
    },
  );
});

describe('FAILOVER', () => {
  it.skipIf(!hasRedis).each([
    ['cairn', 'redis'],
    ['redis', 'cairn'],
    ['cairn', 'cairn'],
  ] as const)('hands over from %s to %s without losing a write', async (first, second) => {
    const a = await node(first);
    const b = await replicaOf(a, second);
    for (let i = 0; i < 200; i++) await a.call('INCR', 'n');
    await a.call('FAILOVER', 'TO', '127.0.0.1', b.port, 'TIMEOUT', 100_000);
    await a.linked();
    await until('the failover is over', async () => {
      return (await a.info('replication')).master_failover_state === 'no-failover';
    });
    expect(((await b.call('ROLE')) as unknown[])[0]).toBe('master');
    expect(await b.call('GET', 'n')).toBe('200');
    await b.call('INCR', 'n');
    await converged(b, a);
    expect(await b.number('sync_full')).toBe(0);
    await expect(a.call('INCR', 'n')).rejects.toThrow('READONLY');
  });

  it('holds writes back until it is decided, and lets them go on when it is aborted', async () => {
    const a = await node();
    const b = await replicaOf(a);
    b.server.pid && process.kill(b.server.pid, 'SIGSTOP');
    try {
      await a.call('SET', 'k', 1);
      await a.call('FAILOVER');
      expect((await a.info('replication')).master_failover_state).toBe('waiting-for-sync');
      const write = a.call('SET', 'k', 2);
      const other = a.client.duplicate();
      expect(await other.call('FAILOVER', 'ABORT')).toBe('OK');
      other.disconnect();
      expect(await write).toBe('OK');
      expect((await a.info('replication')).master_failover_state).toBe('no-failover');
    } finally {
      process.kill(b.server.pid, 'SIGCONT');
    }
  });

  it('refuses what makes no sense, with the texts of the real server', async () => {
    const a = await node();
    await expect(a.call('FAILOVER')).rejects.toThrow('ERR FAILOVER requires connected replicas.');
    await expect(a.call('FAILOVER', 'ABORT')).rejects.toThrow('ERR No failover in progress.');
    const b = await replicaOf(a);
    await expect(b.call('FAILOVER')).rejects.toThrow('not valid when server is a replica');
    await expect(a.call('FAILOVER', 'TO', '127.0.0.1', 1)).rejects.toThrow('is not a replica.');
    await expect(a.call('FAILOVER', 'TIMEOUT', 0)).rejects.toThrow('must be greater than 0');
    await expect(a.call('FAILOVER', 'TO', '127.0.0.1', b.port, 'FORCE')).rejects.toThrow(
      'requires both a timeout and target HOST and IP.',
    );
  });
});

describe('a replica', () => {
  it('refuses writes, unless it is told not to', async () => {
    const primary = await node();
    const replica = await replicaOf(primary);
    await expect(replica.call('SET', 'a', 1)).rejects.toThrow(
      "READONLY You can't write against a read only replica.",
    );
    await replica.call('CONFIG', 'SET', 'replica-read-only', 'no');
    expect(await replica.call('SET', 'mine', 1)).toBe('OK');
    await level(primary, replica);
  });

  it('answers stale data, or not, as it is told', async () => {
    const primary = await node();
    await primary.call('SET', 'a', 1);
    const replica = await replicaOf(primary);
    const strict = await replicaOf(primary, 'cairn', { 'replica-serve-stale-data': 'no' });
    expect(await strict.call('GET', 'a')).toBe('1');
    await primary.close();
    for (const one of [replica, strict]) {
      await until('the link is down', async () => {
        return (await one.info('replication')).master_link_status === 'down';
      });
    }
    expect(await replica.call('GET', 'a')).toBe('1');
    await expect(strict.call('GET', 'a')).rejects.toThrow('MASTERDOWN');
    const queueing = await RawClient.connect(replica.port);
    await queueing.pipeline([['MULTI'], ['GET', 'a']]);
    await replica.call('CONFIG', 'SET', 'replica-serve-stale-data', 'no');
    expect((await queueing.send('EXEC')).raw.toString()).toContain('EXECABORT');
    queueing.close();
    await expect(replica.call('GET', 'a')).rejects.toThrow(
      "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    );
    expect(((await replica.call('ROLE')) as unknown[])[0]).toBe('slave');
  });

  it('says that it is connected already', async () => {
    const primary = await node();
    const replica = await replicaOf(primary);
    expect(await replica.call('REPLICAOF', '127.0.0.1', primary.port)).toBe(
      'OK Already connected to specified master',
    );
    expect(await replica.call('CONFIG', 'GET', 'replicaof')).toEqual([
      'replicaof',
      `127.0.0.1 ${primary.port}`,
    ]);
    await replica.call('REPLICAOF', 'NO', 'ONE');
    expect(await replica.call('CONFIG', 'GET', 'replicaof')).toEqual(['replicaof', '']);
  });

  it.skipIf(!hasRedis).each(['redis', 'cairn'] as const)(
    'that was killed goes on after %s from its AOF, to the byte',
    async (kind) => {
      const primary = await node(kind);
      const config = { appendonly: 'yes', replicaof: `127.0.0.1 ${primary.port}` };
      const replica = await node('cairn', config);
      await replica.linked();
      const load = new Load(primary.client, 17);
      for (let round = 1; round <= 3; round++) {
        for (let i = 0; i < 5; i++) await load.round();
        expect(await primary.call('WAIT', 1, 60_000)).toBe(1);
        load.start();
        await new Promise((resolve) => setTimeout(resolve, 150));
        await until('its AOF stands', async () => {
          const info = await replica.info('persistence');
          const isMaking = info.aof_rewrite_in_progress === '1';
          const isWanted = info.aof_rewrite_scheduled === '1';
          return info.aof_enabled === '1' && !isMaking && !isWanted;
        });
        replica.client.disconnect();
        await replica.server.kill();
        await load.stop();
        await replica.restart(config);
        await replica.linked();
        await converged(primary, replica);
        expect(await primary.number('sync_full')).toBe(1);
        expect(await primary.number('sync_partial_ok')).toBe(round);
      }
    },
  );

  it('refuses the empty dataset of a primary that lost its own, until it is told', async () => {
    const primary = await node();
    await primary.call('SET', 'precious', 1);
    const replica = await replicaOf(primary);
    await primary.restart();
    await until('the replica says why', async () => replica.server.logText.includes('refused'));
    expect(await replica.call('GET', 'precious')).toBe('1');
    await replica.call('CONFIG', 'SET', 'replica-accept-empty-primary', 'yes');
    await replica.linked();
    expect(await replica.call('DBSIZE')).toBe(0);
  });

  it('takes the empty dataset of the very primary it follows', async () => {
    const primary = await node('cairn', { 'repl-backlog-size': '16kb' });
    await primary.call('SET', 'a', 1);
    const replica = await replicaOf(primary);
    process.kill(replica.server.pid, 'SIGSTOP');
    await primary.call('CLIENT', 'KILL', 'TYPE', 'replica');
    for (let i = 0; i < 50; i++) await primary.call('SET', 'a', 'x'.repeat(1000));
    await primary.call('FLUSHALL');
    process.kill(replica.server.pid, 'SIGCONT');
    await until(
      'there was a second full sync',
      async () => (await primary.number('sync_full')) === 2,
    );
    await replica.linked();
    expect(await replica.call('DBSIZE')).toBe(0);
  });
});

describe('a primary', () => {
  it('refuses writes without enough good replicas', async () => {
    const primary = await node('cairn', { 'min-replicas-to-write': 1 });
    await expect(primary.call('SET', 'a', 1)).rejects.toThrow(
      'NOREPLICAS Not enough good replicas to write.',
    );
    const replica = await replicaOf(primary);
    await until('there is one', async () => (await primary.call('SET', 'a', 1)) === 'OK');
    expect(await primary.number('min_slaves_good_slaves')).toBe(1);
    await replica.close();
    await until('there is none', async () =>
      primary.call('SET', 'a', 2).then(
        () => false,
        (error: Error) => error.message.startsWith('NOREPLICAS'),
      ),
    );
  });

  it('counts with WAIT who has the writes, and waits no longer than asked', async () => {
    const primary = await node();
    await replicaOf(primary);
    const slow = await replicaOf(primary);
    await primary.call('SET', 'a', 1);
    expect(await primary.call('WAIT', 2, 60_000)).toBe(2);
    process.kill(slow.server.pid, 'SIGSTOP');
    await primary.call('SET', 'a', 2);
    expect(await primary.call('WAIT', 1, 60_000)).toBe(1);
    expect(await primary.call('WAIT', 2, 100)).toBe(1);
    const id = Number(await primary.call('CLIENT', 'ID'));
    const waiting = primary.call('WAIT', 2, 0);
    const other = primary.client.duplicate();
    await until(
      'it can be unblocked',
      async () => (await other.call('CLIENT', 'UNBLOCK', id)) === 1,
    );
    other.disconnect();
    expect(await waiting).toBe(1);
    const replies = await primary.client.multi().set('a', 3).call('WAIT', '2', '0').exec();
    expect(replies?.[1]?.[1]).toBe(1);
    process.kill(slow.server.pid, 'SIGCONT');
    expect(await primary.call('WAIT', 2, 60_000)).toBe(2);
    await expect(slow.call('WAIT', 1, 0)).rejects.toThrow('WAIT cannot be used with replica');
  });

  it('counts with WAITAOF on whose disks the writes are', async () => {
    const primary = await node('cairn', { appendonly: 'yes' });
    const config = { appendonly: 'yes', replicaof: `127.0.0.1 ${primary.port}` };
    const logged = await node('cairn', config);
    await logged.linked();
    await replicaOf(primary);
    await primary.call('SET', 'a', 1);
    await until('one replica has it on disk', async () => {
      const counts = (await primary.call('WAITAOF', 1, 1, 1000)) as number[];
      return counts.join() === '1,1';
    });
    await primary.call('SET', 'a', 2);
    expect(await primary.call('WAITAOF', 1, 1, 60_000)).toEqual([1, 1]);
    expect(await primary.call('WAITAOF', 0, 2, 50)).toEqual([1, 1]);
    await expect(logged.call('WAITAOF', 0, 0, 0)).rejects.toThrow(
      'WAITAOF cannot be used with replica',
    );
    await expect(primary.call('WAITAOF', 2, 0, 0)).rejects.toThrow('must between 0 and 1');
    await primary.call('CONFIG', 'SET', 'appendonly', 'no');
    await expect(primary.call('WAITAOF', 1, 0, 0)).rejects.toThrow('appendonly is disabled.');
  });

  it('that was restarted in order is followed without a full sync', async () => {
    const primary = await node('cairn', { save: '3600 1' });
    const replica = await replicaOf(primary);
    const load = new Load(primary.client, 3);
    for (let i = 0; i < 3; i++) await load.round();
    await converged(primary, replica);
    await primary.restart({ save: '3600 1' });
    await primary.call('SET', 'after', 1);
    await replica.linked();
    await converged(primary, replica);
    expect(await primary.number('sync_full')).toBe(0);
    expect(await primary.number('sync_partial_ok')).toBe(1);
  });

  it('that was killed goes on from its AOF, to the byte', async () => {
    // A PING may reach the replica while the AOF's line about it waits for an fsync that runs.
    const config = { appendonly: 'yes', 'repl-ping-replica-period': 3600 };
    const primary = await node('cairn', config);
    const replica = await replicaOf(primary);
    for (let round = 0; round < 3; round++) {
      const load = new Load(primary.client, round);
      for (let i = 0; i < 3; i++) await load.round();
      expect(await primary.call('WAIT', 1, 60_000)).toBe(1);
      await primary.call('PUBLISH', 'channel', 'heard by replicas, not by the AOF');
      for (let i = 0; i < 50; i++) await primary.call('INCR', 'after');
      const { master_replid: old } = await primary.info('replication');
      // A key that expired behind the replica's back would be in the AOF, and not in its stream.
      await primary.call('DEBUG', 'SET-ACTIVE-EXPIRE', 0);
      await level(primary, replica);
      primary.client.disconnect();
      await primary.server.kill();
      await primary.restart(config);
      await replica.linked();
      await primary.call('SET', 'round', round);
      await converged(primary, replica);
      expect(await primary.number('sync_full'), primary.server.logText).toBe(0);
      expect((await primary.info('replication')).master_replid2).toBe(old);
    }
  });

  it('that comes back with less than its replica has is not followed further', async () => {
    const primary = await node('cairn', { save: '3600 1' });
    const replica = await replicaOf(primary);
    await primary.call('SET', 'a', 1);
    await primary.call('SAVE');
    await primary.call('SET', 'a', 2);
    expect(await primary.call('WAIT', 1, 60_000)).toBe(1);
    await primary.server.kill();
    await primary.restart({ save: '3600 1' });
    await replica.linked();
    await converged(primary, replica);
    expect(await replica.call('GET', 'a')).toBe('1');
    expect(await primary.number('sync_full')).toBe(1);
  });

  it('shows its replicas as the real one does', async () => {
    const primary = await node();
    const replica = await replicaOf(primary, 'cairn', { 'replica-announce-ip': '127.9.9.9' });
    await primary.call('SET', 'a', 1);
    expect(await primary.call('WAIT', 1, 60_000)).toBe(1);
    const role = (await primary.call('ROLE')) as [string, number, [string, string, string][]];
    expect(role[0]).toBe('master');
    expect(role[2][0]?.slice(0, 2)).toEqual(['127.9.9.9', `${replica.port}`]);
    const { slave0 = '' } = await primary.info('replication');
    expect(slave0).toMatch(
      new RegExp(`^ip=127\\.9\\.9\\.9,port=${replica.port},state=online,offset=\\d+,lag=\\d+$`),
    );
  });
});
