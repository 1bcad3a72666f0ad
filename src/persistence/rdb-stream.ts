/**
 * Streams in an RDB.
 *
 *     type 15   n, n (first id: 16 bytes as a string, node: a listpack as a string),
 *               length, last id, groups
 *     type 19   adds behind the last id: first id, highest deleted id, entries ever added;
 *               and to a group how many entries it has read
 *     type 21   adds to a consumer when it was active last
 *
 *     groups    n, n (name, last id, [entries read],
 *               pending: n, n (16 bytes id, 8 bytes time, deliveries),
 *               consumers: n, n (name, 8 bytes seen, [8 bytes active], n, n (16 bytes id)))
 *
 * Ids are two lengths unless 16 bytes are said, which are big-endian. Version 9 is written as type
 * 15, 10 as 19, 11 as 21.
 *
 * Bytes from outside are never believed: nodes come in order and are walked whole, what they hold
 * adds up to the length, and every pending entry has one consumer.
 */
import type { Database } from '../core/database.ts';
import type { Keyspace } from '../core/keyspace.ts';
import { copyBytes } from '../core/memory/copy.ts';
import { lpBytes } from '../core/struct/listpack.ts';
import {
  ENTRIES_READ_UNKNOWN,
  NO_CONSUMER,
  type StreamGroup,
} from '../core/struct/stream-group.ts';
import { StreamId } from '../core/struct/stream-id.ts';
import { StreamLog } from '../core/struct/stream-log.ts';
import { nodeLive } from '../core/struct/stream-node.ts';
import {
  type PendingList,
  pendingCount,
  pendingId,
  pendingTime,
} from '../core/struct/stream-pending.ts';
import { entriesUpTo, mendFirstId } from '../core/struct/stream-trim.ts';
import { nodeValid } from '../core/struct/stream-valid.ts';
import { streamOf, streamStore } from '../core/types/stream.ts';
import { ByteView } from '../core/value.ts';
import {
  RDB_STREAM_LISTPACKS,
  RDB_STREAM_LISTPACKS_2,
  RDB_STREAM_LISTPACKS_3,
} from './rdb-format.ts';
import type { FrameWriter } from './rdb-frame-writer.ts';
import type { RdbReader } from './rdb-reader.ts';

const ID_BYTES = 16;
const WIDE_LENGTH = 0x81;
const UINT64_MAX = (1n << 64n) - 1n;

const view = new ByteView();
const id = new StreamId();
const idBytes = new Uint8Array(ID_BYTES);

// ---------------------------------------------------------------- writing

/** The type byte under which a stream is written. */
export function streamTypeByte(version: number): number {
  if (version >= 11) return RDB_STREAM_LISTPACKS_3;
  return version >= 10 ? RDB_STREAM_LISTPACKS_2 : RDB_STREAM_LISTPACKS;
}

/** Writes a stream as its type byte promises. */
export function emitStream(
  keyspace: Keyspace,
  address: number,
  version: number,
  writer: FrameWriter,
): void {
  const log = streamOf(keyspace, address);
  const { arena } = keyspace;
  writer.length(log.nodeCount);
  for (let i = 0; i < log.nodeCount; i++) {
    writer.length(ID_BYTES);
    emitRawId(writer, log.nodeFirstId(i, id));
    const block = log.nodeBlock(i);
    const base = arena.byteOffset(block);
    writer.string(arena.bytes(block), base, lpBytes(arena.bytes(block), base));
  }
  writer.length(log.length);
  emitId(writer, log.lastId);
  if (version >= 10) {
    emitId(writer, log.firstId);
    emitId(writer, log.maxDeletedId);
    writer.length(log.entriesAdded);
  }
  writer.length(log.groups.size);
  for (const name of [...log.groups.keys()].sort()) {
    emitName(writer, name);
    emitGroup(writer, log.groups.get(name)!, version);
  }
}

function emitGroup(writer: FrameWriter, group: StreamGroup, version: number): void {
  const { arena, pending } = group;
  emitId(writer, group.lastId);
  if (version >= 10) {
    if (group.entriesRead === ENTRIES_READ_UNKNOWN) emitWide(writer, 0xffff_ffff, 0xffff_ffff);
    else writer.length(group.entriesRead);
  }
  writer.length(pending.size);
  for (let one = pending.first(); one !== 0; one = pending.next()) {
    emitRawId(writer, pendingId(arena, one, id));
    writer.int64(pendingTime(arena, one));
    writer.length(pendingCount(arena, one));
  }
  writer.length(group.consumers.size);
  for (const name of group.consumerNames()) {
    const consumer = group.consumers.get(name)!;
    emitName(writer, name);
    writer.int64(consumer.seenMs);
    if (version >= 11) writer.int64(consumer.activeMs);
    writer.length(consumer.pending.size);
    emitOwn(writer, group, consumer.pending);
  }
}

function emitOwn(writer: FrameWriter, group: StreamGroup, pending: PendingList): void {
  for (let one = pending.first(); one !== 0; one = pending.next()) {
    emitRawId(writer, pendingId(group.arena, one, id));
  }
}

function emitName(writer: FrameWriter, name: string): void {
  const bytes = Buffer.from(name, 'latin1');
  writer.string(bytes, 0, bytes.length);
}

function emitId(writer: FrameWriter, of: StreamId): void {
  emitNumber(writer, of.msHigh, of.msLow);
  emitNumber(writer, of.seqHigh, of.seqLow);
}

function emitNumber(writer: FrameWriter, high: number, low: number): void {
  if (high === 0) writer.length(low);
  else emitWide(writer, high, low);
}

