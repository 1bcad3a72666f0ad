/** Function libraries that commands of an AOF bring, replace and take away. */
import { describe, expect, it } from 'vitest';
import { Args } from '../../../src/core/resp/args.ts';
import { KeptFunctions } from '../../../src/server/persistence/kept-functions.ts';

const source = (name: string, body = ''): Buffer => Buffer.from(`#!lua name=${name}\n${body}`);

function take(kept: KeptFunctions, ...words: (string | Buffer)[]): boolean {
  const args = new Args();
  args.setTo(words.map((word) => Buffer.from(word)));
  return kept.take(args);
}

const names = (kept: KeptFunctions): string[] =>
  kept.sources.map((one) => Buffer.from(one).toString('latin1').replace('\n', ' ').trim());

/** What FUNCTION DUMP gives; nobody compares its last ten bytes here. */
const payload = (...sources: Buffer[]): Buffer => {
  const parts = sources.map((one) => Buffer.concat([Buffer.from([0xf5, one.length]), one]));
  return Buffer.concat([...parts, Buffer.alloc(10)]);
};

describe('kept functions', () => {
  it('are loaded, replaced by name, deleted and flushed', () => {
    const kept = new KeptFunctions();
    expect(take(kept, 'FUNCTION', 'LOAD', source('a'))).toBe(true);
    expect(take(kept, 'function', 'load', 'REPLACE', source('b'))).toBe(true);
    expect(take(kept, 'FUNCTION', 'LOAD', 'replace', source('a', 'return 1'))).toBe(true);
    expect(names(kept)).toEqual(['#!lua name=a return 1', '#!lua name=b']);
    expect(take(kept, 'FUNCTION', 'DELETE', 'a')).toBe(true);
    expect(names(kept)).toEqual(['#!lua name=b']);
    for (const word of ['ASYNC', 'SYNC', '']) {
      kept.add([source('c')]);
      expect(take(kept, ...['FUNCTION', 'FLUSH', word].filter(Boolean))).toBe(true);
      expect(names(kept)).toEqual([]);
    }
  });

  it('have the name that stands in their first line, in quotes or not', () => {
    const kept = new KeptFunctions();
    kept.add([
      Buffer.from('#!lua name="a"\n'),
      Buffer.from('#!lua engine=x  name=b\nlocal s = " name=c"'),
      Buffer.from('no name\n name=d'),
    ]);
    for (const name of ['"a"', 'c', 'd', '"b"']) take(kept, 'FUNCTION', 'DELETE', name);
    expect(kept.sources).toHaveLength(3);
    for (const name of ['a', 'b', 'no name']) take(kept, 'FUNCTION', 'DELETE', name);
    expect(kept.sources).toHaveLength(0);
  });

  it('come from a payload of FUNCTION DUMP, beside those that are there or in their place', () => {
    const kept = new KeptFunctions();
    kept.add([source('a')]);
    expect(take(kept, 'FUNCTION', 'RESTORE', payload(source('b'), source('c')))).toBe(true);
    expect(names(kept)).toEqual(['#!lua name=a', '#!lua name=b', '#!lua name=c']);
    take(kept, 'FUNCTION', 'RESTORE', payload(source('b', 'new')), 'REPLACE');
    expect(names(kept)).toEqual(['#!lua name=a', '#!lua name=b new', '#!lua name=c']);
    take(kept, 'FUNCTION', 'RESTORE', payload(source('d')), 'FLUSH');
    expect(names(kept)).toEqual(['#!lua name=d']);
    expect(take(kept, 'FUNCTION', 'RESTORE', payload(), 'APPEND')).toBe(true);
    expect(take(kept, 'FUNCTION', 'RESTORE', 'short')).toBe(true);
    const other = Buffer.concat([Buffer.from([0, 1, 97]), Buffer.alloc(10)]);
    expect(() => take(kept, 'FUNCTION', 'RESTORE', other)).toThrow(/functions holds none/);
    expect(names(kept)).toEqual(['#!lua name=d']);
  });

  it('have nothing to do with other commands', () => {
    const kept = new KeptFunctions();
    kept.add([source('a')]);
    for (const words of [
      ['FUNCTION'],
      ['FUNCTION', 'LIST'],
      ['FUNCTION', 'DELETE'],
      ['FUNCTION', 'RESTORE'],
      ['SET', 'flush'],
      ['SCRIPT', 'FLUSH'],
    ]) {
      expect([words, take(kept, ...words)]).toEqual([words, false]);
    }
    expect(names(kept)).toEqual(['#!lua name=a']);
  });
});
