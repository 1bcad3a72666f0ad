/**
 * Streams: Cairn must answer as the real server does, byte for byte, in RESP2 and RESP3, with nodes
 * as they are and with nodes that are soon full.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { requireRedisServer } from '../support/real-server.ts';
import { expireFamily } from './families/expire.ts';
import { genericFamily } from './families/generic.ts';
import { streamFamily } from './families/stream.ts';
import { transactionFamily } from './families/transaction.ts';
import { compareServers, ServerPair } from './harness.ts';

const small = { 'stream-node-max-entries': 3 };
const others = [genericFamily, expireFamily, transactionFamily];

const runs = [
  { name: 'a stream', families: [streamFamily], config: {} },
  { name: 'a stream of small nodes', families: [streamFamily], config: small },
  { name: 'streams among other commands', families: [streamFamily, ...others], config: small },
];

describe.skipIf(requireRedisServer() === null)('streams against the real server', () => {
  let pair: ServerPair | undefined;
  afterEach(async () => {
    await pair?.close();
    pair = undefined;
  });

  it.each(runs)(
    'answers alike: $name',
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
