/**
 * Connections, CONFIG, COMMAND and what else asks of the server, between writes of strings:
 * answered as the real server does.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireRedisServer } from '../support/real-server.ts';
import { connectionFamily } from './families/connection.ts';
import { serverFamily } from './families/server.ts';
import { stringFamily } from './families/string.ts';
import { compareServers, ServerPair } from './harness.ts';

const families = [connectionFamily, serverFamily, stringFamily];

describe.skipIf(requireRedisServer() === null)('the server family by itself', () => {
  let pair: ServerPair;
  beforeAll(async () => {
    pair = await ServerPair.start();
  });
  afterAll(() => pair?.close());

  it('answers random sequences alike', async () => {
    const { executed } = await compareServers(pair, { families, commands: 6000 });
    expect(executed.resp2 + executed.resp3).toBeGreaterThanOrEqual(6000);
  }, 240_000);
});
