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
 * adds up to the length, and every pending entry has one consumer. Where the payload is to be
 * sanitized, the entries of all nodes must come in order as well, none of them behind the last id.
 *
 * A stream from a file or socket is loaded in pieces, so that a server can answer in between: an
 * empty one is stored, and the reader commits each node, pending entry or consumer that was added,
 * and each piece of a large node.
 * A payload in memory leaves nothing behind when it is damaged.
 */
import type { Database } from '../../core/database.ts';
import type { Keyspace } from '../../core/keyspace.ts';
import {
  ENTRIES_READ_UNKNOWN,
  NO_CONSUMER,
  type StreamConsumer,
  type StreamGroup,
} from '../../core/struct/stream-group.ts';
import { StreamId } from '../../core/struct/stream-id.ts';
import { StreamLog } from '../../core/struct/stream-log.ts';
import { nodeLive } from '../../core/struct/stream-node.ts';
import { entriesUpTo, mendFirstId } from '../../core/struct/stream-trim.ts';
import { nodeInOrder, nodeValid } from '../../core/struct/stream-valid.ts';
import { UINT64_MAX } from '../../core/text/integer.ts';
import { streamStore } from '../../core/types/stream.ts';
import { ByteView } from '../../core/value.ts';
import { BlockReader } from './rdb-block.ts';
import { RdbError } from './rdb-error.ts';
import { bigEndian32, RDB_STREAM_LISTPACKS, RDB_STREAM_LISTPACKS_3 } from './rdb-format.ts';
import type { RdbReader } from './rdb-reader.ts';
import { ID_BYTES } from './rdb-stream-write.ts';

const TIME_MAX_MS = 2 ** 52;
/** What is read between two looks at the clock: nodes count for more than what is pending. */
const PIECE_COST = 512;
const NODE_COST = 16;

const view = new ByteView();
const id = new StreamId();

/**
 * Reads a stream of one of the types above and stores it under a key that does not exist. Returns
 * the entry's address; while `load.isOpen` not all of it is there.
 */
export function decodeStream(
  keyspace: Keyspace,
  reader: RdbReader,
  load: StreamLoad,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
  type: number,
): number {
  const log = new StreamLog(keyspace.arena);
  load.start(log, type);
  if (reader.isWhole) {
    try {
      while (!load.resume());
    } catch (error) {
      while (log.release(Number.POSITIVE_INFINITY));
      throw error;
    }
  }
  return streamStore(keyspace, db, key, offset, length, log);
}

const NODE_COUNT = 0;
const NODES = 1;
const FACTS = 2;
const GROUPS = 3;
const PENDING = 4;
const CONSUMERS = 5;
const OWN = 6;

/** Reads a stream item by item, each of which the reader commits. */
export class StreamLoad {
  readonly #reader: RdbReader;
  /** Whether the order of the entries is looked at. */
  readonly #deep: boolean;
  #log: StreamLog | null = null;
  #type = 0;
  #phase = NODE_COUNT;
  /** Items of each kind that are still to come. */
  #nodes = 0;
  #groups = 0;
  #pending = 0;
  #consumers = 0;
  #own = 0;
  #group: StreamGroup | null = null;
  #consumer: StreamConsumer | null = null;
  /** Pending entries of the group that no consumer has had yet. */
  #unowned = 0;
  /** First id of the last node, and id of the last entry that was looked at. */
  readonly #nodeId = new StreamId();
  /** The node that is being read, and its first id. */
  readonly #node = new BlockReader();
  readonly #firstId = new StreamId();
  readonly #entryId = new StreamId();

  constructor(reader: RdbReader, deep: boolean) {
    this.#reader = reader;
    this.#deep = deep;
  }

  /** Whether some of it is still to come. */
  get isOpen(): boolean {
    return this.#log !== null;
  }

  /** Begins to read a stream of this type into an empty log. */
  start(log: StreamLog, type: number): void {
    this.#log = log;
    this.#type = type;
    this.#phase = NODE_COUNT;
    this.#nodeId.clear();
    this.#entryId.clear();
  }

  /** Reads some more. True when all is there. */
  resume(): boolean {
    try {
      for (let cost = 0; cost < PIECE_COST && this.#log !== null; ) {
        cost += this.#phase === NODES ? NODE_COST : 1;
        const isWhole = this.#item(this.#log);
        this.#reader.commit();
        if (!isWhole) break;
      }
    } catch (error) {
      if (error instanceof RdbError) this.#log = null;
      throw error;
    }
    return this.#log === null;
  }

  /** Reads the next item, or a piece of a large node: true when it is complete. */
  #item(log: StreamLog): boolean {
    if (this.#phase === NODES) return this.#readNode(log);
    this.#smallItem(log);
    return true;
  }

  #smallItem(log: StreamLog): void {
    const reader = this.#reader;
    switch (this.#phase) {
      case NODE_COUNT:
        this.#nodes = reader.length();
        this.#phase = this.#nodes > 0 ? NODES : FACTS;
        return;
      case FACTS:
        this.#facts(log);
        this.#phase = GROUPS;
        return;
      case GROUPS:
        if (this.#groups === 0) this.#end();
        else this.#readGroup(log);
        return;
      case PENDING:
        this.#readPending(this.#group!);
        return;
      case CONSUMERS:
        this.#readConsumer(this.#group!);
        return;
      default:
        this.#readOwn(this.#group!, this.#consumer!);
    }
  }

