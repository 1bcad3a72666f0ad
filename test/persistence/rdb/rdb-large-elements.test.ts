/**
 * Collections that are one string in an RDB, with an element that is larger than the window in
 * which they are seen: how often it is held, that it comes whole, and that nothing of it stays when
 * it does not.
 */
import { describe, expect, it } from 'vitest';
import { RdbError } from '../../../src/persistence/rdb/rdb-error.ts';
import { roomsMade } from '../../support/rooms-made.ts';
import {
  listpackOf,
  rdbCompressed,
  rdbLength,
  rdbString,
  ziplistOf,
  zipmapOf,
} from './rdb-forms.ts';
import {
  CHUNK_BYTES,
  expectNothingStays,
  itComesByPieces,
  restored,
  shownValue,
} from './rdb-large-support.ts';
import {
  BUFFER_MAX,
  fileOf,
  fileReader,
  fromFile,
  inPieces,
  LARGE,
  latin1,
  loadInto,
  makeKeyspace,
  usedBytes,
} from './rdb-support.ts';

/** More pairs or members than stay compact. */
const MANY = 600;

const pairs = (count: number): [string, string][] =>
  Array.from({ length: count }, (_, i) => [`field ${i}`, `the value ${i}`]);
const hashOf = (count: number): string[] => [...pairs(count), ['large', LARGE], ['z', '1']].flat();
const setOf = (count: number): string[] => [...pairs(count).flat(), LARGE, 'last'];
/** Two members have one score, and the large one is the first of them. */
const zsetOf = (count: number): string[] => [
  ...Array.from({ length: count }, (_, i) => [`member ${i}`, `${i}`]).flat(),
  ...[LARGE, '700.5', 'more', '700.5'],
];

interface Place {
  readonly type: number;
  readonly encoding: string;
  readonly bytes: Buffer;
}

const place = (type: number, encoding: string, bytes: Buffer): Place => ({
  type,
  encoding,
  bytes,
});

const FIELD_LARGE = [...pairs(MANY).flat(), LARGE, 'v', 'z', '1'];
const ZIPMAP = zipmapOf([...pairs(3), ['large', LARGE], ['z', '1']]);
const PLACES: Record<string, Place> = {
  'a listpack that stays a hash': place(16, 'listpack', listpackOf(hashOf(3))),
  'a listpack that stays a zset': place(17, 'listpack', listpackOf(zsetOf(3))),
  'a ziplist that is a small hash': place(13, 'listpack', ziplistOf(hashOf(3))),
  'a ziplist that is a small zset': place(12, 'listpack', ziplistOf(zsetOf(3))),
  'a listpack that becomes a hash': place(16, 'hashtable', listpackOf(hashOf(MANY))),
  'a listpack with a large field': place(16, 'hashtable', listpackOf(FIELD_LARGE)),
  'a zipmap that becomes a hash': place(9, 'hashtable', ZIPMAP),
  'a listpack that becomes a set': place(20, 'hashtable', listpackOf(setOf(MANY))),
  'a listpack that becomes a zset': place(17, 'skiplist', listpackOf(zsetOf(MANY))),
  'a ziplist that is a list': place(10, 'quicklist', ziplistOf(setOf(3))),
};

const FORMS = { plain: rdbString, compressed: rdbCompressed };
const CASES = Object.entries(PLACES).flatMap(([name, one]) =>
  (['plain', 'compressed'] as const).map((form) => ({ name, place: one, form })),
);

const valueWith = ({ type, bytes }: Place, form: keyof typeof FORMS): string =>
  String.fromCharCode(type) + FORMS[form](bytes).toString('latin1');

