/**
 * Memory of each type and encoding: a fresh server for each case, the growth of its resident
 * memory and of what it says it uses (INFO's used_memory), by key or by element.
 */
import { fill } from './generators.js';
import { memoryCases } from './memory-cases.js';
import { collection } from './scenes.js';
import { sleep, startedMs, startServer } from './servers.js';
import { rounded } from './statistics.js';

/**
 * @typedef {import('./options.js').Options} Options
 * @typedef {import('./options.js').Contender} Contender
 * @typedef {import('./memory-cases.js').MemoryCase} MemoryCase
 *
 * @typedef {{ rss: number, used: number }} Bytes growth for one key or element
 *
 * @typedef {object} MemoryResult
 * @property {string} name
 * @property {'key' | 'element'} unit
 * @property {number} units
 * @property {Record<string, Bytes>} bytes by server
 * @property {Record<string, Bytes>} ratios subject to peer, by peer
 * @property {string} [error] why there is no result
 */

/** Not to be pinned: what runs beside the event loop may use the other core. */
const unpinned = { core: null };
const settleMs = 300;

/**
 * Work that leaves nothing behind: what a process takes when it first gets to work, compiled code
 * and buffers, is not to count as data.
 */
const warmUp = [
  collection(['MSET'], ['warm', 'x'.repeat(16)], 500_000),
  { command: ['DEL', 'warm'] },
];

/** @type {(contender: Contender, one: MemoryCase) => Promise<Bytes>} */
async function measureCase(contender, one) {
  const server = await startServer(contender, unpinned);
  const now = async () => ({
    rss: server.rssBytes(),
    used: Number(await server.info('memory', 'used_memory')),
  });
  try {
    await fill(server, warmUp);
    await sleep(startedMs);
    const before = await now();
    await fill(server, one.recipes);
    await sleep(settleMs);
    const after = await now();
    return {
      rss: rounded((after.rss - before.rss) / one.units, 1),
      used: rounded((after.used - before.used) / one.units, 1),
    };
  } finally {
    await server.stop();
  }
}

/** @type {(one: MemoryCase, options: Options) => Promise<MemoryResult>} */
async function compare(one, options) {
  /** @type {Record<string, Bytes>} */
  const bytes = {};
  for (const contender of [options.subject, ...options.peers]) {
    bytes[contender.name] = await measureCase(contender, one);
  }
  const mine = bytes[options.subject.name] ?? { rss: Number.NaN, used: Number.NaN };
  const ratios = options.peers.map(({ name }) => {
    const theirs = bytes[name] ?? { rss: Number.NaN, used: Number.NaN };
    return [name, { rss: rounded(mine.rss / theirs.rss), used: rounded(mine.used / theirs.used) }];
  });
  const { name, unit, units } = one;
  return { name, unit, units, bytes, ratios: Object.fromEntries(ratios) };
}

/** @type {(result: MemoryResult) => string} */
function line(result) {
  const title = `${result.name} `.padEnd(24);
  if (result.error !== undefined) return `${title} no result: ${result.error}`;
  const parts = Object.entries(result.bytes).map(
    ([name, { rss, used }]) => `${name} ${rss} bytes (${used} used)`,
  );
  const ratios = Object.entries(result.ratios).map(
    ([name, { rss, used }]) => `${rss}x ${name} (${used}x used)`,
  );
  const unit = result.unit === 'key' ? 'a key' : 'an element';
  return `${title} ${unit}: ${parts.join('   ')}   = ${ratios.join('; ')}`;
}

/**
 * @param {Options} options
 * @param {(name: string) => boolean} wanted
 * @returns {Promise<MemoryResult[]>}
 */
export async function measureMemory(options, wanted) {
  /** @type {MemoryResult[]} */
  const results = [];
  for (const one of memoryCases(options.scale)) {
    if (!wanted(`memory of ${one.name}`)) continue;
    const { name, unit, units } = one;
    const result = await compare(one, options).catch((error) => {
      return { name, unit, units, bytes: {}, ratios: {}, error: error.message };
    });
    results.push(result);
    process.stdout.write(`${line(result)}\n`);
  }
  return results;
}
