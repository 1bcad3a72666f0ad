/**
 * Throughput and CPU per command: every load on every server, round after round, the servers side
 * by side and in changing order, so that a machine that slows down slows all of them.
 *
 *   scene written (when it is another one) -> probe: how many requests fill a run
 *     -> runs until no server gets faster -> rounds: [each server: `each` written, a run measured]
 *
 * So what is measured is a server that has run for a while. Code that is compiled while it runs
 * takes half a million to a million commands of a kind to come to its speed (measured, LPUSH, by
 * 400,000 of them: 4.8, 2.4, 2.0, 1.8, 1.7 us), where compiled C has it from the first.
 */
import { fill, runBenchmark } from './generators.js';
import { loads } from './loads.js';
import { scenes } from './scenes.js';
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
 * @property {string} group
 * @property {number} pipeline
 * @property {number} requests
 * @property {Record<string, { rps: number, cpuUs: number }>} medians by server
 * @property {Record<string, { throughput: number, cpu: number }>} ratios subject to peer, by peer
 * @property {string} [error] why there is no result
 */

const connectionsDefault = 50;
const pipelineDefault = [16];
/** What every server does before anything is measured: compiled code takes a while to come. */
const firstLoad = {
  command: ['SET', 'key:__rand_int__', 'xxx'],
  requests: 200_000,
  pipeline: 16,
  connections: connectionsDefault,
};
/** Requests of the first run that finds out how fast a load is. */
const probeRequests = 1600;
const probeGrowth = 5;
/** The share of a run's time that a probe must take to be believed. */
const probeShare = 0.15;
/** A server has come to its speed when a run takes more than this share of the one before. */
const settledShare = 0.95;
const settlingRunsMax = 6;
/** A run may take so many times its CPU time, or so long: the machine may be busy. */
const patienceFactor = 8;
const patienceMinSeconds = 3;

/**
 * Writes the scene of a load on all servers, unless the last load left it there.
 * @param {ServerUnderTest[]} servers
 * @param {Load} load
 * @param {string} last
 */
async function prepare(servers, load, last) {
  if (load.scene === last && load.scene !== 'empty') return;
  const recipes = scenes[load.scene];
  if (recipes === undefined) throw new Error(`no scene is called "${load.scene}"`);
  for (const server of servers) {
    await server.call('FLUSHALL');
    await fill(server, recipes);
  }
}

/**
 * @param {ServerUnderTest} server
 * @param {Load} load
 * @param {number} requests
 * @param {number} pipeline
 */
async function measure(server, load, requests, pipeline) {
  const { command, range, connections = connectionsDefault } = load;
  const before = server.cpuUs();
  const run = { command, requests, pipeline, connections, ...(range && { range }) };
  const rps = await runBenchmark(server, run);
  return { rps, cpuUs: (server.cpuUs() - before) / requests };
}

/**
 * How many requests make a run take as much CPU as wanted, from runs that grow until they take
 * enough of it to tell. Elapsed time counts where CPU time is short.
 * @param {Load} load
 * @param {number} pipeline
 * @param {ServerUnderTest[]} servers
 * @param {Options} options
 */
async function requestsOfRun(load, pipeline, servers, options) {
  if (load.requests !== undefined) return load.requests;
  const { seconds } = options;
  const patience = Math.max(patienceMinSeconds, seconds * patienceFactor);
  const most = load.requestsMax ?? Number.POSITIVE_INFINITY;
  for (const server of servers) await fill(server, load.each ?? []);
  for (let requests = Math.min(most, probeRequests); ; requests *= probeGrowth) {
    const runs = [];
    for (const server of servers) runs.push(await measure(server, load, requests, pipeline));
    const busy = Math.min(...runs.map(({ cpuUs }) => (cpuUs * requests) / 1e6));
    const elapsed = Math.max(...runs.map(({ rps }) => requests / rps));
    const told = busy >= seconds * probeShare || elapsed >= patience;
    if (!told && requests < most) continue;
    const wanted = requests * (seconds / Math.max(busy, (elapsed * seconds) / patience));
    return Math.min(most, Math.max(probeRequests, Math.round(wanted / 800) * 800));
  }
}

/**
 * Runs a load, as often on each server, until none gets faster any more; what was empty before is
 * empty again.
 * @param {Load} load
 * @param {number} requests
 * @param {number} pipeline
 * @param {ServerUnderTest[]} servers
 */
async function settle(load, requests, pipeline, servers) {
  const last = new Map(servers.map((server) => [server, Number.POSITIVE_INFINITY]));
  let isFaster = true;
  for (let i = 0; i < settlingRunsMax && isFaster; i++) {
    isFaster = false;
    for (const [server, before] of last) {
      await fill(server, load.each ?? []);
      const { cpuUs } = await measure(server, load, requests, pipeline);
      if (cpuUs < before * settledShare) isFaster = true;
      last.set(server, cpuUs);
    }
  }
  await prepare(servers, load, load.scene);
}

/**
 * @param {Load} load
 * @param {number} pipeline
 * @param {ServerUnderTest[]} servers the subject first
 * @param {Options} options
 * @returns {Promise<ThroughputResult>}
 */
async function runLoad(load, pipeline, servers, options) {
  const requests = await requestsOfRun(load, pipeline, servers, options);
  await settle(load, requests, pipeline, servers);
  /** @type {Map<string, Samples>} */
  const samples = new Map(servers.map(({ name }) => [name, { rps: [], cpuUs: [] }]));
  for (let round = 0; round < options.rounds; round++) {
    const order = servers.map((_, i) => servers[(i + round) % servers.length]);
    for (const server of order) {
      if (server === undefined) continue;
      await fill(server, load.each ?? []);
      const { rps, cpuUs } = await measure(server, load, requests, pipeline);
      samples.get(server.name)?.rps.push(rps);
      samples.get(server.name)?.cpuUs.push(cpuUs);
    }
  }
  const medians = Object.fromEntries(
    [...samples].map(([name, { rps, cpuUs }]) => [
      name,
      { rps: Math.round(median(rps)), cpuUs: rounded(median(cpuUs), 3) },
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
  return { name: load.name, group: load.group, pipeline, requests, medians, ratios };
}

/** @type {(result: ThroughputResult) => string} */
function line(result) {
  const title = `${result.name} -P ${result.pipeline}`.padEnd(28);
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
  const chosen = loads.filter((load) => wanted(`throughput of ${load.name}`));
  if (chosen.length === 0) return [];
  /** @type {ServerUnderTest[]} */
  const servers = [];
  /** @type {ThroughputResult[]} */
  const results = [];
  let scene = '';
  try {
    for (const each of [options.subject, ...options.peers]) servers.push(await startServer(each));
    for (const server of servers) await runBenchmark(server, firstLoad);
    for (const load of chosen) {
      for (const pipeline of load.pipelines ?? pipelineDefault) {
        const { name, group } = load;
        const empty = { name, group, pipeline, requests: 0, medians: {}, ratios: {} };
        const result = await prepare(servers, load, scene)
          .then(() => runLoad(load, pipeline, servers, options))
          .catch((error) => ({ ...empty, error: error.message }));
        // A load that failed may have left its scene on one server only.
        scene = 'error' in result ? '' : load.scene;
        results.push(result);
        process.stdout.write(`${line(result)}\n`);
      }
    }
  } finally {
    for (const server of servers) await server.stop();
  }
  return results;
}
