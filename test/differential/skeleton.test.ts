/**
 * Strings, bitmaps, keys of every name and age, transactions, connections and the server's own
 * commands: Cairn must answer them as the real server does, byte for byte, in RESP2 and RESP3.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireRedisServer } from '../support/real-server.ts';
import { bitmapFamily } from './families/bitmap.ts';
import { connectionFamily } from './families/connection.ts';
import { expireFamily } from './families/expire.ts';
import { genericFamily } from './families/generic.ts';
import { otherTypesFamily } from './families/other-types.ts';
import { serverFamily } from './families/server.ts';
import { stringFamily } from './families/string.ts';
import { transactionFamily } from './families/transaction.ts';
import { compareServers, ServerPair } from './harness.ts';

const families = [
  stringFamily,
  bitmapFamily,
  genericFamily,
  expireFamily,
  transactionFamily,
  connectionFamily,
  serverFamily,
  otherTypesFamily,
];

describe.skipIf(requireRedisServer() === null)('the skeleton against the real server', () => {
  let pair: ServerPair;
  beforeAll(async () => {
    pair = await ServerPair.start();
  });
  afterAll(() => pair?.close());

  it('answers random sequences alike', async () => {
    const commands = 24_000;
    const { executed } = await compareServers(pair, { families, commands });
    const total = executed.resp2 + executed.resp3;
    expect(total).toBeGreaterThanOrEqual(Number(process.env.DIFF_COMMANDS ?? commands));
    if (process.env.DIFF_COMMANDS === undefined) {
      expect(Math.min(executed.resp2, executed.resp3)).toBeGreaterThanOrEqual(10_000);
    }
  }, 240_000);
});
