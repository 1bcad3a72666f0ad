/**
 * The last save of a server hears what comes meanwhile: reads, SHUTDOWN ABORT, a second SIGINT. The
 * disk holds the old dump or the whole new one. A save that the server gives up itself, then or
 * before, is no failure of the disk, and leaves no file.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Settings } from '../../src/server/config/settings.ts';
import { startCairnServer } from '../support/cairn-server.ts';
import type { FaultyFileSystem } from '../support/faulty-file-system.ts';
import { emptyDisk, InProcessServer } from '../support/in-process-server.ts';
import type { RawClient } from '../support/raw-client.ts';
import type { ServerProcess } from '../support/server-process.ts';

const KEYS = 30;
const SAVE = ['3600', '1'];
/** So slow that it does not end while the test lasts. */
const SLOW_US = 20_000_000;

interface Stage {
  readonly server: ServerProcess;
  readonly client: RawClient;
  readonly dump: () => Buffer;
  /** Names of files that are being written. */
  readonly temporary: () => string[];
}

let running: ServerProcess | undefined;
afterEach(() => running?.close());

/** A server with an old dump of no keys, and KEYS that a save would take for ever over. */
async function begin(): Promise<Stage> {
  const server = await startCairnServer({ config: { save: SAVE } });
  running = server;
  const client = await server.connect();
  await client.send('SAVE');
  for (let i = 0; i < KEYS; i++) await client.send('SET', `k${i}`, 'v');
  await client.send('CONFIG', 'SET', 'rdb-key-save-delay', SLOW_US);
  return {
    server,
    client,
    dump: () => readFileSync(join(server.dir, 'dump.rdb')),
    temporary: () => readdirSync(server.dir).filter((name) => name.startsWith('temp-')),
  };
}

/** A server whose last save is under way, of `count` keys with these values. */
async function ending(settings: Settings, count: number, value: (i: number) => string) {
  const fs = emptyDisk();
  const { one, client } = await started(fs, settings);
  for (let i = 0; i < count; i++) await client.send('SET', `k${i}`, value(i));
  const { server } = one;
  const closing = server.close({ save: undefined, now: false, force: false });
  await expect.poll(() => server.persistence.snapshots.figures?.keysDone ?? 0).toBeGreaterThan(0);
  return { fs, log: one.log, server, client, closing };
}

async function started(fs: FaultyFileSystem, settings: Settings) {
  const one = await InProcessServer.start(fs, { appendonly: false, save: '3600 1', ...settings });
  const client = await one.connect();
  return { one, client };
}

/** Keys that a server finds on the disk. */
async function keysOn(fs: FaultyFileSystem): Promise<unknown> {
  const { one, client } = await started(fs, {});
  const count = await client.value('DBSIZE');
  client.close();
  await one.abandon();
  return count;
}

