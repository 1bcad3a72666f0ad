/** Lists in an RDB: what is saved comes back, node by node; old forms load; damage is told. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Keyspace } from '../../../src/core/keyspace.ts';
import { DirectoryPath } from '../../../src/core/struct/directory-path.ts';
import { listCreate, listPush, listQuicklist } from '../../../src/core/types/list.ts';
import { ListCursor } from '../../../src/core/types/list-cursor.ts';
import { encodingName, encodingOf } from '../../../src/core/value.ts';
import { RdbError } from '../../../src/persistence/rdb/rdb-error.ts';
import { damage, expectNoHarm } from './rdb-damage.ts';
import { rdbCompressed, rdbLength } from './rdb-forms.ts';
import {
  fileReader,
  fromFile,
  inPieces,
  latin1,
  loaded,
  loadedInPieces,
  makeKeyspace,
  rdbOf,
  saved,
  text,
  usedBytes,
} from './rdb-support.ts';

const KEY = latin1('key');

function find(keyspace: Keyspace, key = KEY): number {
  return keyspace.peek(keyspace.databases[0]!, key, 0, key.length);
}

function fill(keyspace: Keyspace, elements: readonly string[]): Keyspace {
  const db = keyspace.databases[0]!;
  const bytes = elements.join('').length;
  let at = listCreate(keyspace, db, KEY, 0, KEY.length, bytes, elements.length);
  for (const element of elements) {
    at = listPush(keyspace, db, at, latin1(element), 0, element.length, false);
  }
  return keyspace;
}

const cursor = new ListCursor();

function elementsOf(keyspace: Keyspace, key = KEY): string[] {
  const address = find(keyspace, key);
  const found: string[] = [];
  if (address === 0) return found;
  cursor.start(keyspace, address, 0, true);
  while (cursor.next()) {
    const { bytes, offset, length } = cursor.element;
    found.push(Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1'));
  }
  return found;
}

/** The encoding, and elements and kind of each node of a quicklist. */
function shapeOf(keyspace: Keyspace): unknown {
  const address = find(keyspace);
  if (address === 0) return 'none';
  const list = listQuicklist(keyspace, address);
  const nodes: string[] = [];
  const path = new DirectoryPath();
  const directory = list?.nodes.directory;
  for (let more = directory?.first(path); more; more = directory?.next(path)) {
    nodes.push(`${path.kind}:${path.count}`);
  }
  return [encodingName(encodingOf(keyspace.arena, address)), nodes];
}

type Limits = {
  listMaxListpackSize: number;
  listCompressDepth: number;
  listPackedThreshold: number;
};

function keyspaceWith(limits: Partial<Limits>): Keyspace {
  const keyspace = makeKeyspace();
  Object.assign(keyspace.limits, limits);
  return keyspace;
}

const element = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -300, max: 300 }).map(String) },
  fc.constantFrom('', '007', '9223372036854775807', '-2147483649', 'x'.repeat(64), 'y'.repeat(65)),
  fc.string({ unit: 'binary-ascii', maxLength: 30 }),
  fc.integer({ min: 0, max: 300 }).map((n) => 'ab'.repeat(n)),
);
const elements = fc.array(element, { minLength: 1, maxLength: 60 });
const limits = fc.record({
  listMaxListpackSize: fc.constantFrom(1, 2, 5, 30, -1, -2),
  listCompressDepth: fc.constantFrom(0, 1, 2),
  listPackedThreshold: fc.constantFrom(1 << 30, 20, 100),
});

