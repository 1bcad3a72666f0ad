/**
 * Loading large hashes, sets and zsets in pieces, so that a server can answer in between.
 *
 *     start    a collection, empty or with the elements before, takes what is still to come
 *     readOn   all of it at once, of a small one; it ends where a large string begins
 *     resume   some elements; the reader commits each, so that only one whose bytes are not all
 *              there yet is read again, and each piece of a large string (rdb-large.ts)
 *
 * Small elements wait a little before they stand in the collection (late-entries.ts), but never
 * between two calls.
 */
import { LateEntries } from '../../core/late-entries.ts';
import type { Dict } from '../../core/struct/dict.ts';
import { RdbError } from './rdb-error.ts';
import { LargeString } from './rdb-large.ts';
import type { RdbReader } from './rdb-reader.ts';
import { TableRoom } from './rdb-table-room.ts';

/** Collections of more elements than this are loaded in pieces, of so many elements at most. */
const PIECE_ELEMENTS = 512;

/** Elements that were read last. */
export const late = new LateEntries();

/** What is loaded in pieces. */
interface Collection {
  readonly dict: Dict;
  /** Puts in what waits. False, with the rest dropped, when an element comes twice. */
  settle(late: LateEntries): boolean;
}

export abstract class PieceLoad<C extends Collection> {
  protected readonly reader: RdbReader;
  /** The large string that is being read. */
  protected readonly large = new LargeString();
  readonly #room: TableRoom;
  #collection: C | null = null;
  #left = 0;

  constructor(reader: RdbReader) {
    this.reader = reader;
    this.#room = new TableRoom(reader);
  }

  /**
   * Reads the next element, or a piece of a large one, into what waits or into the collection. True
   * when the element is complete.
   */
  protected abstract element(collection: C): boolean;

  /** Refuses an element that came twice. */
  protected abstract twice(): RdbError;

  /** Whether elements are still to come. */
  get isOpen(): boolean {
    return this.#left > 0;
  }

  /** Whether a collection of `count` elements is to be loaded in pieces. */
  suits(count: number): boolean {
    return count > PIECE_ELEMENTS && !this.reader.isWhole;
  }

  /** Begins to load the `count` elements that come next. */
  start(collection: C, count: number): void {
    this.#collection = collection;
    this.#left = count;
    this.#room.start();
  }

  /** The collection is not wanted any more. */
  stop(): void {
    this.#collection = null;
    this.#left = 0;
  }

  /** Reads what is left, up to where a large string has begun, if one does; commits nothing. */
  readOn(): void {
    if (this.#collection !== null) this.#read(this.#collection, this.#left, false);
  }

  /** Reads some more elements. True when all are there. */
  resume(): boolean {
    const collection = this.#collection;
    if (collection === null) return true;
    this.#room.enlarge(collection.dict, this.#left);
    this.#read(collection, PIECE_ELEMENTS, true);
    return this.#left === 0;
  }

  #read(collection: C, most: number, commits: boolean): void {
    const { reader } = this;
    try {
      for (let i = Math.min(most, this.#left); i > 0; i--) {
        if (late.isFull) this.#settle(collection);
        const isWhole = this.element(collection);
        if (commits) reader.commit();
        if (!isWhole) break;
        this.#left--;
      }
    } catch (error) {
      // A fed reader that is hungry goes on here; anything else is the end of the load.
      this.#settle(collection);
      if (error instanceof RdbError) this.stop();
      throw error;
    }
    this.#settle(collection);
    if (this.#left === 0) this.#collection = null;
  }

  #settle(collection: C): void {
    if (collection.settle(late)) return;
    this.stop();
    throw this.twice();
  }
}
