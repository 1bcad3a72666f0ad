/** The biggest of what is offered, beside those that sorting everything finds. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Biggest } from '../../../src/persistence/tools/biggest.ts';

it('are those of everything sorted, and of equals those that came first', () => {
  const sizes = fc.array(fc.nat(30), { maxLength: 200 });
  fc.assert(
    fc.property(sizes, fc.nat(12), (offered, wanted) => {
      const biggest = new Biggest<number>(wanted);
      for (const [at, size] of offered.entries()) biggest.offer(size, () => at);
      const sorted = [...offered.keys()].sort((a, b) => offered[b]! - offered[a]!);
      expect(biggest.all()).toEqual(sorted.slice(0, wanted));
    }),
  );
});

it('are made only where they may be among them', () => {
  const biggest = new Biggest<number>(2);
  let made = 0;
  for (let size = 1000; size > 0; size--) biggest.offer(size, () => ++made);
  expect([made, biggest.all()]).toEqual([4, [1, 2]]);
});
