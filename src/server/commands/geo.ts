/**
 * The commands on points of a zset: GEOADD, GEODIST, GEOHASH, GEOPOS.
 *
 * GEOADD is ZADD with the positions as scores (core/types/geo.ts), and so it goes into the journal.
 * All positions are read before the key is looked at, so that a wrong one changes nothing.
 */
import { FIXED_TEXT_MAX, writeCoordinate, writeFixed4 } from '../../core/text/fixed.ts';
import { writeInt64 } from '../../core/text/integer.ts';
import {
  GEOHASH_LENGTH,
  geoBits,
  geoDecode,
  geoEncode,
  geoPosition,
  writeGeohash,
} from '../../core/types/geo.ts';
import { printableDistance } from '../../core/types/geo-distance.ts';
import {
  ADD_NX,
  ADD_XX,
  OUTCOME_ADDED,
  OUTCOME_UPDATED,
  zsetAdd,
  zsetChange,
  zsetCreate,
  zsetScore,
} from '../../core/types/zset.ts';
import { pairBytes } from '../../core/types/zset-pack.ts';
import { TYPE_ZSET } from '../../core/value.ts';
import { command, DENYOOM, keyAt, READONLY, WRITE } from '../dispatch/command.ts';
import { type Context, WRONG } from '../dispatch/context.ts';
import { SYNTAX_ERROR } from '../dispatch/errors.ts';
import { NOTIFY_NEW, NOTIFY_ZSET } from '../dispatch/notify-classes.ts';
import { OptionReader } from '../dispatch/option-reader.ts';
import { position, readPosition, unitOf, WRONG_UNIT } from './geo-arguments.ts';

/** GEOADD answers how many members were changed, not only those that are new. */
const CHANGED = 1 << 8;
const POINTS_ROOM = 128;
const TWO_32 = 0x1_0000_0000;

const options = new OptionReader();
const text = new Uint8Array(FIXED_TEXT_MAX);
/** The scores of one command as integers: low word, high word, low word, ... */
let words = new Uint32Array(POINTS_ROOM * 2);

function geoaddCommand(c: Context): void {
  const { args, db, keyspace, reply } = c;
  const { bytes, lengths, offsets } = args;
  const flags = readFlags(c);
  const first = options.at;
  const points = (args.count - first) / 3;
  const both = ADD_NX | ADD_XX;
  if (points < 1 || !Number.isInteger(points) || (flags & both) === both) {
    reply.error(SYNTAX_ERROR);
    return;
  }
  if (!readPoints(c, points)) return;
  let address = c.writeTyped(1, TYPE_ZSET);
  if (address === WRONG) return;
  if (address === 0) {
    if ((flags & ADD_XX) !== 0) {
      reply.integer(0);
      return;
    }
    address = create(c, first, points);
  }
  let added = 0;
  let updated = 0;
  for (let j = 0, i = first + 2; j < points; j++, i += 3) {
    const score = words[j * 2 + 1]! * TWO_32 + words[j * 2]!;
    address = zsetAdd(keyspace, db, address, bytes[i]!, offsets[i]!, lengths[i]!, score, flags);
    if (zsetChange.outcome === OUTCOME_ADDED) added++;
    else if (zsetChange.outcome === OUTCOME_UPDATED) updated++;
  }
  reply.integer((flags & CHANGED) !== 0 ? added + updated : added);
  if (added + updated === 0) return;
  keyspace.dirty += added + updated - 1;
  c.changed(1, NOTIFY_ZSET, 'zadd');
  propagateAsZadd(c, first, points);
}

function readFlags(c: Context): number {
  let flags = 0;
  options.start(c.args, 2);
  while (options.more) {
    if (options.take('nx')) flags |= ADD_NX;
    else if (options.take('xx')) flags |= ADD_XX;
    else if (options.take('ch')) flags |= CHANGED;
    else break;
  }
  return flags;
}

/** Reads the positions from where the options end. False: one is none, which is answered. */
function readPoints(c: Context, points: number): boolean {
  if (points * 2 > words.length) words = new Uint32Array(points * 4);
  for (let j = 0; j < points; j++) {
    readPosition(options);
    if (options.refuse(c.reply)) return false;
    options.index();
    geoEncode(position.longitude, position.latitude);
    words[j * 2] = geoBits.low;
    words[j * 2 + 1] = geoBits.high;
  }
  return true;
}

/** Adds the key in argument 1 with an empty zset that has room for the points from `first` on. */
function create(c: Context, first: number, points: number): number {
  const { args, db, keyspace } = c;
  const { bytes, lengths, offsets } = args;
  const longest = keyspace.limits.zsetMaxListpackValue;
  let room = 0;
  for (let j = 0, i = first + 2; j < points && lengths[i]! <= longest; j++, i += 3) {
    const score = words[j * 2 + 1]! * TWO_32 + words[j * 2]!;
    room += pairBytes(bytes[i]!, offsets[i]!, lengths[i]!, score);
  }
  const member = lengths[first + 2]!;
  const address = zsetCreate(keyspace, db, bytes[1]!, offsets[1]!, lengths[1]!, member, room);
  c.notify(1, NOTIFY_NEW, 'new');
  return address;
}

