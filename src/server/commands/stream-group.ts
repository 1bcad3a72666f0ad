/** Consumer groups: XGROUP and its subcommands. */
import { ENTRIES_READ_UNKNOWN, type StreamGroup } from '../../core/struct/stream-group.ts';
import { StreamId } from '../../core/struct/stream-id.ts';
import type { StreamLog } from '../../core/struct/stream-log.ts';
import { streamCreate } from '../../core/types/stream.ts';
import { type Command, command, DENYOOM, keyAt, WRITE } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { wrongSubcommand } from '../dispatch/errors.ts';
import { NOTIFY_NEW } from '../dispatch/notify-classes.ts';
import { helpSubcommand, replyOwnHelp } from './help.ts';
import { keptCount, looseId, strictId } from './stream-arguments.ts';
import { changedAside, consumerFor, writeStream } from './stream-shared.ts';

const id = new StreamId();

const NEEDS_KEY =
  'ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use ' +
  'the MKSTREAM option to create an empty stream automatically.';

interface GroupOptions {
  makesStream: boolean;
  entriesRead: number;
}

/** The options from argument 5 on; null when there was an error, which has been answered. */
function readGroupOptions(c: Context, isCreate: boolean): GroupOptions | null {
  const to: GroupOptions = { makesStream: false, entriesRead: ENTRIES_READ_UNKNOWN };
  for (let i = 5; i < c.argc; i++) {
    if (isCreate && c.is(i, 'mkstream')) to.makesStream = true;
    else if (c.is(i, 'entriesread') && i + 1 < c.argc) {
      to.entriesRead = keptCount(c, ++i);
      if (Number.isNaN(to.entriesRead)) return null;
      if (to.entriesRead < 0 && to.entriesRead !== ENTRIES_READ_UNKNOWN) {
        c.reply.error('ERR value for ENTRIESREAD must be positive or -1');
        return null;
      }
    } else {
      c.reply.error(wrongSubcommand('XGROUP', c.args.shown(1)));
      return null;
    }
  }
  return to;
}

/** The stream in argument 2; null when there is none, or none of its type, which was answered. */
function existing(c: Context): StreamLog | null {
  const log = writeStream(c, 2);
  if (log === null) c.reply.error(NEEDS_KEY);
  return log ?? null;
}

/** The group in argument 3; null when there is none, which has been answered. */
function existingGroup(c: Context, log: StreamLog): StreamGroup | null {
  const group = log.groups.get(c.args.text(3));
  if (group !== undefined) return group;
  const [key, name] = [c.args.shown(2), c.args.shown(3)];
  c.reply.error(`NOGROUP No such consumer group '${name}' for key name '${key}'`);
  return null;
}

function xgroupCreateCommand(c: Context): void {
  const { args } = c;
  const options = readGroupOptions(c, true);
  if (options === null) return;
  let log = writeStream(c, 2);
  if (log === undefined) return;
  if (log === null && !options.makesStream) {
    c.reply.error(NEEDS_KEY);
    return;
  }
  if (c.args.shown(4) === '$') {
    if (log === null) id.clear();
    else id.copy(log.lastId);
  } else if (!strictId(c, 4, id)) return;
  if (log === null) {
    log = streamCreate(c.keyspace, c.db, args.bytes[2]!, args.offsets[2]!, args.lengths[2]!);
    c.notify(2, NOTIFY_NEW, 'new');
    c.services.keyChanged(c.db, args.bytes[2]!, args.offsets[2]!, args.lengths[2]!);
  }
  if (log.addGroup(args.text(3), id, options.entriesRead) === null) {
    c.reply.error('BUSYGROUP Consumer Group name already exists');
    return;
  }
  c.ok();
  changedAside(c, 2, 'xgroup-create');
}

function xgroupSetidCommand(c: Context): void {
  const options = readGroupOptions(c, false);
  if (options === null) return;
  const log = existing(c);
  if (log === null) return;
  const group = existingGroup(c, log);
  if (group === null) return;
  if (c.args.shown(4) === '$') id.copy(log.lastId);
  else if (!looseId(c, 4, id)) return;
  group.lastId.copy(id);
  group.entriesRead = options.entriesRead;
  c.ok();
  changedAside(c, 2, 'xgroup-setid');
}

