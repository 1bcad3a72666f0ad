/**
 * The order of SORT: what elements are compared by, and how they are put in order.
 *
 * By number, equal ones in the order of their bytes; by text (ALPHA), equal ones as they came.
 * Texts are compared byte by byte; a result that is shown, as opposed to stored, compares them up
 * to a zero byte only.
 *
 * With BY and LIMIT the real server sorts no more than the part that is asked for, and equal texts
 * change places; for the same order the same steps are taken here (struct/partial-sort.ts).
 */
import { PartialSort } from '../../core/struct/partial-sort.ts';
import { parseDouble } from '../../core/text/double.ts';
import { textEnd } from './sort-pattern.ts';

const BLANKS = [32, 9, 10, 11, 12, 13];
/** The least number in the normal range. */
const NORMAL_MIN = 2 ** -1022;

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
  new ItemSort(items, compare).sortPart(items.length, first, last);
}

class ItemSort extends PartialSort {
  private readonly items: SortItem[];
  private readonly compare: Compare;

  constructor(items: SortItem[], compare: Compare) {
    super();
    this.items = items;
    this.compare = compare;
  }

  protected order(i: number, k: number): number {
    return this.compare(this.items[i]!, this.items[k]!);
  }

  protected swap(i: number, k: number): void {
    const one = this.items[i]!;
    this.items[i] = this.items[k]!;
    this.items[k] = one;
  }
}
