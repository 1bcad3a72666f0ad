/**
 * The commands on the entries of a stream: XADD, XLEN, XRANGE, XREVRANGE, XDEL, XTRIM.
 *
 * XADD is written with the id that it gave, and trimming as exactly as it turned out, so that
 * whoever repeats it comes to the same stream.
 */
import { StreamId } from '../../core/struct/stream-id.ts';
import type { StreamLog } from '../../core/struct/stream-log.ts';
import { mendFirstId, streamTrim } from '../../core/struct/stream-trim.ts';
import { streamCreate } from '../../core/types/stream.ts';
import { command, DENYOOM, FAST, keyAt, READONLY, WRITE } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { SYNTAX_ERROR, wrongArity } from '../dispatch/errors.ts';
import { NOTIFY_NEW, NOTIFY_STREAM } from '../dispatch/notify-classes.ts';
import { rangeEnd, rangeStart, readTrim, strictId, TrimOptions } from './stream-arguments.ts';
import { readStream, replyId, replyRange, touched, writeId, writeStream } from './stream-shared.ts';

const options = new TrimOptions();
const id = new StreamId();
const from = new StreamId();
const to = new StreamId();
const edge = new StreamId();

const TOO_SMALL =
  'ERR The ID specified in XADD is equal or smaller than the target stream top item';

// ---------------------------------------------------------------- adding

function xaddCommand(c: Context): void {
  const { args, keyspace, reply } = c;
  const idAt = readTrim(c, options, true);
  if (idAt < 0) return;
  const first = idAt + 1;
  const words = c.argc - first;
  if (words < 2 || words % 2 === 1) {
    reply.error(wrongArity('xadd'));
    return;
  }
  if (options.hasId && options.hasSeq && options.id.isZero) {
    reply.error('ERR The ID specified in XADD must be greater than 0-0');
    return;
  }
  let log = writeStream(c, 1);
  if (log === undefined) return;
  if (log === null) {
    if (options.noStream) {
      reply.null();
      return;
    }
    log = streamCreate(keyspace, c.db, args.bytes[1]!, args.offsets[1]!, args.lengths[1]!);
    c.notify(1, NOTIFY_NEW, 'new');
  }
  if (log.lastId.isMax) {
    const text = 'The stream has exhausted the last possible ID, unable to add more items';
    reply.error(`ERR ${text}`);
    return;
  }
  if (!nextId(c, log)) {
    reply.error(TOO_SMALL);
    return;
  }
  const { streamNodeMaxBytes, streamNodeMaxEntries } = keyspace.limits;
  if (!log.append(id, args, first, words / 2, streamNodeMaxBytes, streamNodeMaxEntries)) {
    reply.error('ERR Elements are too large to be stored');
    return;
  }
  replyId(c, id);
  c.changed(1, NOTIFY_STREAM, 'xadd');
  if (options.given && streamTrim(log, options) > 0) c.notify(1, NOTIFY_STREAM, 'xtrim');
  const isGiven = options.hasId && options.hasSeq;
  if (!isGiven || (options.given && options.approximate)) writeExact(c, log, isGiven ? 0 : idAt);
}

/** Sets `id` to that of the entry to be added. False when it is not behind all others. */
function nextId(c: Context, log: StreamLog): boolean {
  const { lastId } = log;
  if (!options.hasId) {
    id.setTime(c.keyspace.nowMs);
    if (id.compare(lastId) <= 0) id.copy(lastId).increment();
    return true;
  }
  id.copy(options.id);
  if (!options.hasSeq && id.sameMs(lastId)) {
    if (lastId.isLastOfMs) return false;
    id.copy(lastId).increment();
  }
  return id.compare(lastId) > 0;
}

/** Writes the command with what it left to the server; `idAt` is 0 where no id was left to it. */
function writeExact(c: Context, log: StreamLog, idAt: number): void {
  const { args, propagator } = c;
  propagator.suppress();
  if (!propagator.begin(c.db.id, args.count)) return;
  const trims = options.given && options.approximate;
  for (let i = 0; i < args.count; i++) {
    if (i !== 0 && i === idAt) writeId(c, id);
    else if (trims && i === options.valueAt - 1) propagator.word('=');
    else if (trims && i === options.valueAt) writeThreshold(c, log);
    else propagator.argument(args, i);
  }
}

function writeThreshold(c: Context, log: StreamLog): void {
  if (options.byLength) {
    c.propagator.number(log.length);
    return;
  }
  // Of the first node, which may begin with an entry that is deleted; what nothing is left of here
  // is to be emptied there too.
  if (log.nodeCount > 0) log.nodeFirstId(0, edge);
  else edge.setMax();
  writeId(c, edge);
}

// ---------------------------------------------------------------- looking

function xlenCommand(c: Context): void {
  const log = readStream(c, 1);
  if (log !== undefined) c.reply.integer(log === null ? 0 : log.length);
}

function xrangeCommand(c: Context): void {
  range(c, 2, 3, false);
}

function xrevrangeCommand(c: Context): void {
  range(c, 3, 2, true);
}

