/**
 * The commands that return many fields of a hash: HGETALL, HKEYS, HVALS, HRANDFIELD, HSCAN.
 */
import { hashIsLarge, hashLength } from '../../core/types/hash.ts';
import { HashCursor } from '../../core/types/hash-cursor.ts';
import { replyListpack } from '../../core/types/listpack-reply.ts';
import { TYPE_HASH } from '../../core/value.ts';
import { command, keyAt, READONLY } from '../dispatch/command.ts';
import { type Context, WRONG } from '../dispatch/context.ts';
import { MemberScan, SCAN_COMPLEXITY } from './member-scan.ts';
import { pickRequest, readPicks, replyPick, replyPicks } from './random-reply.ts';

const cursor = new HashCursor();
const scan = new MemberScan();

function hgetallCommand(c: Context): void {
  const { reply } = c;
  const address = c.readTyped(1, TYPE_HASH);
  if (address === WRONG) return;
  if (address === 0) {
    reply.map(0);
    return;
  }
  reply.map(hashLength(c.keyspace, address));
  if (!hashIsLarge(c.keyspace, address)) {
    replyListpack(reply, c.keyspace, address);
    return;
  }
  cursor.start(c.keyspace, address);
  while (cursor.next()) replyPair(c);
}

function hkeysCommand(c: Context): void {
  const { reply } = c;
  const address = c.readTyped(1, TYPE_HASH);
  if (address === WRONG) return;
  if (address === 0) {
    reply.array(0);
    return;
  }
  cursor.start(c.keyspace, address);
  reply.array(cursor.count);
  while (cursor.next()) replyName(c);
}

function hvalsCommand(c: Context): void {
  const { reply } = c;
  const address = c.readTyped(1, TYPE_HASH);
  if (address === WRONG) return;
  if (address === 0) {
    reply.array(0);
    return;
  }
  cursor.start(c.keyspace, address);
  reply.array(cursor.count);
  while (cursor.next()) reply.bulk(cursor.value.bytes, cursor.value.offset, cursor.value.length);
}

function replyName(c: Context): void {
  c.reply.bulk(cursor.field.bytes, cursor.field.offset, cursor.field.length);
}

function replyPair(c: Context): void {
  replyName(c);
  c.reply.bulk(cursor.value.bytes, cursor.value.offset, cursor.value.length);
}

function hrandfieldCommand(c: Context): void {
  if (c.argc > 2) randomFields(c);
  else replyPick(c, TYPE_HASH, cursor, replyName);
}

/** HRANDFIELD with a count: negative ones let a field come again. */
function randomFields(c: Context): void {
  if (!readPicks(c, 'withvalues')) return;
  const { count, paired } = pickRequest;
  const address = c.readTyped(1, TYPE_HASH);
  if (address === WRONG) return;
  if (address === 0 || count === 0) {
    c.reply.array(0);
    return;
  }
  cursor.start(c.keyspace, address);
  replyPicks(c, cursor, count, paired, paired ? replyPair : replyName);
}

function hscanCommand(c: Context): void {
  const address = scan.begin(c, TYPE_HASH, 'novalues');
  if (address === 0) return;
  cursor.start(c.keyspace, address);
  scan.gather(c, cursor, cursor.field);
  scan.replyHead(c, scan.bare ? scan.count : scan.count * 2);
  for (let i = 0; i < scan.count; i++) {
    cursor.show(scan.refs[i]!);
    if (scan.bare) replyName(c);
    else replyPair(c);
  }
}

export const hashAllCommands = [
  command(
    'hgetall',
    'hash',
    {
      arity: 2,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['hash'],
      tips: ['nondeterministic_output_order'],
      since: '2.0.0',
      complexity: 'O(N) where N is the size of the hash.',
      summary: 'Returns all fields of a hash with their values.',
      syntax: 'key:key',
    },
    hgetallCommand,
  ),
  command(
    'hkeys',
    'hash',
    {
      arity: 2,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['hash'],
      tips: ['nondeterministic_output_order'],
      since: '2.0.0',
      complexity: 'O(N) where N is the size of the hash.',
      summary: 'Returns the names of all fields of a hash.',
      syntax: 'key:key',
    },
    hkeysCommand,
  ),
  command(
    'hrandfield',
    'hash',
    {
      arity: -2,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['hash'],
      tips: ['nondeterministic_output'],
      since: '6.2.0',
      complexity: 'O(N) where N is the number of fields returned',
      summary: 'Returns fields of a hash picked by chance.',
      syntax: 'key:key [options={count:integer [WITHVALUES]}]',
    },
    hrandfieldCommand,
  ),
  command(
    'hscan',
    'hash',
    {
      arity: -3,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['hash'],
      tips: ['nondeterministic_output'],
      since: '2.8.0',
      complexity: SCAN_COMPLEXITY,
      summary: 'Goes over the fields of a hash step by step.',
      syntax:
        'key:key cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [NOVALUES@7.4.0]',
    },
    hscanCommand,
  ),
  command(
    'hvals',
    'hash',
    {
      arity: 2,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['hash'],
      tips: ['nondeterministic_output_order'],
      since: '2.0.0',
      complexity: 'O(N) where N is the size of the hash.',
      summary: 'Returns the values of all fields of a hash.',
      syntax: 'key:key',
    },
    hvalsCommand,
  ),
];
