/** Splitting lines into arguments: by example, and as a real server splits inline commands. */
import { describe, expect, it } from 'vitest';
import { splitArgs } from '../../../src/core/text/args-split.ts';
import { Random } from '../../support/random.ts';
import { startRealServer } from '../../support/real-server.ts';
import { bytesOf, noOracle, plain, textOf } from './oracle.ts';

function split(line: string): string[] | undefined {
  return splitArgs(bytesOf(line))?.map(textOf);
}

describe('splitArgs', () => {
  it.each<[string, string[] | undefined]>([
    ['', []],
    [' \t\r\n\v\f', []],
    ['set key value', ['set', 'key', 'value']],
    ['  a   b\t\r\nc ', ['a', 'b', 'c']],
    ['a\vb \fc', ['a\vb', 'c']],
    ['"" \'\'', ['', '']],
    ['"a b" \'c d\'', ['a b', 'c d']],
    ['"\\n\\r\\t\\b\\a\\\\\\"\\q"', ['\n\r\t\b\x07\\"q']],
    ['"\\x41\\xfF\\x4g\\x"', ['A\xffx4gx']],
    ["'\\n\\' x'", ["\\n' x"]],
    ["'\\n\\'\\\\'", undefined],
    ['plain"quoted part"', ['plainquoted part']],
    ["it\\'s", undefined],
    ['a\\nb', ['a\\nb']],
    ['"open', undefined],
    ["'open", undefined],
    ['"a"b', undefined],
    ['\'a\'"b"', undefined],
    ['"a\\', undefined],
    ['"a\\"', undefined],
    ['a\0b c', ['a']],
    ['"a\0"', undefined],
  ])('%j', (line, args) => {
    expect(split(line)).toEqual(args);
  });

  it('takes a string as its UTF-8 bytes', () => {
    expect(splitArgs('save é')?.map((arg) => Buffer.from(arg).toString())).toEqual(['save', 'é']);
  });

  it('gives arguments that do not share bytes with the line', () => {
    const line = bytesOf('abc def');
    const args = splitArgs(line);
    line.fill(0x21);
    expect(args?.map(textOf)).toEqual(['abc', 'def']);
  });
});

describe.skipIf(noOracle)('splitArgs against inline commands of a real server', () => {
  it('splits alike, and refuses alike', async () => {
    const random = new Random(0x5d5);
    const pieces = [
      '"',
      '"',
      "'",
      '\\',
      '\\x4',
      '\\xff',
      'a',
      'b',
      ' ',
      ' ',
      '\t',
      '\v',
      '\\n',
      '\\"',
    ];
    const server = await startRealServer();
    try {
      let client = await server.connect();
      for (let i = 0; i < 400; i++) {
        const line = random.list(0, 10, () => random.pick(pieces)).join('');
        const expected = split(`EVAL "return ARGV" 0 ${line}`);
        client.write(`EVAL "return ARGV" 0 ${line}\r\n`);
        const { value } = await client.read();
        if (expected === undefined) {
          expect(plain(value), line).toBe('ERR Protocol error: unbalanced quotes in request');
          client.close();
          client = await server.connect();
        } else {
          expect(value, line).toEqual(expected.slice(3));
        }
      }
      client.close();
    } finally {
      await server.close();
    }
  });
});
