/**
 * Elements of a list as a reply, and the one at an end taken out while it is answered: in one look
 * at the list, where a cursor and `listDelete` would each find the place anew.
 */
import type { Database } from '../database.ts';
import type { Keyspace } from '../keyspace.ts';
import type { Reply } from '../resp/reply.ts';
import { DirectoryPath } from '../struct/directory-path.ts';
import { LP_HEAD_BYTES, lpBytes, lpDelete, lpLast, lpSeek } from '../struct/listpack.ts';
import type { Quicklist } from '../struct/quicklist.ts';
import { NODE_COMPRESSED, NODE_PLAIN, NodeReader } from '../struct/quicklist-node.ts';
import { listDelete, listLength, listQuicklist } from './list.ts';
import { replyEntries, replyEntry } from './listpack-reply.ts';

const walk = new DirectoryPath();
const reader = new NodeReader();

/** Answers `count` elements, which there are, from index `from` on. */
export function listReply(
  reply: Reply,
  keyspace: Keyspace,
  address: number,
  from: number,
  count: number,
): void {
  const list = listQuicklist(keyspace, address);
  if (list !== null) {
    replyNodes(reply, list, from, count);
    return;
  }
  const { arena } = keyspace;
  const block = keyspace.valueBlock(address);
  const bytes = arena.bytes(block);
  const base = keyspace.valueOffset(address);
  replyEntries(reply, arena, block, bytes, base, lpSeek(bytes, base, from), count);
}

function replyNodes(reply: Reply, list: Quicklist, from: number, count: number): void {
  const { arena } = list;
  const { directory } = list.nodes;
  let within = directory.seek(walk, from);
  let left = count;
  for (;;) {
    reader.open(arena, walk);
    const { base, bytes } = reader;
    if ((walk.kind & NODE_PLAIN) !== 0) {
      reply.bulk(bytes, base, walk.bytes);
      left--;
    } else {
      const block = (walk.kind & NODE_COMPRESSED) !== 0 ? 0 : walk.address;
      const at = within === 0 ? LP_HEAD_BYTES : lpSeek(bytes, base, within);
      left -= replyEntries(reply, arena, block, bytes, base, at, left);
    }
    if (left === 0 || !directory.next(walk)) return;
    within = 0;
  }
}

/** Answers the element at one end and takes it out. Returns the list's address. */
export function listPop(
  reply: Reply,
  keyspace: Keyspace,
  db: Database,
  address: number,
  atHead: boolean,
): number {
  const { arena } = keyspace;
  const list = listQuicklist(keyspace, address);
  if (list === null) {
    const bytes = arena.bytes(keyspace.valueBlock(address));
    const base = keyspace.valueOffset(address);
    const at = atHead ? LP_HEAD_BYTES : lpLast(bytes, base);
    replyEntry(reply, bytes, base, at);
    lpDelete(bytes, base, at, 1);
    return keyspace.resizeValue(db, address, lpBytes(bytes, base), 0);
  }
  const end = list.openEnd(atHead);
  if (end === null) {
    const index = atHead ? 0 : listLength(keyspace, address) - 1;
    listReply(reply, keyspace, address, index, 1);
    return listDelete(keyspace, db, address, index, 1);
  }
  const at = end.entryAt(atHead);
  replyEntry(reply, end.bytes, 0, at);
  list.nodes.ends.pop(end, at, atHead);
  return address;
}
