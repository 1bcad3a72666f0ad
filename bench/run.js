/**
 * The benchmark: Cairn and real servers side by side on this machine, one after the other within
 * each round. Prints as it goes, writes `results/<label>.json` and `results/ratios.svg`.
 *
 *   npm run bench -- --quick             a first impression in a few minutes
 *   npm run bench                        the real thing; leave the machine alone meanwhile
 *   npm run bench -- --only GET          only what has GET in its name
 *   npm run bench -- --only memory       the scenarios are: memory, load, aof
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { drawRatios } from './chart.js';
import { findTool, readOptions } from './options.js';
import { measureAof, measureLoadTime, measureMemoryAndSnapshot } from './scenarios.js';
import { rounded } from './statistics.js';
import { measureThroughput } from './throughput.js';

/**
 * @typedef {import('./options.js').Options} Options
 * @typedef {import('./options.js').Contender} Contender
 * @typedef {import('./chart.js').Group} Group
 *
 * @typedef {object} Results
 * @property {Awaited<ReturnType<typeof measureThroughput>>} throughput
 * @property {Awaited<ReturnType<typeof measureMemoryAndSnapshot>>} filled
 * @property {Record<string, number>} loadMs
 * @property {Partial<Awaited<ReturnType<typeof measureAof>>>} aof
 */

const busyLoadAverage = 0.7;

/** @type {(contender: Contender) => string} */
function versionOf(contender) {
  const node = contender.path.endsWith('.js');
  const [file, args] = node ? [process.execPath, [contender.path]] : [contender.path, []];
  return execFileSync(file, [...args, '--version'], { encoding: 'utf8' }).trim();
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

/**
 * What the chart shows of each peer; every ratio is turned so that more is better.
 * @param {Results} results
 * @param {Options} options
 * @returns {Group[]}
 */
function groupsOf(results, options) {
  const me = options.subject.name;
  return options.peers.flatMap(({ name }) => {
    const fine = results.throughput.filter((test) => test.error === undefined);
    const title = (/** @type {{ name: string, pipeline: number }} */ test) =>
      test.pipeline === 1 ? test.name : `${test.name}, pipeline ${test.pipeline}`;
    const throughput = fine.map((test) => {
      return { label: title(test), ratio: test.ratios[name]?.throughput ?? 0 };
    });
    const cpu = fine.map((test) => {
      return { label: title(test), ratio: rounded(1 / (test.ratios[name]?.cpu ?? 1)) };
    });
    const mine = results.filled[me]?.memory.rssPerKey ?? 0;
    const theirs = results.filled[name]?.memory.rssPerKey ?? 0;
    const other = [
      { label: 'keys in the same memory', ratio: rounded(theirs / mine) },
      {
        label: 'loading a dump',
        ratio: rounded((results.loadMs[name] ?? 0) / (results.loadMs[me] ?? 0)),
      },
      ...Object.entries(results.aof).map(([policy, servers]) => {
        const ratio = (servers[me]?.rps ?? 0) / (servers[name]?.rps ?? 0);
        return { label: `SET, appendfsync ${policy}`, ratio: rounded(ratio) };
      }),
    ];
    return [
      { title: `Throughput against ${name}`, bars: throughput },
      { title: `Commands a CPU second against ${name}`, bars: cpu },
      { title: `Else, against ${name}`, bars: other.filter(({ ratio }) => ratio > 0) },
    ];
  });
}

/** @type {(options: Options) => Promise<Results>} */
async function measure(options) {
  /** @type {(name: string) => boolean} */
  const wanted = (name) =>
    options.only.length === 0 ||
    options.only.some((text) => name.toLowerCase().includes(text.toLowerCase()));
  const throughput = await measureThroughput(options, wanted);
  const filled = wanted('memory') ? await measureMemoryAndSnapshot(options) : {};
  const loadMs = wanted('load') ? await measureLoadTime(options) : {};
  const aof = wanted('aof') ? await measureAof(options) : {};
  return { throughput, filled, loadMs, aof };
}

/** @type {() => Promise<void>} */
async function main() {
  const options = readOptions(process.argv.slice(2));
  const notes = checkMachine();
  const contenders = [options.subject, ...options.peers];
  const servers = Object.fromEntries(contenders.map((each) => [each.name, versionOf(each)]));
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    kernel: release(),
    node: process.version,
  };
  process.stdout.write(`${machine.cpu}, ${machine.cores} cores, node ${machine.node}\n`);
  for (const [name, version] of Object.entries(servers)) {
    process.stdout.write(`${name}: ${version}\n`);
  }
  const results = await measure(options);
  const { rounds, keys, scale } = options;
  const report = { date: new Date().toISOString(), machine, notes, servers };
  const json = { ...report, options: { rounds, keys, scale }, ...results };
  const files = [`${options.label}.json`, 'ratios.svg'].map((name) => join(options.out, name));
  mkdirSync(options.out, { recursive: true });
  writeFileSync(files[0] ?? '', `${JSON.stringify(json, null, 2)}\n`);
  const title = `${options.subject.name}: times its peer (longer is better)`;
  writeFileSync(files[1] ?? '', drawRatios(title, groupsOf(results, options)));
  process.stdout.write(`written: ${files.join(', ')}\n`);
}

await main();
