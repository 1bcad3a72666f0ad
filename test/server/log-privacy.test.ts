/** What of the users' own words the log shows, and that it does not where they are to be hidden. */
import { afterEach, describe, expect, it } from 'vitest';
import { rdbOf, text } from '../persistence/rdb/rdb-support.ts';
import { InProcessScene, until } from '../support/in-process-scene.ts';
import { DATA_FOLDER, emptyDisk, type InProcessServer } from '../support/in-process-server.ts';

const scene = new InProcessScene({ appendonly: false, 'enable-debug-command': 'yes' });
afterEach(() => scene.end());

/** The line that has `part` in it, once it is written. */
async function lineWith({ log }: InProcessServer, part: string): Promise<string> {
  const find = (): string | undefined => log.find((line) => line.includes(part));
  await until(part, () => find() !== undefined);
  return find()!;
}

describe.each([
  { hides: false, key: 'a-key', client: 'name=a-name', user: 'user=default' },
  { hides: true, key: '*redacted*', client: 'name=*redacted*', user: 'user=*redacted*' },
])('with hide-user-data-from-log $hides the log', ({ hides, key, client, user }) => {
  const settings = { 'hide-user-data-from-log': hides };

  it('names a key whose payload is refused', async () => {
    const server = await scene.start(emptyDisk(), settings);
    const asking = await scene.connect(server);
    await asking.send('DEBUG', 'SET-SKIP-CHECKSUM-VALIDATION', 1);
    const cutOff = Buffer.from([1, 5, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect((await asking.send('RESTORE', 'a-key', 0, cutOff)).raw.toString()).toContain('Bad data');
    expect(await lineWith(server, 'RESTORE of ')).toContain(`RESTORE of '${key}' is refused`);
  });

  it('names an empty key of a dump', async () => {
    const disk = emptyDisk();
    const hash = 4;
    disk.put(`${DATA_FOLDER}/dump.rdb`, rdbOf('REDIS0010', hash, text('a-key'), 0, 0xff));
    const server = await scene.start(disk, settings);
    expect(await lineWith(server, 'skipping empty key')).toContain(`empty key: ${key}`);
  });

  it.each([
    {
      why: 'sends too much',
      part: 'max query buffer length',
      limit: ['client-query-buffer-limit', '1mb'],
    },
    { why: 'is evicted', part: 'Evicting client', limit: ['maxmemory-clients', '1mb'] },
    {
      why: 'takes too much',
      part: 'output buffer limits',
      limit: ['client-output-buffer-limit', 'normal 1mb 0 0'],
    },
  ])('names a client that $why', async ({ part, limit }) => {
    const server = await scene.start(emptyDisk(), settings);
    const [asking, leaving] = [await scene.connect(server), await scene.connect(server)];
    await leaving.send('CLIENT', 'SETNAME', 'a-name');
    await leaving.send('SET', 'big', Buffer.alloc(2 << 20));
    await asking.send('CONFIG', 'SET', ...limit);
    leaving.pause();
    if (limit[0]!.includes('output')) leaving.write('GET big\r\n'.repeat(20));
    else leaving.write(`*2\r\n$3\r\nGET\r\n$${8 << 20}\r\n${'x'.repeat(4 << 20)}`);
    const line = await lineWith(server, part);
    expect(line).toContain(` ${client} `);
    expect(line).toContain(` ${user} `);
    // Who asks for it is told all the same.
    expect((await asking.send('CLIENT', 'INFO')).raw.toString()).toContain('user=default');
  });
});
