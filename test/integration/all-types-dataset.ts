/**
 * One dataset with every type in every encoding: small values by name, and one large collection of
 * each kind whose size is chosen. Written through commands that a server of 7.0 knows as well, so
 * that either side can be the one that is filled.
 */
import type { Random } from '../support/random.ts';
import { type Argument, encodeCommand, type RawClient } from '../support/raw-client.ts';
import { ReplyError } from '../support/resp-reader.ts';

/** Elements of the large collections. */
export interface Sizes {
  readonly zset: number;
  readonly hash: number;
  readonly list: number;
  readonly stream: number;
}

type Command = Argument[];

/** Elements in one command, and commands in one write. */
const WIDE = 500;
const BATCH = 1000;
const FAR_MS = 4_000_000_000_000;
const OTHER_DATABASE = 9;

/** What both sides must run with for the encodings named below. */
export const ENCODING_CONFIG = {
  'list-max-listpack-size': '-2',
  'list-compress-depth': 1,
  'hll-sparse-max-bytes': 3000,
  'stream-node-max-entries': 100,
};

/** A stream with pending entries that it has no more. An AOF of commands cannot say that. */
export const DANGLING = 'stream:dangling';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Arguments made for 0 to `count`. */
function wide(head: Command, count: number, make: (i: number) => Command): Command {
  return [...head, ...numbers(count).flatMap(make)];
}

function strings(random: Random): Command[] {
  return [
    ['SET', 'string:int', '9223372036854775807'],
    ['SET', 'string:int:shared', '77'],
    ['SET', 'string:int:negative', '-9223372036854775808'],
    ['SET', 'string:almost-int', '09223372036854775807'],
    ['SET', 'string:empty', ''],
    ['SET', 'string:embstr', random.bytes(44)],
    ['SET', 'string:raw', random.bytes(45)],
    ['SET', 'string:raw:text', 'once more '.repeat(2000)],
    ['SET', 'string:raw:bytes', random.bytes(70_000)],
    ['SET', 'string:appended', '12'],
    ['APPEND', 'string:appended', '34'],
    ['SETBIT', 'string:bitmap', 800_001, 1],
    ['BITFIELD', 'string:bitfield', 'SET', 'u63', '#3', '4611686018427387904'],
    ['SETRANGE', 'string:padded', 100, 'end'],
    ['SET', random.bytes(300), 'a long key'],
  ];
}

function lists(random: Random): Command[] {
  return [
    ['RPUSH', 'list:listpack', 'a', '', 12, -3, 70_000, '-2147483649', '9007199254740993', 'z'],
    wide(['RPUSH', 'list:nodes'], 3000, (i) => [`element of the list ${i}`]),
    wide(['RPUSH', 'list:compressed'], 60, (i) => [`${i} `.repeat(600)]),
    wide(['RPUSH', 'list:incompressible'], 60, () => [random.bytes(900)]),
    ['RPUSH', 'list:plain', random.bytes(9000), 'x'.repeat(20_000), 'small', random.bytes(66_000)],
    wide(['LPUSH', 'list:cut'], 2000, (i) => [`item ${i}`]),
    ['LTRIM', 'list:cut', 100, 1500],
    ['LINSERT', 'list:cut', 'BEFORE', 'item 900', 'between'],
    ['LREM', 'list:cut', 1, 'item 1000'],
  ];
}

function sets(random: Random): Command[] {
  return [
    ['SADD', 'set:intset:16', 1, -32_768, 32_767],
    ['SADD', 'set:intset:32', 1, 70_000, -2_147_483_648],
    ['SADD', 'set:intset:64', 1, '9223372036854775807', '-9223372036854775808'],
    wide(['SADD', 'set:intset:full'], 512, (i) => [i * 3]),
    wide(['SADD', 'set:table:integers'], 513, (i) => [i * 3]),
    ['SADD', 'set:listpack', 'a', 'b', '', 12, 'x'.repeat(64)],
    wide(['SADD', 'set:table'], 700, (i) => [i % 2 === 0 ? i : `member ${i}`]),
    ['SADD', 'set:table:long', 'short', random.bytes(65), random.bytes(5000)],
  ];
}

function hashes(random: Random): Command[] {
  return [
    ['HSET', 'hash:listpack', 'name', 'Ann', 'age', 41, '', '', 'long', 'x'.repeat(64)],
    wide(['HSET', 'hash:listpack:full'], 128, (i) => [i, `value ${i}`]),
    wide(['HSET', 'hash:table'], 600, (i) => [
      `field ${i}`,
      i % 3 === 0 ? i : random.bytes(i % 90),
    ]),
    ['HSET', 'hash:table:long', 'one', random.bytes(65), random.bytes(300), 'field is long'],
    wide(['HSET', 'hash:cut'], 600, (i) => [i, i]),
    wide(['HDEL', 'hash:cut'], 590, (i) => [i]),
  ];
}

