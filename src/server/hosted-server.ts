/**
 * A server behind the few calls that a program has of it: that of the library, and that of
 * `cairn-server`, which brings its configuration and its snapshots' child along.
 */
import { SocketHold } from '../persistence/aof/folder-hold.ts';
import type { SnapshotHelper } from '../persistence/snapshot/snapshot-helper.ts';
import type { CairnServer, CreateServerOptions } from './cairn-server.ts';
import { Config } from './config/config.ts';
import type { ShutdownFlag } from './config/settings.ts';
import { SHUTDOWN_FLAGS } from './config/special-type.ts';
import { silentLog } from './log.ts';
import { supplyChunks } from './memory/memory-ahead.ts';
import { Server } from './server.ts';

export interface HostOptions extends CreateServerOptions {
  /** A configuration that was loaded already; `settings` are applied on top. */
  readonly config?: Config;
  /** The child process that snapshots are written by; by default one of its own. */
  readonly snapshotHelper?: SnapshotHelper;
}

/** Refuses what only JavaScript lets through: a `no-save` would otherwise be a save. */
function checkFlags(flags: readonly ShutdownFlag[]): void {
  if (!Array.isArray(flags)) throw new Error(`close takes a list as ['nosave'], not ${flags}`);
  const unknown = flags.find((flag) => !SHUTDOWN_FLAGS.includes(flag));
  if (unknown !== undefined) {
    throw new Error(`close knows no '${unknown}', but ${SHUTDOWN_FLAGS.join(', ')}`);
  }
  if (flags.includes('save') && flags.includes('nosave')) {
    throw new Error("close cannot both 'save' and 'nosave'");
  }
}

/** Creates a server that does not listen yet. */
export function hostServer(options: HostOptions): CairnServer {
  const config = options.config ?? new Config();
  if (options.settings !== undefined) config.applySettings(options.settings);
  const log = options.log ?? silentLog;
  const server = new Server({
    config,
    log,
    hold: new SocketHold((text) => log.warning(text)),
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
      checkFlags(flags);
      isUsed = true;
      const save = flags.includes('save') ? true : flags.includes('nosave') ? false : undefined;
      const error = await server.close({
        save,
        now: flags.includes('now'),
        force: flags.includes('force'),
      });
      if (error !== undefined) {
        throw new Error(`closing was given up, the server goes on: ${error.message}`, {
          cause: error,
        });
      }
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
