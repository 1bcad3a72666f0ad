/**
 * Keys of many bytes, plain or compressed: each is read to where it stays, a piece at a time, is
 * held once whatever its value, and nothing of it stays when the file is damaged.
 */
import { describe, expect, it } from 'vitest';
import type { Keyspace } from '../../../src/core/keyspace.ts';
import { stringAppend } from '../../../src/core/types/string.ts';
import { dumpPayload } from '../../../src/persistence/rdb/rdb-dump.ts';
import { RdbReader } from '../../../src/persistence/rdb/rdb-reader.ts';
import { roomsMade } from '../../support/rooms-made.ts';
import { listpackOf, rdbCompressed, rdbLength, rdbString } from './rdb-forms.ts';
import { expectNothingStays } from './rdb-large-support.ts';
import {
  BUFFER_MAX,
  fileReader,
  LARGE,
  latin1,
  loaded,
  loadedInPieces,
  loadInto,
  makeKeyspace,
  rdbOf,
  text,
  usedBytes,
} from './rdb-support.ts';

const NAME = latin1(LARGE);
const FORMS = {
  plain: rdbString(NAME).toString('latin1'),
  compressed: rdbCompressed(NAME).toString('latin1'),
};
const long = (value: string): string => rdbString(latin1(value)).toString('latin1');
const many = (each: (i: number) => string): string =>
  rdbLength(600).toString('latin1') + Array.from({ length: 600 }, (_, i) => each(i)).join('');
const SCORE = '\0\0\0\0\0\0\xf0\x3f';
const STREAM_ID = '\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x01';
const STREAM_NODE = listpackOf(['1', '0', '1', 'field', '0', '2', '0', '0', 'value', '4']);

/** Values by their type byte and what follows the key. */
const VALUES: Record<string, [number, string]> = {
  'an integer': [0, '\xc1\x39\x30'],
  'a string': [0, text('value')],
  'an empty string': [0, text('')],
  'a string in a block of its own': [0, long('v'.repeat(100_000))],
  'a small list': [1, `\x02${text('a')}${text('b')}`],
  'a list in pieces': [1, many((i) => text(`element ${i} of a list`))],
  'a small hash': [4, `\x01${text('f')}${text('v')}`],
  'a hash in pieces': [4, many((i) => text(`f${i}`) + text('v'))],
  'a set in pieces': [2, many((i) => text(`m${i}`))],
  'a zset in pieces': [5, many((i) => text(`m${i}`) + SCORE)],
  'a stream': [15, `\x01${text(STREAM_ID)}${long(STREAM_NODE.toString('latin1'))}\x01\x05\x01\0`],
};

const EXPIRES_MS = 9_000_000_000_000;
const expiry = Buffer.alloc(9, 0xfc);
expiry.writeBigInt64LE(BigInt(EXPIRES_MS), 1);
const EXPIRY = expiry.toString('latin1');
const END_KEY = `\0${text('end')}${text('x')}`;

function fileOf(name: string, [type, value]: [number, string], before = ''): Uint8Array {
  return rdbOf('REDIS0010', before, type, name, value, END_KEY, 0xff);
}

const fromFile = (file: Uint8Array, keyspace = makeKeyspace()): Keyspace =>
  loaded(fileReader(file), { keyspace }).keyspace;
const fromSocket = (file: Uint8Array, keyspace = makeKeyspace()): Keyspace =>
  loadedInPieces(file, 100_000, keyspace);
const LOADS = [fromFile, fromSocket];

const find = (keyspace: Keyspace, name: Uint8Array): number =>
  keyspace.peek(keyspace.databases[0]!, name, 0, name.length);

/** All that a key holds, and when it expires. */
function holding(keyspace: Keyspace, name: Uint8Array): string {
  const address = find(keyspace, name);
  if (address === 0) return 'none';
  const payload = dumpPayload(keyspace, address, 11, false);
  const text = Buffer.from(payload).toString('latin1');
  return `${keyspace.expiryOf(keyspace.databases[0]!, address)} ${text}`;
}

const CASES = Object.entries(VALUES).map(([name, value], i) => ({
  name,
  value,
  form: i % 2 === 0 ? ('plain' as const) : ('compressed' as const),
  before: i % 4 < 2 ? EXPIRY : '',
}));

