/**
 * A server that starts again from its AOF goes on in the replication stream where it was: as a
 * primary and as a replica of a real server, after kill -9 and after a clean end, behind rewrites
 * to either kind of base. A real server loads the same files.
 */
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { requireRedisServer, startRealServer } from '../support/real-server.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { Load } from './replication-load.ts';
import { converged, level, type Node, nodesOfTest, until } from './replication-nodes.ts';

/** The load writes to these. */
const DATABASES = 4;

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) removeFolder(folder);
});

// Hooks run from the last to the first: the servers end before their folders go.
const { node } = nodesOfTest();

async function settled(one: Node): Promise<void> {
  await until('the AOF stands', async () => {
    const info = await one.info('persistence');
    return info.aof_rewrite_in_progress === '0' && info.aof_rewrite_scheduled === '0';
  });
}

async function rewritten(one: Node): Promise<void> {
  await one.call('BGREWRITEAOF');
  await settled(one);
  expect((await one.info('persistence')).aof_last_bgrewrite_status).toBe('ok');
}

type End = 'kill -9' | 'SIGTERM';

async function endOf(one: Node, end: End): Promise<void> {
  one.client.disconnect();
  if (end === 'SIGTERM') expect(await one.server.stop()).toMatchObject({ code: 0 });
  else await one.server.kill();
}

/** Has no key expire, so that digests can be compared at leisure. */
async function persistAll(primary: Node): Promise<void> {
  for (let db = 0; db < DATABASES; db++) {
    await primary.call('SELECT', db);
    const keys = (await primary.call('KEYS', '*')) as string[];
    const pipeline = primary.client.pipeline();
    for (const key of keys) pipeline.persist(key);
    await pipeline.exec();
  }
  await primary.call('SELECT', 0);
  // KEYS names no key whose time has come; such a key stands until the primary gets to it.
  await until('no key expires any more', async () => {
    return !/expires=[1-9]/.test(String(await primary.call('INFO', 'keyspace')));
  });
}

/** What a real server finds in the AOF of `one`, which does not run. */
async function realDigest(one: Node): Promise<unknown> {
  const dir = mkdtempSync(join(tmpdir(), 'cairn-resume-'));
  folders.push(dir);
  cpSync(join(one.server.dir, 'appendonlydir'), join(dir, 'appendonlydir'), { recursive: true });
  const config = { appendonly: 'yes', 'enable-debug-command': 'yes' };
  const server = await startRealServer({ dir, config });
  const client = await server.connect();
  const digest = await client.value('DEBUG', 'DIGEST');
  client.close();
  await server.close();
  return digest;
}

const WAYS: readonly [End, string][] = [
  ['kill -9', 'yes'],
  ['SIGTERM', 'no'],
];

describe.skipIf(requireRedisServer() === null)('with a real server at the other end', () => {
  it.each(WAYS)(
    'a primary goes on after %s (RDB base: %s)',
    async (end, preamble) => {
      const config = {
        appendonly: 'yes',
        'aof-use-rdb-preamble': preamble,
        // A PING may reach the replica while the AOF's line about it waits for an fsync that runs.
        'repl-ping-replica-period': 3600,
      };
      const primary = await node('cairn', config);
      const replica = await node('redis');
      await replica.follow(primary.port);
      await replica.linked();
      const load = new Load(primary.client, 41);
      await load.round();
      await rewritten(primary);
      await load.round();
      await primary.call('PUBLISH', 'channel', 'only replicas hear this');
      await persistAll(primary);
      await level(primary, replica);
      const { master_replid: before } = await primary.info('replication');
      const digest = await primary.digest();
      await endOf(primary, end);
      expect(await realDigest(primary)).toBe(digest);
      await primary.restart(config);
      await replica.linked();
      await primary.call('SET', 'after', 1);
      await converged(primary, replica);
      expect(await primary.number('sync_full'), primary.server.logText).toBe(0);
      expect(await primary.number('sync_partial_ok')).toBe(1);
      expect((await primary.info('replication')).master_replid2).toBe(before);
    },
    240_000,
  );

  it.each(WAYS)(
    'a replica goes on after %s (RDB base: %s)',
    async (end, preamble) => {
      const primary = await node('redis');
      const config = {
        appendonly: 'yes',
        'aof-use-rdb-preamble': preamble,
        replicaof: `127.0.0.1 ${primary.port}`,
      };
      const replica = await node('cairn', config);
      await replica.linked();
      await settled(replica);
      const load = new Load(primary.client, 51);
      await load.round();
      await rewritten(replica);
      await load.round();
      await persistAll(primary);
      await level(primary, replica);
      const digest = await replica.digest();
      await endOf(replica, end);
      expect(await realDigest(replica)).toBe(digest);
      await load.round();
      await replica.restart(config);
      await replica.linked();
      await converged(primary, replica);
      expect(await primary.number('sync_full'), replica.server.logText).toBe(1);
      expect(await primary.number('sync_partial_ok')).toBe(1);
    },
    240_000,
  );
});
