/**
 * The loads, a few lines each: the command that redis-benchmark repeats, and the data it meets.
 * `__rand_int__` is a random number of twelve digits below `range`; each occurrence is drawn anew.
 *
 *   scene        the data set that must be there (scenes.js); an empty one is emptied for each load
 *   each         what is written anew before each run: elements to pop, a group to read with
 *   requestsMax  as many as `each` lets one run have
 *   requests     a fixed number, for commands that take milliseconds
 *   pipelines    commands in flight on each connection
 */

/**
 * @typedef {import('./load/recipe.js').Recipe} Recipe
 *
 * @typedef {object} Load
 * @property {string} name
 * @property {string} group
 * @property {string[]} command
 * @property {string} scene
 * @property {Recipe[]} [each]
 * @property {number[]} [pipelines] default 16
 * @property {number} [range] default a million
 * @property {number} [requests]
 * @property {number} [requestsMax]
 * @property {number} [connections] default 50
 */

const random = '__rand_int__';
const key = `key:${random}`;
const value = 'x'.repeat(16);
const number = '1234567890123456';
const ten = Array.from({ length: 10 }, () => key);
const both = [1, 16];
const popped = 800_000;

/**
 * @param {string} group
 * @param {string} scene
 * @param {(Partial<Load> & Pick<Load, 'name' | 'command'>)[]} list
 * @returns {Load[]}
 */
const inScene = (group, scene, list) => list.map((load) => ({ group, scene, ...load }));

/** What `redis-benchmark` runs when it is not told what to run. */
const standard = inScene('redis-benchmark', 'empty', [
  { name: 'PING inline', command: ['-t', 'ping_inline'] },
  { name: 'PING', command: ['PING'], pipelines: both },
  { name: 'SET', command: ['SET', key, 'xxx'], pipelines: both },
  { name: 'GET', command: ['GET', key], scene: 'strings', pipelines: both },
  { name: 'SET, 1M keys', command: ['SET', key, value], scene: 'strings', pipelines: both },
  { name: 'INCR', command: ['INCR', `counter:${random}`], pipelines: both },
  { name: 'LPUSH', command: ['LPUSH', 'mylist', 'xxx'], pipelines: both },
  { name: 'RPUSH', command: ['RPUSH', 'mylist', 'xxx'] },
  ...['LPOP', 'RPOP'].map((name) => ({
    name,
    command: [name, 'mylist'],
    each: [{ command: ['RPUSH', 'mylist'], item: ['xxx'], items: 100, commands: popped / 100 }],
    requestsMax: popped,
  })),
  { name: 'SADD', command: ['SADD', 'myset', `element:${random}`] },
  { name: 'HSET', command: ['HSET', 'myhash', `element:${random}`, 'xxx'], pipelines: both },
  {
    name: 'SPOP',
    command: ['SPOP', 'myset'],
    each: [{ command: ['SADD', 'myset'], item: ['e:{n}'], items: 100, commands: popped / 100 }],
    requestsMax: popped,
  },
  { name: 'ZADD', command: ['ZADD', 'myzset', random, `element:${random}`], pipelines: both },
  {
    name: 'ZPOPMIN',
    command: ['ZPOPMIN', 'myzset'],
    each: [
      { command: ['ZADD', 'myzset'], item: ['{r}', 'e:{n}'], items: 100, commands: popped / 100 },
    ],
    requestsMax: popped,
  },
  ...[100, 300, 500, 600].map((count) => ({
    name: `LRANGE ${count}`,
    command: ['LRANGE', 'mylist', '0', String(count - 1)],
    scene: 'short list',
  })),
  { name: 'MSET 10', command: ['MSET', ...ten.flatMap((k) => [k, 'xxx'])] },
]);

