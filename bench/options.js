/**
 * The command line of the benchmark:
 *
 *   npm run bench -- [--peer NAME=PATH]... [--rounds 5] [--quick] [--only TEXT]... [--keys N]
 *                    [--subject NAME=PATH] [--label NAME] [--out FOLDER]
 *
 * A path that ends in `.js` is run by node, anything else directly. Without `--peer` the
 * redis-server on PATH is the peer; `--subject` measures something else than Cairn.
 */
import { existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/**
 * @typedef {{ name: string, path: string }} Contender
 *
 * @typedef {object} Options
 * @property {Contender} subject what is measured
 * @property {Contender[]} peers what it is measured against
 * @property {number} rounds how often every throughput load runs on every server
 * @property {number} keys keys in the memory, load-time and snapshot tests
 * @property {number} scale what scenarios do is multiplied by this
 * @property {number} seconds how long one run of a throughput load is to take
 * @property {string[]} only run only what has one of these texts in its name; empty means all
 * @property {string} label names the result file
 * @property {string} out the folder of the results
 */

const resultsPath = fileURLToPath(new URL('./results', import.meta.url));
const cairnPath = fileURLToPath(new URL('../bin/cairn-server.js', import.meta.url));

/** @type {(text: string) => Contender} */
function contender(text) {
  const [, name = '', path = ''] = /^([\w.-]+)=(.+)$/.exec(text) ?? [];
  if (name === '')
    throw new Error(`"${text}" is not NAME=PATH, such as redis=/usr/bin/redis-server`);
  if (!existsSync(path)) throw new Error(`${path} does not exist (given as "${text}")`);
  return { name, path };
}

/**
 * The path of a tool on PATH, or null.
 * @type {(name: string) => string | null}
 */
export function findTool(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (folder !== '' && existsSync(join(folder, name))) return join(folder, name);
  }
  return null;
}

/** @type {() => Contender[]} */
function defaultPeers() {
  const path = findTool('redis-server');
  if (path === null) throw new Error('no peer: install redis-server or give --peer NAME=PATH');
  return [{ name: 'redis', path }];
}

/** @type {(text: string, name: string) => number} */
function positive(text, name) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} must be 1 or more`);
  return number;
}

/** @type {(args: string[]) => Options} */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      peer: { type: 'string', multiple: true },
      subject: { type: 'string' },
      rounds: { type: 'string' },
      keys: { type: 'string' },
      ms: { type: 'string' },
      quick: { type: 'boolean' },
      only: { type: 'string', multiple: true },
      label: { type: 'string' },
      out: { type: 'string' },
    },
  });
  const quick = values.quick === true;
  const peers = values.peer?.map(contender) ?? defaultPeers();
  const subject = contender(values.subject ?? `cairn=${cairnPath}`);
  const names = [subject, ...peers].map(({ name }) => name);
  if (new Set(names).size < names.length) throw new Error(`names must differ: ${names.join(', ')}`);
  return {
    subject,
    peers,
    rounds: positive(values.rounds ?? (quick ? '2' : '3'), 'rounds'),
    keys: positive(values.keys ?? (quick ? '500000' : '5000000'), 'keys'),
    scale: quick ? 0.1 : 1,
    seconds: positive(values.ms ?? (quick ? '200' : '800'), 'ms') / 1000,
    only: values.only ?? [],
    label: values.label ?? new Date().toISOString().slice(0, 16).replace(':', ''),
    out: resolve(values.out ?? resultsPath),
  };
}
