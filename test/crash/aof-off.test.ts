/**
 * The AOF being switched off, and an end that does not come about: what was written before is kept
 * and answered as was promised then, and what goes on goes on being kept. And a rewrite where there
 * is no AOF.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { FaultyFileSystem } from '../support/faulty-file-system.ts';
import { emptyDisk, InProcessServer } from '../support/in-process-server.ts';
import type { RawClient } from '../support/raw-client.ts';
import { ReplyError } from '../support/resp-reader.ts';

const servers: InProcessServer[] = [];
const clients: RawClient[] = [];

async function start(
  fs: FaultyFileSystem,
  settings: Record<string, string | number | boolean> = {},
): Promise<InProcessServer> {
  const server = await InProcessServer.start(fs, settings);
  servers.push(server);
  return server;
}

async function connect(server: InProcessServer): Promise<RawClient> {
  const client = await server.connect();
  clients.push(client);
  return client;
}

async function ask(client: RawClient, ...words: string[]): Promise<unknown> {
  const value = await client.value(...words);
  return value instanceof ReplyError ? value.error : value;
}

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let i = 0; i < 10_000; i++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`never: ${what}`);
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const { fs } of servers) fs.releaseSyncs();
  for (const server of servers.splice(0).reverse()) await server.abandon();
});

describe('switching off', () => {
  it('takes along what the same turn wrote before', async () => {
    const fs = emptyDisk();
    const client = await connect(await start(fs, { appendfsync: 'everysec' }));
    await client.pipeline([
      ['SET', 'a', '1'],
      ['CONFIG', 'SET', 'appendonly', 'no'],
      ['SET', 'b', '1'],
    ]);
    const again = await connect(await start(fs.kill()));
    expect(await ask(again, 'MGET', 'a', 'b')).toEqual(['1', null]);
  });

  it('under always answers what was written before when it is fsynced', async () => {
    const fs = emptyDisk();
    const server = await start(fs, { appendfsync: 'always' });
    const [client, other] = [await connect(server), await connect(server)];
    const { turn, persistence } = server.server;
    fs.holdSyncs();
    client.write('SET a 1\r\n');
    await until('its fsync runs', () => fs.heldSyncs > 0);
    other.write('CONFIG SET appendonly no\r\n');
    await until('it is off', () => turn.log === null);
    turn.progress();
    expect(turn.isHolding).toBe(true);
    expect(client.unread.replies).toEqual([]);
    fs.releaseSyncs();
    expect((await client.read()).value).toBe('OK');
    expect((await other.read()).value).toBe('OK');
    expect(persistence.aof.aof.state).toBe('off');
    // From here on nothing is promised, and nobody waits.
    fs.holdSyncs();
    expect(await ask(client, 'SET', 'b', '1')).toBe('OK');
    const again = await connect(await start(fs.cutPower(1, 'all')));
    expect(await ask(again, 'MGET', 'a', 'b')).toEqual(['1', null]);
  });
});

describe('an end that the disk prevents', () => {
  it('leaves the AOF as it was: it goes on, and a later end succeeds', async () => {
    const fs = emptyDisk();
    const server = await start(fs, { appendfsync: 'everysec' });
    const [client, other] = [await connect(server), await connect(server)];
    const { aof } = server.server.persistence.aof;
    fs.failWriteOf = /incr/;
    client.write('SET a 1\r\n');
    await until('the write fails', () => aof.lastError !== undefined);
    expect(await ask(other, 'SHUTDOWN')).toBe('ERR Errors trying to SHUTDOWN. Check logs.');
    expect(aof.state).toBe('on');
    fs.failWriteOf = undefined;
    expect((await client.read()).value).toBe('OK');
    expect(await ask(other, 'SET', 'b', '1')).toBe('OK');
    other.write('SHUTDOWN\r\n');
    await until('it ends', () => server.exitCode !== undefined);
    expect(server.exitCode).toBe(0);
    const again = await connect(await start(fs.cutPower(3, 'all')));
    expect(await ask(again, 'MGET', 'a', 'b')).toEqual(['1', '1']);
  });
});

describe('a rewrite without an AOF', () => {
  it('counts as none, and does not stand in the way of an end', async () => {
    const fs = emptyDisk();
    const server = await start(fs, { appendonly: false });
    const [client, other] = [await connect(server), await connect(server)];
    const { persistence } = server.server;
    for (let i = 0; i < 20; i++) await ask(client, 'SET', `k${i}`, '1');
    await ask(client, 'CONFIG', 'SET', 'rdb-key-save-delay', '10000000');
    await ask(client, 'BGREWRITEAOF');
    await until('it runs', () => persistence.snapshots.purpose === 'rewrite');
    expect(await ask(client, 'INFO', 'persistence')).toContain('aof_enabled:0\r\n');
    expect(await ask(client, 'WAITAOF', '1', '0', '0')).toMatch(/^ERR .*appendonly is disabled/);
    other.write('SHUTDOWN NOSAVE\r\n');
    await until('it ends', () => server.exitCode !== undefined);
    expect(server.exitCode).toBe(0);
  });
});
