/** A server as a program sees it: what it may be told when it is made, and what it can do. */
import type { Settings, ShutdownFlag } from './config/settings.ts';
import type { Logger } from './log.ts';

export interface CreateServerOptions {
  /**
   * Parameters by their names in redis.conf: `{ port: 0, appendonly: true }`. The folder `dir` is
   * for one server at a time, and the working directory unless it is said; with `appendonly`,
   * `listen` rejects while another server, of this program or another, has the AOF there (where
   * that can be seen: on Linux). What is for a process of its own (`daemonize`, `pidfile`,
   * `logfile`, `loglevel`, ...) does nothing here.
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
