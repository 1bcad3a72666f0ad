/** DEBUG where it reaches into files, replicas and the process, and where it is refused. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import { ReplyError } from '../support/resp-reader.ts';
import type { ServerOptions, ServerProcess } from '../support/server-process.ts';

const WAIT = { timeout: 60_000, interval: 50 };

let started: ServerProcess[] = [];
afterEach(async () => {
  for (const one of started) await one.close();
  started = [];
});

async function start(config: ServerOptions['config'] = {}): Promise<ServerProcess> {
  const server = await startCairnServer({ config: { 'enable-debug-command': 'yes', ...config } });
  started.push(server);
  return server;
}

describe('enable-debug-command', () => {
  it('refuses DEBUG by default, before it is queued, with the words of a real server', async () => {
    const server = await start({ 'enable-debug-command': 'no' });
    const client = await server.connect();
    const refused = await client.value('DEBUG', 'JMAP');
    expect(refused).toMatchObject({
      error:
        'ERR DEBUG command not allowed. If the enable-debug-command option is set to "local", ' +
        'you can run it from a local connection, otherwise you need to set this option in the ' +
        'configuration file, and then restart the server.',
    });
    await client.value('MULTI');
    expect(await client.value('DEBUG', 'SLEEP', '0')).toBeInstanceOf(ReplyError);
    expect(await client.value('EXEC')).toMatchObject({
      error: expect.stringMatching(/^EXECABORT/),
    });
  });

  it('local lets clients of this machine', async () => {
    const server = await start({ 'enable-debug-command': 'local' });
    const client = await server.connect();
    expect(await client.value('DEBUG', 'SLEEP', '0')).toBe('OK');
  });
});

describe('DEBUG OBJECT', () => {
  it('shows the references that OBJECT REFCOUNT counts', async () => {
    const server = await start();
    const client = await server.connect();
    const values = { zero: '0', small: '9999', large: '10000', negative: '-1', text: 'x' };
    const counts: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(values)) {
      await client.value('SET', key, value);
      counts[key] = await client.value('OBJECT', 'REFCOUNT', key);
      const shown = String(await client.value('DEBUG', 'OBJECT', key));
      expect(shown).toContain(` refcount:${counts[key]} `);
    }
    const shared = 2147483647;
    expect(counts).toEqual({ zero: shared, small: shared, large: 1, negative: 1, text: 1 });
  });
});

describe('reloading', () => {
  it('RELOAD gives the same data again, and merges on demand', async () => {
    const server = await start();
    const client = await server.connect();
    await client.value('DEBUG', 'POPULATE', '1000', 'k', '50');
    await client.value('SADD', 's', 'a', 'b', 'c');
    await client.value('HSET', 'h', 'f', 'v');
    await client.value('SET', 'e', 'v', 'EX', '1000');
    await client.value('SELECT', '5');
    await client.value('SET', 'five', '5');
    const digest = await client.value('DEBUG', 'DIGEST');
    expect(await client.value('DEBUG', 'RELOAD')).toBe('OK');
    expect(await client.value('DEBUG', 'DIGEST')).toBe(digest);
    await client.value('SET', 'later', '1');
    expect(await client.value('DEBUG', 'RELOAD', 'NOSAVE', 'NOFLUSH', 'MERGE')).toBe('OK');
    expect(await client.value('GET', 'later')).toBe('1');
    expect(await client.value('DEBUG', 'RELOAD', 'NOSAVE')).toBe('OK');
    expect(await client.value('GET', 'later')).toBe(null);
    expect(await client.value('DEBUG', 'DIGEST')).toBe(digest);
    await client.value('MULTI');
    await client.value('DEBUG', 'RELOAD');
    expect(await client.value('EXEC')).toEqual([expect.any(ReplyError)]);
    expect(await client.value('DEBUG', 'DIGEST')).toBe(digest);
  });

  it('answers a pipeline in order, though RELOAD takes its time', async () => {
    const server = await start();
    const client = await server.connect();
    const replies = await client.pipeline([
      ['DEBUG', 'POPULATE', '20000'],
      ['DEBUG', 'RELOAD'],
      ['DBSIZE'],
      ['SET', 'after', '1'],
      ['DBSIZE'],
    ]);
    expect(replies.map(({ value }) => value)).toEqual(['OK', 'OK', 20_000, 'OK', 20_001]);
  });

  it('LOADAOF gives what the AOF holds', async () => {
    const server = await start({ appendonly: 'yes' });
    const client = await server.connect();
    for (let i = 0; i < 100; i++) await client.value('SET', `k${i}`, 'v');
    await client.value('EXPIRE', 'k1', '1000');
    await client.value('DEL', 'k2');
    const digest = await client.value('DEBUG', 'DIGEST');
    await client.value('DEBUG', 'POPULATE', '10', 'unseen');
    expect(await client.value('DEBUG', 'LOADAOF')).toBe('OK');
    expect(await client.value('DEBUG', 'DIGEST')).toBe(digest);
  });
});

describe('replication', () => {
  it('REPLICATE reaches replicas alone, CHANGE-REPL-ID begins another history', async () => {
    const primary = await start({ 'repl-diskless-sync-delay': 0 });
    const replica = await start({ replicaof: ['127.0.0.1', String(primary.port)] });
    const one = await primary.connect();
    const two = await replica.connect();
    const link = async (): Promise<string> => String(await two.value('INFO', 'replication'));
    await vi.waitFor(async () => expect(await link()).toContain('master_link_status:up'), WAIT);
    expect(await one.value('DEBUG', 'REPLICATE', 'SET', 'there', '1')).toBe('OK');
    await vi.waitFor(async () => expect(await two.value('GET', 'there')).toBe('1'), WAIT);
    expect(await one.value('GET', 'there')).toBe(null);
    const id = async (): Promise<string | undefined> =>
      /master_replid:(\w+)/.exec(String(await one.value('INFO', 'replication')))?.[1];
    const before = await id();
    expect(await one.value('DEBUG', 'CHANGE-REPL-ID')).toBe('OK');
    expect(await id()).not.toBe(before);
    expect(await id()).toMatch(/^[0-9a-f]{40}$/);
  });
});

describe('the process', () => {
  it.each([
    ['SEGFAULT', 'SIGSEGV'],
    ['PANIC', 'SIGABRT'],
    ['ASSERT', 'SIGABRT'],
    ['OOM', 'SIGABRT'],
  ])('%s ends it by a %s', async (name, signal) => {
    const server = await start();
    const client = await server.connect();
    client.write(`*2\r\n$5\r\nDEBUG\r\n$${name.length}\r\n${name}\r\n`);
    expect(await server.waitEnd()).toEqual({ code: null, signal });
    expect(server.logText).toContain(`DEBUG ${name}`);
  });

  it('RESTART and CRASH-AND-RECOVER are refused, and the log says why', async () => {
    const server = await start();
    const client = await server.connect();
    for (const name of ['RESTART', 'CRASH-AND-RECOVER']) {
      expect(await client.value('DEBUG', name)).toMatchObject({
        error: 'ERR failed to restart the server. Check server logs.',
      });
    }
    expect(server.logText).toContain('cannot restart itself');
    expect(await client.value('DEBUG', 'MALLCTL', 'epoch')).toBeInstanceOf(ReplyError);
    expect(await client.value('DEBUG', 'LOG', 'a line of text')).toBe('OK');
    expect(server.logText).toContain('DEBUG LOG: a line of text');
  });

  it('SLEEP stops everybody', async () => {
    const server = await start();
    const [one, two] = [await server.connect(), await server.connect()];
    const told = (value: unknown): number => {
      const [seconds = 0, micro = 0] = (value as string[]).map(Number);
      return seconds + micro / 1e6;
    };
    const sleeping = one.pipeline([['TIME'], ['DEBUG', 'SLEEP', '0.3'], ['TIME']]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const asked = told(await two.value('TIME'));
    const [from, , to] = (await sleeping).map(({ value }) => (value === 'OK' ? 0 : told(value)));
    expect(to).toBeGreaterThan(from! + 0.29);
    // Before it or after it, and nothing between.
    expect(asked <= from! || asked >= to!, `${asked}, ${from} to ${to}`).toBe(true);
  });

  it('CONFIG-REWRITE-FORCE-ALL writes every parameter', async () => {
    const server = await startCairnServer({ configText: 'enable-debug-command yes\n' });
    started.push(server);
    const client = await server.connect();
    expect(await client.value('DEBUG', 'CONFIG-REWRITE-FORCE-ALL')).toBe('OK');
  });
});
