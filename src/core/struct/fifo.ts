/**
 * A queue of any length: what came first goes first, and both cost the same at every length.
 *
 *     head                                     tail
 *     [ gone gone x x ... x ] -> [ x ... x ] -> [ x x x ]      segments of 1,024 items
 *                 ^ at
 *
 * V8 moves all of an array that is longer than about 16,000 items when its first is taken out
 * (measured: 40 us a `shift` of 30,000 items, 2.6 ms of a million).
 *
 * Invariants: only the tail has room; `at` is an item of the head, unless there is none at all.
 */

const SEGMENT_ITEMS = 1024;

interface Segment<T> {
  readonly items: (T | undefined)[];
  next: Segment<T> | null;
}

export class Fifo<T> {
  length = 0;
  private head: Segment<T> = { items: [], next: null };
  private tail = this.head;
  private at = 0;

  /** The item that goes next. */
  get first(): T | undefined {
    return this.head.items[this.at];
  }

  push(item: T): void {
    if (this.tail.items.length === SEGMENT_ITEMS) {
      const fresh: Segment<T> = { items: [], next: null };
      this.tail.next = fresh;
      this.tail = fresh;
    }
    this.tail.items.push(item);
    this.length++;
  }

  /** Takes the first item out. */
  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const { items, next } = this.head;
    const item = items[this.at];
    items[this.at++] = undefined; // nobody but the caller holds it any more
    if (--this.length === 0) {
      items.length = 0;
      this.at = 0;
    } else if (next !== null && this.at === SEGMENT_ITEMS) {
      this.head = next;
      this.at = 0;
    }
    return item;
  }
}
