/**
 * Hashes and sets: Cairn must answer as the real server does, byte for byte but for the order of
 * tables, in RESP2 and RESP3, with the limits as they are and with limits that are soon passed.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { requireRedisServer } from '../support/real-server.ts';
import { expireFamily } from './families/expire.ts';
import { genericFamily } from './families/generic.ts';
import { hashFamily } from './families/hash.ts';
import { otherTypesFamily } from './families/other-types.ts';
import { setFamily } from './families/set.ts';
import { transactionFamily } from './families/transaction.ts';
import { compareServers, ServerPair } from './harness.ts';

const small = {
  'hash-max-listpack-entries': 6,
  'hash-max-listpack-value': 20,
  'set-max-intset-entries': 10,
};

const runs = [
  { name: 'a hash', families: [hashFamily], config: {} },
  { name: 'a hash with small limits', families: [hashFamily], config: small },
  { name: 'a set', families: [setFamily], config: {} },
  { name: 'a set with small limits', families: [setFamily], config: small },
  {
    name: 'hashes and sets among other commands',
    families: [
      hashFamily,
      setFamily,
      genericFamily,
      expireFamily,
      transactionFamily,
      otherTypesFamily,
    ],
    config: small,
  },
];

describe.skipIf(requireRedisServer() === null)('collections against the real server', () => {
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
