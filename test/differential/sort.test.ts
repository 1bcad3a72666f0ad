/**
 * SORT: Cairn must answer as the real server does, down to the order in which a partial sort leaves
 * elements of equal weight.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { requireRedisServer } from '../support/real-server.ts';
import { sortFamily } from './families/sort.ts';
import { transactionFamily } from './families/transaction.ts';
import { compareServers, ServerPair } from './harness.ts';

const runs = [
  { name: 'alone', families: [sortFamily] },
  { name: 'in transactions', families: [sortFamily, transactionFamily] },
];

describe.skipIf(requireRedisServer() === null)('SORT against the real server', () => {
  let pair: ServerPair | undefined;
  afterEach(async () => {
    await pair?.close();
    pair = undefined;
  });

  it.each(runs)(
    'answers alike: $name',
    async ({ families }) => {
      // The real server makes every zset large that it sorts: here all are so from the start.
      pair = await ServerPair.start({ 'zset-max-listpack-entries': 0 });
      const commands = 6000;
      const { executed } = await compareServers(pair, { families, commands });
      const least = Number(process.env.DIFF_COMMANDS ?? commands);
      expect(executed.resp2 + executed.resp3).toBeGreaterThanOrEqual(least);
    },
    240_000,
  );
});
