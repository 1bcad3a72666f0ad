/**
 * What holds clients back or sends them away: CLIENT PAUSE, output limits, and CONFIG where its
 * answer takes time.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import { RawClient } from '../support/raw-client.ts';
import { requireRedisServer } from '../support/real-server.ts';
import { freePort, type ServerProcess } from '../support/server-process.ts';
import { sideBySide } from '../support/side-by-side.ts';

describe.skipIf(requireRedisServer() === null)('CLIENT PAUSE like the real server', () => {
  const { same } = sideBySide();

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
    a> SET short x PX 20
    a> CLIENT PAUSE 100000 WRITE
    a> BITCOUNT no-such
    b> CLIENT PAUSE 10 WRITE
    a> DBSIZE
    a> CLIENT UNPAUSE
  `,
    [[/DBSIZE.*/, '']],
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
    await boss.send('CLIENT', 'UNPAUSE');
    expect((await a.read()).value).toBe(1);
    expect((await b.read()).value).toBe(2);
    expect(['a', 'ab']).toContain((await a.read()).value);
    for (const client of [boss, a, b]) client.close();
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
    await client.send('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 0 0 0');
    client.close();
  });

  it('disconnects one that stays above the soft limit', async () => {
    const [sender, slow] = [await server.connect(), await server.connect()];
    await sender.send('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 0 1mb 1');
    await slow.send('SUBSCRIBE', 'drip');
    slow.pause();
    for (let i = 0; i < 12; i++) await sender.send('PUBLISH', 'drip', 'x'.repeat(1_000_000));
    await expect
      .poll(() => sender.value('PUBSUB', 'NUMSUB', 'drip'), { timeout: 20_000 })
      .toEqual(['drip', 0]);
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
    const beat = setInterval(() => void boss.send('PING').catch(() => undefined), 100);
    await idle.waitClosed();
    clearInterval(beat);
    expect(await boss.value('PUBSUB', 'NUMSUB', 'x')).toEqual(['x', 1]);
    await boss.send('CONFIG', 'SET', 'timeout', 0);
    for (const client of [boss, listener]) client.close();
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
    await boss.send('CONFIG', 'SET', 'maxmemory-clients', '4mb');
    await large.waitClosed();
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
    await client.send('CONFIG', 'SET', 'maxmemory-clients', '0');
    client.close();
  });

  it('leaves no trace of the use of keys where a client asked for that', async () => {
    const client = await server.connect();
    await client.send('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu');
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
    await client.send('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
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

  it('rewrites its configuration file, users included', async () => {
    const other = await startCairnServer({ configText: 'maxmemory 100mb\n' });
    try {
      const client = await other.connect();
      await client.send('CONFIG', 'SET', 'maxmemory', '200mb');
      expect(await client.value('CONFIG', 'REWRITE')).toBe('OK');
      const text = readFileSync(join(other.dir, 'redis.conf'), 'utf8');
      expect(text).toMatch(/^maxmemory 200mb$/m);
      expect(text).toMatch(/^user default on nopass ~\* &\* \+@all$/m);
      client.close();
    } finally {
      await other.close();
    }
  });
});
