/**
 * OBJECT: what the server knows of a key beside its value.
 */
import { lfuDecayed, lruIdleSeconds } from '../../core/usage.ts';
import { ENC_INT, encodingName, encodingOf } from '../../core/value.ts';
import { command, keyAt, READONLY } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { helpSubcommand, replyHelp } from './help.ts';

/** What REFCOUNT answers for the integers that Redis keeps once for all keys. */
const SHARED_REFCOUNT = 2147483647;
const SHARED_MAX = 10_000;

const SWITCHING =
  'Please note that when switching between policies at runtime LRU and LFU data will take some ' +
  'time to adjust.';
const IS_LFU = `ERR An LFU maxmemory policy is selected, idle time not tracked. ${SWITCHING}`;
const NOT_COUNTED = 'An LFU maxmemory policy is not selected, access frequency not tracked.';
const IS_NOT_LFU = `ERR ${NOT_COUNTED} ${SWITCHING}`;

/** Address of the key in argument 2, 0 when there is none: then null has been answered. */
function find(c: Context): number {
  const { args, keyspace } = c;
  const bytes = args.bytes[2]!;
  const address = keyspace.lookupInspect(c.db, bytes, args.offsets[2]!, args.lengths[2]!);
  if (address === 0) c.reply.null();
  return address;
}

function encodingCommand(c: Context): void {
  const address = find(c);
  if (address !== 0) c.reply.bulkText(encodingName(encodingOf(c.keyspace.arena, address)));
}

function refcountCommand(c: Context): void {
  const address = find(c);
  if (address !== 0) c.reply.integer(refcountOf(c, address));
}

/** Nothing is shared here; small integers answer as they do where they are. */
export function refcountOf(c: Context, address: number): number {
  return looksShared(c, address) ? SHARED_REFCOUNT : 1;
}

function looksShared(c: Context, address: number): boolean {
  const { arena } = c.keyspace;
  const { maxmemory, maxmemoryPolicy } = c.services.config.values;
  if (encodingOf(arena, address) !== ENC_INT) return false;
  if (maxmemory > 0 && /-l[rf]u$/.test(maxmemoryPolicy)) return false;
  const words = arena.words(address);
  const at = arena.wordOffset(address);
  return words[at + 3] === 0 && words[at + 2]! < SHARED_MAX;
}

function idletimeCommand(c: Context): void {
  const { keyspace, reply } = c;
  const address = find(c);
  if (address === 0) return;
  if (keyspace.lfu) reply.error(IS_LFU);
  else reply.integer(lruIdleSeconds(keyspace.usageOf(address), keyspace.lruClock));
}

function freqCommand(c: Context): void {
  const { keyspace, reply } = c;
  const address = find(c);
  if (address === 0) return;
  if (!keyspace.lfu) reply.error(IS_NOT_LFU);
  else {
    const usage = keyspace.usageOf(address);
    reply.integer(lfuDecayed(usage, keyspace.nowMs, keyspace.lfuDecayTime));
  }
}

function helpCommand(c: Context): void {
  replyHelp(c, 'OBJECT', [
    ['ENCODING <key>', 'How the value is kept in memory.'],
    ['FREQ <key>', 'How often the key was used lately, as a logarithm.'],
    ['IDLETIME <key>', 'Seconds since the last use of the key.'],
    ['REFCOUNT <key>', 'How many keys share the value.'],
  ]);
}

const question = {
  arity: 3,
  flags: READONLY,
  keys: [keyAt(2, 'RO')],
  acl: ['keyspace'],
  tips: ['nondeterministic_output'],
  complexity: 'O(1)',
  syntax: 'key:key',
};

const objectSubcommands = [
  command(
    'object|encoding',
    'generic',
    { ...question, since: '2.2.3', summary: 'Names how a value is kept in memory.' },
    encodingCommand,
  ),
  command(
    'object|freq',
    'generic',
    { ...question, since: '4.0.0', summary: 'Returns how often a key was used lately.' },
    freqCommand,
  ),
  helpSubcommand('object', 'generic', { acl: ['keyspace'], since: '6.2.0' }, helpCommand),
  command(
    'object|idletime',
    'generic',
    { ...question, since: '2.2.3', summary: 'Returns the seconds since a key was last used.' },
    idletimeCommand,
  ),
  command(
    'object|refcount',
    'generic',
    { ...question, since: '2.2.3', summary: 'Returns how many keys share a value.' },
    refcountCommand,
  ),
];

export const objectCommands = [
  command(
    'object',
    'generic',
    {
      arity: -2,
      flags: 0,
      since: '2.2.3',
      complexity: 'Depends on the subcommand',
      summary: 'Tells what the server knows of a key beside its value.',
      subcommands: objectSubcommands,
    },
    helpCommand,
  ),
];
