/**
 * The parameters against a real redis-server: names, defaults, what CONFIG SET accepts, and every
 * error text. What differs on purpose is listed here, with the reason.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Config } from '../../../src/server/config/config.ts';
import { listedNames } from '../../../src/server/config/parameters.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { requireRedisServer, startRealServer } from '../../support/real-server.ts';
import { ReplyError, type ReplyValue } from '../../support/resp-reader.ts';
import type { ServerProcess } from '../../support/server-process.ts';

/** New in Redis 7.2, so 7.0 does not know them. */
const SINCE_7_2 = [
  'cluster-announce-human-nodename',
  'locale-collate',
  'set-max-listpack-entries',
  'set-max-listpack-value',
];

/** Names with dashes for those that had underscores; both are known. */
const RENAMED = ['aof-rewrite-cpulist', 'bgsave-cpulist', 'bio-cpulist', 'server-cpulist'];

/** What only this server has. */
const OWN = [
  'aof-checksum',
  'disk-space-check',
  'log-format',
  'rdb-save-version',
  'replica-accept-empty-primary',
];

/** Values that the tests start the real server with. */
const STARTED_WITH = ['bind', 'dir', 'port', 'save'];

const client = { loading: false, local: true };

const executable = requireRedisServer();

describe.skipIf(executable === null)('the parameters of a real server', () => {
  let server: ServerProcess;
  let real: RawClient;

  beforeAll(async () => {
    server = await startRealServer({ config: { 'enable-protected-configs': 'yes' } });
    real = await server.connect();
  });

  afterAll(async () => {
    real.close();
    await server.close();
  });

  const realGet = async (...names: string[]): Promise<Map<string, string>> => {
    const { value } = await real.send('CONFIG', 'GET', ...names);
    return pairsOf(value);
  };

  const realSet = async (...words: string[]): Promise<string> => {
    const { value } = await real.send('CONFIG', 'SET', ...words);
    return value instanceof ReplyError ? value.error : String(value);
  };

  it('has every name of the real server, and no other but the listed ones', async () => {
    const theirs = [...(await realGet('*')).keys()].sort();
    const ours = [...listedNames()].map(([name]) => name);
    expect(theirs.length).toBeGreaterThan(180);
    const missing = theirs.filter((name) => !ours.includes(name));
    const added = ours.filter((name) => !theirs.includes(name)).sort();
    expect(missing).toEqual([]);
    expect(added).toEqual([...SINCE_7_2, ...RENAMED, ...OWN].sort());
  });

  it('has the same defaults', async () => {
    const theirs = await realGet('*');
    const ours = new Map(new Config().get(['*']));
    for (const name of [...STARTED_WITH, 'enable-protected-configs']) theirs.delete(name);
    expect(theirs.size).toBeGreaterThan(180);
    expect(Object.fromEntries([...ours].filter(([name]) => theirs.has(name)))).toEqual(
      Object.fromEntries(theirs),
    );
  });

  it.each([
    ['maxmemory'],
    ['MaxMemory', 'maxmemory'],
    ['max*emory', 'MAXCLIENTS'],
    ['save', 'sav?'],
    ['rdb-key-save-delay'],
    ['rdb-key*'],
    ['nonsense'],
    ['nonsense', 'hz', 'HZ'],
    ['*slave*'],
    ['[mn]*e'],
    ['lua-time-limit', 'busy-reply-threshold'],
  ])('answers CONFIG GET %s %s alike', async (...patterns) => {
    const given = patterns.filter((pattern) => pattern !== undefined);
    const config = new Config();
    config.applySettings({ save: '' });
    const ours = config.get(given).map(([name, value]) => `${name}=${value}`);
    const theirs = [...(await realGet(...given))].map(([name, value]) => `${name}=${value}`);
    expect(ours.sort()).toEqual(theirs.sort());
  });

  it('accepts and refuses the same values with the same words', async () => {
    const names = [...(await realGet('*')).keys()].filter((name) => !UNTRIED.has(name));
    expect(names.length).toBeGreaterThan(150);
    const differences: string[] = [];
    for (const name of names.sort()) {
      const config = new Config();
      config.applySettings({ 'enable-protected-configs': 'yes' });
      const restore = (await realGet(name)).get(name) ?? '';
      for (const value of TRIALS.filter((trial) => !isHarmful(name, trial))) {
        const theirs = `${await realSet(name, value)} (${(await realGet(name)).get(name)})`;
        const answer = await config.set([[name, value]], client);
        const text = answer.ok ? 'OK' : answer.error.replace(LOGLEVELS_7_2, LOGLEVELS_7_0);
        const ours = `${text} (${config.get([name])[0]?.[1]})`;
        if (ours === theirs || DIFFERENT_ON_PURPOSE.has(`${name} ${value}`)) continue;
        differences.push(`${name} '${value}': ours ${ours}, theirs ${theirs}`);
      }
      await realSet(name, restore);
    }
    expect(differences).toEqual([]);
  });

  it.each(SPECIAL_TRIALS)('takes CONFIG SET %s "%s" alike', async (name, value) => {
    const before = (await realGet(name)).get(name) ?? '';
    const config = new Config();
    await config.set([[name, before]], client);
    const theirs = await realSet(name, value);
    const answer = await config.set([[name, value]], client);
    const theirValue = (await realGet(name)).get(name);
    await realSet(name, before);
    expect(answer.ok ? 'OK' : answer.error).toBe(theirs);
    expect(config.get([name])[0]?.[1]).toBe(theirValue);
  });

  it.each(SEVERAL)('takes several at once alike: %j', async (words) => {
    const theirs = await realSet(...words);
    const config = new Config();
    config.applySettings({ 'enable-protected-configs': 'yes' });
    const pairs: Array<[string, string]> = [];
    for (let i = 0; i < words.length; i += 2) pairs.push([words[i] ?? '', words[i + 1] ?? '']);
    const answer = await config.set(pairs, client);
    const names = words.filter((_, index) => index % 2 === 0 && words[index] !== 'nonsense');
    const theirValues = await realGet(...names);
    await realSet('maxmemory', '0', 'timeout', '0', 'hz', '10', 'replica-priority', '100');
    expect(answer.ok ? 'OK' : answer.error).toBe(theirs);
    expect(new Map(config.get(names))).toEqual(theirValues);
  });
});