function xgroupDestroyCommand(c: Context): void {
  const { args } = c;
  const log = existing(c);
  if (log === null) return;
  const isGone = log.removeGroup(args.text(3), c.keyspace);
  if (isGone) {
    changedAside(c, 2, 'xgroup-destroy');
    // Its readers who wait are told.
    c.services.blocking.signal(c.db.id, args.bytes[2]!, args.offsets[2]!, args.lengths[2]!);
  }
  c.reply.integer(isGone ? 1 : 0);
}

function xgroupCreateconsumerCommand(c: Context): void {
  const log = existing(c);
  if (log === null) return;
  const group = existingGroup(c, log);
  if (group === null) return;
  const isThere = group.consumers.has(c.args.text(4));
  if (!isThere) consumerFor(c, group, 4, 2);
  c.reply.integer(isThere ? 0 : 1);
}

function xgroupDelconsumerCommand(c: Context): void {
  const log = existing(c);
  if (log === null) return;
  const group = existingGroup(c, log);
  if (group === null) return;
  const consumer = group.consumers.get(c.args.text(4));
  if (consumer === undefined) {
    c.reply.integer(0);
    return;
  }
  const pending = consumer.pending.size;
  group.removeConsumer(consumer);
  changedAside(c, 2, 'xgroup-delconsumer');
  c.reply.integer(pending);
}

// ---------------------------------------------------------------- specifications

const ID = 'id-selector=(id|new-id="$")';
const READ = '[ENTRIESREAD entriesread~entries-read:integer]';

const subcommands: readonly Command[] = [
  command(
    'xgroup|create',
    'stream',
    {
      arity: -5,
      flags: WRITE | DENYOOM,
      keys: [keyAt(2, 'RW', 'insert')],
      acl: ['stream'],
      since: '5.0.0',
      complexity: 'O(1)',
      summary: 'Makes a consumer group.',
      syntax: `key:key group ${ID} [MKSTREAM] ${READ}`,
      history: [['7.0.0', 'Option ENTRIESREAD.']],
    },
    xgroupCreateCommand,
  ),
  command(
    'xgroup|createconsumer',
    'stream',
    {
      arity: 5,
      flags: WRITE | DENYOOM,
      keys: [keyAt(2, 'RW', 'insert')],
      acl: ['stream'],
      since: '6.2.0',
      complexity: 'O(1)',
      summary: 'Makes a consumer in a group.',
      syntax: 'key:key group consumer',
    },
    xgroupCreateconsumerCommand,
  ),
  command(
    'xgroup|delconsumer',
    'stream',
    {
      arity: 5,
      flags: WRITE,
      keys: [keyAt(2, 'RW', 'delete')],
      acl: ['stream'],
      since: '5.0.0',
      complexity: 'O(1)',
      summary: 'Removes a consumer and returns how many entries were pending for it.',
      syntax: 'key:key group consumer',
    },
    xgroupDelconsumerCommand,
  ),
  command(
    'xgroup|destroy',
    'stream',
    {
      arity: 4,
      flags: WRITE,
      keys: [keyAt(2, 'RW', 'delete')],
      acl: ['stream'],
      since: '5.0.0',
      complexity: 'O(N) with N the pending entries of the group',
      summary: 'Removes a consumer group.',
      syntax: 'key:key group',
    },
    xgroupDestroyCommand,
  ),
  helpSubcommand('xgroup', 'stream', { acl: ['stream'], since: '5.0.0' }),
  command(
    'xgroup|setid',
    'stream',
    {
      arity: -5,
      flags: WRITE,
      keys: [keyAt(2, 'RW', 'update')],
      acl: ['stream'],
      since: '5.0.0',
      complexity: 'O(1)',
      summary: 'Sets the id that a group was given last.',
      syntax: `key:key group ${ID} ${READ}`,
      history: [['7.0.0', 'Option ENTRIESREAD.']],
    },
    xgroupSetidCommand,
  ),
];

export const streamGroupCommands = [
  command(
    'xgroup',
    'stream',
    {
      arity: -2,
      flags: 0,
      since: '5.0.0',
      complexity: 'Depends on subcommand.',
      summary: 'Manages consumer groups.',
      subcommands,
    },
    replyOwnHelp,
  ),
];
