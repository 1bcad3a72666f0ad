/**
 * MIGRATE between Cairn and the real server, in both directions, and towards a target that answers
 * when the test lets it: what happens to the keys meanwhile.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import type { RawClient } from '../support/raw-client.ts';
import { requireRedisServer, startRealServer } from '../support/real-server.ts';
import { ReplyError } from '../support/resp-reader.ts';
import type { ServerProcess } from '../support/server-process.ts';

const servers: ServerProcess[] = [];
const targets: HeldTarget[] = [];

afterEach(async () => {
  for (const one of servers.splice(0)) await one.close();
  for (const one of targets.splice(0)) one.close();
});

async function start(kind: 'cairn' | 'redis', config: Record<string, string | number> = {}) {
  const options = { config: { 'enable-debug-command': 'yes', ...config } };
  const server = await (kind === 'cairn' ? startCairnServer(options) : startRealServer(options));
  servers.push(server);
  return server;
}

/** Connects and gives a function that sends a command and tells its answer. */
async function asker(server: ServerProcess) {
  const client = await server.connect();
  return Object.assign((...words: (string | number)[]) => ask(client, words), { client });
}

async function ask(client: RawClient, words: readonly (string | number)[]): Promise<unknown> {
  const value = await client.value(...words);
  return value instanceof ReplyError ? value.error : value;
}

/** Takes connections and commands, and answers a command when it is told to. */
class HeldTarget {
  readonly port: number;
  /** Names of the commands that came, and over which connection each did. */
  readonly commands: string[] = [];
  connections = 0;
  private readonly server: Server;
  private sockets: Socket[] = [];
  private isHeld = true;
  private owed: Socket[] = [];

  private constructor(server: Server) {
    this.server = server;
    const address = server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
    server.on('connection', (socket) => {
      const number = ++this.connections;
      this.sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        const names = bytes.toString('latin1').match(/(?<=\r\n)(SELECT|RESTORE|AUTH)(?=\r\n)/g);
        for (const name of names ?? []) {
          this.commands.push(`${number} ${name}`);
          this.owed.push(socket);
        }
        if (!this.isHeld) this.answer();
      });
    });
  }

  static async open(): Promise<HeldTarget> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const target = new HeldTarget(server);
    targets.push(target);
    return target;
  }

  /** Answers everything, from now on. */
  release(): void {
    this.isHeld = false;
    this.answer();
  }

  /** Answers nothing, from now on. */
  hold(): void {
    this.isHeld = true;
  }

  private answer(): void {
    for (const socket of this.owed.splice(0)) socket.write('+OK\r\n');
  }

  /** Waits until so many commands have come. */
  async came(count: number): Promise<void> {
    for (let i = 0; i < 12_000; i++) {
      if (this.commands.length >= count) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(`only ${this.commands.join(', ')} came`);
  }

  /** Breaks the connections that stand. */
  drop(): void {
    for (const socket of this.sockets.splice(0)) socket.destroy();
  }

  close(): void {
    this.drop();
    this.server.close();
  }
}

const DATASET: readonly (readonly (string | number)[])[] = [
  ['SET', 'text', 'some text'],
  ['SET', 'number', 12, 'PX', 500_000],
  ['RPUSH', 'list', 'a', 'b', 3],
  ['SADD', 'set', 'x', 'y', 'z'],
  ['SADD', 'ints', 1, 2, 3],
  ['HSET', 'hash', 'f', 'v', 'g', 'w'],
  ['ZADD', 'zset', 1, 'a', 2.5, 'b'],
  ['XADD', 'stream', '1-1', 'f', 'v'],
  ['SET', 'large', 'x'.repeat(300_000)],
];
const NAMES = DATASET.map(([, name]) => String(name));

