/**
 * Where a stream's nodes are, and the three ids that are known of it: one block of the arena.
 *
 *     [ last id ][ first id ][ greatest deleted id ]              4 words each
 *     ... head ... [ id, block ][ id, block ][ id, block ] ...    5 words a node, by its first id
 *
 * Finding a node is a binary search; the records begin at `head`, so trimming moves nothing. Taking
 * a node out of the middle moves 20 bytes for each node behind it.
 */
import { Arena } from '../memory/arena.ts';
import { StreamId } from './stream-id.ts';

export const RECORD_WORDS = 5;
const ID_WORDS = 4;
/** Where the ids stand, and where the records begin. */
const LAST_ID = 0;
const FIRST_ID = ID_WORDS;
const MAX_DELETED_ID = ID_WORDS * 2;
const HEAD_WORDS = ID_WORDS * 3;
/** A directory of so many nodes grows by a quarter instead of twofold. */
const DOUBLED_MAX = 1024;

const nodeId = new StreamId();
/** The ids that the getters of all logs fill and return. */
const shownLast = new StreamId();
const shownFirst = new StreamId();
const shownMaxDeleted = new StreamId();

export class StreamDirectory {
  readonly arena: Arena;
  /** Number of nodes. */
  nodeCount = 0;
  /** 0 once all is released. */
  private directory: number;
  private head = 0;

  constructor(arena: Arena) {
    this.arena = arena;
    this.directory = arena.alloc(bytesFor(1));
    const at = arena.wordOffset(this.directory);
    arena.words(this.directory).fill(0, at, at + HEAD_WORDS);
  }

  // ---------------------------------------------------------------- ids

  /** The greatest id ever given. Like the others a copy, good until a log is asked again. */
  get lastId(): StreamId {
    return this.readId(this.headAt(LAST_ID), shownLast);
  }

  set lastId(id: StreamId) {
    this.writeId(this.headAt(LAST_ID), id);
  }

  /** Id of the first entry, 0-0 without any. */
  get firstId(): StreamId {
    return this.readId(this.headAt(FIRST_ID), shownFirst);
  }

  set firstId(id: StreamId) {
    this.writeId(this.headAt(FIRST_ID), id);
  }

  /** The greatest id that was ever deleted by its id. */
  get maxDeletedId(): StreamId {
    return this.readId(this.headAt(MAX_DELETED_ID), shownMaxDeleted);
  }

  set maxDeletedId(id: StreamId) {
    this.writeId(this.headAt(MAX_DELETED_ID), id);
  }

  private headAt(field: number): number {
    return this.arena.wordOffset(this.directory) + field;
  }

  private readId(at: number, id: StreamId): StreamId {
    const words = this.arena.words(this.directory);
    return id.set(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!);
  }

  private writeId(at: number, id: StreamId): void {
    const words = this.arena.words(this.directory);
    words[at] = id.msHigh;
    words[at + 1] = id.msLow;
    words[at + 2] = id.seqHigh;
    words[at + 3] = id.seqLow;
  }

  // ---------------------------------------------------------------- nodes

  /** The block of node `i`. */
  nodeBlock(i: number): number {
    return this.arena.words(this.directory)[this.recordAt(i) + ID_WORDS]!;
  }

  /** A copy of the directory: five words a node, as the picture shows. */
  records(): Uint32Array {
    if (this.nodeCount === 0) return new Uint32Array(0);
    const at = this.recordAt(0);
    return this.arena.words(this.directory).slice(at, at + this.nodeCount * RECORD_WORDS);
  }

  /** Sets `id` to the first id of node `i`. */
  nodeFirstId(i: number, id: StreamId): StreamId {
    return this.readId(this.recordAt(i), id);
  }

  /** The last node whose first id is not behind `id`, or -1. */
  nodeOf(id: StreamId): number {
    let low = 0;
    let high = this.nodeCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.nodeFirstId(middle, nodeId).compare(id) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Adds a node behind the last; the block is the log's from now on. */
  pushNode(id: StreamId, block: number): void {
    this.roomForNode();
    const at = this.recordAt(this.nodeCount++);
    this.writeId(at, id);
    this.arena.words(this.directory)[at + ID_WORDS] = block;
  }

  /** Notes the new block of node `i`, which has moved. */
  protected setNodeBlock(i: number, block: number): void {
    this.arena.words(this.directory)[this.recordAt(i) + ID_WORDS] = block;
  }

  /** Removes the record of node `i`. */
  protected removeRecord(i: number): void {
    const words = this.arena.words(this.directory);
    if (i === 0) this.head++;
    else words.copyWithin(this.recordAt(i), this.recordAt(i + 1), this.recordAt(this.nodeCount));
    this.nodeCount--;
    if (this.nodeCount === 0) this.moveDirectory(1);
  }

  // ---------------------------------------------------------------- the block

  /** Bytes of the block. */
  protected directoryBytes(): number {
    return this.arena.sizeOf(this.directory);
  }

  protected freeDirectory(): void {
    if (this.directory !== 0) this.arena.free(this.directory);
    this.directory = 0;
  }

  /** Where the record of node `i` begins in the directory's words. */
  private recordAt(i: number): number {
    return this.headAt(HEAD_WORDS) + (this.head + i) * RECORD_WORDS;
  }

  private roomForNode(): void {
    const { arena, directory, head, nodeCount } = this;
    const words = arena.sizeOf(directory) >>> 2;
    if (HEAD_WORDS + (head + nodeCount + 1) * RECORD_WORDS > words) {
      const more = nodeCount < DOUBLED_MAX ? Math.max(1, nodeCount) : nodeCount >>> 2;
      this.moveDirectory(nodeCount + more);
    }
  }

  /** Moves the directory to a block with room for so many nodes, the first in front. */
  private moveDirectory(room: number): void {
    const { arena, directory: old, nodeCount } = this;
    const size = bytesFor(room);
    const from = arena.words(old);
    const at = arena.wordOffset(old);
    const records = this.recordAt(0);
    this.head = 0;
    if (arena.sizeOf(old) === Arena.roundUp(size)) {
      from.copyWithin(at + HEAD_WORDS, records, records + nodeCount * RECORD_WORDS);
      return;
    }
    const fresh = arena.alloc(size);
    const to = arena.words(fresh);
    const start = arena.wordOffset(fresh);
    to.set(from.subarray(at, at + HEAD_WORDS), start);
    to.set(from.subarray(records, records + nodeCount * RECORD_WORDS), start + HEAD_WORDS);
    arena.free(old);
    this.directory = fresh;
  }
}

/** Bytes of a directory with room for so many nodes. */
function bytesFor(room: number): number {
  return (HEAD_WORDS + room * RECORD_WORDS) * 4;
}
