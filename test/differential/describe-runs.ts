/** Runs families of commands against the real server, each run with two fresh servers. */
import { afterEach, describe, expect, it } from 'vitest';
import { requireRedisServer } from '../support/real-server.ts';
import type { ServerOptions } from '../support/server-process.ts';

import { compareServers, ServerPair } from './harness.ts';
import type { Family } from './step.ts';

type Run = {
  readonly name: string;
  readonly families: readonly Family[];
  /** Directives for both servers. */
  readonly config: NonNullable<ServerOptions['config']>;
};

/**
 * Registers a test for each run: Cairn must answer so many random commands, or as many as
 * DIFF_COMMANDS says, as the real server does.
 */
export function describeRuns(title: string, runs: readonly Run[], commands = 6000): void {
  describe.skipIf(requireRedisServer() === null)(`${title} against the real server`, () => {
    let pair: ServerPair | undefined;
    afterEach(async () => {
      await pair?.close();
      pair = undefined;
    });

    it.each(runs)(
      'answer alike: $name',
      async ({ families, config }) => {
        pair = await ServerPair.start(config);
        const { executed } = await compareServers(pair, { families, commands });
        const least = Number(process.env.DIFF_COMMANDS ?? commands);
        expect(executed.resp2 + executed.resp3).toBeGreaterThanOrEqual(least);
      },
      240_000,
    );
  });
}
