/**
 * `cairn backup` and `cairn restore` as tools: a running server, real or Cairn, is copied and comes
 * up again on what was restored, with an AOF and without; and a folder as of a moment.
 */
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realFileSystem } from '../../../src/persistence/file-system.ts';
import { checkRdbFile } from '../../../src/persistence/tools/check-rdb.ts';
import { loadLz4 } from '../../../src/persistence/tools/lz4-file.ts';
import { takeBackup } from '../../../src/replication/backup.ts';
import {
  type BackupRequest,
  backupTool,
  type RestoreRequest,
  restoreTool,
} from '../../../src/server/cli/backup-tools.ts';
import { startCairnServer } from '../../support/cairn-server.ts';
import { requireRedisServer, startRealServer } from '../../support/real-server.ts';
import { removeFolder } from '../../support/remove-folder.ts';
import type { ServerOptions, ServerProcess } from '../../support/server-process.ts';
import { type Outcome, outcomeOf } from './tool-outcome.ts';

const DEBUG = { 'enable-debug-command': 'yes' };
const root = mkdtempSync(join(tmpdir(), 'cairn-backup-'));
afterAll(() => removeFolder(root));

function backup(port: number, file: string, given: Partial<BackupRequest> = {}): Promise<Outcome> {
  const request = {
    file: join(root, file),
    host: '127.0.0.1',
    port,
    user: '',
    password: '',
    timeoutSeconds: 60,
    lz4: false,
    verbose: false,
    json: true,
    ...given,
  };
  return outcomeOf((io) => backupTool(request, io));
}

function restore(from: string, to: string, given: Partial<RestoreRequest> = {}): Promise<Outcome> {
  const request = {
    from,
    to: join(root, to),
    moment: undefined,
    as: 'both' as const,
    dbFilename: 'dump.rdb',
    appendDirName: 'appendonlydir',
    appendFilename: 'appendonly.aof',
    force: false,
    json: true,
    ...given,
  };
  return outcomeOf((io) => restoreTool(request, io));
}

/** The digest of what a server loads from a folder. */
async function digestOn(
  start: (options: ServerOptions) => Promise<ServerProcess>,
  folder: string,
  appendonly: string,
): Promise<unknown> {
  const server = await start({ dir: join(root, folder), config: { ...DEBUG, appendonly } });
  const client = await server.connect();
  const digest = await client.value('DEBUG', 'DIGEST');
  client.close();
  await server.close();
  return digest;
}

const hasLz4 = (() => {
  try {
    return loadLz4() !== undefined;
  } catch {
    return false;
  }
})();

const starts =
  requireRedisServer() === null ? [startCairnServer] : [startCairnServer, startRealServer];

const kinds = [
  ['a real server', startRealServer],
  ['Cairn', startCairnServer],
] as const;