describe.each(CASES)(
  '$name, $form, with an element larger than the window',
  ({ place: one, form }) => {
    const value = valueWith(one, form);
    const file = fileOf(value);

    it('comes from a payload, and the same from a file and over a socket', () => {
      const keyspace = makeKeyspace();
      expect(restored(keyspace, value)).toBeTypeOf('number');
      const wanted = shownValue(keyspace);
      expect(wanted.startsWith(`${one.encoding} `)).toBe(true);
      for (const load of [fromFile, inPieces]) {
        const other = makeKeyspace();
        load(other, file);
        expect(shownValue(other)).toBe(wanted);
      }
    });

    it('is held once', () => {
      for (const load of [fromFile, inPieces]) {
        const keyspace = makeKeyspace();
        const rooms = roomsMade(BUFFER_MAX, () => load(keyspace, file));
        expect(rooms.filter((room) => room !== CHUNK_BYTES).length).toBe(1);
      }
    });

    itComesByPieces(file, LARGE.length);

    it('is refused when it ends early or is damaged, and nothing of it stays', () => {
      const bytes = Buffer.from(one.bytes);
      bytes[bytes.length - 1] = 0;
      const damaged = valueWith({ ...one, bytes }, form);
      const faults: [Uint8Array, RegExp][] = [
        [file.subarray(0, file.length / 2), /too early.* byte \d+/],
        [fileOf(damaged), /a damaged .* byte \d+/],
      ];
      for (const [faulty, wanted] of faults) {
        for (const load of [fromFile, inPieces]) {
          const keyspace = makeKeyspace();
          expect(() => load(keyspace, faulty)).toThrow(wanted);
          expectNothingStays(keyspace, LARGE.length);
        }
      }
      const keyspace = makeKeyspace();
      expect(restored(keyspace, damaged)).toBeInstanceOf(RdbError);
      expect(usedBytes(keyspace)).toBeLessThan(LARGE.length / 2);
    });
  },
);

describe.each(Object.entries(PLACES))(
  '%s, while its large element comes and moves',
  (_name, one) => {
    it('leaves nothing behind wherever it is given up', () => {
      const file = fileOf(valueWith(one, 'plain'));
      let isDone = false;
      for (let most = 1; !isDone; most++) {
        const keyspace = makeKeyspace();
        const db = keyspace.databases[0]!;
        const load = loadInto(keyspace, fileReader(file));
        let now = 0;
        for (let i = 0; i < most && !isDone; i++) isDone = load.step(1, () => ++now);
        const address = keyspace.peek(db, latin1('k'), 0, 1);
        if (address !== 0) keyspace.remove(db, address);
        expect(usedBytes(keyspace)).toBeLessThan(LARGE.length / 2);
      }
    });
  },
);

describe('a large element that is sound in form but not in sense', () => {
  const fields = [...pairs(MANY).flat(), LARGE, 'v', LARGE, 'w'];
  const scored = zsetOf(MANY);
  const faults: [string, Place, RegExp][] = [
    ['a field twice', place(16, 'hashtable', listpackOf(fields)), /a field twice in a hash/],
    [
      'a member of a set twice',
      place(20, '', listpackOf([...setOf(MANY), LARGE])),
      /twice in a set/,
    ],
    [
      'a member of a zset twice',
      place(17, '', listpackOf([...scored.slice(0, -2), LARGE, '700.5'])),
      /twice in a sorted set/,
    ],
    [
      'a member of a zset twice, with another score',
      place(17, '', listpackOf([...scored, LARGE, '701'])),
      /twice in a sorted set/,
    ],
    ['no order', place(17, '', listpackOf([...scored, LARGE, '700.5'])), /not in order/],
    ['a score that is none', place(17, '', listpackOf([...scored, LARGE, 'x'])), /not a number/],
    ['no value', place(16, '', listpackOf([...pairs(MANY).flat(), LARGE])), /a damaged/],
  ];

  it.each(faults)('is refused, and nothing of it stays: %s', (_name, one, wanted) => {
    for (const load of [fromFile, inPieces]) {
      const keyspace = makeKeyspace();
      expect(() => load(keyspace, fileOf(valueWith(one, 'plain')))).toThrow(wanted);
      expectNothingStays(keyspace, LARGE.length);
    }
    const keyspace = makeKeyspace();
    expect(restored(keyspace, valueWith(one, 'compressed'))).toBeInstanceOf(RdbError);
    expect(usedBytes(keyspace)).toBeLessThan(LARGE.length / 2);
  });
});

describe('two large elements and what stands between them', () => {
  const other = LARGE.slice(0, -400);
  const both = [...pairs(MANY).flat(), LARGE, other, 'small', 'one', '12345', LARGE, '', other];

  it.each(['plain', 'compressed'] as const)('come to their places, %s', (form) => {
    const one = place(16, 'hashtable', listpackOf(both));
    const wanted = makeKeyspace();
    const strings = both.map((word) => rdbString(latin1(word)).toString('latin1'));
    const count = rdbLength(both.length / 2).toString('latin1');
    restored(wanted, `\x04${count}${strings.join('')}`);
    for (const load of [fromFile, inPieces]) {
      const keyspace = makeKeyspace();
      load(keyspace, fileOf(valueWith(one, form)));
      expect(shownValue(keyspace)).toBe(shownValue(wanted));
    }
  });
});
