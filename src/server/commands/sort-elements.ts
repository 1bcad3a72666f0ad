/**
 * What SORT sorts: the elements of a list or a set, the members of a sorted set, or a part of them.
 *
 * A list and a sorted set have an order of their own. Where that is kept (BY without an
 * asterisk), DESC reverses it, and only the part that is asked for is read.
 */
import { listLength } from '../../core/types/list.ts';
import { ListCursor } from '../../core/types/list-cursor.ts';
import { SetCursor } from '../../core/types/set-view.ts';
import { zsetLength } from '../../core/types/zset.ts';
import { ZsetCursor } from '../../core/types/zset-view.ts';
import { TYPE_LIST, TYPE_SET, TYPE_ZSET, typeOf } from '../../core/value.ts';
import type { Context } from '../dispatch/context.ts';
import { SortItems } from './sort-order.ts';

/** The arrays for so many elements are kept from one SORT to the next. */
const KEPT_ROOM = 1024;

let kept: SortItems | null = null;
const lists = new ListCursor();
const sets = new SetCursor();
const zsets = new ZsetCursor();

/** Whether the key at `address` can be sorted; one that does not exist can. */
export function isSortable(c: Context, address: number): boolean {
  if (address === 0) return true;
  const type = typeOf(c.keyspace.arena, address);
  return type === TYPE_LIST || type === TYPE_SET || type === TYPE_ZSET;
}

/** Whether the key holds a set, which has no order. */
export function isSet(c: Context, address: number): boolean {
  return address !== 0 && typeOf(c.keyspace.arena, address) === TYPE_SET;
}

export function elementCount(c: Context, address: number): number {
  if (address === 0) return 0;
  const { keyspace } = c;
  const type = typeOf(keyspace.arena, address);
  if (type === TYPE_LIST) return listLength(keyspace, address);
  if (type === TYPE_ZSET) return zsetLength(keyspace, address);
  sets.start(keyspace, address);
  return sets.count;
}

function emptyItems(count: number): SortItems {
  if (count > KEPT_ROOM) return new SortItems(count);
  kept ??= new SortItems(KEPT_ROOM);
  kept.clear();
  return kept;
}

/**
 * Copies of `count` elements from index `start` on, backward when `reverse`; of a set, which has no
 * index, from its first member on and never backward. They are good until the next call.
 */
export function elementsOf(
  c: Context,
  address: number,
  start: number,
  count: number,
  reverse: boolean,
): SortItems {
  const { keyspace } = c;
  const items = emptyItems(count);
  if (count === 0) return items;
  const type = typeOf(keyspace.arena, address);
  if (type === TYPE_LIST) {
    const from = reverse ? listLength(keyspace, address) - 1 - start : start;
    lists.start(keyspace, address, from, !reverse);
    while (items.count < count && lists.next()) items.push(lists.element);
  } else if (type === TYPE_ZSET) {
    const rank = reverse ? zsetLength(keyspace, address) - 1 - start : start;
    zsets.startAt(keyspace, address, rank, reverse);
    while (items.count < count && zsets.next()) items.push(zsets.member);
  } else {
    sets.start(keyspace, address);
    for (let i = 0; i < start; i++) sets.next();
    while (items.count < count && sets.next()) items.push(sets.member);
  }
  return items;
}
