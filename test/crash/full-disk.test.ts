/**
 * A server whose disk runs full or fails: writes are refused and nobody hangs, reads go on, and
 * when the disk works again so does the server, with everything it acknowledged. Under `always`
 * the process ends instead.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { FaultyFileSystem } from '../support/faulty-file-system.ts';
import { emptyDisk, InProcessServer } from '../support/in-process-server.ts';
import { encodeCommand, type RawClient } from '../support/raw-client.ts';
import { ReplyError } from '../support/resp-reader.ts';

const FULL = 'MISCONF Errors writing to the AOF file: No space left on device';
const SAVING_FAILS = /^MISCONF Redis is configured to save RDB snapshots, but/;
const TIMEOUT_MS = 60_000;
const MEGABYTE = 1_000_000;

let servers: InProcessServer[] = [];
let clients: RawClient[] = [];

async function start(
  fs: FaultyFileSystem,
  settings: Record<string, string | number | boolean>,
): Promise<InProcessServer> {
  const server = await InProcessServer.start(fs, settings);
  servers.push(server);
  return server;
}

async function connect(server: InProcessServer): Promise<RawClient> {
  const client = await server.connect({ timeoutMs: TIMEOUT_MS });
  clients.push(client);
  return client;
}

afterEach(async () => {
  for (const client of clients) client.close();
  for (const { fs } of servers) fs.releaseSyncs();
  for (const server of servers) await server.abandon().catch(() => undefined);
  clients = [];
  servers = [];
});

/** The plain value of a reply, an error as its text. */
async function ask(client: RawClient, ...words: string[]): Promise<unknown> {
  const value = await client.value(...words);
  return value instanceof ReplyError ? value.error : value;
}

async function infoField(client: RawClient, name: string): Promise<string | undefined> {
  const info = String(await client.value('INFO', 'persistence'));
  return new RegExp(`^${name}:(.*)\r$`, 'm').exec(info)?.[1];
}

