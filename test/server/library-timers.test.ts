/** The library in a test that has fake timers: the test stands still, its server does not. */
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { CairnServer, createServer, Settings } from '../../src/server/index.ts';
import { removeFolder } from '../support/remove-folder.ts';

const BUILT = fileURLToPath(new URL('../../dist/run/index.js', import.meta.url));
const library: { createServer: typeof createServer } = await import(BUILT);

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cairn-timers-'));
});

afterEach(() => {
  vi.useRealTimers();
  removeFolder(folder);
});

function made(settings: Settings = {}): CairnServer {
  return library.createServer({
    settings: { port: 0, bind: '127.0.0.1', dir: folder, save: '', ...settings },
  });
}

async function connected(server: CairnServer): Promise<Socket> {
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

async function ask(socket: Socket, command: string): Promise<string> {
  socket.write(`${command}\r\n`);
  const [answer] = await once(socket, 'data');
  return `${answer}`;
}

it('answers, waits and ends while the timers of the test are fake', async () => {
  vi.useFakeTimers();
  const server = made({ appendonly: true });
  await server.listen();
  const client = await connected(server);
  expect(await ask(client, 'RPUSH list a')).toBe(':1\r\n');
  expect(await ask(client, 'BLPOP other 0.01')).toBe('*-1\r\n');
  client.destroy();
  await server.close();
});

it('lets keys go by the date that a test sets', async () => {
  const server = made();
  await server.listen();
  const client = await connected(server);
  expect(await ask(client, 'SET session 1 EX 3600')).toBe('+OK\r\n');
  vi.useFakeTimers();
  expect(await ask(client, 'GET session')).toBe('$1\r\n1\r\n');
  vi.advanceTimersByTime(3_600_000);
  expect(await ask(client, 'GET session')).toBe('$-1\r\n');
  client.destroy();
  await server.close();
});
