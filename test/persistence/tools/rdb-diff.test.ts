/**
 * Comparing and counting what is in RDB files, over bytes written by hand: what makes a difference
 * and what does not, and what is counted where.
 */
import { describe, expect, it } from 'vitest';
import { StreamId } from '../../../src/core/struct/stream-id.ts';
import { ElementView } from '../../../src/core/types/element-view.ts';
import { RdbEntry } from '../../../src/persistence/rdb/rdb-walk.ts';
import { QuickDigest, SEED_WORDS } from '../../../src/persistence/tools/quick-digest.ts';
import { diffRdb, type RdbDifference } from '../../../src/persistence/tools/rdb-diff.ts';
import { ValueDigests } from '../../../src/persistence/tools/rdb-digests.ts';
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

  it('sees any one difference, also of a key that a file has twice', () => {
    const key = (name: string, value = '1') => [0, text(name), text(value)];
    const k = dump(...key('k'));
    expect(compare(dump(...key('k'), ...key('x')), k)).toEqual([['only-in-a 0 x string'], false]);
    expect(compare(k, dump(...key('k'), ...key('x')))).toEqual([['only-in-b 0 x string'], false]);
    const [early, late] = [5, 7].map((ms) => dump(0xfc, int64(ms), ...key('k')));
    expect(compare(early!, late!)).toEqual([['ttl 0 k string'], false]);
    const twice = dump(...key('k', '2'), ...key('k'));
    expect(compare(twice, k)).toEqual([[], true]);
    expect(compare(dump(...key('k'), ...key('x')), dump(...key('k'), ...key('k')))).toEqual([
      ['only-in-a 0 x string'],
      false,
    ]);
    const module = (id: number) => dump(7, text('m'), [0x81, ...int64(id)], 2, 5, 0);
    expect(compare(module(1), module(1))).toEqual([[], true]);
    expect(compare(module(1), module(2 ** 40))).toEqual([['value 0 m module'], false]);
    const found: unknown[] = [];
    const result = diffRdb(
      () => fileReader(dump(...key('k', '2'), ...key('k'), ...key('x'), ...key('y'))),
      () => fileReader(k),
      {
        wants: (entry) => entry.keyBytes()[0] !== 0x78,
        ignoreTtl: false,
        found: (one) => found.push(one),
      },
    );
    expect(result).toMatchObject({ keysA: 2, keysB: 1, onlyInA: 1, isSame: false });
    expect(found).toHaveLength(1);
  });

  it('tells keys of one name in two databases apart, and counts them', () => {
    const two = (one: string, other: string) =>
      dump(0, text('k'), text(one), 0xfe, 1, 0, text('k'), text(other));
    const [a, b] = [two('1', '2'), two('2', '1')];
    expect(compare(a, b)).toEqual([['value 0 k string', 'value 1 k string'], false]);
    const options = { wants, ignoreTtl: false, found: () => undefined };
    const result = diffRdb(
      () => fileReader(a),
      () => fileReader(b),
      options,
    );
    expect(result).toMatchObject({ keysA: 2, keysB: 2, values: 2, onlyInA: 0, onlyInB: 0 });
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

  it('tells every part of a value from any other', () => {
    const view = (bytes: string): ElementView => {
      const shown = new ElementView();
      shown.show(Buffer.from(bytes), 0, bytes.length);
      return shown;
    };
    const seed = Int32Array.from({ length: SEED_WORDS }, (_, i) => i + 1);
    const digestOf = (type: number, show: (digests: ValueDigests) => void): string => {
      const entry = new RdbEntry();
      entry.type = type;
      let words = '';
      const digests = new ValueDigests(seed, new QuickDigest(seed), wants, (_, digest) => {
        words = digest.words.join(' ');
      });
      digests.entry(entry);
      show(digests);
      digests.entryEnd(entry);
      return words;
    };
    const stream = (show: (digests: ValueDigests) => void) => digestOf(21, show);
    const id = (msHigh: number, msLow = 0, seqHigh = 0, seqLow = 0) =>
      new StreamId().set(msHigh, msLow, seqHigh, seqLow);
    const facts = (lastId: StreamId, maxDeletedId: StreamId, entriesAdded: bigint) =>
      stream((to) => to.streamFacts({ length: 0, lastId, maxDeletedId, entriesAdded }));
    const digests = [
      digestOf(0, (to) => to.text(view('m'))),
      digestOf(1, (to) => to.element(view('m'))),
      digestOf(2, (to) => to.member(view('m'))),
      digestOf(7, (to) => to.modulePart(view('m'))),
      digestOf(7, (to) => to.modulePart(view('n'))),
      ...[0, 5, 6].map((ms) => digestOf(4, (to) => to.field(view('m'), view('1'), ms))),
      digestOf(4, (to) => to.field(view('m'), view('2'), 0)),
      digestOf(4, (to) => to.field(view('n'), view('1'), 0)),
      ...[1, 2].map((score) => digestOf(5, (to) => to.scored(view('m'), score))),
      ...[id(0), id(1), id(0, 1), id(0, 0, 1), id(0, 0, 0, 1)].map((one) =>
        stream((to) => to.streamEntry(one)),
      ),
      stream((to) => to.streamField(view('m'), view('1'))),
      stream((to) => to.streamField(view('m'), view('2'))),
      stream((to) => to.streamField(view('n'), view('1'))),
      facts(id(1), id(0), 1n),
      facts(id(2), id(0), 1n),
      facts(id(1), id(1), 1n),
      facts(id(1), id(0), 2n),
      stream((to) => to.group('m', id(1), 1n)),
      stream((to) => to.group('n', id(1), 1n)),
      stream((to) => to.group('m', id(2), 1n)),
      stream((to) => to.group('m', id(1), 2n)),
      stream((to) => to.consumer('m')),
      stream((to) => to.consumer('n')),
      stream((to) => to.pending(id(1), 1, 1n)),
      stream((to) => to.pending(id(2), 1, 1n)),
      stream((to) => to.pending(id(1), 2, 1n)),
      stream((to) => to.pending(id(1), 1, 2n)),
    ];
    expect(new Set(digests).size).toBe(digests.length);
    const libraries = ['#!lua name=a\nreturn 1', '#!lua name=a\nreturn 2'].map((source) => {
      const functions = new QuickDigest(seed);
      new ValueDigests(seed, functions, wants, () => undefined).functionLibrary(view(source));
      return functions.words.join(' ');
    });
    expect(libraries[0]).not.toBe(libraries[1]);
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

  const counted = (parts: RdbPart[], given = {}) => {
    const options = { nowMs: NOW_MS, wants, top: 2, separator: ':', depth: 1, ...given };
    return rdbStatistics(fileReader(rdbOf('REDIS0011', ...parts, 0xff)), options);
  };
  const string = (key: string, value: string): RdbPart[] => [0, text(key), text(value)];

  it('tell times to live apart at their very bounds, and have the mean of what lives', () => {
    const times = [0, -1, 59_999, 60_000, 3_600_000, 86_400_000, 604_800_000, 2_592_000_000];
    const parts = times.flatMap((ms, i) => [0xfc, int64(NOW_MS + ms), ...string(`${i}`, 'v')]);
    const { total, ttl } = counted(parts);
    expect(ttl).toEqual({
      ...{ none: 0, expired: 2, 'under a minute': 1, 'under an hour': 1, 'under a day': 1 },
      ...{ 'under a week': 1, 'under 30 days': 1, longer: 1 },
    });
    const alive = times.slice(2);
    expect(total).toMatchObject({ expires: 8, expired: 2, ttlMinMs: 59_999 });
    expect(total.ttlMaxMs).toBe(2_592_000_000);
    expect(total.ttlMeanMs).toBeCloseTo(alive.reduce((sum, ms) => sum + ms) / alive.length, 3);
  });

  it('count scores and modules, and find the biggest whatever their order', () => {
    const id = [0x81, ...new Array<number>(8).fill(0)];
    const zset = [5, text('z'), 1, text('m'), ...new Array<number>(8).fill(0)];
    const found = counted([0xf7, id, 0, ...zset]);
    expect(found.total.logicalBytes).toBe(1 + 1 + 8);
    expect(found.modules).toEqual(['AAAAAAAAA']);
    const three = [...string('a', '1'), ...string('b', '333'), ...string('c', '22')];
    expect(counted(three).biggestByLogicalBytes.map((one) => one.key)).toEqual(['b', 'c']);
    expect(counted(three).biggestByElements).toEqual([]);
    const one = counted(three, { wants: (entry: RdbEntry) => entry.keyBytes()[0] === 0x61 });
    expect(one.total.keys).toBe(1);
  });

  it('take a prefix to the end of its last separator, and list the largest', () => {
    const keys = ['a::b::c', 'a::d', 'b::e', 'c::f', 'c::g', 'a:x'];
    const parts = keys.flatMap((key) => string(key, 'v'.repeat(key.length)));
    const found = counted(parts, { separator: '::' });
    expect([...found.prefixes.keys()]).toEqual(['a::', 'c::']);
    expect(found.prefixCount).toBe(4);
    expect([...counted(parts, { separator: '::', depth: 2, top: 9 }).prefixes.keys()]).toEqual([
      ...['c::', 'a::b::', 'a::', 'b::', ''],
    ]);
  });

  it('tell a hundred thousand prefixes apart, and count the keys of all others', () => {
    let keys = '';
    for (let i = 0; i < 100_002; i++) keys += `\0${text(`${i}:`)}\x01v`;
    keys += `\0${text('0:again')}\x01v`;
    const found = counted([keys]);
    expect(found).toMatchObject({ prefixCount: 100_000, prefixOverflowKeys: 2 });
    expect(found.prefixes.get('0:')).toMatchObject({ keys: 2 });
    expect(found.total.keys).toBe(100_003);
  });
});
