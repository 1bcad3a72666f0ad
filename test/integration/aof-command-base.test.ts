/**
 * `aof-use-rdb-preamble no`: bases made of commands. Cairn and a real server load what Cairn wrote,
 * to the same digest; the words are those that a real server's rewrite writes; every flipped bit is
 * noticed; functions and the place in the replication stream come along.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import { Random } from '../support/random.ts';
import type { RawClient } from '../support/raw-client.ts';
import { findTool, requireRedisServer, startRealServer } from '../support/real-server.ts';
import { removeFolder } from '../support/remove-folder.ts';
import type { ServerOptions, ServerProcess } from '../support/server-process.ts';
import { knownMakers, writeDataset } from './random-dataset.ts';

const CONFIG: NonNullable<ServerOptions['config']> = {
  appendonly: 'yes',
  appendfsync: 'no',
  save: '',
  'aof-use-rdb-preamble': 'no',
  'auto-aof-rewrite-percentage': 0,
  'enable-debug-command': 'yes',
};
const LIBRARY = "#!lua name=lib\nredis.register_function('f', function() return 1 end)";

const servers: ServerProcess[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  for (const folder of folders.splice(0)) removeFolder(folder);
});

type Start = typeof startRealServer;

async function started(start: Start, dir: string, more: object = {}): Promise<ServerProcess> {
  const server = await start({ dir, config: { ...CONFIG, ...more } });
  servers.push(server);
  return server;
}

function newFolder(from?: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'cairn-base-'));
  folders.push(dir);
  if (from !== undefined) cpSync(from, dir, { recursive: true });
  return dir;
}

async function ask(server: ServerProcess, ...words: (string | number)[]): Promise<unknown> {
  const client = await server.connect();
  try {
    return await client.value(...words);
  } finally {
    client.close();
  }
}

async function rewrite(client: RawClient): Promise<void> {
  await client.send('BGREWRITEAOF');
  for (let left = 12_000; left > 0; left--) {
    const info = String(await client.value('INFO', 'persistence'));
    if (/aof_last_bgrewrite_status:err/.test(info)) throw new Error('the rewrite failed');
    if (!/aof_rewrite_(in_progress|scheduled):1/.test(info)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('the rewrite of the AOF never ended');
}

const namesIn = (dir: string): string[] => readdirSync(join(dir, 'appendonlydir')).sort();

/** The base that the manifest names; the one before it may not be deleted yet. */
function baseName(dir: string): string {
  const path = join(dir, 'appendonlydir', 'appendonly.aof.manifest');
  const name = /^file (\S+) seq \d+ type b$/m.exec(readFileSync(path, 'latin1'))?.[1] ?? '';
  expect(name).toMatch(/\.base\.aof$/);
  return name;
}

function baseOf(dir: string): Buffer {
  return readFileSync(join(dir, 'appendonlydir', baseName(dir)));
}

/** The commands of a file, annotations left out. */
function commandsOf(bytes: Buffer): string[][] {
  const commands: string[][] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf('\r\n', at);
    const line = bytes.toString('latin1', at, end);
    at = end + 2;
    if (line.startsWith('#')) continue;
    const words = Array.from({ length: Number(line.slice(1)) }, () => {
      const from = bytes.indexOf('\r\n', at) + 2;
      const length = Number(bytes.toString('latin1', at + 1, from - 2));
      at = from + length + 2;
      return bytes.toString('latin1', from, from + length);
    });
    commands.push(words);
  }
  return commands;
}

/** A collection of every type and encoding, with sizes around those of a batch. */
function everything(has: (command: string) => boolean): (string | number)[][] {
  const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  const commands: (string | number)[][] = [
    ['SET', 'text', 'a'.repeat(50)],
    ['SET', 'number', -12345678901],
    ['SET', 'expiring', 'x', 'PXAT', 4_000_000_000_000],
    ['SET', '', 'empty key'],
    ['SET', 'large', 'z'.repeat(700_000)],
    ['SETRANGE', 'binary', 3, '\r\n#*$\0\xff'],
    ['HSET', 'h:one', 'f', 'v'],
    ['PEXPIREAT', 'h:one', 4_000_000_000_001],
    ['SELECT', 3],
    ['SET', 'elsewhere', 1],
    ['SELECT', 0],
  ];
  for (const count of [1, 63, 64, 65, 128, 129, 1500]) {
    commands.push(['RPUSH', `l:${count}`, ...range(count).map((i) => `e${i}`)]);
    commands.push(['SADD', `i:${count}`, ...range(count).map((i) => i * 100_003)]);
    commands.push(['SADD', `s:${count}`, ...range(count).map((i) => `m${i}`)]);
    commands.push(['HSET', `h:${count}`, ...range(count).flatMap((i) => [`f${i}`, i])]);
    if (has('ZADD'))
      commands.push(['ZADD', `z:${count}`, ...range(count).flatMap((i) => [i / 7, `m${i}`])]);
  }
  commands.push(['RPUSH', 'l:big', ...range(40).map((i) => `${i}`.repeat(40_000))]);
  for (const i of range(130)) commands.push(['XADD', 'x', `${1000 + i}-1`, 'f', i, 'g', `v${i}`]);
  for (const i of range(9)) commands.push(['XADD', 'x', `${2000 + i}-0`, `other${i}`, i]);
  return [
    ...commands,
    ['XADD', 'x:far', '18446744073709551610-18446744073709551615', 'f', 'v'],
    ['XDEL', 'x', '1001-1', '2008-0'],
    ['XGROUP', 'CREATE', 'x', 'g', '0'],
    ['XGROUP', 'CREATE', 'x', 'late', '$', 'ENTRIESREAD', 7],
    ['XGROUP', 'CREATECONSUMER', 'x', 'g', 'idle'],
    ['XREADGROUP', 'GROUP', 'g', 'c1', 'COUNT', 20, 'STREAMS', 'x', '>'],
    ['XREADGROUP', 'GROUP', 'g', 'c2', 'COUNT', 10, 'STREAMS', 'x', '>'],
    ['XCLAIM', 'x', 'g', 'c2', 0, '1005-1', 'RETRYCOUNT', 77],
    ['XACK', 'x', 'g', '1003-1'],
    ['XGROUP', 'CREATE', 'x:empty', 'g', '5-5', 'MKSTREAM'],
    ['XADD', 'x:emptied', '7-7', 'f', 'v'],
    ['XDEL', 'x:emptied', '7-7'],
  ];
}

