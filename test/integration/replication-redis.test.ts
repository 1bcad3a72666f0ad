/**
 * Replication with the real server, both ways: convergence under load, links that are cut, expiry,
 * transactions, every way of a full sync.
 */
import { describe, expect, it } from 'vitest';
import { requireRedisServer } from '../support/real-server.ts';
import { Load } from './replication-load.ts';
import { converged, type NodeKind, nodesOfTest, until } from './replication-nodes.ts';

const { node, proxyTo } = nodesOfTest();

const WAYS: [NodeKind, NodeKind][] = [
  ['redis', 'cairn'],
  ['cairn', 'redis'],
  ['cairn', 'cairn'],
];

describe.skipIf(requireRedisServer() === null).each(WAYS)('%s feeds %s', (above, below) => {
  it.each([
    ['streamed', 'yes'],
    ['from a file', 'no'],
  ])('by a full sync under load, %s', async (_way, diskless) => {
    const primary = await node(above, { 'repl-diskless-sync': diskless });
    const replica = await node(below);
    const load = new Load(primary.client, 11);
    for (let i = 0; i < 40; i++) await load.round();
    load.start();
    await replica.follow(primary.port);
    await replica.linked();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await load.stop();
    await converged(primary, replica);
    expect(Number(await primary.call('WAIT', 1, 60_000))).toBe(1);
    expect(await primary.number('sync_full')).toBe(1);
  });

  it('goes on where it was, however often the link is cut', async () => {
    const primary = await node(above, { 'repl-backlog-size': '32mb' });
    const proxy = await proxyTo(primary);
    const replica = await node(below);
    await replica.follow(proxy.port);
    await replica.linked();
    const load = new Load(primary.client, 23);
    load.start();
    for (let i = 0; i < 20; i++) {
      const before = proxy.connections;
      await new Promise((resolve) => setTimeout(resolve, 60));
      proxy.cut();
      await until('the replica has come again', async () => proxy.connections > before);
      await replica.linked();
    }
    await load.stop();
    await converged(primary, replica);
    const counts = [await primary.number('sync_partial_ok'), await primary.number('sync_full')];
    expect(counts, replica.server.logText).toEqual([20, 1]);
    expect(load.commands).toBeGreaterThan(500);
  });

  it('keys go when the primary says so, and are not seen before', async () => {
    const primary = await node(above);
    const replica = await node(below);
    await replica.follow(primary.port);
    await replica.linked();
    await primary.call('DEBUG', 'SET-ACTIVE-EXPIRE', 0);
    await primary.call('SET', 'k', 'v', 'PX', 80);
    await primary.call('SET', 'mark', '1');
    await until('the mark is there', async () => (await replica.call('GET', 'mark')) === '1');
    await until('its time has come', async () => (await replica.call('GET', 'k')) === null);
    expect(await replica.call('DBSIZE')).toBe(2);
    expect(await primary.call('GET', 'k')).toBe(null);
    await until('it is gone', async () => (await replica.call('DBSIZE')) === 1);
  });

  it('databases, transactions and values of 20 MB arrive as they are', async () => {
    const primary = await node(above);
    const replica = await node(below);
    await primary.client.select(5);
    await primary.call('SET', 'early', 'five');
    await replica.follow(primary.port);
    await replica.linked();
    await primary.call('SET', 'late', 'five');
    await primary.client.select(2);
    const large = Buffer.alloc(20_000_000, 'large');
    await primary.client.multi().set('large', large).incr('n').select(3).set('x', 'y').exec();
    await converged(primary, replica);
    await replica.client.select(5);
    expect(await replica.client.mget('early', 'late')).toEqual(['five', 'five']);
    await replica.client.select(2);
    expect((await replica.client.getBuffer('large'))?.equals(large)).toBe(true);
  });

  it('CLIENT KILL on either side breaks the link, which comes again', async () => {
    const primary = await node(above);
    const replica = await node(below);
    await replica.follow(primary.port);
    await replica.linked();
    expect(await primary.call('CLIENT', 'KILL', 'TYPE', 'replica')).toBe(1);
    await primary.call('SET', 'a', 1);
    await converged(primary, replica);
    expect(await replica.call('CLIENT', 'KILL', 'TYPE', 'master')).toBe(1);
    await primary.call('SET', 'b', 2);
    await converged(primary, replica);
    await until('both links were continued', async () => {
      return (await primary.number('sync_partial_ok')) === 2;
    });
    expect(await primary.number('sync_full')).toBe(1);
  });

  it('a replica that was restarted goes on from its dump', async () => {
    const primary = await node(above);
    const replica = await node(below);
    const load = new Load(primary.client, 31);
    for (let i = 0; i < 5; i++) await load.round();
    await replica.follow(primary.port);
    await replica.linked();
    for (let i = 0; i < 5; i++) await load.round();
    expect(Number(await primary.call('WAIT', 1, 60_000))).toBe(1);
    await replica.call('SAVE');
    for (let i = 0; i < 5; i++) await load.round();
    await replica.restart({ replicaof: `127.0.0.1 ${primary.port}`, save: '3600 1' });
    await replica.linked();
    await converged(primary, replica);
    expect(await primary.number('sync_full')).toBe(1);
    expect(await primary.number('sync_partial_ok')).toBe(1);
  });

  it('asks with a user and a password', async () => {
    const primary = await node(above);
    const replica = await node(below);
    await primary.call('ACL', 'SETUSER', 'follower', 'on', '>pass', '+psync', '+replconf', '+ping');
    await primary.call('CONFIG', 'SET', 'requirepass', 'other');
    await primary.call('SET', 'k', 'v');
    await replica.call('CONFIG', 'SET', 'masteruser', 'follower');
    await replica.call('CONFIG', 'SET', 'masterauth', 'pass');
    await replica.follow(primary.port);
    await replica.linked();
    expect(await replica.call('GET', 'k')).toBe('v');
  });
});
