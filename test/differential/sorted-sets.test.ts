/**
 * Sorted sets: Cairn must answer as the real server does, byte for byte but for the digits of
 * doubles, in RESP2 and RESP3, with the limits as they are and with limits that are soon passed, so
 * that small zsets become large ones.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { requireRedisServer } from '../support/real-server.ts';
import { expireFamily } from './families/expire.ts';
import { genericFamily } from './families/generic.ts';
import { otherTypesFamily } from './families/other-types.ts';
import { transactionFamily } from './families/transaction.ts';
import { zsetFamily } from './families/zset.ts';
import { zsetCombineFamily } from './families/zset-combine.ts';
import { zsetPopFamily } from './families/zset-pop.ts';
import { zsetRangeFamily } from './families/zset-range.ts';
import { compareServers, ServerPair } from './harness.ts';

const small = { 'zset-max-listpack-entries': 6, 'zset-max-listpack-value': 20 };
const zsets = [zsetFamily, zsetRangeFamily, zsetCombineFamily, zsetPopFamily];

const runs = [
  { name: 'members', families: [zsetFamily], config: {} },
  { name: 'members with small limits', families: [zsetFamily], config: small },
  { name: 'ranges', families: [zsetRangeFamily], config: {} },
  { name: 'ranges with small limits', families: [zsetRangeFamily], config: small },
  { name: 'combinations', families: [zsetCombineFamily], config: {} },
  { name: 'combinations with small limits', families: [zsetCombineFamily], config: small },
  { name: 'pops', families: [zsetPopFamily], config: {} },
  { name: 'pops with small limits', families: [zsetPopFamily], config: small },
  {
    name: 'all among other commands',
    families: [...zsets, genericFamily, expireFamily, transactionFamily, otherTypesFamily],
    config: small,
  },
];

describe.skipIf(requireRedisServer() === null)('sorted sets against the real server', () => {
  let pair: ServerPair | undefined;
  afterEach(async () => {
    await pair?.close();
    pair = undefined;
  });

  it.each(runs)(
    'answer alike: $name',
    async ({ families, config }) => {
      pair = await ServerPair.start(config);
      const commands = 6000;
      const { executed } = await compareServers(pair, { families, commands });
      const least = Number(process.env.DIFF_COMMANDS ?? commands);
      expect(executed.resp2 + executed.resp3).toBeGreaterThanOrEqual(least);
    },
    240_000,
  );
});
