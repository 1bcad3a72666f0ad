/**
 * The walker and the door: what makes an RDB of a moment while the keyspace goes on changing.
 *
 *     start   generation + 1; the databases that hold keys are listed, with their sizes
 *     walk    bucket after bucket, emits entries whose mark is old, and marks them
 *     door    whoever is about to change an entry with an old mark has it emitted first
 *     end     EOF, once every database was walked
 *
 * Every entry of the moment is emitted exactly once, as it was then: either the walker comes first,
 * or a change does. Entries made since carry the new mark. The walk goes by SCAN cursors, which
 * miss no entry that stays, whatever the table does; an entry that is moved to another key or
 * database has passed the door before.
 *
 * A database is its object, not its number: one that is flushed or swapped meanwhile is walked on,
 * under the number it had; one that is being loaded aside is no part of it. Since the door emits
 * from any database at any time, the database is said again (SELECTDB) whenever it is another than
 * that of the entry before.
 *
 * A large table is not emitted but opened: its head is written, and it is walked in turn, in parts,
 * with a door of its own (snapshot-table.ts); so is a long list (snapshot-list.ts). While one is
 * being written nothing else may stand between its parts, so what else the doors bring is kept
 * aside until its end:
 *
 *     stream      ...entries [ head of table A | parts of A ...     ] aside... [ B: side, parts
 *     aside                                     entries through the door
 *     side of B              [ head of B | parts of B that were about to change ]
 *
 * Marks have 8 bits. An entry that no walk reached for 255 starts would look seen, which takes as
 * many snapshots in a row that failed; before that, all marks are set anew.
 */
import type { Database } from '../../core/database.ts';
import type { Keyspace, LargeValue, SnapshotDoor } from '../../core/keyspace.ts';
import { touchEntries } from '../../core/struct/dict-ahead.ts';
import { RdbEncoder } from '../rdb/rdb-encoder.ts';
import { FrameWriter } from '../rdb/rdb-frame-writer.ts';
import type { Clock } from '../rdb/rdb-load.ts';
import { inParts } from '../rdb/rdb-parts.ts';
import type { RdbContent } from './snapshot-now.ts';
import { SideBuffer, type SnapshotQueue } from './snapshot-queue.ts';
import type { PartsSnapshot } from './snapshot-table.ts';

/** Snapshots that may fail in a row before all marks are set anew. */
const UNFINISHED_MAX = 250;
const NO_DB = -1;
const ASIDE_CHUNK_BYTES = 1 << 14;
const TABLE_CHUNK_BYTES = 1 << 10;

/** How many snapshots were started since the last one that reached every entry. */
const unfinished = new WeakMap<Keyspace, number>();

/** A database as it was at the start. */
type Walked = { readonly db: Database; readonly keys: number; readonly expires: number };

/** Where entries are written, and the database that was said there last. */
class Stream {
  readonly writer: FrameWriter;
  readonly encoder: RdbEncoder;
  /** Null for what goes to the queue directly. */
  readonly side: SideBuffer | null;
  selected = NO_DB;

  constructor(keyspace: Keyspace, queue: SnapshotQueue, content: RdbContent, chunkBytes: number) {
    this.side = chunkBytes === 0 ? null : new SideBuffer(queue, chunkBytes);
    this.writer = new FrameWriter(this.side ?? queue, content.compress);
    this.encoder = new RdbEncoder(keyspace, this.writer, content);
  }
}

/** A table that was opened, with what its door has written before its turn. */
type Opened = { readonly parts: PartsSnapshot; readonly stream: Stream };

export class SnapshotWalker implements SnapshotDoor {
  /** Keys there were at the start; keys emitted, and of these those that a change brought out. */
  readonly keysTotal: number;
  keys = 0;
  doorKeys = 0;
  /** All is emitted, EOF included. */
  isDone = false;

  readonly #keyspace: Keyspace;
  readonly #queue: SnapshotQueue;
  readonly #content: RdbContent;
  /** Of the content, whose shape V8 takes for new each time: code that reads it is thrown away. */
  readonly #version: RdbContent['version'];
  readonly #walked: Walked[] = [];
  /** Whether it marks entries at all: not when the keys are left out. */
  readonly #marks: boolean;
  readonly #main: Stream;
  /** What came through the door while one of them is being written. */
  #aside: Stream | null = null;
  /** Values that are not completely written; the first is being written. */
  readonly #opened: Opened[] = [];
  #index = 0;
  #cursor = 0;
  readonly #announced = new Set<Database>();
  #isWalking = false;

  /** Begins: this is the moment that the RDB will show. */
  constructor(keyspace: Keyspace, queue: SnapshotQueue, content: RdbContent, dataset: boolean) {
    this.#keyspace = keyspace;
    this.#queue = queue;
    this.#content = content;
    this.#version = content.version;
    this.#main = new Stream(keyspace, queue, content, 0);
    const held = dataset ? keyspace.databases.filter((db) => db.dict.count > 0) : [];
    for (const db of held) {
      db.snapshotId = db.id;
      this.#walked.push({ db, keys: db.dict.count, expires: db.expires.size });
    }
    this.keysTotal = this.#walked.reduce((sum, { keys }) => sum + keys, 0);
    this.#marks = dataset;
    if (dataset) {
      this.#nextGeneration();
      keyspace.snapshot = this;
    }
    this.#main.encoder.header(content.aux, content.functions);
  }

