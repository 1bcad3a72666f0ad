/**
 * The server: puts the rooms together, listens, and keeps time.
 */

import { randomBytes } from 'node:crypto';
import { createServer as createNetServer, type Server as NetServer } from 'node:net';
import type { Database } from '../core/database.ts';
import { Keyspace } from '../core/keyspace.ts';
import type { Client } from './client.ts';
import { CommandTable } from './command-table.ts';
import { ALL_COMMANDS } from './commands/all.ts';
import { Config } from './config/config.ts';
import { Dispatcher } from './dispatch.ts';
import { Hub } from './hub.ts';
import { type Logger, ServerLog } from './log.ts';
import { Propagator } from './propagate.ts';
import type { Services } from './services.ts';
import { Stats } from './stats.ts';
import { Turn } from './turn.ts';
import { WatchTable } from './watch-table.ts';

export class Server implements Services {
  readonly config: Config;
  readonly keyspace: Keyspace;
  readonly propagator = new Propagator();
  readonly commands: CommandTable;
  readonly stats = new Stats();
  readonly log: Logger;
  readonly watches = new WatchTable();
  readonly dispatcher: Dispatcher;
  readonly hub: Hub;
  readonly turn: Turn;
  readonly runId = randomBytes(20).toString('hex');
  readonly startedMs = Date.now();
  notifyClasses = 0;
  private net: NetServer;

  constructor(config: Config) {
    this.config = config;
    this.log = new ServerLog({});
    const seed = randomBytes(8);
    let state = seed.readUInt32LE(0) | 1;
    const random = (): number => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state >>> 0;
    };
    this.keyspace = new Keyspace({
      databases: config.values.databases,
      seed: { seed0: seed.readUInt32LE(0), seed1: seed.readUInt32LE(4) },
      random,
      events: { expired: () => {} },
    });
    this.commands = new CommandTable(ALL_COMMANDS);
    this.turn = new Turn(this.propagator);
    this.hub = new Hub(this, this.turn);
    this.dispatcher = new Dispatcher(this, this.hub.detached(), this.hub.args);
    this.net = createNetServer({ pauseOnConnect: true }, (socket) =>
      this.hub.accept(socket, false),
    );
  }

  get clients(): Map<number, Client> {
    return this.hub.clients;
  }

  keyChanged(db: Database, key: Uint8Array, offset: number, length: number): void {
    if (this.watches.size > 0) this.watches.touch(db.id, key, offset, length);
  }

  notifyKey(): void {}

  closeClient(client: Client, how: 'after-reply' | 'now'): void {
    this.hub.close(client, how);
  }

  listClient(client: Client): void {
    this.turn.list(client);
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.net.listen(this.config.values.port, '127.0.0.1', resolve));
  }
}
if (process.argv[2] !== undefined) {
  const config = new Config();
  config.applySettings({ port: Number(process.argv[2]) });
  const server = new Server(config);
  await server.listen();
  console.log('up');
}
