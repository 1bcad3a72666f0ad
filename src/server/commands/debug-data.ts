/**
 * The subcommands of DEBUG that look at data, or make some. They see expired keys, too, as long as
 * these stand.
 */
import { Digest } from '../../core/digest.ts';
import { lpBytes, lpCount } from '../../core/struct/listpack.ts';
import type { Quicklist } from '../../core/struct/quicklist.ts';
import { globMatch } from '../../core/text/glob.ts';
import { latin1Bytes } from '../../core/text/latin1.ts';
import { listQuicklist } from '../../core/types/list.ts';
import { stringSet } from '../../core/types/string.ts';
import { lruIdleSeconds } from '../../core/usage.ts';
import {
  ENC_INT,
  ENC_LISTPACK,
  ENC_QUICKLIST,
  encodingName,
  encodingOf,
  TYPE_STRING,
  typeOf,
} from '../../core/value.ts';
import type { Context } from '../dispatch/context.ts';
import { NO_SUCH_KEY, NOT_POSITIVE } from '../dispatch/errors.ts';
import { NOTIFY_NEW } from '../dispatch/notify-classes.ts';
import { refcountOf } from './object.ts';
import { digestDataset, digestValue } from './value-digests.ts';

const SHOWN_BYTES_MAX = 4096;
const digest = new Digest();

/** Address of the key in argument `i`, expired or not, or 0. */
function find(c: Context, i: number): number {
  const { args, db } = c;
  return db.dict.find(args.bytes[i]!, args.offsets[i]!, args.lengths[i]!);
}

/** Like `find`; 0 has been answered with an error. */
function require(c: Context, i: number): number {
  const address = find(c, i);
  if (address === 0) c.reply.error(NO_SUCH_KEY);
  return address;
}

export function debugDigest(c: Context): void {
  digestDataset(c.keyspace, digest);
  c.reply.simple(digest.hex);
}

export function debugDigestValue(c: Context): void {
  c.reply.array(c.argc - 2);
  for (let i = 2; i < c.argc; i++) {
    const address = find(c, i);
    digest.clear();
    if (address !== 0) digestValue(c.keyspace, address, digest);
    c.reply.simple(digest.hex);
  }
}

export function debugObject(c: Context): void {
  const { keyspace, services } = c;
  const address = require(c, 2);
  if (address === 0) return;
  const usage = keyspace.usageOf(address);
  const encoding = encodingOf(keyspace.arena, address);
  const length = services.debug.serializedLength(address);
  const fields = [
    `Value at:0x${address.toString(16)} refcount:${refcountOf(c, address)}`,
    `encoding:${encodingName(encoding)} serializedlength:${length}`,
    `lru:${usage} lru_seconds_idle:${lruIdleSeconds(usage, keyspace.lruClock)}`,
  ];
  const list = encoding === ENC_QUICKLIST ? listQuicklist(keyspace, address) : null;
  if (list !== null) fields.push(describeNodes(list));
  c.reply.simple(fields.join(' '));
}

function describeNodes(list: Quicklist): string {
  const nodes = list.nodeCount;
  return [
    `ql_nodes:${nodes} ql_avg_node:${(list.count / nodes).toFixed(2)}`,
    `ql_listpack_max:${list.fill} ql_compressed:${list.depth > 0 ? 1 : 0}`,
    `ql_uncompressed_size:${list.nodes.plainBytes()}`,
  ].join(' ');
}

export function debugSdslen(c: Context): void {
  const { keyspace } = c;
  const { arena } = keyspace;
  const address = require(c, 2);
  if (address === 0) return;
  if (typeOf(arena, address) !== TYPE_STRING || encodingOf(arena, address) === ENC_INT) {
    c.reply.error('ERR Not an sds encoded string.');
    return;
  }
  const block = keyspace.valueBlock(address);
  const end = keyspace.valueOffset(address) + keyspace.valueLength(address);
  const room = arena.sizeOf(block) - (end - arena.byteOffset(block));
  const fields = [
    `key_sds_len:${keyspace.keyLength(address)}`,
    'key_sds_avail:0',
    `key_zmalloc: ${arena.sizeOf(address)}`,
    `val_sds_len:${keyspace.valueLength(address)}`,
    `val_sds_avail:${room}`,
    `val_zmalloc: ${arena.sizeOf(block)}`,
  ];
  c.reply.simple(fields.join(', '));
}

