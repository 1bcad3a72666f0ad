/**
 * Damage to RDB values that knows their structure, and walks over whatever loads all the same.
 *
 * A damaged value is a form (rdb-forms.ts) with something changed in one of its segments. Strings
 * with structure of their own are written with a length that is right again, and often have their
 * own head mended too, so that the damage gets past the first look and deep into what reads it.
 */
import type { Random } from '../../support/random.ts';
import { bodyOf, double, FORMS, type Form, rdbLength, type Segment } from './rdb-forms.ts';

export interface DamagedValue {
  readonly type: number;
  readonly body: Buffer;
}

type Change = (bytes: Buffer, random: Random) => Buffer;

const INTERESTING: readonly number[] = [
  ...[0, 1, 2, 3, 4, 7, 8, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xbf, 0xc0, 0xc1, 0xc2, 0xc3],
  ...[0xdf, 0xe0, 0xef, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xfd, 0xfe, 0xff],
];
const LENGTHS: readonly (number | bigint)[] = [
  ...[0, 1, 63, 64, 16_383, 16_384, 0x7fff_ffff, 0xffff_ffff],
  ...[1n << 29n, 1n << 32n, 1n << 40n, 1n << 52n, 1n << 53n, (1n << 64n) - 1n],
];
const TYPES = 26;

const position = (bytes: Buffer, random: Random): number =>
  random.between(0, Math.max(0, bytes.length - 1));

function spliced(bytes: Buffer, at: number, gone: number, put: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + gone)]);
}

const CHANGES: readonly Change[] = [
  function flipBits(bytes, random) {
    const changed = Buffer.from(bytes);
    for (let i = random.between(1, 4); i > 0 && bytes.length > 0; i--) {
      changed[position(bytes, random)]! ^= 1 << random.between(0, 7);
    }
    return changed;
  },
  function setByte(bytes, random) {
    const changed = Buffer.from(bytes);
    if (bytes.length > 0) changed[position(bytes, random)] = random.pick(INTERESTING);
    return changed;
  },
  function editHead(bytes, random) {
    const changed = Buffer.from(bytes);
    const at = random.between(0, 9);
    if (bytes.length > at) changed[at] = random.pick(INTERESTING);
    return changed;
  },
  function editLength(bytes, random) {
    const length = rdbLength(random.pick(LENGTHS), random.chance(0.5));
    return spliced(bytes, position(bytes, random), random.pick([0, 1, 2, 5, 9]), length);
  },
  function editWord(bytes, random) {
    if (bytes.length < 4) return bytes;
    const changed = Buffer.from(bytes);
    const at = random.between(0, bytes.length - 4);
    const old = bytes.readUInt32LE(at);
    const near = random.pick([
      old + 1,
      old - 1,
      old * 2,
      0xffff_ffff,
      0x7fff_ffff,
      0,
      bytes.length,
    ]);
    if (random.chance(0.5)) changed.writeUInt32LE(near >>> 0, at);
    else changed.writeUInt32BE(near >>> 0, at);
    return changed;
  },
  function cut(bytes, random) {
    return bytes.subarray(0, position(bytes, random));
  },
  function drop(bytes, random) {
    return spliced(bytes, position(bytes, random), random.between(1, 12), Buffer.alloc(0));
  },
  function repeat(bytes, random) {
    const from = position(bytes, random);
    const piece = bytes.subarray(from, from + random.between(1, 40));
    return spliced(bytes, position(bytes, random), 0, piece);
  },
  function splice(bytes, random) {
    const other = random.pick(random.pick(FORMS).segments).bytes;
    const from = random.between(0, Math.max(0, other.length - 1));
    const piece = other.subarray(from, from + random.between(1, 60));
    return spliced(bytes, position(bytes, random), random.pick([0, piece.length]), piece);
  },
  function putDouble(bytes, random) {
    const score = random.pick([Number.NaN, -0, Number.POSITIVE_INFINITY, 1e308, 5e-324]);
    return spliced(bytes, position(bytes, random), 8, double(score));
  },
];

