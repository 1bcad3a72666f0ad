/**
 * Dumps kept in fixtures/rdb: three of a real server (7.0.15), the others made by hand, each named
 * after what it shows.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkRdb } from '../../../src/persistence/tools/check-rdb.ts';
import { contents, fileReader, fixture, latin1, loaded, NOW_MS } from './rdb-support.ts';

const reader = (name: string) => fileReader(readFileSync(fixture(name)));
const values = (name: string): Record<string, string> =>
  Object.fromEntries(contents(loaded(reader(name)).keyspace));

describe('a dump of a real server', () => {
  it('gives all encodings of strings, two databases, expiries and a function library', () => {
    expect(values('strings-7.0.15.rdb')).toEqual({
      '0 int8': 'int -1 -128',
      '0 int16': 'int -1 32767',
      '0 int32': 'int -1 -2147483648',
      '0 int64': 'int -1 9223372036854775807',
      '0 plain': 'embstr -1 hello',
      '0 compressed': `raw -1 ${'ab'.repeat(200)}`,
      '0 empty': 'embstr -1 ',
      '0 12': 'embstr 4000000000000 a key of digits',
      '9 other': 'embstr 4000000000000 database',
    });
    const { load } = loaded(reader('strings-7.0.15.rdb'));
    expect(Buffer.from(load.functions[0]!).toString()).toMatch(/^#!lua name=fixture\n/);
    expect([load.version, load.aux.get('redis-ver'), load.keys, load.expires]).toEqual([
      10,
      '7.0.15',
      9,
      2,
    ]);
  });

  it('gives the use of keys', () => {
    const key = latin1('k');
    for (const usage of ['lru', 'lfu'] as const) {
      const { keyspace } = loaded(reader(`${usage}-7.0.15.rdb`), { usage });
      const address = keyspace.peek(keyspace.databases[0]!, key, 0, 1);
      const found = keyspace.usageOf(address);
      if (usage === 'lfu') expect(found & 0xff).toBe(5);
      else expect(keyspace.lruClock - found).toBe(1);
    }
  });
});

describe('a dump made by hand', () => {
  it('of an old version, without checksum and with seconds, is taken', () => {
    expect(values('strings-version-3.rdb')).toEqual({
      '0 plain': 'embstr -1 hello',
      '0 expires': 'int 2000000000000 5',
      '0 packed': `embstr -1 ${'a'.repeat(20)}`,
    });
    expect(values('no-checksum.rdb')).toEqual({ '0 plain': 'embstr -1 hello' });
  });

  it('that is damaged, or not for this server, is refused with its place', () => {
    const refusals: [string, RegExp][] = [
      ['wrong-checksum.rdb', /the checksum is wrong.* at byte 334/],
      ['cut-off.rdb', /ends too early, at byte 200/],
      ['module.rdb', /module type 'fixture-m', which this server cannot load, at byte 25/],
      ['key-twice.rdb', /the key 'a' twice in database 0, at byte 19/],
    ];
    for (const [name, text] of refusals) expect(() => loaded(reader(name)), name).toThrow(text);
  });

  it('is judged by the checker', () => {
    const verdicts = Object.entries({
      'strings-7.0.15.rdb': true,
      'strings-version-3.rdb': true,
      'no-checksum.rdb': true,
      'module.rdb': true,
      'key-twice.rdb': true,
      'wrong-checksum.rdb': false,
      'cut-off.rdb': false,
    });
    for (const [name, ok] of verdicts) expect(checkRdb(reader(name), NOW_MS).ok, name).toBe(ok);
  });
});
