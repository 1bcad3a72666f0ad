/**
 * Saving and loading RDB files: many small keys, and big collections of each type. The first peer
 * writes the file that all load. Loading counts from the start of the process until it answers,
 * and once more without the start of the process, as the servers' logs have it.
 */
import { linkSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fill } from '../generators.js';
import { collection, stringKeys } from '../scenes.js';
import { sleep, startedMs, startServer } from '../servers.js';
import { onEach, unpinned } from './figure.js';
import { backgroundSave } from './probe.js';

/**
 * @typedef {import('../options.js').Options} Options
 * @typedef {import('../options.js').Contender} Contender
 * @typedef {import('../load/recipe.js').Recipe} Recipe
 * @typedef {import('./figure.js').Figure} Figure
 * @typedef {import('./figure.js').Measure} Measure
 */

const fileName = 'dump.rdb';
const value = 'x'.repeat(16);
/** Big collections of one type in a file. */
const bigKeys = ['one', 'two', 'three', 'four', 'five'];

/**
 * Five big collections.
 * @param {string} name of the command
 * @param {string[]} item
 * @param {number} count elements of each
 */
const five = (name, item, count) => bigKeys.map((key) => collection([name, key], item, count));

/** @type {(count: number) => Recipe[]} */
function fiveStreams(count) {
  const fields = ['field', value];
  return bigKeys.map((key) => ({ command: ['XADD', key, '{c}-1', ...fields], commands: count }));
}

/** @type {(keys: number) => Record<string, Recipe[]>} */
function datasets(keys) {
  const count = Math.round(keys / bigKeys.length);
  return {
    [`${keys} small keys`]: [stringKeys(keys)],
    [`5 lists of ${count}`]: five('RPUSH', ['element:{n}'], count),
    [`5 hashes of ${count}`]: five('HSET', ['field:{n}', value], count),
    [`5 sets of ${count}`]: five('SADD', ['member:{n}'], count),
    [`5 zsets of ${count}`]: five('ZADD', ['{r}', 'member:{n}'], count),
    [`5 streams of ${count}`]: fiveStreams(count),
  };
}

/** @type {(contender: Contender, name: string, source: string) => Promise<Measure[]>} */
async function loadAndSave(contender, name, source) {
  // A file of its own by name: saving replaces the name, not the source.
  const dir = mkdtempSync(join(source, 'load-'));
  linkSync(join(source, fileName), join(dir, fileName));
  const started = performance.now();
  const server = await startServer(contender, { ...unpinned, dir });
  const loadMs = Math.round(performance.now() - started);
  try {
    if ((await server.call('DBSIZE')) === '0') throw new Error('the file was not loaded');
    await sleep(startedMs);
    const saveMs = await backgroundSave(server);
    return [
      { name: `load ${name}`, unit: 'ms', value: loadMs },
      { name: `load ${name}, without the start`, unit: 'ms', value: server.loadedMs() },
      { name: `save ${name}`, unit: 'ms', value: saveMs },
    ];
  } finally {
    await server.stop();
  }
}

/** @type {(options: Options, name: string, recipes: Recipe[]) => Promise<Figure[]>} */
async function measureDataset(options, name, recipes) {
  const dir = mkdtempSync(join(tmpdir(), 'bench-dump-'));
  try {
    const source = await startServer(options.peers[0] ?? options.subject, { ...unpinned, dir });
    try {
      await fill(source, recipes);
      await source.call('SAVE');
    } finally {
      await source.stop();
    }
    return await onEach(options, `load ${name}`, (each) => loadAndSave(each, name, dir));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** @type {(options: Options) => Promise<Figure[]>} */
export async function measureFiles(options) {
  const figures = [];
  for (const [name, recipes] of Object.entries(datasets(options.keys))) {
    figures.push(...(await measureDataset(options, name, recipes)));
  }
  return figures;
}