/** Makes the head and the end of a ziplist or listpack agree with its length. */
function mended(bytes: Buffer): Buffer {
  if (bytes.length < 7) return bytes;
  const changed = Buffer.from(bytes);
  changed.writeUInt32LE(bytes.length, 0);
  changed[bytes.length - 1] = 0xff;
  return changed;
}

function damagedSegment(segment: Segment, random: Random): Segment {
  let bytes: Buffer = Buffer.from(segment.bytes);
  for (let i = random.pick([1, 1, 1, 2, 5]); i > 0; i--)
    bytes = random.pick(CHANGES)(bytes, random);
  if (segment.isBlob && random.chance(0.6)) bytes = mended(bytes);
  return { bytes, isBlob: segment.isBlob };
}

/** A value with something wrong: in a segment, in their order, or in its type. */
export function damaged(form: Form, random: Random): DamagedValue {
  const { length } = form.segments;
  const hit = random.between(0, length - 1);
  const segments = form.segments.map((one, i) => (i === hit ? damagedSegment(one, random) : one));
  if (random.chance(0.05)) segments.splice(hit, 1, random.pick(random.pick(FORMS).segments));
  let body = bodyOf(segments);
  if (random.chance(0.1)) body = random.pick(CHANGES)(body, random);
  const type = random.chance(0.1) ? random.between(0, TYPES) : form.type;
  return { type, body };
}

// ---------------------------------------------------------------- walks

const K = 'k';

/** What is asked of every key. */
const ANY: readonly string[][] = [
  ...[['TYPE', K], ['OBJECT', 'ENCODING', K], ['OBJECT', 'IDLETIME', K], ['TTL', K]],
  ...[['DUMP', K], ['MEMORY', 'USAGE', K], ['MEMORY', 'USAGE', K, 'SAMPLES', '0']],
  ...[['DEBUG', 'OBJECT', K], ['DEBUG', 'DIGEST-VALUE', K], ['DEBUG', 'DIGEST'], ['COPY', K, 'c']],
  ...[['EXISTS', K], ['SORT', K, 'ALPHA'], ['SCAN', '0'], ['RANDOMKEY'], ['TOUCH', K]],
]; // biome-ignore format: commands

