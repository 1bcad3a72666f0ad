/**
 * The append-only file under each policy: SETs of 50 clients, on all servers in turn within each
 * round. The longest stall is looked for in a run of its own: a server that answers while its disk
 * works gets more PINGs than one that does not, and so has less time for its SETs.
 */
import { runBenchmark, startPinger } from '../generators.js';
import { startServer } from '../servers.js';
import { median, rounded } from '../statistics.js';
import { figuresOf } from './figure.js';

/**
 * @typedef {import('../options.js').Options} Options
 * @typedef {import('../generators.js').Stalls} Stalls
 * @typedef {import('../servers.js').ServerUnderTest} ServerUnderTest
 * @typedef {import('./figure.js').Figure} Figure
 * @typedef {import('./figure.js').Measure} Measure
 *
 * @typedef {{ server: ServerUnderTest, rps: number[], stalls: Stalls[] }} Series
 */

/** Requests before anything is measured: compiled code takes a while to come. */
const warmingRequests = 150_000;
/** Requests that a policy gets: under `always` every turn waits for the disk. */
const requestsOf = { always: 50_000, everysec: 200_000, no: 200_000 };

/** @type {(policy: string, series: Series) => Measure[]} */
function measuresOf(policy, { rps, stalls }) {
  const worst = stalls.reduce((a, b) => (b.maxMs > a.maxMs ? b : a));
  const name = `SET, appendfsync ${policy}`;
  return [
    { name, unit: '/s', value: Math.round(median(rps)) },
    { name: `longest PING, ${name}`, unit: 'ms', value: rounded(worst.maxMs, 1), details: worst },
  ];
}

/** @type {(options: Options, policy: keyof typeof requestsOf) => Promise<Figure[]>} */
async function measurePolicy(options, policy) {
  const config = ['--appendonly', 'yes', '--appendfsync', policy];
  const requests = Math.round(requestsOf[policy] * options.scale);
  const command = ['SET', 'key:__rand_int__', 'x'.repeat(16)];
  const load = { command, requests, pipeline: 1, connections: 50, core: null };
  /** @type {Series[]} */
  const all = [];
  try {
    for (const contender of [options.subject, ...options.peers]) {
      const server = await startServer(contender, { core: null, config });
      all.push({ server, rps: [], stalls: [] });
      await runBenchmark(server, { ...load, requests: warmingRequests });
    }
    for (let round = 0; round < options.rounds; round++) {
      for (const { server, rps, stalls } of all) {
        rps.push(await runBenchmark(server, load));
        const stop = await startPinger(server);
        await runBenchmark(server, load);
        stalls.push(await stop());
      }
    }
    return figuresOf(new Map(all.map((one) => [one.server.name, measuresOf(policy, one)])), policy);
  } finally {
    for (const { server } of all) await server.stop();
  }
}

/** @type {(options: Options) => Promise<Figure[]>} */
export async function measureAppend(options) {
  const figures = [];
  for (const policy of /** @type {const} */ (['always', 'everysec', 'no'])) {
    figures.push(...(await measurePolicy(options, policy)));
  }
  return figures;
}