describe('lists in an RDB', () => {
  it.each([10, 11] as const)('come back node by node from version %i', (version) => {
    fc.assert(
      fc.property(elements, limits, fc.boolean(), (all, mine, compress) => {
        const keyspace = fill(keyspaceWith(mine), all);
        const back = keyspaceWith(mine);
        loaded(fileReader(saved(keyspace, { version, compress })), { keyspace: back });
        expect(elementsOf(back)).toEqual(all);
        expect(shapeOf(back)).toEqual(shapeOf(keyspace));
      }),
      { numRuns: 120 },
    );
  });

  it('come back with elements larger than what is read at a time, or not at all', () => {
    const large = Buffer.alloc(3 << 20, 'a sum of 64 bits ').toString('latin1');
    const all = ['before', large, 'between', large.slice(1), 'behind'];
    const mine = { listPackedThreshold: 1000 };
    const file = saved(fill(keyspaceWith(mine), all), { compress: false });
    const back = keyspaceWith(mine);
    loaded(fileReader(file), { keyspace: back });
    expect(elementsOf(back)).toEqual(all);
    expect(back.arena.usedBytes).toBe(fill(keyspaceWith(mine), all).arena.usedBytes);
    expect(elementsOf(loadedInPieces(file, 100_000, keyspaceWith(mine)))).toEqual(all);
    const { usedBytes } = keyspaceWith(mine).arena;
    for (const cut of [5 << 20, 4 << 20, 1 << 20]) {
      const broken = keyspaceWith(mine);
      const reader = fileReader(file.subarray(0, cut));
      expect(() => loaded(reader, { keyspace: broken })).toThrow(RdbError);
      expect(broken.arena.usedBytes).toBe(usedBytes);
    }
  });

  it('come back with a compressed element of more than a block, or not at all', () => {
    const wide = Buffer.alloc(100_000, 'a sum of 64 bits ');
    const all = ['before', wide.toString('latin1'), 'behind'];
    const mine = { listPackedThreshold: 1000 };
    const file = saved(fill(keyspaceWith(mine), all));
    expect(file.length).toBeLessThan(10_000);
    for (const load of [fromFile, inPieces]) {
      const back = keyspaceWith(mine);
      load(back, file);
      expect(elementsOf(back)).toEqual(all);
    }
    const packed = rdbCompressed(wide);
    // The first item, behind both lengths, copies what is not there.
    packed[8] = 0x20;
    const damaged = rdbOf('REDIS0010', 18, text('key'), 1, 1, [...packed], 0xff);
    for (const load of [fromFile, inPieces]) {
      const back = makeKeyspace();
      const before = usedBytes(back);
      expect(() => load(back, damaged)).toThrow(/compressed string is damaged/);
      expect(usedBytes(back)).toBe(before);
    }
  });

  it('come back from the plainest version, and under other limits', () => {
    fc.assert(
      fc.property(elements, limits, limits, (all, mine, theirs) => {
        const keyspace = fill(keyspaceWith(mine), all);
        for (const version of [9, 10] as const) {
          const back = keyspaceWith(theirs);
          loaded(fileReader(saved(keyspace, { version })), { keyspace: back });
          expect(elementsOf(back)).toEqual(all);
        }
      }),
      { numRuns: 80 },
    );
  });

  it.each([
    ['in nodes', { listMaxListpackSize: 4 }, 10, 3000],
    ['element by element', {}, 9, 3000],
    ['element by element, in the end a small one', { listMaxListpackSize: 30_000 }, 9, 1000],
  ] as const)(
    'come back when they are long, in slices and from a socket: %s',
    (_, mine, version, length) => {
      const all = Array.from({ length }, (_, i) => String(i));
      const keyspace = fill(keyspaceWith(mine), all);
      const file = saved(keyspace, { version });
      const sliced = loaded(fileReader(file), { keyspace: keyspaceWith(mine) }, 1).keyspace;
      expect(elementsOf(sliced)).toEqual(all);
      const back = loadedInPieces(file, 97, keyspaceWith(mine));
      expect(elementsOf(back)).toEqual(all);
      expect(shapeOf(back)).toEqual(shapeOf(keyspace));
      expect(shapeOf(sliced)).toEqual(shapeOf(keyspace));
    },
  );
});

const HEADER = 'REDIS0010';
const END = [0xff];
type Part = string | number | readonly number[];
const load = (...parts: readonly Part[]) =>
  elementsOf(loaded(fileReader(rdbOf(HEADER, ...parts, END))).keyspace);
const blob = (...content: readonly number[]) => [content.length, ...content];
const key = text('key');
const emptyListpack = blob(7, 0, 0, 0, 0, 0, 0xff);
const emptyZiplist = blob(11, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0xff);
/** "a", 5 */
const ziplist = blob(16, 0, 0, 0, 13, 0, 0, 0, 2, 0, 0, 1, 0x61, 3, 0xf6, 0xff);
/** 1, "b" */
const listpack = blob(12, 0, 0, 0, 2, 0, 1, 1, 0x81, 0x62, 2, 0xff);

