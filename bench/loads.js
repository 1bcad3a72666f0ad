/**
 * The throughput loads, one line each: a name, the command that redis-benchmark repeats, and what
 * must be there before. `__rand_int__` is a random number of twelve digits below a million, so
 * `key:__rand_int__` is one of the keys that `fill` wrote.
 *
 *   fill      keys key:000000000000 ... with 16-byte values, written first
 *   setup     commands run once before
 *   requests  at no pipelining; sixteen times the pipeline gets five times as many
 */

/**
 * @typedef {object} Load
 * @property {string} name
 * @property {string[]} command
 * @property {number} [fill]
 * @property {string[][]} [setup]
 * @property {number} [requests] default 200,000
 */

const key = 'key:__rand_int__';
const value = 'x'.repeat(16);
const ten = Array.from({ length: 10 }, () => key);
const million = 1_000_000;

/** @type {Load[]} */
export const loads = [
  { name: 'PING', command: ['PING'] },
  { name: 'SET', command: ['SET', key, value] },
  { name: 'GET', command: ['GET', key], fill: million },
  { name: 'INCR', command: ['INCR', 'counter:__rand_int__'] },
  { name: 'SET EX', command: ['SET', key, value, 'EX', '3600'] },
  { name: 'GETRANGE', command: ['GETRANGE', key, '4', '11'], fill: million },
  { name: 'MSET 10', command: ['MSET', ...ten.flatMap((k) => [k, value])], requests: 50_000 },
  { name: 'MGET 10', command: ['MGET', ...ten], fill: million, requests: 50_000 },
  { name: 'EXPIRE', command: ['EXPIRE', key, '3600'], fill: million },
  { name: 'SETBIT', command: ['SETBIT', 'bits:__rand_int__', '77', '1'] },
];

/** Commands in flight on each connection. */
export const pipelines = [1, 16];

/** Connections of a load. */
export const connections = 50;
