/**
 * The specification of every command that Cairn has, field by field as COMMAND INFO and COMMAND
 * DOCS show it, compared with the real server. That one is a 7.0.15; what 7.2.4 answers otherwise
 * is kept in fixtures/commands/redis-7.2.4.json, a line a field:
 *
 *     "command field": value      null where 7.2.4 has no such field
 *
 * Maps are lists of pairs there, as `plain` makes them; of the history it holds the versions.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import type { RawClient } from '../support/raw-client.ts';
import { requireRedisServer, startRealServer } from '../support/real-server.ts';
import type { ReplyValue } from '../support/resp-reader.ts';
import type { ServerProcess } from '../support/server-process.ts';

/** Commands and fields that only servers after 7.2.4 have. */
const LATER = ['client|capa'];
const LATER_FIELDS = ['hscan arguments', 'zscan arguments'];

const OF_7_2 = readOf72();

function readOf72(): ReadonlyMap<string, string> {
  const file = new URL('../../fixtures/commands/redis-7.2.4.json', import.meta.url);
  const all: unknown = JSON.parse(readFileSync(file, 'utf8'));
  return new Map(Object.entries(Object(all)).map(([key, one]) => [key, JSON.stringify(one)]));
}

const INFO_FIELDS = [
  ...['name', 'arity', 'flags', 'first', 'last', 'step', 'categories', 'tips', 'keys'],
];

const DOCS_FIELDS = [
  ...['since', 'group', 'doc_flags', 'deprecated_since', 'replaced_by', 'arguments', 'history'],
];

/**
 * Maps become sorted lists of pairs, so that they can be compared. What an argument is called for
 * people came with 7.2; it is kept where it is not its name.
 */
function plain(value: ReplyValue | undefined): unknown {
  if (value instanceof Map) {
    const name = value.get('name');
    const shared = [...value].filter(([key, one]) => key !== 'display_text' || one !== name);
    return shared.map(([key, one]) => [String(key), plain(one)]).sort();
  }
  return Array.isArray(value) ? value.map(plain) : value;
}

/** Fields whose order says nothing. */
const UNORDERED = new Set(['flags', 'categories', 'tips']);

function asMap(value: ReplyValue | undefined): Map<ReplyValue, ReplyValue> {
  if (!(value instanceof Map)) throw new Error(`not a map: ${String(value)}`);
  return value;
}

class Facts {
  readonly info = new Map<string, readonly ReplyValue[]>();
  readonly docs = new Map<string, Map<ReplyValue, ReplyValue>>();

  static async of(server: ServerProcess): Promise<Facts> {
    const client = await server.connect();
    await client.send('HELLO', 3);
    const facts = new Facts();
    const info = await client.value('COMMAND');
    for (const one of Array.isArray(info) ? info : []) facts.addInfo(one);
    for (const [name, one] of asMap(await client.value('COMMAND', 'DOCS'))) {
      facts.addDocs(String(name), asMap(one));
    }
    client.close();
    return facts;
  }

  /** A field as text: "null" where it is absent. */
  shown(name: string, field: string): string {
    const at = INFO_FIELDS.indexOf(field);
    const value = at < 0 ? this.docs.get(name)?.get(field) : this.info.get(name)?.[at];
    const list = UNORDERED.has(field) && Array.isArray(value) ? [...value].sort() : value;
    const isHistory = field === 'history' && Array.isArray(list);
    const plainValue = isHistory ? list.map((one) => Object(one)[0]) : plain(list);
    return JSON.stringify(plainValue ?? null);
  }

  private addInfo(value: ReplyValue): void {
    if (!Array.isArray(value)) return;
    this.info.set(String(value[0]), value);
    for (const sub of Array.isArray(value[9]) ? value[9] : []) this.addInfo(sub);
  }

  private addDocs(name: string, docs: Map<ReplyValue, ReplyValue>): void {
    this.docs.set(name, docs);
    const subcommands = docs.get('subcommands');
    if (!(subcommands instanceof Map)) return;
    for (const [sub, one] of subcommands) this.addDocs(String(sub), asMap(one));
  }
}

