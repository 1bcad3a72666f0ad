/** What scenarios do with a server while something else is going on: probing, saving, waiting. */
import { startPinger } from '../generators.js';
import { sleep } from '../servers.js';
import { median, rounded } from '../statistics.js';

/**
 * @typedef {import('../generators.js').Stalls} Stalls
 * @typedef {import('../servers.js').ServerUnderTest} ServerUnderTest
 * @typedef {import('./figure.js').Measure} Measure
 */

const leadMs = 300;
const tailMs = 200;
const pollMs = 20;
const timeoutMs = 300_000;

/** The longest event-loop stall that is aimed at, where Redis may stall for seconds. */
export const stallLimitMs = 10;
/** The same while saving under load. */
export const savingStallLimitMs = 5;

/**
 * Waits until a field of INFO says so.
 * @param {ServerUnderTest} server
 * @param {string} section
 * @param {string} field
 * @param {string} value
 */
export async function waitForInfo(server, section, field, value) {
  const started = performance.now();
  while ((await server.info(section, field)) !== value) {
    if (performance.now() - started > timeoutMs) {
      throw new Error(`${server.name}: ${field} did not become ${value}`);
    }
    await sleep(pollMs);
  }
}

/**
 * Saves in the background and gives the milliseconds it took.
 * @param {ServerUnderTest} server
 */
export async function backgroundSave(server) {
  const started = performance.now();
  await server.call('BGSAVE');
  await waitForInfo(server, 'persistence', 'rdb_bgsave_in_progress', '0');
  const status = await server.info('persistence', 'rdb_last_bgsave_status');
  if (status !== 'ok') throw new Error(`${server.name}: BGSAVE ended with "${status}"`);
  return Math.round(performance.now() - started);
}

/**
 * The most work in one turn of the loop during the last snapshot, of a server that tells. A PING
 * waits for that, and for a core; other than the PING, this does not depend on how the prober is
 * scheduled, nor on who else has the cores.
 * @param {ServerUnderTest} server
 * @param {string} what the snapshot was of
 * @returns {Promise<Measure[]>}
 */
export async function longestTurn(server, what) {
  const us = await server.info('persistence', 'snapshot_longest_turn_work_usec');
  if (us === '') return [];
  return [
    { name: `most work in a turn, ${what}`, unit: 'ms', value: rounded(Number(us) / 1000, 1) },
  ];
}

/**
 * PINGs while `work` runs, from a process of their own. Beside what that saw stands for how long
 * the server wanted a core in vain.
 * @param {ServerUnderTest} server
 * @param {() => Promise<unknown>} work
 * @returns {Promise<{ longestMs: number, stalls: Stalls & { waitedMs: number }, tookMs: number }>}
 */
export async function probeStalls(server, work) {
  const stop = await startPinger(server);
  try {
    await sleep(leadMs);
    const waitedMs = server.waitedMs();
    const started = performance.now();
    await work();
    const tookMs = Math.round(performance.now() - started);
    await sleep(tailMs);
    const stalls = { ...(await stop()), waitedMs: server.waitedMs() - waitedMs };
    return { longestMs: rounded(stalls.maxMs, 1), stalls, tookMs };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Probes the same work in several rounds: medians of how long it took, of the longest PING and, of
 * a server that tells, of the most work in a turn. What each round came to is in the details.
 * @param {ServerUnderTest} server
 * @param {{ what: string, rounds: number, limit?: number, work: () => Promise<unknown> }} job
 * @returns {Promise<Measure[]>}
 */
export async function stallsInRounds(server, { what, rounds, limit, work }) {
  /** @type {Map<string, number[]>} */
  const values = new Map();
  /** @type {object[]} */
  const stalls = [];
  /** @type {(name: string, value: number) => void} */
  const note = (name, value) => void values.set(name, [...(values.get(name) ?? []), value]);
  for (let i = 0; i < rounds; i++) {
    const round = await probeStalls(server, work);
    stalls.push(round.stalls);
    note(what, round.tookMs);
    note(`longest PING, ${what}`, round.longestMs);
    for (const { name, value } of await longestTurn(server, what)) note(name, value);
  }
  return [...values].map(([name, rounds]) => {
    const measure = { name, unit: /** @type {const} */ ('ms'), value: rounded(median(rounds), 1) };
    if (!name.startsWith('longest PING')) return { ...measure, details: { rounds } };
    return { ...measure, ...(limit && { limit }), details: { rounds, stalls } };
  });
}
