/** Sorted sets in an RDB: what is saved comes back, old forms load, damage is told. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Keyspace } from '../../../src/core/keyspace.ts';
import { zsetAdd, zsetCreate } from '../../../src/core/types/zset.ts';
import { ZsetCursor } from '../../../src/core/types/zset-view.ts';
import { ENC_PACKED_SKIPLIST, encodingName, encodingOf } from '../../../src/core/value.ts';
import {
  dumpPayload,
  isSoundPayload,
  PayloadRestorer,
} from '../../../src/persistence/rdb/rdb-dump.ts';
import { RdbError } from '../../../src/persistence/rdb/rdb-error.ts';
import { RDB_ZSET_2 } from '../../../src/persistence/rdb/rdb-format.ts';
import { damage, expectNoHarm } from './rdb-damage.ts';
import {
  entriesOf,
  fileReader,
  latin1,
  loaded,
  loadedInPieces,
  makeKeyspace,
  rdbOf,
  saved,
  shownBy,
  text,
} from './rdb-support.ts';

type Pair = readonly [member: string, score: number];

function fill(keyspace: Keyspace, zsets: readonly (readonly Pair[])[]): Keyspace {
  const db = keyspace.databases[0]!;
  for (const [i, pairs] of zsets.entries()) {
    const key = latin1(`key ${i}`);
    let address = zsetCreate(keyspace, db, key, 0, key.length, pairs[0]?.[0].length ?? 0, 0);
    for (const [member, score] of pairs) {
      const m = latin1(member);
      address = zsetAdd(keyspace, db, address, m, 0, m.length, score, 0);
    }
  }
  return keyspace;
}

/** Key to encoding and elements, in their order. */
function contentsOf(keyspace: Keyspace): Map<string, string[]> {
  const all = new Map<string, string[]>();
  const walk = new ZsetCursor();
  for (const { key, address } of entriesOf(keyspace)) {
    const items = [encodingName(encodingOf(keyspace.arena, address))];
    walk.start(keyspace, address);
    while (walk.next()) items.push(`${shownBy(walk.member)} ${walk.score}`);
    all.set(key, items);
  }
  return all;
}

/** Elements without the encoding. */
const elements = (all: Map<string, string[]>) =>
  new Map([...all].map(([key, items]) => [key, items.slice(1)]));

const member = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -300, max: 300 }).map(String) },
  fc.constantFrom('', '007', '9223372036854775807', '-2147483649', 'x'.repeat(64), 'y'.repeat(65)),
  fc.string({ unit: 'binary-ascii', maxLength: 30 }),
  fc.integer({ min: 0, max: 300 }).map((n) => 'ab'.repeat(n)),
);
const score = fc
  .oneof(fc.integer({ min: -9, max: 9 }), fc.double({ noNaN: true }), fc.constant(2 ** 62))
  .map((value) => value + 0);
const zset = fc.array(fc.tuple(member, score), { minLength: 1, maxLength: 40 });
const zsets = fc.array(zset, { maxLength: 10 });
const limits = fc.record({
  zsetMaxListpackEntries: fc.integer({ min: 0, max: 30 }),
  zsetMaxListpackValue: fc.integer({ min: 0, max: 80 }),
});

const large: readonly Pair[] = Array.from({ length: 3000 }, (_, i) => [
  `member ${i}`,
  (i * 7919) % 1000,
]);