const strings = [
  ...inScene('strings', 'strings', [
    { name: 'SET EX', command: ['SET', key, value, 'EX', '3600'] },
    { name: 'SETEX', command: ['SETEX', key, '3600', value] },
    { name: 'GETRANGE', command: ['GETRANGE', key, '4', '11'] },
    { name: 'MGET 10', command: ['MGET', ...ten] },
    { name: 'EXPIRE', command: ['EXPIRE', key, '3600'] },
    { name: 'EXISTS', command: ['EXISTS', key] },
  ]),
  ...inScene('strings', 'empty', [
    { name: 'SETBIT', command: ['SETBIT', `bits:${random}`, '77', '1'] },
    {
      name: 'BITCOUNT 1 MB',
      command: ['BITCOUNT', 'bitmap'],
      each: [{ command: ['SETRANGE', 'bitmap', '1048575', 'x'] }],
    },
  ]),
];

const hashes = [
  ...inScene('hashes', 'small hashes', [
    { name: 'HSET, small', command: ['HSET', `hash:${random}`, 'f:5', number], range: 100_000 },
    { name: 'HGET, small', command: ['HGET', `hash:${random}`, 'f:5'], range: 100_000 },
    { name: 'HINCRBY, small', command: ['HINCRBY', `hash:${random}`, 'f:5', '1'], range: 100_000 },
    { name: 'HGETALL, small', command: ['HGETALL', `hash:${random}`], range: 100_000 },
  ]),
  ...inScene('hashes', 'big hash', [
    { name: 'HSET, 1M fields', command: ['HSET', 'hash', `f:${random}`, number] },
    { name: 'HGET, 1M fields', command: ['HGET', 'hash', `f:${random}`] },
    { name: 'HINCRBY, 1M fields', command: ['HINCRBY', 'hash', `f:${random}`, '1'] },
  ]),
];

const sets = inScene('sets', 'sets', [
  { name: 'SADD, 100k', command: ['SADD', 'a', `m:${random}`], range: 100_000 },
  { name: 'SISMEMBER, 100k', command: ['SISMEMBER', 'a', `m:${random}`], range: 100_000 },
  { name: 'SRANDMEMBER, 100k', command: ['SRANDMEMBER', 'a'] },
  {
    name: 'SINTER, 100k x 100k',
    command: ['SINTER', 'a', 'b'],
    requests: 128,
    connections: 4,
  },
  { name: 'SADD, intset', command: ['SADD', `ints:${random}`, '7'], range: 10_000 },
  { name: 'SISMEMBER, intset', command: ['SISMEMBER', `ints:${random}`, '7'], range: 10_000 },
]);

const sortedSets = [
  ...inScene('sorted sets', 'small zsets', [
    { name: 'ZADD, small', command: ['ZADD', `zset:${random}`, random, 'm:5'], range: 100_000 },
    { name: 'ZINCRBY, small', command: ['ZINCRBY', `zset:${random}`, '1', 'm:5'], range: 100_000 },
    { name: 'ZSCORE, small', command: ['ZSCORE', `zset:${random}`, 'm:5'], range: 100_000 },
  ]),
  ...inScene('sorted sets', 'big zset', [
    { name: 'ZSCORE, 1M', command: ['ZSCORE', 'zset', `m:${random}`] },
    { name: 'ZRANK, 1M', command: ['ZRANK', 'zset', `m:${random}`] },
    { name: 'ZRANGE 100, 1M', command: ['ZRANGE', 'zset', '500000', '500099'] },
    {
      name: 'ZRANGE top 10, 1M',
      command: ['ZRANGE', 'zset', '0', '9', 'REV', 'WITHSCORES'],
    },
    {
      name: 'ZRANGE BYSCORE 10, 1M',
      command: ['ZRANGE', 'zset', random, '+inf', 'BYSCORE', 'LIMIT', '0', '10'],
    },
    { name: 'ZCOUNT, 1M', command: ['ZCOUNT', 'zset', random, '+inf'] },
    { name: 'ZADD, 1M', command: ['ZADD', 'zset', random, `m:${random}`] },
    { name: 'ZINCRBY, 1M', command: ['ZINCRBY', 'zset', '1', `m:${random}`] },
  ]),
];

