/**
 * Cairn as a library: a real server inside a program or a test.
 *
 *     import { createServer } from 'cairn';
 *     const server = createServer({ settings: { port: 0, dir: '/tmp/somewhere' } });
 *     await server.listen();
 *     ... connect to server.port ...
 *     await server.close();
 */
import type { SnapshotHelper } from '../persistence/snapshot/snapshot-helper.ts';
import { Config, type Settings } from './config/config.ts';
import type { ShutdownFlag } from './config/special-type.ts';
import { type Logger, silentLog } from './log.ts';
import { supplyChunks } from './memory/memory-ahead.ts';
import { Server } from './server.ts';

export interface CreateServerOptions {
  /** Parameters by their names in redis.conf: `{ port: 0, appendonly: true }`. */
  readonly settings?: Settings;
  /** A configuration that was loaded already; `settings` are applied on top. */
  readonly config?: Config;
  /** Where messages go; without it a server in a program is silent. */
  readonly log?: Logger;
  /** Called when the sockets are bound, before the dataset is loaded. */
  readonly onBound?: () => void;
  /** Called when REPLICAOF or a failover turns the server into the other role. */
  readonly onRole?: (role: 'primary' | 'replica') => void;
  /** Called when SHUTDOWN has ended the server, with the exit code that a process should have. */
  readonly exit?: (code: number) => void;
  /** The child process that snapshots are written by; by default one of its own. */
  readonly snapshotHelper?: SnapshotHelper;
}

export interface CairnServer {
  /**
   * Listens and loads the data, once. Rejects with an error that says what to do when it cannot;
   * `cause` is what the system said.
   */
  listen(): Promise<void>;
  /**
   * Ends as SHUTDOWN does: saves as the configuration says (or as `flags` say), closes all
   * connections. Rejects when the data cannot be saved; the server goes on then.
   */
  close(flags?: readonly ShutdownFlag[]): Promise<void>;
  /** The TCP port listened on; with port 0 the one that was free. */
  readonly port: number;
  /** Whether a snapshot is being made: for a file, the base of an AOF or a replica. */
  readonly isSaving: boolean;
  /** Gives that up at once, for a process that leaves without `close`: no half file is left. */
  dropSnapshot(): void;
}

/** Creates a server that does not listen yet. Several may run in one process. */
export function createServer(options: CreateServerOptions = {}): CairnServer {
  const config = options.config ?? new Config();
  if (options.settings !== undefined) config.applySettings(options.settings);
  const server = new Server({
    config,
    log: options.log ?? silentLog,
    anyPort: options.config === undefined,
    onBound: options.onBound,
    onRole: options.onRole,
    exit: options.exit,
    ...(options.snapshotHelper && { snapshotHelper: options.snapshotHelper }),
  });
  supplyChunks(server.keyspace.arena);
  let isUsed = false;
  return {
    listen: async () => {
      if (isUsed) throw new Error('a server listens once: create another one');
      isUsed = true;
      await server.start();
    },
    close: async (flags = []) => {
      isUsed = true;
      const save = flags.includes('save') ? true : flags.includes('nosave') ? false : undefined;
      const error = await server.close({
        save,
        now: flags.includes('now'),
        force: flags.includes('force'),
      });
      if (error !== undefined)
        throw new Error('closing was given up, the server goes on: see the log');
    },
    get port() {
      return server.port;
    },
    get isSaving() {
      return server.persistence.snapshots.isRunning;
    },
    dropSnapshot: () => server.persistence.snapshots.abort(),
  };
}