describe('sorted sets in an RDB', () => {
  it.each([9, 10, 11] as const)('come back equal from version %i', (version) => {
    fc.assert(
      fc.property(zsets, fc.boolean(), (all, compress) => {
        const keyspace = fill(makeKeyspace(), all);
        const back = loaded(fileReader(saved(keyspace, { version, compress }))).keyspace;
        expect(elements(contentsOf(back))).toEqual(elements(contentsOf(keyspace)));
        const again = loaded(fileReader(saved(back, { version, compress }))).keyspace;
        expect(contentsOf(again)).toEqual(contentsOf(back));
      }),
      { numRuns: 30 },
    );
  });

  it('come back with the encodings that the loader has limits for', () => {
    fc.assert(
      fc.property(zset, limits, limits, fc.constantFrom(9, 10), (one, mine, theirs, version) => {
        const keyspace = makeKeyspace();
        Object.assign(keyspace.limits, mine);
        fill(keyspace, [one]);
        const back = makeKeyspace();
        Object.assign(back.limits, theirs);
        loaded(fileReader(saved(keyspace, { version: version as 9 | 10 })), { keyspace: back });
        const [before, after] = [contentsOf(keyspace), contentsOf(back)];
        expect(elements(after)).toEqual(elements(before));
        const members = new Set(one.map(([name]) => name));
        const isPack = before.get('key 0')?.[0] === 'listpack' && version === 10;
        const longest = Math.max(...[...members].map((name) => name.length));
        const isLong = !isPack && longest > theirs.zsetMaxListpackValue;
        const isLarge = isLong || members.size > theirs.zsetMaxListpackEntries;
        expect(after.get('key 0')?.[0]).toBe(isLarge ? 'skiplist' : 'listpack');
      }),
      { numRuns: 80 },
    );
  });

  it('are skiplists in a file and for whoever asks, small ones with a long member', () => {
    const pairs: [string, number][] = [
      ['long'.repeat(20), 0.5],
      ['short', 7],
    ];
    const keyspace = fill(makeKeyspace(), [pairs]);
    const file = saved(keyspace);
    const back = loaded(fileReader(file), {}, 1).keyspace;
    for (const one of [keyspace, back]) {
      const at = one.peek(one.databases[0]!, latin1('key 0'), 0, 5);
      expect(encodingOf(one.arena, at)).toBe(ENC_PACKED_SKIPLIST);
      expect(dumpPayload(one, at, 10, true)[0]).toBe(RDB_ZSET_2);
    }
    expect(contentsOf(back).get('key 0')?.[0]).toBe('skiplist');
    expect(saved(back)).toEqual(file);
  });

  it('come back when they are large, in slices and from a socket', () => {
    const keyspace = fill(makeKeyspace(), [large]);
    const file = saved(keyspace);
    expect(contentsOf(loaded(fileReader(file), {}, 1).keyspace)).toEqual(contentsOf(keyspace));
    const back = loadedInPieces(file, 997);
    expect(contentsOf(back)).toEqual(contentsOf(keyspace));
  });

  it('come back from a payload of DUMP', () => {
    fc.assert(
      fc.property(zset, fc.constantFrom(9 as const, 10 as const, 11 as const), (one, version) => {
        const keyspace = fill(makeKeyspace(), [one]);
        const db = keyspace.databases[0]!;
        const from = keyspace.peek(db, latin1('key 0'), 0, 5);
        const payload = dumpPayload(keyspace, from, version, true);
        expect(isSoundPayload(payload, 0, payload.length, true)).toBe(true);
        const to = new PayloadRestorer(keyspace).restore(
          db,
          latin1('copy'),
          0,
          4,
          payload,
          0,
          payload.length,
        );
        expect(to).toBeTypeOf('number');
        const all = elements(contentsOf(keyspace));
        expect(all.get('copy')).toEqual(all.get('key 0'));
      }),
    );
  });
});

type Part = string | number | readonly number[];
const END = [0xff];
const load = (...parts: readonly Part[]) =>
  contentsOf(loaded(fileReader(rdbOf('REDIS0010', ...parts, END))).keyspace);
const blob = (...content: readonly number[]) => [content.length, ...content];
/** A listpack of entries that take their bytes, up to 63 of them. */
const listpack = (...entries: readonly (readonly number[])[]) => {
  const body = entries.flat();
  return blob(body.length + 7, 0, 0, 0, entries.length, 0, ...body, 0xff);
};
/** An entry of a listpack: a small integer, or a short text. */
const small = (value: number | string): number[] => {
  if (typeof value === 'number') return [value, 1];
  return [0x80 | value.length, ...latin1(value), value.length + 1];
};
const pack = (...values: readonly (number | string)[]) => listpack(...values.map(small));
const double = (value: number): number[] => [...new Uint8Array(Float64Array.of(value).buffer)];

