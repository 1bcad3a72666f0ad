/**
 * A large stream that is written while it goes on changing.
 *
 *     start   the directory of its nodes is copied, and what is known of the stream, its groups and
 *             consumers; all nodes and all pending entries are held
 *     walk    nodes, facts, then group after group: what is pending for it, and for each consumer
 *     change  a held node is changed in a copy of its block, like one of a list (snapshot-list.ts);
 *             a held pending entry is written first, like the fields of a table
 *
 * Of what is pending, the number stands in front and the order is free. So whoever is about to
 * change a pending entry has it put aside for the two places where it belongs, that of its group
 * and that of its consumer; the walk leaves it out there and takes what was put aside at the end:
 *
 *     group    n [ those that the walk found unchanged ][ aside ]
 *     consumer n [ those that the walk found unchanged ][ aside ]
 *
 * Marks in the pending entries say which of the two were written; what is pending since the start
 * has both marks from the beginning.
 *
 * A change costs the copy of one node or 49 bytes; `start` some ten nanoseconds and twenty bytes a
 * node, and one small object a consumer.
 */
import type { LargeValue } from '../../core/keyspace.ts';
import { RECORD_WORDS } from '../../core/struct/stream-directory.ts';
import type { PendingKeeper, StreamConsumer, StreamGroup } from '../../core/struct/stream-group.ts';
import { StreamId } from '../../core/struct/stream-id.ts';
import type { StreamKeeper, StreamLog } from '../../core/struct/stream-log.ts';
import {
  type PendingList,
  pendingId,
  pendingMarks,
  pendingSetMarks,
} from '../../core/struct/stream-pending.ts';
import type { FrameWriter } from '../rdb/rdb-frame-writer.ts';
import {
  type ConsumerFacts,
  emitConsumerFacts,
  emitFacts,
  emitGroupFacts,
  emitNode,
  PENDING_BYTES_MAX,
  putPending,
  putPendingId,
  type StreamFacts,
} from '../rdb/rdb-stream-write.ts';
import type { PartsSnapshot } from './snapshot-table.ts';

/** What one step of the walk writes at least, if there is as much. */
const STEP_BYTES = 1 << 14;
const ASIDE_BYTES_MIN = 256;
/** What a consumer counts for in a step, beside what is pending for it. */
const CONSUMER_BYTES = 64;
const LOW_MARK = 0xffff;
const HIGH_MARK = 0xffff_0000;

const record = new Uint8Array(PENDING_BYTES_MAX);

/** Pending entries of one place in the file: how many it says there are, and those put aside. */
class Pending {
  readonly count: number;
  #found = 0;
  #aside = new Uint8Array(0);
  #end = 0;
  #written = 0;

  constructor(count: number) {
    this.count = count;
  }

  /** Counts one of them as written or put aside. */
  note(): void {
    this.#found++;
  }

