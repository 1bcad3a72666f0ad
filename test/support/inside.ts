/**
 * A server inside the test, driven command by command without a socket: for what depends on the
 * clock, on memory, or on what is between two commands.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '../../src/server/clients/client.ts';
import { Config } from '../../src/server/config/config.ts';
import type { Settings } from '../../src/server/config/settings.ts';
import { silentLog } from '../../src/server/log.ts';
import { Server } from '../../src/server/server.ts';
import type { Argument } from './raw-client.ts';
import { ReplyReader, type ReplyValue } from './resp-reader.ts';

export type Event = { readonly db: number; readonly event: string; readonly key: string };

export class InsideServer {
  readonly server: Server;
  /** Keyspace events of all classes, oldest first. */
  readonly events: Event[] = [];
  readonly #client: Client;
  readonly #dir: string;
  /** What turns that have ended took from the journal. */
  #taken: Buffer[] = [];
  #nowMs: number | null = null;

  /** Starts a server on a free port, with a folder of its own and nothing saved. */
  static async open(settings: Settings = {}): Promise<InsideServer> {
    const dir = mkdtempSync(join(tmpdir(), 'cairn-inside-'));
    const config = new Config();
    config.applySettings({ port: 0, dir, save: '', 'enable-debug-command': 'yes', ...settings });
    const server = new Server({ config, log: silentLog, anyPort: true });
    await server.start();
    return new InsideServer(server, dir);
  }

  private constructor(server: Server, dir: string) {
    this.server = server;
    this.#dir = dir;
    this.server.notifyClasses = -1;
    this.server.notifyKey = (db, key, offset, length, _class, event) => {
      const name = Buffer.from(key.subarray(offset, offset + length)).toString('latin1');
      this.events.push({ db, event, key: name });
    };
    this.server.propagator.active = true;
    this.server.turn.feed = {
      feed: (bytes, offset, length) =>
        this.#taken.push(Buffer.from(bytes.subarray(offset, offset + length))),
      settled: () => {},
    };
    this.#client = this.server.hub.detached();
  }

  /** From now on commands see this moment instead of the clock's. */
  set nowMs(value: number) {
    this.#nowMs = value;
  }

  /** Runs a command, or lets its gates refuse it; gives the value of its reply. */
  run(...words: Argument[]): ReplyValue {
    const { dispatcher, hub } = this.server;
    const args = hub.args;
    args.setTo(words.map((word) => Buffer.from(String(word), 'latin1')));
    dispatcher.startClock(this.#nowMs ?? Date.now());
    dispatcher.run(this.#client, args);
    const { reply } = this.#client;
    const parts = reply.queue.map((part) => part.bytes.subarray(0, part.length));
    const reader = new ReplyReader();
    reader.push(Buffer.concat([...parts, reply.chunk.subarray(0, reply.at)]));
    reply.drop();
    const got = reader.next();
    if (got === null) throw new Error(`${words[0]} has not answered`);
    return got.value;
  }

  /** The operations in the journal since the last call, one line each. */
  takeJournal(): string[] {
    const { propagator } = this.server;
    const reader = new ReplyReader();
    reader.push(Buffer.concat(this.#taken));
    reader.push(Buffer.from(propagator.journal.subarray(0, propagator.length)));
    this.#taken = [];
    propagator.reset();
    const lines: string[] = [];
    for (let one = reader.next(); one !== null; one = reader.next()) {
      lines.push((Array.isArray(one.value) ? one.value : []).map(String).join(' '));
    }
    return lines;
  }

  /** Sets a parameter as CONFIG SET does. */
  async configure(name: string, value: string | number): Promise<void> {
    const outcome = await this.server.config.set([[name, String(value)]], {
      loading: false,
      local: true,
    });
    if (!outcome.ok) throw new Error(outcome.error);
  }

  get keys(): number {
    return this.server.keyspace.databases.reduce((sum, { dict }) => sum + dict.count, 0);
  }

  async close(): Promise<void> {
    await this.server.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
