/** Cairn as a library: what its users are told when something is wrong. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type CairnServer, createServer } from '../../src/server/index.ts';

let folder: string;
let servers: CairnServer[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cairn-library-'));
  servers = [];
});

afterEach(async () => {
  for (const server of servers) await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function made(port = 0): CairnServer {
  const server = createServer({ settings: { port, bind: '127.0.0.1', dir: folder, save: '' } });
  servers.push(server);
  return server;
}

it('listens once', async () => {
  const server = made();
  await server.listen();
  await expect(server.listen()).rejects.toThrow('a server listens once: create another one');
});

it('says why it cannot listen', async () => {
  const server = made();
  await server.listen();
  await expect(made(server.port).listen()).rejects.toMatchObject({
    message: `Failed listening on port ${server.port} (TCP), aborting.`,
    cause: { code: 'EADDRINUSE' },
  });
});

it('says what to do about a snapshot that is not sound', async () => {
  writeFileSync(join(folder, 'dump.rdb'), 'REDIS0011\xfa', 'latin1');
  await expect(made().listen()).rejects.toThrow(
    `${folder}/dump.rdb: the RDB ends too early, at byte 10. Nothing was changed. "cairn check-rdb`,
  );
});
