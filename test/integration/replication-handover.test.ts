/**
 * FAILOVER when the answer of who takes over is lost on its way: there is one primary at its end.
 */
import { describe, expect, it } from 'vitest';
import { requireRedisServer } from '../support/real-server.ts';
import { converged, nodesOfTest, until } from './replication-nodes.ts';

const { node, proxyTo } = nodesOfTest();

const FORCED = 'FORCE';

describe.skipIf(requireRedisServer() === null)('a lost answer to PSYNC with FAILOVER', () => {
  it.each([
    ['cairn', ''],
    ['cairn', FORCED],
    ['redis', ''],
  ] as const)('leaves one primary: to %s %s', async (kind, force) => {
    const old = await node('cairn', { 'repl-ping-replica-period': 3600 });
    const heir = await node(kind, { 'repl-ping-replica-period': 3600 });
    const proxy = await proxyTo(heir);
    await heir.call('CONFIG', 'SET', 'replica-announce-port', proxy.port);
    await heir.follow(old.port);
    await heir.linked();
    await old.call('SET', 'kept', 1);
    expect(await old.call('WAIT', 1, 60_000)).toBe(1);
    if (force === FORCED) {
      await heir.call('CLIENT', 'PAUSE', 1_000_000, 'WRITE');
      await old.call('SET', 'lost', 1);
    }
    proxy.loseAnswerTo('FAILOVER');
    const how = force === FORCED ? ['FORCE', 'TIMEOUT', 1] : [];
    await old.call('FAILOVER', 'TO', '127.0.0.1', proxy.port, ...how);
    await until('the failover is over', async () => {
      return (await old.info('replication')).master_failover_state === 'no-failover';
    });
    expect(proxy.connections).toBeGreaterThan(1);
    expect(((await heir.call('ROLE')) as unknown[])[0]).toBe('master');
    await old.linked();
    await heir.call('CLIENT', 'UNPAUSE');
    await heir.call('SET', 'new', 1);
    await converged(heir, old);
    await expect(old.call('SET', 'new', 2)).rejects.toThrow('READONLY');
    // The one whose answer was lost counts as well.
    expect(await heir.number('sync_full')).toBe(force === FORCED ? 2 : 0);
  });
});
