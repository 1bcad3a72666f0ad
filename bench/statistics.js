/** Small statistics over measurements. */

/** @type {(numbers: number[]) => number} */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? high) + high) / 2;
}

/**
 * The median of a[i] / b[i]: rounds are paired, so what slows a whole round cancels out.
 * @type {(a: number[], b: number[]) => number}
 */
export function medianRatio(a, b) {
  return median(a.map((value, i) => value / (b[i] ?? Number.NaN)));
}

/** @type {(value: number, digits?: number) => number} */
export function rounded(value, digits = 2) {
  return Number(value.toFixed(digits));
}
