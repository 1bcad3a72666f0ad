/**
 * The commands that look at lists or cut them: LLEN, LINDEX, LRANGE, LPOS, LTRIM, LREM.
 */
import {
  listChange,
  listDelete,
  listDeleteEqual,
  listLength,
  listShrink,
} from '../../core/types/list.ts';
import { ListCursor } from '../../core/types/list-cursor.ts';
import { TYPE_LIST } from '../../core/value.ts';
import { type Command, command, FAST, keyAt, READONLY, WRITE } from '../dispatch/command.ts';
import { type Context, WRONG } from '../dispatch/context.ts';
import { NOTIFY_GENERIC, NOTIFY_LIST } from '../dispatch/notify-classes.ts';
import { OptionReader } from '../dispatch/option-reader.ts';
import { elementsRemoved, replyElements } from './list-shared.ts';
import { pickCount } from './pick-count.ts';

const ZERO_RANK =
  "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use " +
  'negative to start from the end of the list';
const NEGATIVE_COUNT = "ERR COUNT can't be negative";
const NEGATIVE_MAXLEN = "ERR MAXLEN can't be negative";
/** A rank whose opposite is no 64-bit integer. */
const LOWEST_RANK = '-9223372036854775808';
const BAD_RANK =
  'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807';

const cursor = new ListCursor();
const options = new OptionReader();

function llenCommand(c: Context): void {
  const address = c.readTyped(1, TYPE_LIST);
  if (address !== WRONG) c.reply.integer(address === 0 ? 0 : listLength(c.keyspace, address));
}

function lindexCommand(c: Context): void {
  const address = c.readTyped(1, TYPE_LIST);
  if (address === WRONG) return;
  if (address === 0) {
    c.reply.null();
    return;
  }
  let index = c.integer(2);
  if (Number.isNaN(index)) return;
  const count = listLength(c.keyspace, address);
  if (index < 0) index += count;
  if (index < 0 || index >= count) c.reply.null();
  else replyElements(c, address, index, 1, true);
}

function lrangeCommand(c: Context): void {
  let start = c.integer(2);
  if (Number.isNaN(start)) return;
  let stop = c.integer(3);
  if (Number.isNaN(stop)) return;
  const address = c.readTyped(1, TYPE_LIST);
  if (address === WRONG) return;
  const count = address === 0 ? 0 : listLength(c.keyspace, address);
  if (start < 0) start = Math.max(0, start + count);
  if (stop < 0) stop += count;
  stop = Math.min(stop, count - 1);
  if (start > stop) {
    c.reply.array(0);
    return;
  }
  c.reply.array(stop - start + 1);
  replyElements(c, address, start, stop - start + 1, true);
}

function ltrimCommand(c: Context): void {
  const { args, db, keyspace } = c;
  let start = c.integer(2);
  if (Number.isNaN(start)) return;
  let stop = c.integer(3);
  if (Number.isNaN(stop)) return;
  const address = c.writeTyped(1, TYPE_LIST);
  if (address === WRONG) return;
  c.ok();
  if (address === 0) return;
  const count = listLength(keyspace, address);
  if (start < 0) start = Math.max(0, start + count);
  if (stop < 0) stop += count;
  stop = Math.min(stop, count - 1);
  const emptied = start > stop;
  const removed = emptied ? count : count - (stop - start + 1);
  if (emptied) keyspace.remove(db, address);
  else if (removed > 0) trim(c, address, start, count - 1 - stop);
  keyspace.dirty += removed;
  c.services.keyChanged(db, args.bytes[1]!, args.offsets[1]!, args.lengths[1]!);
  c.notify(1, NOTIFY_LIST, 'ltrim');
  if (emptied) c.notify(1, NOTIFY_GENERIC, 'del');
}

/** Takes so many elements from the head and the tail; some are left. */
function trim(c: Context, address: number, fromHead: number, fromTail: number): void {
  const { db, keyspace } = c;
  let at = address;
  if (fromHead > 0) at = listDelete(keyspace, db, at, 0, fromHead);
  if (fromTail > 0) {
    at = listDelete(keyspace, db, at, listLength(keyspace, at) - fromTail, fromTail);
  }
  listShrink(keyspace, db, at);
}

function lremCommand(c: Context): void {
  const { args, db, keyspace } = c;
  const count = pickCount(c, 2);
  if (Number.isNaN(count)) return;
  const found = c.writeTyped(1, TYPE_LIST);
  if (found === WRONG) return;
  if (found === 0) {
    c.reply.integer(0);
    return;
  }
  const address = listDeleteEqual(
    keyspace,
    db,
    found,
    args.bytes[3]!,
    args.offsets[3]!,
    args.lengths[3]!,
    count === 0 ? Number.POSITIVE_INFINITY : Math.abs(count),
    count < 0,
  );
  const removed = listChange.count;
  if (removed > 0) elementsRemoved(c, 1, address, 'lrem', removed);
  c.reply.integer(removed);
}

