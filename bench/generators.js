/** Starts the load generators: redis-benchmark, the fill, the steady writer, the pinger. */
import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { generatorCore, pinned } from './servers.js';

/**
 * @typedef {import('./servers.js').ServerUnderTest} ServerUnderTest
 * @typedef {import('./load/recipe.js').Recipe} Recipe
 */

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
const patience = { timeout: 600_000, maxBuffer: 1 << 24 };

const fillScript = fileURLToPath(new URL('./load/fill.js', import.meta.url));
const writerScript = fileURLToPath(new URL('./load/writer.js', import.meta.url));
/** Has node run a script in one thread, and compile nothing: it should not be in its own way. */
const quiet = ['--v8-pool-size=0', '--no-opt', '--no-sparkplug'];
const pingerScript = fileURLToPath(new URL('./load/pinger.js', import.meta.url));

/**
 * What a failed program said, in a line.
 * @type {(error: Error & { stderr?: string }) => string}
 */
function said(error) {
  const text = error.stderr?.trim() || error.message;
  return text
    .replace(/^Error from server: /, '')
    .replace(/\s+/g, ' ')
    .slice(0, 160);
}

/**
 * Runs redis-benchmark once and gives requests a second. Throws on an error reply.
 * @param {ServerUnderTest} server
 * @param {{ command: string[], requests: number, pipeline: number, connections: number,
 *   range?: number, core?: number | null }} load `range` is the bound of random numbers
 */
export async function runBenchmark(server, load) {
  const { command, requests, pipeline, connections } = load;
  const { range = 1_000_000, core = generatorCore } = load;
  const counts = ['-c', connections, '-n', requests, '-r', range, '-P', pipeline].map(String);
  const argv = ['redis-benchmark', '-p', String(server.port), ...counts, '--csv', ...command];
  const [file = '', ...args] = pinned(core, argv);
  const { stdout, stderr } = await run(file, args, patience).catch((error) => {
    throw new Error(said(error));
  });
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  const rps = Number(/",\s*"([\d.]+)"/.exec(line)?.[1] ?? Number.NaN);
  if (!(rps > 0)) throw new Error(`redis-benchmark on ${server.name}: ${stdout}${stderr}`);
  return rps;
}

/**
 * Writes data sets; throws on an error reply.
 * @param {ServerUnderTest} server
 * @param {Recipe[]} recipes
 */
export async function fill(server, recipes) {
  if (recipes.length === 0) return;
  const argv = [process.execPath, fillScript, String(server.port), JSON.stringify(recipes)];
  const [file = '', ...args] = pinned(generatorCore, argv);
  await run(file, args, patience).catch((error) => {
    throw new Error(said(error));
  });
}

/**
 * Starts a script that prints a line when it is at work and, after the end of its standard input,
 * its result. The function given ends it and gives the result.
 * @type {(path: string, args: string[], flags?: string[]) => Promise<() => Promise<string>>}
 */
async function startScript(path, args, flags = []) {
  const argv = [...flags, path, ...args];
  const child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await new Promise((resolve) => {
    child.stdout.on('data', (chunk) => {
      text += chunk;
      resolve(null);
    });
    child.once('exit', resolve);
  });
  return async () => {
    child.stdin.end();
    await ended;
    return text.slice(text.indexOf('\n') + 1);
  };
}

/**
 * Starts writes at a steady rate; the function it gives stops them and tells how many there were.
 * @param {ServerUnderTest} server
 * @param {{ recipes: Recipe[], range: number, perSecond: number }} load the recipes take turns,
 *   each with a random index below `range`
 */
export async function startWriter(server, load) {
  const { recipes, range, perSecond } = load;
  const args = [server.port, JSON.stringify(recipes), range, perSecond].map(String);
  const stop = await startScript(writerScript, args);
  return async () => Number(await stop());
}

/**
 * Starts the stall probe; the function it gives stops it and tells what it saw.
 * @param {ServerUnderTest} server
 * @returns {Promise<() => Promise<Stalls>>}
 */
export async function startPinger(server) {
  const stop = await startScript(pingerScript, [String(server.port)], quiet);
  return async () => JSON.parse(await stop());
}