describe('forms of lists', () => {
  it('load as linked lists', () => {
    expect(load(1, key, 3, text('a'), [0xc0, 7], text(''))).toEqual(['a', '7', '']);
  });

  it('load as ziplists, alone and in a quicklist', () => {
    expect(load(10, key, ziplist)).toEqual(['a', '5']);
    expect(load(14, key, 3, ziplist, emptyZiplist, ziplist)).toEqual(['a', '5', 'a', '5']);
  });

  it('load as quicklists of both kinds of nodes', () => {
    const parts = [18, key, 4, 2, listpack, 1, text('large'), 2, emptyListpack, 2, listpack];
    expect(load(...parts)).toEqual(['1', 'b', 'large', '1', 'b']);
  });

  it('load as an element whose compressed form is longer than a block, and than itself', () => {
    const element = 'element '.repeat(5000);
    const items = [...latin1(element)].flatMap((byte) => [0, byte]);
    const lengths = [...rdbLength(items.length), ...rdbLength(element.length)];
    const nodes = [1, text('before'), 1, [0xc3, ...lengths, ...items], 1, text('behind')];
    expect(load(18, key, 3, ...nodes)).toEqual(['before', element, 'behind']);
  });

  it('leave nothing of a list without elements', () => {
    expect(load(1, key, 0)).toEqual([]);
    for (const parts of [
      [10, key, emptyZiplist],
      [14, key, 2, emptyZiplist, emptyZiplist],
      [18, key, 0],
      [18, key, 1, 2, emptyListpack],
    ]) {
      const run = loaded(fileReader(rdbOf(HEADER, ...parts, END)));
      expect(run.load.emptyKeys).toBe(1);
      expect(shapeOf(run.keyspace)).toBe('none');
      expect(run.keyspace.arena.usedBytes).toBe(makeKeyspace().arena.usedBytes);
    }
  });

  it.each<[string, Part[]]>([
    [
      'listpacks',
      [
        18,
        key,
        [0x40, 200],
        Array(200)
          .fill([2, ...emptyListpack])
          .flat(),
      ],
    ],
    ['ziplists', [14, key, [0x40, 200], Array(200).fill(emptyZiplist).flat()]],
  ])('leave nothing of a long list of %s without elements', (_, parts) => {
    const { keyspace } = loaded(fileReader(rdbOf(HEADER, ...parts, END)));
    expect(shapeOf(keyspace)).toBe('none');
    expect(usedBytes(keyspace)).toBe(usedBytes(makeKeyspace()));
  });

  it.each<[string, RegExp, Part[]]>([
    ['a node of no known kind', /unknown kind 3, at byte 16/, [18, key, 1, 3, listpack]],
    [
      'a listpack that lies',
      /damaged listpack of a list/,
      [18, key, 1, 2, blob(9, 0, 0, 0, 1, 0, 1, 2, 0xff)],
    ],
    [
      'a ziplist that lies',
      /damaged ziplist of a list/,
      [10, key, blob(12, 0, 0, 0, 10, 0, 0, 0, 1, 0, 0, 0xff)],
    ],
    ['an element as a node, and empty', /one element, and empty/, [18, key, 1, 1, text('')]],
    ['a damaged second node', /damaged ziplist/, [14, key, 2, ziplist, blob(1, 2, 3)]],
    ['fewer elements than were said', /unknown encoding/, [1, key, 9, text('a')]],
  ])('with %s are refused with the place', (_, message, parts) => {
    expect(() => load(...parts)).toThrow(RdbError);
    expect(() => load(...parts)).toThrow(message);
  });

  it('are tried to the last node of a long list', () => {
    const many = Array.from({ length: 200 }, () => [2, ...listpack]).flat();
    const parts = [18, key, [0x40, 201], many];
    expect(load(...parts, 2, listpack).length).toBe(402);
    expect(() => load(...parts, 2, blob(8, 0, 0, 0, 1, 0, 1, 0xff))).toThrow(/damaged listpack/);
    expect(() => load(...parts, 7, listpack)).toThrow(/unknown kind 7/);
  });
});

describe('damaged payloads of lists', () => {
  it('are refused, or hold something, and leave nothing behind', () => {
    const version = fc.constantFrom(9 as const, 10 as const, 11 as const);
    fc.assert(
      fc.property(elements, limits, damage, version, (all, mine, harm, form) => {
        const keyspace = fill(keyspaceWith(mine), all);
        expectNoHarm(keyspace, find(keyspace), form, harm, (key) => elementsOf(keyspace, key));
      }),
      { numRuns: 600 },
    );
  });
});