function zsets(random: Random): Command[] {
  const odd = ['inf', '-inf', '1e300', '-0', '0.1', '4.9e-324', '3', '9007199254740993', '17.25'];
  const place = (i: number): Command => [
    ...[((random.next() - 0.5) * 360).toFixed(6), ((random.next() - 0.5) * 170).toFixed(6)],
    `place ${i}`,
  ];
  return [
    ['ZADD', 'zset:listpack', ...odd.flatMap((score, i) => [score, `member ${i}`])],
    wide(['ZADD', 'zset:listpack:full'], 128, (i) => [i % 7, `m${i}`]),
    ['ZADD', 'zset:skiplist:long', ...odd.flatMap((score) => [score, random.bytes(80)])],
    wide(['ZADD', 'zset:skiplist'], 900, (i) => [
      random.next() * 1e6 - 5e5,
      i % 5 === 0 ? i : `m${i}`,
    ]),
    wide(['ZADD', 'zset:skiplist:lex'], 400, () => [0, random.bytes(12)]),
    ['ZREMRANGEBYRANK', 'zset:skiplist', 100, 200],
    wide(['GEOADD', 'geo:listpack'], 60, place),
    wide(['GEOADD', 'geo:skiplist'], 400, place),
  ];
}

function hyperLogLogs(): Command[] {
  return [
    ['PFADD', 'hll:empty'],
    ['PFADD', 'hll:sparse', 'a', 'b', 'c'],
    ['PFCOUNT', 'hll:sparse'],
    wide(['PFADD', 'hll:dense'], 20_000, (i) => [`visitor ${i}`]),
    ['PFMERGE', 'hll:merged', 'hll:sparse', 'hll:dense'],
  ];
}

function streams(random: Random): Command[] {
  const add = (key: string, i: number, ...pairs: Command): Command => [
    'XADD',
    key,
    `${i}-1`,
    ...pairs,
  ];
  const read = (group: string, consumer: string, count: number): Command => [
    ...['XREADGROUP', 'GROUP', group, consumer, 'COUNT', count, 'STREAMS', 'stream:groups', '>'],
  ];
  return [
    ...numbers(5).map((i) => add('stream:one-node', i + 1, 'field', i)),
    ...numbers(450).map((i) => add('stream:nodes', i + 1, 'same', `value ${i}`, 'fields', i * 1e9)),
    ...numbers(120).map((i) => add('stream:fields', i + 1, `field ${i % 7}`, random.bytes(i % 40))),
    ['XTRIM', 'stream:nodes', 'MAXLEN', 333],
    ['XADD', 'stream:emptied', '5-5', 'gone', 1],
    ['XDEL', 'stream:emptied', '5-5'],
    ['XGROUP', 'CREATE', 'stream:only-group', 'idle', '$', 'MKSTREAM'],
    ['XADD', 'stream:set', '7-0', 'a', 1],
    ['XSETID', 'stream:set', '900-1', 'ENTRIESADDED', 50, 'MAXDELETEDID', '3-3'],
    ...numbers(300).map((i) => add('stream:groups', i + 1, 'n', i)),
    ['XGROUP', 'CREATE', 'stream:groups', 'first', 0],
    ['XGROUP', 'CREATE', 'stream:groups', 'second', '150-1', 'ENTRIESREAD', 150],
    ['XGROUP', 'CREATE', 'stream:groups', 'third', '$'],
    ['XGROUP', 'CREATECONSUMER', 'stream:groups', 'third', 'nothing pending'],
    read('first', 'ann', 120),
    read('first', 'bob', 100),
    read('second', 'ann', 30),
    // Neither an AOF nor a replica is told how many entries a group has read, but by this.
    ['XGROUP', 'SETID', 'stream:groups', 'first', '220-1', 'ENTRIESREAD', 220],
    ['XGROUP', 'SETID', 'stream:groups', 'second', '180-1', 'ENTRIESREAD', 180],
    wide(['XACK', 'stream:groups', 'first'], 90, (i) => [`${i * 2 + 1}-1`]),
    ['XCLAIM', 'stream:groups', 'first', 'carl', 0, '40-1', '42-1', '202-1', 'RETRYCOUNT', 9],
    ['XDEL', 'stream:groups', '1-1', '51-1', '300-1'],
    // Pending entries that are not in the stream any more.
    ...numbers(9).map((i) => add(DANGLING, i + 1, 'n', i)),
    ['XGROUP', 'CREATE', DANGLING, 'all', 0],
    ['XREADGROUP', 'GROUP', 'all', 'ann', 'STREAMS', DANGLING, '>'],
    ['XDEL', DANGLING, '2-1', '5-1'],
    ['XGROUP', 'SETID', DANGLING, 'all', '9-1', 'ENTRIESREAD', 9],
  ];
}

