/** Amounts of memory: by example, and as a real server's CONFIG SET takes them. */
import { describe, expect, it } from 'vitest';
import { parseMemory } from '../../../src/core/text/memory-units.ts';
import { ReplyError } from '../../support/resp-reader.ts';
import { noOracle, useOracle } from './oracle.ts';

const AMOUNTS = [
  ...[
    '',
    '0',
    'b',
    'mb',
    '1',
    '1b',
    '2B',
    '3k',
    '3K',
    '3kb',
    '3KB',
    '3kB',
    '4m',
    '4Mb',
    '5g',
    '5gB',
  ],
  ...['-1', '+1', ' 1', '1 ', '1 gb', '1.5gb', '1t', '1kk', '0x10', 'gbb', '1gb\n', '007'],
  ...['18446744073709551615', '18446744073709551616', '17179869185gb', '99999999999999999999gb'],
  ...['9'.repeat(127), '9'.repeat(128), `${'0'.repeat(126)}7`, `${'0'.repeat(128)}7`],
];

describe('parseMemory', () => {
  it.each([
    ['100', 100],
    ['1k', 1000],
    ['1Kb', 1024],
    ['1m', 1_000_000],
    ['1mb', 1_048_576],
    ['2g', 2_000_000_000],
    ['2GB', 2_147_483_648],
    ['', 0],
    ['1.5gb', undefined],
    ['-1', undefined],
    ['1tb', undefined],
  ])('%j is %s', (text, bytes) => {
    expect(parseMemory(text)).toBe(bytes);
  });
});

describe.skipIf(noOracle)('parseMemory against a real server', () => {
  const ask = useOracle();

  it('accepts the same amounts and means the same', async () => {
    const replies = await ask(
      AMOUNTS.flatMap((text) => [
        ['CONFIG', 'SET', 'maxmemory', text],
        ['CONFIG', 'GET', 'maxmemory'],
      ]),
    );
    for (const [i, text] of AMOUNTS.entries()) {
      const value = parseMemory(text);
      const refused = replies[2 * i] instanceof ReplyError;
      expect({ text, refused: value === undefined }).toEqual({ text, refused });
      const got = replies[2 * i + 1];
      if (!refused && Array.isArray(got))
        expect({ text, value }).toEqual({ text, value: Number(got[1]) });
    }
  });
});
