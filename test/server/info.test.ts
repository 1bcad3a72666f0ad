/**
 * INFO: the fields of the real server, and figures that are true.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rates } from '../../src/server/info/rates.ts';
import { startCairnServer } from '../support/cairn-server.ts';
import { encodeCommand, RawClient } from '../support/raw-client.ts';
import { requireRedisServer, startRealServer } from '../support/real-server.ts';
import type { ServerProcess } from '../support/server-process.ts';

/** Of Redis's machinery, and of nothing that Cairn has. */
const NOT_OURS = [
  ...['atomicvar_api', 'gcc_version', 'reply_buffer_shrinks', 'reply_buffer_expands'],
];

function sectionsOf(text: string): Map<string, Map<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  for (const part of text.split('\r\n\r\n')) {
    const [title = '', ...lines] = part.split('\r\n').filter((line) => line !== '');
    const pairs = lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1)];
    });
    sections.set(title, new Map(pairs));
  }
  return sections;
}

/** Of XREADGROUP. */
const waitFor = ['BLOCK', '0', 'STREAMS'];

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

async function info(client: RawClient, ...words: string[]): Promise<string> {
  return String(await client.value('INFO', ...words));
}

describe('rates', () => {
  it('are those of the last samples, and begin anew with the counters', () => {
    const rates = new Rates();
    const counters = {
      ...{ commandsProcessed: 100, netInputBytes: 1600, netOutputBytes: 0 },
      ...{ netReplInputBytes: 0, netReplOutputBytes: 0, loop: { rounds: 10, workedUs: 5 } },
    };
    rates.sample({ ...counters, commandsProcessed: 0, netInputBytes: 0 }, 1000);
    rates.sample(counters, 2000);
    expect([rates.commands.perSecond, rates.input.perSecond]).toEqual([100 / 16, 100]);
    rates.reset();
    expect([rates.commands.perSecond, rates.input.perSecond]).toEqual([0, 0]);
    rates.sample({ ...counters, commandsProcessed: 32 }, 3000);
    expect(rates.commands.perSecond).toBe(2);
  });
});

