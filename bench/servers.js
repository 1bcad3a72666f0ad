/**
 * Servers under measurement: started in a folder of their own on a free loopback port, pinned to a
 * core where taskset exists, ended by PID; with what the system knows of them (CPU time over all
 * threads, resident memory).
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findTool } from './tools.js';

/** @typedef {import('./options.js').Contender} Contender */

const taskset = findTool('taskset');

/** The cores of server and load generator. */
const serverCore = 0;
export const generatorCore = 1;

/** Clock ticks a second in /proc/PID/stat: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;
const tickUs = 1_000_000 / ticksPerSecond;

/** Milliseconds until a server that does not listen yet is tried again. */
const connectAgainMs = 5;
/** How long an answer is waited for before looking whether the server is alive. */
const waitMs = 1000;

/** What a server does by itself soon after its start is over then: Cairn rehearses a snapshot. */
export const startedMs = 3000;

/** @type {(ms: number) => Promise<void>} */
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * A command line bound to a core, where that is possible.
 * @type {(core: number | null, argv: string[]) => string[]}
 */
export function pinned(core, argv) {
  return core === null || taskset === null ? argv : [taskset, '-c', String(core), ...argv];
}

/** @type {() => Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}

/**
 * What there is in a file of /proc; of a process that has ended, nothing.
 * @type {(path: string) => string}
 */
function readProc(path) {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** @type {(pid: number) => number[]} */
function treeOf(pid) {
  const children = readProc(`/proc/${pid}/task/${pid}/children`).trim().split(' ');
  return [pid, ...children.filter((text) => text !== '').flatMap((text) => treeOf(Number(text)))];
}

/** @type {(pid: number) => number} */
function proportionalBytes(pid) {
  const rollup = readProc(`/proc/${pid}/smaps_rollup`);
  return Number(/^Pss:\s*(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024;
}

/** A running server; times from /proc/PID/stat, whose fields 14 and 15 count all threads. */
export class ServerUnderTest {
  /**
   * @param {string} name
   * @param {import('node:child_process').ChildProcess} child
   * @param {number} port
   * @param {string} dir
   * @param {boolean} ownsDir
   */
  constructor(name, child, port, dir, ownsDir) {
    this.name = name;
    this.child = child;
    this.port = port;
    this.dir = dir;
    this.ownsDir = ownsDir;
    this.control = new Redis(port, '127.0.0.1', {
      lazyConnect: true,
      enableReadyCheck: false,
      enableOfflineQueue: true,
      retryStrategy: () => connectAgainMs,
      maxRetriesPerRequest: null,
    });
    this.control.on('error', () => {});
  }

  /** CPU time of all threads so far, user and system, in microseconds. */
  cpuUs() {
    const stat = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * tickUs;
  }

  /** Milliseconds so far that the main thread was ready to run and had no core. */
  waitedMs() {
    const schedule = readProc(`/proc/${this.child.pid}/schedstat`);
    return Math.round(Number(schedule.split(' ')[1] ?? 0) / 1e6);
  }

  /** Resident memory in bytes. */
  rssBytes() {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s*(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  }

  /**
   * Memory of the process and of those it started, in bytes; a page that several share counts
   * once. So it is what a snapshot takes, be it by fork or by a pipe to a helper.
   */
  treeBytes() {
    return treeOf(this.child.pid ?? 0).reduce((sum, pid) => sum + proportionalBytes(pid), 0);
  }

  /**
   * Sends one command on the control connection and gives the reply as text; an error reply is an
   * error.
   * @param {string} name
   * @param {string[]} args
   */
  async call(name, ...args) {
    return String(await this.control.call(name, ...args));
  }

  /**
   * One field of INFO, or the empty string.
   * @param {string} section
   * @param {string} field
   */
  async info(section, field) {
    const text = await this.call('INFO', section);
    return new RegExp(`^${field}:(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  }

  /** Milliseconds for which a file was loaded, as the log says. */
  loadedMs() {
    const log = readFileSync(join(this.dir, 'server.log'), 'utf8');
    const seconds = /DB loaded from disk: ([\d.]+) seconds/.exec(log)?.[1];
    if (seconds === undefined) throw new Error(`${this.name} does not say that it loaded a file`);
    return Math.round(Number(seconds) * 1000);
  }

  /** Ends the process and removes the folder. */
  async stop() {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.control.disconnect();
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGKILL');
      await ended;
    }
    if (this.ownsDir) rmSync(this.dir, { recursive: true, force: true });
  }
}

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
// A signal would end the process without `exit`, and leave the servers behind.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

/**
 * Waits until the server answers PING; while it loads a file it does not.
 * @type {(server: ServerUnderTest, timeoutMs: number) => Promise<void>}
 */
async function waitReady(server, timeoutMs) {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    if (server.child.exitCode !== null) {
      const log = readFileSync(join(server.dir, 'server.log'), 'utf8');
      throw new Error(`${server.name} ended while starting:\n${log}`);
    }
    const answer = await Promise.race([server.call('PING').catch(() => ''), sleep(waitMs)]);
    if (answer === 'PONG') return;
    await sleep(connectAgainMs);
  }
  throw new Error(`${server.name} did not answer within ${timeoutMs} ms`);
}

/**
 * Starts a contender and waits until it answers.
 * @param {Contender} contender
 * @param {{ core?: number | null, dir?: string, config?: string[] }} [options] `core` null leaves
 *   the server unpinned; `dir` is used and kept; `config` are further arguments
 */
export async function startServer(contender, options = {}) {
  const { core = serverCore, config = [] } = options;
  const port = await freePort();
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), `bench-${contender.name}-`));
  const basic = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', ''];
  const logfile = ['--logfile', join(dir, 'server.log')];
  const [file = '', ...args] = pinned(core, [contender.path, ...basic, ...logfile, ...config]);
  const child = spawn(file, args, { cwd: dir, stdio: 'ignore' });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const server = new ServerUnderTest(contender.name, child, port, dir, options.dir === undefined);
  try {
    await waitReady(server, 300_000);
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}
