/** Many small keys: bytes a key, and the stalls around a snapshot of them under a write load. */
import { fill, startWriter } from '../generators.js';
import { stringKeys } from '../scenes.js';
import { sleep, startServer } from '../servers.js';
import { rounded } from '../statistics.js';
import { onEach, unpinned } from './figure.js';
import { backgroundSave, savingStallLimitMs, stallsInRounds } from './probe.js';

/**
 * @typedef {import('../options.js').Options} Options
 * @typedef {import('../options.js').Contender} Contender
 * @typedef {import('./figure.js').Measure} Measure
 */

const probeMs = 2000;
const perSecond = 20_000;
const set = { command: ['SET', 'key:{c}', 'y'.repeat(16)] };

/**
 * @param {Contender} contender
 * @param {number} keys
 * @param {number} rounds
 * @returns {Promise<Measure[]>}
 */
async function measureOne(contender, keys, rounds) {
  const server = await startServer(contender, unpinned);
  try {
    await fill(server, [stringKeys(keys)]);
    await sleep(500);
    const perKey = rounded(server.rssBytes() / keys, 1);
    /** @type {(what: string, work: () => Promise<unknown>) => Promise<Measure[]>} */
    const longest = async (what, work) => {
      const measures = await stallsInRounds(server, { what, rounds, work });
      return measures.filter(({ name }) => name === `longest PING, ${what}`);
    };
    const idle = await longest('idle', () => sleep(probeMs));
    const stopWriter = await startWriter(server, { recipes: [set], range: keys, perSecond });
    const writing = await longest('writes', () => sleep(probeMs));
    const saving = await stallsInRounds(server, {
      what: 'BGSAVE under writes',
      rounds,
      limit: savingStallLimitMs,
      work: () => backgroundSave(server),
    });
    await stopWriter();
    return [
      { name: `RSS a key, ${keys} keys`, unit: 'bytes', value: perKey },
      ...idle,
      ...writing,
      ...saving,
    ];
  } finally {
    await server.stop();
  }
}

/** @type {(options: Options) => Promise<import('./figure.js').Figure[]>} */
export function measureKeys(options) {
  return onEach(options, 'keys', (each) => measureOne(each, options.keys, options.rounds));
}
