/** The shrinker: what it keeps fails, nothing in it can go, and a budget ends it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shrink } from './shrink.ts';

const plenty = { runsMax: 1_000_000, timeMsMax: 60_000 };

describe('shrink', () => {
  it('finds exactly the items that are needed together', async () => {
    const lengths = fc.integer({ min: 1, max: 90 });
    const cases = lengths.chain((length) =>
      fc.record({
        length: fc.constant(length),
        needed: fc.uniqueArray(fc.integer({ min: 0, max: length - 1 }), { minLength: 1 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ({ length, needed }) => {
        const items = Array.from({ length }, (_, i) => i);
        const fails = async (part: readonly number[]) => needed.every((n) => part.includes(n));
        expect(await shrink(items, fails, plenty)).toEqual([...needed].sort((a, b) => a - b));
      }),
      { numRuns: 100 },
    );
  });

  it('stops when its runs are used up, with something that still fails', async () => {
    const items = Array.from({ length: 64 }, (_, i) => i);
    let runs = 0;
    const fails = async (part: readonly number[]) => {
      runs++;
      return part.includes(3) && part.includes(60);
    };
    const best = await shrink(items, fails, { runsMax: 5, timeMsMax: 60_000 });
    expect(runs).toBeLessThanOrEqual(5);
    expect(best).toEqual(expect.arrayContaining([3, 60]));
  });
});
