/**
 * The longest stall while much goes at once: a huge sorted set by UNLINK, by DEL and by expiry,
 * and many keys by FLUSHALL ASYNC.
 */
import { fill } from '../generators.js';
import { collection, stringKeys } from '../scenes.js';
import { startServer } from '../servers.js';
import { onEach, unpinned } from './figure.js';
import { probeStalls, stallLimitMs, waitForInfo } from './probe.js';

/**
 * @typedef {import('../options.js').Options} Options
 * @typedef {import('../options.js').Contender} Contender
 * @typedef {import('../load/recipe.js').Recipe} Recipe
 * @typedef {import('./figure.js').Figure} Figure
 * @typedef {import('./figure.js').Measure} Measure
 */

/** Members and keys, twice as many as the keys of the other scenarios. */
const factor = 2;

/**
 * @param {Contender} contender
 * @param {string} name
 * @param {{ recipes: Recipe[], command: string[] }} deletion
 * @returns {Promise<Measure[]>}
 */
async function measureOne(contender, name, { recipes, command }) {
  const server = await startServer(contender, unpinned);
  try {
    await fill(server, recipes);
    const { longestMs, stalls, tookMs } = await probeStalls(server, async () => {
      await server.call(command[0] ?? '', ...command.slice(1));
      await waitForInfo(server, 'keyspace', 'db0', '');
      await waitForInfo(server, 'memory', 'lazyfree_pending_objects', '0');
    });
    const details = { ...stalls, tookMs };
    return [{ name, unit: 'ms', value: longestMs, limit: stallLimitMs, details }];
  } finally {
    await server.stop();
  }
}

/** @type {(options: Options) => Promise<Figure[]>} */
export async function measureDeletion(options) {
  const count = options.keys * factor;
  const zset = [collection(['ZADD', 'zset'], ['{i}', 'member:{n}'], count)];
  const deletions = [
    { what: `UNLINK of a zset of ${count}`, recipes: zset, command: ['UNLINK', 'zset'] },
    { what: `DEL of a zset of ${count}`, recipes: zset, command: ['DEL', 'zset'] },
    { what: `expiry of a zset of ${count}`, recipes: zset, command: ['PEXPIRE', 'zset', '1'] },
    {
      what: `FLUSHALL ASYNC of ${count} keys`,
      recipes: [stringKeys(count)],
      command: ['FLUSHALL', 'ASYNC'],
    },
  ];
  const figures = [];
  for (const { what, ...deletion } of deletions) {
    const name = `longest PING, ${what}`;
    figures.push(...(await onEach(options, name, (each) => measureOne(each, name, deletion))));
  }
  return figures;
}
