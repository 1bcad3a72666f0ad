/**
 * Shrinks a failing sequence by delta debugging (Zeller and Hildebrandt, 2002): drop ever smaller
 * pieces as long as what is left still fails, until no single item can go or the budget is used.
 */

export type ShrinkBudget = {
  /** Tries, a run of the whole candidate each. */
  readonly runsMax: number;
  readonly timeMsMax: number;
};

/** The items without those from `start` up to `end`. */
function without<T>(items: readonly T[], start: number, end: number): T[] {
  return [...items.slice(0, start), ...items.slice(end)];
}

/** A smallest failing part of `items`, in order; `items` itself must fail. */
export async function shrink<T>(
  items: readonly T[],
  fails: (candidate: readonly T[]) => Promise<boolean>,
  budget: ShrinkBudget,
): Promise<T[]> {
  const deadline = Date.now() + budget.timeMsMax;
  let runs = 0;
  let best = [...items];
  for (let size = Math.ceil(best.length / 2); size >= 1; ) {
    let dropped = false;
    for (let start = Math.max(0, best.length - size); best.length > 1; start -= size) {
      if (runs++ >= budget.runsMax || Date.now() > deadline) return best;
      const from = Math.max(0, start);
      const candidate = without(best, from, start + size);
      if (candidate.length < best.length && (await fails(candidate))) {
        best = candidate;
        dropped = true;
      }
      if (from === 0) break;
    }
    if (size === 1 && !dropped) return best;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
  return best;
}
