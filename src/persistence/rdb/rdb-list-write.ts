/**
 * Writing lists into an RDB (rdb-list.ts draws them): all of one at once, and the nodes of which a
 * snapshot makes a long one part by part (snapshot-list.ts).
 */
import type { Keyspace } from '../../core/keyspace.ts';
import type { Arena } from '../../core/memory/arena.ts';
import { DirectoryPath } from '../../core/struct/directory-path.ts';
import { lpCount, lpFirst, lpNext } from '../../core/struct/listpack.ts';
import type { Quicklist } from '../../core/struct/quicklist.ts';
import {
  COMPRESSED_HEAD_BYTES,
  compressedLength,
  NODE_COMPRESSED,
  NODE_PLAIN,
  NodeReader,
} from '../../core/struct/quicklist-node.ts';
import { ElementView } from '../../core/types/element-view.ts';
import { listQuicklist } from '../../core/types/list.ts';
import { LIST_NODE_PACKED, LIST_NODE_PLAIN, RDB_LIST, RDB_LIST_QUICKLIST_2 } from './rdb-format.ts';
import type { FrameWriter } from './rdb-frame-writer.ts';

const NO_BLOCK = 0;

const path = new DirectoryPath();
const shown = new NodeReader();
const element = new ElementView();

/** The type byte under which a list is written. */
export function listTypeByte(version: number): number {
  return version >= 10 ? RDB_LIST_QUICKLIST_2 : RDB_LIST;
}

/** Writes a list as its type byte promises. */
export function emitList(
  keyspace: Keyspace,
  address: number,
  version: number,
  writer: FrameWriter,
): void {
  const list = listQuicklist(keyspace, address);
  if (list !== null) {
    const { directory } = list.nodes;
    emitListLength(list, version, writer);
    for (let found = directory.first(path); found; found = directory.next(path)) {
      emitListNode(keyspace.arena, path, version, writer);
    }
    return;
  }
  const bytes = keyspace.arena.bytes(keyspace.valueBlock(address));
  const offset = keyspace.valueOffset(address);
  if (version < 10) {
    writer.length(lpCount(bytes, offset));
    emitEntries(NO_BLOCK, bytes, offset, writer);
  } else {
    writer.length(1);
    writer.length(LIST_NODE_PACKED);
    writer.string(bytes, offset, keyspace.valueLength(address));
  }
}

/** Writes what stands before the nodes of a quicklist: how many they are, or their elements. */
export function emitListLength(list: Quicklist, version: number, writer: FrameWriter): void {
  writer.length(version < 10 ? list.count : list.nodeCount);
}

/** Writes the node that a path shows. */
export function emitListNode(
  arena: Arena,
  node: DirectoryPath,
  version: number,
  writer: FrameWriter,
): void {
  const isPlain = (node.kind & NODE_PLAIN) !== 0;
  const isCompressed = (node.kind & NODE_COMPRESSED) !== 0;
  if (version >= 10) {
    writer.length(isPlain ? LIST_NODE_PLAIN : LIST_NODE_PACKED);
    if (isCompressed) {
      emitCompressed(arena, node, writer);
      return;
    }
  }
  // What was decompressed to be shown stands in no block.
  const block = isCompressed ? NO_BLOCK : node.address;
  shown.open(arena, node);
  const { base, bytes } = shown;
  if (version < 10 && !isPlain) emitEntries(block, bytes, base, writer);
  else writer.stringIn(block, bytes, base, node.bytes);
}

/** Writes what a compressed node holds as it is kept, whether files are to be compressed or not. */
function emitCompressed(arena: Arena, node: DirectoryPath, writer: FrameWriter): void {
  const { address } = node;
  const from = arena.byteOffset(address) + COMPRESSED_HEAD_BYTES;
  writer.packed(arena.bytes(address), from, compressedLength(arena, address), node.bytes);
}

/** Writes all entries of a listpack, which stands in `block`, as strings. */
function emitEntries(block: number, bytes: Uint8Array, base: number, writer: FrameWriter): void {
  for (let at = lpFirst(bytes, base); at !== 0; at = lpNext(bytes, base, at)) {
    element.showListpack(bytes, base, at);
    writer.stringIn(block, element.bytes, element.offset, element.length);
  }
}
