/** Picks by chance: every element alike, every subset alike, in both ways of drawing them. */
import { describe, expect, test } from 'vitest';
import { type PickSource, RandomPicks } from '../../../src/server/commands/random-picks.ts';
import { Random } from '../../support/random.ts';

const dice = new Random(20260101);
const random = (): number => Math.floor(dice.next() * 2 ** 32);

/** The refs 1 to `count`. */
class Numbers implements PickSource {
  readonly count: number;
  readonly isCompact: boolean;
  ref = 0;

  constructor(count: number, isCompact: boolean) {
    this.count = count;
    this.isCompact = isCompact;
  }

  step(): boolean {
    if (this.ref === this.count) return false;
    this.ref++;
    return true;
  }

  pick(source: () => number): number {
    return 1 + (source() % this.count);
  }
}

function chiSquare(counts: ReadonlyMap<string, number>, kinds: number, draws: number): number {
  const expected = draws / kinds;
  expect(counts.size).toBe(kinds);
  return [...counts.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
}

function tally(draws: number, draw: () => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i < draws; i++) {
    const key = draw();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** Above it once in 10,000 runs with other dice. */
const limits = { dof11: 37, dof44: 91, dof65: 118 };

describe('picks by chance', () => {
  const picks = new RandomPicks();

  const subset = (source: PickSource, wanted: number): string => {
    picks.distinct(source, wanted, random);
    const refs = [...picks.refs.subarray(0, picks.count)];
    expect(new Set(refs).size).toBe(wanted);
    return refs.sort((a, b) => a - b).join(' ');
  };

  test('of several different elements give all subsets alike', () => {
    const compact = tally(20_000, () => subset(new Numbers(10, true), 2));
    expect(chiSquare(compact, 45, 20_000)).toBeLessThan(limits.dof44);
    const most = tally(20_000, () => subset(new Numbers(12, false), 10));
    expect(chiSquare(most, 66, 20_000)).toBeLessThan(limits.dof65);
    const few = tally(20_000, () => subset(new Numbers(12, false), 2));
    expect(chiSquare(few, 66, 20_000)).toBeLessThan(limits.dof65);
  });

  test('of any element, again and again, give all alike', () => {
    for (const isCompact of [true, false]) {
      picks.repeated(new Numbers(12, isCompact), random);
      const counts = tally(20_000, () => String(picks.one()));
      expect(chiSquare(counts, 12, 20_000)).toBeLessThan(limits.dof11);
    }
  });

  test('hold more refs than the first room has', () => {
    picks.all(new Numbers(100_000, true));
    expect(picks.count).toBe(100_000);
    expect(picks.refs[99_999]).toBe(100_000);
    picks.clear();
    expect(picks.refs.length).toBeLessThan(1000);
  });
});
