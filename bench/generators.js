/** Starts the load generators: redis-benchmark, the fill, the steady writer, the pinger. */
import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { generatorCore, pinned } from './servers.js';

/** @typedef {import('./servers.js').ServerUnderTest} ServerUnderTest */

/**
 * What the pinger saw, times in milliseconds.
 * @typedef {object} Stalls
 * @property {number} count
 * @property {number} p50Ms
 * @property {number} p99Ms
 * @property {number} p999Ms
 * @property {number} maxMs
 * @property {number} over1Ms
 * @property {number} over5Ms
 * @property {number} over20Ms
 */

const run = promisify(execFile);

const fillScript = fileURLToPath(new URL('./load/fill.js', import.meta.url));
const writerScript = fileURLToPath(new URL('./load/writer.js', import.meta.url));
const pingerScript = fileURLToPath(new URL('./load/pinger.js', import.meta.url));

/**
 * Runs redis-benchmark once and gives requests a second. Throws on an error reply.
 * @param {ServerUnderTest} server
 * @param {{ command: string[], requests: number, pipeline: number, connections: number,
 *   core?: number | null }} load
 */
export async function runBenchmark(server, load) {
  const { command, requests, pipeline, connections, core = generatorCore } = load;
  const counts = ['-c', connections, '-n', requests, '-r', 1_000_000, '-P', pipeline].map(String);
  const argv = ['redis-benchmark', '-p', String(server.port), ...counts, '--csv', ...command];
  const [file = '', ...args] = pinned(core, argv);
  const { stdout, stderr } = await run(file, args, { timeout: 600_000, maxBuffer: 1 << 24 });
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  const rps = Number(/",\s*"([\d.]+)"/.exec(line)?.[1] ?? Number.NaN);
  if (!(rps > 0)) throw new Error(`redis-benchmark on ${server.name}: ${stdout}${stderr}`);
  return rps;
}

/**
 * Writes `count` keys with 16-byte values.
 * @param {ServerUnderTest} server
 * @param {number} count
 */
export async function fill(server, count) {
  const argv = pinned(generatorCore, [process.execPath, fillScript]);
  const [file = '', ...args] = [...argv, String(server.port), '0', String(count), '16'];
  await run(file, args, { timeout: 600_000 });
}

/** @type {(path: string, numbers: number[]) => () => Promise<string>} */
function startScript(path, numbers) {
  const child = spawn(process.execPath, [path, ...numbers.map(String)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return async () => {
    child.stdin.end();
    await ended;
    return text;
  };
}

/**
 * Starts SETs at a steady rate; the function it gives stops them and tells how many there were.
 * @param {ServerUnderTest} server
 * @param {{ keys: number, perSecond: number }} load
 */
export function startWriter(server, load) {
  const stop = startScript(writerScript, [server.port, load.keys, load.perSecond]);
  return async () => Number(await stop());
}

/**
 * Starts the stall probe; the function it gives stops it and tells what it saw.
 * @param {ServerUnderTest} server
 * @returns {() => Promise<Stalls>}
 */
export function startPinger(server) {
  const stop = startScript(pingerScript, [server.port]);
  return async () => JSON.parse(await stop());
}
