/** Hashes and sets in an RDB: what is saved comes back, old forms load, damage is told. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Keyspace } from '../../../src/core/keyspace.ts';
import { hashCreate, hashSet } from '../../../src/core/types/hash.ts';
import { HashCursor } from '../../../src/core/types/hash-cursor.ts';
import { setAdd, setCreate } from '../../../src/core/types/set.ts';
import { SetCursor } from '../../../src/core/types/set-view.ts';
import {
  ENC_PACKED_TABLE,
  encodingName,
  encodingOf,
  TYPE_HASH,
  typeOf,
} from '../../../src/core/value.ts';
import {
  dumpPayload,
  isSoundPayload,
  PayloadRestorer,
} from '../../../src/persistence/rdb/rdb-dump.ts';
import { RdbError } from '../../../src/persistence/rdb/rdb-error.ts';
import { RDB_HASH } from '../../../src/persistence/rdb/rdb-format.ts';
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

type Collection =
  | { readonly kind: 'hash'; readonly pairs: readonly (readonly [string, string])[] }
  | { readonly kind: 'set'; readonly members: readonly string[] };

function fill(keyspace: Keyspace, collections: readonly Collection[]): Keyspace {
  const db = keyspace.databases[0]!;
  for (const [i, one] of collections.entries()) {
    const key = latin1(`key ${i}`);
    if (one.kind === 'hash') {
      let address = hashCreate(keyspace, db, key, 0, key.length, 0);
      for (const [field, value] of one.pairs) {
        const [f, v] = [latin1(field), latin1(value)];
        address = hashSet(keyspace, db, address, f, 0, f.length, v, 0, v.length);
      }
    } else {
      const first = latin1(one.members[0] ?? '');
      let address = setCreate(keyspace, db, key, 0, key.length, first, 0, first.length, 0);
      for (const member of one.members) {
        const m = latin1(member);
        address = setAdd(keyspace, db, address, m, 0, m.length);
      }
    }
  }
  return keyspace;
}

/** Key to value, and key to encoding; what has an order keeps it. */
function contentsOf(keyspace: Keyspace): { values: Map<string, unknown>; encodings: unknown } {
  const values = new Map<string, unknown>();
  const encodings = new Map<string, string>();
  const [hash, set] = [new HashCursor(), new SetCursor()];
  for (const { key, address } of entriesOf(keyspace)) {
    const encoding = encodingName(encodingOf(keyspace.arena, address));
    encodings.set(key, encoding);
    const items: string[] = [];
    if (typeOf(keyspace.arena, address) === TYPE_HASH) {
      hash.start(keyspace, address);
      while (hash.next()) items.push(`${shownBy(hash.field)} -> ${shownBy(hash.value)}`);
    } else {
      set.start(keyspace, address);
      while (set.next()) items.push(shownBy(set.member));
    }
    values.set(key, encoding === 'hashtable' ? items.sort() : items);
  }
  return { values, encodings };
}

const unordered = (values: Map<string, unknown>) =>
  new Map([...values].map(([key, items]) => [key, [...(items as string[])].sort()]));

const bytes = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -300, max: 300 }).map(String) },
  fc.constantFrom('', '007', '9223372036854775807', '-2147483649', 'x'.repeat(64), 'y'.repeat(65)),
  fc.string({ unit: 'binary-ascii', maxLength: 30 }),
  fc.integer({ min: 0, max: 300 }).map((n) => 'ab'.repeat(n)),
);
const collection: fc.Arbitrary<Collection> = fc.oneof(
  fc.array(fc.tuple(bytes, bytes), { minLength: 1, maxLength: 30 }).map((pairs) => {
    return { kind: 'hash' as const, pairs };
  }),
  fc.array(bytes, { minLength: 1, maxLength: 40 }).map((members) => {
    return { kind: 'set' as const, members };
  }),
  fc.array(fc.integer().map(String), { minLength: 1, maxLength: 40 }).map((members) => {
    return { kind: 'set' as const, members };
  }),
);
const collections = fc.array(collection, { maxLength: 12 });
const limits = fc.record({
  hashMaxListpackEntries: fc.integer({ min: 0, max: 20 }),
  setMaxIntsetEntries: fc.integer({ min: 1, max: 20 }),
  setMaxListpackEntries: fc.integer({ min: 0, max: 20 }),
});

