/**
 * What holds clients back or sends them away: CLIENT PAUSE, output limits, and CONFIG where its
 * answer takes time.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import { encodeCommand, RawClient } from '../support/raw-client.ts';
import { requireRedisServer } from '../support/real-server.ts';
import { freePort, type ServerProcess } from '../support/server-process.ts';
import { sideBySide } from '../support/side-by-side.ts';

describe.skipIf(requireRedisServer() === null)('CLIENT PAUSE like the real server', () => {
  const { same } = sideBySide({ config: { 'enable-debug-command': 'yes' } });

  same(
    'writes only',
    `
    a> SET k v
    a> CLIENT PAUSE 100000 WRITE
    b> GET k
    b> PING
    b>0 SET k w
    c> GET k
    d> MULTI
    d> GET k
    d> EXEC
    e> MULTI
    e>0 INCR n
    e>0 EXEC
    f>0 PUBLISH x y
    a> CLIENT UNPAUSE
    b<
    e< 2
    f<
    c> GET k
  `,
  );

  same(
    'everything, for a time',
    `
    a> CLIENT PAUSE 150
    b>0 PING
    b>0 GET k
    a>0 ECHO x
    b< 2
    a<
  `,
  );

  same(
    'expired keys are hidden and not deleted',
    `
    a> FLUSHALL
    a> MULTI
    a> SET short x PX 1000
    a> CLIENT PAUSE 100000 WRITE
    a> EXEC
    a> BITCOUNT no-such
    b> CLIENT PAUSE 10 WRITE
    a> DEBUG SLEEP 1.1
    a> GET short
    a> DBSIZE
    a> CLIENT UNPAUSE
  `,
  );
});

describe('holding back', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await startCairnServer({ config: { 'enable-debug-command': 'yes' } });
  });
  afterAll(() => server?.close());

  it('runs what waited for the end of a pause in the order in which it came', async () => {
    const [boss, a, b] = [await server.connect(), await server.connect(), await server.connect()];
    await boss.send('CLIENT', 'PAUSE', 60_000, 'WRITE');
    a.write('*3\r\n$6\r\nAPPEND\r\n$1\r\no\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\no\r\n');
    await boss.send('PING');
    b.write('*3\r\n$6\r\nAPPEND\r\n$1\r\no\r\n$1\r\nb\r\n');
    expect(await boss.value('GET', 'o')).toBe(null);
    expect(await boss.value('CLIENT', 'LIST')).toContain('flags=b');
    const waiting = async () => String(await boss.value('INFO', 'clients'));
    await expect.poll(waiting).toContain('blocked_clients:2\r\n');
    // They are no writes, but replicas may have to be told of what they do.
    const [counts, tells] = [await server.connect(), await server.connect()];
    counts.write(encodeCommand(['PFCOUNT', 'h']));
    tells.write(encodeCommand(['PUBLISH', 'x', 'y']));
    await expect.poll(waiting).toContain('blocked_clients:4\r\n');
    await boss.send('CLIENT', 'UNPAUSE');
    await expect.poll(waiting).toContain('blocked_clients:0\r\n');
    expect((await a.read()).value).toBe(1);
    expect((await b.read()).value).toBe(2);
    expect(['a', 'ab']).toContain((await a.read()).value);
    expect((await counts.read()).value).toBe(0);
    for (const client of [boss, a, b, counts, tells]) client.close();
  });

  it('forgets a paused client that goes', async () => {
    const [boss, a] = [await server.connect(), await server.connect()];
    await boss.send('CLIENT', 'PAUSE', 60_000, 'WRITE');
    a.write('*3\r\n$3\r\nSET\r\n$4\r\ngone\r\n$1\r\na\r\n');
    await boss.send('PING');
    a.close();
    await expect.poll(() => boss.value('CLIENT', 'LIST')).not.toContain('cmd=set');
    await boss.send('CLIENT', 'UNPAUSE');
    expect(await boss.value('GET', 'gone')).toBe(null);
    boss.close();
  });

  it('disconnects a subscriber above the hard limit, and says so in the log', async () => {
    const [sender, slow] = [await server.connect(), await server.connect()];
    await sender.send('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 4mb 0 0');
    await slow.send('SUBSCRIBE', 'flood');
    slow.pause();
    const message = 'x'.repeat(1_000_000);
    for (let i = 0; i < 40; i++) {
      const heard = await sender.value('PUBLISH', 'flood', message);
      if (heard === 0) break;
    }
    expect(await sender.value('PUBLISH', 'flood', 'x')).toBe(0);
    expect(server.logText).toMatch(
      /# Client id=\d+ .* flags=P .* to be closed ASAP for overcoming of output buffer limits\.\n/,
    );
    expect(await sender.value('INFO', 'stats')).toContain(
      'client_output_buffer_limit_disconnections:1\r\n',
    );
    slow.close();
    sender.close();
  });

  it('sends nothing of a reply above the hard limit, but executes what was asked', async () => {
    const client = await server.connect();
    await client.pipeline([
      ['CONFIG', 'SET', 'client-output-buffer-limit', 'normal 100000 0 0'],
      ['SET', 'long', 'x'.repeat(10_000)],
    ]);
    const greedy = await server.connect();
    const get: string[] = ['GET', 'long'];
    const replies = await Promise.allSettled([
      greedy.pipeline([['MULTI'], ...Array(11).fill(get), ['SET', 'done', '1'], ['EXEC']]),
    ]);
    expect(replies[0]?.status).toBe('rejected');
    await greedy.waitClosed();
    expect(greedy.pending.length).toBeLessThan(1000);
    expect(await client.value('GET', 'done')).toBe('1');
    expect(await client.value('GET', 'long')).toHaveLength(10_000);
    await client.send('HSET', 'h', 'a', 'b');
    const endless = await server.connect();
    endless.write(encodeCommand(['HRANDFIELD', 'h', -999_999_999]));
    await endless.waitClosed();
    await client.send('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 0 0 0');
    client.close();
  });

  it('disconnects one that stays above the soft limit', async () => {
    const [sender, slow] = [await server.connect(), await server.connect()];
    await sender.send('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 0 1mb 1');
    await slow.send('SUBSCRIBE', 'drip');
    slow.pause();
    for (let i = 0; i < 12; i++) await sender.send('PUBLISH', 'drip', 'x'.repeat(1_000_000));
    await expect.poll(() => sender.value('PUBSUB', 'NUMSUB', 'drip')).toEqual(['drip', 0]);
    slow.close();
    sender.close();
  });

  it('disconnects idle clients, but not subscribers', async () => {
    const [boss, idle, listener] = [
      await server.connect(),
      await server.connect(),
      await server.connect(),
    ];
    await listener.send('SUBSCRIBE', 'x');
    await idle.send('PING');
    await boss.send('CONFIG', 'SET', 'timeout', 1);
    for (const client of [idle, boss]) await client.waitClosed();
    const other = await server.connect();
    const [numsub] = await other.pipeline([
      ['PUBSUB', 'NUMSUB', 'x'],
      ['CONFIG', 'SET', 'timeout', 0],
    ]);
    expect(numsub?.value).toEqual(['x', 1]);
    for (const client of [other, listener]) client.close();
  });

  it('evicts the clients that take the most memory, unless they may not be', async () => {
    const [boss, kept, large] = [
      await server.connect(),
      await server.connect(),
      await server.connect(),
    ];
    await kept.send('CLIENT', 'NO-EVICT', 'ON');
    const half = `*2\r\n$4\r\nECHO\r\n$3000000\r\n${'x'.repeat(1_000_000)}`;
    kept.write(half);
    large.write(half);
    await boss.send('DEBUG', 'PAUSE-CRON', 1);
    await boss.send('CONFIG', 'SET', 'maxmemory-clients', '4mb');
    await large.waitClosed();
    await boss.send('DEBUG', 'PAUSE-CRON', 0);
    kept.write(`${'x'.repeat(2_000_000)}\r\n`);
    expect(String((await kept.read()).value)).toHaveLength(3_000_000);
    expect(await boss.value('INFO', 'stats')).toContain('evicted_clients:1\r\n');
    await boss.send('CONFIG', 'SET', 'maxmemory-clients', '0');
    for (const client of [boss, kept]) client.close();
  });

  it('evicts at once who sends too much, and who watches too many keys', async () => {
    const client = await server.connect();
    await client.send('CLIENT', 'NO-EVICT', 'ON');
    await client.send('CONFIG', 'SET', 'maxmemory-clients', '300000');
    const sends = await server.connect();
    const id = String(await sends.value('CLIENT', 'ID'));
    sends.write(Buffer.from(`*1\r\n$400000\r\n${'x'.repeat(400_000)}`));
    await expect.poll(() => sends.isClosed).toBe(true);
    expect(await client.value('CLIENT', 'LIST', 'ID', id)).toBe('');
    const watches = await server.connect();
    const keys = Array.from({ length: 2000 }, (_, i) => ['WATCH', `k${i}`, `k${i}`]);
    await Promise.allSettled([watches.pipeline(keys)]);
    await expect.poll(() => watches.isClosed).toBe(true);
    const tracks = await server.connect();
    const prefix = (i: number): string[] => ['PREFIX', `p${i}:${'x'.repeat(100)}`];
    const prefixes = Array.from({ length: 2000 }, (_, i) => prefix(i)).flat();
    await Promise.allSettled([tracks.send('CLIENT', 'TRACKING', 'ON', 'BCAST', ...prefixes)]);
    await expect.poll(() => tracks.isClosed).toBe(true);
    await client.send('CONFIG', 'SET', 'maxmemory-clients', '0');
    client.close();
  });

  it('evicts nobody for less than what a connection may need to raise the limit', async () => {
    const client = await server.connect();
    for (const limit of ['1', '1023', '1%', '0']) {
      await client.send('CONFIG', 'SET', 'maxmemory', '100mb', 'maxmemory-clients', limit);
      expect(await client.value('PING')).toBe('PONG');
    }
    await client.send('CONFIG', 'SET', 'maxmemory', '0');
    client.close();
  });

  it('evicts who is sent too much by others before the next command', async () => {
    const client = await server.connect();
    await client.send('CLIENT', 'NO-EVICT', 'ON');
    await client.send('CONFIG', 'SET', 'maxmemory-clients', '3mb');
    await client.send('DEBUG', 'PAUSE-CRON', 1);
    const slow = await server.connect();
    const id = String(await slow.value('CLIENT', 'ID'));
    await slow.send('SUBSCRIBE', 'flood');
    slow.pause();
    for (let i = 0; i < 200; i++) {
      const line = String(await client.value('CLIENT', 'LIST', 'ID', id));
      if (line === '') break;
      expect(Number(/tot-mem=(\d+)/.exec(line)?.[1])).toBeLessThan(3 << 20);
      await client.send('PUBLISH', 'flood', 'x'.repeat(200_000));
    }
    expect(await client.value('CLIENT', 'LIST', 'ID', id)).toBe('');
    await client.send('DEBUG', 'PAUSE-CRON', 0);
    await client.send('CONFIG', 'SET', 'maxmemory-clients', '0');
    slow.close();
    client.close();
  });

  it('lets nobody who has not said who it is leave many replies unread', async () => {
    const client = await server.connect();
    await client.send('CONFIG', 'SET', 'requirepass', 'secret');
    const stranger = await RawClient.connect(server.port);
    stranger.pause();
    const flood = Buffer.from('PING\r\n'.repeat(20_000));
    const closed = async (): Promise<number> => {
      const stats = String(await client.value('INFO', 'stats'));
      return Number(/client_output_buffer_limit_disconnections:(\d+)/.exec(stats)?.[1]);
    };
    const before = await closed();
    for (let i = 0; i < 500 && (await closed()) === before; i++) stranger.write(flood);
    expect(await closed()).toBe(before + 1);
    stranger.resume();
    await stranger.waitClosed();
    expect(await client.value('PING')).toBe('PONG');
    await client.send('CONFIG', 'SET', 'requirepass', '');
    client.close();
  });

  it('closes clients of an age', async () => {
    const client = await server.connect();
    const refused = async (age: string): Promise<string> =>
      (await client.send('CLIENT', 'KILL', 'MAXAGE', age)).raw.toString();
    expect(await refused('x')).toBe('-ERR value is not an integer or out of range\r\n');
    expect(await refused('-1')).toBe('-ERR maxage should be greater than 0\r\n');
    await client.send('ACL', 'SETUSER', 'aged', 'on', 'nopass', '+ping');
    const old = await server.connect();
    await old.send('AUTH', 'aged', '');
    expect(await client.value('CLIENT', 'KILL', 'USER', 'aged', 'MAXAGE', 1000)).toBe(0);
    await expect.poll(() => client.value('CLIENT', 'KILL', 'USER', 'aged', 'MAXAGE', 1)).toBe(1);
    await old.waitClosed();
    await client.send('ACL', 'DELUSER', 'aged');
    client.close();
  });

  it('leaves no trace of the use of keys where a client asked for that', async () => {
    const client = await server.connect();
    // Counters that do not decay: the minute may change at any time.
    await client.send('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu', 'lfu-decay-time', '0');
    await client.send('SET', 'untouched', 'x');
    await client.send('CLIENT', 'NO-TOUCH', 'ON');
    const before = await client.value('OBJECT', 'FREQ', 'untouched');
    for (let i = 0; i < 300; i++) await client.send('GET', 'untouched');
    expect(await client.value('OBJECT', 'FREQ', 'untouched')).toBe(before);
    await client.send('CLIENT', 'NO-TOUCH', 'OFF');
    for (let i = 0; i < 300; i++) await client.send('GET', 'untouched');
    expect(Number(await client.value('OBJECT', 'FREQ', 'untouched'))).toBeGreaterThan(
      Number(before),
    );
    await client.send('CONFIG', 'SET', 'maxmemory-policy', 'noeviction', 'lfu-decay-time', '1');
    client.close();
  });

  it('answers CONFIG SET port when the new port listens', async () => {
    const client = await server.connect();
    const port = await freePort();
    const replies = await client.pipeline([
      ['CONFIG', 'SET', 'port', port],
      ['CONFIG', 'GET', 'port'],
      ['PING'],
    ]);
    expect(replies.map((reply) => reply.value)).toEqual(['OK', ['port', String(port)], 'PONG']);
    const other = await RawClient.connect(port);
    expect(await other.value('PING')).toBe('PONG');
    expect(
      (
        await client.pipeline([
          ['MULTI'],
          ['CONFIG', 'SET', 'port', server.port],
          ['PING'],
          ['EXEC'],
        ])
      ).at(-1)?.value,
    ).toEqual(['OK', 'PONG']);
    await expect
      .poll(() => client.value('CONFIG', 'GET', 'port'))
      .toEqual(['port', `${server.port}`]);
    other.close();
    client.close();
  });

  it('listens on no TCP port without addresses, and says which are not there', async () => {
    const client = await server.connect();
    const set = async (address: string): Promise<string> =>
      (await client.send('CONFIG', 'SET', 'bind', address)).raw.toString();
    const failure = 'Failed to bind to specified addresses.';
    expect(await set('192.0.2.1')).toContain(`argument 'bind') - ${failure}\r\n`);
    expect(await set('')).toBe('+OK\r\n');
    expect(await client.value('CONFIG', 'GET', 'bind')).toEqual(['bind', '']);
    await expect(RawClient.connect(server.port)).rejects.toThrow();
    expect(await set('127.0.0.1')).toBe('+OK\r\n');
    (await RawClient.connect(server.port)).close();
    client.close();
  });

  it.skipIf(process.platform !== 'linux')('has the kernel end its child first', async () => {
    const client = await server.connect();
    const pid = Number(/process_id:(\d+)/.exec(String(await client.value('INFO', 'server')))?.[1]);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
    const child = Number(children.split(' ')[0]);
    const path = (id: number): string => `/proc/${id}/oom_score_adj`;
    const scores = (): number[] => [pid, child].map((id) => Number(readFileSync(path(id))));
    const set = (...words: string[]) => client.value('CONFIG', 'SET', ...words);
    const [base = 0] = scores();
    const values = ['oom-score-adj-values', '5 6 70'];
    expect(await set(...values, 'oom-score-adj', 'yes')).toBe('OK');
    expect(scores()).toEqual([base + 5, base + 70]);
    expect(await set('oom-score-adj', 'no')).toBe('OK');
    expect(scores()).toEqual([base, base]);
    writeFileSync(path(pid), String(base + 1));
    expect(await set('oom-score-adj', 'yes')).toBe('OK');
    expect(scores()).toEqual([base + 6, base + 71]);
    expect(await set('oom-score-adj', 'no')).toBe('OK');
    expect(scores()).toEqual([base + 1, base + 1]);
    client.close();
  });

  it('rewrites its configuration file, users included', async () => {
    const other = await startCairnServer({ configText: 'maxmemory 100mb\n' });
    try {
      const client = await other.connect();
      await client.send('CONFIG', 'SET', 'maxmemory', '200mb');
      expect(await client.value('CONFIG', 'REWRITE')).toBe('OK');
      const text = readFileSync(join(other.dir, 'redis.conf'), 'utf8');
      expect(text).toMatch(/^maxmemory 200mb$/m);
      expect(text).toMatch(/^user default on nopass sanitize-payload ~\* &\* \+@all$/m);
      client.close();
    } finally {
      await other.close();
    }
  });
});
