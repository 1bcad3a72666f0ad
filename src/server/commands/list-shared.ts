/**
 * What the list commands share: what follows when elements have been added or have gone, and
 * elements as a reply.
 */
import { listCreate, listGrow, listLength, listShrink } from '../../core/types/list.ts';
import { ListCursor } from '../../core/types/list-cursor.ts';
import { listReply } from '../../core/types/list-reply.ts';
import type { Context } from '../dispatch/context.ts';
import { NOTIFY_GENERIC, NOTIFY_LIST, NOTIFY_NEW } from '../dispatch/notify-classes.ts';

const cursor = new ListCursor();

/**
 * Prepares the list at `address` (0: the key in argument `i` does not exist) for `count` elements
 * of `bytes` bytes together, which are added next. Returns its address.
 */
export function listForPush(
  c: Context,
  i: number,
  address: number,
  bytes: number,
  count: number,
): number {
  const { args, db, keyspace } = c;
  if (address !== 0) return listGrow(keyspace, db, address, bytes, count);
  const key = args.bytes[i]!;
  const created = listCreate(keyspace, db, key, args.offsets[i]!, args.lengths[i]!, bytes, count);
  c.notify(i, NOTIFY_NEW, 'new');
  return created;
}

/** `count` elements were taken from the list in argument `i`, by an event; an empty list goes. */
export function elementsRemoved(
  c: Context,
  i: number,
  address: number,
  event: string,
  count: number,
): void {
  const { db, keyspace } = c;
  const emptied = listLength(keyspace, address) === 0;
  if (emptied) keyspace.remove(db, address);
  else listShrink(keyspace, db, address);
  keyspace.dirty += count - 1;
  c.changed(i, NOTIFY_LIST, event);
  if (emptied) c.notify(i, NOTIFY_GENERIC, 'del');
}

/** Answers `count` elements from index `from` on, as bulk strings. */
export function replyElements(
  c: Context,
  address: number,
  from: number,
  count: number,
  forward: boolean,
): void {
  const { reply } = c;
  const { element } = cursor;
  if (forward) {
    listReply(reply, c.keyspace, address, from, count);
    return;
  }
  cursor.start(c.keyspace, address, from, forward);
  for (let i = 0; i < count && cursor.next(); i++) {
    reply.bulk(element.bytes, element.offset, element.length);
  }
}
