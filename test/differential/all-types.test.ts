/**
 * Everything together: the commands of all types on the same few keys, which change their type,
 * expire, are renamed, moved, copied, dumped, restored, and saved and loaded with the rest of the
 * data. Limits are small, so that every encoding is met and left again.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { requireRedisServer } from '../support/real-server.ts';
import { bitmapFamily } from './families/bitmap.ts';
import { connectionFamily } from './families/connection.ts';
import { expireFamily } from './families/expire.ts';
import { genericFamily } from './families/generic.ts';
import { geoFamily } from './families/geo.ts';
import { hashFamily } from './families/hash.ts';
import { hyperloglogFamily } from './families/hyperloglog.ts';
import { lifecycleFamily, samples } from './families/lifecycle.ts';
import { listFamily } from './families/list.ts';
import { serverFamily } from './families/server.ts';
import { setFamily } from './families/set.ts';
import { sortFamily } from './families/sort.ts';
import { streamFamily } from './families/stream.ts';
import { stringFamily } from './families/string.ts';
import { transactionFamily } from './families/transaction.ts';
import { zsetFamily } from './families/zset.ts';
import { zsetCombineFamily } from './families/zset-combine.ts';
import { zsetPopFamily } from './families/zset-pop.ts';
import { zsetRangeFamily } from './families/zset-range.ts';
import { compareServers, ServerPair } from './harness.ts';

const types = [
  ...[stringFamily, bitmapFamily, hyperloglogFamily, listFamily, hashFamily, setFamily, geoFamily],
  ...[zsetFamily, zsetRangeFamily, zsetCombineFamily, zsetPopFamily, streamFamily],
];
const others = [
  ...[genericFamily, expireFamily, transactionFamily, connectionFamily, serverFamily],
];

const small = {
  'hash-max-listpack-entries': 6,
  'hash-max-listpack-value': 20,
  'set-max-intset-entries': 10,
  'zset-max-listpack-entries': 6,
  'zset-max-listpack-value': 20,
  'list-max-listpack-size': 4,
  'list-compress-depth': 1,
  'stream-node-max-entries': 3,
  'hll-sparse-max-bytes': 60,
};

const runs = [
  { name: 'with the usual limits', families: types, config: {} },
  { name: 'with small limits', families: types, config: small },
  {
    // The real server makes every zset large that it sorts: here all are so from the start.
    name: 'with SORT',
    families: [...types, sortFamily],
    config: { ...small, 'zset-max-listpack-entries': 0 },
  },
];

/** The samples' values as the real server dumps them. */
async function dumps(pair: ServerPair): Promise<string[]> {
  await pair.right.prepare(2, []);
  const { checker } = pair.right;
  const made: string[] = [];
  for (const sample of samples) {
    for (const args of [['DEL', 'k'], ...sample]) await checker.send(...args);
    made.push(String(await checker.value('DUMP', 'k')));
  }
  return made;
}

describe.skipIf(requireRedisServer() === null)('all types against the real server', () => {
  let pair: ServerPair | undefined;
  afterEach(async () => {
    await pair?.close();
    pair = undefined;
  });

  it.each(runs)(
    'answer alike: $name',
    async ({ families, config }) => {
      pair = await ServerPair.start(config);
      const lifecycle = lifecycleFamily(await dumps(pair));
      const commands = 3000;
      const all = [...families, ...others, lifecycle, lifecycle];
      const { executed } = await compareServers(pair, { families: all, commands });
      const least = Number(process.env.DIFF_COMMANDS ?? commands);
      expect(executed.resp2 + executed.resp3).toBeGreaterThanOrEqual(least);
    },
    240_000,
  );
});