/** Asks again and again until the answer is the wanted one; fails when it never is. */
async function until(client: RawClient, wanted: unknown, ...words: string[]): Promise<void> {
  let last: unknown;
  for (const endMs = Date.now() + TIMEOUT_MS; Date.now() < endMs; ) {
    last = await ask(client, ...words);
    if (last === wanted) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(last).toBe(wanted);
}

/** What a server started on the disk as it is now holds. */
async function startAgain(fs: FaultyFileSystem): Promise<RawClient> {
  return connect(await start(fs.kill(), { appendfsync: 'always' }));
}

/** Writes until the server says that its disk is full; gives the keys that were acknowledged. */
async function writeUntilFull(
  server: InProcessServer,
  client: RawClient,
  text: string,
): Promise<number> {
  const { aof } = server.server.persistence.aof;
  const isFull = (): boolean => aof.lastError !== undefined || server.exitCode !== undefined;
  for (let i = 0; ; i++) {
    client.write(encodeCommand(['SET', `k${i}`, text]));
    await expect
      .poll(() => client.unread.replies.length > 0 || isFull(), { interval: 1 })
      .toBe(true);
    if (isFull()) return i;
    await client.read();
  }
}

describe('a full disk', () => {
  it.each(['everysec', 'no'])(
    'refuses writes, answers reads, and is left behind, under %s',
    async (appendfsync) => {
      const fs = emptyDisk();
      const server = await start(fs, { appendfsync });
      const writer = await connect(server);
      const other = await connect(server);
      // So that it is the GET below that finds the key expired.
      server.server.activeExpiry.enabled = false;
      expect(await ask(other, 'SET', 'before', '1')).toBe('OK');
      expect(await ask(other, 'SET', 'soon', '1', 'PX', '400')).toBe('OK');
      fs.spaceBytes = 5000;
      const written = await writeUntilFull(server, writer, 'x'.repeat(500));
      expect(written).toBeGreaterThan(5);
      for (const words of [['SET', 'a', '1'], ['DEL', 'before'], ['PING']]) {
        expect(await ask(other, ...words), words.join(' ')).toBe(FULL);
      }
      await ask(other, 'MULTI');
      expect(await ask(other, 'SET', 'a', '1')).toBe(FULL);
      expect(await ask(other, 'EXEC')).toMatch(/^EXECABORT/);
      expect(await ask(other, 'GET', 'before')).toBe('1');
      expect(await infoField(other, 'aof_last_write_status')).toBe('err');
      // What expires now cannot be noted either, and nobody waits for that.
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(await ask(other, 'GET', 'soon')).toBe(null);
      expect(await ask(other, 'GET', 'before')).toBe('1');

      fs.spaceBytes = 1_000_000;
      // The write that met the full disk was executed, so it is answered when it is safe.
      expect((await writer.read()).value).toBe('OK');
      await until(other, 'OK', 'SET', 'after', '1');
      expect(await ask(other, 'PING')).toBe('PONG');
      expect(await infoField(other, 'aof_last_write_status')).toBe('ok');
      const again = await startAgain(fs);
      expect(await ask(again, 'GET', 'soon')).toBe(null);
      expect(await ask(again, 'DBSIZE')).toBe(written + 3);
    },
  );

  it('ends the process under always, and keeps what was acknowledged', async () => {
    const fs = emptyDisk();
    const server = await start(fs, { appendfsync: 'always' });
    const writer = await connect(server);
    fs.spaceBytes = 5000;
    const written = await writeUntilFull(server, writer, 'x'.repeat(500));
    await expect.poll(() => server.exitCode).toBe(1);
    expect(server.log.join('\n')).toContain('the server ends');
    await writer.waitClosed();
    fs.spaceBytes = 1_000_000;
    const again = await startAgain(fs);
    expect(await ask(again, 'DBSIZE')).toBeGreaterThanOrEqual(written);
    expect(await ask(again, 'EXISTS', `k${written - 1}`)).toBe(1);
  });

  it('fails a rewrite and leaves the AOF as it stands', async () => {
    const fs = emptyDisk();
    const server = await start(fs, { appendfsync: 'everysec' });
    const client = await connect(server);
    await ask(client, 'SET', 'a', 'x'.repeat(20_000));
    fs.spaceBytes = 3000;
    await ask(client, 'BGREWRITEAOF');
    for (const endMs = Date.now() + TIMEOUT_MS; Date.now() < endMs; ) {
      if ((await infoField(client, 'aof_last_bgrewrite_status')) === 'err') break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(await infoField(client, 'aof_last_bgrewrite_status')).toBe('err');
    expect(await ask(client, 'SET', 'b', '1')).toBe('OK');
    const again = await startAgain(fs);
    expect(await ask(again, 'DBSIZE')).toBe(2);
  });

  it('fails a save, which refuses writes where save points exist', async () => {
    const fs = emptyDisk();
    const server = await start(fs, { appendonly: false, save: '3600 1' });
    const client = await connect(server);
    await ask(client, 'SET', 'a', 'x'.repeat(5000));
    fs.spaceBytes = 100;
    // Whoever waits for a save is told, and that is all.
    expect(await ask(client, 'SAVE')).toMatch(/^ERR saving failed: no space/);
    expect(await infoField(client, 'rdb_last_bgsave_status')).toBe('ok');
    expect(await ask(client, 'SET', 'b', '0')).toBe('OK');
    await ask(client, 'BGSAVE');
    for (const endMs = Date.now() + TIMEOUT_MS; Date.now() < endMs; ) {
      if ((await infoField(client, 'rdb_last_bgsave_status')) === 'err') break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(await infoField(client, 'rdb_last_bgsave_status')).toBe('err');
    const refused = String(await ask(client, 'SET', 'b', '1'));
    expect(refused).toMatch(SAVING_FAILS);
    // What is asked of saves counts from the next command on.
    for (const [name, off, on] of [
      ['stop-writes-on-bgsave-error', 'no', 'yes'],
      ['save', '', '3600 1'],
    ] as const) {
      await ask(client, 'CONFIG', 'SET', name, off);
      expect(await ask(client, 'SET', 'b', '1')).toBe('OK');
      await ask(client, 'CONFIG', 'SET', name, on);
      expect(String(await ask(client, 'SET', 'b', '1'))).toMatch(SAVING_FAILS);
    }
    fs.spaceBytes = 1_000_000;
    await ask(client, 'BGSAVE');
    await until(client, 'OK', 'SET', 'b', '1');
  });
});

describe('a failing fsync', () => {
  it('refuses writes under everysec until a rewrite has made it good', async () => {
    const fs = emptyDisk();
    const server = await start(fs, { appendfsync: 'everysec' });
    const client = await connect(server);
    const other = await connect(server);
    // What a start notes is fsynced some time later: it is the next fsync that is to fail.
    const { aof } = server.server.persistence.aof;
    await expect.poll(() => aof.appendedBytes - aof.syncedBytes).toBe(0);
    fs.failSyncOf = /incr\.aof$/;
    expect(await ask(client, 'SET', 'a', '1')).toBe('OK');
    for (const endMs = Date.now() + TIMEOUT_MS; Date.now() < endMs; ) {
      if (/^MISCONF/.test(String(await ask(other, 'PING')))) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await ask(other, 'SET', 'b', '1')).toMatch(/^MISCONF Errors writing to the AOF file: /);
    expect(await ask(other, 'GET', 'a')).toBe('1');
    fs.failSyncOf = undefined;
    await until(other, 'PONG', 'PING');
    expect(await ask(other, 'SET', 'b', '2')).toBe('OK');
    const again = await startAgain(fs);
    expect(await ask(again, 'MGET', 'a', 'b')).toEqual(['1', '2']);
  });

  it('ends the process under always', async () => {
    const fs = emptyDisk();
    const server = await start(fs, { appendfsync: 'always' });
    const client = await connect(server);
    expect(await ask(client, 'SET', 'a', '1')).toBe('OK');
    fs.failSyncOf = /incr\.aof$/;
    client.write('SET b 1\r\n');
    await client.waitClosed();
    expect(server.exitCode).toBe(1);
    expect(client.unread.replies).toEqual([]);
    fs.failSyncOf = undefined;
    const again = await startAgain(fs);
    expect(await ask(again, 'GET', 'a')).toBe('1');
  });
});

describe('a slow disk', () => {
  it('lets no more wait for it than it should, and loses nothing', async () => {
    const fs = emptyDisk();
    const server = await start(fs, { appendfsync: 'always' });
    const { queue } = server.server.persistence.aof.aof.disk;
    const text = 'x'.repeat(100_000);
    fs.holdSyncs();
    const flood = await Promise.all([1, 2].map(() => connect(server)));
    for (const [i, client] of flood.entries()) {
      for (let k = 0; k < 450; k++) client.write(encodeCommand(['SET', `k${i}:${k % 10}`, text]));
    }
    // Nobody is answered while the disk holds still; by then all is read that will be read.
    await expect.poll(() => queue.bytes).toBeGreaterThan(10 * MEGABYTE);
    const idle = await server.connect({ timeoutMs: 2000 });
    clients.push(idle);
    await expect(idle.send('CLIENT', 'ID')).rejects.toThrow('no reply');
    expect(queue.bytes).toBeLessThan(80 * MEGABYTE);
    fs.releaseSyncs();
    for (const client of flood) {
      for (let k = 0; k < 450; k++) expect((await client.read()).value).toBe('OK');
    }
    // A line about the place in the stream may follow, which nobody waits for.
    await expect.poll(() => queue.bytes).toBe(0);
  }, 900_000);
});
