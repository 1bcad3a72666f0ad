/**
 * Large collections that are one string in an RDB, plain or compressed: they are read in pieces,
 * into a table or to where they stay, and are never held twice; what is damaged leaves nothing.
 */
import { describe, expect, it } from 'vitest';
import type { Keyspace } from '../../../src/core/keyspace.ts';
import { RdbError } from '../../../src/persistence/rdb/rdb-error.ts';
import type { RdbLoad } from '../../../src/persistence/rdb/rdb-load.ts';
import { RdbReader } from '../../../src/persistence/rdb/rdb-reader.ts';
import { roomsMade } from '../../support/rooms-made.ts';
import {
  intsetOf,
  listpackOf,
  rdbCompressed,
  rdbString,
  ziplistOf,
  zipmapOf,
} from './rdb-forms.ts';
import {
  breakInTheMiddle,
  CHUNK_BYTES,
  expectNothingStays,
  restored,
  shownValue,
} from './rdb-large-support.ts';
import {
  BUFFER_MAX,
  entriesOf,
  fromFile,
  inPieces,
  loadInto,
  makeKeyspace,
  rdbOf,
  text,
  usedBytes,
} from './rdb-support.ts';

const COUNT = 5500;

const words = Array.from({ length: COUNT }, (_, i) =>
  `word ${100_000 + i} of a text that is long, `.repeat(6),
);
const fields = words.flatMap((word, i) => [word, i % 3 === 0 ? `${i}` : `the value of ${word}`]);
const scored = words.flatMap((word, i) => [word, i % 3 === 0 ? `${i}` : `${i}.5`]);
const integers = Array.from({ length: 135_000 }, (_, i) => i * 5_000_000_000);
/** Each takes a byte more in a listpack, and comes again as far behind as LZF reaches. */
const growing = Array.from({ length: 8200 }, (_, i) => {
  const part = String.fromCharCode(97 + (i % 26)).repeat(62 - (i % 31));
  return (i % 2 === 0 ? `${10_000 + i}` : `value`) + part.padEnd(121, `${(i % 62) * 7919}`);
});
const pairs = words.map((word): [string, string] => [word, `value ${word.slice(150)}`]);

/** Everything that is not a table is compact: what limits there are allow it. */
interface Place {
  readonly type: number;
  readonly bytes: Buffer;
  readonly isCompact: boolean;
  readonly encoding: string;
}

const place = (type: number, encoding: string, bytes: Buffer): Place => ({
  type,
  bytes,
  encoding,
  isCompact: encoding === 'listpack' || encoding === 'intset',
});

const HASH = listpackOf(fields);
const SET = listpackOf(words);
const ZSET = listpackOf(scored);
const INTSET = intsetOf(8, integers);
const PLACES: Record<string, Place> = {
  'a listpack that becomes a hash': place(16, 'hashtable', HASH),
  'a listpack that stays a hash': place(16, 'listpack', HASH),
  'a ziplist that becomes a hash': place(13, 'hashtable', ziplistOf(fields)),
  'a ziplist that is a small hash': place(13, 'listpack', ziplistOf(fields)),
  'a ziplist whose entries grow': place(13, 'listpack', ziplistOf(growing)),
  'a zipmap that becomes a hash': place(9, 'hashtable', zipmapOf(pairs)),
  'a listpack that becomes a set': place(20, 'hashtable', SET),
  'a listpack that stays a set': place(20, 'listpack', SET),
  'an intset that becomes a set': place(11, 'hashtable', INTSET),
  'an intset that stays a set': place(11, 'intset', INTSET),
  'a listpack that becomes a zset': place(17, 'skiplist', ZSET),
  'a listpack that stays a zset': place(17, 'listpack', ZSET),
  'a ziplist that becomes a zset': place(12, 'skiplist', ziplistOf(scored)),
  'a ziplist that is a small zset': place(12, 'listpack', ziplistOf(scored)),
  'a ziplist that is a list': place(10, 'quicklist', ziplistOf(words)),
};

