/** How long an AOF rewrite takes under a write load, and the longest stall meanwhile. */
import { fill, startWriter } from '../generators.js';
import { stringKeys } from '../scenes.js';
import { startServer } from '../servers.js';
import { onEach, unpinned } from './figure.js';
import { savingStallLimitMs, stallsInRounds, waitForInfo } from './probe.js';

/**
 * @typedef {import('../options.js').Options} Options
 * @typedef {import('../options.js').Contender} Contender
 * @typedef {import('../servers.js').ServerUnderTest} ServerUnderTest
 * @typedef {import('./figure.js').Measure} Measure
 */

const perSecond = 20_000;
const set = { command: ['SET', 'key:{c}', 'y'.repeat(16)] };

/** @type {(server: ServerUnderTest) => Promise<void>} */
async function rewritten(server) {
  await waitForInfo(server, 'persistence', 'aof_rewrite_scheduled', '0');
  await waitForInfo(server, 'persistence', 'aof_rewrite_in_progress', '0');
  const status = await server.info('persistence', 'aof_last_bgrewrite_status');
  if (status !== 'ok') throw new Error(`${server.name}: the rewrite ended with "${status}"`);
}

/** @type {(contender: Contender, keys: number, rounds: number) => Promise<Measure[]>} */
async function measureOne(contender, keys, rounds) {
  const server = await startServer(contender, unpinned);
  try {
    await fill(server, [stringKeys(keys)]);
    await server.call('CONFIG', 'SET', 'appendonly', 'yes');
    await rewritten(server);
    const stopWriter = await startWriter(server, { recipes: [set], range: keys, perSecond });
    const measures = await stallsInRounds(server, {
      what: `AOF rewrite of ${keys} keys under writes`,
      rounds,
      limit: savingStallLimitMs,
      work: async () => {
        await server.call('BGREWRITEAOF');
        await rewritten(server);
      },
    });
    await stopWriter();
    return measures;
  } finally {
    await server.stop();
  }
}

/** @type {(options: Options) => Promise<import('./figure.js').Figure[]>} */
export function measureRewrite(options) {
  return onEach(options, 'AOF rewrite', (each) => {
    return measureOne(each, options.keys, options.rounds);
  });
}
