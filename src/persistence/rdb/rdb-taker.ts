/**
 * Who takes the elements of a large collection as they come, one by one (rdb-packed.ts): a table,
 * or the listpack that an older form becomes. Zsets and lists have their own.
 */
import type { Database } from '../../core/database.ts';
import type { Keyspace, LargeValue } from '../../core/keyspace.ts';
import type { Dict } from '../../core/struct/dict.ts';
import { LP_HEAD_BYTES, lpInit, lpPut, lpPutEnd } from '../../core/struct/listpack.ts';
import { LZF_REACH_BYTES } from '../../core/struct/lzf.ts';
import type { ElementView } from '../../core/types/element-view.ts';
import { HashTable } from '../../core/types/hash-table.ts';
import { late } from './rdb-pieces.ts';
import { ziplistSlack } from './ziplist-listpack.ts';

export abstract class ElementTaker {
  /** The dict that finds the elements, null where there is none. */
  get dict(): Dict | null {
    return null;
  }

  /**
   * Takes an element; only one of a pair has a second string. Returns what is wrong with it, or ''.
   */
  abstract take(first: ElementView, second: ElementView): string;

  /** Brings in what still waits. Returns what is wrong with it, or ''. */
  settle(): string {
    return '';
  }

  /** Called when all elements have come and the key stands. */
  end(_keyspace: Keyspace, _db: Database, _address: number): void {}
}

/** A taker that brings elements into a large collection, which owns a place that is still open. */
export abstract class LargeTaker extends ElementTaker {
  abstract readonly value: LargeValue;
  /** Where a large element goes, once it was opened: the block, and the place in its bytes. */
  block = 0;
  at = 0;

  /**
   * Makes a place for a large element, when nothing waits. Of a second string that does not move
   * there it makes the view empty. What is wrong, or ''.
   */
  abstract open(first: ElementView, second: ElementView): string;

  /** The element is there. What is wrong, or ''. */
  abstract place(): string;

  override get dict(): Dict | null {
    return this.value.dict;
  }
}

/** Fields and values of a hash, or members of a set. */
export class TableTaker extends LargeTaker {
  readonly value: HashTable;
  readonly #hasValues: boolean;
  readonly #twice: string;

  /** `twice` is said when an element is there already. */
  constructor({ arena, seed }: Keyspace, hasValues: boolean, twice: string) {
    super();
    this.value = new HashTable(arena, seed);
    this.#hasValues = hasValues;
    this.#twice = twice;
  }

  take({ bytes, length, offset }: ElementView, second: ElementView): string {
    if (late.isFull && !this.value.settle(late)) return this.#twice;
    const size = this.#hasValues ? second.length : 0;
    this.value.setLate(late, bytes, offset, length, second.bytes, second.offset, size);
    return '';
  }

  override settle(): string {
    return this.value.settle(late) ? '' : this.#twice;
  }

  open(first: ElementView, second: ElementView): string {
    this.value.openEntry(first.length, second.length);
    this.block = this.value.opened;
    this.at = this.value.openAt;
    return '';
  }

  place(): string {
    return this.value.place() ? '' : this.#twice;
  }
}

/**
 * A ziplist as the listpack that is the value of an entry, in the same block: its slack in front
 * (ziplist-listpack.ts) also keeps what is written from what a compressed one may still copy.
 */
export class PackTaker extends ElementTaker {
  readonly #bytes: Uint8Array;
  readonly #base: number;
  readonly #isPair: boolean;
  #count = 0;
  #at: number;

  /** Bytes to be left in front of a ziplist of `length` bytes. */
  static slackFor(length: number): number {
    return ziplistSlack(length) + LZF_REACH_BYTES;
  }

  constructor(bytes: Uint8Array, base: number, isPair: boolean) {
    super();
    this.#bytes = bytes;
    this.#base = base;
    this.#isPair = isPair;
    this.#at = base + LP_HEAD_BYTES;
    lpInit(bytes, base);
  }

  take(first: ElementView, second: ElementView): string {
    this.#put(first);
    if (this.#isPair) this.#put(second);
    return '';
  }

  #put({ bytes, length, offset }: ElementView): void {
    this.#at = lpPut(this.#bytes, this.#at, bytes, offset, length);
    this.#count++;
  }

  override end(keyspace: Keyspace, db: Database, address: number): void {
    lpPutEnd(this.#bytes, this.#base, this.#at, this.#count);
    keyspace.resizeValue(db, address, this.#at + 1 - this.#base, 0);
  }
}