export function debugListpack(c: Context): void {
  const { keyspace, services } = c;
  const address = require(c, 2);
  if (address === 0) return;
  if (encodingOf(keyspace.arena, address) !== ENC_LISTPACK) {
    c.reply.error('ERR Not a listpack encoded object.');
    return;
  }
  const bytes = keyspace.arena.bytes(keyspace.valueBlock(address));
  const from = keyspace.valueOffset(address);
  const total = lpBytes(bytes, from);
  const shown = Buffer.from(bytes.subarray(from, from + Math.min(total, SHOWN_BYTES_MAX)));
  const text = `listpack of ${total} bytes, ${lpCount(bytes, from)} elements`;
  services.log.notice(`${text}: ${shown.toString('hex')}`);
  c.reply.simple('Listpack structure printed on stdout');
}

export function debugQuicklist(c: Context): void {
  const { keyspace, services } = c;
  const address = require(c, 2);
  if (address === 0) return;
  if (encodingOf(keyspace.arena, address) !== ENC_QUICKLIST) {
    c.reply.error('ERR Not a quicklist encoded object.');
    return;
  }
  services.log.notice(`quicklist of ${keyspace.largeOf(address).memoryBytes(0)} bytes`);
  c.reply.simple('Quicklist structure printed on stdout');
}

/** Keys that nobody is told of but those who watch or listen: neither the AOF nor the replicas. */
export function debugPopulate(c: Context): void {
  const { args, db, keyspace, services } = c;
  const count = c.integerIn(2, 0, Number.MAX_SAFE_INTEGER, NOT_POSITIVE);
  if (Number.isNaN(count)) return;
  const size = args.count < 5 ? 0 : c.integerIn(4, 0, Number.MAX_SAFE_INTEGER, NOT_POSITIVE);
  if (Number.isNaN(size)) return;
  const prefix = args.count < 4 ? 'key' : args.text(3);
  for (let i = 0; i < count; i++) {
    const key = latin1Bytes(`${prefix}:${i}`);
    if (keyspace.lookupWrite(db, key, 0, key.length) !== 0) continue;
    const text = latin1Bytes(`value:${i}`);
    const value = size === 0 ? text : new Uint8Array(size);
    if (size > 0) value.set(text.subarray(0, size));
    stringSet(keyspace, db, key, 0, key.length, 0, value, 0, value.length, false);
    services.keyChanged(db, key, 0, key.length);
    if ((services.notifyClasses & NOTIFY_NEW) !== 0) {
      services.notifyKey(db.id, key, 0, key.length, NOTIFY_NEW, 'new');
    }
  }
  c.ok();
}

export function debugStringmatch(c: Context): void {
  const { bytes, offsets, lengths } = c.args;
  const matches = globMatch(
    bytes[2]!,
    offsets[2]!,
    lengths[2]!,
    bytes[3]!,
    offsets[3]!,
    lengths[3]!,
    false,
  );
  c.reply.integer(matches ? 1 : 0);
}

export function debugJmap(c: Context): void {
  const { keyspace } = c;
  const { arena } = keyspace;
  const lines = [
    `reserved:${arena.reservedBytes}`,
    `used:${arena.usedBytes}`,
    `beside:${arena.besideBytes}`,
  ];
  for (const db of keyspace.databases) {
    if (db.dict.count === 0) continue;
    const { dict, expires } = db;
    const parts = [
      `keys=${dict.count}`,
      `expires=${expires.size}`,
      `table=${dict.overheadBytes}`,
      `index=${expires.overheadBytes}`,
    ];
    lines.push(`db${db.id}:${parts.join(',')}`);
  }
  c.reply.verbatim('txt', `${lines.join('\n')}\n`);
}
