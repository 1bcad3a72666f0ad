/**
 * The commands on a part of a string: APPEND, GETRANGE, SUBSTR, SETRANGE.
 */
import { copyBytes } from '../../core/memory/copy.ts';
import {
  stringAddZeroes,
  stringAppend,
  stringLength,
  stringResize,
  stringSet,
  stringView,
} from '../../core/types/string.ts';
import { ByteView } from '../../core/value.ts';
import { command, DENYOOM, FAST, keyAt, READONLY, WRITE } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { NOTIFY_NEW, NOTIFY_STRING } from '../dispatch/notify-classes.ts';
import { mayGrow } from './string-limit.ts';

const view = new ByteView();

function appendCommand(c: Context): void {
  const { keyspace, db } = c;
  const { bytes, offsets, lengths } = c.args;
  const address = c.writeString(1);
  if (address < 0) return;
  const value = bytes[2]!;
  const from = offsets[2]!;
  const length = lengths[2]!;
  if (address === 0) {
    stringSet(keyspace, db, bytes[1]!, offsets[1]!, lengths[1]!, 0, value, from, length, false);
    c.notify(1, NOTIFY_NEW, 'new');
    c.changed(1, NOTIFY_STRING, 'append');
    c.reply.integer(length);
    return;
  }
  const old = stringLength(keyspace, address);
  if (!mayGrow(c, old, old + length)) return;
  stringAppend(keyspace, db, address, value, from, length);
  c.changed(1, NOTIFY_STRING, 'append');
  c.reply.integer(old + length);
}

export function getrangeCommand(c: Context): void {
  let start = c.integer(2);
  if (Number.isNaN(start)) return;
  let end = c.integer(3);
  if (Number.isNaN(end)) return;
  const address = c.readString(1);
  if (address < 0) return;
  let length = 0;
  if (address > 0) {
    stringView(c.keyspace, address, view);
    length = view.length;
  }
  const isBackward = start < 0 && end < 0 && start > end;
  if (start < 0) start = Math.max(length + start, 0);
  if (end < 0) end = Math.max(length + end, 0);
  if (end >= length) end = length - 1;
  if (isBackward || start > end) c.reply.bulk(view.bytes, 0, 0);
  else c.reply.bulk(view.bytes, view.offset + start, end - start + 1);
}

function setrangeCommand(c: Context): void {
  const { keyspace, db } = c;
  const { bytes, offsets, lengths } = c.args;
  const offset = c.integer(2);
  if (Number.isNaN(offset)) return;
  if (offset < 0) {
    c.reply.error('ERR offset is out of range');
    return;
  }
  const address = c.writeString(1);
  if (address < 0) return;
  const old = address === 0 ? 0 : stringLength(keyspace, address);
  const end = offset + lengths[3]!;
  if (lengths[3] === 0) {
    c.reply.integer(old);
    return;
  }
  if (!mayGrow(c, old, end)) return;
  if (address === 0) {
    stringAddZeroes(keyspace, db, bytes[1]!, offsets[1]!, lengths[1]!, end, view);
    c.notify(1, NOTIFY_NEW, 'new');
  } else stringResize(keyspace, db, address, Math.max(old, end), view);
  copyBytes(bytes[3]!, offsets[3]!, view.bytes, view.offset + offset, lengths[3]!);
  c.changed(1, NOTIFY_STRING, 'setrange');
  c.reply.integer(view.length);
}

const part = {
  arity: 4,
  flags: READONLY,
  keys: [keyAt(1, 'RO', 'access')],
  acl: ['string'],
  complexity: 'O(N) with N the number of bytes returned',
  summary: 'Returns a part of the string at a key.',
  syntax: 'key:key start:integer end:integer',
};

export const stringRangeCommands = [
  command(
    'append',
    'string',
    {
      arity: 3,
      flags: WRITE | DENYOOM | FAST,
      keys: [keyAt(1, 'RW', 'insert')],
      acl: ['string'],
      since: '2.0.0',
      complexity: 'O(1), amortized: room for growth is kept',
      summary: 'Adds bytes to the end of the string at a key.',
      syntax: 'key:key value',
    },
    appendCommand,
  ),
  command('getrange', 'string', { ...part, since: '2.4.0' }, getrangeCommand),
  command(
    'setrange',
    'string',
    {
      arity: 4,
      flags: WRITE | DENYOOM,
      keys: [keyAt(1, 'RW', 'update')],
      acl: ['string'],
      since: '2.2.0',
      complexity: 'O(M) with M the length of the value',
      summary: 'Overwrites a part of the string at a key.',
      syntax: 'key:key offset:integer value',
    },
    setrangeCommand,
  ),
  command(
    'substr',
    'string',
    { ...part, since: '1.0.0', deprecated: { since: '2.0.0', replacedBy: '`GETRANGE`' } },
    getrangeCommand,
  ),
];