describe('the last save', () => {
  it('is left out at a second SIGINT, and leaves the old dump alone', async () => {
    const { server, dump, temporary } = await begin();
    const old = dump();
    process.kill(server.pid, 'SIGINT');
    await expect.poll(temporary).toEqual([`temp-${server.pid}.rdb`]);
    process.kill(server.pid, 'SIGINT');
    expect(await server.waitEnd()).toEqual({ code: 1, signal: null });
    expect(temporary()).toEqual([]);
    expect(dump()).toEqual(old);
    expect(server.logText).toContain('You insist... exiting now.');
  });

  it('is left out, and not called done, when a dataset begins to be loaded meanwhile', async () => {
    const settings = { 'rdb-key-save-delay': SLOW_US };
    const { fs, log, server, client, closing } = await ending(settings, 3, () => 'v');
    const aside = server.persistence.changes.loadAside(0, 'hidden');
    await closing;
    aside.giveUp();
    client.close();
    expect(fs.paths().filter((path) => path.endsWith('.rdb'))).toEqual([]);
    expect(log.join('\n')).not.toContain('DB saved on disk');
  });

  it('lets others read, and goes on being a server after SHUTDOWN ABORT', async () => {
    const { server, client, dump, temporary } = await begin();
    const old = dump();
    const other = await server.connect();
    const refused = client.send('SHUTDOWN');
    await expect.poll(temporary).toHaveLength(1);
    expect(await other.value('GET', 'k1')).toBe('v');
    expect(await other.value('SHUTDOWN', 'ABORT')).toBe('OK');
    expect((await refused).raw.toString()).toBe('-ERR Errors trying to SHUTDOWN. Check logs.\r\n');
    expect(temporary()).toEqual([]);
    expect(dump()).toEqual(old);
    expect(server.logText).toContain('# Shutdown manually aborted.\n');
    expect(await client.value('SET', 'k1', 'w')).toBe('OK');

    await other.send('CONFIG', 'SET', 'rdb-key-save-delay', '0');
    other.write('*1\r\n$8\r\nSHUTDOWN\r\n');
    expect(await server.waitEnd()).toEqual({ code: 0, signal: null });
    await server.startAgain();
    const again = await server.connect();
    expect(await again.value('MGET', 'k0', 'k1', `k${KEYS - 1}`)).toEqual(['v', 'w', 'v']);
  });

  it('is given up by SHUTDOWN ABORT after SIGTERM, too, and the log calls it that', async () => {
    const { server, temporary } = await begin();
    const other = await server.connect();
    process.kill(server.pid, 'SIGTERM');
    await expect.poll(temporary).toHaveLength(1);
    expect(await other.value('SHUTDOWN', 'ABORT')).toBe('OK');
    await expect.poll(() => server.logText).toContain('SIGTERM received but errors');
    expect(server.logText).toMatch(/# Shutdown manually aborted\.\n.*SIGTERM received.*given up/);
    expect(server.logText).not.toContain('could not be saved');
    expect(await other.value('SET', 'k1', 'w')).toBe('OK');
    await other.send('CONFIG', 'SET', 'rdb-key-save-delay', '0');
  });

  it('begins again when the dataset makes it give up', async () => {
    const slow = { 'rdb-key-save-delay': SLOW_US };
    const { fs, server, client, closing } = await ending(slow, KEYS, () => 'v');
    server.config.applySettings({ 'rdb-key-save-delay': 0 });
    server.persistence.snapshots.abort();
    expect(await closing).toBeUndefined();
    client.close();
    expect(await keysOn(fs)).toBe(KEYS);
  });

  it('gives way to a dump that is written at once, and leaves it whole', async () => {
    const settings = { 'rdb-key-save-delay': 2000, 'enable-debug-command': 'yes' };
    const { fs, client, closing } = await ending(settings, 200, (i) => `${i}`.repeat(2000));
    client.write('DEBUG RELOAD\r\n');
    expect(await closing).toBeUndefined();
    client.close();
    expect(await keysOn(fs)).toBe(200);
  });
});

describe('a save by the child', () => {
  it('has left no file when the server has ended, whatever the child is doing', async () => {
    const { server, client, temporary } = await begin();
    await client.send('BGSAVE');
    await expect.poll(temporary).toHaveLength(1);
    const child = Number(/\d+/.exec(temporary()[0] ?? '')?.[0]);
    process.kill(child, 'SIGSTOP');
    try {
      client.write('SHUTDOWN NOSAVE\r\n');
      expect(await server.waitEnd()).toEqual({ code: 0, signal: null });
      expect(temporary()).toEqual([]);
    } finally {
      process.kill(child, 'SIGCONT');
    }
  });
});

describe('FLUSHALL', () => {
  it('gives up a save that runs, after which writes are accepted', async () => {
    const { client } = await begin();
    await client.send('BGSAVE');
    expect(await client.value('FLUSHALL')).toBe('OK');
    const info = async (): Promise<string> => String(await client.value('INFO', 'persistence'));
    await expect.poll(info).toContain('rdb_bgsave_in_progress:0');
    expect(await info()).toContain('rdb_last_bgsave_status:ok');
    expect(await client.value('SET', 'a', 'b')).toBe('OK');
  });
});
