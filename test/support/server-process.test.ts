/** The process helper and the raw client, tried on the real server. */
import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { requireRedisServer, startRealServer } from './real-server.ts';
import { ReplyError } from './resp-reader.ts';
import type { ServerOptions, ServerProcess } from './server-process.ts';

describe.skipIf(requireRedisServer() === null)('a server process', () => {
  const started: ServerProcess[] = [];
  const start = async (options: ServerOptions = {}): Promise<ServerProcess> => {
    const server = await startRealServer(options);
    started.push(server);
    return server;
  };
  afterEach(async () => {
    for (const server of started.splice(0)) await server.close();
  });

  it('starts, answers, stops, and removes its folder', async () => {
    const server = await start();
    const client = await server.connect();
    expect(await client.value('PING')).toBe('PONG');
    expect(server.logText).toContain('Ready to accept connections');
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    await client.waitClosed();
    await server.close();
    expect(existsSync(server.dir)).toBe(false);
  });

  it('survives kill -9 with the same files and port', async () => {
    const server = await start({ config: { appendonly: 'yes', appendfsync: 'always' } });
    const client = await server.connect();
    await client.send('SET', 'k', 'v');
    const before = server.pid;
    expect(await server.kill()).toEqual({ code: null, signal: 'SIGKILL' });
    await server.startAgain();
    expect(server.pid).not.toBe(before);
    const again = await server.connect();
    expect(await again.value('GET', 'k')).toBe('v');
    again.close();
  });

  it('takes a configuration file and directives with several values', async () => {
    const configText = 'maxmemory 100mb\nsave 900 7\n';
    const limit = ['pubsub', '1mb', '1mb', '9'];
    const server = await start({ configText, config: { 'client-output-buffer-limit': limit } });
    const client = await server.connect();
    expect(await client.value('CONFIG', 'GET', 'maxmemory')).toEqual(['maxmemory', '104857600']);
    expect(await client.value('CONFIG', 'GET', 'save')).toEqual(['save', '900 7']);
    const buffers = await client.value('CONFIG', 'GET', 'client-output-buffer-limit');
    expect(String(buffers)).toContain('pubsub 1048576 1048576 9');
    client.close();
  });

  it('shows the log of a server that does not start', async () => {
    await expect(start({ config: { 'no-such-directive': 'x' } })).rejects.toThrow(/ended.*FATAL/s);
  });

  it('reads pipelines, errors and pushes apart, with the raw bytes', async () => {
    const server = await start();
    const client = await server.connect();
    await client.send('HELLO', '3');
    const replies = await client.pipeline([['SET', 'k', 1], ['INCR', 'k'], ['FOO'], ['GET', 'no']]);
    expect(replies.map(({ raw }) => raw.toString().slice(0, 8))).toEqual([
      '+OK\r\n',
      ':2\r\n',
      '-ERR unk',
      '_\r\n',
    ]);
    expect(replies[2]?.value).toBeInstanceOf(ReplyError);
    await client.send('CLIENT', 'TRACKING', 'ON');
    await client.send('GET', 'k');
    const other = await server.connect();
    await other.send('SET', 'k', 5);
    expect((await client.readPush()).value).toEqual(['invalidate', ['k']]);
    expect(client.unread.replies).toEqual([]);
    client.close();
    other.close();
  });

  it('never waits for ever: a read ends by time or by the end of the connection', async () => {
    const server = await start();
    const client = await server.connect();
    await expect(client.read(30)).rejects.toThrow(/within 30 ms/);
    await expect(client.readPush(30)).rejects.toThrow(/push/);
    const waiting = expect(client.read()).rejects.toThrow(/closed|ECONNRESET/);
    await server.kill();
    await waiting;
    await expect(client.send('PING')).rejects.toThrow();
    expect(client.isClosed).toBe(true);
  });
});
