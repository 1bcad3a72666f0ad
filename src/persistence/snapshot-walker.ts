/**
 * The walker and the door: what makes an RDB of a moment while the keyspace goes on changing.
 *
 *     start   generation + 1; the databases that hold keys are listed, with their sizes
 *     walk    bucket after bucket, emits entries whose mark is old, and marks them
 *     door    whoever is about to change an entry with an old mark has it emitted first
 *     end     EOF, once every database was walked
 *
 * Every entry of the moment is emitted exactly once, as it was then: either the walker comes first,
 * or a change does. Entries made since carry the new mark. The walk goes by SCAN cursors, which miss
 * no entry that stays, whatever the table does; an entry that is moved to another key or database
 * has passed the door before.
 *
 * A database is its object, not its number: one that is flushed or swapped meanwhile is walked on,
 * under the number it had. Since the door emits from any database at any time, the database is said
 * again (SELECTDB) whenever it is another than that of the entry before.
 *
 * Marks have 8 bits. An entry that no walk reached for 255 starts would look seen, which takes as
 * many snapshots in a row that failed; before that, all marks are set anew.
 */
import type { Database } from '../core/database.ts';
import type { Keyspace, SnapshotDoor } from '../core/keyspace.ts';
import { RdbEncoder } from './rdb-encoder.ts';
import { FrameWriter } from './rdb-frame-writer.ts';
import type { Clock } from './rdb-load.ts';
import type { RdbContent } from './snapshot-now.ts';
import type { SnapshotQueue } from './snapshot-queue.ts';

/** Snapshots that may fail in a row before all marks are set anew. */
const UNFINISHED_MAX = 250;
const NO_DB = -1;

/** How many snapshots were started since the last one that reached every entry. */
const unfinished = new WeakMap<Keyspace, number>();

/** A database as it was at the start. */
type Walked = { readonly db: Database; readonly keys: number; readonly expires: number };

export class SnapshotWalker implements SnapshotDoor {
  /** Keys there were at the start; keys emitted, and of these those that a change brought out. */
  readonly keysTotal: number;
  keys = 0;
  doorKeys = 0;
  /** All is emitted, EOF included. */
  isDone = false;

  readonly #keyspace: Keyspace;
  readonly #queue: SnapshotQueue;
  readonly #writer: FrameWriter;
  readonly #encoder: RdbEncoder;
  readonly #walked: Walked[] = [];
  /** Whether it marks entries at all: not when the keys are left out. */
  readonly #marks: boolean;
  #index = 0;
  #cursor = 0;
  /** Database of the entry emitted last, by its number at the start. */
  #selected = NO_DB;
  readonly #announced = new Set<number>();
  #isWalking = false;

  /** Begins: this is the moment that the RDB will show. */
  constructor(keyspace: Keyspace, queue: SnapshotQueue, content: RdbContent, dataset: boolean) {
    this.#keyspace = keyspace;
    this.#queue = queue;
    this.#writer = new FrameWriter(queue, content.compress);
    this.#encoder = new RdbEncoder(keyspace, this.#writer, content);
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
    this.#encoder.header(content.aux, content.functions);
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
    this.#select(db);
    this.#encoder.emitEntry(db, address);
    this.keys++;
    if (!this.#isWalking) this.doorKeys++;
  }

  holds(block: number): boolean {
    return this.#queue.holds(block);
  }

  takeOver(block: number): boolean {
    return this.#queue.takeOver(block);
  }

  #select(db: Database): void {
    const id = db.snapshotId;
    if (id === this.#selected) return;
    this.#selected = id;
    this.#encoder.selectDb(id);
    if (this.#announced.has(id)) return;
    this.#announced.add(id);
    const walked = this.#walked.find((one) => one.db === db);
    if (walked !== undefined) this.#encoder.resizeDb(walked.keys, walked.expires);
  }

  // ---------------------------------------------------------------- the walk

  /** Walks until `untilMs`, the queue is full, or `keysMax` more were emitted; then `isDone` may be set. */
  walk(untilMs: number, clock: Clock, keysMax: number): void {
    const last = this.keys + keysMax;
    while (!this.isDone && !this.#queue.isFull && this.keys < last) {
      this.#bucket();
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
    this.#isWalking = true;
    for (let i = 0; i < dict.collectedCount; i++) this.#keyspace.door(db, dict.collected[i]!);
    this.#isWalking = false;
    if (this.#cursor === 0) this.#index++;
  }

  #end(): void {
    this.#encoder.eof();
    this.isDone = true;
    if (this.#marks) unfinished.set(this.#keyspace, 0);
    for (const { db } of this.#walked) db.snapshotId = NO_DB;
    this.#queue.end();
  }

  /** Leaves the keyspace alone from now on, finished or not. */
  detach(): void {
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