function range(c: Context, startAt: number, endAt: number, reverse: boolean): void {
  if (!rangeStart(c, startAt, from) || !rangeEnd(c, endAt, to)) return;
  let count = -1;
  for (let i = 4; i < c.argc; i += 2) {
    if (!c.is(i, 'count') || i + 1 >= c.argc) {
      c.reply.error(SYNTAX_ERROR);
      return;
    }
    count = c.integer(i + 1);
    if (Number.isNaN(count)) return;
    count = Math.max(count, 0);
  }
  const log = readStream(c, 1);
  if (log === undefined) return;
  if (log === null) c.reply.array(0);
  else if (count === 0) c.reply.nullArray();
  else replyRange(c, log, from, to, Math.max(count, 0), reverse);
}

// ---------------------------------------------------------------- removing

function xdelCommand(c: Context): void {
  const log = writeStream(c, 1);
  if (log === undefined) return;
  if (log === null) {
    c.reply.integer(0);
    return;
  }
  for (let i = 2; i < c.argc; i++) if (!strictId(c, i, id)) return;
  let gone = 0;
  let first = false;
  for (let i = 2; i < c.argc; i++) {
    strictId(c, i, id);
    if (!log.remove(id)) continue;
    if (id.compare(log.firstId) === 0) first = true;
    if (id.compare(log.maxDeletedId) > 0) log.maxDeletedId = id;
    gone++;
  }
  if (gone > 0) {
    if (first || log.length === 0) mendFirstId(log);
    touched(c, 1, 'xdel');
    c.keyspace.dirty += gone;
  }
  c.reply.integer(gone);
}

function xtrimCommand(c: Context): void {
  if (readTrim(c, options, false) < 0) return;
  const log = writeStream(c, 1);
  if (log === undefined) return;
  const gone = log === null ? 0 : streamTrim(log, options);
  if (log !== null && gone > 0) {
    touched(c, 1, 'xtrim');
    c.keyspace.dirty += gone;
    if (options.approximate) writeExact(c, log, 0);
  }
  c.reply.integer(gone);
}

// ---------------------------------------------------------------- specifications

const TRIM =
  'trim={strategy=(MAXLEN|MINID@6.2.0) [operator=(equal="="|approximately="~")] threshold ' +
  '[LIMIT count:integer@6.2.0]}';

const xadd = command(
  'xadd',
  'stream',
  {
    arity: -5,
    flags: WRITE | DENYOOM | FAST,
    keys: [
      {
        ...keyAt(1, 'RW', 'update'),
        notes: 'UPDATE instead of INSERT because of the optional trimming feature',
      },
    ],
    acl: ['stream'],
    tips: ['nondeterministic_output'],
    since: '5.0.0',
    complexity: 'O(1), and O(N) with N the entries trimmed',
    summary: 'Appends an entry to a stream, which it makes when there is none.',
    syntax:
      `key:key [NOMKSTREAM@6.2.0] [${TRIM}] id-selector=(auto-id="*"|id) ` +
      'data={field value}...',
    history: [
      ['6.2.0', 'Options NOMKSTREAM, MINID and LIMIT.'],
      ['7.0.0', 'Ids whose number is left to the server: `<ms>-*`.'],
    ],
  },
  xaddCommand,
);

const changing = [
  command(
    'xdel',
    'stream',
    {
      arity: -3,
      flags: WRITE | FAST,
      keys: [keyAt(1, 'RW', 'delete')],
      acl: ['stream'],
      since: '5.0.0',
      complexity: 'O(1) for each entry',
      summary: 'Deletes entries by their ids and returns how many there were.',
      syntax: 'key:key id...',
    },
    xdelCommand,
  ),
  command(
    'xtrim',
    'stream',
    {
      arity: -4,
      flags: WRITE,
      keys: [keyAt(1, 'RW', 'delete')],
      acl: ['stream'],
      tips: ['nondeterministic_output'],
      since: '5.0.0',
      complexity: 'O(N) with N the entries trimmed, most of them in whole nodes',
      summary: 'Removes entries from the beginning of a stream.',
      syntax: `key:key ${TRIM}`,
      history: [['6.2.0', 'Options MINID and LIMIT.']],
    },
    xtrimCommand,
  ),
];

const ranges = {
  arity: -4,
  flags: READONLY,
  keys: [keyAt(1, 'RO', 'access')],
  acl: ['stream'],
  since: '5.0.0',
  complexity: 'O(log S + N) with N the entries returned and S those of the stream',
  history: [['6.2.0', 'Exclusive ends.']],
} as const;

export const streamCommands = [
  xadd,
  ...changing,
  command(
    'xlen',
    'stream',
    {
      arity: 2,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO')],
      acl: ['stream'],
      since: '5.0.0',
      complexity: 'O(1)',
      summary: 'Returns the number of entries of a stream.',
      syntax: 'key:key',
    },
    xlenCommand,
  ),
  command(
    'xrange',
    'stream',
    {
      ...ranges,
      summary: 'Returns the entries between two ids.',
      syntax: 'key:key start end [COUNT count:integer]',
    },
    xrangeCommand,
  ),
  command(
    'xrevrange',
    'stream',
    {
      ...ranges,
      summary: 'Returns the entries between two ids, the last ones first.',
      syntax: 'key:key end start [COUNT count:integer]',
    },
    xrevrangeCommand,
  ),
];
