/** Function libraries in a dump, which no engine runs: kept through saves and restarts. */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { emptyDisk, InProcessServer } from '../../support/in-process-server.ts';
import { fileReader, fixture, loaded } from './rdb-support.ts';

const DUMP = `${tmpdir()}/dump.rdb`;

describe('function libraries', () => {
  const servers: InProcessServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.abandon();
  });

  it('of a dump are in every dump after it, also by way of an AOF', async () => {
    const fs = emptyDisk();
    fs.put(DUMP, readFileSync(fixture('strings-7.0.15.rdb')));
    for (const appendonly of [false, true, true]) {
      const server = await InProcessServer.start(fs, { appendonly });
      servers.push(server);
      const client = await server.connect({ timeoutMs: 20_000 });
      expect(await client.value('SAVE')).toBe('OK');
      client.close();
      const { load } = loaded(fileReader(fs.content(DUMP)!), { expired: 'keep' });
      expect(load.functions.map((one) => Buffer.from(one).toString('latin1'))).toEqual([
        expect.stringMatching(/^#!lua name=fixture\n/),
      ]);
      await server.abandon();
      servers.pop();
    }
  });
});
