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

  it('answers who asks, and ends the connections of a user that is gone', async () => {
    for (const server of servers) {
      write(DEFAULT + USER);
      const boss = await server.connect();
      expect(await boss.value('ACL', 'LOAD')).toBe('OK');
      const [asking, idle] = [await server.connect(), await server.connect()];
      for (const one of [asking, idle]) expect(await one.value('AUTH', 'a', 'x')).toBe('OK');
      write(DEFAULT);
      expect(await asking.value('ACL', 'LOAD')).toBe('OK');
      await Promise.all([asking.waitClosed(), idle.waitClosed()]);
      expect(await boss.value('ACL', 'WHOAMI')).toBe('default');
      boss.close();
    }
  });
});
