/**
 * GET, SET and the other commands that read or store a whole string.
 */
import { stringSet, stringView } from '../../core/types/string.ts';
import { ByteView } from '../../core/value.ts';
import { command, DENYOOM, FAST, keyAt, READONLY, WRITE } from '../command.ts';
import type { Context } from '../context.ts';

const view = new ByteView();

export function getCommand(c: Context): void {
  const address = c.readString(1);
  if (address > 0) {
    stringView(c.keyspace, address, view);
    c.reply.bulk(view.bytes, view.offset, view.length);
  } else if (address === 0) c.reply.null();
}

export function setCommand(c: Context): void {
  const { args } = c;
  const existing = c.lookupWrite(1);
  stringSet(
    c.keyspace,
    c.db,
    args.bytes[1]!,
    args.offsets[1]!,
    args.lengths[1]!,
    existing,
    args.bytes[2]!,
    args.offsets[2]!,
    args.lengths[2]!,
    false,
  );
  c.changed(1, 8, 'set');
  c.ok();
}

export const stringBasicCommands = [
  command(
    'get',
    'string',
    {
      arity: 2,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['string'],
      since: '1.0.0',
      complexity: 'O(1)',
      summary: 'Returns the value of a key.',
      syntax: 'key',
    },
    getCommand,
  ),
  command(
    'set',
    'string',
    {
      arity: -3,
      flags: WRITE | DENYOOM,
      keys: [keyAt(1, 'RW', 'access', 'update', 'variable_flags')],
      acl: ['string'],
      since: '1.0.0',
      complexity: 'O(1)',
      summary: 'Stores a string.',
      syntax: 'key value',
    },
    setCommand,
  ),
  command(
    'ping',
    'connection',
    { arity: -1, flags: FAST, since: '1.0.0', complexity: 'O(1)', summary: 'Answers.', syntax: '' },
    (c) => c.reply.simple('PONG'),
  ),
];
