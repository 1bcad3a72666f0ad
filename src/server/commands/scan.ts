/**
 * The commands that look over a whole database: SCAN, KEYS, RANDOMKEY, DBSIZE.
 *
 * A SCAN's cursor is the dict's own (core/struct/dict.ts): whoever asks until it is 0 again sees
 * every key at least once that was there from first to last, however the table grew or shrank
 * meanwhile. COUNT is how many keys a call aims at before MATCH and TYPE pick from them; buckets
 * are visited whole, so a few more may come.
 *
 * SCAN and RANDOMKEY remove the keys that they find expired; KEYS and DBSIZE leave them alone, and
 * DBSIZE counts them.
 */
import { EXPIRY_DELETE } from '../../core/keyspace.ts';
import { globMatch } from '../../core/text/glob.ts';
import { parseUint64 } from '../../core/text/integer.ts';
import { TYPE_NAMES, typeOf } from '../../core/value.ts';
import { command, FAST, READONLY, TOUCHES_ARBITRARY_KEYS } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { OptionReader } from '../dispatch/option-reader.ts';

const COUNT_DEFAULT = 10;
/** Buckets a call visits at most, for each key that it aims at. */
const STEPS_PER_COUNT = 10;
const RANDOM_TRIES_MAX = 100;
const STAR = 0x2a;
const ANY_TYPE = -1;
const NO_TYPE = -2;

const options = new OptionReader();
const found: number[] = [];

/** The options of a SCAN. */
class ScanOptions {
  count = COUNT_DEFAULT;
  /** Argument that holds the pattern, 0 for none. */
  pattern = 0;
  type: number = ANY_TYPE;

  /** Reads the options from argument `first` on; false when an error has been answered. */
  read(c: Context, first: number): boolean {
    this.count = COUNT_DEFAULT;
    this.pattern = 0;
    this.type = ANY_TYPE;
    options.start(c.args, first);
    while (options.more) {
      if (options.take('count', 1)) {
        this.count = options.integer();
        if (this.count < 1) options.fail();
      } else if (options.take('match', 1)) {
        const i = options.index();
        this.pattern = isStar(c, i) ? 0 : i;
      } else if (options.take('type', 1)) {
        this.type = typeNumber(c.args.text(options.index()));
      } else options.fail();
    }
    return !options.refuse(c.reply);
  }
}

const scanOptions = new ScanOptions();

function scanCommand(c: Context): void {
  const { args, db, keyspace, reply } = c;
  const start = parseUint64(args.bytes[1]!, args.offsets[1]!, args.lengths[1]!);
  if (start === undefined) {
    reply.error('ERR invalid cursor');
    return;
  }
  if (!scanOptions.read(c, 2)) return;
  const { count, pattern, type } = scanOptions;
  let cursor = Number(BigInt.asUintN(32, start));
  let steps = count * STEPS_PER_COUNT;
  let seen = 0;
  let kept = 0;
  do {
    cursor = db.dict.collect(cursor);
    const { collected, collectedCount } = db.dict;
    for (let i = 0; i < collectedCount; i++) {
      const address = collected[i]!;
      if (pattern !== 0 && !matches(c, pattern, address)) continue;
      if (keyspace.isGone(db, address)) continue;
      if (type === ANY_TYPE || typeOf(keyspace.arena, address) === type) found[kept++] = address;
    }
    seen += collectedCount;
    steps--;
  } while (cursor !== 0 && steps > 0 && seen < count);
  reply.array(2);
  reply.bulkInteger(cursor);
  reply.array(kept);
  for (let i = 0; i < kept; i++) replyKey(c, found[i]!);
}

function matches(c: Context, pattern: number, address: number): boolean {
  const { args, keyspace } = c;
  return globMatch(
    args.bytes[pattern]!,
    args.offsets[pattern]!,
    args.lengths[pattern]!,
    keyspace.arena.bytes(address),
    keyspace.keyOffset(address),
    keyspace.keyLength(address),
    false,
  );
}

