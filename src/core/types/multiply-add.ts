/**
 * The fused multiply-add that processors have and JavaScript has not: a b + c, rounded once.
 *
 * The product is taken apart into its double and what that misses, exactly; then the sum is. What
 * both miss is added at the end. That is rounded once more, which shows only within 2^-50 of a tie.
 * Nothing may overflow or vanish: factors from 2^-400 to 2^400.
 *
 * Source: T. J. Dekker, "A Floating-Point Technique for Extending the Available Precision" (1971).
 */

/** Cuts a double into two halves of 26 bits. */
const SPLITTER = 0x8000001;

export function multiplyAdd(a: number, b: number, c: number): number {
  const product = a * b;
  const aTop = a * SPLITTER - (a * SPLITTER - a);
  const bTop = b * SPLITTER - (b * SPLITTER - b);
  const aRest = a - aTop;
  const bRest = b - bTop;
  const missed = aTop * bTop - product + aTop * bRest + aRest * bTop + aRest * bRest;
  const sum = product + c;
  const part = sum - product;
  return sum + (product - (sum - part) + (c - part) + missed);
}
