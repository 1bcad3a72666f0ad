/**
 * The peak of memory while a snapshot is made and every key is overwritten meanwhile, to the
 * memory before: the whole of what a machine must have, helpers and forks included.
 */
import { fill } from '../generators.js';
import { stringKeys } from '../scenes.js';
import { sleep, startServer } from '../servers.js';
import { rounded } from '../statistics.js';
import { onEach, unpinned } from './figure.js';
import { backgroundSave } from './probe.js';

/**
 * @typedef {import('../options.js').Options} Options
 * @typedef {import('../options.js').Contender} Contender
 * @typedef {import('./figure.js').Measure} Measure
 */

const sampleMs = 50;
const settleMs = 500;
const peakLimit = 1.3;

/** @type {(contender: Contender, keys: number) => Promise<Measure[]>} */
async function measureOne(contender, keys) {
  const server = await startServer(contender, unpinned);
  try {
    await fill(server, [stringKeys(keys)]);
    await sleep(settleMs);
    const before = server.treeBytes();
    let peak = before;
    const timer = setInterval(() => {
      peak = Math.max(peak, server.treeBytes());
    }, sampleMs);
    const saved = backgroundSave(server);
    const rewritten = fill(server, [stringKeys(keys, 'z'.repeat(16))]);
    const [saveMs] = await Promise.all([saved, rewritten]).finally(() => clearInterval(timer));
    const details = { before, peak, saveMs };
    const name = 'peak memory while saving and rewriting all';
    return [{ name, unit: 'x', value: rounded(peak / before), limit: peakLimit, details }];
  } finally {
    await server.stop();
  }
}

/** @type {(options: Options) => Promise<import('./figure.js').Figure[]>} */
export function measurePeak(options) {
  return onEach(options, 'peak memory', (contender) => measureOne(contender, options.keys));
}