describe.skipIf(requireRedisServer() === null)('MIGRATE', () => {
  it.each([
    ['cairn', 'redis'],
    ['redis', 'cairn'],
    ['cairn', 'cairn'],
  ] as const)('moves every type from %s to %s', async (from, to) => {
    const config = from === 'cairn' ? { 'rdb-save-version': 10 } : {};
    const source = await asker(await start(from, config));
    const server = await start(to);
    const target = await asker(server);
    for (const words of DATASET) await source(...words);
    const digests = await Promise.all(NAMES.map((name) => source('DEBUG', 'DIGEST-VALUE', name)));
    const move = ['MIGRATE', '127.0.0.1', server.port] as const;
    expect(await source(...move, 'text', 0, 60_000)).toBe('OK');
    expect(await source(...move, '', 0, 60_000, 'KEYS', ...NAMES)).toBe('OK');
    expect(await source('DBSIZE')).toBe(0);
    const moved = await Promise.all(NAMES.map((name) => target('DEBUG', 'DIGEST-VALUE', name)));
    expect(moved).toEqual(digests);
    expect(Number(await target('PTTL', 'number'))).toBeGreaterThan(100_000);
    expect(await target('PTTL', 'text')).toBe(-1);
  });

  it('answers as the real one does', async () => {
    const server = await start('cairn', { requirepass: 'secret' });
    const target = await asker(server);
    await target('AUTH', 'secret');
    await target('ACL', 'SETUSER', 'mover', 'on', '>word', '~*', '+@all');
    const move = ['MIGRATE', '127.0.0.1', server.port];
    const closed = ['MIGRATE', '127.0.0.1', 1];
    const scenes: (string | number)[][] = [
      ['SET', 'a', 1],
      ['SET', 'b', 2],
      [...move, 'nothing', 0, 60_000],
      [...move, '', 0, 60_000, 'KEYS', 'nothing', 'no'],
      [...move, '', 0, 60_000, 'KEYS'],
      [...move, 'a', 0, 60_000, 'KEYS', 'b'],
      [...move, 'a', 'x', 60_000],
      [...move, 'a', 0, 'x'],
      [...move, 'a', 0, 60_000, 'WHAT'],
      [...move, 'a', 0, 60_000, 'AUTH'],
      [...move, 'a', 0, 60_000, 'AUTH2', 'mover'],
      [...closed, 'a', 0, 60_000],
      [...move, 'a', 0, 60_000],
      [...move, 'a', 0, 60_000, 'AUTH', 'wrong'],
      [...move, 'a', 0, 60_000, 'AUTH2', 'mover', 'wrong'],
      ['EXISTS', 'a'],
      [...move, 'a', 99, 60_000, 'AUTH', 'secret'],
      [...move, 'a', 2, 0, 'COPY', 'AUTH', 'secret'],
      ['EXISTS', 'a'],
      [...move, 'a', 2, -1, 'COPY', 'REPLACE', 'AUTH2', 'mover', 'word'],
      [...move, 'a', 2, 60_000, 'AUTH', 'secret'],
      [...move, '', 2, 60_000, 'AUTH', 'secret', 'KEYS', 'b', 'a', 'nothing'],
      ['EXISTS', 'a', 'b'],
      [...move, 'a', 2, 60_000, 'replace', 'auth', 'secret'],
      ['EXISTS', 'a'],
      ['COMMAND', 'GETKEYS', ...move, '', 0, 60_000, 'AUTH', 'keys', 'KEYS', 'a', 'b'],
      ['COMMAND', 'GETKEYS', ...move, 'k', 0, 60_000, 'KEYS', 'a', 'b'],
    ];
    const answers: unknown[][] = [];
    for (const kind of ['cairn', 'redis'] as const) {
      const config = kind === 'cairn' ? { 'rdb-save-version': 10 } : {};
      const source = await asker(await start(kind, config));
      const told: unknown[] = [];
      for (const words of scenes) told.push(await source(...words));
      answers.push(told);
      await target('FLUSHALL');
    }
    expect(answers[0]).toEqual(answers[1]);
  });

  it('within a transaction is done before what follows', async () => {
    const server = await start('redis');
    const config = { 'rdb-save-version': 10, appendonly: 'yes' };
    const cairn = await start('cairn', config);
    const source = await asker(cairn);
    await source('SET', 'old', 1);
    await source('MULTI');
    await source('SET', 'new', 2);
    const move = ['MIGRATE', '127.0.0.1', server.port, '', 0, 60_000];
    await source(...move, 'KEYS', 'old', 'new');
    await source('EXISTS', 'old', 'new');
    await source(...move, 'KEYS', 'old', 'new');
    expect(await source('EXEC')).toEqual(['OK', 'OK', 0, 'NOKEY']);
    expect(await (await asker(server))('MGET', 'old', 'new')).toEqual(['1', '2']);
    await source('SET', 'stays', 1);
    await cairn.kill();
    await cairn.restart();
    expect(await (await asker(cairn))('KEYS', '*')).toEqual(['stays']);
  });
});

