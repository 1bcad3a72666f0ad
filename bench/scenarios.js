/**
 * What a single command does not show: memory a key, loading a dump, the stalls of a snapshot, and
 * the append-only file under each policy. Servers are not pinned here: a snapshot's child and an
 * fsync's thread may use the other core, as they would in production.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fill, runBenchmark, startPinger, startWriter } from './generators.js';
import { stringKeys } from './scenes.js';
import { sleep, startServer } from './servers.js';
import { median, rounded } from './statistics.js';

/**
 * @typedef {import('./options.js').Options} Options
 * @typedef {import('./options.js').Contender} Contender
 * @typedef {import('./generators.js').Stalls} Stalls
 * @typedef {import('./servers.js').ServerUnderTest} ServerUnderTest
 *
 * @typedef {{ rssPerKey: number, growthPerKey: number }} Memory bytes
 * @typedef {{ idle: Stalls, writing: Stalls, snapshot: Stalls, snapshotMs: number }} Snapshot
 * @typedef {{ rps: number, stalls: Stalls }} Aof
 */

const unpinned = { core: null };
const probeMs = 3000;
const writesPerSecond = 20_000;
const saveTimeoutMs = 300_000;

/** @type {(text: string) => void} */
const print = (text) => process.stdout.write(`${text}\n`);

/**
 * Memory after a fill, then the stalls around a snapshot of the same keys.
 * @param {Contender} contender
 * @param {Options} options
 * @returns {Promise<{ memory: Memory, snapshot: Snapshot }>}
 */
async function measureFilled(contender, options) {
  const server = await startServer(contender, unpinned);
  try {
    const empty = server.rssBytes();
    await fill(server, [stringKeys(options.keys)]);
    await sleep(500);
    const full = server.rssBytes();
    const memory = {
      rssPerKey: rounded(full / options.keys, 1),
      growthPerKey: rounded((full - empty) / options.keys, 1),
    };
    print(`${contender.name}: ${memory.rssPerKey} bytes a key, growth ${memory.growthPerKey}`);
    return { memory, snapshot: await measureSnapshot(server, options) };
  } finally {
    await server.stop();
  }
}

/** @type {(server: ServerUnderTest, keys: number) => Promise<Snapshot>} */
async function probeSnapshot(server, keys) {
  const idleProbe = startPinger(server);
  await sleep(probeMs);
  const idle = await idleProbe();
  const stopWriter = startWriter(server, { keys, perSecond: writesPerSecond });
  const writingProbe = startPinger(server);
  await sleep(probeMs);
  const writing = await writingProbe();
  const snapshotProbe = startPinger(server);
  await sleep(300);
  const started = performance.now();
  await server.cli('BGSAVE');
  while ((await server.info('persistence', 'rdb_bgsave_in_progress')) !== '0') {
    if (performance.now() - started > saveTimeoutMs) throw new Error('BGSAVE did not end');
    await sleep(20);
  }
  const snapshotMs = Math.round(performance.now() - started);
  await sleep(200);
  const snapshot = await snapshotProbe();
  await stopWriter();
  return { idle, writing, snapshot, snapshotMs };
}

/** @type {(server: ServerUnderTest, options: Options) => Promise<Snapshot>} */
async function measureSnapshot(server, options) {
  const result = await probeSnapshot(server, options.keys);
  const status = await server.info('persistence', 'rdb_last_bgsave_status');
  if (status !== 'ok') throw new Error(`${server.name}: BGSAVE ended with "${status}"`);
  const { idle, writing, snapshot, snapshotMs } = result;
  print(
    `${server.name}: longest PING ${idle.maxMs.toFixed(1)} ms idle, ` +
      `${writing.maxMs.toFixed(1)} ms writing, ${snapshot.maxMs.toFixed(1)} ms during BGSAVE ` +
      `(p99.9 ${snapshot.p999Ms.toFixed(1)} ms, BGSAVE ${snapshotMs} ms)`,
  );
  return result;
}

/**
 * Milliseconds from the start of the process until it serves a dump that the peer wrote.
 * @param {Options} options
 * @returns {Promise<Record<string, number>>}
 */
export async function measureLoadTime(options) {
  const dir = mkdtempSync(join(tmpdir(), 'bench-dump-'));
  /** @type {Record<string, number>} */
  const times = {};
  try {
    const [writer = options.subject] = options.peers;
    const source = await startServer(writer, { ...unpinned, dir });
    await fill(source, [stringKeys(options.keys)]);
    await source.cli('SAVE');
    await source.stop();
    for (const contender of [options.subject, ...options.peers]) {
      const started = performance.now();
      const server = await startServer(contender, { ...unpinned, dir });
      const count = Number(await server.cli('DBSIZE'));
      times[contender.name] = Math.round(performance.now() - started);
      await server.stop();
      if (count !== options.keys) throw new Error(`${contender.name} loaded ${count} keys`);
      print(`${contender.name}: ${times[contender.name]} ms to load ${options.keys} keys`);
    }
    return times;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/**
 * @param {Options} options
 * @returns {Promise<Record<string, { memory: Memory, snapshot: Snapshot }>>}
 */
export async function measureMemoryAndSnapshot(options) {
  /** @type {Record<string, { memory: Memory, snapshot: Snapshot }>} */
  const results = {};
  for (const contender of [options.subject, ...options.peers]) {
    results[contender.name] = await measureFilled(contender, options);
  }
  return results;
}

/** Requests a policy gets: under `always` every turn waits for the disk. */
const aofRequests = { always: 50_000, everysec: 200_000, no: 200_000 };

/**
 * @param {Options} options
 * @param {'always' | 'everysec' | 'no'} policy
 * @returns {Promise<Record<string, Aof>>}
 */
async function measurePolicy(options, policy) {
  const config = ['--appendonly', 'yes', '--appendfsync', policy];
  const requests = Math.round(aofRequests[policy] * options.scale);
  const command = ['SET', 'key:__rand_int__', 'x'.repeat(16)];
  /** @type {Record<string, Aof>} */
  const results = {};
  const servers = [];
  try {
    for (const contender of [options.subject, ...options.peers]) {
      servers.push({ server: await startServer(contender, { core: null, config }), rps: [0] });
    }
    const probes = servers.map(({ server }) => ({ server, stalls: /** @type {Stalls[]} */ ([]) }));
    for (let round = 0; round < options.rounds; round++) {
      for (const [i, { server, rps }] of servers.entries()) {
        const probe = startPinger(server);
        const load = { command, requests, pipeline: 1, connections: 50, core: null };
        rps[round] = await runBenchmark(server, load);
        probes[i]?.stalls.push(await probe());
      }
    }
    for (const [i, { server, rps }] of servers.entries()) {
      const seen = probes[i]?.stalls ?? [];
      const worst = seen.reduce((a, b) => (b.maxMs > a.maxMs ? b : a));
      results[server.name] = { rps: Math.round(median(rps)), stalls: worst };
      print(
        `AOF ${policy.padEnd(8)} ${server.name}: ${results[server.name]?.rps}/s, ` +
          `longest PING ${worst.maxMs.toFixed(1)} ms, p99 ${worst.p99Ms.toFixed(1)} ms`,
      );
    }
    return results;
  } finally {
    for (const { server } of servers) await server.stop();
  }
}

/**
 * Throughput with 50 clients and the longest stall, by policy and server.
 * @param {Options} options
 */
export async function measureAof(options) {
  return {
    always: await measurePolicy(options, 'always'),
    everysec: await measurePolicy(options, 'everysec'),
    no: await measurePolicy(options, 'no'),
  };
}