describe.skipIf(requireRedisServer() === null)('the specifications of commands', () => {
  let cairn: ServerProcess;
  let redis: ServerProcess;
  let ours: Facts;
  let theirs: Facts;
  beforeAll(async () => {
    [cairn, redis] = await Promise.all([startCairnServer(), startRealServer()]);
    ours = await Facts.of(cairn);
    theirs = await Facts.of(redis);
  });
  afterAll(async () => {
    await cairn?.close();
    await redis?.close();
  });

  /** What 7.2.4 answers, or 7.0.15 where they agree, as text. */
  const wanted = (name: string, field: string): string =>
    OF_7_2.get(`${name} ${field}`) ?? theirs.shown(name, field);

  it('name only commands that there are', () => {
    const isKnown = (name: string): boolean => theirs.info.has(name) || OF_7_2.has(`${name} arity`);
    expect([...ours.info.keys()].filter((name) => !isKnown(name))).toEqual(LATER);
    expect(ours.info.size).toBeGreaterThan(60);
  });

  it('answer COMMAND INFO and COMMAND DOCS alike', () => {
    const differences: string[] = [];
    for (const [name, docs] of ours.docs) {
      if (LATER.includes(name)) continue;
      for (const field of [...INFO_FIELDS.slice(1), ...DOCS_FIELDS]) {
        const [a, b] = [ours.shown(name, field), wanted(name, field)];
        if (a === b || LATER_FIELDS.includes(`${name} ${field}`)) continue;
        differences.push(`${name} ${field}: ${a} and not ${b}`);
      }
      if (!/^\S.*\S$/.test(String(docs.get('summary')))) differences.push(`${name}: no summary`);
    }
    expect(differences).toEqual([]);
  });

  it('are kept of 7.2.4 only where it differs', () => {
    for (const [key, value] of OF_7_2) {
      const [name = '', field = ''] = key.split(' ');
      expect(theirs.shown(name, field), key).not.toBe(value);
    }
  });

  const ask = async (client: RawClient, words: readonly string[]): Promise<string> =>
    (await client.send(...words)).raw.toString('latin1');

  it.each([2, 3])('are written in the same bytes (RESP%i)', async (protocol) => {
    const clients = [await cairn.connect(), await redis.connect()] as const;
    for (const client of clients) await client.send('HELLO', protocol);
    const lines = [
      ...['get', 'mset', 'ping', 'lcs', 'no-such', 'client|id', 'object|encoding', 'sintercard'],
      ...['xread', 'migrate', 'sort', 'zunionstore', 'eval', 'config|nothing'],
      ...['georadius', 'geosearchstore', 'geoadd'],
    ].filter((name) => ours.info.has(name) || !theirs.info.has(name));
    for (const name of lines) {
      const [mine, real] = await Promise.all(
        clients.map((client) => ask(client, ['COMMAND', 'INFO', name])),
      );
      expect(mine).toBe(real);
    }
    for (const client of clients) client.close();
  });

  async function expectSameAnswers(lines: readonly string[]): Promise<void> {
    const clients = [await cairn.connect(), await redis.connect()] as const;
    for (const line of lines) {
      const [mine, real] = await Promise.all(clients.map((one) => ask(one, line.split(' '))));
      expect(mine, line).toBe(real);
    }
    for (const client of clients) client.close();
  }

  it('are refused alike where they need a cluster', async () => {
    await expectSameAnswers([
      ...['READONLY', 'READWRITE', 'ASKING', 'READONLY x', 'CLUSTER', 'CLUSTER HELP'],
      ...['CLUSTER INFO', 'CLUSTER NODES', 'CLUSTER SLOTS', 'CLUSTER SHARDS', 'cluster MyId'],
      ...['CLUSTER KEYSLOT a', 'CLUSTER KEYSLOT', 'CLUSTER RESET HARD x', 'CLUSTER NOTHING'],
    ]);
  });

  it('are answered alike where there are no modules, and load none', async () => {
    await expectSameAnswers([
      ...['MODULE', 'MODULE LIST', 'module list x', 'MODULE LOAD', 'MODULE LOADEX'],
      ...['MODULE UNLOAD', 'MODULE NOTHING'],
    ]);
    const client = await cairn.connect();
    for (const line of ['MODULE LOAD /x.so', 'MODULE LOADEX /x.so CONFIG a b ARGS c']) {
      expect(await ask(client, line.split(' '))).toMatch(/^-ERR .* modules cannot be loaded/);
    }
    expect(await ask(client, ['MODULE', 'UNLOAD', 'x'])).toMatch(/^-ERR .* no such module/);
    client.close();
  });
});
