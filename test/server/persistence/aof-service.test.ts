/** The AOF in the server: what is written while a rewrite begins is kept once; a new policy. */
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { ask, InProcessScene } from '../../support/in-process-scene.ts';
import { emptyDisk } from '../../support/in-process-server.ts';

const scene = new InProcessScene();

afterEach(() => scene.end());

it('gives each write to the old files and the base, or to the new file', async () => {
  const fs = emptyDisk();
  const server = await scene.start(fs, { appendfsync: 'no' });
  const client = await scene.connect(server);
  const { aof } = server.server.persistence;
  await ask(client, 'SELECT', '3');
  let count = 0;
  for (let rewrites = 0; rewrites < 3; rewrites++) {
    expect(await ask(client, 'BGREWRITEAOF')).toMatch(/started/);
    const first = count;
    while (aof.rewrites === rewrites || aof.isRewriting) {
      client.write('INCR n\r\n');
      count++;
      await turn();
    }
    for (let i = first; i < count; i++) await client.read();
  }
  const again = await scene.connect(await scene.start(fs.kill()));
  await ask(again, 'SELECT', '3');
  expect(await ask(again, 'GET', 'n')).toBe(String(count));
});

it('answers under a new policy as that policy promises', async () => {
  const fs = emptyDisk();
  const client = await scene.connect(await scene.start(fs, { appendfsync: 'no' }));
  expect(await ask(client, 'SET', 'a', '1')).toBe('OK');
  expect(await ask(client, 'CONFIG', 'SET', 'appendfsync', 'always')).toBe('OK');
  expect(await ask(client, 'SET', 'b', '1')).toBe('OK');
  for (let seed = 0; seed < 4; seed++) {
    const again = await scene.connect(await scene.start(fs.cutPower(seed, 'all')));
    expect(await ask(again, 'MGET', 'a', 'b')).toEqual(['1', '1']);
  }
});