function propagateAsZadd(c: Context, first: number, points: number): void {
  const { args, propagator } = c;
  if (propagator.begin(c.db.id, first + points * 2)) {
    propagator.word('zadd');
    for (let i = 1; i < first; i++) propagator.argument(args, i);
    for (let j = 0; j < points; j++) {
      const length = writeInt64(text, 0, words[j * 2]!, words[j * 2 + 1]!);
      propagator.bytes(text, 0, length);
      propagator.argument(args, first + j * 3 + 2);
    }
  }
  propagator.suppress();
}

function geodistCommand(c: Context): void {
  const { args, reply } = c;
  if (args.count > 5) {
    reply.error(SYNTAX_ERROR);
    return;
  }
  const unitM = args.count === 5 ? unitOf(args, 4) : 1;
  if (unitM === 0) {
    reply.error(WRONG_UNIT);
    return;
  }
  const address = c.readTyped(1, TYPE_ZSET);
  if (address === WRONG) return;
  const from = scoreOf(c, address, 2);
  const to = scoreOf(c, address, 3);
  if (Number.isNaN(from) || Number.isNaN(to)) {
    reply.null();
    return;
  }
  geoDecode(from);
  const { latitude, longitude } = geoPosition;
  geoDecode(to);
  const theirs = geoPosition;
  replyDistance(
    c,
    printableDistance(longitude, latitude, theirs.longitude, theirs.latitude, unitM),
  );
}

function geohashCommand(c: Context): void {
  const { argc, reply } = c;
  const address = c.readTyped(1, TYPE_ZSET);
  if (address === WRONG) return;
  reply.array(argc - 2);
  for (let i = 2; i < argc; i++) {
    const score = scoreOf(c, address, i);
    if (Number.isNaN(score)) {
      reply.null();
      continue;
    }
    writeGeohash(text, 0, score);
    reply.bulk(text, 0, GEOHASH_LENGTH);
  }
}

function geoposCommand(c: Context): void {
  const { argc, reply } = c;
  const address = c.readTyped(1, TYPE_ZSET);
  if (address === WRONG) return;
  reply.array(argc - 2);
  for (let i = 2; i < argc; i++) {
    const score = scoreOf(c, address, i);
    if (Number.isNaN(score)) reply.nullArray();
    else replyPosition(c, score);
  }
}

/** The score of the member in argument `i`, NaN when it is none. */
export function scoreOf(c: Context, address: number, i: number): number {
  const { bytes, lengths, offsets } = c.args;
  if (address === 0) return Number.NaN;
  return zsetScore(c.keyspace, address, bytes[i]!, offsets[i]!, lengths[i]!);
}

/** Answers a distance: a string in both protocols. */
export function replyDistance(c: Context, distance: number): void {
  c.reply.bulk(text, 0, writeFixed4(text, 0, distance));
}

/** Answers the position of a score: longitude and latitude. */
export function replyPosition(c: Context, score: number): void {
  geoDecode(score);
  c.reply.array(2);
  c.reply.doubleBytes(text, writeCoordinate(text, 0, geoPosition.longitude));
  c.reply.doubleBytes(text, writeCoordinate(text, 0, geoPosition.latitude));
}

export const geoCommands = [
  command(
    'geoadd',
    'geo',
    {
      arity: -5,
      flags: WRITE | DENYOOM,
      keys: [keyAt(1, 'RW', 'update')],
      acl: ['geo'],
      since: '3.2.0',
      complexity:
        'O(log(N)) for each item added, where N is the number of elements in the sorted set.',
      summary: 'Adds members with their positions to a geospatial index, which is a sorted set.',
      syntax:
        'key:key [condition=(NX|XX)@6.2.0] [change=CH@6.2.0] ' +
        'data={longitude:double latitude:double member}...',
      history: [['6.2.0', 'Added the `CH`, `NX` and `XX` options.']],
    },
    geoaddCommand,
  ),
  command(
    'geodist',
    'geo',
    {
      arity: -4,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['geo'],
      since: '3.2.0',
      complexity: 'O(log(N))',
      isConstantHere: true,
      summary: 'Returns the distance between two members of a geospatial index.',
      syntax: 'key:key member1 member2 [unit=(M|KM|FT|MI)]',
    },
    geodistCommand,
  ),
  command(
    'geohash',
    'geo',
    {
      arity: -2,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['geo'],
      since: '3.2.0',
      complexity:
        'O(log(N)) for each member requested, where N is the number of elements in the sorted set.',
      summary: 'Returns the positions of members of a geospatial index as geohash texts.',
      syntax: 'key:key [member]...',
    },
    geohashCommand,
  ),
  command(
    'geopos',
    'geo',
    {
      arity: -2,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['geo'],
      since: '3.2.0',
      complexity: 'O(N) where N is the number of members requested.',
      summary: 'Returns the longitude and latitude of members of a geospatial index.',
      syntax: 'key:key [member]...',
    },
    geoposCommand,
  ),
];
