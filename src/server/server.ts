/**
 * The server: puts the rooms together, starts, keeps time, and ends.
 *
 * Several may live in one process: nothing here, or below, is global but buffers that hold
 * something for the length of a call, and the read buffer of the fast links.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Database } from '../core/database.ts';
import { Keyspace } from '../core/keyspace.ts';
import { latin1Text } from '../core/text/latin1.ts';
import { realFileSystem } from '../persistence/file-system.ts';
import { PayloadRestorer } from '../persistence/rdb/rdb-dump.ts';
import type { ReplicationAux } from '../replication/replication-id.ts';
import { Blocking } from './clients/blocking.ts';
import { type Client, WAIT_WORK } from './clients/client.ts';
import { closeIdleClients, evictClients } from './clients/client-upkeep.ts';
import { FrontDesk } from './clients/front-desk.ts';
import { WatchTable } from './clients/watch-table.ts';
import { ALL_COMMANDS } from './commands/all.ts';
import { serializedLength } from './commands/dump.ts';
import type { Config } from './config/config.ts';
import { DebugHooks } from './debug-hooks.ts';
import { CommandTable, renameCommands } from './dispatch/command-table.ts';
import { Dispatcher } from './dispatch/dispatch.ts';
import { PROTECTED_MODE } from './dispatch/errors.ts';
import { Propagator } from './dispatch/propagate.ts';
import { Stats } from './info/stats.ts';
import { ActiveExpiry } from './keyspace/active-expiry.ts';
import { flushAll, flushDatabase, installDatabases, swapDatabases } from './keyspace/databases.ts';
import { followEncodingLimits } from './keyspace/follow-encoding-limits.ts';
import { announceExpired } from './keyspace/key-removal.ts';
import { createRandom, createSeed } from './keyspace/random.ts';
import type { Logger } from './log.ts';
import { Eviction } from './memory/eviction.ts';
import { LazyFree } from './memory/lazy-free.ts';
import { countBeside, MemoryAccount } from './memory/memory-account.ts';
import { Persistence } from './persistence/persistence.ts';
import { SnapshotBrake } from './persistence/snapshot-brake.ts';
import { syncSnapshotStarter } from './persistence/sync-snapshot.ts';
import { ReplicationService } from './replication/replication.ts';
import { auxFields } from './replication/replication-aux.ts';
import type { ServerOptions } from './server-options.ts';
import type { Services, ShutdownRequest } from './services.ts';
import { Shutdown } from './shutdown.ts';
import { Cron } from './time/cron.ts';
import { sleepSync } from './time/sleep.ts';
import { Hub } from './turn/hub.ts';
import { Listeners } from './turn/listeners.ts';
import { Turn } from './turn/turn.ts';

export class Server implements Services {
  readonly config: Config;
  readonly log: Logger;
  readonly keyspace: Keyspace;
  readonly propagator = new Propagator();
  readonly commands: CommandTable;
  readonly stats = new Stats();
  readonly watches = new WatchTable();
  readonly memory: MemoryAccount;
  readonly eviction: Eviction;
  readonly activeExpiry: ActiveExpiry;
  readonly lazyFree: LazyFree;
  readonly debug = new DebugHooks();
  readonly persistence: Persistence;
  readonly restorer: PayloadRestorer;
  readonly replication: ReplicationService;
  readonly blocking: Blocking;
  readonly dispatcher: Dispatcher;
  readonly desk: FrontDesk;
  readonly hub: Hub;
  readonly turn: Turn;
  readonly cron = new Cron();
  readonly listeners: Listeners;
  readonly runId = randomBytes(20).toString('hex');
  readonly startedMs = Date.now();
  notifyClasses = 0;

  private readonly options: ServerOptions;
  private readonly ending: Shutdown;
  private loadedAux: ReplicationAux | null = null;

  constructor(options: ServerOptions) {
    const { config, log } = options;
    this.options = options;
    this.config = config;
    this.log = log;
    this.keyspace = this.createKeyspace();
    this.commands = new CommandTable(ALL_COMMANDS);
    renameCommands(this.commands, config.renames);
    this.turn = new Turn(this.propagator);
    this.hub = new Hub(this, this.turn);
    this.blocking = new Blocking(this, (client) => this.hub.resume(client));
    this.dispatcher = new Dispatcher(this, this.hub.detached(), this.hub.args);
    this.desk = new FrontDesk(this, this.dispatcher, (classes) => {
      this.notifyClasses = classes;
    });
    this.memory = new MemoryAccount(this.keyspace, this.hub.clients);
    this.eviction = new Eviction(this);
    this.activeExpiry = new ActiveExpiry(this);
    this.lazyFree = new LazyFree(this.keyspace, this.cron);
    this.persistence = this.createPersistence();
    this.restorer = new PayloadRestorer(this.keyspace);
    this.replication = this.createReplication();
    this.ending = this.createShutdown();
    this.listeners = new Listeners(config, log, (socket, unix) => this.accepted(socket, unix));
    this.connect();
    this.keepTime();
    this.listeners.followConfig();
  }

  get clients(): Map<number, Client> {
    return this.hub.clients;
  }

  /** The TCP port listened on, 0 for none. */
  get port(): number {
    return this.listeners.port;
  }

  /** Binds, loads the data, then serves. Rejects with why it cannot. */
  async start(): Promise<void> {
    this.desk.access.loadAtStart();
    try {
      await this.listeners.open(this.options.anyPort, () => this.persistence.takeFolder());
      this.options.onBound?.();
      this.log.notice('Server initialized');
      this.cron.start(this.config.values.hz);
      await this.persistence.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.replication.start(this.loadedAux);
    this.log.notice('Ready to accept connections');
  }

  /** Closes everything at once; what is to be kept has been brought to disk before. */
  async stop(): Promise<void> {
    this.listeners.close();
    this.turn.end();
    this.replication.stop();
    for (const client of [...this.clients.values()]) this.hub.close(client, 'now');
    this.desk.stop();
    this.cron.stop();
    this.activeExpiry.stop();
    await this.persistence.stop();
  }

  shutdown(request: ShutdownRequest): Promise<Error | undefined> {
    return this.ending.begin(request).then((error) => {
      if (error === undefined) this.options.exit?.(0);
      return error;
    });
  }

  abortShutdown(): boolean {
    return this.ending.abort();
  }

  /** Ends as SHUTDOWN does, but stays in the process. Resolves with why it goes on instead. */
  close(request: ShutdownRequest): Promise<Error | undefined> {
    return this.ending.begin(request);
  }

  // ---------------------------------------------------------------- services

  keyChanged(db: Database, key: Uint8Array, offset: number, length: number): void {
    if (this.watches.size > 0) this.watches.touch(db.id, key, offset, length);
    if (this.blocking.size > 0) this.blocking.signal(db.id, key, offset, length);
    const { tracking } = this.desk;
    if (tracking.isActive) tracking.invalidate(latin1Text(key, offset, length));
  }

  notifyKey(
    db: number,
    key: Uint8Array,
    offset: number,
    length: number,
    _eventClass: number,
    event: string,
  ): void {
    const { pubsub } = this.desk;
    if (pubsub.isHeard) pubsub.notify(db, latin1Text(key, offset, length), event);
  }

  flushDatabase(id: number): number {
    return flushDatabase(this, id);
  }

  swapDatabases(a: number, b: number): void {
    swapDatabases(this, a, b);
  }

  endTurnSoon(): void {
    this.turn.schedule();
  }

  mayWait(client: Client): boolean {
    return client.link !== null && !this.dispatcher.isNested;
  }

  answerLater<T>(client: Client, work: Promise<T>, answer: (result: T) => void): void {
    client.waiting = WAIT_WORK;
    void work.then((result) => {
      if (client.closed) return;
      this.dispatcher.answerNow(client, () => answer(result));
      this.desk.tracking.answered(client);
      this.turn.list(client);
      this.hub.resume(client);
    });
  }

  resumeClient(client: Client): void {
    this.hub.resume(client);
  }

  closeClient(client: Client, how: 'after-reply' | 'now'): void {
    this.hub.close(client, how);
  }

  listClient(client: Client): void {
    this.turn.list(client);
  }

  // ---------------------------------------------------------------- inside

  private accepted(socket: Socket, unix: boolean): void {
    const client = this.hub.accept(socket, unix);
    if (client === null) return;
    const { protectedMode } = this.config.values;
    if (!protectedMode || client.local || !this.desk.access.defaultUser.noPassword) return;
    client.reply.error(PROTECTED_MODE);
    this.stats.rejectedConnections++;
    this.hub.close(client, 'after-reply');
  }

  private createKeyspace(): Keyspace {
    const keyspace = new Keyspace({
      databases: this.config.values.databases,
      seed: createSeed(),
      random: createRandom(),
      events: { expired: (db, address) => announceExpired(this, db, address) },
    });
    keyspace.nowMs = this.startedMs;
    followEncodingLimits(this.config, keyspace.limits);
    return keyspace;
  }

  /** Connects the parts: each is told whom to call when something has happened to it. */
  private connect(): void {
    const { blocking, debug, desk, dispatcher, hub, keyspace, memory, persistence, turn } = this;
    dispatcher.afterUnit = () => blocking.serve();
    hub.onGone = (client) => this.gone(client);
    hub.brake = new SnapshotBrake(
      () => persistence.snapshots.queuedBytes,
      () => keyspace.arena.usedBytes,
      (client) => hub.resume(client),
    );
    turn.tally = this.stats;
    turn.limits = desk.limits;
    turn.onEnd = () => {
      memory.turnEnds();
      this.tidyUp();
    };
    debug.pauseCron = (paused) => {
      this.cron.paused = paused;
    };
    debug.serializedLength = (address) => serializedLength(keyspace, address, this.config);
    desk.info.provide('persistence', () => persistence.info());
    countBeside(memory, desk.tracking, persistence.aof, this.replication, hub.clients);
  }

  /** What is done again and again, and how often: 0 is at each beat of `hz`. */
  private keepTime(): void {
    const { cron, desk, persistence, replication } = this;
    cron.every(0, (now) => this.tick(now));
    cron.every(0, (now) => persistence.tick(now));
    cron.every(1000, (now) => desk.limits.tick(now));
    cron.every(500, () => this.hub.tickUnread());
    cron.every(1000, (now) => closeIdleClients(this, now));
    cron.every(100, (now) => evictClients(this, now));
    cron.every(100, (now) => desk.rates.sample(this.stats, now));
    cron.every(0, () => replication.tick());
    cron.every(1000, (now) => replication.tickSecond(now));
  }

  private createPersistence(): Persistence {
    return new Persistence({
      config: this.config,
      log: this.log,
      keyspace: this.keyspace,
      fs: this.options.fs ?? realFileSystem,
      hold: this.options.hold ?? null,
      helper: this.options.snapshotHelper,
      stats: this.stats,
      dispatcher: this.dispatcher,
      desk: this.desk,
      turn: this.turn,
      propagator: this.propagator,
      client: this.hub.detached(),
      isProcess: !this.options.anyPort,
      isReplica: () => this.config.values.replicaof !== undefined,
      replicationAux: () => auxFields(this.replication.settledAux()),
      onLoaded: (aux) => {
        this.loadedAux = aux;
      },
      earlierStream: () => this.replication.earlierStream(),
      readersChanged: () => this.readersChanged(),
      flushAll: () => flushAll(this),
      install: (aside) => installDatabases(this, aside),
      onFatal: (error) => this.fatal(error),
    });
  }

  private createReplication(): ReplicationService {
    const { persistence } = this;
    return new ReplicationService({
      services: this,
      turn: this.turn,
      fs: this.options.fs ?? realFileSystem,
      startSnapshot: syncSnapshotStarter(persistence, this.options.fs ?? realFileSystem),
      datasets: persistence.changes,
      takeFunction: (args) => persistence.streamedFunctions.take(args),
      createClient: () => this.hub.detached(),
      listeningPort: () => this.port,
      localLog: () => persistence.aof.localLog,
      readersChanged: () => this.readersChanged(),
      resumeLog: () => void persistence.resumeLog(),
      isDiskBroken: () => persistence.isDiskBroken,
      onRole: (role) => this.options.onRole?.(role),
    });
  }

  private createShutdown(): Shutdown {
    return new Shutdown({
      log: this.log,
      timeoutSeconds: () => this.config.values.shutdownTimeout,
      streamOffset: () => this.replication.journal.streamEnd,
      laggingReplicas: (offset) => this.replication.primary.laggingReplicas(offset),
      askReplicas: () => this.replication.journal.requestAcks(),
      desk: this.desk,
      replicaCount: () => this.replication.primary.replicas.size,
      abortSave: () => this.persistence.lastSave.abort(),
      save: async (request) => {
        this.turn.end();
        await this.replication.journal.silently(() => this.persistence.end(request));
      },
      stop: () => this.stop(),
    });
  }

  /** The journal is written while anybody reads it, and never while a dataset is being loaded. */
  private readersChanged(): void {
    const { turn, propagator, persistence } = this;
    propagator.active = !persistence.isLoading && (turn.log !== null || turn.feed !== null);
    this.replication.journal.notePosition();
    if (!this.dispatcher.isRunning) this.blocking.serve();
  }

  /** The disk failed where a promise depends on it: better an end than a lie. */
  private fatal(error: Error): void {
    this.turn.halt();
    this.log.warning(`Can't keep the promise of appendfsync always: ${error.message}. Exiting.`);
    if (this.options.exit !== undefined) this.options.exit(1);
    else void this.stop();
  }

  private gone(client: Client): void {
    this.blocking.forget(client);
    this.desk.gone(client);
    this.replication.gone(client);
  }

  /** What is due at the end of each turn, besides the replies, and with each tick. */
  private tidyUp(): void {
    this.persistence.endTurn();
    this.desk.tracking.broadcast();
    this.activeExpiry.arm();
    this.lazyFree.kick();
    const { aofFlushSleepUs } = this.debug;
    if (aofFlushSleepUs > 0 && this.propagator.length > 0) sleepSync(aofFlushSleepUs / 1000);
  }

  private tick(nowMs: number): void {
    this.keyspace.nowMs = nowMs;
    this.tidyUp();
    this.memory.notePeak();
  }
}
