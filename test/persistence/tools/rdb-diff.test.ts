/**
 * Comparing and counting what is in RDB files, over bytes written by hand: what makes a difference
 * and what does not, and what is counted where.
 */
import { describe, expect, it } from 'vitest';
import { diffRdb, type RdbDifference } from '../../../src/persistence/tools/rdb-diff.ts';
import { rdbStatistics } from '../../../src/persistence/tools/rdb-statistics.ts';
import { blob, int64, listpack } from '../rdb/rdb-packed.ts';
import { fileReader, NOW_MS, type RdbPart, rdbOf, text } from '../rdb/rdb-support.ts';

const wants = (): boolean => true;

describe('a comparison', () => {
  function compare(a: Uint8Array, b: Uint8Array, ignoreTtl = false): [string[], boolean] {
    const found: string[] = [];
    const note = ({ kind, db, key: name, type }: RdbDifference): void => {
      found.push(`${kind} ${db} ${Buffer.from(name).toString('latin1')} ${type}`);
    };
    const options = { wants, ignoreTtl, found: note };
    const { isSame } = diffRdb(
      () => fileReader(a),
      () => fileReader(b),
      options,
    );
    return [found, isSame];
  }
  const dump = (...parts: RdbPart[]): Uint8Array => rdbOf('REDIS0011', ...parts, 0xff);

  it('sees no order where there is none, and no encoding', () => {
    const a = dump(
      ...[2, text('s'), 2, text('x'), text('y'), 4, text('h'), 2, text('f'), text('1'), text('g')],
      ...[text('2'), 0, text('n'), text('12'), 3, text('z'), 1, text('m'), text('1.50')],
    );
    const b = dump(
      ...[0, text('n'), 0xc0, 12, 16, text('h'), blob(listpack('g', '2', 'f', '1'))],
      ...[20, text('s'), blob(listpack('y', 'x')), 17, text('z'), blob(listpack('m', '1.5'))],
    );
    expect(compare(a, b)).toEqual([[], true]);
    expect(compare(b, a)).toEqual([[], true]);
  });

  it('finds keys of one side, other values, other types and other expiries', () => {
    const a = dump(
      ...[
        0,
        text('a'),
        text('1'),
        0,
        text('v'),
        text('1'),
        0xfc,
        int64(5),
        0,
        text('t'),
        text('1'),
      ],
      ...[1, text('l'), 2, text('x'), text('y'), 2, text('k'), 1, text('1'), 0xfe, 1],
      ...[0, text('v'), text('1')],
    );
    const b = dump(
      ...[0, text('b'), text('1'), 0, text('v'), text('2'), 0, text('t'), text('1')],
      ...[1, text('l'), 2, text('y'), text('x'), 1, text('k'), 1, text('1'), 0xfe, 1],
      ...[0xfc, int64(7), 0, text('v'), text('2')],
    );
    expect(compare(a, b)).toEqual([
      [
        'only-in-b 0 b string',
        'value 0 v string',
        'ttl 0 t string',
        'value 0 l list',
        'value 0 k list',
        'value-and-ttl 1 v string',
        'only-in-a 0 a string',
      ],
      false,
    ]);
    expect(compare(a, b, true)[0]).not.toContain('ttl 0 t string');
    expect(compare(a, a)).toEqual([[], true]);
  });

  it('sees other functions, whatever their order', () => {
    const a = dump(0xf5, text('one'), 0xf5, text('two'));
    expect(compare(a, dump(0xf5, text('two'), 0xf5, text('one')))).toEqual([[], true]);
    expect(compare(a, dump(0xf5, text('one')))).toEqual([[], false]);
  });

  it('sees one byte of a long value, and the order of a list of such', () => {
    const long = (last: string): string => `\x44\x01${'x'.repeat(1024)}${last}`;
    const list = (one: string, two: string) => dump(1, text('l'), 2, long(one), long(two));
    expect(compare(list('a', 'b'), list('a', 'b'))).toEqual([[], true]);
    expect(compare(list('a', 'b'), list('b', 'a'))[0]).toEqual(['value 0 l list']);
    expect(compare(list('a', 'b'), list('a', 'c'))[0]).toEqual(['value 0 l list']);
    const set = (one: string, two: string) => dump(2, text('s'), 2, long(one), long(two));
    expect(compare(set('a', 'b'), set('b', 'a'))).toEqual([[], true]);
    expect(compare(set('a', 'b'), set('a', 'c'))[0]).toEqual(['value 0 s set']);
  });

  it('holds thousands of keys', () => {
    const keys = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => [0, text(`k${from + i}`), text('v')]).flat();
    const [found] = compare(dump(...keys(0, 5000)), dump(...keys(1, 5001)));
    expect(found).toEqual(['only-in-b 0 k5000 string', 'only-in-a 0 k0 string']);
  });
});

describe('statistics', () => {
  it('count by type, encoding, database and prefix, and find the biggest', () => {
    const bytes = rdbOf(
      ...['REDIS0011', 0xfa, text('redis-ver'), text('7.2.4'), 0xf5, text('lib')],
      ...[0xfc, int64(NOW_MS + 30_000), 0, text('u:1:n'), text('abc')],
      ...[0xfc, int64(NOW_MS - 5), 0, text('u:2:n'), text('a'), 2, text('s'), 2, text('x')],
      ...[text('yy'), 0xfe, 4, 16, text('u:1:h'), blob(listpack('f', 'v')), 0xff],
    );
    const options = { nowMs: NOW_MS, wants, top: 2, separator: ':', depth: 1 };
    const found = rdbStatistics(fileReader(bytes), options);
    expect(found.total).toMatchObject({ keys: 4, elements: 5, expires: 2, expired: 1 });
    expect(found.total).toMatchObject({ logicalBytes: 5 + 3 + 5 + 1 + 1 + 3 + 5 + 2 });
    expect(found.total).toMatchObject({ ttlMinMs: 30_000, ttlMeanMs: 30_000, ttlMaxMs: 30_000 });
    expect(found.ttl).toMatchObject({ none: 2, expired: 1, 'under a minute': 1 });
    expect(found.types.get('string')).toMatchObject({ keys: 2, expires: 2 });
    expect([...found.encodings.keys()].sort()).toEqual([
      'hash/hash-listpack',
      'set/set-hashtable',
      'string/string',
    ]);
    expect(found.databases.get('4')).toMatchObject({ keys: 1, logicalBytes: 7 });
    expect(found.prefixes.get('u:')).toMatchObject({ keys: 3 });
    expect(found.prefixes.get('')).toMatchObject({ keys: 1 });
    expect(found).toMatchObject({ version: 11, functions: 1, aux: { 'redis-ver': '7.2.4' } });
    expect(found.biggestByFileBytes.map((one) => one.key)).toEqual(['u:1:h', 'u:1:n']);
    expect(found.biggestByElements.map((one) => one.key)).toEqual(['s', 'u:1:h']);
    const deep = rdbStatistics(fileReader(bytes), { ...options, depth: 2 });
    expect([...deep.prefixes.keys()].sort()).toEqual(['u:1:', 'u:2:']);
    expect(deep.prefixCount).toBe(3);
  });
});
