/**
 * WATCH: what a change costs does not depend on how many keys a client watches.
 */
import { expect, it } from 'vitest';
import { Keyspace } from '../../../src/core/keyspace.ts';
import { latin1Bytes } from '../../../src/core/text/latin1.ts';
import { type Watcher, WatchTable } from '../../../src/server/clients/watch-table.ts';

const KEYS = 100;

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
