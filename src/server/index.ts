/**
 * Cairn as a library: a real server inside a program or a test.
 *
 *     import { createServer } from 'cairn';
 *     const server = createServer({ settings: { port: 0, dir: '/tmp/somewhere' } });
 *     await server.listen();
 *     ... connect to server.port ...
 *     await server.close();
 */
import type { Settings, ShutdownFlag } from './config/settings.ts';
import { hostServer } from './hosted-server.ts';
import type { LogFields, Logger } from './log.ts';

export type { LogFields, Logger, Settings, ShutdownFlag };

export interface CreateServerOptions {
  /**
   * Parameters by their names in redis.conf: `{ port: 0, appendonly: true }`. The folder `dir` is
   * for one server at a time, and the working directory unless it is said. What is for a process
   * of its own (`daemonize`, `pidfile`, `logfile`, `loglevel`, ...) does nothing here.
   */
  readonly settings?: Settings;
  /** Where messages go; without it a server in a program is silent. */
  readonly log?: Logger;
  /** Called when the sockets are bound, before the dataset is loaded. */
  readonly onBound?: () => void;
  /** Called when REPLICAOF or a failover turns the server into the other role. */
  readonly onRole?: (role: 'primary' | 'replica') => void;
  /** Called when SHUTDOWN has ended the server, with the exit code that a process should have. */
  readonly exit?: (code: number) => void;
}

export interface CairnServer {
  /**
   * Listens and loads the data, once. Rejects with an error that says what to do when it cannot;
   * `cause` is what the system said.
   */
  listen(): Promise<void>;
  /**
   * Ends as SHUTDOWN does: saves as the configuration says (or as `flags` say), closes all
   * connections. Rejects when the data cannot be saved, and says why; the server goes on then.
   */
  close(flags?: readonly ShutdownFlag[]): Promise<void>;
  /** The TCP port listened on; with port 0 the one that was free. */
  readonly port: number;
  /** Whether a snapshot is being made: for a file, the base of an AOF or a replica. */
  readonly isSaving: boolean;
  /** Gives that up at once, for a process that leaves without `close`: no half file is left. */
  dropSnapshot(): void;
}

const OPTIONS: Readonly<Record<keyof CreateServerOptions, true>> = {
  settings: true,
  log: true,
  onBound: true,
  onRole: true,
  exit: true,
};

const SETTING_TYPES: readonly string[] = ['string', 'number', 'boolean'];
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