/** Lists as long as need be: a table for any limits. */
const many = (count: number, make: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => make(i));

const large: readonly Collection[] = [
  { kind: 'hash', pairs: many(3000, (i) => `field ${i}`).map((f, i) => [f, 'v'.repeat(i % 90)]) },
  { kind: 'set', members: many(2500, (i) => `member ${i}`) },
  { kind: 'set', members: many(2500, (i) => String(i * 3)) },
];

describe('hashes and sets in an RDB', () => {
  it.each([9, 10, 11] as const)('come back equal from version %i', (version) => {
    fc.assert(
      fc.property(collections, fc.boolean(), (all, compress) => {
        const keyspace = fill(makeKeyspace(), all);
        const back = loaded(fileReader(saved(keyspace, { version, compress }))).keyspace;
        expect(unordered(contentsOf(back).values)).toEqual(unordered(contentsOf(keyspace).values));
        // What was converted and then shrank is compact again; from then on nothing changes.
        const again = loaded(fileReader(saved(back, { version, compress }))).keyspace;
        expect(contentsOf(again)).toEqual(contentsOf(back));
      }),
      { numRuns: 60 },
    );
  });

  it('come back with the encodings that the loader has limits for', () => {
    fc.assert(
      fc.property(collections, limits, limits, (all, mine, theirs) => {
        const keyspace = makeKeyspace();
        Object.assign(keyspace.limits, mine);
        fill(keyspace, all);
        const back = makeKeyspace();
        Object.assign(back.limits, theirs);
        loaded(fileReader(saved(keyspace, { version: 9 })), { keyspace: back });
        expect(unordered(contentsOf(back).values)).toEqual(unordered(contentsOf(keyspace).values));
        const again = makeKeyspace();
        Object.assign(again.limits, theirs);
        loaded(fileReader(saved(back, { version: 11 })), { keyspace: again });
        expect(contentsOf(again)).toEqual(contentsOf(back));
      }),
      { numRuns: 100 },
    );
  });

  it('come back when they are large, in slices and from a socket', () => {
    const keyspace = fill(makeKeyspace(), large);
    const file = saved(keyspace);
    expect(contentsOf(loaded(fileReader(file), {}, 1).keyspace)).toEqual(contentsOf(keyspace));
    const back = loadedInPieces(file, 997);
    expect(contentsOf(back)).toEqual(contentsOf(keyspace));
  });

  it('come back from a payload of DUMP', () => {
    fc.assert(
      fc.property(collection, (one) => {
        const keyspace = fill(makeKeyspace(), [one]);
        const db = keyspace.databases[0]!;
        const from = keyspace.peek(db, latin1('key 0'), 0, 5);
        const payload = dumpPayload(keyspace, from, 11, true);
        expect(isSoundPayload(payload, 0, payload.length, true)).toBe(true);
        const key = latin1('copy');
        const to = new PayloadRestorer(keyspace).restore(db, key, 0, 4, payload, 0, payload.length);
        expect(to).toBeTypeOf('number');
        const values = unordered(contentsOf(keyspace).values);
        expect(values.get('copy')).toEqual(values.get('key 0'));
      }),
    );
  });
});

describe('a small hash with one long value', () => {
  it('is a table in a file and for whoever asks, and packed in memory', () => {
    const keyspace = fill(makeKeyspace(), [
      {
        kind: 'hash',
        pairs: [
          ['f', '1'],
          ['long', 'x'.repeat(100)],
        ],
      },
    ]);
    const file = saved(keyspace);
    const back = loaded(fileReader(file), {}, 1).keyspace;
    for (const one of [keyspace, back]) {
      const at = one.peek(one.databases[0]!, latin1('key 0'), 0, 5);
      expect(encodingOf(one.arena, at)).toBe(ENC_PACKED_TABLE);
      expect(encodingName(encodingOf(one.arena, at))).toBe('hashtable');
      expect(dumpPayload(one, at, 10, true)[0]).toBe(RDB_HASH);
    }
    expect(contentsOf(back)).toEqual(contentsOf(keyspace));
    expect(saved(back)).toEqual(file);
  });
});

const HEADER = 'REDIS0010';
const END = [0xff];
type Part = string | number | readonly number[];
const load = (...parts: readonly Part[]) =>
  contentsOf(loaded(fileReader(rdbOf(HEADER, ...parts, END))).keyspace).values;