const FORMS = { plain: rdbString, compressed: rdbCompressed };
type FormName = keyof typeof FORMS;
const CASES = Object.entries(PLACES).flatMap(([name, one]) =>
  (['plain', 'compressed'] as const).map((form) => ({ name, place: one, form })),
);

function spaceFor({ isCompact }: Place): Keyspace {
  const keyspace = makeKeyspace();
  if (!isCompact) return keyspace;
  const most = 1_000_000;
  const { limits } = keyspace;
  limits.hashMaxListpackEntries = most;
  limits.setMaxListpackEntries = most;
  limits.setMaxIntsetEntries = most;
  limits.zsetMaxListpackEntries = most;
  return keyspace;
}

function fileOf({ type }: Place, bytes: Uint8Array, form: FormName): Uint8Array {
  const value = FORMS[form](bytes).toString('latin1');
  return rdbOf('REDIS0011', type, text('k'), value, 0, text('last'), text('v'), 0xff);
}

function valueWith({ type }: Place, bytes: Uint8Array, form: FormName): string {
  return String.fromCharCode(type) + FORMS[form](bytes).toString('latin1');
}

describe.each(CASES)('$name, large and $form', ({ place: one, form }) => {
  const file = fileOf(one, one.bytes, form);

  it('comes from a payload, and the same from a file and over a socket', () => {
    const keyspace = spaceFor(one);
    expect(restored(keyspace, valueWith(one, one.bytes, form))).toBeTypeOf('number');
    const wanted = shownValue(keyspace);
    expect(wanted.startsWith(`${one.encoding} `)).toBe(true);
    for (const load of [fromFile, inPieces]) {
      const other = spaceFor(one);
      load(other, file);
      expect([...entriesOf(other)].length).toBe(2);
      expect(shownValue(other)).toBe(wanted);
    }
  });

  it('comes whole while another one comes, into another keyspace', () => {
    const wanted = spaceFor(one);
    fromFile(wanted, file);
    const sides = [spaceFor(one), spaceFor(one)].map((keyspace) => {
      const reader = RdbReader.fed();
      return { keyspace, reader, load: loadInto(keyspace, reader) };
    });
    let now = 0;
    const step = (load: RdbLoad): void => {
      while (!load.step(1, () => ++now)) if (load.isHungry) break;
    };
    for (let at = 0; at < file.length; at += 90_000) {
      for (const { reader, load } of sides) {
        reader.feed(file.subarray(at, at + 90_000));
        if (at + 90_000 >= file.length) reader.endOfFeed();
        step(load);
      }
    }
    for (const { keyspace } of sides) expect(shownValue(keyspace)).toBe(shownValue(wanted));
  });

  it('is held once, or never as a whole', () => {
    for (const load of [fromFile, inPieces]) {
      const keyspace = spaceFor(one);
      const rooms = roomsMade(BUFFER_MAX / 2, () => load(keyspace, file));
      const whole = rooms.filter((room) => room !== CHUNK_BYTES && room >= one.bytes.length);
      expect(whole.length).toBe(one.isCompact ? 1 : 0);
    }
  });

  it('leaves nothing behind when the link breaks in the middle of it', () => {
    const keyspace = spaceFor(one);
    breakInTheMiddle(keyspace, file);
    expectNothingStays(keyspace, one.bytes.length);
  });

  it('is refused when it ends early, and nothing of it stays', () => {
    for (const load of [fromFile, inPieces]) {
      const keyspace = spaceFor(one);
      expect(() => load(keyspace, file.subarray(0, file.length / 2))).toThrow(
        /too early.* byte \d+/,
      );
      expectNothingStays(keyspace, one.bytes.length);
    }
  });

  // A zipmap begins with its count.
  const heads = one.type === 9 ? ['in its count'] : ['at its beginning', 'in its count'];
  it.each(['at its end', ...heads])('is refused with damage %s', (at) => {
    const bytes = Buffer.from(one.bytes);
    if (at === 'at its end') bytes.fill(0, bytes.length - (one.type === 11 ? 8 : 1));
    else if (at === 'at its beginning') bytes[0]! ^= 1;
    else if (one.type === 11) bytes[4]! ^= 1;
    else if (one.type === 9) bytes[0] = 3;
    else bytes.writeUInt16LE(7, one.type === 16 || one.type === 17 || one.type === 20 ? 4 : 8);
    const damaged = fileOf(one, bytes, form);
    // Where the value ends: behind it stand a type, a key, a string, the end and the checksum.
    const behind = damaged.length - 1 - 5 - 2 - 1 - 8;
    for (const load of [fromFile, inPieces]) {
      const keyspace = spaceFor(one);
      expect(() => load(keyspace, damaged)).toThrow(
        new RegExp(`a damaged (listpack|ziplist|zipmap|intset).*, at byte ${behind}$`),
      );
      expectNothingStays(keyspace, one.bytes.length);
    }
    const keyspace = spaceFor(one);
    expect(restored(keyspace, valueWith(one, bytes, form))).toBeInstanceOf(RdbError);
    expect(usedBytes(keyspace)).toBeLessThan(one.bytes.length / 2);
  });
});

