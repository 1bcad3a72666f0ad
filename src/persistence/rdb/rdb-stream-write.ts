/**
 * Writing streams into an RDB (rdb-stream.ts draws them): all of one at once, and the pieces of
 * which a snapshot makes a large one part by part (snapshot-stream.ts).
 */
import type { Keyspace } from '../../core/keyspace.ts';
import type { Arena } from '../../core/memory/arena.ts';
import { lpBytes } from '../../core/struct/listpack.ts';
import { ENTRIES_READ_UNKNOWN, type StreamGroup } from '../../core/struct/stream-group.ts';
import { StreamId } from '../../core/struct/stream-id.ts';
import type { StreamLog } from '../../core/struct/stream-log.ts';
import { pendingCount, pendingId, pendingTime } from '../../core/struct/stream-pending.ts';
import { latin1Bytes } from '../../core/text/latin1.ts';
import { streamOf } from '../../core/types/stream.ts';
import {
  RDB_STREAM_LISTPACKS,
  RDB_STREAM_LISTPACKS_2,
  RDB_STREAM_LISTPACKS_3,
} from './rdb-format.ts';
import { type FrameWriter, putLength } from './rdb-frame-writer.ts';

export const ID_BYTES = 16;
/** The most that one pending entry takes among those of its group. */
export const PENDING_BYTES_MAX = ID_BYTES + 8 + 9;
const WIDE_LENGTH = 0x81;
const TWO_32 = 0x1_0000_0000;
const UNKNOWN_WORD = 0xffff_ffff;

const id = new StreamId();
const scratch = new Uint8Array(PENDING_BYTES_MAX);

/** What is known of a stream beside its nodes and groups. */
export type StreamFacts = Pick<
  StreamLog,
  'length' | 'lastId' | 'firstId' | 'maxDeletedId' | 'entriesAdded'
>;

/** What is known of a consumer beside what is pending for it. */
export interface ConsumerFacts {
  readonly name: string;
  readonly seenMs: number;
  readonly activeMs: number;
}

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
  writer.length(log.nodeCount);
  for (let i = 0; i < log.nodeCount; i++) {
    emitNode(writer, log.arena, log.nodeFirstId(i, id), log.nodeBlock(i));
  }
  emitFacts(writer, log, version);
  writer.length(log.groups.size);
  for (const name of [...log.groups.keys()].sort()) {
    emitGroup(writer, name, log.groups.get(name)!, version);
  }
}

function emitGroup(writer: FrameWriter, name: string, group: StreamGroup, version: number): void {
  const { arena, pending } = group;
  emitGroupFacts(writer, name, group.lastId, group.entriesRead, version);
  writer.length(pending.size);
  for (let one = pending.first(); one !== 0; one = pending.next()) {
    writer.bytes(scratch, 0, putPending(scratch, 0, arena, one));
  }
  writer.length(group.consumers.size);
  for (const consumerName of group.consumerNames()) {
    const consumer = group.consumers.get(consumerName)!;
    const own = consumer.pending;
    emitConsumerFacts(writer, consumer, version);
    writer.length(own.size);
    for (let one = own.first(); one !== 0; one = own.next()) {
      writer.bytes(scratch, 0, putPendingId(scratch, 0, arena, one));
    }
  }
}

// ---------------------------------------------------------------- the pieces

/** Writes a node, whose first id this is. */
export function emitNode(writer: FrameWriter, arena: Arena, first: StreamId, block: number): void {
  const base = arena.byteOffset(block);
  const bytes = arena.bytes(block);
  const length = lpBytes(bytes, base);
  writer.length(ID_BYTES);
  writer.bytes(scratch, 0, putRawId(scratch, 0, first));
  writer.stringIn(block, bytes, base, length);
}

/** Writes what stands between the nodes and the number of groups. */
export function emitFacts(writer: FrameWriter, facts: StreamFacts, version: number): void {
  writer.length(facts.length);
  emitId(writer, facts.lastId);
  if (version < 10) return;
  emitId(writer, facts.firstId);
  emitId(writer, facts.maxDeletedId);
  writer.length(facts.entriesAdded);
}

/** Writes what stands before the number of a group's pending entries. */
export function emitGroupFacts(
  writer: FrameWriter,
  name: string,
  lastId: StreamId,
  entriesRead: number,
  version: number,
): void {
  emitName(writer, name);
  emitId(writer, lastId);
  if (version < 10) return;
  if (entriesRead === ENTRIES_READ_UNKNOWN) emitWide(writer, UNKNOWN_WORD, UNKNOWN_WORD);
  else writer.length(entriesRead);
}

/** Writes what stands before the number of a consumer's pending entries. */
export function emitConsumerFacts(
  writer: FrameWriter,
  consumer: ConsumerFacts,
  version: number,
): void {
  emitName(writer, consumer.name);
  writer.int64(consumer.seenMs);
  if (version >= 11) writer.int64(consumer.activeMs);
}

/** Puts a pending entry, as it stands among those of its group, at `to[at]`. The end. */
export function putPending(to: Uint8Array, at: number, arena: Arena, address: number): number {
  const timeMs = pendingTime(arena, address);
  let end = putPendingId(to, at, arena, address);
  end = putLittleEndian(to, end, timeMs | 0);
  end = putLittleEndian(to, end, Math.floor(timeMs / TWO_32));
  return putLength(to, end, pendingCount(arena, address));
}

/** Puts a pending entry, as it stands among those of its consumer, at `to[at]`. The end. */
export function putPendingId(to: Uint8Array, at: number, arena: Arena, address: number): number {
  return putRawId(to, at, pendingId(arena, address, id));
}

function putRawId(to: Uint8Array, at: number, of: StreamId): number {
  const end = putBigEndian(to, putBigEndian(to, at, of.msHigh), of.msLow);
  return putBigEndian(to, putBigEndian(to, end, of.seqHigh), of.seqLow);
}

function putBigEndian(to: Uint8Array, at: number, word: number): number {
  for (let i = 0; i < 4; i++) to[at + i] = word >>> (24 - 8 * i);
  return at + 4;
}

function putLittleEndian(to: Uint8Array, at: number, word: number): number {
  for (let i = 0; i < 4; i++) to[at + i] = word >>> (8 * i);
  return at + 4;
}

function emitName(writer: FrameWriter, name: string): void {
  const bytes = latin1Bytes(name);
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
  writer.bytes(scratch, 0, putBigEndian(scratch, putBigEndian(scratch, 0, high), low));
}