/** What LPOS is asked for. */
const search = { rank: 1, count: -1, lengthMax: 0 };

function readSearch(c: Context): boolean {
  search.rank = 1;
  search.count = -1;
  search.lengthMax = 0;
  options.start(c.args, 3);
  while (options.more) {
    if (options.take('rank', 1)) {
      if (options.take(LOWEST_RANK)) options.fail(BAD_RANK);
      else search.rank = options.integer();
      if (search.rank === 0) options.fail(ZERO_RANK);
    } else if (options.take('count', 1)) {
      search.count = options.integer(NEGATIVE_COUNT);
      if (search.count < 0) options.fail(NEGATIVE_COUNT);
    } else if (options.take('maxlen', 1)) {
      search.lengthMax = options.integer(NEGATIVE_MAXLEN);
      if (search.lengthMax < 0) options.fail(NEGATIVE_MAXLEN);
    } else options.fail();
  }
  return !options.refuse(c.reply);
}

function lposCommand(c: Context): void {
  const { reply } = c;
  if (!readSearch(c)) return;
  const address = c.readTyped(1, TYPE_LIST);
  if (address === WRONG) return;
  const isMany = search.count >= 0;
  const most = isMany ? search.count : 1;
  const places = address === 0 ? [] : matches(c, address, most);
  if (isMany) {
    reply.array(places.length);
    for (const place of places) reply.integer(place);
    return;
  }
  const [place] = places;
  if (place === undefined) reply.null();
  else reply.integer(place);
}

/** Indexes of elements equal to argument 2, up to `most` (0: all), as `search` says. */
function matches(c: Context, address: number, most: number): number[] {
  const { bytes, lengths, offsets } = c.args;
  const forward = search.rank > 0;
  const first = Math.abs(search.rank);
  const count = listLength(c.keyspace, address);
  const looked = search.lengthMax === 0 ? count : Math.min(search.lengthMax, count);
  const found: number[] = [];
  let met = 0;
  cursor.start(c.keyspace, address, forward ? 0 : count - 1, forward);
  for (let i = 0; i < looked && cursor.next(); i++) {
    if (!cursor.shows(bytes[2]!, offsets[2]!, lengths[2]!)) continue;
    if (++met < first) continue;
    found.push(forward ? i : count - 1 - i);
    if (found.length === most) break;
  }
  return found;
}

export const listRangeCommands: readonly Command[] = [
  command(
    'lindex',
    'list',
    {
      arity: 3,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['list'],
      since: '1.0.0',
      complexity:
        'O(N) where N is the number of elements to traverse to get to the element at ' +
        'index. This makes asking for the first or the last element of the list O(1).',
      summary: 'Returns the element at an index.',
      syntax: 'key:key index:integer',
    },
    lindexCommand,
  ),
  command(
    'llen',
    'list',
    {
      arity: 2,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO')],
      acl: ['list'],
      since: '1.0.0',
      complexity: 'O(1)',
      summary: 'Counts the elements of a list.',
      syntax: 'key:key',
    },
    llenCommand,
  ),
  command(
    'lpos',
    'list',
    {
      arity: -3,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['list'],
      since: '6.0.6',
      complexity:
        'O(N) where N is the number of elements in the list, for the average case. When ' +
        'searching for elements near the head or the tail of the list, or when the ' +
        'MAXLEN option is provided, the command may run in constant time.',
      summary: 'Returns the indexes of elements that equal a value.',
      syntax:
        'key:key element [RANK rank:integer] [COUNT num-matches:integer] [MAXLEN len:integer]',
    },
    lposCommand,
  ),
  command(
    'lrange',
    'list',
    {
      arity: 4,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['list'],
      since: '1.0.0',
      complexity:
        'O(S+N) where S is the distance of start offset from HEAD for small lists, from ' +
        'nearest end (HEAD or TAIL) for large lists; and N is the number of elements in ' +
        'the specified range.',
      summary: 'Returns the elements between two indexes.',
      syntax: 'key:key start:integer stop:integer',
    },
    lrangeCommand,
  ),
  command(
    'lrem',
    'list',
    {
      arity: 4,
      flags: WRITE,
      keys: [keyAt(1, 'RW', 'delete')],
      acl: ['list'],
      since: '1.0.0',
      complexity:
        'O(N+M) where N is the length of the list and M is the number of elements ' + 'removed.',
      summary: 'Takes out elements that equal a value, from either end on.',
      syntax: 'key:key count:integer element',
    },
    lremCommand,
  ),
  command(
    'ltrim',
    'list',
    {
      arity: 4,
      flags: WRITE,
      keys: [keyAt(1, 'RW', 'delete')],
      acl: ['list'],
      since: '1.0.0',
      complexity: 'O(N) where N is the number of elements to be removed by the operation.',
      summary: 'Keeps only the elements between two indexes.',
      syntax: 'key:key start:integer stop:integer',
    },
    ltrimCommand,
  ),
];