describe('what is sound in form but not in sense, and large', () => {
  const again = [...fields, ...fields.slice(0, 2)];
  const back = [...scored.slice(2), ...scored.slice(0, 2)];
  const noNumber = scored.map((word, i) => (i === scored.length - 1 ? 'many' : word));
  const faults: [string, Place, RegExp][] = [
    ['a field twice', place(16, 'hashtable', listpackOf(again)), /a field twice in a hash/],
    ['a field twice, compact', place(16, 'listpack', listpackOf(again)), /a field twice in a hash/],
    ['a field twice, once a ziplist', place(13, 'listpack', ziplistOf(again)), /a field twice/],
    ['a field twice in a zipmap', place(9, 'hashtable', zipmapOf([...pairs, pairs[0]!])), /twice/],
    ['a member twice', place(20, 'hashtable', listpackOf([...words, words[9]!])), /a member twice/],
    ['a field without a value', place(16, 'hashtable', listpackOf(words.slice(1))), /a damaged/],
    ['a field of a ziplist without one', place(13, 'hashtable', ziplistOf(words.slice(1))), /dam/],
    ['members out of order', place(17, 'skiplist', listpackOf(back)), /not in order/],
    ['members out of order, compact', place(17, 'listpack', listpackOf(back)), /not in order/],
    ['a score that is none', place(12, 'skiplist', ziplistOf(noNumber)), /not a number/],
  ];

  it.each(faults)('is refused: %s', (_name, one, wanted) => {
    for (const load of [fromFile, inPieces]) {
      const keyspace = spaceFor(one);
      expect(() => load(keyspace, fileOf(one, one.bytes, 'compressed'))).toThrow(wanted);
      expectNothingStays(keyspace, one.bytes.length);
    }
  });
});

describe('a listpack whose head does not tell how many elements it has', () => {
  it('becomes a table, be it known from the start or at the end', () => {
    const many = Array.from({ length: 70_000 }, (_, i) => `a member of a set ${i}`);
    const bytes = listpackOf(many);
    bytes.writeUInt16LE(0xffff, 4);
    const one = place(20, 'hashtable', bytes);
    for (const most of [128, 69_999, 70_000]) {
      const keyspace = makeKeyspace();
      keyspace.limits.setMaxListpackEntries = most;
      fromFile(keyspace, fileOf(one, bytes, 'plain'));
      const encoding = most < many.length ? 'hashtable' : 'listpack';
      expect(shownValue(keyspace).startsWith(`${encoding} `)).toBe(true);
    }
  });
});

describe('a small hash that is a ziplist', () => {
  it('stays compact by the number of its fields alone, as in Redis', () => {
    const one = place(13, 'listpack', ziplistOf(['field', 'v'.repeat(100)]));
    const keyspace = makeKeyspace();
    fromFile(keyspace, fileOf(one, one.bytes, 'plain'));
    expect(shownValue(keyspace).startsWith('listpack ')).toBe(true);
  });
});
