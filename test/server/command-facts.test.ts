/**
 * The specification of every command that Cairn has, field by field as COMMAND INFO and COMMAND
 * DOCS show it, compared with the real server. What is listed below differs on purpose.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import type { RawClient } from '../support/raw-client.ts';
import { requireRedisServer, startRealServer } from '../support/real-server.ts';
import type { ReplyValue } from '../support/resp-reader.ts';
import type { ServerProcess } from '../support/server-process.ts';

/** Commands that only later servers have. */
const LATER = [
  ...['waitaof', 'client|no-touch', 'client|setinfo', 'client|capa', 'cluster|myshardid'],
];

/** "command field": what Redis 7.2 (or Valkey 8) says otherwise than 7.0. */
const OF_7_2 = new Set([
  'zrank arity',
  'zrank arguments',
  'zrevrank arity',
  'zrevrank arguments',
  'hscan arguments',
  'zscan arguments',
  'georadius arguments',
  'georadiusbymember arguments',
  'migrate arguments',
  ...['acl|deluser', 'acl|save', 'acl|setuser', 'client|setname', 'config|rewrite', 'msetnx']
    .concat('config|resetstat', 'latency|reset', 'randomkey', 'scan')
    .map((name) => `${name} tips`),
  // 7.2 no longer keeps scripts from commands that might wait: there they do not wait.
  ...['blmove', 'blpop', 'brpop', 'brpoplpush', 'bzpopmax', 'bzpopmin', 'wait'].map(
    (name) => `${name} flags`,
  ),
  'wait categories',
  'client|kill arguments',
  'command|getkeys arguments',
  'command|getkeys arity',
  'command|getkeysandflags arguments',
  'command|getkeysandflags arity',
  'sinterstore keys',
  ...['slots', 'shards'].map((name) => `cluster|${name} flags`),
  ...['addslotsrange', 'delslotsrange', 'meet', 'reset', 'setslot'].map(
    (name) => `cluster|${name} arguments`,
  ),
  ...['bitop', 'geohash', 'geopos', 'pfmerge'].map((one) => `${one} arguments`),
  ...['psetex', 'setex', 'setnx', 'quit'].flatMap((one) =>
    ['doc_flags', 'deprecated_since', 'replaced_by'].map((field) => `${one} ${field}`),
  ),
]);

const INFO_FIELDS = [
  ...['name', 'arity', 'flags', 'first', 'last', 'step', 'categories', 'tips', 'keys'],
];

/**
 * Maps become sorted lists of pairs, so that they can be compared. What an argument is called for
 * people came with 7.2.
 */
function plain(value: ReplyValue | undefined): unknown {
  if (value instanceof Map) {
    const shared = [...value].filter(([key]) => key !== 'display_text');
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

  it('name only commands that there are', () => {
    const unknown = [...ours.info.keys()].filter((name) => !theirs.info.has(name));
    expect(unknown.filter((name) => !LATER.includes(name))).toEqual([]);
    expect(ours.info.size).toBeGreaterThan(60);
  });

  it('answer COMMAND INFO alike', () => {
    const differences: string[] = [];
    for (const [name, mine] of ours.info) {
      const real = theirs.info.get(name);
      if (real === undefined) continue;
      for (const [i, field] of INFO_FIELDS.entries()) {
        const order = (value: ReplyValue | undefined): string => {
          const list = UNORDERED.has(field) && Array.isArray(value) ? [...value].sort() : value;
          return JSON.stringify(plain(list));
        };
        if (order(mine[i]) === order(real[i]) || OF_7_2.has(`${name} ${field}`)) continue;
        differences.push(`${name} ${field}: ${order(mine[i])} and not ${order(real[i])}`);
      }
    }
    expect(differences).toEqual([]);
  });

  it('differ where they are said to', () => {
    for (const one of OF_7_2) {
      const [name = '', field = ''] = one.split(' ');
      const shown = ({ docs, info }: Facts): string => {
        const at = INFO_FIELDS.indexOf(field);
        const value = at < 0 ? docs.get(name)?.get(field) : info.get(name)?.[at];
        return JSON.stringify(plain(value));
      };
      if (!ours.docs.has(name) || !theirs.docs.has(name)) continue;
      const [a, b] = [shown(ours), shown(theirs)];
      expect(a, one).not.toBe(b);
    }
  });

  it('answer COMMAND DOCS alike', () => {
    const differences: string[] = [];
    const fields = ['since', 'group', 'doc_flags', 'deprecated_since', 'replaced_by', 'arguments'];
    for (const [name, mine] of ours.docs) {
      const real = theirs.docs.get(name);
      if (real === undefined) continue;
      for (const field of fields) {
        const [a, b] = [
          JSON.stringify(plain(mine.get(field))),
          JSON.stringify(plain(real.get(field))),
        ];
        if (a !== b && !OF_7_2.has(`${name} ${field}`)) {
          differences.push(`${name} ${field}: ${a} and not ${b}`);
        }
      }
      if (!/^\S.*\S$/.test(String(mine.get('summary')))) differences.push(`${name}: no summary`);
    }
    expect(differences).toEqual([]);
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

  it('are refused alike where they need a cluster', async () => {
    const clients = [await cairn.connect(), await redis.connect()] as const;
    const lines = [
      ...['READONLY', 'READWRITE', 'ASKING', 'READONLY x', 'CLUSTER', 'CLUSTER HELP'],
      ...['CLUSTER INFO', 'CLUSTER NODES', 'CLUSTER SLOTS', 'CLUSTER SHARDS', 'cluster MyId'],
      ...['CLUSTER KEYSLOT a', 'CLUSTER KEYSLOT', 'CLUSTER RESET HARD x', 'CLUSTER NOTHING'],
    ];
    for (const line of lines) {
      const [mine, real] = await Promise.all(clients.map((one) => ask(one, line.split(' '))));
      expect(mine, line).toBe(real);
    }
    for (const client of clients) client.close();
  });
});