const blob = (...content: readonly number[]) => [content.length, ...content];

describe('old and odd forms', () => {
  it('that are ziplists load, with every kind of entry', () => {
    const entries = [
      [0, 1, 0x61], // "a"
      [3, 0xf1], // 0
      [2, 1, 0x62],
      [3, 0xfd], // 12
      [2, 1, 0x63],
      [3, 0xfe, 0x80], // int8 -128
      [3, 1, 0x64],
      [3, 0xc0, 0x00, 0x80], // int16
      [4, 1, 0x65],
      [3, 0xf0, 0x00, 0x00, 0x80], // int24
      [5, 1, 0x66],
      [3, 0xd0, 0x00, 0x00, 0x00, 0x80], // int32
      [6, 1, 0x67],
      [3, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x80], // int64
      [10, 1, 0x68],
      [3, 0x40, 2, 0x78, 0x79], // 14 bits of length
      [5, 1, 0x69],
      [3, 0x80, 0, 0, 0, 2, 0x78, 0x79], // 32 bits of length
    ];
    const body = entries.flat();
    const last = 10 + body.length - 8;
    const list = [10 + body.length + 1, 0, 0, 0, last, 0, 0, 0, 18, 0, ...body, 0xff];
    expect(load(13, text('k'), [0x40, ...blob(...list)]).get('k')).toEqual([
      ...['a -> 0', 'b -> 12', 'c -> -128', 'd -> -32768', 'e -> -8388608', 'f -> -2147483648'],
      ...['g -> -9223372036854775808', 'h -> xy', 'i -> xy'],
    ]);
  });

  it('that are zipmaps load, with unused bytes', () => {
    const map = [2, 1, 0x61, 1, 2, 0x78, 0, 0, 2, 0x62, 0x63, 0, 0, 0xff];
    expect(load(9, text('k'), blob(...map)).get('k')).toEqual(['a -> x', 'bc -> ']);
  });

  it('leave nothing of a collection without elements', () => {
    expect(load(4, text('h'), 0, 2, text('s'), 0, 2, text('k'), 1, text('v')).size).toBe(1);
    const emptyListpack = [7, 0, 0, 0, 0, 0, 0xff];
    expect(load(16, text('h'), blob(...emptyListpack)).size).toBe(0);
    expect(load(20, text('s'), blob(...emptyListpack)).size).toBe(0);
    const { load: run } = loaded(fileReader(rdbOf(HEADER, 4, text('h'), 0, END)));
    expect(run.emptyKeys).toBe(1);
    expect(run.emptyKeyNames).toEqual(['h']);
    expect(run.keys).toBe(0);
  });

  it.each<[string, RegExp, (string | number | readonly number[])[]]>([
    [
      'a field twice',
      /twice in a hash, at byte 21/,
      [4, text('k'), 2, text('a'), text('1'), text('a'), text('b')],
    ],
    ['a member twice', /twice in a set, at byte 17/, [2, text('k'), 2, text('a'), text('a')]],
    ['an integer twice', /twice in a set/, [2, text('k'), 2, text('7'), text('7')]],
    [
      'a listpack with a field twice',
      /twice in a hash/,
      [16, text('k'), blob(15, 0, 0, 0, 4, 0, 1, 1, 2, 1, 1, 1, 3, 1, 0xff)],
    ],
    [
      'a listpack with a member twice',
      /twice in a set/,
      [20, text('k'), blob(11, 0, 0, 0, 2, 0, 1, 1, 1, 1, 0xff)],
    ],
    [
      'a listpack that lies',
      /damaged listpack/,
      [16, text('k'), blob(11, 0, 0, 0, 3, 0, 1, 1, 1, 1, 0xff)],
    ],
    [
      'a field without a value',
      /damaged listpack/,
      [16, text('k'), blob(9, 0, 0, 0, 1, 0, 1, 1, 0xff)],
    ],
    [
      'an intset that falls',
      /damaged intset/,
      [11, text('k'), blob(2, 0, 0, 0, 2, 0, 0, 0, 5, 0, 4, 0)],
    ],
    [
      'an intset that is too short',
      /damaged intset/,
      [11, text('k'), blob(2, 0, 0, 0, 2, 0, 0, 0, 5, 0)],
    ],
    [
      'a damaged ziplist',
      /damaged ziplist/,
      [13, text('k'), blob(12, 0, 0, 0, 10, 0, 0, 0, 1, 0, 0, 0xff)],
    ],
    ['a damaged zipmap', /damaged zipmap/, [9, text('k'), blob(1, 9, 0x61, 0xff)]],
    [
      'a zipmap with a field whose length takes five bytes without need',
      /damaged zipmap/,
      [9, text('k'), blob(1, 0xfe, 1, 0, 0, 0, 0x61, 1, 0, 0x62, 0xff)],
    ],
    [
      'a zipmap with such a value',
      /damaged zipmap/,
      [9, text('k'), blob(1, 1, 0x61, 0xfe, 1, 0, 0, 0, 0, 0x62, 0xff)],
    ],
  ])('with %s are refused with the place', (_, message, parts) => {
    expect(() => load(...parts)).toThrow(RdbError);
    expect(() => load(...parts)).toThrow(message);
  });

  it('are refused where a large table has a field twice', () => {
    const fields = Array.from({ length: 2000 }, (_, i) => text(`f${i}`) + text('v')).join('');
    const parts = [4, text('k'), [0x40 | (2001 >> 8), 2001 & 255], fields, text('f7'), text('v')];
    expect(() => load(...parts)).toThrow(/a field twice in a hash, at byte/);
  });
});

