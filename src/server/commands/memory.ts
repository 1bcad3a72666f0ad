/**
 * MEMORY: what memory is used for.
 *
 * The figures of data are exact: blocks of the arena, with the slack that their size classes leave.
 * MEMORY USAGE is what would be free without the key: its block, the block or the large value
 * behind it, its place in the expiry index. Of a large value some elements are measured and the
 * rest estimated from them.
 */
import type { Database } from '../../core/database.ts';
import { HEAD_EXTERNAL, HEAD_LARGE, headOf } from '../../core/value.ts';
import { command, keyAt, READONLY } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { SYNTAX_ERROR } from '../dispatch/errors.ts';
import { fragmentationOf } from '../memory/fragmentation.ts';
import type { SourceName } from '../memory/memory-account.ts';
import { helpSubcommand, replyHelp } from './help.ts';
import { diagnose } from './memory-doctor.ts';

const SAMPLES_DEFAULT = 5;
/** Bytes of a place in the expiry index. */
const EXPIRY_BYTES = 12;
/** What is shown beside data and tables, in Redis's order. */
const SOURCES: readonly SourceName[] = [
  'replication.backlog',
  'clients.slaves',
  'clients.normal',
  'cluster.links',
  'aof.buffer',
  'lua.caches',
  'functions.caches',
];

function usageCommand(c: Context): void {
  const { args, db, keyspace, reply } = c;
  let samples = SAMPLES_DEFAULT;
  for (let i = 3; i < args.count; i++) {
    if (!args.is(i, 'samples') || i + 1 >= args.count) {
      reply.error(SYNTAX_ERROR);
      return;
    }
    samples = c.integer(++i);
    if (Number.isNaN(samples)) return;
    if (samples < 0) {
      reply.error(SYNTAX_ERROR);
      return;
    }
  }
  // Not a look-up: asking leaves no trace, and a key that has expired still takes its memory.
  const address = db.dict.find(args.bytes[2]!, args.offsets[2]!, args.lengths[2]!);
  if (address === 0) {
    reply.null();
    return;
  }
  const { arena } = keyspace;
  const head = headOf(arena, address);
  let bytes = arena.sizeOf(address);
  if ((head & HEAD_EXTERNAL) !== 0) bytes += arena.sizeOf(keyspace.valueBlock(address));
  if ((head & HEAD_LARGE) !== 0) {
    const value = keyspace.largeOf(address);
    bytes += value.memoryBytes(samples) + value.heapBytes;
  }
  if (keyspace.hasExpiry(address)) bytes += EXPIRY_BYTES;
  reply.integer(bytes);
}

function statsCommand(c: Context): void {
  const { keyspace, reply, services } = c;
  const { memory } = services;
  const { dataset, datasetPercent, grown, overhead, peak, used } = memory.shares;
  const filled = keyspace.databases.filter(({ dict }) => dict.count > 0);
  const keys = filled.reduce((sum, { dict }) => sum + dict.count, 0);
  reply.map(20 + SOURCES.length + filled.length);
  answerCount(c, 'peak.allocated', peak);
  answerCount(c, 'total.allocated', used);
  answerCount(c, 'startup.allocated', memory.startupBytes);
  for (const name of SOURCES) answerCount(c, name, memory.bytesOf(name));
  for (const db of filled) answerTables(c, db);
  answerCount(c, 'overhead.total', overhead);
  answerCount(c, 'keys.count', keys);
  answerCount(c, 'keys.bytes-per-key', keys === 0 ? 0 : Math.floor(grown / keys));
  answerCount(c, 'dataset.bytes', dataset);
  answerRatio(c, 'dataset.percentage', datasetPercent);
  answerRatio(c, 'peak.percentage', (used * 100) / Math.max(1, peak));
  answerAllocator(c, used);
}

function answerTables(c: Context, { id, dict, expires }: Database): void {
  c.reply.bulkText(`db.${id}`);
  c.reply.map(3);
  answerCount(c, 'overhead.hashtable.main', dict.overheadBytes);
  answerCount(c, 'overhead.hashtable.expires', expires.overheadBytes);
  answerCount(c, 'overhead.hashtable.slot-to-keys', 0);
}

