/**
 * Arguments: what very many of them took is not kept once they are released.
 */
import { expect, it } from 'vitest';
import { Args } from '../../../src/core/resp/args.ts';
import { latin1Bytes } from '../../../src/core/text/latin1.ts';

it('keeps no room for very many when they are released, and takes them again', () => {
  const args = new Args();
  const word = latin1Bytes('word');
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 100_000; i++) args.push(word, i % 4, 1);
    expect(args.text(99_999)).toBe('d');
    args.release();
    expect(args.count).toBe(0);
    expect(args.offsets.length + args.lengths.length).toBeLessThan(1000);
  }
});