async function fill(client: RawClient, commands: (string | number)[][]): Promise<void> {
  for (const command of commands) {
    const reply = await client.send(...command);
    expect(reply.raw.toString('latin1'), command.slice(0, 3).join(' ')).not.toMatch(/^-/);
  }
}

/** What is known of the streams beside the digest: groups, pending entries, counters. */
async function streamFacts(server: ServerProcess): Promise<string[]> {
  const client = await server.connect();
  const facts: string[] = [];
  for (const key of ['x', 'x:far', 'x:empty', 'x:emptied']) {
    const { raw } = await client.send('XINFO', 'STREAM', key, 'FULL', 'COUNT', 0);
    const text = raw.toString('latin1');
    // Commands cannot say when a consumer was last seen, nor how nodes were divided.
    facts.push(text.replace(/(seen-time|active-time|radix-tree-\w+)\r\n:-?\d+/g, '$1'));
  }
  client.close();
  return facts;
}

const real = requireRedisServer();

describe('a base of commands', () => {
  it('is what Cairn starts from, with everything that was there', async () => {
    const dir = newFolder();
    const server = await started(startCairnServer, dir);
    const client = await server.connect();
    const makers = await knownMakers(client);
    await fill(
      client,
      everything((name) => makers.includes(name)),
    );
    await rewrite(client);
    const [digest, facts] = [await ask(server, 'DEBUG', 'DIGEST'), await streamFacts(server)];
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    expect(namesIn(dir)).toContain('appendonly.aof.2.base.aof');
    expect(baseName(dir)).toBe('appendonly.aof.2.base.aof');
    const commands = commandsOf(baseOf(dir));
    const elements: Record<string, (words: number) => number> = {
      RPUSH: (words) => words - 2,
      SADD: (words) => words - 2,
      HMSET: (words) => (words - 2) / 2,
      ZADD: (words) => (words - 2) / 2,
    };
    const sizes = commands.map(([name = '', ...rest]) => elements[name]?.(rest.length + 1) ?? 0);
    expect(Math.max(...sizes)).toBe(64);
    await server.startAgain({ config: CONFIG });
    expect(await ask(server, 'DEBUG', 'DIGEST')).toBe(digest);
    expect(await streamFacts(server)).toEqual(facts);
    expect(await ask(server, 'PEXPIRETIME', 'h:one')).toBe(4_000_000_000_001);
    if (real === null) return;
    const theirs = await started(startRealServer, newFolder(dir));
    expect(await ask(theirs, 'DEBUG', 'DIGEST')).toBe(digest);
    expect(await ask(theirs, 'PEXPIRETIME', 'expiring')).toBe(4_000_000_000_000);
    const manifest = join(dir, 'appendonlydir', 'appendonly.aof.manifest');
    const checker = findTool('redis-check-aof');
    if (checker !== null) {
      expect(execFileSync(checker, [manifest], { encoding: 'latin1' })).toContain(
        'All AOF files and manifest are valid',
      );
    }
  }, 240_000);

  it('changes hands with a real server, whatever the dataset', async (context) => {
    if (real === null) return context.skip();
    for (const seed of [1, 2]) {
      const dir = newFolder();
      const server = await started(startCairnServer, dir, {
        'aof-checksum': seed === 1 ? 'yes' : 'no',
        'aof-timestamp-enabled': seed === 1 ? 'yes' : 'no',
      });
      const client = await server.connect();
      const makers = await knownMakers(client);
      await writeDataset(client, new Random(seed), 60, makers);
      await rewrite(client);
      await writeDataset(client, new Random(seed + 10), 30, makers);
      const digest = await ask(server, 'DEBUG', 'DIGEST');
      await server.stop();
      const theirs = await started(startRealServer, newFolder(dir));
      expect(await ask(theirs, 'DEBUG', 'DIGEST'), `seed ${seed}`).toBe(digest);
      const other = await theirs.connect();
      await rewrite(other);
      await theirs.stop();
      const back = await started(startCairnServer, newFolder(theirs.dir));
      expect(await ask(back, 'DEBUG', 'DIGEST')).toBe(digest);
    }
  }, 240_000);

  it('has the words of a real server’s rewrite', async (context) => {
    if (real === null) return context.skip();
    const found: string[][][] = [];
    // Asked of Cairn, which comes first.
    let makers: string[] | undefined;
    for (const start of [startCairnServer, startRealServer] as Start[]) {
      const dir = newFolder();
      const server = await started(start, dir);
      const client = await server.connect();
      makers ??= await knownMakers(client);
      await fill(client, [
        ...['RPUSH l a b', 'SADD i 3 1 2', 'HSET h f v', 'SET s 1 PXAT 4000000000000'].map((line) =>
          line.split(' '),
        ),
        ...(makers.includes('ZADD') ? [['ZADD', 'z', '1.5', 'a', '2', 'b', '0.1', 'c']] : []),
        ...everything(() => false).filter(
          ([name, key]) => String(name).startsWith('X') && String(key).startsWith('x:'),
        ),
        ['XADD', 'x', '1-1', 'f', 'v'],
        ['XGROUP', 'CREATE', 'x', 'g', '0'],
        ['XGROUP', 'CREATECONSUMER', 'x', 'g', 'idle'],
        ['XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 'x', '>'],
        ['XGROUP', 'CREATE', 'x:empty', 'g', '5-5', 'MKSTREAM'],
      ]);
      await rewrite(client);
      await server.stop();
      const commands = commandsOf(baseOf(dir)).map((words) =>
        words.map((word, i) => (words[i - 1] === 'TIME' ? 'moment' : word)),
      );
      // The order of keys is the table's.
      found.push(commands.sort((a, b) => (a.join(' ') < b.join(' ') ? -1 : 1)));
    }
    expect(found[0]?.length).toBeGreaterThan(10);
    expect(found[0]).toEqual(found[1]);
  }, 240_000);

  it('tells every flipped bit', async () => {
    const dir = newFolder();
    const server = await started(startCairnServer, dir);
    const client = await server.connect();
    await fill(client, everything(() => false).slice(0, 30));
    await rewrite(client);
    await server.stop();
    const manifest = join(dir, 'appendonlydir', 'appendonly.aof.manifest');
    const name = baseName(dir);
    const path = join(dir, 'appendonlydir', name);
    const { checkAof } = await import('../../src/persistence/tools/check-aof.ts');
    const { realFileSystem } = await import('../../src/persistence/file-system.ts');
    const bytes = readFileSync(path);
    const random = new Random(5);
    for (let i = 0; i < 60; i++) {
      const at = i < 45 ? i : random.between(0, bytes.length - 1);
      const damaged = Buffer.from(bytes);
      damaged[at] = damaged[at]! ^ (1 << random.between(0, 7));
      writeFileSync(path, damaged);
      const verdict = await checkAof(realFileSystem, manifest, { readRdb: async () => 0 });
      expect(verdict.isValid, `byte ${at}`).toBe(false);
    }
  }, 240_000);
});

describe('function libraries in an AOF', () => {
  it.each(['yes', 'no'])(
    'stay, whether or not its bases are RDB (%s)',
    async (preamble) => {
      if (real === null) return;
      const more = { 'aof-use-rdb-preamble': preamble };
      const theirs = await started(startRealServer, newFolder(), more);
      expect(await ask(theirs, 'FUNCTION', 'LOAD', LIBRARY)).toBe('lib');
      const other = await theirs.connect();
      const payload = String(await other.value('FUNCTION', 'DUMP'));
      await fill(other, [
        ['SET', 'a', 1],
        ['FUNCTION', 'FLUSH'],
        ['FUNCTION', 'LOAD', LIBRARY.replace('lib', 'gone').replace("'f'", "'g'")],
        ['FUNCTION', 'RESTORE', payload],
        ['FUNCTION', 'DELETE', 'gone'],
      ]);
      if (preamble === 'yes') await rewrite(other);
      await theirs.stop();
      const dir = newFolder(theirs.dir);
      const server = await started(startCairnServer, dir, more);
      const client = await server.connect();
      await rewrite(client);
      await server.stop();
      await server.startAgain({ config: { ...CONFIG, ...more } });
      const again = await server.connect();
      await rewrite(again);
      await server.stop();
      const back = await started(startRealServer, newFolder(dir), more);
      expect(await ask(back, 'FCALL', 'f', 0)).toBe(1);
      expect(JSON.stringify(await ask(back, 'FUNCTION', 'LIST'))).not.toContain('gone');
      expect(await ask(back, 'GET', 'a')).toBe('1');
    },
    240_000,
  );
});