  #nextGeneration(): void {
    const keyspace = this.#keyspace;
    const starts = (unfinished.get(keyspace) ?? 0) + 1;
    if (starts > UNFINISHED_MAX) {
      for (const { db } of this.#walked) markAll(keyspace, db);
    }
    unfinished.set(keyspace, starts > UNFINISHED_MAX ? 1 : starts);
    keyspace.generation = (keyspace.generation + 1) & 0xff;
  }

  // ---------------------------------------------------------------- the door

  emit(db: Database, address: number): void {
    // One that is being loaded aside: it may have been begun before the snapshot, so its marks are
    // old, but nobody has seen it.
    if (db.snapshotId === NO_DB) return;
    this.keys++;
    if (!this.#isWalking) this.doorKeys++;
    const begin = inParts(this.#keyspace, address, this.#version);
    if (begin !== null) {
      const isFirst = this.#opened.length === 0;
      const stream = isFirst ? this.#main : this.#newStream(TABLE_CHUNK_BYTES);
      this.#select(stream, db);
      stream.encoder.emitHead(db, address);
      this.#opened.push({ parts: begin(stream.writer), stream });
      return;
    }
    if (this.#opened.length > 0) this.#aside ??= this.#newStream(ASIDE_CHUNK_BYTES);
    const stream = this.#aside ?? this.#main;
    this.#select(stream, db);
    stream.encoder.emitEntry(db, address);
  }

  takeOverLarge(value: LargeValue): boolean {
    const opened = this.#opened.find(({ parts }) => parts.value === value);
    if (opened === undefined) return false;
    opened.parts.isTakenOver = true;
    return true;
  }

  #newStream(chunkBytes: number): Stream {
    return new Stream(this.#keyspace, this.#queue, this.#content, chunkBytes);
  }

  #select(stream: Stream, db: Database): void {
    // The rest has a closure, and V8 makes room for what that holds on where a function begins.
    if (db.snapshotId !== stream.selected) this.#selectOther(stream, db);
  }

  #selectOther(stream: Stream, db: Database): void {
    const id = db.snapshotId;
    stream.selected = id;
    stream.encoder.selectDb(id);
    if (this.#announced.has(db)) return;
    this.#announced.add(db);
    const walked = this.#walked.find((one) => one.db === db);
    if (walked !== undefined) stream.encoder.resizeDb(walked.keys, walked.expires);
  }

  // ---------------------------------------------------------------- the walk

  /**
   * Walks until `untilMs`, the queue is full, or `keysMax` more were emitted; then `isDone` may be
   * set.
   */
  walk(untilMs: number, clock: Clock, keysMax: number): void {
    const last = this.keys + keysMax;
    while (!this.isDone && !this.#queue.isFull && this.keys < last) {
      const opened = this.#opened[0];
      if (opened !== undefined) this.#walkParts(opened);
      else this.#bucket();
      if (clock() >= untilMs) return;
    }
  }

  #bucket(): void {
    const walked = this.#walked[this.#index];
    if (walked === undefined) {
      this.#end();
      return;
    }
    const { db } = walked;
    const { dict } = db;
    this.#cursor = dict.collect(this.#cursor);
    touchEntries(this.#keyspace.arena, dict.collected, dict.collectedCount);
    this.#isWalking = true;
    for (let i = 0; i < dict.collectedCount; i++) this.#keyspace.door(db, dict.collected[i]!);
    this.#isWalking = false;
    if (this.#cursor === 0) this.#index++;
  }

  /** Writes one more part of the value whose turn it is; after its last, what waited for it. */
  #walkParts({ parts }: Opened): void {
    if (parts.walk()) return;
    this.#close(parts);
    this.#opened.shift();
    if (this.#aside !== null) this.#join(this.#aside);
    this.#aside = null;
    const next = this.#opened[0];
    if (next === undefined) return;
    this.#join(next.stream);
    next.parts.writer = this.#main.writer;
  }

  /** Puts what was kept aside into the file. */
  #join(stream: Stream): void {
    this.#main.writer.flush();
    stream.writer.flush();
    if (stream.side !== null) this.#queue.join(stream.side);
    this.#main.selected = stream.selected;
  }

  #close(parts: PartsSnapshot): void {
    parts.close();
    if (parts.isTakenOver) this.#keyspace.releaseLater(parts.value);
  }

  #end(): void {
    this.#main.encoder.eof();
    this.isDone = true;
    if (this.#marks) unfinished.set(this.#keyspace, 0);
    this.detach();
    this.#queue.end(this.#main.writer.unused);
  }

  /** Leaves the keyspace alone from now on, finished or not. */
  detach(): void {
    for (const { parts } of this.#opened.splice(0)) this.#close(parts);
    for (const { db } of this.#walked) db.snapshotId = NO_DB;
    if (this.#keyspace.snapshot === this) this.#keyspace.snapshot = null;
  }
}

/** Gives every entry of a database the present mark. */
function markAll(keyspace: Keyspace, db: Database): void {
  const { arena } = keyspace;
  let cursor = 0;
  do {
    cursor = db.dict.collect(cursor);
    for (let i = 0; i < db.dict.collectedCount; i++) {
      const address = db.dict.collected[i]!;
      const words = arena.words(address);
      const at = arena.wordOffset(address) + 1;
      words[at] = ((words[at]! & 0xffffff) | (keyspace.generation << 24)) >>> 0;
    }
  } while (cursor !== 0);
}
