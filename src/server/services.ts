/**
 * What the server offers to its command handlers, beyond the keyspace and the reply.
 *
 * The server object implements this; handlers know only the interface, so that no command file
 * imports the server.
 */
import type { Database } from '../core/database.ts';
import type { Keyspace } from '../core/keyspace.ts';
import type { PayloadRestorer } from '../persistence/rdb/rdb-dump.ts';
import type { Blocking } from './clients/blocking.ts';
import type { Client } from './clients/client.ts';
import type { FrontDesk } from './clients/front-desk.ts';
import type { WatchTable } from './clients/watch-table.ts';
import type { Config } from './config/config.ts';
import type { DebugHooks } from './debug-hooks.ts';
import type { CommandTable } from './dispatch/command-table.ts';
import type { Dispatcher } from './dispatch/dispatch.ts';
import type { Propagator } from './dispatch/propagate.ts';
import type { Stats } from './info/stats.ts';
import type { ActiveExpiry } from './keyspace/active-expiry.ts';
import type { Logger } from './log.ts';
import type { Eviction } from './memory/eviction.ts';
import type { LazyFree } from './memory/lazy-free.ts';
import type { MemoryAccount } from './memory/memory-account.ts';
import type { ReplicationService } from './replication/replication.ts';

/** The options of DEBUG RELOAD. */
export interface ReloadOptions {
  /** Whether a snapshot is written first; else the file that stands is loaded. */
  readonly save: boolean;
  /** Whether all databases are emptied before loading. */
  readonly flush: boolean;
  /** Whether a key that is there already is replaced; else it ends the load with an error. */
  readonly merge: boolean;
}

/** The options of SHUTDOWN. */
export interface ShutdownRequest {
  /** Whether to save; undefined: where save points exist. */
  readonly save: boolean | undefined;
  /** Whether replicas are not waited for. */
  readonly now: boolean;
  /** Whether the server ends even when saving fails. */
  readonly force: boolean;
}

/** What becomes of BGREWRITEAOF. */
export interface RewriteAnswer {
  readonly answer?: string;
  readonly error?: string;
  /** Given when it is still to be seen whether the folder can be had; an error text when not. */
  readonly refusal?: Promise<string | undefined>;
}

/** What commands ask of the files that data are kept in. */
export interface PersistenceServices {
  /** Whether the dataset is being loaded: then what is in memory is not whole. */
  readonly isLoading: boolean;
  /** Whether another dataset is being loaded, while this one is served. */
  readonly isLoadingAside: boolean;
  /** Whether a save runs in the background. */
  readonly isSaving: boolean;
  /** Whether any snapshot, for a save, a rewrite or a replica, runs or is being prepared. */
  readonly isBusy: boolean;
  readonly lastSaveSeconds: number;
  /**
   * Begins a save in the background; false while another snapshot runs. One that is waited for has
   * no writes refused when it fails.
   */
  beginSave(isAwaited?: boolean): boolean;
  /** Has a save begin as soon as no snapshot runs any more. */
  scheduleSave(): void;
  /** Resolves when the running save has ended, with what went wrong, if anything. */
  saveEnding(): Promise<string | undefined>;
  /** Saves at once, while everything else waits. Returns what went wrong, if anything. */
  saveInPlace(): string | undefined;
  /** BGREWRITEAOF; `later`: not in this unit. */
  requestRewrite(later: boolean): RewriteAnswer;
  /** Saves and loads the dataset again. Resolves with an error text when that failed. */
  reload(options: ReloadOptions): Promise<string | undefined>;
  /**
   * Flushes the AOF to disk and loads the dataset from it. Resolves with an error text when that
   * failed.
   */
  reloadAof(): Promise<string | undefined>;
  /** Sets all figures back, for CONFIG RESETSTAT. */
  resetFigures(): void;
  /**
   * FLUSHALL emptied everything: a running snapshot is pointless, and where save points exist an
   * empty one is due. Called between units.
   */
  flushed(): void;
}

export interface Services {
  readonly keyspace: Keyspace;
  readonly propagator: Propagator;
  readonly config: Config;
  readonly commands: CommandTable;
  readonly stats: Stats;
  readonly log: Logger;
  readonly clients: Map<number, Client>;
  readonly watches: WatchTable;
  /** Clients that wait for a key. */
  readonly blocking: Blocking;
  readonly dispatcher: Dispatcher;
  /**
   * Users, subscriptions, gates, pauses, monitors, the slow log: what concerns clients beside their
   * commands.
   */
  readonly desk: FrontDesk;
  readonly memory: MemoryAccount;
  readonly eviction: Eviction;
  readonly activeExpiry: ActiveExpiry;
  readonly lazyFree: LazyFree;
  /** Role, replicas, and the link to a primary. */
  readonly replication: ReplicationService;
  readonly debug: DebugHooks;
  readonly persistence: PersistenceServices;
  /** Takes values from what DUMP gave. */
  readonly restorer: PayloadRestorer;
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
  /**
   * Empties a database and returns how many keys it held; whoever watches or caches them learns of
   * it.
   */
  flushDatabase(id: number): number;
  /**
   * Exchanges the contents of two databases; whoever watches, caches or awaits their keys learns of
   * it.
   */
  swapDatabases(a: number, b: number): void;
  /** Sees to it that this turn ends, for work outside commands that wrote into the journal. */
  endTurnSoon(): void;
  /**
   * Whether the running command of `client` may be answered later: not inside EXEC, nor without a
   * link.
   */
  mayWait(client: Client): boolean;
  /** The client's further commands wait until `work` settles; then `answer` writes the reply. */
  answerLater<T>(client: Client, work: Promise<T>, answer: (result: T) => void): void;
  /** A client that had to wait goes on with its further commands. */
  resumeClient(client: Client): void;
  /** Ends the server; resolves with why when it goes on instead. */
  shutdown(request: ShutdownRequest): Promise<Error | undefined>;
  /** SHUTDOWN ABORT: true when an end was being waited for. */
  abortShutdown(): boolean;
  /** Closes a client once its replies are sent, or at once. */
  closeClient(client: Client, how: 'after-reply' | 'now'): void;
  /** Puts a client on the list of those whose replies this turn will release. */
  listClient(client: Client): void;
}
