/**
 * The order of SORT: what elements are compared by, and how they are put in order.
 *
 * By number, equal ones in the order of their bytes; by text (ALPHA), equal ones as they came.
 * Texts are compared byte by byte; a result that is shown, as opposed to stored, compares them up
 * to a zero byte only.
 *
 * With BY and LIMIT the real server sorts no more than the part that is asked for, by a quicksort
 * under which equal texts change places. For the same order the same steps are taken here.
 * Source: Bentley and McIlroy, "Engineering a Sort Function" (1993).
 */
import { parseDouble } from '../../core/text/double.ts';
import { textEnd } from './sort-pattern.ts';

const BLANKS = [32, 9, 10, 11, 12, 13];
/** The least number in the normal range. */
const NORMAL_MIN = 2 ** -1022;
const SMALL = 7;
const LARGE = 40;

/** An element, and what it is compared by. */
export class SortItem {
  readonly element: Uint8Array;
  score = 0;
  /** Text for ALPHA; null, when BY finds nothing, comes first. */
  text: Uint8Array | null = null;

  constructor(element: Uint8Array) {
    this.element = element;
  }
}

export type Compare = (a: SortItem, b: SortItem) => number;

/**
 * The number that a text means to SORT, NaN when it is none. The empty one means 0; what lies below
 * the normal range is refused as what lies above it is.
 */
export function sortNumber(bytes: Uint8Array): number {
  const end = textEnd(bytes);
  if (end === 0) return 0;
  let start = 0;
  while (start < end && BLANKS.includes(bytes[start]!)) start++;
  const value = parseDouble(bytes, start, end - start);
  return value !== 0 && Math.abs(value) < NORMAL_MIN ? Number.NaN : value;
}

/** Compares by number or by text, upward or downward. */
export function comparison(isText: boolean, isDescending: boolean): Compare {
  const compare = isText ? compareTexts : compareScores;
  return isDescending ? (a, b) => -compare(a, b) : compare;
}

function compareScores(a: SortItem, b: SortItem): number {
  if (a.score !== b.score) return a.score > b.score ? 1 : -1;
  return Buffer.compare(a.element, b.element);
}

function compareTexts(a: SortItem, b: SortItem): number {
  if (a.text === null || b.text === null) {
    return a.text === b.text ? 0 : a.text === null ? -1 : 1;
  }
  return Buffer.compare(a.text, b.text);
}

/** Puts the items from `first` to `last` in their places; the others stand anywhere. */
export function sortPart(items: SortItem[], compare: Compare, first: number, last: number): void {
  new PartialSort(items, compare, first, last).sort(0, items.length);
}

class PartialSort {
  private readonly items: SortItem[];
  private readonly compare: Compare;
  private readonly first: number;
  private readonly last: number;

  constructor(items: SortItem[], compare: Compare, first: number, last: number) {
    this.items = items;
    this.compare = compare;
    this.first = first;
    this.last = last;
  }

  /** Sorts `count` items from `start`, as far as they matter. */
  sort(start: number, count: number): void {
    if (count < SMALL) {
      this.insert(start, count);
      return;
    }
    this.swap(start, this.pivot(start, count));
    const end = start + count;
    // Equal to the pivot up to a, less up to b; greater from c on, equal from d on.
    let a = start + 1;
    let b = a;
    let c = end - 1;
    let d = c;
    for (;;) {
      for (let order = 0; b <= c; b++) {
        order = this.order(b, start);
        if (order > 0) break;
        if (order === 0) this.swap(a++, b);
      }
      for (let order = 0; b <= c; c--) {
        order = this.order(c, start);
        if (order < 0) break;
        if (order === 0) this.swap(c, d--);
      }
      if (b > c) break;
      this.swap(b++, c--);
    }
    this.swapRanges(start, b, Math.min(a - start, b - a));
    this.swapRanges(b, end, Math.min(d - c, end - d - 1));
    this.sortWanted(start, b - a);
    this.sortWanted(end - (d - c), d - c);
  }

  private sortWanted(start: number, count: number): void {
    const isWanted = this.last >= start && this.first < start + count;
    if (count > 1 && isWanted) this.sort(start, count);
  }

  private insert(start: number, count: number): void {
    for (let i = start + 1; i < start + count; i++) {
      for (let k = i; k > start && this.order(k - 1, k) > 0; k--) this.swap(k, k - 1);
    }
  }

  private pivot(start: number, count: number): number {
    const middle = start + (count >> 1);
    if (count === SMALL) return middle;
    const end = start + count - 1;
    if (count <= LARGE) return this.median(start, middle, end);
    const d = count >> 3;
    return this.median(
      this.median(start, start + d, start + 2 * d),
      this.median(middle - d, middle, middle + d),
      this.median(end - 2 * d, end - d, end),
    );
  }

  private median(a: number, b: number, c: number): number {
    if (this.order(a, b) < 0) {
      if (this.order(b, c) < 0) return b;
      return this.order(a, c) < 0 ? c : a;
    }
    if (this.order(b, c) > 0) return b;
    return this.order(a, c) < 0 ? a : c;
  }

  /** Exchanges `count` items from `start` with the last ones before `end`. */
  private swapRanges(start: number, end: number, count: number): void {
    for (let i = 0; i < count; i++) this.swap(start + i, end - count + i);
  }

  private order(a: number, b: number): number {
    return this.compare(this.items[a]!, this.items[b]!);
  }

  private swap(a: number, b: number): void {
    const one = this.items[a]!;
    this.items[a] = this.items[b]!;
    this.items[b] = one;
  }
}
