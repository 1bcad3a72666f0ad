/**
 * Cairn as a library: a real server inside a program or a test.
 *
 *     import { createServer } from 'cairn';
 *     const server = createServer({ settings: { port: 0, dir: '/tmp/somewhere' } });
 *     await server.listen();
 *     ... connect to server.port ...
 *     await server.close();
 *
 * Fake timers, which a test installs when this is loaded, do not stop a server; its keys expire by
 * the test's `Date`.
 */
import type { CairnServer, CreateServerOptions } from './cairn-server.ts';
import type { Settings, ShutdownFlag } from './config/settings.ts';
import { hostServer } from './hosted-server.ts';
import type { LogFields, Logger } from './log.ts';

export type { CairnServer, CreateServerOptions, LogFields, Logger, Settings, ShutdownFlag };

const OPTIONS: Readonly<Record<keyof CreateServerOptions, true>> = {
  settings: true,
  log: true,
  onBound: true,
  onRole: true,
  exit: true,
};

const SETTING_TYPES: readonly string[] = ['string', 'number', 'boolean'];
const CALLBACKS = ['onBound', 'onRole', 'exit'] as const;
const LOG_METHODS = ['debug', 'verbose', 'notice', 'warning'] as const;

/**
 * Refuses what only JavaScript lets through. `{ port: 0 }` in the place of `settings` would
 * otherwise be a server on port 6379, with its data wherever the program was started.
 */
function checkOptions(options: CreateServerOptions): void {
  requireObject(options, 'the options of a server');
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(OPTIONS, name)) continue;
    throw new Error(`there is no option '${name}': parameters of redis.conf go into \`settings\``);
  }
  const { settings, log } = options;
  if (settings !== undefined) requireObject(settings, '`settings`');
  for (const [name, value] of Object.entries(settings ?? {})) {
    if (SETTING_TYPES.includes(typeof value)) continue;
    throw new Error(`setting '${name}': neither text nor a number, nor true or false`);
  }
  for (const name of CALLBACKS) {
    const given = options[name];
    if (given === undefined || typeof given === 'function') continue;
    throw new Error(`option '${name}' is a function, not ${given}`);
  }
  const missing = log && LOG_METHODS.find((name) => typeof log[name] !== 'function');
  if (missing) throw new Error(`\`log\` has no method named ${missing}`);
}

function requireObject(value: unknown, what: string): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  throw new Error(`${what} are an object, not ${Array.isArray(value) ? 'a list' : value}`);
}

/**
 * Creates a server that does not listen yet. Several may run in one process. Throws an error that
 * names the option or setting that cannot be.
 */
export function createServer(options: CreateServerOptions = {}): CairnServer {
  checkOptions(options);
  return hostServer(options);
}
