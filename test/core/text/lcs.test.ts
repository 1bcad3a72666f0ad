/** The longest common subsequence: by example, by property, and as a real server reports it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lcs, lcsLength, lcsRefusal } from '../../../src/core/text/lcs.ts';
import { Random } from '../../support/random.ts';
import { guarded, noOracle, plain, textOf, useOracle } from './oracle.ts';

function computed(first: string, second: string, rangeLengthMin: number) {
  const a = guarded(first);
  const b = guarded(second);
  const result = lcs(a.buf, a.off, a.len, b.buf, b.off, b.len, rangeLengthMin);
  expect(lcsLength(a.buf, a.off, a.len, b.buf, b.off, b.len)).toBe(result.text.length);
  return result;
}

function isSubsequence(part: string, whole: string): boolean {
  let at = 0;
  for (const c of whole) if (c === part[at]) at++;
  return at === part.length;
}

describe('lcs', () => {
  it('gives what the documentation of LCS shows', () => {
    const result = computed('ohmytext', 'mynewtext', 0);
    expect(textOf(result.text)).toBe('mytext');
    expect(result.ranges).toEqual([
      { aStart: 4, bStart: 5, length: 4 },
      { aStart: 2, bStart: 0, length: 2 },
    ]);
    expect(computed('ohmytext', 'mynewtext', 4).ranges).toHaveLength(1);
  });

  it('handles empty strings', () => {
    expect(computed('', 'abc', 0)).toEqual({ text: new Uint8Array(0), ranges: [] });
    expect(computed('abc', '', 0)).toEqual({ text: new Uint8Array(0), ranges: [] });
  });

  it('gives ranges that spell the subsequence', () => {
    const word = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 30 });
    fc.assert(
      fc.property(word, word, (left, right) => {
        const [first, second] = [left.join(''), right.join('')];
        const { text, ranges } = computed(first, second, 0);
        const pieces = [...ranges].reverse();
        expect(pieces.map((r) => first.slice(r.aStart, r.aStart + r.length)).join('')).toBe(
          textOf(text),
        );
        expect(pieces.map((r) => second.slice(r.bStart, r.bStart + r.length)).join('')).toBe(
          textOf(text),
        );
        expect(isSubsequence(textOf(text), first) && isSubsequence(textOf(text), second)).toBe(
          true,
        );
      }),
    );
  });

  it('refuses tables beyond the limit, with the message of Redis', () => {
    expect(lcsRefusal(1023, 1023, 4 * 1024 * 1024)).toBeUndefined();
    expect(lcsRefusal(1024, 1023, 4 * 1024 * 1024)).toMatch(/exceeds proto-max-bulk-len$/);
    expect(lcsRefusal(0xffff_fffe, 0, 2 ** 50)).toBe('ERR String too long for LCS');
  });
});

describe.skipIf(noOracle)('lcs against a real server', () => {
  const ask = useOracle();
  const random = new Random(0x1c5);

  it('gives the same text, length and ranges', async () => {
    // A word of the table holds 32 cells.
    const cases = random.list(600, 600, () => {
      const letters = random.pick(['ab', 'abcd', 'abcdefghijklmnop\x00\xff']);
      const most = random.pick([8, 33, 40, 150]);
      const word = () => random.list(0, most, () => random.pick([...letters])).join('');
      const minimum = random.chance(0.5) ? 0 : random.between(0, 4);
      const shared = word();
      return random.chance(0.3)
        ? { a: word() + shared + word(), b: word() + shared + word(), minimum }
        : { a: word(), b: word(), minimum };
    });
    const replies = await ask(
      cases.flatMap(({ a, b, minimum }) => [
        ['MSET', 'a', a, 'b', b],
        ['LCS', 'a', 'b'],
        ['LCS', 'a', 'b', 'LEN'],
        ['LCS', 'a', 'b', 'IDX', 'MINMATCHLEN', minimum, 'WITHMATCHLEN'],
      ]),
    );
    for (const [i, { a, b, minimum }] of cases.entries()) {
      const result = computed(a, b, minimum);
      const matches = result.ranges.map(({ aStart, bStart, length }) => [
        [aStart, aStart + length - 1],
        [bStart, bStart + length - 1],
        length,
      ]);
      expect([textOf(result.text), result.text.length]).toEqual(
        replies.slice(4 * i + 1, 4 * i + 3),
      );
      expect(['matches', matches, 'len', result.text.length]).toEqual(replies[4 * i + 3]);
    }
  });

  it('is refused where Redis refuses', async () => {
    await ask([
      ['CONFIG', 'SET', 'proto-max-bulk-len', 1048576],
      ['MSET', 'a', 'x'.repeat(511), 'b', 'y'.repeat(511), 'c', 'z'.repeat(512)],
    ]);
    const [fits, refused] = await ask([
      ['LCS', 'a', 'b', 'LEN'],
      ['LCS', 'a', 'c', 'LEN'],
    ]);
    expect([fits, lcsRefusal(511, 511, 1048576)]).toEqual([0, undefined]);
    expect(plain(refused)).toBe(lcsRefusal(511, 512, 1048576));
  });
});
