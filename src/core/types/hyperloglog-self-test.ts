/**
 * PFSELFTEST: whether HyperLogLogs count right on this machine, with bytes of their own.
 *
 *     1  dense registers hold what is written, whatever their neighbours hold
 *     2  random elements are estimated within six standard errors, by powers of ten
 *     3  as long as the sparse form has room, it estimates exactly like the dense one
 *
 * A million elements: about a third of a second, in which the server does nothing else.
 */
import { DENSE_BYTES, denseGet, denseHistogram, denseRaise } from './hyperloglog-dense.ts';
import { HISTOGRAM_SIZE, hashed, hllEstimate, hllHash } from './hyperloglog-estimate.ts';
import {
  HLL_HEAD_BYTES,
  HLL_REGISTERS,
  SPARSE_EDIT,
  SPARSE_FULL,
  SPARSE_GROWTH_MAX,
  sparseApply,
  sparseHistogram,
  sparseInit,
  sparsePlan,
} from './hyperloglog-sparse.ts';

const CYCLES = 20;
const ELEMENTS = 1_000_000;
const SPARSE_BYTES_MAX = 3000;
const ELEMENT_BYTES = 8;
const STANDARD_ERROR = 1.04 / Math.sqrt(HLL_REGISTERS);

/**
 * Runs the checks of PFSELFTEST. Returns what is wrong, or undefined; `random` gives 32 random
 * bits.
 */
export function hllSelfTest(random: () => number): string | undefined {
  return testRegisters(random) ?? testEstimates(random);
}

function testRegisters(random: () => number): string | undefined {
  const expected = new Uint8Array(HLL_REGISTERS);
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const dense = new Uint8Array(DENSE_BYTES);
    for (let i = 0; i < HLL_REGISTERS; i++) {
      expected[i] = random() & 63;
      denseRaise(dense, 0, i, expected[i]!);
    }
    for (let i = 0; i < HLL_REGISTERS; i++) {
      const held = denseGet(dense, 0, i);
      if (held !== expected[i]) return `Register ${i} should be ${expected[i]} but is ${held}`;
    }
  }
  return undefined;
}

/** A HyperLogLog of each form, fed alike. */
class Pair {
  readonly dense = new Uint8Array(DENSE_BYTES);
  readonly sparse = new Uint8Array(SPARSE_BYTES_MAX + SPARSE_GROWTH_MAX);
  sparseLength = HLL_HEAD_BYTES + sparseInit(this.sparse, HLL_HEAD_BYTES);
  /** The sparse one is full, and out of the test. */
  isFull = false;

  add(element: Uint8Array): void {
    hllHash(element, 0, element.length);
    const { register, count } = hashed;
    denseRaise(this.dense, 0, register, count);
    if (this.isFull) return;
    const { sparse, sparseLength } = this;
    const plan = sparsePlan(sparse, 0, sparseLength, register, count, SPARSE_BYTES_MAX);
    this.isFull = plan === SPARSE_FULL;
    if (plan === SPARSE_EDIT) this.sparseLength = sparseApply(sparse, 0, sparseLength);
  }

  /** What is wrong after `count` elements, or undefined. */
  check(count: number): string | undefined {
    const histogram = new Uint32Array(HISTOGRAM_SIZE);
    denseHistogram(this.dense, 0, histogram);
    const estimate = hllEstimate(histogram);
    const errorMax = count === 10 ? 1 : Math.ceil(STANDARD_ERROR * 6 * count);
    if (Math.abs(estimate - count) > errorMax) return `${count} were estimated as ${estimate}`;
    if (this.isFull) return undefined;
    const other = new Uint32Array(HISTOGRAM_SIZE);
    const isWhole = sparseHistogram(this.sparse, 0, this.sparseLength, other);
    const isSame = isWhole && hllEstimate(other) === estimate;
    return isSame ? undefined : `the dense and the sparse form differ after ${count} elements`;
  }
}

function testEstimates(random: () => number): string | undefined {
  const pair = new Pair();
  const element = new Uint8Array(ELEMENT_BYTES);
  const words = new Uint32Array(element.buffer);
  words[1] = random();
  const start = random();
  let checkpoint = 1;
  for (let i = 1; i <= ELEMENTS; i++) {
    words[0] = start + i;
    pair.add(element);
    if (i !== checkpoint) continue;
    const wrong = pair.check(i);
    if (wrong !== undefined) return wrong;
    checkpoint *= 10;
  }
  return undefined;
}
