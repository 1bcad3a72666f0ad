/**
 * ACL LOAD and the clients that are connected, and ACL SAVE by several at once, compared with the
 * real server.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCairnServer } from '../../support/cairn-server.ts';
import { requireRedisServer, startRealServer } from '../../support/real-server.ts';
import type { ServerProcess } from '../../support/server-process.ts';

const DEFAULT = 'user default on nopass ~* &* +@all\n';
const USER = 'user a on nopass ~* &* +@all\n';

describe.skipIf(requireRedisServer() === null)('the ACL file', () => {
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

  it('is loaded for who asks, and the connections of a user that is gone are ended', async () => {
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

  it('is saved for all who ask at once, and holds what was saved last', async () => {
    for (const [i, server] of servers.entries()) {
      const clients = await Promise.all(Array.from({ length: 8 }, () => server.connect()));
      const asked = clients.map((client, number) =>
        client.pipeline([
          ['ACL', 'SETUSER', `user-${number}`],
          ['ACL', 'SAVE'],
        ]),
      );
      for (const replies of await Promise.all(asked)) {
        expect(replies.map(({ value }) => value)).toEqual(['OK', 'OK']);
      }
      const saved = readFileSync(join(folders[i]!, 'users.acl'), 'latin1');
      expect(saved.match(/^user user-\d /gm)).toHaveLength(clients.length);
      for (const client of clients) client.close();
    }
  });
});
