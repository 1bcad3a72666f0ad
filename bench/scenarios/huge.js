/** The longest stall while a huge collection is saved and written to at the same time. */
import { fill, startWriter } from '../generators.js';
import { collection } from '../scenes.js';
import { startServer } from '../servers.js';
import { onEach, unpinned } from './figure.js';
import { backgroundSave, longestTurn, probeStalls, stallLimitMs } from './probe.js';

/**
 * @typedef {import('../options.js').Options} Options
 * @typedef {import('../options.js').Contender} Contender
 * @typedef {import('../load/recipe.js').Recipe} Recipe
 * @typedef {import('./figure.js').Measure} Measure
 *
 * @typedef {{ what: string, count: number, recipe: Recipe, write: string[] }} Huge
 */

const perSecond = 5000;
const value = 'x'.repeat(16);
const other = 'y'.repeat(16);

/** @type {(keys: number) => Huge[]} */
const collections = (keys) => [
  {
    what: 'a zset',
    count: keys,
    recipe: collection(['ZADD', 'zset'], ['{r}', 'member:{n}'], keys),
    write: ['ZADD', 'zset', '{r}', 'member:{c}'],
  },
  {
    what: 'a hash',
    count: keys,
    recipe: collection(['HSET', 'hash'], ['field:{n}', value], keys),
    write: ['HSET', 'hash', 'field:{c}', other],
  },
  {
    what: 'a list',
    count: 2 * keys,
    recipe: collection(['RPUSH', 'list'], [value], 2 * keys),
    write: ['LPUSH', 'list', other],
  },
  {
    what: 'a stream',
    count: Math.round(keys * 0.4),
    recipe: { command: ['XADD', 'log', '{c}-1', 'f', value], commands: Math.round(keys * 0.4) },
    write: ['HSET', 'beside', 'field:{c}', other],
  },
];

/** @type {(contender: Contender, what: string, huge: Huge) => Promise<Measure[]>} */
async function measureOne(contender, what, { count, recipe, write }) {
  const server = await startServer(contender, unpinned);
  try {
    await fill(server, [recipe]);
    const load = { recipes: [{ command: write }], range: count, perSecond };
    const stopWriter = await startWriter(server, load);
    const { longestMs, stalls, tookMs } = await probeStalls(server, () => backgroundSave(server));
    const details = { ...stalls, tookMs, writes: await stopWriter() };
    const name = `longest PING, ${what}`;
    return [
      { name, unit: 'ms', value: longestMs, limit: stallLimitMs, details },
      ...(await longestTurn(server, what)),
    ];
  } finally {
    await server.stop();
  }
}

/** @type {(options: Options) => Promise<import('./figure.js').Figure[]>} */
export async function measureHuge(options) {
  const figures = [];
  for (const huge of collections(options.keys)) {
    const what = `saving ${huge.what} of ${huge.count}`;
    figures.push(...(await onEach(options, what, (each) => measureOne(each, what, huge))));
  }
  return figures;
}