describe('while MIGRATE waits for its target', () => {
  it('others go on, who would write to its keys waits, and nothing is lost', async () => {
    const cairn = await start('cairn', { appendonly: 'yes' });
    const target = await HeldTarget.open();
    const [mover, reader] = [await asker(cairn), await asker(cairn)];
    await reader('MSET', 'k', 1, 'other', 1);
    const moved = mover('MIGRATE', '127.0.0.1', target.port, 'k', 0, 100_000);
    await target.came(2);
    expect(await reader('GET', 'k')).toBe('1');
    expect(await reader('INCR', 'other')).toBe(2);
    expect(await reader('INFO', 'clients')).toContain('blocked_clients:1\r\n');
    const writers = await Promise.all([1, 2, 3].map(() => asker(cairn)));
    const appended = writers[0]!('APPEND', 'k', 'x');
    const list = async (): Promise<string> => String(await reader('CLIENT', 'LIST'));
    while (!(await list()).includes('cmd=append')) await new Promise(setImmediate);
    await writers[1]!('MULTI');
    await writers[1]!('GET', 'k');
    await writers[1]!('APPEND', 'k', 'y');
    const executed = writers[1]!('EXEC');
    while (!(await list()).includes('cmd=exec')) await new Promise(setImmediate);
    const flushed = writers[2]!('FLUSHDB');
    while (!(await list()).includes('cmd=flushdb')) await new Promise(setImmediate);
    expect(await reader('MGET', 'k', 'other')).toEqual(['1', '2']);
    target.release();
    expect(await Promise.all([moved, appended, executed, flushed])).toEqual([
      'OK',
      1,
      ['x', 2],
      'OK',
    ]);
    await cairn.kill();
    await cairn.restart();
    expect(await (await asker(cairn))('DBSIZE')).toBe(0);
  });

  it('a key that changes all the same stays', async () => {
    const cairn = await start('cairn');
    const target = await HeldTarget.open();
    const [mover, blocked, writer] = await Promise.all([1, 2, 3].map(() => asker(cairn)));
    await writer!('RPUSH', 'k', 'a');
    const popped = blocked!('BLMOVE', 'from', 'k', 'LEFT', 'RIGHT', 0);
    while (!String(await writer!('INFO', 'clients')).includes('blocked_clients:1')) {
      await new Promise(setImmediate);
    }
    const moved = mover!('MIGRATE', '127.0.0.1', target.port, 'k', 0, 100_000);
    await target.came(2);
    await writer!('RPUSH', 'from', 'b');
    expect(await popped).toBe('b');
    target.release();
    expect(await moved).toMatch(/^IOERR the key was changed/);
    expect(await writer!('LRANGE', 'k', 0, -1)).toEqual(['a', 'b']);
  });

  it('a client that goes away has its key moved', async () => {
    const cairn = await start('cairn');
    const target = await HeldTarget.open();
    const [mover, observer] = [await asker(cairn), await asker(cairn)];
    await observer('SET', 'k', 1);
    const moved = mover('MIGRATE', '127.0.0.1', target.port, 'k', 0, 100_000);
    await target.came(2);
    mover.client.close();
    await expect(moved).rejects.toThrow();
    const written = observer('SET', 'k', 2, 'GET');
    target.release();
    expect(await written).toBeNull();
    expect(await observer('INFO', 'clients')).toContain('blocked_clients:0\r\n');
  });

  it('a server that becomes a replica deletes nothing', async () => {
    const cairn = await start('cairn');
    const target = await HeldTarget.open();
    const [mover, observer] = [await asker(cairn), await asker(cairn)];
    await observer('SET', 'k', 1);
    const moved = mover('MIGRATE', '127.0.0.1', target.port, 'k', 0, 100_000);
    await target.came(2);
    expect(await observer('REPLICAOF', '127.0.0.1', 1)).toBe('OK');
    target.release();
    expect(await moved).toMatch(/^READONLY /);
    expect(await observer('GET', 'k')).toBe('1');
  });

  it('time ends it; a connection is kept for the next one, made anew when it broke', async () => {
    const cairn = await start('cairn');
    const target = await HeldTarget.open();
    const source = await asker(cairn);
    const move = ['MIGRATE', '127.0.0.1', target.port, 'k', 0] as const;
    await source('SET', 'k', 1);
    target.release();
    for (let i = 0; i < 2; i++) expect(await source(...move, 60_000, 'COPY')).toBe('OK');
    expect(await source('INFO', 'stats')).toContain('migrate_cached_sockets:1\r\n');
    target.hold();
    expect(await source(...move, 500)).toBe('IOERR error or timeout reading to target instance');
    expect(await source('INFO', 'stats')).toContain('migrate_cached_sockets:0\r\n');
    expect(await source('GET', 'k')).toBe('1');
    target.release();
    expect(await source(...move, 60_000, 'COPY')).toBe('OK');
    target.drop();
    expect(await source(...move, 60_000)).toBe('OK');
    expect(await source('EXISTS', 'k')).toBe(0);
    expect(target.commands).toEqual([
      ...['1 SELECT', '1 RESTORE', '1 RESTORE', '1 RESTORE'],
      ...['2 SELECT', '2 RESTORE', '3 SELECT', '3 RESTORE'],
    ]);
  });
});
