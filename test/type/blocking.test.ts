/**
 * Clients that wait for lists: who is served by what, in which order, what goes to the AOF and
 * which events are raised. Every scene is played on Cairn and on the real server, and must end
 * alike.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import { encodeCommand, type RawClient } from '../support/raw-client.ts';
import { requireRedisServer, startRealServer } from '../support/real-server.ts';
import { ReplyReader } from '../support/resp-reader.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { printedReply, wordsOf } from '../support/transcript.ts';

type Scene = {
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

const scene = (name: string, waiting: readonly (string | string[])[], acts: string[]): Scene => ({
  name,
  waiting: waiting.map((lines) => (typeof lines === 'string' ? [lines] : lines)),
  acts,
});

/** A list of "a", as DUMP gives it. */
const payload =
  '\\x12\\x01\\x02\\x0a\\x0a\\x00\\x00\\x00\\x01\\x00\\x81\\x61' +
  '\\x02\\xff\\x0a\\x00\\x09\\xb9\\xed\\xf5\\x94\\xde\\xd9\\x95';

const scenes: readonly Scene[] = [
  scene('one waits', ['BLPOP k 0'], ['RPUSH k a']),
  scene('two wait for three', ['BLPOP k 0', 'BRPOP k 0'], ['RPUSH k a b c']),
  scene('two wait for one', ['BLPOP k 0', 'BLPOP k 0'], ['RPUSH k a']),
  scene(
    'nobody is served before the end of a transaction',
    ['BLPOP k 0', 'BLPOP k 0', 'BLPOP j k 0'],
    ['MULTI', 'RPUSH k a', 'RPUSH k b', 'RPUSH j c', 'EXEC'],
  ),
  scene(
    'the key that was pushed to first serves',
    ['BLPOP k1 k2 0'],
    ['MULTI', 'RPUSH k2 x', 'RPUSH k1 y', 'EXEC'],
  ),
  scene(
    'BLMPOP, too',
    ['BLMPOP 0 2 k1 k2 LEFT COUNT 5'],
    ['MULTI', 'RPUSH k2 x', 'RPUSH k1 y', 'EXEC'],
  ),
  scene('a list that came and went', ['BLPOP k 0'], ['MULTI', 'RPUSH k a', 'DEL k', 'EXEC']),
  scene(
    'a list that went and came',
    ['BLPOP k 0'],
    ['MULTI', 'RPUSH k a', 'DEL k', 'RPUSH k new', 'EXEC'],
  ),
  scene(
    'a list that became a string',
    ['BLPOP k 0'],
    ['MULTI', 'RPUSH k a', 'DEL k', 'SET k new', 'EXEC', 'DEL k', 'RPUSH k x'],
  ),
  scene('a string is nothing to wait for', ['BLPOP k 0'], ['SET k v', 'APPEND k w', 'SADD s k']),
  scene('moved', ['BLMOVE k d LEFT right 0'], ['RPUSH k a b']),
  scene('moved in the old way', ['brpoplpush k d 0'], ['RPUSH k a b']),
  scene('several', ['BLMPOP 0 2 j k RIGHT COUNT 3'], ['RPUSH k a b c d e']),
  scene('one of several', ['BLMPOP 0 1 k LEFT'], ['RPUSH k a b c d e']),
  scene('more than there are', ['BLMPOP 0 1 k LEFT COUNT 10'], ['RPUSH k a b c d e']),
  scene(
    'a chain',
    ['BLMOVE a b LEFT LEFT 0', 'BLMOVE b c LEFT LEFT 0', 'BLPOP c 0'],
    ['RPUSH a v'],
  ),
  scene(
    'a chain in the other order',
    ['BLPOP c 0', 'BLMOVE b c LEFT LEFT 0', 'BLMOVE a b LEFT LEFT 0'],
    ['RPUSH a v'],
  ),
  scene('in a circle', ['BRPOPLPUSH a b 0', 'BRPOPLPUSH b a 0'], ['RPUSH a v']),
  scene('to itself', ['BRPOPLPUSH a a 0'], ['RPUSH a v w']),
  scene('to what is no list', ['BLMOVE a s LEFT LEFT 0', 'BLPOP a 0'], ['SET s x', 'RPUSH a v']),
  scene('RENAME serves', ['BLPOP k 0'], ['RPUSH o a', 'RENAME o k']),
  scene('RENAMENX serves', ['BLPOP k 0'], ['RPUSH o a', 'RENAMENX o k']),
  scene('COPY serves', ['BLPOP k 0'], ['RPUSH o a', 'COPY o k']),
  scene('MOVE serves', [['SELECT 1', 'BLPOP o 0']], ['RPUSH o a', 'MOVE o 1']),
  scene(
    'SWAPDB serves',
    [['SELECT 1', 'BLPOP o 0'], 'BLPOP o 0'],
    ['SELECT 2', 'RPUSH o x', 'SWAPDB 1 2', 'SELECT 0'],
  ),
  scene('RESTORE serves', ['BLPOP k 0'], [`RESTORE k 0 "${payload}"`]),
  scene('the same key twice', ['BLPOP k k 0'], ['RPUSH k a b']),
  scene('LPUSHX and LINSERT find nothing', ['BLPOP k 0'], ['LPUSHX k a', 'LINSERT k BEFORE a b']),
  scene(
    'a transaction leaves some for the next',
    ['BLMPOP 0 1 k LEFT COUNT 2', 'BLPOP k 0'],
    ['MULTI', 'RPUSH k a', 'RPUSH k b c', 'EXEC', 'LRANGE k 0 -1'],
  ),
  scene('expired at once', ['BLPOP k 0'], ['MULTI', 'RPUSH k a', 'PEXPIRE k 0', 'EXEC']),
  scene(
    'odd keys',
    ['BLPOP "" 0', 'BLPOP "a\\r\\n\\x00\\xff" 0'],
    ['RPUSH "" a', 'RPUSH "a\\r\\n\\x00\\xff" b'],
  ),
  scene(
    'WATCH sees what was served',
    ['BLPOP k 0'],
    ['WATCH k', 'RPUSH k a', 'MULTI', 'PING', 'EXEC'],
  ),
  scene('what follows in the same connection', ['BLPOP k 0'], ['RPUSH k a', 'LLEN k', 'GET none']),
];

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
class Stage {
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
    for (let i = 0; i < 500; i++) {
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

describe.skipIf(requireRedisServer() === null)('waiting for lists, as on a real server', () => {
  const stages: Stage[] = [];
  beforeAll(async () => {
    stages.push(await Stage.open(startCairnServer), await Stage.open(startRealServer));
  });
  afterAll(async () => {
    for (const stage of stages) await stage.close();
  });

  it.each(scenes)('$name', async (one) => {
    const [mine, theirs] = await Promise.all(stages.map((stage) => stage.play(one)));
    expect(mine).toEqual(theirs);
  });
});
