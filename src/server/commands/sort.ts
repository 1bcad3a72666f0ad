/**
 * SORT and SORT_RO: the elements of a list, a set or a zset in order, or what stands at keys that
 * are derived from them.
 *
 *     SORT ids BY weight_* LIMIT 0 10 GET # GET object_*->name DESC STORE result
 *
 *     1  options, then the key: its type, its elements (sort-elements.ts)
 *     2  what each is compared by (sort-pattern.ts), and the order (sort-order.ts)
 *     3  the part that LIMIT asks for, answered, or stored as a list in place of whatever was there
 *
 * A BY pattern without an asterisk leaves the elements in the order they have. A set has none: for
 * STORE its members are then sorted as text, so that a replica comes to the same list.
 *
 * Keys that BY and GET derive are in no key specification. A user whose rules do not let him read
 * every key may not use them.
 */
import { Quicklist } from '../../core/struct/quicklist.ts';
import { ElementView } from '../../core/types/element-view.ts';
import { listStore } from '../../core/types/list.ts';
import { ByteView } from '../../core/value.ts';
import {
  command,
  DENYOOM,
  type KeyArgs,
  type KeySpec,
  keyAt,
  MOVABLE_KEYS,
  READONLY,
  WRITE,
} from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { WRONG_TYPE } from '../dispatch/errors.ts';
import { NOTIFY_LIST, NOTIFY_NEW } from '../dispatch/notify-classes.ts';
import { OptionReader } from '../dispatch/option-reader.ts';
import { elementCount, elementsOf, isSet, isSortable } from './sort-elements.ts';
import { type SortItems, sortNumber } from './sort-order.ts';
import { SortPattern } from './sort-pattern.ts';

const NOT_A_SCORE = "ERR One or more scores can't be converted into double";
const options = new OptionReader();
const shown = new ByteView();
const value = new ElementView();

/** What a command asks for. */
interface SortRequest {
  isText: boolean;
  isDescending: boolean;
  /** Whether the order is left as it is. */
  keepsOrder: boolean;
  by: SortPattern | null;
  readonly get: SortPattern[];
  limitStart: number;
  /** Negative: all. */
  limitCount: number;
  /** Argument that is the destination, 0 for none. */
  storeAt: number;
}

/** The options, or null when they are refused, which has been answered. */
function readOptions(c: Context, mayStore: boolean): SortRequest | null {
  const request: SortRequest = {
    isText: false,
    isDescending: false,
    keepsOrder: false,
    by: null,
    get: [],
    limitStart: 0,
    limitCount: -1,
    storeAt: 0,
  };
  options.start(c.args, 2);
  while (options.more) {
    if (options.take('asc')) request.isDescending = false;
    else if (options.take('desc')) request.isDescending = true;
    else if (options.take('alpha')) request.isText = true;
    else if (options.take('limit', 2)) {
      request.limitStart = options.integer();
      request.limitCount = options.integer();
    } else if (mayStore && options.take('store', 1)) request.storeAt = options.index();
    else if (options.take('by', 1)) {
      request.by = new SortPattern(c.args.copy(options.index()));
      if (!request.by.hasAsterisk) request.keepsOrder = true;
      else checkAccess(c, 'BY');
    } else if (options.take('get', 1)) {
      request.get.push(new SortPattern(c.args.copy(options.index())));
      checkAccess(c, 'GET');
    } else options.fail();
  }
  return options.refuse(c.reply) ? null : request;
}

function checkAccess(c: Context, option: string): void {
  const { user } = c.client;
  if (user === null || user.mayReadAnyKey(c.command, c.args)) return;
  options.fail(`ERR ${option} option of SORT denied due to insufficient ACL permissions.`);
}

function sortCommand(c: Context): void {
  sort(c, true);
}

function sortRoCommand(c: Context): void {
  sort(c, false);
}

function sort(c: Context, mayStore: boolean): void {
  const request = readOptions(c, mayStore);
  if (request === null) return;
  const address = c.lookupRead(1);
  if (!isSortable(c, address)) {
    c.reply.error(WRONG_TYPE);
    return;
  }
  if (request.keepsOrder && request.storeAt > 0 && isSet(c, address)) {
    request.keepsOrder = false;
    request.isText = true;
    request.by = null;
  }
  const total = elementCount(c, address);
  const start = Math.min(Math.max(request.limitStart, 0), total);
  const { limitCount } = request;
  const count = limitCount < 0 ? total - start : Math.min(limitCount, total - start);
  if (request.keepsOrder) {
    const reverse = request.isDescending && !isSet(c, address);
    finish(c, request, elementsOf(c, address, start, count, reverse), 0, count);
    return;
  }
  const items = elementsOf(c, address, 0, total, false);
  if (!weigh(c, request, items)) {
    c.reply.error(NOT_A_SCORE);
    return;
  }
  if (request.by === null || count === total) items.sort(request.isDescending);
  else items.sortPart(request.isDescending, start, start + count - 1);
  finish(c, request, items, start, count);
}

