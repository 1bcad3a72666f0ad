/**
 * Collections that are one string in an RDB, with an element that is larger than the window in
 * which they are seen: how often it is held, that it comes whole, and that nothing of it stays when
 * it does not.
 */
import { describe, expect, it } from 'vitest';
import { Digest } from '../../../src/core/digest.ts';
import type { Keyspace } from '../../../src/core/keyspace.ts';
import { encodingName, encodingOf } from '../../../src/core/value.ts';
import { restorePayload } from '../../../src/persistence/rdb/rdb-dump.ts';
import { RdbError } from '../../../src/persistence/rdb/rdb-error.ts';
import { RdbReader } from '../../../src/persistence/rdb/rdb-reader.ts';
import { digestValue } from '../../../src/server/commands/value-digests.ts';
import { roomsMade } from '../../support/rooms-made.ts';
import { listpackOf, rdbCompressed, rdbString, ziplistOf, zipmapOf } from './rdb-forms.ts';
import {
  BUFFER_MAX,
  entriesOf,
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

/** The arena grows by so many bytes, for whatever it holds. */
const CHUNK_BYTES = 1 << 22;
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
  /** How many rooms are made in which all of the large element fits. */
  readonly rooms: number;
}

/** A compact value is read to where it stays, whatever is in it. */
const compact = (type: number, bytes: Buffer): Place => ({
  type,
  encoding: 'listpack',
  bytes,
  rooms: 1,
});
/** Others are seen through a window that grows to the element, which then goes to its place. */
const large = (type: number, encoding: string, bytes: Buffer): Place => ({
  type,
  encoding,
  bytes,
  rooms: 2,
});

const FIELD_LARGE = [...pairs(MANY).flat(), LARGE, 'v', 'z', '1'];
const ZIPMAP = zipmapOf([...pairs(3), ['large', LARGE], ['z', '1']]);
const PLACES: Record<string, Place> = {
  'a listpack that stays a hash': compact(16, listpackOf(hashOf(3))),
  'a listpack that stays a zset': compact(17, listpackOf(zsetOf(3))),
  'a ziplist that is a small hash': compact(13, ziplistOf(hashOf(3))),
  'a ziplist that is a small zset': compact(12, ziplistOf(zsetOf(3))),
  'a listpack that becomes a hash': large(16, 'hashtable', listpackOf(hashOf(MANY))),
  'a listpack with a large field': large(16, 'hashtable', listpackOf(FIELD_LARGE)),
  'a zipmap that becomes a hash': large(9, 'hashtable', ZIPMAP),
  'a listpack that becomes a set': large(20, 'hashtable', listpackOf(setOf(MANY))),
  'a listpack that becomes a zset': large(17, 'skiplist', listpackOf(zsetOf(MANY))),
  'a ziplist that is a list': large(10, 'quicklist', ziplistOf(setOf(3))),
};

const FORMS = { plain: rdbString, compressed: rdbCompressed };
const CASES = Object.entries(PLACES).flatMap(([name, place]) =>
  (['plain', 'compressed'] as const).map((form) => ({ name, place, form })),
);

const valueWith = ({ type, bytes }: Place, form: keyof typeof FORMS): string =>
  String.fromCharCode(type) + FORMS[form](bytes).toString('latin1');

/** Encoding of the only key, and a digest of its elements. */
function shown(keyspace: Keyspace): string {
  const [entry] = [...entriesOf(keyspace)];
  const digest = new Digest();
  digestValue(keyspace, entry!.address, digest);
  const name = encodingName(encodingOf(keyspace.arena, entry!.address));
  return `${name} ${Buffer.from(digest.bytes).toString('hex')}`;
}

function restored(keyspace: Keyspace, value: string): number | RdbError {
  const payload = latin1(`${value}\x0b\0\0\0\0\0\0\0\0\0`);
  const db = keyspace.databases[0]!;
  return restorePayload(keyspace, db, latin1('k'), 0, 1, payload, 0, payload.length);
}

describe.each(CASES)('$name, $form, with an element larger than the window', ({ place, form }) => {
  const value = valueWith(place, form);
  const file = fileOf(value);

  it('comes from a payload, and the same from a file and over a socket', () => {
    const keyspace = makeKeyspace();
    expect(restored(keyspace, value)).toBeTypeOf('number');
    const wanted = shown(keyspace);
    expect(wanted.startsWith(`${place.encoding} `)).toBe(true);
    for (const load of [fromFile, inPieces]) {
      const other = makeKeyspace();
      load(other, file);
      expect(shown(other)).toBe(wanted);
    }
  });

  it('is held once where it is compact, and once more in a window elsewhere', () => {
    for (const load of [fromFile, inPieces]) {
      const keyspace = makeKeyspace();
      const rooms = roomsMade(BUFFER_MAX, () => load(keyspace, file));
      expect(rooms.filter((room) => room !== CHUNK_BYTES).length).toBe(place.rooms);
    }
  });

  it('comes from a file in many steps', () => {
    const load = loadInto(makeKeyspace(), fileReader(file));
    let [now, steps] = [0, 1];
    while (!load.step(1, () => ++now)) steps++;
    expect(steps).toBeGreaterThan(2);
  });

  it('leaves nothing behind when the link breaks in the middle of it', () => {
    const keyspace = makeKeyspace();
    const db = keyspace.databases[0]!;
    const reader = RdbReader.fed();
    const load = loadInto(keyspace, reader);
    reader.feed(file.subarray(0, file.length / 2));
    let now = 0;
    while (!load.isHungry) load.step(1, () => ++now);
    keyspace.remove(db, keyspace.peek(db, latin1('k'), 0, 1));
    expect(usedBytes(keyspace)).toBeLessThan(LARGE.length / 2);
  });

  it('is refused when it ends early or is damaged, and nothing of it stays', () => {
    const bytes = Buffer.from(place.bytes);
    bytes[bytes.length - 1] = 0;
    const damaged = valueWith({ ...place, bytes }, form);
    const faults: [Uint8Array, RegExp][] = [
      [file.subarray(0, file.length / 2), /too early.* byte \d+/],
      [fileOf(damaged), /a damaged .* byte \d+/],
    ];
    for (const [faulty, wanted] of faults) {
      for (const load of [fromFile, inPieces]) {
        const keyspace = makeKeyspace();
        expect(() => load(keyspace, faulty)).toThrow(wanted);
        expect([...entriesOf(keyspace)]).toEqual([]);
        expect(usedBytes(keyspace)).toBeLessThan(LARGE.length / 2);
      }
    }
    const keyspace = makeKeyspace();
    expect(restored(keyspace, damaged)).toBeInstanceOf(RdbError);
    expect(usedBytes(keyspace)).toBeLessThan(LARGE.length / 2);
  });
});
