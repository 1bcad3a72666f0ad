/**
 * Cairn as a library: a real server inside a program or a test.
 *
 *     import { createServer } from 'cairn';
 *     const server = createServer({ settings: { port: 0, dir: '/tmp/somewhere' } });
 *     await server.listen();
 *     ... connect to server.port ...
 *     await server.close();
 */
import { Config, type Settings } from './config/config.ts';
import { type Logger, silentLog } from './log.ts';
import { Server } from './server.ts';

export interface CreateServerOptions {
  /** Parameters by their names in redis.conf: `{ port: 0, appendonly: true }`. */
  readonly settings?: Settings;
  /** A configuration that was loaded already; `settings` are applied on top. */
  readonly config?: Config;
  /** Where messages go; without it a server in a program is silent. */
  readonly log?: Logger;
}

export interface CairnServer {
  /** Loads the data and listens. Rejects with an error that says what to do when it cannot. */
  listen(): Promise<void>;
  /** Saves as the configuration says, closes all connections and stops. */
  close(): Promise<void>;
  /** The TCP port listened on; with port 0 the one that was free. */
  readonly port: number;
}

/** Creates a server that does not listen yet. Several may run in one process. */
export function createServer(options: CreateServerOptions = {}): CairnServer {
  const config = options.config ?? new Config();
  if (options.settings !== undefined) config.applySettings(options.settings);
  const server = new Server(config, options.log ?? silentLog);
  return {
    listen: () => server.start(options.config === undefined),
    close: () => server.stop(),
    get port() {
      return server.port;
    },
  };
}