const lists = inScene('lists', 'big list', [
  { name: 'LPUSH, 1M', command: ['LPUSH', 'list', value] },
  { name: 'LRANGE 100, 1M', command: ['LRANGE', 'list', '0', '99'] },
  { name: 'LRANGE 100 inside, 1M', command: ['LRANGE', 'list', '300000', '300099'] },
  { name: 'LINDEX inside, 1M', command: ['LINDEX', 'list', '300000'] },
  { name: 'LSET inside, 1M', command: ['LSET', 'list', '300000', value] },
]);

const pending = 300_000;

/** @type {Recipe[]} */
const newGroup = [
  { command: ['XGROUP', 'DESTROY', 'stream', 'group'] },
  { command: ['XGROUP', 'CREATE', 'stream', 'group', '0'] },
];

const readGroup = ['XREADGROUP', 'GROUP', 'group', 'me'];
const from = ['STREAMS', 'stream'];

const streams = [
  ...inScene('streams', 'empty', [
    { name: 'XADD', command: ['XADD', 'log', '*', 'field', value], pipelines: both },
    {
      name: 'XADD MAXLEN ~',
      command: ['XADD', 'log', 'MAXLEN', '~', '10000', '*', 'field', value],
    },
  ]),
  ...inScene('streams', 'big stream', [
    { name: 'XRANGE 10, 1M', command: ['XRANGE', 'stream', random, '+', 'COUNT', '10'] },
    { name: 'XREAD 10, 1M', command: ['XREAD', 'COUNT', '10', ...from, random] },
    {
      name: 'XREADGROUP 1',
      command: [...readGroup, 'COUNT', '1', ...from, '>'],
      each: newGroup,
      requestsMax: 1_000_000,
    },
    {
      name: 'XREADGROUP 10',
      command: [...readGroup, 'COUNT', '10', ...from, '>'],
      each: newGroup,
      requestsMax: 100_000,
    },
    {
      name: 'XACK',
      command: ['XACK', 'stream', 'group', `${random}-1`],
      each: [
        ...newGroup,
        { command: [...readGroup, 'COUNT', '1000', ...from, '>'], commands: pending / 1000 },
      ],
      range: pending,
      requestsMax: pending,
    },
  ]),
];

const geo = inScene('geo', 'places', [
  {
    name: 'GEOSEARCH 10 km',
    command: ['GEOSEARCH', 'geo', 'FROMMEMBER', `p:${random}`, 'BYRADIUS', '10', 'km', 'ASC'],
    range: 100_000,
  },
  {
    name: 'GEOSEARCH BYBOX',
    command: [
      ...['GEOSEARCH', 'geo', 'FROMLONLAT', '5', '45', 'BYBOX', '40', '40', 'km'],
      ...['ASC', 'COUNT', '10', 'WITHDIST'],
    ],
  },
  { name: 'GEOADD', command: ['GEOADD', 'geo', '5.1', '45.1', `p:${random}`], range: 100_000 },
  { name: 'GEODIST', command: ['GEODIST', 'geo', `p:${random}`, `p:${random}`], range: 100_000 },
]);

const hyperLogLogs = inScene('hyperloglogs', 'hyperloglogs', [
  { name: 'PFADD, dense', command: ['PFADD', 'dense', `element:${random}`] },
  { name: 'PFADD, sparse', command: ['PFADD', `sparse:${random}`, 'a'], range: 10_000 },
  { name: 'PFCOUNT, sparse', command: ['PFCOUNT', `sparse:${random}`], range: 10_000 },
  { name: 'PFCOUNT of two', command: ['PFCOUNT', 'dense', 'dense2'] },
]);

/** @type {Load[]} */
export const loads = [
  ...standard,
  ...strings,
  ...hashes,
  ...sets,
  ...sortedSets,
  ...lists,
  ...streams,
  ...geo,
  ...hyperLogLogs,
];
