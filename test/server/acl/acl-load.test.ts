/**
 * ACL LOAD and the clients that are connected, compared with the real server.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCairnServer } from '../../support/cairn-server.ts';
import { requireRedisServer, startRealServer } from '../../support/real-server.ts';
import type { ServerProcess } from '../../support/server-process.ts';

const DEFAULT = 'user default on nopass ~* &* +@all\n';
const USER = 'user a on nopass ~* &* +@all\n';

describe.skipIf(requireRedisServer() === null)('ACL LOAD', () => {
  const folders = [0, 1].map(() => mkdtempSync(join(tmpdir(), 'cairn-acl-')));
  const [ours = '', theirs = ''] = folders;
  let servers: ServerProcess[] = [];
  beforeAll(async () => {
    for (const dir of folders) writeFileSync(join(dir, 'users.acl'), DEFAULT + USER);
    const config = { aclfile: 'users.acl' };
    servers = [
      await startCairnServer({ config, dir: ours }),
      await startRealServer({ config, dir: theirs }),
    ];
  });
  afterAll(async () => {
    for (const server of servers) await server.close();
    for (const dir of folders) rmSync(dir, { recursive: true, force: true });
  });

  const write = (text: string): void => {
    for (const dir of folders) writeFileSync(join(dir, 'users.acl'), text);
  };

  it.each([
    ['is gone', ''],
    ['has other rules', 'user a on nopass ~x* &* +@all\n'],
    ['has another password', 'user a on >other ~* &* +@all\n'],
    ['is switched off', 'user a off nopass ~* &* +@all\n'],
    ['is as before', USER],
  ])('answers who asks, and ends the connections of a user that %s', async (_, after) => {
    for (const server of servers) {
      write(DEFAULT + USER);
      const boss = await server.connect();
      expect(await boss.value('ACL', 'LOAD')).toBe('OK');
      const [asking, idle] = [await server.connect(), await server.connect()];
      for (const one of [asking, idle]) expect(await one.value('AUTH', 'a', 'x')).toBe('OK');
      write(DEFAULT + after);
      expect(await asking.value('ACL', 'LOAD')).toBe('OK');
      await Promise.all([asking.waitClosed(), idle.waitClosed()]);
      expect(await boss.value('ACL', 'WHOAMI')).toBe('default');
      boss.close();
    }
  });

  it('leaves clients of the default user, whatever it may do now', async () => {
    for (const server of servers) {
      write(DEFAULT);
      const [boss, subscriber] = [await server.connect(), await server.connect()];
      await subscriber.send('SUBSCRIBE', 'news');
      write('user default on >other ~* resetchannels +@all\n');
      expect(await boss.value('ACL', 'LOAD')).toBe('OK');
      write(DEFAULT + USER);
      expect(await boss.value('ACL', 'LOAD')).toBe('OK');
      expect(await boss.value('PUBLISH', 'news', 'text')).toBe(1);
      expect((await subscriber.read()).value).toEqual(['message', 'news', 'text']);
      for (const one of [boss, subscriber]) one.close();
    }
  });
});