  #end(): void {
    this.#log = null;
    this.#group = null;
    this.#consumer = null;
  }

  #readNode(log: StreamLog): boolean {
    const reader = this.#reader;
    if (log.opened === 0) this.#readNodeId(log);
    const node = this.#node;
    if (!node.read(reader, log)) return false;
    const { bytes, length, offset } = node;
    const first = this.#firstId;
    const isSound = nodeValid(bytes, offset, length);
    if (!isSound || (this.#deep && !nodeInOrder(bytes, offset, first, this.#entryId))) {
      throw reader.fail('a damaged node of a stream');
    }
    this.#nodeId.copy(first);
    log.length += nodeLive(bytes, offset);
    node.place(log);
    log.pushNode(first, log.opened);
    log.opened = 0;
    if (--this.#nodes === 0) this.#phase = FACTS;
    return true;
  }

  /** Reads the first id of the next node. */
  #readNodeId(log: StreamLog): void {
    const reader = this.#reader;
    const first = this.#firstId;
    reader.string(view);
    if (view.length !== ID_BYTES) throw reader.fail('a node of a stream whose id is not 16 bytes');
    showId(view.bytes, view.offset, first);
    if (log.nodeCount > 0 && first.compare(this.#nodeId) <= 0) {
      throw reader.fail('nodes of a stream out of order');
    }
  }

  #facts(log: StreamLog): void {
    const reader = this.#reader;
    const length = reader.length();
    if (length !== log.length) {
      throw reader.fail(`a stream of ${length} entries whose nodes hold ${log.length}`);
    }
    readId(reader, id);
    log.lastId = id;
    if (this.#deep && this.#entryId.compare(log.lastId) > 0) {
      throw reader.fail('an entry of a stream behind its last id');
    }
    if (this.#type === RDB_STREAM_LISTPACKS) log.entriesAdded = length;
    else {
      readId(reader, id);
      log.firstId = id;
      readId(reader, id);
      log.maxDeletedId = id;
      log.entriesAdded = keptCount(reader.wideLength());
    }
    this.#groups = reader.length();
    if (this.#type === RDB_STREAM_LISTPACKS) mendFirstId(log);
  }

  #readGroup(log: StreamLog): void {
    const reader = this.#reader;
    const name = readName(reader);
    readId(reader, id);
    let entriesRead = entriesUpTo(log, id);
    if (this.#type !== RDB_STREAM_LISTPACKS) {
      const read = reader.wideLength();
      entriesRead = read === UINT64_MAX ? ENTRIES_READ_UNKNOWN : keptCount(read);
    }
    const pending = reader.length();
    const consumers = pending === 0 ? reader.length() : 0;
    this.#group = log.addGroup(name, id, entriesRead);
    if (this.#group === null) throw reader.fail('a group twice in a stream');
    this.#pending = pending;
    this.#unowned = pending;
    if (pending > 0) this.#phase = PENDING;
    else this.#beginConsumers(consumers);
  }

  #readPending(group: StreamGroup): void {
    const reader = this.#reader;
    readRawId(reader);
    const timeMs = keptTime(reader.int64());
    const count = keptCount(reader.wideLength());
    const consumers = this.#pending === 1 ? reader.length() : 0;
    if (group.pending.find(id) !== 0) throw reader.fail('an entry pending twice in a group');
    group.addPending(id, null, timeMs, count);
    if (--this.#pending === 0) this.#beginConsumers(consumers);
  }

  #beginConsumers(count: number): void {
    this.#consumers = count;
    this.#phase = CONSUMERS;
    if (count === 0) this.#endOfGroup();
  }

  #readConsumer(group: StreamGroup): void {
    const reader = this.#reader;
    const name = readName(reader);
    const seenMs = keptTime(reader.int64());
    const activeMs = this.#type === RDB_STREAM_LISTPACKS_3 ? keptTime(reader.int64()) : seenMs;
    this.#own = reader.length();
    if (group.consumers.has(name)) throw reader.fail('a consumer twice in a group');
    this.#consumer = group.addConsumer(name, seenMs);
    this.#consumer.activeMs = activeMs;
    if (this.#own > 0) this.#phase = OWN;
    else this.#endOfConsumer();
  }

  #readOwn(group: StreamGroup, consumer: StreamConsumer): void {
    const reader = this.#reader;
    readRawId(reader);
    const address = group.pending.find(id);
    if (address === 0) throw reader.fail('an entry pending for a consumer and not for its group');
    if (group.slotOf(address) !== NO_CONSUMER) {
      throw reader.fail('an entry pending for two consumers');
    }
    group.movePending(address, consumer);
    this.#unowned--;
    if (--this.#own === 0) this.#endOfConsumer();
  }

  #endOfConsumer(): void {
    this.#phase = CONSUMERS;
    if (--this.#consumers === 0) this.#endOfGroup();
  }

  #endOfGroup(): void {
    if (this.#unowned !== 0) {
      throw this.#reader.fail('an entry of a stream that is pending for nobody');
    }
    this.#groups--;
    this.#phase = GROUPS;
  }
}

/** A time in milliseconds, which is kept within what can be reckoned with exactly. */
function keptTime(timeMs: number): number {
  return Math.max(-TIME_MAX_MS, Math.min(timeMs, TIME_MAX_MS));
}

/** A count, which is kept up to 2^53 - 1. */
function keptCount(count: bigint): number {
  return Math.min(Number(count), Number.MAX_SAFE_INTEGER);
}

function readName(reader: RdbReader): string {
  reader.string(view);
  return view.latin1();
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

/** Reads an id of 16 bytes. */
export function showId(bytes: Uint8Array, offset: number, to: StreamId): void {
  to.set(
    bigEndian32(bytes, offset),
    bigEndian32(bytes, offset + 4),
    bigEndian32(bytes, offset + 8),
    bigEndian32(bytes, offset + 12),
  );
}
