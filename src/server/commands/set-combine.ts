/**
 * The commands on several sets: SINTER, SINTERCARD, SINTERSTORE, SUNION, SUNIONSTORE, SDIFF,
 * SDIFFSTORE. What they compute is in set-algebra.ts.
 *
 * All sources are looked up, and their types judged, before anything else. A STORE puts its result
 * in place of whatever its destination holds, which may be one of the sources; where nothing
 * results the destination is removed.
 */
import { SetBuilder } from '../../core/types/set-builder.ts';
import { SetCursor, type SetView } from '../../core/types/set-view.ts';
import {
  command,
  DENYOOM,
  keyAt,
  keysCounted,
  keysFrom,
  MOVABLE_KEYS,
  READONLY,
  WRITE,
} from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { SYNTAX_ERROR } from '../dispatch/errors.ts';
import { NOTIFY_NEW, NOTIFY_SET } from '../dispatch/notify-classes.ts';
import { OptionReader } from '../dispatch/option-reader.ts';
import {
  addKept,
  intersect,
  kept,
  sourcesOf,
  subtract,
  subtractInto,
  unite,
} from './set-algebra.ts';

const cursor = new SetCursor();
const builder = new SetBuilder();
const options = new OptionReader();

function sinterCommand(c: Context): void {
  const sources = sourcesOf(c, 1, c.argc);
  if (sources === null) return;
  replyKept(c, intersect(sources, Number.POSITIVE_INFINITY));
}

function sinterstoreCommand(c: Context): void {
  const sources = sourcesOf(c, 2, c.argc);
  if (sources === null) return;
  const view = intersect(sources, Number.POSITIVE_INFINITY);
  builder.start(c.keyspace);
  if (view !== null) addKept(builder, view);
  storeBuilt(c, 'sinterstore');
}

function sintercardCommand(c: Context): void {
  const { argc } = c;
  const noKeys = 'ERR numkeys should be greater than 0';
  const keys = c.integerIn(1, 1, Number.POSITIVE_INFINITY, noKeys);
  if (Number.isNaN(keys)) return;
  if (keys > argc - 2) {
    c.reply.error("ERR Number of keys can't be greater than number of args");
    return;
  }
  let limit = 0;
  options.start(c.args, 2 + keys);
  while (options.more) {
    if (!options.take('limit', 1)) {
      c.reply.error(SYNTAX_ERROR);
      return;
    }
    const i = options.index();
    limit = c.integerIn(i, 0, Number.POSITIVE_INFINITY, "ERR LIMIT can't be negative");
    if (Number.isNaN(limit)) return;
  }
  const sources = sourcesOf(c, 2, 2 + keys);
  if (sources === null) return;
  intersect(sources, limit === 0 ? Number.POSITIVE_INFINITY : limit);
  c.reply.integer(kept.count);
}

function sdiffCommand(c: Context): void {
  const sources = sourcesOf(c, 1, c.argc);
  if (sources !== null) replyKept(c, subtract(sources));
}

function sdiffstoreCommand(c: Context): void {
  const sources = sourcesOf(c, 2, c.argc);
  if (sources === null) return;
  subtractInto(c, builder, sources);
  storeBuilt(c, 'sdiffstore');
}

function sunionCommand(c: Context): void {
  const sources = sourcesOf(c, 1, c.argc);
  if (sources === null) return;
  const present = sources.filter((one) => one.address !== 0);
  const [first] = present;
  const single = present.every((one) => one.address === first?.address);
  if (single) {
    replyAll(c, first?.view ?? null);
    return;
  }
  unite(c, builder, present);
  replyAll(c, builder.view);
  builder.discard();
}

function sunionstoreCommand(c: Context): void {
  const sources = sourcesOf(c, 2, c.argc);
  if (sources === null) return;
  unite(c, builder, sources);
  storeBuilt(c, 'sunionstore');
}

function replyMember(c: Context): void {
  const { bytes, length, offset } = cursor.member;
  c.reply.bulk(bytes, offset, length);
}

function replyAll(c: Context, view: SetView | null): void {
  if (view === null) {
    c.reply.set(0);
    return;
  }
  cursor.startView(view);
  c.reply.set(cursor.count);
  while (cursor.next()) replyMember(c);
}

