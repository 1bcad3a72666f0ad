/**
 * The data sets that loads run on, by name, as recipes. A load that shares its scene with the one
 * before it meets the data as that left it; what a load does to its scene is the same on every
 * server.
 */

/** @typedef {import('./load/recipe.js').Recipe} Recipe */

const value = 'x'.repeat(16);
const number = '1234567890123456';
const million = 1_000_000;
const perCommand = 100;

/**
 * One collection: `count` items, a hundred a command.
 * @type {(command: string[], item: string[], count: number) => Recipe}
 */
export function collection(command, item, count) {
  return { command, item, items: perCommand, commands: Math.ceil(count / perCommand) };
}

/**
 * Strings key:000000000000 and so on.
 * @type {(count: number, text?: string) => Recipe}
 */
export function stringKeys(count, text = value) {
  return collection(['MSET'], ['key:{n}', text], count);
}

/** @type {Recipe[]} */
const smallHashes = Array.from({ length: 8 }, (_, i) => {
  return { command: ['HSET', 'hash:{c}', `f:${i}`, number], commands: 100_000 };
});

/** @type {Recipe[]} */
const smallZsets = Array.from({ length: 8 }, (_, i) => {
  return { command: ['ZADD', 'zset:{c}', '{r}', `m:${i}`], commands: 100_000 };
});

/** @type {Record<string, Recipe[]>} */
export const scenes = {
  empty: [],
  strings: [stringKeys(million)],
  'short list': [collection(['RPUSH', 'mylist'], ['xxx'], 100_000)],
  'big list': [collection(['RPUSH', 'list'], [value], million)],
  'small hashes': smallHashes,
  'big hash': [collection(['HSET', 'hash'], ['f:{n}', number], million)],
  sets: [
    collection(['SADD', 'a'], ['m:{n}'], 100_000),
    // A thousand members are in both.
    collection(['SADD', 'b'], ['m:{n}'], 1000),
    collection(['SADD', 'b'], ['other:{n}'], 99_000),
    { command: ['SADD', 'ints:{c}'], item: ['{i}'], items: 16, commands: 10_000 },
  ],
  'small zsets': smallZsets,
  'big zset': [collection(['ZADD', 'zset'], ['{r}', 'm:{n}'], million)],
  'big stream': [
    { command: ['XADD', 'stream', '{c}-1', 'field', value], commands: million },
    { command: ['XGROUP', 'CREATE', 'stream', 'group', '0'] },
  ],
  places: [collection(['GEOADD', 'geo'], ['{lon}', '{lat}', 'p:{n}'], 100_000)],
  hyperloglogs: [
    collection(['PFADD', 'dense'], ['e:{n}'], 100_000),
    collection(['PFADD', 'dense2'], ['f:{n}'], 100_000),
    { command: ['PFADD', 'sparse:{c}'], item: ['e:{i}'], items: 16, commands: 10_000 },
  ],
};
