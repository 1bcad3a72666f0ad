/**
 * `repl-diskless-load`: a dataset that is loaded from the socket, aside from the one that stands.
 * What stands is served or hidden meanwhile, comes back whole when the transfer breaks off, and is
 * replaced at one blow when it does not.
 */
import { describe, expect, it } from 'vitest';
import { requireRedisServer } from '../support/real-server.ts';
import {
  converged,
  type Directives,
  type LinkProxy,
  type Node,
  type NodeKind,
  nodesOfTest,
  until,
} from './replication-nodes.ts';

const KEYS = 400;
const LOADING = /^LOADING /;
const { node, proxyTo } = nodesOfTest();

/** A primary with much to send and behind a proxy, and a replica that follows nobody yet. */
async function pair(kind: NodeKind, way: string, config: Directives = {}) {
  const primary = await node(kind, { rdbcompression: 'no' });
  await primary.call('DEBUG', 'POPULATE', KEYS, 'theirs', 10_000);
  const proxy = await proxyTo(primary);
  const replica = await node('cairn', { 'repl-diskless-load': way, ...config });
  return { primary, proxy, replica };
}

/** Has the primary send so slowly that the test can look at the replica meanwhile. */
async function slow(primary: Node, isSlow: boolean): Promise<void> {
  await primary.call('CONFIG', 'SET', 'rdb-key-save-delay', isSlow ? 50_000 : 0);
}

/** The transfer breaks off, and the next one has to wait until the test says so. */
async function breakOff(primary: Node, proxy: LinkProxy): Promise<void> {
  await primary.call('CONFIG', 'SET', 'repl-diskless-sync-delay', 3600);
  proxy.cut();
}

async function goOn(primary: Node): Promise<void> {
  await slow(primary, false);
  await primary.call('CONFIG', 'SET', 'repl-diskless-sync-delay', 0);
}

async function shows(replica: Node, field: string, value: string): Promise<void> {
  await until(
    `${field}:${value}`,
    async () => (await replica.info('persistence'))[field] === value,
  );
}

/** A replica in step, whose primary has then gone so far ahead that only a full sync helps. */
async function leftBehind(kind: NodeKind, config: Directives = {}) {
  const { primary, proxy, replica } = await pair(kind, 'swapdb', {
    'replica-read-only': 'no',
    ...config,
  });
  await replica.follow(proxy.port);
  await replica.linked();
  await converged(primary, replica);
  await replica.call('SET', 'mine', 'value');
  await slow(primary, true);
  await primary.client
    .multi([
      ['client', 'kill', 'type', 'replica'],
      ['config', 'set', 'repl-backlog-size', '16384'],
      ['set', 'new', 'x'.repeat(40_000)],
    ])
    .exec();
  return { primary, proxy, replica };
}

const kinds: NodeKind[] = requireRedisServer() === null ? ['cairn'] : ['cairn', 'redis'];

describe.each(kinds)('a dataset that %s sends', (kind) => {
  it('of another history hides what stands, which comes back when it breaks off', async () => {
    const { primary, proxy, replica } = await pair(kind, 'swapdb');
    await replica.call('SET', 'mine', 'value');
    const before = await replica.digest();
    await slow(primary, true);
    await replica.follow(proxy.port);
    await shows(replica, 'loading', '1');
    expect((await replica.info('persistence')).async_loading).toBe('0');
    await expect(replica.call('GET', 'mine')).rejects.toThrow(LOADING);
    await breakOff(primary, proxy);
    await shows(replica, 'loading', '0');
    expect(await replica.digest()).toBe(before);
    expect(await replica.call('GET', 'mine')).toBe('value');
    await goOn(primary);
    await replica.linked();
    await converged(primary, replica);
    expect(await replica.call('DBSIZE')).toBe(KEYS);
  });

  it('of the same history leaves what stands to be read, and then takes its place', async () => {
    const { primary, proxy, replica } = await leftBehind(kind, { appendonly: 'yes' });
    await shows(replica, 'async_loading', '1');
    expect((await replica.info('persistence')).loading).toBe('0');
    expect(await replica.call('GET', 'mine')).toBe('value');
    expect(await replica.call('DBSIZE')).toBe(KEYS + 1);
    await expect(replica.call('REPLICAOF', 'NO', 'ONE')).rejects.toThrow(LOADING);
    await expect(replica.call('BGSAVE')).rejects.toThrow(LOADING);
    await expect(replica.call('CONFIG', 'SET', 'appendonly', 'no')).rejects.toThrow(LOADING);
    await replica.call('SET', 'mine', 'anew');
    await breakOff(primary, proxy);
    await shows(replica, 'async_loading', '0');
    expect(await replica.call('GET', 'mine')).toBe('anew');
    expect(await replica.call('DBSIZE')).toBe(KEYS + 1);
    await replica.call('WATCH', 'mine', 'new');
    await goOn(primary);
    await replica.linked();
    await converged(primary, replica);
    expect(await replica.call('GET', 'mine')).toBeNull();
    const exec = await replica.client.multi().ping().exec();
    expect(exec).toBeNull();
    await shows(replica, 'aof_rewrite_in_progress', '0');
    await shows(replica, 'aof_enabled', '1');
    await replica.restart({ 'repl-diskless-load': 'swapdb', appendonly: 'yes' });
    await converged(primary, replica);
  });
});

describe('a replica that may load from the socket', () => {
  it('only when it is empty takes a file where it holds keys', async () => {
    const { primary, replica } = await pair('cairn', 'on-empty-db');
    const noted = (text: string): boolean => replica.server.logText.includes(text);
    await replica.follow(primary.port);
    await replica.linked();
    await converged(primary, replica);
    expect(noted('Swapping active DB with loaded DB')).toBe(true);
    await replica.call('REPLICAOF', 'NO', 'ONE');
    await replica.call('SET', 'mine', 'value');
    await replica.call('DEBUG', 'CHANGE-REPL-ID');
    const swaps = replica.server.logText.split('Swapping').length;
    await replica.follow(primary.port);
    await replica.linked();
    await converged(primary, replica);
    expect(replica.server.logText.split('Swapping').length).toBe(swaps);
  });
});