function emitWide(writer: FrameWriter, high: number, low: number): void {
  writer.byte(WIDE_LENGTH);
  for (const word of [high, low]) {
    for (let shift = 24; shift >= 0; shift -= 8) writer.byte((word >>> shift) & 255);
  }
}

function emitRawId(writer: FrameWriter, of: StreamId): void {
  const words = [of.msHigh, of.msLow, of.seqHigh, of.seqLow];
  for (let i = 0; i < ID_BYTES; i++) idBytes[i] = words[i >> 2]! >>> (24 - 8 * (i & 3));
  writer.bytes(idBytes, 0, ID_BYTES);
}

// ---------------------------------------------------------------- reading

/**
 * Reads a stream of one of the types above and stores it under a key that does not exist. Returns
 * the entry's address.
 */
export function decodeStream(
  keyspace: Keyspace,
  reader: RdbReader,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
  type: number,
): number {
  const log = new StreamLog(keyspace.arena);
  try {
    readNodes(reader, log);
    readFacts(reader, log, type);
    const groups = reader.length();
    for (let i = 0; i < groups; i++) readGroup(reader, log, type);
  } catch (error) {
    while (log.release(Number.POSITIVE_INFINITY));
    throw error;
  }
  return streamStore(keyspace, db, key, offset, length, log);
}

function readNodes(reader: RdbReader, log: StreamLog): void {
  const { arena } = log;
  const before = new StreamId();
  const nodes = reader.length();
  for (let i = 0; i < nodes; i++) {
    reader.string(view);
    if (view.length !== ID_BYTES) throw reader.fail('a node of a stream whose id is not 16 bytes');
    showId(view.bytes, view.offset, id);
    if (i > 0 && id.compare(before) <= 0) throw reader.fail('nodes of a stream out of order');
    before.copy(id);
    reader.string(view);
    const { bytes, length, offset } = view;
    if (!nodeValid(bytes, offset, length)) throw reader.fail('a damaged node of a stream');
    const block = arena.alloc(length);
    copyBytes(bytes, offset, arena.bytes(block), arena.byteOffset(block), length);
    log.pushNode(id, block);
    log.length += nodeLive(bytes, offset);
  }
}

function readFacts(reader: RdbReader, log: StreamLog, type: number): void {
  const length = reader.length();
  if (length !== log.length) {
    throw reader.fail(`a stream of ${length} entries whose nodes hold ${log.length}`);
  }
  readId(reader, log.lastId);
  if (type === RDB_STREAM_LISTPACKS) {
    log.entriesAdded = length;
    mendFirstId(log);
    return;
  }
  readId(reader, log.firstId);
  readId(reader, log.maxDeletedId);
  log.entriesAdded = keptCount(reader.wideLength());
}

function readGroup(reader: RdbReader, log: StreamLog, type: number): void {
  const name = readName(reader);
  readId(reader, id);
  let entriesRead = entriesUpTo(log, id);
  if (type !== RDB_STREAM_LISTPACKS) {
    const read = reader.wideLength();
    entriesRead = read === UINT64_MAX ? ENTRIES_READ_UNKNOWN : keptCount(read);
  }
  const group = log.addGroup(name, id, entriesRead);
  if (group === null) throw reader.fail('a group twice in a stream');
  const pending = reader.length();
  for (let i = 0; i < pending; i++) {
    readRawId(reader);
    const timeMs = reader.int64();
    const count = keptCount(reader.wideLength());
    if (group.pending.find(id) !== 0) throw reader.fail('an entry pending twice in a group');
    group.addPending(id, null, timeMs, count);
  }
  const consumers = reader.length();
  for (let i = 0; i < consumers; i++) readConsumer(reader, group, type);
  const owned = [...group.consumers.values()].reduce((sum, one) => sum + one.pending.size, 0);
  if (owned !== pending) throw reader.fail('an entry of a stream that is pending for nobody');
}

function readConsumer(reader: RdbReader, group: StreamGroup, type: number): void {
  const name = readName(reader);
  if (group.consumers.has(name)) throw reader.fail('a consumer twice in a group');
  const consumer = group.addConsumer(name, reader.int64());
  const isNew = type === RDB_STREAM_LISTPACKS_3;
  consumer.activeMs = isNew ? reader.int64() : consumer.seenMs;
  const pending = reader.length();
  for (let i = 0; i < pending; i++) {
    readRawId(reader);
    const address = group.pending.find(id);
    if (address === 0) throw reader.fail('an entry pending for a consumer and not for its group');
    if (group.slotOf(address) !== NO_CONSUMER) {
      throw reader.fail('an entry pending for two consumers');
    }
    group.movePending(address, consumer);
  }
}

/** A count, which is kept up to 2^53 - 1. */
function keptCount(count: bigint): number {
  return Math.min(Number(count), Number.MAX_SAFE_INTEGER);
}

function readName(reader: RdbReader): string {
  reader.string(view);
  const { buffer, byteOffset } = view.bytes;
  return Buffer.from(buffer, byteOffset + view.offset, view.length).toString('latin1');
}

function readId(reader: RdbReader, to: StreamId): void {
  const ms = reader.wideLength();
  to.setBig(ms, reader.wideLength());
}

function readRawId(reader: RdbReader): void {
  reader.need(ID_BYTES);
  showId(reader.buf, reader.at, id);
  reader.at += ID_BYTES;
}

function showId(bytes: Uint8Array, offset: number, to: StreamId): void {
  const words = new DataView(bytes.buffer, bytes.byteOffset + offset, ID_BYTES);
  to.set(words.getUint32(0), words.getUint32(4), words.getUint32(8), words.getUint32(12));
}