for (const [name, start] of kinds) {
  describe.skipIf(requireRedisServer() === null)(`a backup of ${name}`, () => {
    let server: ServerProcess;
    let digest: unknown;

    beforeAll(async () => {
      server = await start({ config: { ...DEBUG, requirepass: 'secret' } });
      const client = await server.connect();
      await client.value('AUTH', 'secret');
      await client.value('ACL', 'SETUSER', 'copier', 'on', '>pw', '+psync', '+replconf', '+ping');
      for (let i = 0; i < 3000; i++) await client.value('SET', `key:${i}`, `value ${i} `.repeat(9));
      await client.value('RPUSH', 'list', ...Array.from({ length: 500 }, (_, i) => `${i}`));
      await client.value('XADD', 'stream', '1-1', 'a', 'b');
      digest = await client.value('DEBUG', 'DIGEST');
      client.close();
    });

    afterAll(() => server.close());

    it('is whole, sent from memory or from a file, and starts again in every form', async () => {
      const folder = `data of ${name}`;
      for (const diskless of ['yes', 'no']) {
        const client = await server.connect();
        await client.value('AUTH', 'secret');
        await client.value('CONFIG', 'SET', 'repl-diskless-sync', diskless);
        await client.value('CONFIG', 'SET', 'repl-diskless-sync-delay', 0);
        client.close();
        const { code, out, err } = await backup(server.port, 'a.rdb', {
          password: 'secret',
        });
        expect([code, err]).toEqual([0, '']);
        expect(JSON.parse(out)).toMatchObject({ ok: true, isChecked: true, isEmpty: false });
        if (name !== 'Cairn') {
          expect(JSON.parse(out)).toMatchObject({ wasStreamed: diskless === 'yes' });
        }
        const file = join(root, 'a.rdb');
        expect(checkRdbFile(realFileSystem, file, Date.now())).toMatchObject({
          ok: true,
          keys: 3002,
        });
      }
      expect(readdirSync(root).filter((file) => file.startsWith('temp-'))).toEqual([]);
      expect(await restore(join(root, 'a.rdb'), folder)).toMatchObject({ code: 0 });
      for (const appendonly of ['yes', 'no']) {
        expect(await digestOn(startRealServer, folder, appendonly)).toBe(digest);
        expect(await digestOn(startCairnServer, folder, appendonly)).toBe(digest);
      }
    });

    it('is made as a user who may do no more', async () => {
      const login = { user: 'copier', password: 'pw' };
      expect(await backup(server.port, 'b.rdb', login)).toMatchObject({ code: 0 });
      const { code, out } = await backup(server.port, 'c.rdb', { ...login, password: 'wrong' });
      expect(code).toBe(2);
      expect(JSON.parse(out).error).toMatch(/AUTH/);
      expect((await backup(server.port, 'c.rdb')).code).toBe(2);
      const nameless = await backup(server.port, 'c.rdb', { user: 'copier' });
      expect([nameless.code, nameless.err]).toEqual([2, expect.stringMatching(/password/)]);
      expect(readdirSync(root).filter((file) => file.includes('c.rdb'))).toEqual([]);
    });

    it('may go to a file to which another one goes as well', async () => {
      const path = join(root, 'both.rdb');
      const taken = [1, 2].map((pid) =>
        takeBackup({
          ...{ fs: realFileSystem, path, pid, host: '127.0.0.1', port: server.port },
          ...{ user: 'copier', password: 'pw', timeoutMs: 60_000 },
          ...{ onProgress: () => undefined, log: () => undefined },
        }),
      );
      for (const { isEmpty } of await Promise.all(taken)) expect(isEmpty).toBe(false);
      expect(checkRdbFile(realFileSystem, path, Date.now())).toMatchObject({
        ok: true,
        keys: 3002,
      });
    });

    it.skipIf(!hasLz4)('is smaller as LZ4, and restored from that', async () => {
      const { code, out } = await backup(server.port, 'd.lz4', {
        password: 'secret',
        lz4: true,
      });
      expect(code).toBe(0);
      const told = JSON.parse(out);
      expect(told.fileBytes).toBe(statSync(join(root, 'd.lz4')).size);
      expect(told.fileBytes).toBeLessThan(told.rdbBytes);
      const result = await restore(join(root, 'd.lz4'), `lz4 of ${name}`, { as: 'rdb' });
      expect(JSON.parse(result.out)).toMatchObject({ isLz4: true, keys: 3002 });
      expect(readdirSync(join(root, `lz4 of ${name}`))).toEqual(['dump.rdb']);
      expect(statSync(join(root, `lz4 of ${name}`, 'dump.rdb')).size).toBe(told.rdbBytes);
    });
  });
}

