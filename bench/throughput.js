/**
 * Throughput and CPU per command: every load on every server, round after round, the servers side
 * by side and in changing order, so that a machine that slows down slows all of them.
 */
import { fill, runBenchmark } from './generators.js';
import { connections, loads, pipelines } from './loads.js';
import { startServer } from './servers.js';
import { median, medianRatio, rounded } from './statistics.js';

/**
 * @typedef {import('./options.js').Options} Options
 * @typedef {import('./loads.js').Load} Load
 * @typedef {import('./servers.js').ServerUnderTest} ServerUnderTest
 *
 * @typedef {{ rps: number[], cpuUs: number[] }} Samples one number a round
 *
 * @typedef {object} ThroughputResult
 * @property {string} name
 * @property {number} pipeline
 * @property {number} requests
 * @property {Record<string, { rps: number, cpuUs: number }>} medians by server
 * @property {Record<string, { throughput: number, cpu: number }>} ratios subject to peer, by peer
 * @property {string} [error] why there is no result
 */

const requestsDefault = 200_000;
const pipelinedFactor = 5;

/** @type {(server: ServerUnderTest, load: Load) => Promise<void>} */
async function prepare(server, load) {
  await server.cli('FLUSHALL');
  if (load.fill !== undefined) await fill(server, load.fill);
  for (const command of load.setup ?? []) await server.cli(...command);
}

/**
 * @param {ServerUnderTest} server
 * @param {string[]} command
 * @param {number} requests
 * @param {number} pipeline
 */
async function measure(server, command, requests, pipeline) {
  const before = server.cpuUs();
  const rps = await runBenchmark(server, { command, requests, pipeline, connections });
  return { rps, cpuUs: (server.cpuUs() - before) / requests };
}

/**
 * @param {Load} load
 * @param {number} pipeline
 * @param {ServerUnderTest[]} servers the subject first
 * @param {Options} options
 * @returns {Promise<ThroughputResult>}
 */
async function runLoad(load, pipeline, servers, options) {
  const factor = pipeline === 1 ? 1 : pipelinedFactor;
  const requests = Math.round((load.requests ?? requestsDefault) * factor * options.scale);
  /** @type {Map<string, Samples>} */
  const samples = new Map(servers.map(({ name }) => [name, { rps: [], cpuUs: [] }]));
  for (let round = 0; round < options.rounds; round++) {
    const order = servers.map((_, i) => servers[(i + round) % servers.length]);
    for (const server of order) {
      if (server === undefined) continue;
      const { rps, cpuUs } = await measure(server, load.command, requests, pipeline);
      samples.get(server.name)?.rps.push(rps);
      samples.get(server.name)?.cpuUs.push(cpuUs);
    }
  }
  const medians = Object.fromEntries(
    [...samples].map(([name, { rps, cpuUs }]) => [
      name,
      { rps: Math.round(median(rps)), cpuUs: rounded(median(cpuUs)) },
    ]),
  );
  const mine = samples.get(options.subject.name) ?? { rps: [], cpuUs: [] };
  const ratios = Object.fromEntries(
    options.peers.map(({ name }) => {
      const theirs = samples.get(name) ?? { rps: [], cpuUs: [] };
      const throughput = rounded(medianRatio(mine.rps, theirs.rps));
      return [name, { throughput, cpu: rounded(medianRatio(mine.cpuUs, theirs.cpuUs)) }];
    }),
  );
  return { name: load.name, pipeline, requests, medians, ratios };
}

/** @type {(result: ThroughputResult) => string} */
function line(result) {
  const title = `${result.name} -P ${result.pipeline}`.padEnd(16);
  if (result.error !== undefined) return `${title} no result: ${result.error}`;
  const parts = Object.entries(result.medians).map(
    ([name, { rps, cpuUs }]) => `${name} ${String(rps).padStart(7)}/s ${cpuUs.toFixed(2)} us`,
  );
  const ratios = Object.entries(result.ratios).map(
    ([name, { throughput, cpu }]) => `${throughput}x ${name}, CPU ${cpu}x`,
  );
  return `${title} ${parts.join('   ')}   = ${ratios.join('; ')}`;
}

/**
 * @param {Options} options
 * @param {(name: string) => boolean} wanted
 * @returns {Promise<ThroughputResult[]>}
 */
export async function measureThroughput(options, wanted) {
  const chosen = loads.filter((load) => wanted(load.name));
  if (chosen.length === 0) return [];
  /** @type {ServerUnderTest[]} */
  const servers = [];
  /** @type {ThroughputResult[]} */
  const results = [];
  try {
    for (const each of [options.subject, ...options.peers]) servers.push(await startServer(each));
    for (const load of chosen) {
      for (const pipeline of pipelines) {
        const empty = { name: load.name, pipeline, requests: 0, medians: {}, ratios: {} };
        const result = await Promise.all(servers.map((server) => prepare(server, load)))
          .then(() => runLoad(load, pipeline, servers, options))
          .catch((error) => ({ ...empty, error: String(error.message).slice(0, 300) }));
        results.push(result);
        process.stdout.write(`${line(result)}\n`);
      }
    }
  } finally {
    for (const server of servers) await server.stop();
  }
  return results;
}