  /** Puts one of the consumers or nodes aside. */
  add(bytes: Uint8Array, length: number): void {
    if (this.#end + length > this.#aside.length) {
      const grown = new Uint8Array(Math.max(this.#aside.length * 2, ASIDE_BYTES_MIN));
      grown.set(this.#aside);
      this.#aside = grown;
    }
    for (let i = 0; i < length; i++) this.#aside[this.#end++] = bytes[i]!;
    this.note();
  }

  /** Writes some of what was put aside; false when that was all. */
  flush(writer: FrameWriter): boolean {
    const piece = Math.min(this.#end - this.#written, STEP_BYTES);
    writer.bytes(this.#aside, this.#written, piece);
    this.#written += piece;
    if (this.#written < this.#end) return true;
    this.#aside = new Uint8Array(0);
    if (this.#found !== this.count) throw new Error('a pending entry of a stream was left out');
    return false;
  }
}

interface ConsumerPart extends ConsumerFacts {
  readonly consumer: StreamConsumer;
  readonly pending: Pending;
}

interface GroupPart {
  readonly group: StreamGroup;
  readonly name: string;
  readonly lastId: StreamId;
  readonly entriesRead: number;
  readonly pending: Pending;
  readonly consumers: readonly ConsumerPart[];
  /** The stream has given the group up: it is to be released here. */
  isLeft: boolean;
}

export class StreamSnapshot implements PartsSnapshot, StreamKeeper, PendingKeeper {
  readonly value: StreamLog;
  writer: FrameWriter;
  isTakenOver = false;
  readonly #version: number;
  readonly #release: (value: LargeValue) => void;
  readonly #records: Uint32Array;
  readonly #left = new Set<number>();
  readonly #facts: StreamFacts;
  readonly #groups: readonly GroupPart[];
  readonly #pending = new Map<StreamConsumer | StreamGroup, Pending>();
  readonly #steps: Iterator<void>;
  /** Words of the directory whose nodes were written. */
  #nextWord = 0;
  /** Bytes, about, that the present step has written. */
  #stepBytes = 0;
  readonly #first = new StreamId();

  /** The stream as it is now; it is held until `close`. `release` takes what it has given up. */
  constructor(
    log: StreamLog,
    version: number,
    writer: FrameWriter,
    release: (value: LargeValue) => void,
  ) {
    this.value = log;
    this.writer = writer;
    this.#version = version;
    this.#release = release;
    this.#records = log.records();
    this.#facts = {
      length: log.length,
      lastId: new StreamId().copy(log.lastId),
      firstId: new StreamId().copy(log.firstId),
      maxDeletedId: new StreamId().copy(log.maxDeletedId),
      entriesAdded: log.entriesAdded,
    };
    this.#groups = [...log.groups.keys()]
      .sort()
      .map((name) => this.#groupPart(name, log.groups.get(name)!));
    this.#steps = this.#write();
    log.keeper = this;
  }

  #groupPart(name: string, group: StreamGroup): GroupPart {
    group.nextMark(this);
    const consumers = group.consumerNames().map((of) => {
      const consumer = group.consumers.get(of)!;
      const { seenMs, activeMs } = consumer;
      const pending = new Pending(consumer.pending.size);
      const part: ConsumerPart = { consumer, name: of, seenMs, activeMs, pending };
      this.#pending.set(consumer, pending);
      return part;
    });
    const part: GroupPart = {
      group,
      name,
      lastId: new StreamId().copy(group.lastId),
      entriesRead: group.entriesRead,
      pending: new Pending(group.pending.size),
      consumers,
      isLeft: false,
    };
    this.#pending.set(group, part.pending);
    return part;
  }

  // ---------------------------------------------------------------- changes

  holds(id: StreamId, block: number): boolean {
    const records = this.#records;
    let low = this.#nextWord / RECORD_WORDS;
    let high = records.length / RECORD_WORDS;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.#firstIdAt(middle * RECORD_WORDS).compare(id);
      if (order === 0) return records[middle * RECORD_WORDS + 4] === block;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return false;
  }

  leave(block: number): void {
    this.#left.add(block);
  }

  takeGroup(group: StreamGroup): boolean {
    const part = this.#groups.find((one) => one.group === group);
    if (part === undefined || group.keeper === null) return false;
    part.isLeft = true;
    return true;
  }

  changing(group: StreamGroup, address: number): void {
    const { arena } = group;
    const missing = pendingMarks(arena, address) ^ group.marks;
    if (missing === 0) return;
    if ((missing & LOW_MARK) !== 0) {
      const length = putPending(record, 0, arena, address);
      this.#pending.get(group)!.add(record, length);
    }
    const owner = group.consumerOf(address);
    if ((missing & HIGH_MARK) !== 0 && owner !== null) {
      const length = putPendingId(record, 0, arena, address);
      this.#pending.get(owner)!.add(record, length);
    }
    pendingSetMarks(arena, address, group.marks);
  }

  // ---------------------------------------------------------------- the walk

  walk(): boolean {
    this.#stepBytes = 0;
    return this.#steps.next().done !== true;
  }

  close(): void {
    const { arena } = this.value;
    this.value.keeper = null;
    for (const part of this.#groups) this.#leaveGroup(part);
    for (const block of this.#left) arena.free(block);
    this.#left.clear();
  }

  /** All of it, a step between two yields. */
  *#write(): Generator<void> {
    const version = this.#version;
    yield* this.#nodes();
    emitFacts(this.writer, this.#facts, version);
    this.writer.length(this.#groups.length);
    for (const part of this.#groups) {
      const { group, consumers } = part;
      emitGroupFacts(this.writer, part.name, part.lastId, part.entriesRead, version);
      yield* this.#list(group, group.pending, part.pending, LOW_MARK);
      this.writer.length(consumers.length);
      for (const one of consumers) {
        emitConsumerFacts(this.writer, one, version);
        this.#stepBytes += CONSUMER_BYTES;
        yield* this.#list(group, one.consumer.pending, one.pending, HIGH_MARK);
      }
      this.#leaveGroup(part);
    }
  }

  *#nodes(): Generator<void> {
    const { arena } = this.value;
    const records = this.#records;
    this.writer.length(records.length / RECORD_WORDS);
    while (this.#nextWord < records.length) {
      const block = records[this.#nextWord + 4]!;
      emitNode(this.writer, arena, this.#firstIdAt(this.#nextWord), block);
      this.#stepBytes += arena.sizeOf(block);
      if (this.#left.delete(block)) arena.free(block);
      this.#nextWord += RECORD_WORDS;
      if (this.#stepBytes >= STEP_BYTES) yield;
    }
  }

  /** The pending entries of a group (`LOW_MARK`) or of one of its consumers. */
  *#list(group: StreamGroup, list: PendingList, pending: Pending, half: number): Generator<void> {
    const { arena } = group;
    const put = half === LOW_MARK ? putPending : putPendingId;
    const last = new StreamId();
    this.writer.length(pending.count);
    for (let address = list.first(); address !== 0; ) {
      const marks = pendingMarks(arena, address);
      if (((marks ^ group.marks) & half) !== 0) {
        this.writer.bytes(record, 0, put(record, 0, arena, address));
        pendingSetMarks(arena, address, ((marks & ~half) | (group.marks & half)) >>> 0);
        pending.note();
      }
      this.#stepBytes += PENDING_BYTES_MAX;
      if (this.#stepBytes < STEP_BYTES) {
        address = list.next();
        continue;
      }
      // The list may have changed when this goes on: what it was at is found again, or the next.
      pendingId(arena, address, last);
      yield;
      address = list.atOrAfter(last);
    }
    while (pending.flush(this.writer)) yield;
  }

  #leaveGroup(part: GroupPart): void {
    const { group } = part;
    if (group.keeper !== this) return;
    group.keeper = null;
    if (part.isLeft) this.#release(group);
  }

  #firstIdAt(word: number): StreamId {
    const records = this.#records;
    return this.#first.set(
      records[word]!,
      records[word + 1]!,
      records[word + 2]!,
      records[word + 3]!,
    );
  }
}