/** What is asked of, and done to, a key of each type. */
const BY_TYPE: Readonly<Record<string, readonly string[][]>> = {
  string: [
    ['GET', K], ['STRLEN', K], ['GETRANGE', K, '-5', '-1'], ['BITCOUNT', K], ['BITPOS', K, '1'],
    ['GETBIT', K, '7'], ['BITFIELD_RO', K, 'GET', 'i33', '5'], ['PFCOUNT', K], ['LCS', K, 'other'],
    ['INCR', K], ['INCRBYFLOAT', K, '1.5'], ['APPEND', K, 'x'], ['SETRANGE', K, '3', 'yy'],
    ['SETBIT', K, '40', '1'], ['PFADD', K, 'a'], ['GETDEL', K],
  ],
  list: [
    ['LLEN', K], ['LRANGE', K, '0', '-1'], ['LINDEX', K, '0'], ['LINDEX', K, '-1'],
    ['LPOS', K, 'hello'], ['LPOS', K, '12', 'RANK', '-1'], ['LINDEX', K, '5'],
    ['LINSERT', K, 'BEFORE', 'hello', 'x'], ['LSET', K, '0', 'y'], ['LSET', K, '-1', '77'],
    ['RPUSH', K, 'tail', '5'], ['LPUSH', K, 'head'], ['LREM', K, '0', '12'], 
    ['LMOVE', K, K, 'LEFT', 'RIGHT'],
    ['LRANGE', K, '0', '-1'], ['LTRIM', K, '1', '-2'], ['RPOP', K, '3'], ['LPOP', K],
  ],
  set: [
    ['SMEMBERS', K], ['SCARD', K], ['SISMEMBER', K, 'hello'], ['SMISMEMBER', K, '12', '-1', 'no'],
    ['SRANDMEMBER', K, '-20'], ['SRANDMEMBER', K, '3'], ['SSCAN', K, '0'], ['SINTER', K, K],
    ['SUNION', K, 'other'], ['SDIFF', K, 'other'], ['SINTERCARD', '1', K], 
    ['SREM', K, '12', 'hello'],
    ['SADD', K, '100000000000', 'new', '-5'], ['SPOP', K], ['SMEMBERS', K], ['SPOP', K, '5'],
  ],
  zset: [
    ['ZRANGE', K, '0', '-1', 'WITHSCORES'], ['ZREVRANGE', K, '0', '-1'], ['ZCARD', K],
    ['ZRANGEBYSCORE', K, '-inf', '+inf'], ['ZRANGEBYLEX', K, '-', '+'], ['ZRANK', K, 'c'],
    ['ZREVRANK', K, '10'], ['ZSCORE', K, 'e'], ['ZMSCORE', K, 'a', 'no'], ['ZCOUNT', K, '(0', '5'],
    ['ZLEXCOUNT', K, '[a', '[d'], ['ZRANDMEMBER', K, '-10', 'WITHSCORES'], ['ZSCAN', K, '0'],
    ['ZUNION', '1', K, 'WITHSCORES'], ['ZDIFF', '2', K, 'other'], ['ZADD', K, '1', 'c', '3', 'new'],
    ['ZINCRBY', K, '2', 'd'], ['ZREM', K, 'a'], ['ZREMRANGEBYRANK', K, '0', '0'], ['ZPOPMAX', K],
    ['ZRANGE', K, '0', '-1', 'WITHSCORES'], ['ZPOPMIN', K, '2'], ['ZREMRANGEBYSCORE', K, '0', '2'],
  ],
  hash: [
    ['HGETALL', K], ['HKEYS', K], ['HVALS', K], ['HLEN', K], ['HGET', K, 'hello'], 
    ['HMGET', K, '12', 'no'],
    ['HEXISTS', K, '-1'], ['HSTRLEN', K, 'a'], ['HRANDFIELD', K, '-10', 'WITHVALUES'], 
    ['HSCAN', K, '0'],
    ['HRANDFIELD', K, '4'], ['HDEL', K, '12', 'hello'], 
    ['HSET', K, 'a', '1', 'new', 'x'.repeat(100)],
    ['HINCRBY', K, 'n', '5'], ['HSET', K, 'b', '2'], ['HGETALL', K], ['HDEL', K, 'a', '0', ''],
  ],
  stream: [
    ['XLEN', K], ['XRANGE', K, '-', '+'], ['XREVRANGE', K, '+', '-'], ['XRANGE', K, '1001', '1002'],
    ['XINFO', 'STREAM', K, 'FULL', 'COUNT', '0'], ['XINFO', 'STREAM', K], ['XINFO', 'GROUPS', K],
    ['XINFO', 'CONSUMERS', K, 'group'], ['XPENDING', K, 'group'],
    ['XPENDING', K, 'group', '-', '+', '9'], ['XREAD', 'STREAMS', K, '0'],
    ['XREADGROUP', 'GROUP', 'group', 'alice', 'STREAMS', K, '0'],
    ['XREADGROUP', 'GROUP', 'group', 'carol', 'STREAMS', K, '>'], ['XACK', K, 'group', '1000-0'],
    ['XCLAIM', K, 'group', 'dave', '0', '1001-1', '1002-2', 'FORCE'],
    ['XAUTOCLAIM', K, 'group', 'bob', '0', '0'], ['XDEL', K, '1001-1', '1003-3'],
    ['XADD', K, '*', 'temperature', '5', 'place', 'x'], ['XADD', K, '99999999999999-1', 'f', 'v'],
    ['XTRIM', K, 'MINID', '1002'], ['XRANGE', K, '-', '+'], ['XTRIM', K, 'MAXLEN', '1'],
    ['XGROUP', 'DELCONSUMER', K, 'group', 'bob'], ['XSETID', K, '99999999999999-9'],
    ['XREVRANGE', K, '+', '-'], ['XGROUP', 'DESTROY', K, 'group'],
  ],
}; // biome-ignore format: commands

/** Commands that go over all of a value of this type, and change some of it. */
export function walkOf(type: string): readonly string[][] {
  return [...ANY, ...(BY_TYPE[type] ?? []), ['DUMP', K], ['COPY', K, 'c', 'REPLACE'], ['DEL', 'c']];
}