describe('a hash with large values', () => {
  const value = Buffer.alloc(3 << 20, 'not in one piece ').toString('latin1');
  const manyPairs = Array.from({ length: 1500 }, (_, i) => [`f${i}`, `v${i}`] as const);
  const shapes = [
    ['few fields', [['a', 'b'] as const, ['large', value] as const, ['c', value] as const]],
    ['many fields', [...manyPairs, ['large', value] as const, ['c', value] as const]],
  ] as const;

  it.each(shapes)('of %s comes back, and is read to where it stays', (_, pairs) => {
    const keyspace = fill(makeKeyspace(), [{ kind: 'hash', pairs }]);
    const file = saved(keyspace, { compress: false });
    const reader = fileReader(file);
    const back = loaded(reader).keyspace;
    expect(contentsOf(back)).toEqual(contentsOf(keyspace));
    expect(back.arena.usedBytes).toBe(keyspace.arena.usedBytes);
    expect(reader.buf.length).toBeLessThan(value.length);
    expect(contentsOf(loadedInPieces(file, 100_000))).toEqual(contentsOf(keyspace));
  });

  it.each(shapes)('of %s leaves nothing behind when it is cut off', (_, pairs) => {
    const keyspace = fill(makeKeyspace(), [{ kind: 'hash', pairs }]);
    const file = saved(keyspace, { compress: false });
    for (const cut of [1 << 20, 4 << 20, 5 << 20, file.length - 10]) {
      const broken = makeKeyspace();
      const reader = fileReader(file.subarray(0, cut));
      expect(() => loaded(reader, { keyspace: broken })).toThrow(RdbError);
      while (broken.freeSlice(1000));
      expect(broken.arena.usedBytes).toBe(makeKeyspace().arena.usedBytes);
    }
  });

  it('and a field twice is refused', () => {
    const length = [0x80, 0, 0x20, 0, 0];
    const large = 'x'.repeat(0x200000);
    const rdb = rdbOf(
      HEADER,
      4,
      text('k'),
      2,
      text('f'),
      length,
      large,
      text('f'),
      length,
      large,
      END,
    );
    const broken = makeKeyspace();
    expect(() => loaded(fileReader(rdb), { keyspace: broken })).toThrow(/a field twice in a hash/);
    expect(broken.arena.usedBytes).toBe(makeKeyspace().arena.usedBytes);
  });
});

describe('damaged payloads', () => {
  it('are refused, or hold something, and leave nothing behind', () => {
    const version = fc.constantFrom(9 as const, 10 as const, 11 as const);
    fc.assert(
      fc.property(collection, damage, version, (one, harm, format) => {
        const keyspace = fill(makeKeyspace(), [one]);
        const from = keyspace.peek(keyspace.databases[0]!, latin1('key 0'), 0, 5);
        expectNoHarm(keyspace, from, format, harm);
      }),
      { numRuns: 600 },
    );
  });
});
