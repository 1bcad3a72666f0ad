/**
 * XSETID: sets the id that a stream gave last, and its counters. An AOF of commands needs it, and a
 * replica of a stream whose newest entries were deleted.
 */
import { StreamId } from '../../core/struct/stream-id.ts';
import type { StreamLog } from '../../core/struct/stream-log.ts';
import { edgeId } from '../../core/struct/stream-trim.ts';
import { command, DENYOOM, FAST, keyAt, WRITE } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { NO_SUCH_KEY, SYNTAX_ERROR } from '../dispatch/errors.ts';
import { keptCount, strictId } from './stream-arguments.ts';
import { changedAside, writeStream } from './stream-shared.ts';

const id = new StreamId();
const maxDeleted = new StreamId();
const top = new StreamId();

const NEGATIVE = 'ERR entries_added must be positive';
const FEWER_THAN_LENGTH =
  'ERR The entries_added specified in XSETID is smaller than the target stream length';

function xsetidCommand(c: Context): void {
  const { reply } = c;
  const entriesAdded = readArguments(c);
  if (Number.isNaN(entriesAdded)) return;
  const log = writeStream(c, 1);
  if (log === undefined) return;
  if (log === null) {
    reply.error(NO_SUCH_KEY);
    return;
  }
  const refusal = refusalOf(log, entriesAdded);
  if (refusal !== null) {
    reply.error(refusal);
    return;
  }
  log.lastId = id;
  if (entriesAdded >= 0) log.entriesAdded = entriesAdded;
  if (!maxDeleted.isZero) log.maxDeletedId = maxDeleted;
  c.ok();
  changedAside(c, 1, 'xsetid');
}

/**
 * Reads the id into `id` and MAXDELETEDID into `maxDeleted`, zero without one. Returns
 * ENTRIESADDED, -1 without it, NaN once an error has been answered.
 */
function readArguments(c: Context): number {
  if (!strictId(c, 2, id)) return Number.NaN;
  let entriesAdded = -1;
  maxDeleted.clear();
  for (let i = 3; i < c.argc; i += 2) {
    const hasValue = i + 1 < c.argc;
    if (hasValue && c.is(i, 'entriesadded')) {
      entriesAdded = keptCount(c, i + 1);
      if (Number.isNaN(entriesAdded)) return Number.NaN;
      if (entriesAdded < 0) return refused(c, NEGATIVE);
    } else if (hasValue && c.is(i, 'maxdeletedid')) {
      if (!strictId(c, i + 1, maxDeleted)) return Number.NaN;
      if (id.compare(maxDeleted) < 0) {
        return refused(c, smallerThan('the provided max_deleted_entry_id'));
      }
    } else {
      return refused(c, SYNTAX_ERROR);
    }
  }
  return entriesAdded;
}

function refused(c: Context, error: string): number {
  c.reply.error(error);
  return Number.NaN;
}

/** Why the stream cannot take what was read; null when it can. */
function refusalOf(log: StreamLog, entriesAdded: number): string | null {
  if (id.compare(log.maxDeletedId) < 0) return smallerThan('current max_deleted_entry_id');
  if (log.length === 0) return null;
  edgeId(log, true, top);
  if (id.compare(top) < 0) return smallerThan('the target stream top item');
  return entriesAdded >= 0 && log.length > entriesAdded ? FEWER_THAN_LENGTH : null;
}

function smallerThan(what: string): string {
  return `ERR The ID specified in XSETID is smaller than ${what}`;
}

export const streamSetidCommands = [
  command(
    'xsetid',
    'stream',
    {
      arity: -3,
      flags: WRITE | DENYOOM | FAST,
      keys: [keyAt(1, 'RW', 'update')],
      acl: ['stream'],
      since: '5.0.0',
      complexity: 'O(1)',
      summary: 'Sets the id that a stream gave last, and its counters.',
      syntax:
        'key:key last-id [ENTRIESADDED entries-added:integer@7.0.0] ' +
        '[MAXDELETEDID max-deleted-id@7.0.0]',
      history: [['7.0.0', 'Options ENTRIESADDED and MAXDELETEDID.']],
    },
    xsetidCommand,
  ),
];
