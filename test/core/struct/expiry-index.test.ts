/**
 * The expiry index against a sorted list: order, changes and removals, places kept in the entries.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Arena } from '../../../src/core/memory/arena.ts';
import { ExpiryIndex } from '../../../src/core/struct/expiry-index.ts';

test('the next one due is always the earliest of those that are left', () => {
  const operation = fc.record({
    kind: fc.integer({ min: 0, max: 3 }),
    time: fc.integer({ min: 0, max: 1000 }),
    pick: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 800 }), (operations) => {
      const arena = new Arena();
      const index = new ExpiryIndex(arena, () => 0);
      const model = new Map<number, number>();
      const placeOf = (address: number): number =>
        arena.words(address)[arena.wordOffset(address)] ?? -1;
      for (const { kind, time, pick } of operations) {
        const some = [...model.keys()][pick % Math.max(1, model.size)];
        if (kind < 2 || some === undefined) {
          const address = arena.alloc(8);
          index.insert(address, time);
          model.set(address, time);
        } else if (kind === 2) {
          index.change(placeOf(some), time);
          model.set(some, time);
        } else {
          index.remove(placeOf(some));
          model.delete(some);
        }
        expect(index.size).toBe(model.size);
        if (model.size > 0) expect(index.timeAt(0)).toBe(Math.min(...model.values()));
      }
      for (const [address, time] of model) {
        expect(index.entryAt(placeOf(address))).toBe(address);
        expect(index.timeAt(placeOf(address))).toBe(time);
      }
    }),
    { numRuns: 100 },
  );
});

test('segments grow and shrink', () => {
  const arena = new Arena();
  const index = new ExpiryIndex(arena, () => 0);
  for (let i = 0; i < 200_000; i++) index.insert(arena.alloc(8), (i * 7919) % 100_003);
  let last = -1;
  while (index.size > 0) {
    const time = index.timeAt(0);
    expect(time).toBeGreaterThanOrEqual(last);
    last = time;
    index.remove(0);
  }
  expect(index.overheadBytes).toBeLessThan(2_000_000);
});
