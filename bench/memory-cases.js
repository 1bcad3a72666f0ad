/**
 * What is filled to see how much memory each type takes, in its small encodings (many little
 * values) and its large ones (one big value): the counts are such that a process's own memory
 * matters little.
 *
 *   unit    what bytes are counted for: a key, with its value; an element of one big value
 *   units   how many of them the recipes write
 *   config  parameters set first
 */
import { collection, stringKeys } from './scenes.js';

/**
 * @typedef {import('./load/recipe.js').Recipe} Recipe
 *
 * @typedef {object} MemoryCase
 * @property {string} name
 * @property {'key' | 'element'} unit
 * @property {number} units
 * @property {Recipe[]} recipes
 */

const million = 1_000_000;
const value = 'x'.repeat(16);

/**
 * Many small values: `items` items in each.
 * @type {(command: string[], item: string[], items: number, commands: number) => Recipe}
 */
const small = (command, item, items, commands) => ({ command, item, items, commands });

/**
 * @param {string} name
 * @param {number} units
 * @param {Recipe[]} recipes
 * @returns {MemoryCase}
 */
const keys = (name, units, ...recipes) => ({ name, unit: 'key', units, recipes });

/**
 * @param {string} name
 * @param {number} units
 * @param {Recipe[]} recipes
 * @returns {MemoryCase}
 */
const elements = (name, units, ...recipes) => ({ name, unit: 'element', units, recipes });

/** @type {(scale: number) => MemoryCase[]} */
const strings = (scale) => [
  keys('string, int', 2 * million * scale, collection(['MSET'], ['k:{n}', '1{i}'], 2e6 * scale)),
  keys('string, 16 bytes', 2 * million * scale, stringKeys(2 * million * scale)),
  keys('string, 100 bytes', million * scale, stringKeys(million * scale, 'x'.repeat(100))),
  keys('string, 10 KB', 20_000 * scale, {
    command: ['SET', 'key:{c}', 'x'.repeat(10_000)],
    commands: 20_000 * scale,
  }),
];

/** @type {(scale: number) => MemoryCase[]} */
const collections = (scale) => {
  const few = 300_000 * scale;
  const many = 2 * million * scale;
  return [
    keys('list, 8 elements', few, small(['RPUSH', 'list:{c}'], ['element:{i}'], 8, few)),
    elements('list, big', 5 * many, collection(['RPUSH', 'list'], ['element:{n}'], 5 * many)),
    keys('hash, 8 fields', few, small(['HSET', 'hash:{c}'], ['field:{i}', value], 8, few)),
    keys(
      'hash, 3 fields and 200 bytes',
      few,
      small(['HSET', 'session:{c}', 'data', 'x'.repeat(200)], ['field:{i}', value], 3, few),
    ),
    elements('hash, big', many, collection(['HSET', 'hash'], ['field:{n}', value], many)),
    keys('set, 16 integers', few, small(['SADD', 'set:{c}'], ['{i}'], 16, few)),
    keys('set, 8 words', few, small(['SADD', 'set:{c}'], ['member:{i}'], 8, few)),
    elements('set, big', many, collection(['SADD', 'set'], ['member:{n}'], many)),
    keys('zset, 8 members', few, small(['ZADD', 'zset:{c}'], ['{r}', 'member:{i}'], 8, few)),
    keys(
      'zset, 3 members and one of 80',
      few,
      small(['ZADD', 'recent:{c}', '{r}', 'm'.repeat(80)], ['{r}', 'member:{i}'], 3, few),
    ),
    elements('zset, big', many, collection(['ZADD', 'zset'], ['{r}', 'member:{n}'], many)),
    elements(
      'geo, big',
      many / 2,
      collection(['GEOADD', 'geo'], ['{lon}', '{lat}', 'p:{n}'], many / 2),
    ),
  ];
};

/** @type {(scale: number) => MemoryCase[]} */
const streams = (scale) => {
  const few = 50_000 * scale;
  const many = 2 * million * scale;
  const pending = 500_000 * scale;
  const fields = ['temperature', '21.5', 'humidity', '55'];
  /** @type {(count: number) => Recipe} */
  const log = (count) => ({ command: ['XADD', 'stream', '{c}-1', ...fields], commands: count });
  const entries = [1, 2, 3, 4].map((id) => {
    return { command: ['XADD', 'stream:{c}', String(id), ...fields], commands: few };
  });
  const read = ['XREADGROUP', 'GROUP', 'g', 'me', 'COUNT', '100', 'STREAMS', 'stream', '>'];
  return [
    keys('stream, 4 entries', few, ...entries),
    elements('stream, big', many, log(many)),
    elements(
      'stream, all pending',
      pending,
      log(pending),
      { command: ['XGROUP', 'CREATE', 'stream', 'g', '0'] },
      { command: read, commands: pending / 100 },
    ),
  ];
};

/** @type {(scale: number) => MemoryCase[]} */
const hyperLogLogs = (scale) => {
  const sparse = 500_000 * scale;
  const dense = 10_000 * scale;
  /** @type {(count: number) => Recipe} */
  const add = (count) => small(['PFADD', 'hll:{c}'], ['element:{i}'], 8, count);
  const alwaysDense = { command: ['CONFIG', 'SET', 'hll-sparse-max-bytes', '0'] };
  return [
    keys('hyperloglog, sparse', sparse, add(sparse)),
    keys('hyperloglog, dense', dense, alwaysDense, add(dense)),
  ];
};

/**
 * All cases, with counts multiplied by `scale`.
 * @type {(scale: number) => MemoryCase[]}
 */
export const memoryCases = (scale) => [
  ...strings(scale),
  ...collections(scale),
  ...streams(scale),
  ...hyperLogLogs(scale),
];