/** An expiry for keys of every type. */
function expiries(): Command[] {
  const keys = ['string:raw', 'string:int', 'list:plain', 'set:table', 'set:intset:16'];
  keys.push('hash:listpack', 'hash:table', 'zset:listpack', 'zset:skiplist', 'stream:groups');
  return keys.map((key, i) => ['PEXPIREAT', key, FAR_MS + i]);
}

async function run(client: RawClient, commands: readonly Command[]): Promise<void> {
  const replies = await client.pipeline(commands);
  const refused = replies.findIndex(({ value }) => value instanceof ReplyError);
  if (refused < 0) return;
  const words = JSON.stringify(commands[refused]).slice(0, 200);
  throw new Error(`${words} was answered ${replies[refused]?.raw.toString('latin1')}`);
}

/** One large collection, `count` elements by WIDE in a command. */
async function fillLarge(
  client: RawClient,
  head: Command,
  count: number,
  make: (i: number) => Command,
): Promise<void> {
  for (let from = 0; from < count; ) {
    const parts: Buffer[] = [];
    for (; from < count && parts.length < 20; from += WIDE) {
      const start = from;
      const size = Math.min(WIDE, count - start);
      parts.push(encodeCommand(wide(head, size, (i) => make(start + i))));
    }
    client.write(Buffer.concat(parts));
    for (const _ of parts) await client.read();
  }
}

async function fillStream(client: RawClient, count: number): Promise<void> {
  for (let from = 0; from < count; from += BATCH) {
    const size = Math.min(BATCH, count - from);
    await run(
      client,
      numbers(size).map((i) => ['XADD', 'large:stream', `${from + i + 1}-0`, 'order', from + i]),
    );
  }
  const read = (consumer: string): Command => [
    ...['XREADGROUP', 'GROUP', 'orders', consumer, 'COUNT', WIDE, 'STREAMS', 'large:stream', '>'],
  ];
  await run(client, [
    ['XGROUP', 'CREATE', 'large:stream', 'orders', 0],
    ['XGROUP', 'CREATE', 'large:stream', 'late', `${Math.floor(count / 2)}-0`],
  ]);
  // A tenth of it is delivered, and half of that acknowledged.
  const delivered = Math.ceil(count / 10 / WIDE) * WIDE;
  for (let from = 0; from < delivered; from += WIDE) {
    await run(client, [
      read(from % 3 === 0 ? 'ann' : 'bob'),
      wide(['XACK', 'large:stream', 'orders'], WIDE / 2, (i) => [`${from + i * 2 + 1}-0`]),
      ['XDEL', 'large:stream', `${from + 11}-0`],
    ]);
  }
  const last = ['XGROUP', 'SETID', 'large:stream', 'orders', `${delivered}-0`];
  await run(client, [[...last, 'ENTRIESREAD', delivered]]);
}

/** Writes all of it. */
export async function writeAllTypes(
  client: RawClient,
  random: Random,
  sizes: Sizes,
): Promise<void> {
  const small = [
    ...[strings(random), lists(random), sets(random), hashes(random), zsets(random)].flat(),
    ...hyperLogLogs(),
    ...streams(random),
  ];
  await run(client, [...small, ...expiries()]);
  await run(client, [
    ['SELECT', OTHER_DATABASE],
    ['SET', 'elsewhere', 1],
    ['SELECT', 0],
  ]);
  const { zset, hash, list, stream } = sizes;
  const score = (): number => Math.floor(random.next() * 1e9) / 64;
  await fillLarge(client, ['ZADD', 'large:zset'], zset, (i) => [score(), `member:${i}`]);
  await fillLarge(client, ['HSET', 'large:hash'], hash, (i) => [`field:${i}`, `value ${i * 7}`]);
  await fillLarge(client, ['RPUSH', 'large:list'], list, (i) => [i % 4 === 0 ? i : `item:${i}`]);
  await fillStream(client, stream);
}