function isStar(c: Context, i: number): boolean {
  return c.args.lengths[i] === 1 && c.args.bytes[i]![c.args.offsets[i]!] === STAR;
}

function typeNumber(name: string): number {
  const names: readonly string[] = TYPE_NAMES;
  const number = names.indexOf(name.toLowerCase());
  return number < 0 ? NO_TYPE : number;
}

function replyKey(c: Context, address: number): void {
  const { keyspace } = c;
  const bytes = keyspace.arena.bytes(address);
  c.reply.bulk(bytes, keyspace.keyOffset(address), keyspace.keyLength(address));
}

function keysCommand(c: Context): void {
  const { db, keyspace, reply } = c;
  const head = reply.defer(db.dict.count);
  const all = isStar(c, 1);
  let count = 0;
  let cursor = 0;
  do {
    cursor = db.dict.collect(cursor);
    for (let i = 0; i < db.dict.collectedCount; i++) {
      const address = db.dict.collected[i]!;
      if (keyspace.isExpired(db, address) || !(all || matches(c, 1, address))) continue;
      replyKey(c, address);
      count++;
    }
  } while (cursor !== 0);
  reply.fill(head, '*', count);
}

function randomkeyCommand(c: Context): void {
  const { db, keyspace, reply } = c;
  // Where expired keys may not be removed and all keys expire, one past its time is better than no
  // end.
  const stuck = db.expires.size === db.dict.count && keyspace.expiryMode !== EXPIRY_DELETE;
  for (let tries = 1; ; tries++) {
    const address = db.dict.randomEntry(keyspace.random);
    if (address === 0) {
      reply.null();
      return;
    }
    if ((stuck && tries === RANDOM_TRIES_MAX) || !keyspace.isGone(db, address)) {
      replyKey(c, address);
      return;
    }
  }
}

function dbsizeCommand(c: Context): void {
  c.reply.integer(c.db.dict.count);
}

export const scanCommands = [
  command(
    'scan',
    'generic',
    {
      arity: -2,
      flags: READONLY | TOUCHES_ARBITRARY_KEYS,
      acl: ['keyspace'],
      tips: ['nondeterministic_output', 'request_policy:special', 'response_policy:special'],
      since: '2.8.0',
      complexity: 'O(1) a call, O(N) for a whole scan with N the number of keys',
      summary: 'Goes over the keys of the database step by step.',
      history: [['6.0.0', 'Added the `TYPE` subcommand.']],
      syntax: 'cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [TYPE type@6.0.0]',
    },
    scanCommand,
  ),
  command(
    'keys',
    'generic',
    {
      arity: 2,
      flags: READONLY,
      acl: ['keyspace', 'dangerous'],
      tips: ['request_policy:all_shards', 'nondeterministic_output_order'],
      since: '1.0.0',
      complexity: 'O(N) with N the number of keys',
      summary: 'Returns the names of all keys that match a pattern.',
      syntax: 'pattern:pattern',
    },
    keysCommand,
  ),
  command(
    'randomkey',
    'generic',
    {
      arity: 1,
      flags: READONLY | TOUCHES_ARBITRARY_KEYS,
      acl: ['keyspace'],
      tips: ['request_policy:all_shards', 'response_policy:special', 'nondeterministic_output'],
      since: '1.0.0',
      complexity: 'O(1)',
      summary: 'Returns the name of a key picked by chance.',
      syntax: '',
    },
    randomkeyCommand,
  ),
  command(
    'dbsize',
    'server',
    {
      arity: 1,
      flags: READONLY | FAST,
      acl: ['keyspace'],
      tips: ['request_policy:all_shards', 'response_policy:agg_sum'],
      since: '1.0.0',
      complexity: 'O(1)',
      summary: 'Counts the keys of the database.',
      syntax: '',
    },
    dbsizeCommand,
  ),
];
