/** The longest stall while a big collection changes its encoding, with limits that let it grow. */
import { fill } from '../generators.js';
import { collection } from '../scenes.js';
import { sleep, startServer } from '../servers.js';
import { onEach, unpinned } from './figure.js';
import { probeStalls, stallLimitMs } from './probe.js';

/**
 * @typedef {import('../options.js').Options} Options
 * @typedef {import('../options.js').Contender} Contender
 * @typedef {import('../load/recipe.js').Recipe} Recipe
 * @typedef {import('./figure.js').Measure} Measure
 *
 * @typedef {object} Conversion
 * @property {string} what
 * @property {string[]} limit parameter and value that keep the collection as it is
 * @property {Recipe} recipe
 * @property {string[]} command what converts it
 */

const listpackEntries = 10_000;
const word = 'x'.repeat(16);
/** A value too long for a listpack, whatever its number of entries. */
const long = 'x'.repeat(100);
/**
 * From the raise of a limit to the conversion: less than users take to fill a collection so far,
 * and enough for a server that gets ready when the limit rises.
 */
const grownMs = 2000;

/** @type {(keys: number) => Conversion[]} */
const conversions = (keys) => {
  const integers = Math.round(keys / 5);
  return [
    {
      what: `an intset of ${integers} to a table`,
      limit: ['set-max-intset-entries', String(integers)],
      recipe: collection(['SADD', 'set'], ['{i}'], integers),
      command: ['SADD', 'set', 'word'],
    },
    {
      what: `a hash listpack of ${listpackEntries}`,
      limit: ['hash-max-listpack-entries', String(listpackEntries)],
      recipe: collection(['HSET', 'hash'], ['field:{i}', word], listpackEntries),
      command: ['HSET', 'hash', 'field', long],
    },
    {
      what: `a zset listpack of ${listpackEntries}`,
      limit: ['zset-max-listpack-entries', String(listpackEntries)],
      recipe: collection(['ZADD', 'zset'], ['{i}', 'member:{i}'], listpackEntries),
      command: ['ZADD', 'zset', '1', long],
    },
  ];
};

/** @type {(contender: Contender, name: string, conversion: Conversion) => Promise<Measure[]>} */
async function measureOne(contender, name, { limit, recipe, command }) {
  const server = await startServer(contender, unpinned);
  try {
    await server.call('CONFIG', 'SET', ...limit);
    await fill(server, [recipe]);
    await sleep(grownMs);
    const key = recipe.command[1] ?? '';
    const encoding = await server.call('OBJECT', 'ENCODING', key);
    const { longestMs, stalls } = await probeStalls(server, () =>
      server.call(command[0] ?? '', ...command.slice(1)),
    );
    const after = await server.call('OBJECT', 'ENCODING', key);
    if (encoding === after) throw new Error(`still ${after}: nothing was converted`);
    const details = { ...stalls, from: encoding, to: after };
    return [{ name, unit: 'ms', value: longestMs, limit: stallLimitMs, details }];
  } finally {
    await server.stop();
  }
}

/** @type {(options: Options) => Promise<import('./figure.js').Figure[]>} */
export async function measureConversion(options) {
  const figures = [];
  for (const conversion of conversions(options.keys)) {
    const name = `longest PING, converting ${conversion.what}`;
    figures.push(...(await onEach(options, name, (each) => measureOne(each, name, conversion))));
  }
  return figures;
}
