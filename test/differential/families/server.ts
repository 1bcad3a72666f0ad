/** CONFIG on harmless parameters, COMMAND, DEBUG, INFO keyspace, and what asks of the server. */
import type { Random } from '../../support/random.ts';
import { command, marked } from '../command.ts';
import {
  masking,
  sameKind,
  scanPage,
  unordered,
  unorderedDeep,
  unorderedPairs,
  within,
} from '../comparators.ts';
import type { Draft, Family, Generator } from '../step.ts';
import { integerOrNot, keyOf, keysOf, word } from '../values.ts';

/** Parameters that both servers start with alike and that no other family depends on. */
const parameters: Readonly<Record<string, readonly string[]>> = {
  'slowlog-log-slower-than': ['10000', '-1', '0', 'x', '9223372036854775808'],
  'slowlog-max-len': ['128', '0', '10', '-1', '1kb'],
  'latency-monitor-threshold': ['0', '100', '-5'],
  hz: ['10', '50', '0', '501', 'x'],
  timeout: ['0', '1000', '-1'],
  'tcp-keepalive': ['300', '0', '-1', '60'],
  'lazyfree-lazy-user-del': ['no', 'yes', 'maybe', 'YES'],
  'lazyfree-lazy-expire': ['no', 'yes', '1'],
  'maxmemory-samples': ['5', '1', '0', '65', '-1'],
  'lfu-log-factor': ['10', '0', '-1'],
  'lfu-decay-time': ['1', '0', '-1'],
  'repl-backlog-ttl': ['3600', '-1', '60'],
  'repl-timeout': ['60', '0', '10'],
  'auto-aof-rewrite-percentage': ['100', '50', '-1'],
  'auto-aof-rewrite-min-size': ['64mb', '1gb', '67108864', '1x', '10k'],
  'no-appendfsync-on-rewrite': ['no', 'yes', 'perhaps'],
  rdbcompression: ['yes', 'no', 'Yes', ''],
  'stop-writes-on-bgsave-error': ['yes', 'no'],
  'lua-time-limit': ['5000', '100'],
  'proto-max-bulk-len': ['512mb', '1mb', '2mb', '1'],
  'notify-keyspace-events': ['', 'KEA', 'Kg$x', 'AKE', 'Q', 'gxE', 'm', 'Elshzt'],
  'client-output-buffer-limit': ['normal 0 0 0', 'pubsub 32mb 8mb 60', 'foo 0 0 0', 'normal 0'],
};

const names = Object.keys(parameters);

/** Ends every sequence's settings: the first value of each list is the default. */
const defaults = Object.entries(parameters).map(([name, values]) => [
  ...['CONFIG', 'SET', name, values[0] ?? ''],
]);

function getPatterns(random: Random): string[] {
  const globs = [
    'slowlog-*',
    'lazyfree-lazy-*r*',
    'no-such',
    '*-aof-rewrite-min-size',
    'h?',
    'HZ',
    '',
  ];
  return random.list(1, 3, () => random.pick(random.chance(0.6) ? names : globs));
}

function assignments(random: Random): string[] {
  const pairs = random
    .list(1, random.chance(0.7) ? 1 : 3, () => {
      const name = random.chance(0.95) ? random.pick(names) : 'no-such';
      return [word(random, name), random.pick(parameters[name] ?? ['x'])];
    })
    .flat();
  if (random.chance(0.04)) pairs.pop();
  return pairs;
}

const known = [
  ...['get', 'set', 'mset', 'del', 'incr', 'bitop', 'rename', 'expire', 'object', 'copy', 'lcs'],
  ...['getex', 'bitfield', 'multi', 'ping', 'no-such', 'config|get', 'object|encoding', 'config|x'],
];

function getkeys(random: Random): string[] {
  return random.pick([
    ['SET', keyOf(random), 'v', 'GET'],
    ['MSET', keyOf(random), 'v', keyOf(random), 'w'],
    ['MGET', ...keysOf(random, 1, 4)],
    ['BITOP', 'AND', keyOf(random), ...keysOf(random, 1, 3)],
    ['COPY', keyOf(random), keyOf(random), 'REPLACE'],
    ['OBJECT', 'ENCODING', keyOf(random)],
    ['GETEX', keyOf(random), 'PERSIST'],
    ['BITFIELD', keyOf(random), 'GET', 'u8', '0'],
    ['RENAME', keyOf(random), keyOf(random)],
    ['PING', 'x'],
    ['SET', 'x'],
    ['no-such', 'x'],
    [],
  ]);
}