/** Finds what the items are compared by; false when that should be numbers and one is none. */
function weigh(c: Context, request: SortRequest, items: SortItems): boolean {
  const { by, isText } = request;
  if (by === null && !isText) return items.weighElements();
  let isValid = true;
  for (let item = 0; by !== null && item < items.count; item++) {
    items.show(item, shown);
    const isFound = by.find(c, shown, value);
    if (isText) items.setText(item, isFound ? value : null);
    else if (isFound) {
      const score = sortNumber(value.bytes, value.offset, value.length);
      items.setScore(item, score);
      if (Number.isNaN(score)) isValid = false;
    }
  }
  if (isText) items.weighTexts(request.storeAt === 0);
  return isValid;
}

/** Answers or stores `count` elements from rank `start` on. */
function finish(
  c: Context,
  request: SortRequest,
  items: SortItems,
  start: number,
  count: number,
): void {
  if (request.storeAt === 0) reply(c, request, items, start, count);
  else store(c, request, items, start, count);
}

function reply(
  c: Context,
  request: SortRequest,
  items: SortItems,
  start: number,
  count: number,
): void {
  const { get } = request;
  c.reply.array(count * Math.max(get.length, 1));
  for (let rank = start; rank < start + count; rank++) {
    items.show(rank, shown);
    if (get.length === 0) c.reply.bulk(shown.bytes, shown.offset, shown.length);
    for (const pattern of get) {
      if (pattern.find(c, shown, value)) c.reply.bulk(value.bytes, value.offset, value.length);
      else c.reply.null();
    }
  }
}

/** Stores a list in place of what the destination holds; where nothing results it is removed. */
function store(
  c: Context,
  request: SortRequest,
  items: SortItems,
  start: number,
  count: number,
): void {
  const { db, keyspace } = c;
  const { get, storeAt } = request;
  const stored = count * Math.max(get.length, 1);
  c.reply.integer(stored);
  if (count === 0) {
    c.storeNothing(storeAt);
    return;
  }
  const list = listOf(c, get, items, start, count);
  const existing = c.lookupWrite(storeAt);
  if (existing !== 0) keyspace.remove(db, existing);
  const { bytes, lengths, offsets } = c.args;
  listStore(keyspace, db, bytes[storeAt]!, offsets[storeAt]!, lengths[storeAt]!, list);
  if (existing === 0) c.notify(storeAt, NOTIFY_NEW, 'new');
  c.changed(storeAt, NOTIFY_LIST, 'sortstore');
  keyspace.dirty += stored - 1;
}

/** A list of the elements, or of what GET finds for each; the empty text where there is nothing. */
function listOf(
  c: Context,
  get: readonly SortPattern[],
  items: SortItems,
  start: number,
  count: number,
): Quicklist {
  const { keyspace } = c;
  const list = new Quicklist(keyspace.arena, keyspace.limits);
  for (let rank = start; rank < start + count; rank++) {
    items.show(rank, shown);
    if (get.length === 0) list.push(shown.bytes, shown.offset, shown.length, false);
    for (const pattern of get) {
      if (!pattern.find(c, shown, value)) value.length = 0;
      list.push(value.bytes, value.offset, value.length, false);
    }
  }
  return list;
}

/** Arguments that stand behind an option and are none themselves. */
const VALUES: readonly (readonly [string, number])[] = [
  ['limit', 2],
  ['get', 1],
  ['by', 1],
];

/** The key, and the destination that the last STORE names. */
function sortKeys(args: KeyArgs): number[] {
  let storeAt = 0;
  for (let i = 2; i < args.count; i++) {
    const option = VALUES.find(([word]) => args.is(i, word));
    if (option !== undefined) i += option[1];
    else if (args.is(i, 'store') && i + 1 < args.count) storeAt = i + 1;
  }
  return storeAt === 0 ? [1] : [1, storeAt];
}

function unknownKeys(notes: string, ...flags: string[]): KeySpec {
  return { begin: { kind: 'unknown' }, range: { kind: 'unknown' }, flags, notes };
}

const byAndGet = unknownKeys(
  "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the " +
    'content of the key we sort',
  'RO',
  'access',
);
const stored = unknownKeys(
  "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear " +
    'anywhere in the argument array',
  'OW',
  'update',
);
const complexity =
  'O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number ' +
  'of returned elements. When the elements are not sorted, complexity is O(N).';
const syntax =
  'key:key [BY by-pattern~pattern:pattern#1] [LIMIT limit={offset:integer count:integer}] ' +
  '[GET... get-pattern~pattern:pattern#1] [order=(ASC|DESC)] [sorting=ALPHA]';

export const sortCommands = [
  command(
    'sort',
    'generic',
    {
      arity: -2,
      flags: WRITE | DENYOOM | MOVABLE_KEYS,
      keys: [keyAt(1, 'RO', 'access'), byAndGet, stored],
      keysOf: sortKeys,
      acl: ['set', 'sortedset', 'list', 'dangerous'],
      since: '1.0.0',
      complexity,
      summary: 'Sorts the elements of a list, a set or a sorted set; the result may be stored.',
      syntax: `${syntax} [STORE destination:key#2]`,
    },
    sortCommand,
  ),
  command(
    'sort_ro',
    'generic',
    {
      arity: -2,
      flags: READONLY | MOVABLE_KEYS,
      keys: [keyAt(1, 'RO', 'access'), byAndGet],
      keysOf: () => [1],
      acl: ['set', 'sortedset', 'list', 'dangerous'],
      since: '7.0.0',
      complexity,
      summary: 'Sorts the elements of a list, a set or a sorted set, without STORE.',
      syntax,
    },
    sortRoCommand,
  ),
];
