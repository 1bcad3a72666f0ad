/**
 * WATCH: what a change costs does not depend on how many keys a client watches; and what it means
 * that a key gives way to one that has expired.
 */
import { afterEach, expect, it } from 'vitest';
import { Keyspace } from '../../../src/core/keyspace.ts';
import { latin1Bytes } from '../../../src/core/text/latin1.ts';
import { type Watcher, WatchTable } from '../../../src/server/clients/watch-table.ts';
import { ask, InProcessScene, until } from '../../support/in-process-scene.ts';
import { emptyDisk } from '../../support/in-process-server.ts';

const KEYS = 100;

const scene = new InProcessScene({ appendonly: false });

afterEach(() => scene.end());

it('a watched key that expires is found among many without a look at the others', () => {
  const keyspace = new Keyspace({
    databases: 1,
    seed: { seed0: 1, seed1: 2 },
    random: () => 0,
    events: { expired: () => {} },
  });
  const watches = new WatchTable();
  const client: Watcher = { watched: [], watchedBytes: 0, watchedChanged: false };
  const keys = Array.from({ length: KEYS }, (_, i) => latin1Bytes(`key:${i}`));
  for (const key of keys) watches.add(client, keyspace, 0, key);
  let looks = 0;
  client.watched = client.watched.map((one) => ({
    ...one,
    get id() {
      looks++;
      return one.id;
    },
  }));

  watches.expiring = true;
  for (const key of keys) watches.touch(0, key, 0, key.length);

  expect(client.watchedChanged).toBe(true);
  expect(looks).toBeLessThanOrEqual(KEYS);
});

it.each([
  [['SET', 'key', 'value'], null],
  [['DEL', 'key'], ['PONG']],
])('after %j it is %j that an expired key of another database brings', async (before, answer) => {
  const server = await scene.start(emptyDisk());
  server.server.activeExpiry.enabled = false;
  const [client, other] = [await scene.connect(server), await scene.connect(server)];
  await ask(client, ...before);
  await ask(other, 'SELECT', 1);
  await ask(other, 'SET', 'key', 'value', 'PX', 1);
  await until('it has expired', () => Date.now() > server.server.keyspace.soonestExpiryMs + 1);
  await ask(client, 'WATCH', 'key');
  await ask(other, 'SWAPDB', 0, 1);
  await ask(client, 'MULTI');
  await ask(client, 'PING');
  expect(await ask(client, 'EXEC')).toEqual(answer);
});
