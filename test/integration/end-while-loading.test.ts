/**
/**
 * The end of a server and its files. One that is ended while it loads leaves them as they are: the
 * part of the dataset that it has by then must not be saved over the whole. One that has its data
 * nowhere but in memory yet does not end.
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import type { ServerProcess } from '../support/server-process.ts';

const KEYS = 5000;
const SAVE = ['3600', '1'];
/** Microseconds a key, so that loading takes seconds. */
const SLOW = { 'key-load-delay': 2000 };

let server: ServerProcess | undefined;
afterEach(() => server?.close());

async function fill(one: ServerProcess): Promise<void> {
  const client = await one.connect();
  await client.pipeline(Array.from({ length: KEYS }, (_, i) => ['SET', `k${i}`, 'v'.repeat(20)]));
  client.close();
}

/** Waits until the server says that it is loading, and gives what it says then. */
async function whileLoading(one: ServerProcess): Promise<string> {
  for (let left = 12_000; left > 0; left--) {
    const client = await one.connect().catch(() => null);
    const info = String(await client?.value('INFO', 'persistence').catch(() => ''));
    client?.close();
    if (/loading_loaded_perc:[1-9]/.test(info)) return info;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`it never said that it loads\n${one.logText}`);
}

function filesOf(dir: string): Map<string, string> {
  const names = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'server.log')
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(names.sort().map((name) => [name, readFileSync(name, 'latin1')]));
}

describe('SIGTERM while loading', () => {
  it.each([
    { what: 'a dump', config: { save: SAVE, appendonly: 'no' } },
    { what: 'an AOF with an RDB base', config: { save: SAVE, appendonly: 'yes' } },
  ])('leaves $what as it is', async ({ config }) => {
    server = await startCairnServer({ config });
    await fill(server);
    if (config.appendonly === 'yes') {
      const client = await server.connect();
      await client.send('BGREWRITEAOF');
      let info = '';
      while (!/aof_rewrites:1/.test(info)) info = String(await client.value('INFO', 'persistence'));
      client.close();
    }
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    const before = filesOf(server.dir);
    expect([...before.values()].join('').length).toBeGreaterThan(KEYS * 5);

    server.launch({ config: { ...config, ...SLOW } });
    // What the server that wrote the file had in use.
    expect(await whileLoading(server)).toMatch(/loading_rdb_used_mem:[1-9]\d{5}/);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    expect(filesOf(server.dir)).toEqual(before);

    await server.startAgain({ config });
    const client = await server.connect();
    expect(await client.value('DBSIZE')).toBe(KEYS);
    client.close();
  });
});

describe('SHUTDOWN NOW', () => {
  it('saves, and is itself no change that the AOF is told of, nor replicas', async () => {
    server = await startCairnServer({ config: { save: SAVE, appendonly: 'yes' } });
    const client = await server.connect();
    await client.send('SET', 'marker', 1);
    client.write('SHUTDOWN NOW\r\n');
    await client.waitClosed();
    const files = filesOf(server.dir);
    const log = [...files].find(([name]) => name.includes('incr'))?.[1] ?? '';
    expect(log).toContain('marker');
    expect(log).not.toMatch(/shutdown/i);
    expect([...files.keys()].join()).toContain('dump.rdb');
  });
});

describe('SHUTDOWN', () => {
  it('is refused while an AOF that was switched on has no base, unless it is forced', async () => {
    server = await startCairnServer({ config: { 'rdb-key-save-delay': 20_000_000 } });
    const client = await server.connect();
    await client.send('SET', 'a', 1);
    await client.send('CONFIG', 'SET', 'appendonly', 'yes');
    const refused = await client.send('SHUTDOWN', 'NOSAVE');
    expect(refused.raw.toString()).toBe('-ERR Errors trying to SHUTDOWN. Check logs.\r\n');
    expect(server.logText).toContain("Writing initial AOF, can't exit.");
    expect((await client.send('SET', 'b', 2)).raw.toString()).toBe('+OK\r\n');
    client.write('SHUTDOWN NOSAVE FORCE\r\n');
    await client.waitClosed();
  });

  it('is refused so while the dataset is being read back, too', async () => {
    const config = { 'enable-debug-command': 'yes', 'rdb-key-save-delay': 20_000_000 };
    server = await startCairnServer({ config });
    await fill(server);
    const client = await server.connect();
    await client.send('CONFIG', 'SET', 'appendonly', 'yes', 'key-load-delay', '2000');
    client.write('DEBUG RELOAD\r\n');
    await whileLoading(server);
    const other = await server.connect();
    const refused = await other.send('SHUTDOWN', 'NOSAVE');
    expect(refused.raw.toString()).toBe('-ERR Errors trying to SHUTDOWN. Check logs.\r\n');
    other.write('SHUTDOWN NOSAVE FORCE\r\n');
    await other.waitClosed();
    client.close();
  });

  it('waits for the AOF that has just been switched on', async () => {
    server = await startCairnServer({ config: { 'rdb-key-save-delay': 500_000 } });
    const client = await server.connect();
    const replies = await client.pipeline([
      ['CONFIG', 'SET', 'save', ''],
      ['SET', 'a', '1'],
      ['SET', 'b', '2'],
      ['CONFIG', 'SET', 'appendonly', 'yes'],
      ['SHUTDOWN'],
      ['SHUTDOWN', 'NOSAVE'],
    ]);
    const refused = '-ERR Errors trying to SHUTDOWN. Check logs.\r\n';
    expect(replies.slice(4).map((one) => one.raw.toString())).toEqual([refused, refused]);
    expect(server.logText).toContain("# Writing initial AOF, can't exit.\n");
    expect(await client.value('SET', 'c', '3')).toBe('OK');
    const written = async (): Promise<string> => String(await client.value('INFO', 'persistence'));
    await expect.poll(written).toContain('aof_rewrite_in_progress:0');
    client.write('*1\r\n$8\r\nSHUTDOWN\r\n');
    await client.waitClosed();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    await expect.poll(() => server?.logText).toContain('# Cairn is now ready to exit, bye bye...');
    await server.startAgain({ config: { appendonly: 'yes' } });
    const again = await server.connect();
    expect(await again.value('MGET', 'a', 'b', 'c')).toEqual(['1', '2', '3']);
    again.close();
  });

  it('that cannot save goes on, and refuses no writes', async () => {
    server = await startCairnServer({ config: { save: SAVE } });
    const client = await server.connect();
    await client.send('SET', 'a', '1');
    mkdirSync(join(server.dir, 'dump.rdb'));
    expect((await client.send('SHUTDOWN')).raw.toString()).toMatch(/^-ERR Errors trying/);
    expect(await client.value('PING')).toBe('PONG');
    expect(await client.value('SET', 'b', '2')).toBe('OK');
    client.write('*2\r\n$8\r\nSHUTDOWN\r\n$6\r\nNOSAVE\r\n');
    await client.waitClosed();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });
});