describe('INFO', () => {
  let server: ServerProcess;
  let client: RawClient;
  beforeAll(async () => {
    server = await startCairnServer();
    client = await server.connect();
  });
  afterAll(() => server?.close());

  it.skipIf(requireRedisServer() === null)('has the sections and fields of Redis', async () => {
    const real = await startRealServer();
    try {
      const other = await real.connect();
      const ours = sectionsOf(await info(client, 'everything'));
      const theirs = sectionsOf(await info(other, 'everything'));
      const titles = [...theirs.keys()].filter((title) => !/stats$/.test(title));
      expect([...ours.keys()]).toEqual(expect.arrayContaining(titles));
      const missing = titles
        .filter((title) => !['# Commandstats', '# Latencystats', '# Errorstats'].includes(title))
        .flatMap((title) => [...(theirs.get(title)?.keys() ?? [])].map((name) => [title, name]))
        .filter(([title = '', name = '']) => ours.get(title)?.has(name) !== true)
        .map(([, name = '']) => name)
        .filter((name) => !NOT_OURS.includes(name));
      expect(missing).toEqual([]);
      for (const words of [['nothing'], ['server', 'CLIENTS'], ['default'], ['all'], []]) {
        const heads = (text: string): string[] => text.match(/^# .*$/gm) ?? [];
        expect(heads(await info(client, ...words))).toEqual(heads(await info(other, ...words)));
      }
      other.close();
    } finally {
      await real.close();
    }
  });

  it('counts calls, refusals and failures of each command, and errors by code', async () => {
    await client.send('CONFIG', 'RESETSTAT');
    await client.pipeline([
      ['SET', 'k', 'text'],
      ['GET', 'k'],
      ['GET', 'k'],
      ['GET', 'missing'],
      ['GET'],
      ['INCR', 'k'],
      ['SADD', 'k', 'x'],
      ['CONFIG', 'GET', 'port'],
      ['CLIENT', 'NONSENSE'],
      ['NONSENSE'],
    ]);
    const stats = sectionsOf(await info(client, 'commandstats', 'errorstats', 'stats'));
    const command = (name: string): string =>
      (stats.get('# Commandstats')?.get(`cmdstat_${name}`) ?? '').replace(/usec.*call=[^,]*,/, '');
    expect(command('get')).toBe('calls=3,rejected_calls=1,failed_calls=0');
    expect(command('set')).toBe('calls=1,rejected_calls=0,failed_calls=0');
    expect(command('incr')).toBe('calls=1,rejected_calls=0,failed_calls=1');
    expect(command('sadd')).toBe('calls=1,rejected_calls=0,failed_calls=1');
    expect(command('config|get')).toBe('calls=1,rejected_calls=0,failed_calls=0');
    expect(Object.fromEntries(stats.get('# Errorstats') ?? [])).toEqual({
      errorstat_ERR: 'count=4',
      errorstat_WRONGTYPE: 'count=1',
    });
    // An unknown subcommand is no command.
    expect(command('client')).toBe('');
    const figures = stats.get('# Stats');
    expect(figures?.get('total_error_replies')).toBe('5');
    expect(figures?.get('keyspace_hits')).toBe('2');
    expect(figures?.get('keyspace_misses')).toBe('1');
  });

  it('counts SPOP as a look-up where it takes the whole set, as the real server does', async () => {
    await client.send('CONFIG', 'RESETSTAT');
    for (const count of ['1', '2', '9']) {
      await client.send('SADD', 'whole', 'a', 'b', 'c');
      await client.send('SPOP', 'whole', count);
    }
    const figures = sectionsOf(await info(client, 'stats')).get('# Stats');
    expect(figures?.get('keyspace_hits')).toBe('1');
    expect(figures?.get('keyspace_misses')).toBe('0');
  });

  it('holds an error against the command that gave it or that waited', async () => {
    await client.send('CONFIG', 'RESETSTAT');
    await client.pipeline([['MULTI'], ['SET', 'k', 'text'], ['INCR', 'k'], ['EXEC'], ['EXEC']]);
    const waits = await RawClient.connect(server.port);
    const id = String(await waits.value('CLIENT', 'ID'));
    for (const wait of [
      ['BLPOP', 'none', '0'],
      ['WAIT', '1', '0'],
    ]) {
      const answer = waits.send(...wait);
      while (String(await client.value('CLIENT', 'UNBLOCK', id, 'ERROR')) !== '1') await pause();
      expect((await answer).raw.toString()).toContain('UNBLOCKED');
    }
    waits.close();
    const stats = sectionsOf(await info(client, 'commandstats')).get('# Commandstats');
    const failed = (name: string): string | undefined =>
      stats?.get(`cmdstat_${name}`)?.replace(/^calls=(\d+),.*failed_calls=(\d+)$/, '$1 $2');
    expect(failed('incr')).toBe('1 1');
    expect(failed('exec')).toBe('2 1');
    expect(failed('blpop')).toBe('1 1');
    expect(failed('wait')).toBe('1 1');
  });

  it('counts a command that waited once, when it is answered', async () => {
    const target = await startCairnServer();
    const processed = async (): Promise<number> =>
      Number(/total_commands_processed:(\d+)/.exec(await info(client, 'stats'))?.[1]);
    await client.pipeline([
      ['CONFIG', 'RESETSTAT'],
      ['SLOWLOG', 'RESET'],
      ['SET', 'moves', 'v'],
    ]);
    await client.send('CONFIG', 'SET', 'slowlog-log-slower-than', '0');
    const before = await processed();
    await client.send('BLPOP', 'none', '0.001');
    await client.send('MIGRATE', '127.0.0.1', String(target.port), 'moves', '0', '1000');
    // Those two, and INFO itself.
    expect((await processed()) - before).toBe(3);
    const logged = JSON.stringify(await client.value('SLOWLOG', 'GET', '-1'));
    expect(logged.match(/"MIGRATE"/g)).toHaveLength(1);
    expect(await info(client, 'commandstats')).toMatch(/cmdstat_migrate:calls=1,/);
    await client.send('CONFIG', 'SET', 'slowlog-log-slower-than', '10000');
    await target.close();
  });

  it('shows latencies by percentiles, and as LATENCY HISTOGRAM does', async () => {
    await client.send('CONFIG', 'RESETSTAT');
    for (let i = 0; i < 20; i++) await client.send('GET', 'k');
    const text = await info(client, 'latencystats');
    expect(text).toMatch(
      /latency_percentiles_usec_get:p50=\d+\.\d{3},p99=\d+\.\d{3},p99\.9=\d+\.\d{3}\r\n/,
    );
    const histogram = await client.value('LATENCY', 'HISTOGRAM', 'get', 'nothing');
    expect(histogram).toMatchObject(['get', ['calls', 20, 'histogram_usec', expect.any(Array)]]);
    await client.send('CONFIG', 'SET', 'latency-tracking', 'no');
    await client.send('CONFIG', 'RESETSTAT');
    await client.send('GET', 'k');
    expect(await info(client, 'latencystats')).not.toContain('_get:');
    await client.send('CONFIG', 'SET', 'latency-tracking', 'yes');
  });

  it('counts who listens, watches and waits for keys, and which keys', async () => {
    const [a, b] = [await server.connect(), await server.connect()];
    await a.pipeline([
      ['SUBSCRIBE', 'x'],
      ['SUBSCRIBE', 'y'],
    ]);
    await b.pipeline([
      ['XGROUP', 'CREATE', 'log', 'all', '$', 'MKSTREAM'],
      ['WATCH', 'k', 'l'],
      ['WATCH', 'l', 'm'],
    ]);
    const clients = async (): Promise<string[]> => {
      const lines = sectionsOf(await info(client, 'clients')).get('# Clients');
      const names = ['pubsub_clients', 'watching_clients', 'total_watched_keys'];
      names.push('total_blocking_keys', 'total_blocking_keys_on_nokey');
      return names.map((name) => lines?.get(name) ?? '');
    };
    expect(await clients()).toEqual(['1', '1', '3', '0', '0']);
    expect(await client.value('CLIENT', 'LIST')).toContain(' watch=3 ');
    const group = await server.connect();
    group.write(encodeCommand(['XREADGROUP', 'GROUP', 'all', 'me', ...waitFor, 'log', '>']));
    const list = await server.connect();
    list.write(encodeCommand(['BLPOP', 'p', 'q', 0]));
    await expect.poll(clients).toEqual(['1', '1', '3', '3', '1']);
    await b.send('UNWATCH');
    for (const one of [a, b, group, list]) one.close();
    await expect.poll(clients).toEqual(['0', '0', '0', '0', '0']);
    await client.send('DEL', 'log');
  });

  it('tells the rounds of its loop, and what was freed and looked at', async () => {
    const stats = async (...names: string[]): Promise<number[]> => {
      const lines = sectionsOf(await info(client, 'stats')).get('# Stats');
      return names.map((name) => Number(lines?.get(name)));
    };
    const loop = ['eventloop_cycles', 'eventloop_duration_sum', 'eventloop_duration_cmd_sum'];
    const before = await stats(...loop);
    await client.send('SET', 'k', 'v');
    const payload = (await client.send('DUMP', 'k')).raw.subarray(5, -2);
    const after = await stats(...loop);
    for (const [i, figure] of after.entries()) expect(figure).toBeGreaterThan(before[i] ?? 0);
    await client.send('CONFIG', 'SET', 'sanitize-dump-payload', 'yes');
    expect((await client.send('RESTORE', 'copy', 0, payload)).raw.toString()).toBe('+OK\r\n');
    await client.send('CONFIG', 'SET', 'sanitize-dump-payload', 'no');
    expect(await stats('dump_payload_sanitizations')).toEqual([1]);
    await client.send('FLUSHALL', 'ASYNC');
    const freed = async (): Promise<(string | undefined)[]> => {
      const lines = sectionsOf(await info(client, 'memory')).get('# Memory');
      return ['lazyfreed_objects', 'lazyfree_pending_objects'].map((name) => lines?.get(name));
    };
    await expect.poll(freed).toEqual([expect.not.stringMatching(/^0$/), '0']);
    await client.send('CONFIG', 'RESETSTAT');
    expect(await freed()).toEqual(['0', '0']);
    // What the server rehearses soon after its start makes many rounds of its own.
    const rounds = async (): Promise<number | undefined> => {
      await client.send('CONFIG', 'RESETSTAT');
      return (await stats('eventloop_cycles'))[0];
    };
    await expect.poll(rounds).toBeLessThan(after[0] ?? 0);
  });

  it('knows its clients, its memory and its keys', async () => {
    const before = sectionsOf(await info(client)).get('# Memory');
    await client.send('SET', 'large', 'x'.repeat(1_000_000));
    await client.send('SELECT', 3);
    await client.send('SET', 'k', 'v', 'EX', 4000);
    const blocked = await server.connect();
    blocked.write('*1\r\n$7\r\nMONITOR\r\n');
    await blocked.read();
    const after = sectionsOf(await info(client));
    const grown =
      Number(after.get('# Memory')?.get('used_memory')) - Number(before?.get('used_memory'));
    expect(grown).toBeGreaterThan(1_000_000);
    expect(grown).toBeLessThan(1_300_000);
    const connected = async (): Promise<string | undefined> =>
      sectionsOf(await info(client, 'clients'))
        .get('# Clients')
        ?.get('connected_clients');
    await expect.poll(connected).toBe('2');
    const [, ttl] =
      /^keys=1,expires=1,avg_ttl=(\d+)$/.exec(after.get('# Keyspace')?.get('db3') ?? '') ?? [];
    expect(Number(ttl)).toBeGreaterThan(3_000_000);
    expect(Number(ttl)).toBeLessThanOrEqual(4_000_000);
    blocked.close();
  });
});
