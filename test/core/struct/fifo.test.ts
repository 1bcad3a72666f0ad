/**
 * The queue against an array, past the borders of its segments.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fifo } from '../../../src/core/struct/fifo.ts';

test('what came first goes first, however long the queue is', () => {
  const steps = fc.array(fc.integer({ min: -3000, max: 3000 }), { maxLength: 12 });
  fc.assert(
    fc.property(steps, (counts) => {
      const queue = new Fifo<number>();
      const model: number[] = [];
      let gone = 0;
      for (const count of counts) {
        for (let i = 0; i < count; i++) {
          queue.push(model.length);
          model.push(model.length);
        }
        let wrong = 0;
        for (let i = 0; i < -count; i++) {
          if (queue.first !== model[gone] || queue.shift() !== model[gone]) wrong++;
          gone = Math.min(gone + 1, model.length);
        }
        expect(wrong).toBe(0);
        expect([queue.length, queue.first]).toEqual([model.length - gone, model[gone]]);
      }
    }),
    { numRuns: 40 },
  );
});

test('an item that was taken out is held no more', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const queue = new Fifo<object>();
  queue.push({});
  queue.push({});
  const taken = new WeakRef(queue.shift() ?? queue);
  await new Promise(setImmediate);
  collect();
  expect([taken.deref(), queue.length]).toEqual([undefined, 1]);
});
