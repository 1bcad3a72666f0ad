/**
 * Sorts no more than a part of a sequence is known by: the elements that belong at places `first`
 * to `last` get there, the others stand anywhere.
 *
 * Redis sorts so where a limit is given (SORT, GEOSEARCH), by a quicksort under which equal
 * elements change places. Callers who want its results have to take the same steps, so these are
 * they: the pivot is the middle of three, or of nine; elements equal to it gather at both ends and
 * are swapped into the middle; parts of less than seven are sorted by insertion.
 *
 *     [ equal | less | not looked at | greater | equal ]
 *     start    a      b               c         d     end
 *
 * Source: J. L. Bentley and M. D. McIlroy, "Engineering a Sort Function" (1993).
 */
const SMALL = 7;
const LARGE = 40;

export abstract class PartialSort {
  private first = 0;
  private last = 0;

  /**
   * Compares the element at place `i` with the one at `k`. Returns less than 0, 0 or more than 0.
   */
  protected abstract order(i: number, k: number): number;
  /** Exchanges the elements at two places. */
  protected abstract swap(i: number, k: number): void;

  /** Sorts `count` elements, as far as places `first` to `last` need it. */
  sortPart(count: number, first: number, last: number): void {
    this.first = first;
    this.last = last;
    this.sortRange(0, count);
  }

  private sortRange(start: number, count: number): void {
    if (count < SMALL) {
      this.insert(start, count);
      return;
    }
    this.swap(start, this.pivot(start, count));
    const end = start + count;
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
    if (count > 1 && isWanted) this.sortRange(start, count);
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
}