describe('a backup', () => {
  it('of a server that is not there says so', async () => {
    // The near end of a connection is a port that nobody else gets, and nobody listens at.
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const socket = connect((listener.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    const { code, err } = await backup(socket.localPort ?? 0, 'none.rdb');
    const place = `127.0.0.1:${socket.localPort}`;
    socket.destroy();
    listener.close();
    expect(err).toBe(`cairn: no server listens at ${place}: --host and --port say where it is\n`);
    expect(code).toBe(2);
  });
});

describe('a restore', () => {
  it('replaces a folder only when told, and nothing by what is damaged', async () => {
    const good = join(root, 'good.rdb');
    const bad = join(root, 'bad.rdb');
    const bytes = Buffer.concat([
      Buffer.from('REDIS0010\0\x01k\x01v\xff', 'latin1'),
      Buffer.alloc(8),
    ]);
    writeFileSync(good, bytes);
    writeFileSync(bad, bytes.subarray(0, 12));
    expect((await restore(bad, 'twice')).err).toMatch(/bad.rdb is not sound/);
    expect(existsSync(join(root, 'twice'))).toBe(false);
    expect((await restore(good, 'twice')).code).toBe(0);
    expect((await restore(good, 'twice')).err).toMatch(/not empty/);
    expect((await restore(bad, 'twice', { force: true })).code).toBe(2);
    expect(readFileSync(join(root, 'twice', 'dump.rdb')).equals(bytes)).toBe(true);
    const again = JSON.parse((await restore(good, 'twice', { force: true })).out);
    expect(again.files.map((path: string) => path.replace(/^.*\//, ''))).toEqual([
      'dump.rdb',
      'appendonly.aof.manifest',
      'appendonly.aof.2.base.rdb',
      'appendonly.aof.2.incr.aof',
    ]);
    expect(readdirSync(join(root, 'twice', 'appendonlydir')).length).toBe(3);
    expect((await restore(join(root, 'none'), 'third')).err).toMatch(
      /none: No such file or directory/,
    );
  });

  it('of a moment starts with what was there then, in Cairn and elsewhere', async () => {
    const server = await startCairnServer({
      config: { appendonly: 'yes', 'aof-timestamp-enabled': 'yes' },
    });
    const client = await server.connect();
    await client.value('SET', 'early', '1');
    const second = await secondOver(client);
    await client.value('SET', 'late', '1');
    await client.value('DEL', 'early');
    client.close();
    await server.stop();
    const moment = { timestamp: second };
    const found = JSON.parse((await restore(server.dir, 'then', { moment })).out);
    // The first of them is SELECT.
    expect(found).toMatchObject({ ok: true, keptCommands: 2, leftOutCommands: 2 });
    await server.close();
    for (const start of starts) expect(await keysOn(start, 'then')).toEqual(['early']);
  });

  it('of the offset that a backup told holds what the backup holds', async () => {
    const server = await startCairnServer({
      config: { appendonly: 'yes', 'repl-diskless-sync-delay': 0 },
    });
    const client = await server.connect();
    await client.value('SET', 'a', '1');
    // The stream begins when somebody first asks for it.
    expect(await backup(server.port, 'first.rdb')).toMatchObject({ code: 0, err: '' });
    await client.value('SET', 'b', '1');
    await client.value('RPUSH', 'list', 'x', 'y');
    const told = JSON.parse((await backup(server.port, 'second.rdb')).out);
    await client.value('DEL', 'a');
    await client.value('SET', 'c', '1');
    client.close();
    await server.stop();
    const moment = { offset: told.position.offset };
    const found = JSON.parse((await restore(server.dir, 'offset', { moment })).out);
    // The first of them is SELECT, which a full sync makes due.
    expect(found).toMatchObject({ ok: true, leftOutCommands: 3, position: told.position });
    await server.close();
    for (const start of starts) {
      expect(await keysOn(start, 'offset')).toEqual(['a', 'b', 'list']);
    }
  });
});

/** The keys of a server on a folder with an AOF. */
async function keysOn(start: typeof startCairnServer, folder: string): Promise<unknown> {
  const server = await start({ dir: join(root, folder), config: { appendonly: 'yes' } });
  const client = await server.connect();
  const keys = (await client.value('KEYS', '*')) as string[];
  client.close();
  await server.close();
  return keys.sort();
}

/** Waits until the server's second is over, and gives that second. */
async function secondOver(client: {
  value(...words: string[]): Promise<unknown>;
}): Promise<number> {
  const now = async (): Promise<number> => Number(((await client.value('TIME')) as string[])[0]);
  const second = await now();
  while ((await now()) <= second) await new Promise((resolve) => setTimeout(resolve, 50));
  return second;
}
