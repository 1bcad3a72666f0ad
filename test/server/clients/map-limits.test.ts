/**
 * What clients fill with names of their own (subscriptions, watched keys, keys that are waited for)
 * is refused before a Map has no room for it, which would end the server.
 */
import { afterEach, expect, it } from 'vitest';
import { entriesLimit } from '../../../src/core/entries-limit.ts';
import { ask, InProcessScene, until } from '../../support/in-process-scene.ts';
import { emptyDisk } from '../../support/in-process-server.ts';
import { encodeCommand } from '../../support/raw-client.ts';

const { max } = entriesLimit;
const scene = new InProcessScene({ appendonly: false });

afterEach(async () => {
  entriesLimit.max = max;
  await scene.end();
});

it.each([
  ['subscriptions', (...names: string[]) => ['SUBSCRIBE', ...names]],
  ['subscriptions', (...names: string[]) => ['PSUBSCRIBE', ...names]],
  ['subscriptions', (...names: string[]) => ['SSUBSCRIBE', ...names]],
  ['watched keys', (...names: string[]) => ['WATCH', ...names]],
  ['keys that clients wait for', (...names: string[]) => ['BLPOP', ...names, '0']],
])('%s: one more than there may be is refused', async (what, commandOf) => {
  const started = await scene.start(emptyDisk());
  const { blocking, desk, watches } = started.server;
  const [first, second] = [await scene.connect(started), await scene.connect(started)];
  const count = (): number => {
    const { pubsub } = desk;
    const names = (['channels', 'patterns', 'shardChannels'] as const).map((kind) =>
      pubsub.size(kind),
    );
    return names.reduce((sum, size) => sum + size, blocking.keyCount + watches.size);
  };
  entriesLimit.max = 2;
  const refusal = `ERR there may be no more than 2 ${what}`;
  expect([await ask(first, ...commandOf('a', 'b', 'c')), count()]).toEqual([refusal, 0]);
  first.write(encodeCommand(commandOf('a', 'b')));
  await until('there are two', () => count() === 2);
  expect([await ask(second, ...commandOf('c')), count()]).toEqual([refusal, 2]);
  first.close();
  await until('they are gone', () => count() === 0);
  second.write(encodeCommand(commandOf('c')));
  await until('there is one', () => count() === 1);
});
