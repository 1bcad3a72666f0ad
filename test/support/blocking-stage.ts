/**
 * A stage for clients that wait: scenes are played on a server with an AOF that tells all events;
 * what everybody was told, what went to the AOF and which events were raised is the outcome.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeCommand, type RawClient } from './raw-client.ts';
import type { startRealServer } from './real-server.ts';
import { ReplyReader } from './resp-reader.ts';
import type { ServerProcess } from './server-process.ts';
import { printedReply, wordsOf } from './transcript.ts';

export type Scene = {
  readonly name: string;
  /** What each waiting client sends, the last line of each being what it waits with. */
  readonly waiting: readonly (readonly string[])[];
  readonly acts: readonly string[];
};

type Outcome = {
  readonly acts: readonly string[];
  readonly waiting: readonly string[];
  readonly propagated: string;
  readonly events: readonly string[];
};

/** A scene; a client that only waits is one line. */
export const scene = (
  name: string,
  waiting: readonly (string | string[])[],
  acts: string[],
): Scene => ({
  name,
  waiting: waiting.map((lines) => (typeof lines === 'string' ? [lines] : lines)),
  acts,
});

/** The operations in an AOF, SELECT included, annotations left out. */
function operationsIn(bytes: Buffer): string {
  const reader = new ReplyReader();
  reader.push(bytes);
  const lines: string[] = [];
  for (let one = reader.next(); one !== null; one = reader.next()) {
    if (Array.isArray(one.value)) lines.push(one.value.map(String).join(' '));
  }
  return lines.join(' | ');
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A server with an AOF that tells all events, and what is asked of it. */
export class Stage {
  readonly server: ServerProcess;
  readonly actor: RawClient;
  readonly listener: RawClient;

  constructor(server: ServerProcess, actor: RawClient, listener: RawClient) {
    this.server = server;
    this.actor = actor;
    this.listener = listener;
  }

  static async open(start: typeof startRealServer): Promise<Stage> {
    const config = { appendonly: 'yes', appendfsync: 'always', 'notify-keyspace-events': 'EA' };
    const server = await start({ config });
    const listener = await server.connect();
    await listener.send('PSUBSCRIBE', '__keyevent@*__:*', 'the-end');
    await listener.read();
    return new Stage(server, await server.connect(), listener);
  }

  private get aof(): Buffer {
    const folder = join(this.server.dir, 'appendonlydir');
    const file = readdirSync(folder).find((name) => name.endsWith('.incr.aof')) ?? '';
    return readFileSync(join(folder, file));
  }

  async blocked(count: number): Promise<void> {
    for (let i = 0; i < 6000; i++) {
      const info = String(await this.actor.value('INFO', 'clients'));
      if (Number(/blocked_clients:(\d+)/.exec(info)?.[1]) === count) return;
      await sleep(5);
    }
    throw new Error(`there were never ${count} blocked clients`);
  }

  async play({ waiting, acts }: Scene): Promise<Outcome> {
    const { actor, listener, server } = this;
    await actor.send('SELECT', '0');
    await actor.send('FLUSHALL');
    const from = this.aof.length;
    const clients: RawClient[] = [];
    for (const lines of waiting) {
      const client = await server.connect();
      clients.push(client);
      for (const line of lines.slice(0, -1)) await client.send(...wordsOf(line));
      client.write(encodeCommand(wordsOf(lines.at(-1) ?? '')));
      await this.blocked(clients.length);
    }
    const replies: string[] = [];
    for (const act of acts) replies.push(printedReply((await actor.send(...wordsOf(act))).raw));
    await actor.send('PUBLISH', 'the-end', '');
    const events: string[] = [];
    for (;;) {
      const message = (await listener.read()).value;
      const [, , channel, key] = Array.isArray(message) ? message.map(String) : [];
      if (channel === 'the-end') break;
      events.push(`${channel} ${key}`);
    }
    await sleep(20);
    const propagated = operationsIn(this.aof.subarray(from));
    const seen = clients.map(({ unread }) =>
      unread.replies.map(({ raw }) => printedReply(raw)).join(' , '),
    );
    for (const client of clients) client.close();
    await this.blocked(0);
    return { acts: replies, waiting: seen, propagated, events };
  }

  async close(): Promise<void> {
    await this.server.close();
  }
}
