/**
 * A stable sort of numbered items that stand in typed arrays: no object, no callback an item.
 *
 *     order   3 0 2 1 ..     items by rank; runs of eight are sorted by insertion,
 *     spare   . . . .        then merged from one array into the other, twice as long each time
 *
 * Two runs of which one ends before the other begins are copied. A subclass says which of two items
 * comes first; of equal ones the one that was added first does.
 */

/** Items of a run that is sorted by insertion. */
const RUN = 8;

export abstract class MergeSort {
  protected order: Uint32Array;
  protected spare: Uint32Array;

  constructor(room: number) {
    this.order = new Uint32Array(room);
    this.spare = new Uint32Array(room);
  }

  /** Whether item `a` comes before item `b`. */
  protected abstract isBefore(a: number, b: number): boolean;

  /** Numbers `count` items as they came. */
  protected number(count: number): void {
    for (let i = 0; i < count; i++) this.order[i] = i;
  }

  /** Puts `count` items, numbered as they came, into order. */
  protected sortItems(count: number): void {
    this.number(count);
    let i = 1;
    while (i < count && !this.isBefore(i, i - 1)) i++;
    if (i >= count) return;
    for (let from = 0; from < count; from += RUN) this.sortRun(from, Math.min(count, from + RUN));
    for (let width = RUN; width < count; width *= 2) {
      for (let from = 0; from < count; from += width * 2) {
        this.merge(from, Math.min(count, from + width), Math.min(count, from + width * 2));
      }
      const merged = this.spare;
      this.spare = this.order;
      this.order = merged;
    }
  }

  /** Sorts order[from .. end) by insertion. */
  private sortRun(from: number, end: number): void {
    const { order } = this;
    for (let i = from + 1; i < end; i++) {
      const item = order[i]!;
      let at = i;
      for (; at > from && this.isBefore(item, order[at - 1]!); at--) order[at] = order[at - 1]!;
      order[at] = item;
    }
  }

  /** Merges order[from .. middle) and order[middle .. end) into `spare`. */
  private merge(from: number, middle: number, end: number): void {
    const { order, spare } = this;
    if (middle === end || !this.isBefore(order[middle]!, order[middle - 1]!)) {
      for (let at = from; at < end; at++) spare[at] = order[at]!;
      return;
    }
    let left = from;
    let right = middle;
    for (let at = from; at < end; at++) {
      const takesRight =
        left === middle || (right < end && this.isBefore(order[right]!, order[left]!));
      spare[at] = takesRight ? order[right++]! : order[left++]!;
    }
  }
}