/** Answers the members that were kept of a set. */
function replyKept(c: Context, view: SetView | null): void {
  c.reply.set(kept.count);
  if (view === null) return;
  cursor.startView(view);
  for (let i = 0; i < kept.count; i++) {
    cursor.show(kept.refs[i]!);
    replyMember(c);
  }
}

/** Stores what was built under the key in argument 1, whatever that held; nothing deletes it. */
function storeBuilt(c: Context, event: string): void {
  const { bytes, lengths, offsets } = c.args;
  const { count } = builder;
  c.reply.integer(count);
  if (count === 0) {
    c.storeNothing(1);
    return;
  }
  const existing = c.lookupWrite(1);
  builder.store(c.db, bytes[1]!, offsets[1]!, lengths[1]!, existing);
  if (existing === 0) c.notify(1, NOTIFY_NEW, 'new');
  c.changed(1, NOTIFY_SET, event);
}

const ALL_ELEMENTS = 'O(N) where N is the total number of elements in all given sets.';
const SMALLEST_IN_ALL =
  'O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.';

export const setCombineCommands = [
  command(
    'sdiff',
    'set',
    {
      arity: -2,
      flags: READONLY,
      keys: [keysFrom(1, -1, 1, 'RO', 'access')],
      acl: ['set'],
      tips: ['nondeterministic_output_order'],
      since: '1.0.0',
      complexity: ALL_ELEMENTS,
      summary: 'Returns the members of a set that no other has.',
      syntax: 'key:key...',
    },
    sdiffCommand,
  ),
  command(
    'sdiffstore',
    'set',
    {
      arity: -3,
      flags: WRITE | DENYOOM,
      keys: [keyAt(1, 'OW', 'update'), keysFrom(2, -1, 1, 'RO', 'access')],
      acl: ['set'],
      since: '1.0.0',
      complexity: ALL_ELEMENTS,
      summary: 'Stores the members of a set that no other has.',
      syntax: 'destination:key key:key...',
    },
    sdiffstoreCommand,
  ),
  command(
    'sinter',
    'set',
    {
      arity: -2,
      flags: READONLY,
      keys: [keysFrom(1, -1, 1, 'RO', 'access')],
      acl: ['set'],
      tips: ['nondeterministic_output_order'],
      since: '1.0.0',
      complexity: SMALLEST_IN_ALL,
      summary: 'Returns the members that all sets have.',
      syntax: 'key:key...',
    },
    sinterCommand,
  ),
  command(
    'sintercard',
    'set',
    {
      arity: -3,
      flags: READONLY | MOVABLE_KEYS,
      keys: [keysCounted(1, 'RO', 'access')],
      acl: ['set'],
      since: '7.0.0',
      complexity: SMALLEST_IN_ALL,
      summary: 'Counts the members that all sets have.',
      syntax: 'numkeys:integer key:key... [LIMIT limit:integer]',
    },
    sintercardCommand,
  ),
  command(
    'sinterstore',
    'set',
    {
      arity: -3,
      flags: WRITE | DENYOOM,
      keys: [keyAt(1, 'OW', 'update'), keysFrom(2, -1, 1, 'RO', 'access')],
      acl: ['set'],
      since: '1.0.0',
      complexity: SMALLEST_IN_ALL,
      summary: 'Stores the members that all sets have.',
      syntax: 'destination:key key:key...',
    },
    sinterstoreCommand,
  ),
  command(
    'sunion',
    'set',
    {
      arity: -2,
      flags: READONLY,
      keys: [keysFrom(1, -1, 1, 'RO', 'access')],
      acl: ['set'],
      tips: ['nondeterministic_output_order'],
      since: '1.0.0',
      complexity: ALL_ELEMENTS,
      summary: 'Returns the members that any of the sets has.',
      syntax: 'key:key...',
    },
    sunionCommand,
  ),
  command(
    'sunionstore',
    'set',
    {
      arity: -3,
      flags: WRITE | DENYOOM,
      keys: [keyAt(1, 'OW', 'update'), keysFrom(2, -1, 1, 'RO', 'access')],
      acl: ['set'],
      since: '1.0.0',
      complexity: ALL_ELEMENTS,
      summary: 'Stores the members that any of the sets has.',
      syntax: 'destination:key key:key...',
    },
    sunionstoreCommand,
  ),
];
