/**
 * What the server offers to its command handlers, beyond the keyspace and the reply.
 *
 * The server object implements this; handlers know only the interface, so that no command file imports the server.
 */
import type { Database } from '../core/database.ts';
import type { Keyspace } from '../core/keyspace.ts';
import type { Client } from './client.ts';
import type { CommandTable } from './command-table.ts';
import type { Config } from './config/config.ts';
import type { Dispatcher } from './dispatch.ts';
import type { Logger } from './log.ts';
import type { Propagator } from './propagate.ts';
import type { Stats } from './stats.ts';
import type { WatchTable } from './watch-table.ts';

export interface Services {
  readonly keyspace: Keyspace;
  readonly propagator: Propagator;
  readonly config: Config;
  readonly commands: CommandTable;
  readonly stats: Stats;
  readonly log: Logger;
  readonly clients: Map<number, Client>;
  readonly watches: WatchTable;
  readonly dispatcher: Dispatcher;
  /** Classes of keyspace events that anybody may listen to. */
  readonly notifyClasses: number;
  /** 40 hexadecimal digits that name this run of the server. */
  readonly runId: string;
  /** Milliseconds since 1970 when the server began. */
  readonly startedMs: number;

  /** A key was changed: transactions that watch it will fail. */
  keyChanged(db: Database, key: Uint8Array, offset: number, length: number): void;
  /** Publishes a keyspace event. */
  notifyKey(
    db: number,
    key: Uint8Array,
    offset: number,
    length: number,
    eventClass: number,
    event: string,
  ): void;
  /** Closes a client once its replies are sent, or at once. */
  closeClient(client: Client, how: 'after-reply' | 'now'): void;
  /** Puts a client on the list of those whose replies this turn will release. */
  listClient(client: Client): void;
}
