/** The command line of the benchmark. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { scenarios } from './scenarios/all.js';
import { findTool } from './tools.js';

/**
 * @typedef {{ name: string, path: string }} Contender
 *
 * @typedef {object} Options
 * @property {Contender} subject what is measured
 * @property {Contender[]} peers what it is measured against
 * @property {number} rounds how often every throughput load runs on every server
 * @property {number} keys keys in the scenarios
 * @property {number} scale requests and counts of scenarios and memory are multiplied by this
 * @property {number} seconds CPU time that one run of a throughput load is to take
 * @property {string[]} only run only what has one of these texts in its name; empty means all
 * @property {string} label names the result file
 * @property {string} out the folder of the results
 */

const resultsPath = fileURLToPath(new URL('./results', import.meta.url));
const cairnPath = fileURLToPath(new URL('../bin/cairn-server.js', import.meta.url));

/** What a run is without options, and with `--quick`. */
const full = { label: 'full', rounds: 3, keys: 5_000_000, ms: 500, scale: 1 };
const quick = { label: 'quick', rounds: 2, keys: 250_000, ms: 80, scale: 0.1 };

const usage = `npm run bench -- [options]

Runs the same loads on Cairn and on real servers, side by side, and prints the ratios: throughput
and CPU per command of every type, memory of every type, and the scenarios.

  --quick              a first impression in a few minutes; a full run takes about 25
  --only TEXT          only what has TEXT in its name (a load such as ZADD, "throughput",
                       "memory", or a scenario); may be given several times
  --peer NAME=PATH     a server to compare with, default redis=(redis-server on PATH); several
  --subject NAME=PATH  what is measured, default cairn=bin/cairn-server.js
  --rounds N           runs of each load on each server, default ${full.rounds}
  --ms N               CPU milliseconds that a run of a load is to take, default ${full.ms}
  --keys N             keys in the scenarios, default ${full.keys}
  --label NAME         the results are NAME.json, NAME-ratios.svg and NAME-types.svg
  --out FOLDER         where they are written, default bench/results
  --help               this text

Scenarios:
${scenarios.map(({ name, about }) => `  ${name.padEnd(20)} ${about}\n`).join('')}
The label is "full" when all is run, "quick" with --quick, else "part".
`;

/** @type {(text: string) => Contender} */
function contender(text) {
  const [, name = '', path = ''] = /^([\w.-]+)=(.+)$/.exec(text) ?? [];
  if (name === '')
    throw new Error(`"${text}" is not NAME=PATH, such as redis=/usr/bin/redis-server`);
  if (!existsSync(path)) throw new Error(`${path} does not exist (given as "${text}")`);
  return { name, path };
}

/** @type {() => Contender[]} */
function defaultPeers() {
  const path = findTool('redis-server');
  if (path === null) throw new Error('no peer: install redis-server or give --peer NAME=PATH');
  return [{ name: 'redis', path }];
}

/** @type {(text: string | undefined, name: string, otherwise: number) => number} */
function positive(text, name, otherwise) {
  const number = text === undefined ? otherwise : Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} must be 1 or more`);
  return number;
}

/**
 * Reads the command line; null after `--help`, whose text is printed.
 * @type {(args: string[]) => Options | null}
 */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      peer: { type: 'string', multiple: true },
      subject: { type: 'string' },
      rounds: { type: 'string' },
      ms: { type: 'string' },
      keys: { type: 'string' },
      quick: { type: 'boolean' },
      only: { type: 'string', multiple: true },
      label: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(usage);
    return null;
  }
  const size = values.quick === true ? quick : full;
  const peers = values.peer?.map(contender) ?? defaultPeers();
  const subject = contender(values.subject ?? `cairn=${cairnPath}`);
  const names = [subject, ...peers].map(({ name }) => name);
  if (new Set(names).size < names.length) throw new Error(`names must differ: ${names.join(', ')}`);
  return {
    subject,
    peers,
    rounds: positive(values.rounds, 'rounds', size.rounds),
    keys: positive(values.keys, 'keys', size.keys),
    scale: size.scale,
    seconds: positive(values.ms, 'ms', size.ms) / 1000,
    only: values.only ?? [],
    label: values.label ?? (values.only === undefined ? size.label : 'part'),
    out: resolve(values.out ?? resultsPath),
  };
}
