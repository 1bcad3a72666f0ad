/**
 * The geo commands: Cairn must answer as the real server does, to the last digit and in the same
 * order, with small zsets and large ones, and leave the same data behind.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { requireRedisServer } from '../support/real-server.ts';
import { geoFamily } from './families/geo.ts';
import { compareServers, ServerPair } from './harness.ts';

const runs = [
  { name: 'with the usual limits', config: {} },
  { name: 'with small zsets of up to 1,000 points', config: { 'zset-max-listpack-entries': 1000 } },
  { name: 'with large zsets alone', config: { 'zset-max-listpack-entries': 0 } },
];

describe.skipIf(requireRedisServer() === null)('the geo commands against the real server', () => {
  let pair: ServerPair | undefined;
  afterEach(async () => {
    await pair?.close();
    pair = undefined;
  });

  it.each(runs)(
    'answer alike $name',
    async ({ config }) => {
      pair = await ServerPair.start(config);
      const commands = 2500;
      const { executed } = await compareServers(pair, { families: [geoFamily], commands });
      const least = Number(process.env.DIFF_COMMANDS ?? commands);
      expect(executed.resp2 + executed.resp3).toBeGreaterThanOrEqual(least);
    },
    240_000,
  );
});
