/**
 * Room in the table of a large collection ahead of what is loaded into it, so that the table does
 * not grow, and move what it holds, time and again. Made in steps, and only as far as the bytes
 * that are left can hold so many elements, like those so far: a number that lies
 * reserves no more.
 */
import type { Dict } from '../../core/struct/dict.ts';

/** Where the elements come from. */
export interface ElementBytes {
  /** Bytes read so far. */
  readonly offset: number;
  /** The most bytes that can follow. */
  readonly bytesLeftMax: number;
}

/** Elements for which the table grows at a time, and the least bytes that one is taken for. */
const STEP = 8192;
const BYTES_MIN = 8;

export class TableRoom {
  readonly #from: ElementBytes;
  #startOffset = 0;
  #reserved = 0;

  constructor(from: ElementBytes) {
    this.#from = from;
  }

  /** The first element of a collection comes next. */
  start(): void {
    this.#startOffset = this.#from.offset;
    this.#reserved = 0;
  }

  /** Makes the table larger; `left` elements are said to come. */
  enlarge(dict: Dict, left: number): void {
    const { count } = dict;
    if (count === 0 || this.#reserved >= count + left) return;
    const { bytesLeftMax, offset } = this.#from;
    const elementBytes = Math.max((offset - this.#startOffset) / count, BYTES_MIN);
    const most = count + Math.min(left, bytesLeftMax / elementBytes);
    this.#reserved = Math.min(Math.max(this.#reserved, count) + STEP, most);
    dict.reserve(this.#reserved);
  }
}