function answerAllocator(c: Context, used: number): void {
  const { arena } = c.keyspace;
  const { reservedBytes, usedBytes } = arena;
  const { rss } = process.memoryUsage();
  const { arenaBytes, arenaRatio, processBytes, processRatio } = fragmentationOf(arena, used, rss);
  answerCount(c, 'allocator.allocated', usedBytes);
  answerCount(c, 'allocator.active', reservedBytes);
  answerCount(c, 'allocator.resident', reservedBytes);
  answerRatio(c, 'allocator-fragmentation.ratio', arenaRatio);
  answerCount(c, 'allocator-fragmentation.bytes', arenaBytes);
  answerRatio(c, 'allocator-rss.ratio', 1);
  answerCount(c, 'allocator-rss.bytes', 0);
  answerRatio(c, 'rss-overhead.ratio', rss / reservedBytes);
  answerCount(c, 'rss-overhead.bytes', rss - reservedBytes);
  answerRatio(c, 'fragmentation', processRatio);
  answerCount(c, 'fragmentation.bytes', processBytes);
}

function answerCount({ reply }: Context, name: string, value: number): void {
  reply.bulkText(name);
  reply.integer(value);
}

function answerRatio({ reply }: Context, name: string, value: number): void {
  reply.bulkText(name);
  reply.doubleText(doubleText(value));
}

/** A ratio with as many digits as the C `%.17g` of a value that is kept in 32 bits would show. */
function doubleText(value: number): string {
  return String(Math.fround(value));
}

function mallocStatsCommand(c: Context): void {
  const { arena } = c.keyspace;
  const lines = [
    'Allocator: arena of 4 MiB chunks, size classes of 8 to 65536 bytes',
    `reserved:${arena.reservedBytes}`,
    `used:${arena.usedBytes}`,
    `beside:${arena.besideBytes}`,
  ];
  c.reply.verbatim('txt', `${lines.join('\n')}\n`);
}

/**
 * Chunks are given back to the system as they become empty, so what is left to do is what waits to
 * be freed, and what is kept at hand.
 */
function purgeCommand(c: Context): void {
  c.services.lazyFree.kick();
  c.services.lazyFree.tidy(true);
  c.ok();
}

function doctorCommand(c: Context): void {
  c.reply.verbatim('txt', diagnose(c.services));
}

function helpCommand(c: Context): void {
  replyHelp(c, 'MEMORY', [
    ['DOCTOR', 'What is wrong with the use of memory, in words.'],
    ['MALLOC-STATS', 'Figures of the allocator.'],
    ['PURGE', 'Free now what waits to be freed, and give back what is empty.'],
    ['STATS', 'What memory is used for.'],
    [
      'USAGE <key> [SAMPLES <count>]',
      'Bytes that a key and its value take; of a large value <count> elements are measured',
      '(5 unless said otherwise, 0 measures all).',
    ],
  ]);
}

const shardTips = [
  'nondeterministic_output',
  'request_policy:all_shards',
  'response_policy:special',
];

const memorySubcommands = [
  command(
    'memory|doctor',
    'server',
    {
      arity: 2,
      flags: 0,
      tips: shardTips,
      since: '4.0.0',
      complexity: 'O(1)',
      summary: 'Says in words what is wrong with the use of memory.',
      syntax: '',
    },
    doctorCommand,
  ),
  helpSubcommand('memory', 'server', { since: '4.0.0' }, helpCommand),
  command(
    'memory|malloc-stats',
    'server',
    {
      arity: 2,
      flags: 0,
      tips: shardTips,
      since: '4.0.0',
      complexity: 'O(1)',
      summary: 'Shows figures of the allocator.',
      syntax: '',
    },
    mallocStatsCommand,
  ),
  command(
    'memory|purge',
    'server',
    {
      arity: 2,
      flags: 0,
      tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
      since: '4.0.0',
      complexity: 'O(1)',
      summary: 'Gives back memory that is not used.',
      syntax: '',
    },
    purgeCommand,
  ),
  command(
    'memory|stats',
    'server',
    {
      arity: 2,
      flags: 0,
      tips: shardTips,
      since: '4.0.0',
      complexity: 'O(1)',
      summary: 'Shows what memory is used for.',
      syntax: '',
    },
    statsCommand,
  ),
  command(
    'memory|usage',
    'server',
    {
      arity: -3,
      flags: READONLY,
      keys: [keyAt(2, 'RO')],
      since: '4.0.0',
      complexity: 'O(N) with N the number of samples',
      summary: 'Returns the bytes that a key and its value take.',
      syntax: 'key:key [SAMPLES count:integer]',
    },
    usageCommand,
  ),
];

export const memoryCommands = [
  command(
    'memory',
    'server',
    {
      arity: -2,
      flags: 0,
      since: '4.0.0',
      complexity: 'Depends on the subcommand',
      summary: 'Tells what memory is used for.',
      subcommands: memorySubcommands,
    },
    helpCommand,
  ),
];
