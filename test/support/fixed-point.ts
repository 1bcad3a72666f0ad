/** Numbers in fixed point, as BigInt with 220 bits behind the point: for exact comparisons. */

export const BITS = 220n;
const ONE = 1n << BITS;

/** A double in fixed point, exactly. */
export function fixed(value: number): bigint {
  let mantissa = value;
  let shift = 0n;
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    shift++;
  }
  return (BigInt(mantissa) << BITS) >> shift;
}

/** The sine (`first` 1) or cosine (0) of a number in fixed point. */
export function series(x: bigint, first: 0 | 1): bigint {
  let term = first === 1 ? x : ONE;
  let sum = 0n;
  for (let n = BigInt(first); term !== 0n && n < 200n; n += 2n) {
    sum += term;
    term = (-term * x * x) / (ONE * ONE) / ((n + 1n) * (n + 2n));
  }
  return sum;
}

export const abs = (x: bigint): bigint => (x < 0n ? -x : x);

const words = new DataView(new ArrayBuffer(8));

/** The doubles next to one. */
export function neighbours(value: number): number[] {
  words.setFloat64(0, value);
  const bits = words.getBigInt64(0);
  return [-1n, 1n].map((step) => {
    words.setBigInt64(0, bits + step);
    return words.getFloat64(0);
  });
}
