/** Function libraries in a dump, which no engine runs: kept through saves and restarts. */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { emptyDisk, InProcessServer } from '../../support/in-process-server.ts';
import { fileReader, fixture, loaded } from './rdb-support.ts';

const DUMP = `${tmpdir()}/dump.rdb`;

const FIXTURE = expect.stringMatching(/^#!lua name=fixture\n/);

function librariesIn(dump: Uint8Array): string[] {
  const { load } = loaded(fileReader(dump), { expired: 'keep' });
  return load.functions.map((one) => Buffer.from(one).toString('latin1'));
}

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
      const client = await server.connect();
      expect(await client.value('SAVE')).toBe('OK');
      client.close();
      expect(librariesIn(fs.content(DUMP)!)).toEqual([FIXTURE]);
      await server.abandon();
      servers.pop();
    }
  });

  it('of a dataset that came from a socket are in the dumps after it', async () => {
    const fs = emptyDisk();
    const server = await InProcessServer.start(fs, { appendonly: false });
    servers.push(server);
    const { changes } = server.server.persistence;
    const bytes = readFileSync(fixture('strings-7.0.15.rdb'));
    const aside = changes.loadAside(bytes.length, 'hidden');
    await aside.writeAll(bytes, 0, bytes.length);
    await aside.end();
    await changes.replaceByAside(aside);
    const client = await server.connect();
    expect(await client.value('SAVE')).toBe('OK');
    client.close();
    expect(librariesIn(fs.content(DUMP)!)).toEqual([FIXTURE]);
  });
});
