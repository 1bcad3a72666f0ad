/**
 * HyperLogLogs: Cairn must keep the bytes of the real server and give its estimates, with the usual
 * limit of the sparse form and with one that is soon passed.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { requireRedisServer } from '../support/real-server.ts';
import { hyperloglogFamily } from './families/hyperloglog.ts';
import { transactionFamily } from './families/transaction.ts';
import { compareServers, ServerPair } from './harness.ts';

const runs = [
  { name: 'alone', families: [hyperloglogFamily], config: {} },
  {
    name: 'with a small limit, in transactions',
    families: [hyperloglogFamily, transactionFamily],
    config: { 'hll-sparse-max-bytes': 60 },
  },
];

describe.skipIf(requireRedisServer() === null)('HyperLogLogs against the real server', () => {
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