/** Setting these would cut the test off, or shows nothing: they have tests of their own. */
const UNTRIED = new Set([
  'bind',
  'port',
  'tls-port',
  'tls-replication',
  'tls-cluster',
  'dir',
  'requirepass',
  'maxclients',
]);

const TRIALS = [
  '',
  ' ',
  '0',
  '1',
  '7',
  '-1',
  '+1',
  '01',
  '1.5',
  '64',
  '512',
  '1048576',
  '4294967296',
  '9223372036854775807',
  '9223372036854775808',
  '18446744073709551615',
  '99999999999999999999999',
  '1k',
  '1Kb',
  '3gb',
  '2x',
  'kb',
  '10%',
  '0%',
  '100%',
  '101%',
  '-5%',
  'yes',
  'NO',
  'always',
  'allkeys-lru',
  'swapdb',
  'debug',
  'no such thing',
  'a/b',
  'äö\xff',
];

/** Values that would end the test's connection, or the server. */
function isHarmful(name: string, value: string): boolean {
  if (name === 'maxmemory-clients') return /^[1-9]/.test(value) && value.length < 11;
  if (name === 'timeout') return value === '1';
  return name.startsWith('tls-');
}

/**
 * `activedefrag`: not every build of Redis has it; here it is accepted and has no effect.
 * `maxmemory-clients`: sizes past 63 bits turn into percentages there, and are refused here.
 */
const DIFFERENT_ON_PURPOSE = new Set([
  'activedefrag yes',
  'maxmemory-clients 9223372036854775808',
  'maxmemory-clients 18446744073709551615',
  'maxmemory-clients 99999999999999999999999',
]);

