/** Glob matching: its corners by example, and random patterns against a real server. */
import { describe, expect, it } from 'vitest';
import { globMatch } from '../../../src/core/text/glob.ts';
import { Random } from '../../support/random.ts';
import { guarded, noOracle, useOracle } from './oracle.ts';

function matches(pattern: string, text: string, nocase = false): boolean {
  const p = guarded(pattern);
  const s = guarded(text);
  return globMatch(p.buf, p.off, p.len, s.buf, s.off, s.len, nocase);
}

describe('globMatch', () => {
  it.each([
    ['', '', true],
    ['', 'a', false],
    ['*', '', false],
    ['*', 'abc', true],
    ['**', 'abc', true],
    ['a*', 'a', true],
    ['a**', 'a', true],
    ['*a', 'ba', true],
    ['*a', 'ab', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['[abc]', 'b', true],
    ['[^abc]', 'b', false],
    ['[^abc]', 'd', true],
    ['[a-c]x', 'bx', true],
    ['[c-a]x', 'bx', true],
    ['[a-', 'a', true],
    ['[a-', '-', true],
    ['[ab', 'b', true],
    ['[^', 'b', true],
    ['[', 'b', false],
    ['[a-]x', 'ax', false],
    ['[]', ']', false],
    ['[\\]]', ']', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['\\', '\\', true],
    ['h*llo*w?rld*', 'heeello, world!', true],
    ['[\x80-\x05]', '\xff', true],
    ['[\x01-\xff]', '\x00', true],
    ['[\x01-\xff]', 'a', false],
  ])('with %j on %j gives %s', (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });

  it('folds case only when told to, and never for an escaped byte in a class', () => {
    expect(matches('AbC', 'aBc')).toBe(false);
    expect(matches('AbC', 'aBc', true)).toBe(true);
    expect(matches('[A-C]', 'b', true)).toBe(true);
    expect(matches('[\\A]', 'a', true)).toBe(false);
    expect(matches('\\A', 'a', true)).toBe(true);
  });

  it('needs no exponential time for many stars', () => {
    const pattern = `${'a*'.repeat(500)}b`;
    expect(matches(pattern, 'a'.repeat(20_000))).toBe(false);
    expect(matches(`${pattern}*`, `${'a'.repeat(20_000)}b`)).toBe(true);
  });
});

describe.skipIf(noOracle)('globMatch against a real server', () => {
  const ask = useOracle();
  const random = new Random(0x61b);
  const alphabet = ['a', 'b', 'c', 'B', '-', ']', '^', '\\', '[', '*', '\x80', '\xff', '\x00'];
  const word = (max: number) => random.list(0, max, () => random.pick(alphabet)).join('');

  it('agrees on random patterns and strings', async () => {
    const strings = [...new Set(random.list(120, 120, () => word(6)))];
    const pieces = [...alphabet, '*', '*', '?', '[', '[^', 'a-c', 'c-a', '\x80-b', ']', '\\*'];
    const patterns = random.list(3000, 3000, () =>
      random.list(1, 7, () => random.pick(pieces)).join(''),
    );
    const tried = patterns.filter((pattern) => pattern !== '*');
    await ask([
      ['DEL', 'h'],
      ['HSET', 'h', ...strings.flatMap((s) => [s, '1'])],
    ]);
    const replies = await ask(tried.map((p) => ['HSCAN', 'h', 0, 'MATCH', p, 'COUNT', 100_000]));
    let hits = 0;
    for (const [i, pattern] of tried.entries()) {
      const reply = replies[i];
      if (!Array.isArray(reply) || !Array.isArray(reply[1])) throw new Error('no HSCAN reply');
      const found = reply[1].filter((_, at) => at % 2 === 0).sort();
      hits += found.length;
      expect({ pattern, found: strings.filter((s) => matches(pattern, s)).sort() }).toEqual({
        pattern,
        found,
      });
    }
    expect(hits).toBeGreaterThan(1000);
  });

  it('agrees on patterns that ignore case', async () => {
    const [names] = await ask([['COMMAND', 'LIST']]);
    if (!Array.isArray(names)) throw new Error('no COMMAND LIST reply');
    const pieces = ['S', 'g', 'E', 't', '*', '?', '[S-z]', '[^A]', '[\\G]', '[\x80-Z]', 'r', 'X'];
    const patterns = random.list(300, 300, () =>
      random.list(1, 5, () => random.pick(pieces)).join(''),
    );
    const lists = await ask(patterns.map((p) => ['COMMAND', 'LIST', 'FILTERBY', 'PATTERN', p]));
    for (const [i, pattern] of patterns.entries()) {
      const list = lists[i];
      if (!Array.isArray(list)) throw new Error('no filtered list');
      const mine = names.filter((name) => matches(pattern, String(name), true));
      expect({ pattern, list: mine.sort() }).toEqual({ pattern, list: list.sort() });
    }
  });
});