describe('old and odd forms', () => {
  it('load where scores are text', () => {
    const pairs = [text('a'), text('1.5'), text('b'), 254, text('c'), 255, text('d'), text('-2e3')];
    expect(load(3, text('k'), 4, ...pairs).get('k')).toEqual([
      'listpack',
      ...['c -Infinity', 'd -2000', 'a 1.5', 'b Infinity'],
    ]);
  });

  it('load as ziplists, with every kind of score', () => {
    const entries = [
      [0, 1, 0x61], // "a"
      [3, 0xfe, 0x80], // int8 -128
      [3, 1, 0x62],
      [3, 0xf1], // 0
      [2, 1, 0x63],
      [3, 3, 0x31, 0x2e, 0x35], // "1.5"
      [5, 1, 0x64],
      [3, 3, 0x69, 0x6e, 0x66], // "inf"
    ];
    const body = entries.flat();
    const last = 10 + body.length - 5;
    const list = [10 + body.length + 1, 0, 0, 0, last, 0, 0, 0, 8, 0, ...body, 0xff];
    expect(load(12, text('k'), blob(...list)).get('k')).toEqual([
      'listpack',
      ...['a -128', 'b 0', 'c 1.5', 'd Infinity'],
    ]);
  });

  it('leave nothing of a sorted set without elements', () => {
    expect(load(5, text('z'), 0, 3, text('y'), 0, 17, text('x'), pack()).size).toBe(0);
    expect(load(17, text('x'), pack('a', 1)).get('x')).toEqual(['listpack', 'a 1']);
  });

  it('load with elements in any order, where each is for itself', () => {
    const pairs = [text('b'), double(2), text('c'), double(3), text('a'), double(2)];
    expect(load(5, text('k'), 3, ...pairs.flat()).get('k')).toEqual([
      'listpack',
      ...['a 2', 'b 2', 'c 3'],
    ]);
  });

  it.each<[string, RegExp, Part[]]>([
    [
      'a member twice',
      /twice in a sorted set, at byte 33/,
      [5, text('k'), 2, text('a'), double(1), text('a'), double(2)],
    ],
    ['a score that is no number', /not a number/, [5, text('k'), 1, text('a'), double(Number.NaN)]],
    ['a text that is no number', /not a number/, [3, text('k'), 1, text('a'), text('1x')]],
    ['an empty text', /not a number/, [3, text('k'), 1, text('a'), text('')]],
    ['the mark of no number', /not a number/, [3, text('k'), 1, text('a'), 253]],
    ['a listpack with a member twice', /twice in a sorted/, [17, text('k'), pack('a', 1, 'a', 2)]],
    ['a listpack with two texts of one', /twice in/, [17, text('k'), pack('7', 1, 7, 2)]],
    ['a listpack that falls', /not in order/, [17, text('k'), pack('a', 2, 'b', 1)]],
    ['members that fall', /not in order/, [17, text('k'), pack('b', 1, 'a', 1)]],
    ['a listpack with a word as score', /not a number/, [17, text('k'), pack('a', 'x')]],
    ['a listpack with no number', /not a number/, [17, text('k'), pack('a', 'nan')]],
    ['a member without a score', /damaged listpack/, [17, text('k'), pack('a', 1, 'b')]],
    [
      'a listpack that lies',
      /damaged listpack/,
      [17, text('k'), blob(11, 0, 0, 0, 3, 0, 1, 1, 1, 1, 0xff)],
    ],
    [
      'a damaged ziplist',
      /damaged ziplist/,
      [12, text('k'), blob(12, 0, 0, 0, 10, 0, 0, 0, 1, 0, 0, 0xff)],
    ],
  ])('with %s are refused with the place', (_, message, parts) => {
    expect(() => load(...parts)).toThrow(RdbError);
    expect(() => load(...parts)).toThrow(message);
  });

  it('are refused where a large one has a member twice', () => {
    const members = Array.from({ length: 2000 }, (_, i) => [
      ...latin1(text(`m${i}`)),
      ...double(i),
    ]);
    const again = [...latin1(text('m7')), ...double(5)];
    const parts = [5, text('k'), [0x40 | (2001 >> 8), 2001 & 255], members.flat(), again];
    expect(() => load(...parts)).toThrow(/a member twice in a sorted set, at byte/);
  });
});

describe('damaged payloads', () => {
  it('are refused, or hold something, and leave nothing behind', () => {
    const version = fc.constantFrom(9 as const, 10 as const);
    fc.assert(
      fc.property(zset, damage, version, (one, harm, format) => {
        const keyspace = fill(makeKeyspace(), [one]);
        const from = keyspace.peek(keyspace.databases[0]!, latin1('key 0'), 0, 5);
        expectNoHarm(keyspace, from, format, harm);
      }),
      { numRuns: 250 },
    );
  });
});
