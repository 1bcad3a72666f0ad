/**
 * Clients that wait, and what else may happen to them: time, CLIENT UNBLOCK, the end of the
 * connection, further commands in the same write, CLIENT REPLY; and what is counted. On Cairn and
 * on the real server.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import { encodeCommand, type RawClient } from '../support/raw-client.ts';
import { requireRedisServer, startRealServer } from '../support/real-server.ts';
import type { ServerProcess } from '../support/server-process.ts';

const contestants = [
  { name: 'Cairn', missing: false, start: startCairnServer as typeof startRealServer },
  { name: 'the real server', missing: requireRedisServer() === null, start: startRealServer },
];

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(contestants)('waiting clients of $name', ({ missing, start }) => {
  let server: ServerProcess;
  let actor: RawClient;
  const open: RawClient[] = [];

  beforeAll(async () => {
    if (missing) return;
    server = await start({});
    actor = await server.connect();
  });
  afterAll(() => server?.close());

  const blocked = async (count: number): Promise<void> => {
    for (let i = 0; i < 6000; i++) {
      const info = String(await actor.value('INFO', 'clients'));
      if (Number(/blocked_clients:(\d+)/.exec(info)?.[1]) === count) return;
      await sleep(4);
    }
    throw new Error(`there were never ${count} blocked clients`);
  };

  /** A client that has sent these commands in one write and waits by the last. */
  const waiting = async (
    already: number,
    ...commands: (string | number)[][]
  ): Promise<RawClient> => {
    const client = await server.connect();
    open.push(client);
    client.write(Buffer.concat(commands.map((words) => encodeCommand(words))));
    await blocked(already + 1);
    return client;
  };

  const test = (name: string, run: () => Promise<void>): void => {
    it.skipIf(missing)(name, async () => {
      await actor.send('FLUSHALL');
      await run();
      for (const client of open.splice(0)) client.close();
      await blocked(0);
    });
  };

  const textOf = async (client: RawClient): Promise<string> =>
    (await client.read()).raw.toString('latin1');

  test('are told when their time is up, not before', async () => {
    const begun = performance.now();
    const told = async (afterMs: number, ...words: string[]): Promise<string> => {
      const client = await server.connect();
      const { raw } = await client.send(...words);
      expect(performance.now() - begun).toBeGreaterThanOrEqual(afterMs - 1);
      client.close();
      return raw.toString();
    };
    const answers = await Promise.all([
      told(250, 'BLPOP', 'k', '0.25'),
      told(120, 'BLMOVE', 'k', 'd', 'LEFT', 'LEFT', '0.12'),
    ]);
    expect(answers).toEqual(['*-1\r\n', '*-1\r\n']);
  });

  test('are unblocked by CLIENT UNBLOCK', async () => {
    const ids: number[] = [];
    for (const reason of [[], ['TIMEOUT'], ['error']]) {
      const client = await server.connect();
      open.push(client);
      const id = Number(await client.value('CLIENT', 'ID'));
      ids.push(id);
      client.write(encodeCommand(['BLPOP', 'k', '0']));
      await blocked(1);
      expect(await actor.value('CLIENT', 'UNBLOCK', id, ...reason)).toBe(1);
      const error = '-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n';
      expect(await textOf(client)).toBe(reason[0] === 'error' ? error : '*-1\r\n');
      expect(await client.value('PING')).toBe('PONG');
    }
    expect(await actor.value('CLIENT', 'UNBLOCK', ids[0] ?? 0)).toBe(0);
    await actor.send('RPUSH', 'k', 'a');
    expect(await actor.value('LLEN', 'k')).toBe(1);
  });

  test('and track keys are told once of each that they looked for', async () => {
    await actor.send('XADD', 'x', '1-1', 'f', 'v');
    const hello = [
      ['HELLO', 3],
      ['CLIENT', 'TRACKING', 'ON'],
      ['ECHO', 'ready'],
    ];
    const client = await waiting(0, ...hello, ['XREAD', 'BLOCK', 0, 'STREAMS', 'x', '$']);
    await actor.send('EXPIRE', 'x', 100);
    await actor.send('EXPIRE', 'x', 200);
    await actor.send('XADD', 'x', '2-1', 'f', 'v');
    for (const _ of hello) await client.read();
    expect(await textOf(client)).toMatch(/^%1\r\n\$1\r\nx\r\n/);
    expect(await client.value('PING')).toBe('PONG');
    expect(client.unread.pushes.length).toBe(1);
  });

  test('and track all keys are told of those that others changed before them', async () => {
    const tracking = ['CLIENT', 'TRACKING', 'ON', 'BCAST', 'NOLOOP'];
    const client = await waiting(0, ['HELLO', 3], tracking, ['BLPOP', 'k', '0']);
    await actor.send('RPUSH', 'k', 'a');
    expect((await client.readPush()).value).toEqual(['invalidate', ['k']]);
  });

  test('that go away leave their turn to the next', async () => {
    const first = await waiting(0, ['BLPOP', 'k', '0']);
    const second = await waiting(1, ['BLPOP', 'k', '0']);
    first.close();
    await blocked(1);
    await actor.send('RPUSH', 'k', 'a', 'b');
    expect(await textOf(second)).toBe('*2\r\n$1\r\nk\r\n$1\r\na\r\n');
    expect(await actor.value('LRANGE', 'k', 0, -1)).toEqual(['b']);
  });

  test('that are killed leave their turn as well', async () => {
    const first = await waiting(0, ['CLIENT', 'SETNAME', 'doomed'], ['BLPOP', 'k', '0']);
    const second = await waiting(1, ['BLPOP', 'k', '0']);
    const list = String(await actor.value('CLIENT', 'LIST'));
    const line = list.split('\n').find((one) => one.includes('name=doomed'));
    expect(line).toMatch(/ flags=b .* cmd=blpop /);
    await actor.send('CLIENT', 'KILL', 'ID', /id=(\d+)/.exec(line ?? '')?.[1] ?? '');
    await first.waitClosed();
    await blocked(1);
    await actor.send('RPUSH', 'k', 'a');
    expect(await textOf(second)).toBe('*2\r\n$1\r\nk\r\n$1\r\na\r\n');
  });

  test('are served in the order in which they came, whatever keys they named', async () => {
    const clients: RawClient[] = [];
    const keys = [['k'], ['j', 'k'], ['k', 'j'], ['j'], ['k']];
    for (const [i, names] of keys.entries()) {
      clients.push(await waiting(i, ['BLPOP', ...names, '0']));
    }
    await actor.send('RPUSH', 'k', '1', '2');
    await actor.send('RPUSH', 'j', '3', '4');
    await actor.send('RPUSH', 'k', '5');
    const values = await Promise.all(clients.map(async (one) => (await one.read()).value));
    expect(values).toEqual([
      ['k', '1'],
      ['k', '2'],
      ['j', '3'],
      ['j', '4'],
      ['k', '5'],
    ]);
  });

  test('get to their further commands once they were served', async () => {
    const client = await waiting(
      0,
      ['BLPOP', 'k', '0'],
      ['RPUSH', 'other', 'x'],
      ['BLPOP', 'k', '0'],
      ['PING'],
    );
    expect(await actor.value('EXISTS', 'other')).toBe(0);
    await actor.send('RPUSH', 'k', 'a');
    expect(await textOf(client)).toBe('*2\r\n$1\r\nk\r\n$1\r\na\r\n');
    expect(await textOf(client)).toBe(':1\r\n');
    await blocked(1);
    expect(client.unread.replies).toEqual([]);
    await actor.send('RPUSH', 'k', 'b', 'c');
    expect(await textOf(client)).toBe('*2\r\n$1\r\nk\r\n$1\r\nb\r\n');
    expect(await textOf(client)).toBe('+PONG\r\n');
    expect(await actor.value('LRANGE', 'k', 0, -1)).toEqual(['c']);
  });

  test('are closed when they send more than may wait with them', async () => {
    await actor.send('CONFIG', 'SET', 'client-query-buffer-limit', '1mb');
    const client = await waiting(0, ['BLPOP', 'k', '0']);
    const piece = Buffer.concat(Array.from({ length: 4000 }, () => encodeCommand(['PING'])));
    for (let i = 0; i < 60 && !client.isClosed; i++) {
      client.write(piece);
      await sleep(1);
    }
    await client.waitClosed();
    await blocked(0);
    await actor.send('CONFIG', 'SET', 'client-query-buffer-limit', '1gb');
  });

  test('answer in the protocol that they speak', async () => {
    const client = await server.connect();
    open.push(client);
    await client.send('HELLO', '3');
    expect((await client.send('BLPOP', 'k', '0.05')).raw.toString()).toBe('_\r\n');
  });

  test('say nothing after CLIENT REPLY SKIP or OFF, and are served all the same', async () => {
    const skipping = await waiting(0, ['CLIENT', 'REPLY', 'SKIP'], ['BLPOP', 'k', '0']);
    const silent = await waiting(1, ['CLIENT', 'REPLY', 'OFF'], ['BLPOP', 'k', '0']);
    await actor.send('RPUSH', 'k', 'a', 'b', 'c');
    await blocked(0);
    expect(await actor.value('LRANGE', 'k', 0, -1)).toEqual(['c']);
    expect(await skipping.value('PING')).toBe('PONG');
    expect((await silent.send('CLIENT', 'REPLY', 'ON')).raw.toString()).toBe('+OK\r\n');
  });

  test('count one call, however often they are tried', async () => {
    await actor.send('CONFIG', 'RESETSTAT');
    const client = await waiting(0, ['BLMOVE', 'k', 'd', 'LEFT', 'LEFT', '0']);
    await actor.send('RPUSH', 'k', 'a');
    await textOf(client);
    const stats = String(await actor.value('INFO', 'commandstats'));
    expect(stats).toMatch(/cmdstat_blmove:calls=1,/);
  });

  test('are shown to monitors once', async () => {
    const monitor = await server.connect();
    open.push(monitor);
    await monitor.send('MONITOR');
    const client = await waiting(0, ['BLPOP', 'watched', '0']);
    await actor.send('RPUSH', 'watched', 'a');
    await textOf(client);
    await actor.send('ECHO', 'the end');
    const lines: string[] = [];
    for (;;) {
      const line = await textOf(monitor);
      if (line.includes('the end')) break;
      lines.push(line);
    }
    expect(lines.filter((line) => line.includes('"BLPOP"')).length).toBe(1);
  });

  test('a hundred of them are served in turn, one by each element', async () => {
    const clients: RawClient[] = [];
    for (let i = 0; i < 100; i++) clients.push(await waiting(i, ['BRPOP', 'k', '0']));
    for (let i = 0; i < 100; i++) await actor.send('LPUSH', 'k', i);
    const values = await Promise.all(clients.map(async (one) => (await one.read()).value));
    expect(values).toEqual(clients.map((_, i) => ['k', String(i)]));
    expect(await actor.value('EXISTS', 'k')).toBe(0);
  });
});