const LOGLEVELS_7_0 = 'debug, verbose, notice, warning';
const LOGLEVELS_7_2 = `${LOGLEVELS_7_0}, nothing`;

const SPECIAL_TRIALS: Array<[name: string, value: string]> = [
  ['save', '900 1 300 10'],
  ['save', '900  1'],
  ['save', '900'],
  ['save', '0 1'],
  ['save', '900 +1'],
  ['save', '900 -1'],
  ['save', '900 1x'],
  ['save', '900 '],
  ['bind', '1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17'],
  ['port', 'abc'],
  ['port', '65536'],
  ['maxclients', '0'],
  ['maxclients', '-1'],
  ['maxclients', '4294967296'],
  ['client-output-buffer-limit', 'normal 1 1'],
  ['client-output-buffer-limit', 'master 1 1 1'],
  ['client-output-buffer-limit', 'replica 1mb 2k -1'],
  ['client-output-buffer-limit', 'replica 1mb 2k x'],
  ['client-output-buffer-limit', 'replica 1mb 2k 5'],
  ['client-output-buffer-limit', 'Slave 1gb 0 0 pubsub 3 2 1'],
  ['client-output-buffer-limit', 'pubsub 1x 2 3'],
  ['oom-score-adj', 'relative'],
  ['oom-score-adj', 'absolute'],
  ['oom-score-adj-values', '1 2'],
  ['oom-score-adj-values', '1 2 3000'],
  ['oom-score-adj-values', '1 2 x'],
  ['oom-score-adj-values', '1 200 800'],
  ['shutdown-on-sigterm', 'nosave save'],
  ['shutdown-on-sigterm', 'NOW force nosave'],
  ['shutdown-on-sigterm', 'now now'],
  ['shutdown-on-sigterm', 'default now'],
  ['shutdown-on-sigterm', 'sav'],
  ['shutdown-on-sigint', 'default'],
  ['notify-keyspace-events', 'AKE'],
  ['notify-keyspace-events', 'KEg$lshzxetdm'],
  ['notify-keyspace-events', 'Kx$'],
  ['notify-keyspace-events', 'nmE'],
  ['notify-keyspace-events', 'gq'],
  ['latency-tracking-info-percentiles', '50 101'],
  ['latency-tracking-info-percentiles', '0.5 99.9990 100 1e1'],
  ['latency-tracking-info-percentiles', 'x'],
  ['latency-tracking-info-percentiles', '-0.1'],
  ['latency-tracking-info-percentiles', ''],
  ['maxmemory-policy', 'ALLKEYS-LFU'],
  ['sanitize-dump-payload', 'clients'],
  ['propagation-error-behavior', 'panic-on-replicas'],
  ['cluster-announce-hostname', 'a_b'],
  ['cluster-announce-hostname', 'a-b.c'],
  ['cluster-announce-hostname', 'a'.repeat(256)],
  ['proc-title-template', '{title} {port}'],
  ['proc-title-template', '{x}'],
  ['proc-title-template', '{title} {server-mode}'],
  ['proc-title-template', '{title'],
  ['replicaof', 'no one'],
  ['daemonize', 'yes'],
  ['nonsense', '1'],
];

const SEVERAL = [
  [['maxmemory', '1', 'maxmemory', '2']],
  [['maxmemory', '1', 'MAXMEMORY', '2']],
  [['nonsense', '1', 'maxmemory', 'x']],
  [['maxmemory', '5', 'timeout', '5', 'hz', '100000']],
  [['maxmemory', '5', 'timeout', 'x']],
  [['maxmemory', '5', 'daemonize', 'yes', 'nonsense', '1']],
  [['slave-priority', '1', 'replica-priority', '2']],
];

function pairsOf(value: ReplyValue): Map<string, string> {
  const pairs = new Map<string, string>();
  if (!Array.isArray(value)) throw new Error(`not an array: ${String(value)}`);
  for (let i = 0; i < value.length; i += 2) pairs.set(String(value[i]), String(value[i + 1]));
  return pairs;
}