const listFilters = [
  ...[
    ['FILTERBY', 'PATTERN', 'bit*'],
    ['FILTERBY', 'MODULE', 'none'],
    ['FILTERBY', 'FOO', 'x'],
  ],
  ...[['FILTERBY', 'ACLCAT', 'bitmap'], ['FILTERBY', 'ACLCAT', 'foo'], ['FILTERBY'], ['FOO']],
];

/** Expired keys are counted until they are removed: a scan removes them first. */
const infoKeyspace: Generator = {
  name: 'INFO keyspace',
  weight: 1,
  mangle: false,
  alone: true,
  make: (): Draft[] => [
    ...['0', '1', '2'].flatMap((database) => [
      { args: ['SELECT', database] },
      { args: ['SCAN', '0', 'COUNT', '100000'], compare: scanPage(1) },
    ]),
    { args: ['INFO', 'keyspace'], compare: masking(/avg_ttl=-?\d+/g) },
  ],
};

/** The same, behind a read of what it names: these commands find a key that has expired, too. */
const afterRead = (generator: Generator): Generator => ({
  ...generator,
  make: (context): Draft[] => {
    const drafts = [generator.make(context)].flat();
    return drafts.flatMap((draft) => [{ args: ['EXISTS', ...draft.args.slice(2)] }, draft]);
  },
});

const debugObject = masking(/at:0x[0-9a-f]+|refcount:\d+|lru:\d+|lru_seconds_idle:\d+/g);

const wrongDebug = [
  ...[['FOO'], ['OBJECT', 'missing'], ['OBJECT'], ['STRINGMATCH-LEN', 'x'], ['DIGEST-VALUE']],
  ...[['SLEEP', '0'], ['SLEEP'], ['SET-ACTIVE-EXPIRE', '1'], ['JMAP'], ['LISTPACK', 'missing']],
];

/** Left alone: mangled they might stop a server, wait for ever or change its ways for good. */
const careful: Generator[] = [
  command('CONFIG GET', 5, (r) => [getPatterns(r)], unorderedPairs),
  command('CONFIG SET', 5, (r) => [assignments(r)]),
  command('CONFIG RESETSTAT', 0.5, () => []),
  command('CONFIG', 1, (r) => [r.pick([['FOO'], ['GET'], ['SET', 'hz'], ['SET'], ['get']])]),
  afterRead(command('DEBUG OBJECT', 2, (r) => [keyOf(r)], debugObject)),
  afterRead(command('DEBUG DIGEST-VALUE', 2, (r) => [keysOf(r, 1, 3)])),
  command('DEBUG', 1, (r) => [r.pick(wrongDebug)]),
  command('COMMAND COUNT', 0.5, () => []),
  command('COMMAND GETKEYS', 3, (r) => [getkeys(r)]),
  command('COMMAND GETKEYSANDFLAGS', 2, (r) => [getkeys(r)]),
  command('COMMAND INFO', 1, (r) => [r.list(1, 3, () => r.pick(known))], unorderedDeep),
  command('COMMAND DOCS', 0.5, (r) => [r.pick(known)], sameKind),
  command('COMMAND LIST', 1, (r) => [r.pick(listFilters)], unordered),
  command('COMMAND', 0.5, (r) => [r.pick([['FOO'], ['GETKEYS'], ['COUNT', 'x']])]),
  command('SLOWLOG', 1, (r) => [r.pick([['RESET'], ['FOO'], ['GET', 'x'], ['GET', '-2'], []])]),
  command('SAVE', 0.1, () => []),
  command('WAIT', 0.5, (r) => [
    r.pick([
      ['0', '0'],
      ['0', '10'],
      ['x', '0'],
      ['0', '-1'],
    ]),
  ]),
].map((generator) => marked(generator, { mangle: false }));

export const serverFamily: Family = {
  name: 'server',
  setup: [...defaults, ['CONFIG', 'RESETSTAT']],
  generators: [
    ...careful,
    infoKeyspace,
    command('TIME', 0.5, () => [], sameKind),
    command('LASTSAVE', 0.5, () => [], within(100)),
    afterRead(
      command(
        'MEMORY USAGE',
        1,
        (r) => [keyOf(r), ...r.some([['SAMPLES', integerOrNot(r)]]).flat()],
        sameKind,
      ),
    ),
    command('LOLWUT', 0.2, () => [], sameKind),
    command('ROLE', 0.3, () => []),
  ],
};
