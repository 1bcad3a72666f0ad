/**
 * The benchmark: Cairn and real servers side by side on this machine, one after the other within
 * each round. Prints as it goes, then what misses its target; writes the figures as JSON, a chart
 * of the ratios and a table of all. `npm run bench -- --help` tells the options.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { measureMemory } from './memory.js';
import { readOptions } from './options.js';
import { ratiosChart, typesTable } from './report.js';
import { scenarios } from './scenarios/all.js';
import { describe, describeLimits, verdicts } from './targets.js';
import { measureThroughput } from './throughput.js';
import { findTool } from './tools.js';

/**
 * @typedef {import('./options.js').Options} Options
 * @typedef {import('./options.js').Contender} Contender
 *
 * @typedef {object} Results
 * @property {import('./throughput.js').ThroughputResult[]} throughput
 * @property {import('./memory.js').MemoryResult[]} memory
 * @property {Record<string, import('./scenarios/figure.js').Figure[]>} scenarios by name
 */

const busyLoadAverage = 0.7;

/** @type {(text: string) => void} */
const print = (text) => void process.stdout.write(text);

/** @type {(contender: Contender) => string} */
function versionOf(contender) {
  return execFileSync(contender.path, ['--version'], { encoding: 'utf8' }).trim();
}

function checkMachine() {
  for (const tool of ['redis-benchmark', 'redis-cli']) {
    if (findTool(tool) === null) throw new Error(`${tool} is not on PATH: install redis-tools`);
  }
  const notes = [];
  if (findTool('taskset') === null) notes.push('no taskset: nothing is pinned to a core');
  const load = loadavg()[0] ?? 0;
  if (load > busyLoadAverage) notes.push(`the machine is busy (load ${load.toFixed(1)})`);
  for (const note of notes) process.stderr.write(`note: ${note}\n`);
  return notes;
}

/** @type {(options: Options) => (name: string) => boolean} */
function chooser({ only }) {
  if (only.length === 0) return () => true;
  return (name) => only.some((text) => name.toLowerCase().includes(text.toLowerCase()));
}

/** @type {(options: Options) => Promise<Results>} */
async function measure(options) {
  const wanted = chooser(options);
  /** @type {Results} */
  const results = { throughput: [], memory: [], scenarios: {} };
  results.throughput = await measureThroughput(options, wanted);
  results.memory = await measureMemory(options, wanted);
  for (const scenario of scenarios.filter(({ name }) => wanted(name))) {
    print(`${scenario.name}: ${scenario.about}\n`);
    results.scenarios[scenario.name] = await scenario.measure(options);
  }
  return results;
}

/** @type {(results: Results, options: Options, machine: object) => void} */
function writeFiles(results, options, machine) {
  const { rounds, keys, scale, seconds, label, out } = options;
  const head = { date: new Date().toISOString(), ...machine };
  const json = { ...head, options: { rounds, keys, scale, seconds }, ...results };
  const prefix = label === 'full' ? '' : `${label}-`;
  const files = {
    [`${label}.json`]: `${JSON.stringify(json, null, 2)}\n`,
    [`${prefix}ratios.svg`]: ratiosChart(results, options),
    [`${prefix}types.svg`]: typesTable(results, options),
  };
  mkdirSync(out, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(out, name), text);
  print(`written to ${out}: ${Object.keys(files).join(', ')}\n`);
}

/** @type {(options: Options) => Promise<void>} */
async function main(options) {
  const started = performance.now();
  const notes = checkMachine();
  const contenders = [options.subject, ...options.peers];
  const servers = Object.fromEntries(contenders.map((each) => [each.name, versionOf(each)]));
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    kernel: release(),
    node: process.version,
  };
  print(`${machine.cpu}, ${machine.cores} cores, node ${machine.node}\n`);
  for (const [name, version] of Object.entries(servers)) print(`${name}: ${version}\n`);
  const results = await measure(options);
  for (const { name } of options.peers) {
    for (const verdict of verdicts(results, name)) print(`\n${describe(verdict, name)}`);
  }
  print(`\n${describeLimits(results, options.subject.name)}`);
  const minutes = ((performance.now() - started) / 60_000).toFixed(1);
  print(`\n${minutes} minutes\n`);
  writeFiles(results, options, { machine, notes, servers });
}

const options = readOptions(process.argv.slice(2));
if (options !== null) await main(options);