describe.each(CASES)('a large key, $form, of $name', (one) => {
  const file = fileOf(FORMS[one.form], one.value, one.before);
  const small = fromFile(fileOf(text('k'), one.value, one.before));
  const wanted = holding(small, latin1('k'));

  it('comes with its value, from a file and over a socket', () => {
    for (const load of LOADS) {
      const keyspace = load(file);
      expect(holding(keyspace, NAME) === wanted).toBe(true);
      expect(holding(keyspace, latin1('end'))).not.toBe('none');
      expect(keyspace.openedKey).toBe(0);
      const room = usedBytes(keyspace) - usedBytes(small);
      expect(Math.abs(room - LARGE.length)).toBeLessThan(100);
    }
  });

  it('is held once', () => {
    for (const load of LOADS) {
      const keyspace = makeKeyspace();
      const rooms = roomsMade(BUFFER_MAX, () => load(file, keyspace)).filter((n) => n !== 1 << 22);
      expect(rooms).toEqual([Math.ceil((LARGE.length + 24) / 8) * 8]);
    }
  });

  it('changes like any other', () => {
    const keyspace = fromFile(file);
    const db = keyspace.databases[0]!;
    let address = keyspace.setExpiry(db, find(keyspace, NAME), EXPIRES_MS + 1);
    expect(keyspace.expiryOf(db, address)).toBe(EXPIRES_MS + 1);
    address = keyspace.clearExpiry(db, address);
    expect(keyspace.expiryOf(db, address)).toBe(-1);
    const held = holding(keyspace, NAME);
    keyspace.rename(db, address, db, latin1('other'), 0, 5);
    expect(holding(keyspace, latin1('other')) === held).toBe(true);
    expect(find(keyspace, NAME)).toBe(0);
    expect(db.expires.size).toBe(0);
    expect(usedBytes(keyspace)).toBeLessThan(LARGE.length / 2);
  });
});

describe('a large key', () => {
  const string: [number, string] = [0, text('value')];

  it('of a string takes more text', () => {
    const keyspace = fromFile(fileOf(FORMS.plain, string, EXPIRY));
    const db = keyspace.databases[0]!;
    const more = latin1('x'.repeat(70_000));
    stringAppend(keyspace, db, find(keyspace, NAME), more, 0, more.length);
    const wanted = holding(
      fromFile(fileOf(text('k'), [0, long(`value${'x'.repeat(70_000)}`)], EXPIRY)),
      latin1('k'),
    );
    expect(holding(keyspace, NAME) === wanted).toBe(true);
  });

  it('whose time has come is passed over', () => {
    const past = `\xfc\x01${'\0'.repeat(7)}`;
    for (const value of Object.values(VALUES)) {
      const keyspace = makeKeyspace();
      keyspace.nowMs = 1000;
      const { load } = loaded(fileReader(fileOf(FORMS.compressed, value, past)), { keyspace });
      expect([load.keys, load.expiredKeys, keyspace.openedKey]).toEqual([1, 1, 0]);
      expect(usedBytes(keyspace)).toBeLessThan(LARGE.length / 2);
    }
  });

  it('of an empty collection is left out, and named', () => {
    const keyspace = makeKeyspace();
    const { load } = loaded(fileReader(fileOf(FORMS.plain, [1, '\0'])), { keyspace });
    expect(load.emptyKeyNames).toEqual([LARGE.slice(0, 128)]);
    expect([load.keys, keyspace.openedKey]).toEqual([1, 0]);
    expect(usedBytes(keyspace)).toBeLessThan(LARGE.length / 2);
  });

  it('that is there already is refused, or replaced', () => {
    const again = `\0${FORMS.compressed}${text('second')}`;
    const file = fileOf(FORMS.plain, [0, text('first') + again]);
    expect(() => fromFile(file)).toThrow(/^the key 'line 0 .{121}' twice in database 0/);
    const keyspace = makeKeyspace();
    loaded(fileReader(file), { keyspace, duplicates: 'replace' });
    expect(holding(keyspace, NAME)).toContain('second');
    expect(usedBytes(keyspace)).toBeLessThan(LARGE.length * 1.5);
  });

  it.each(['plain', 'compressed'] as const)('that ends early (%s) leaves nothing', (form) => {
    const whole = fileOf(FORMS[form], string);
    const file = whole.subarray(0, FORMS[form].length >>> 1);
    for (const load of LOADS) {
      const keyspace = makeKeyspace();
      expect(() => load(file, keyspace)).toThrow(/too early.* byte \d+/);
      expectNothingStays(keyspace, LARGE.length);
    }
  });

  it('with a damaged value leaves nothing', () => {
    const file = fileOf(FORMS.plain, [11, text('no intset')]);
    for (const load of LOADS) {
      const keyspace = makeKeyspace();
      expect(() => load(file, keyspace)).toThrow(/damaged.* byte \d+/);
      expectNothingStays(keyspace, LARGE.length);
    }
  });

  it('of which a part came is given up with the databases aside', () => {
    const keyspace = makeKeyspace();
    const databases = keyspace.databasesAside();
    const reader = RdbReader.fed();
    const load = loadInto(keyspace, reader, { databases });
    reader.feed(fileOf(FORMS.plain, string).subarray(0, LARGE.length / 2));
    let now = 0;
    while (!load.isHungry) load.step(1, () => ++now);
    expect(keyspace.openedKey).not.toBe(0);
    keyspace.discard(databases);
    expect(usedBytes(keyspace)).toBeLessThan(LARGE.length / 2);
  });
});
