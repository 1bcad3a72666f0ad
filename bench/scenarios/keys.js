/** Many small keys: bytes a key, and the stalls around a snapshot of them under a write load. */
import { fill, startWriter } from '../generators.js';
import { stringKeys } from '../scenes.js';
import { sleep, startServer } from '../servers.js';
import { rounded } from '../statistics.js';
import { onEach, unpinned } from './figure.js';
import { backgroundSave, longestTurn, probeStalls, savingStallLimitMs } from './probe.js';

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
 * @returns {Promise<Measure[]>}
 */
async function measureOne(contender, keys) {
  const server = await startServer(contender, unpinned);
  try {
    await fill(server, [stringKeys(keys)]);
    await sleep(500);
    const perKey = rounded(server.rssBytes() / keys, 1);
    const idle = await probeStalls(server, () => sleep(probeMs));
    const stopWriter = await startWriter(server, { recipes: [set], range: keys, perSecond });
    const writing = await probeStalls(server, () => sleep(probeMs));
    let saveMs = 0;
    const saving = await probeStalls(server, async () => {
      saveMs = await backgroundSave(server);
    });
    const writes = await stopWriter();
    /** @type {(name: string, probe: typeof idle) => Measure} */
    const longest = (name, { longestMs, stalls }) => {
      return { name: `longest PING, ${name}`, unit: 'ms', value: longestMs, details: stalls };
    };
    return [
      { name: `RSS a key, ${keys} keys`, unit: 'bytes', value: perKey },
      longest('idle', idle),
      longest('writes', writing),
      { ...longest('BGSAVE under writes', saving), limit: savingStallLimitMs },
      ...(await longestTurn(server, 'BGSAVE under writes')),
      { name: 'BGSAVE under writes', unit: 'ms', value: saveMs, details: { writes } },
    ];
  } finally {
    await server.stop();
  }
}

/** @type {(options: Options) => Promise<import('./figure.js').Figure[]>} */
export function measureKeys(options) {
  return onEach(options, 'keys', (contender) => measureOne(contender, options.keys));
}
