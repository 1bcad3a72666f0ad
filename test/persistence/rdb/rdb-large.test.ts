/**
 * Hashes, sets and zsets with an element of many bytes, plain or compressed: it is read to where it
 * stays, a piece at a time, and nothing of it stays when it is damaged.
 */
import { describe, expect, it } from 'vitest';
import type { Keyspace } from '../../../src/core/keyspace.ts';
import { HashCursor } from '../../../src/core/types/hash-cursor.ts';
import { SetCursor } from '../../../src/core/types/set-view.ts';
import { ZsetCursor } from '../../../src/core/types/zset-view.ts';
import { TYPE_HASH, TYPE_SET, typeOf } from '../../../src/core/value.ts';
import { PayloadRestorer } from '../../../src/persistence/rdb/rdb-dump.ts';
import { RdbError } from '../../../src/persistence/rdb/rdb-error.ts';
import { RdbReader } from '../../../src/persistence/rdb/rdb-reader.ts';
import { roomsMade } from '../../support/rooms-made.ts';
import { rdbCompressed, rdbLength, rdbString } from './rdb-forms.ts';
import {
  breakInTheMiddle,
  expectNothingStays,
  restored,
  stepsToLoad,
} from './rdb-large-support.ts';
import {
  BUFFER_MAX,
  entriesOf,
  fileOf,
  fileReader,
  fromFile,
  LARGE,
  latin1,
  loaded,
  loadInto,
  makeKeyspace,
  text,
  usedBytes,
} from './rdb-support.ts';

/** Both forms of the text. */
const PACKED = rdbCompressed(latin1(LARGE)).toString('latin1');
const long = (value: string): string => rdbString(latin1(value)).toString('latin1');
const PLAIN = long(LARGE);

const SCORE = '\0\0\0\0\0\0\xf0\x3f';

/** How a large string stands in a value: the type byte, small elements, what is around it. */
type Place = {
  readonly type: number;
  readonly small: (i: number) => string;
  readonly pre?: string;
  readonly post?: string;
};

const pair = (i: number): string => text(`f${i}`) + text('v');
const PLACES: Record<string, Place> = {
  'value of a hash': { type: 4, small: pair, pre: text('field') },
  'field of a hash': { type: 4, small: pair, post: text('v') },
  'member of a set': { type: 2, small: (i) => text(`m${i}`) },
  'member of a zset': { type: 5, small: (i) => text(`m${i}`) + SCORE, post: SCORE },
  'member of an old zset': { type: 3, small: (i) => text(`m${i}`) + text('1'), post: text('1') },
};

/** A value with small elements before and behind the large one. */
function valueWith(
  { type, small, pre = '', post = '' }: Place,
  large: string,
  each: number,
): string {
  const before = Array.from({ length: each }, (_, i) => small(i)).join('');
  const behind = Array.from({ length: each }, (_, i) => small(each + i)).join('');
  const count = rdbLength(each * 2 + 1).toString('latin1');
  return String.fromCharCode(type) + count + before + pre + large + post + behind;
}

/** The elements of the only key, sorted; a pair as one. */
function elementsOf(keyspace: Keyspace): string[] {
  const all: string[] = [];
  const [hash, set, zset] = [new HashCursor(), new SetCursor(), new ZsetCursor()];
  const shown = (view: { bytes: Uint8Array; offset: number; length: number }): string =>
    Buffer.from(view.bytes.buffer, view.bytes.byteOffset + view.offset, view.length).toString(
      'latin1',
    );
  for (const { address } of entriesOf(keyspace)) {
    const type = typeOf(keyspace.arena, address);
    if (type === TYPE_HASH) {
      hash.start(keyspace, address);
      while (hash.next()) all.push(`${shown(hash.field)}=${shown(hash.value)}`);
    } else if (type === TYPE_SET) {
      set.start(keyspace, address);
      while (set.next()) all.push(shown(set.member));
    } else {
      zset.start(keyspace, address);
      while (zset.next()) all.push(`${shown(zset.member)}=${zset.score}`);
    }
  }
  return all.sort();
}

function expectedOf(place: Place, each: number): string[] {
  const isHash = place.type === 4;
  const pair = isHash ? '=v' : place.type === 2 ? '' : '=1';
  const small = Array.from({ length: each * 2 }, (_, i) => `${isHash ? 'f' : 'm'}${i}${pair}`);
  const large = place.pre === undefined ? LARGE + pair : `field=${LARGE}`;
  return [...small, large].sort();
}

/** Feeds a file to a load in pieces, as a socket does; how far the reader's buffer grew. */
function feed(keyspace: Keyspace, file: Uint8Array, pieceBytes: number): number {
  const reader = RdbReader.fed();
  const load = loadInto(keyspace, reader);
  let [now, room] = [0, 0];
  for (let at = 0; at < file.length; at += pieceBytes) {
    reader.feed(file.subarray(at, at + pieceBytes));
    if (at + pieceBytes >= file.length) reader.endOfFeed();
    room = Math.max(room, reader.buf.length);
    while (!load.step(1, () => ++now)) if (load.isHungry) break;
  }
  return room;
}

function fromSocket(keyspace: Keyspace, file: Uint8Array): void {
  feed(keyspace, file, 100_000);
}

const CASES = Object.entries(PLACES).flatMap(([name, place]) =>
  [2, 400].flatMap((each) =>
    (['plain', 'compressed'] as const).map((form) => ({ name, place, each, form })),
  ),
);

describe.each(CASES)('a $form $name among $each others', ({ place, each, form }) => {
  const value = valueWith(place, form === 'plain' ? PLAIN : PACKED, each);
  const wanted = expectedOf(place, each);
  const equals = (keyspace: Keyspace): boolean => elementsOf(keyspace).join() === wanted.join();

  it('comes from a file, in many steps', () => {
    const reader = fileReader(fileOf(value));
    const keyspace = makeKeyspace();
    const steps = stepsToLoad(keyspace, reader);
    expect(equals(keyspace)).toBe(true);
    expect(reader.buf.length).toBeLessThan(BUFFER_MAX);
    expect(steps).toBeGreaterThan(2);
  });

  it.each([9973, 300_000])('comes over a socket, %i bytes at a time', (pieceBytes) => {
    const keyspace = makeKeyspace();
    expect(feed(keyspace, fileOf(value), pieceBytes)).toBeLessThan(BUFFER_MAX);
    expect(equals(keyspace)).toBe(true);
  });

  it('is held once', () => {
    const file = fileOf(value);
    for (const load of [fromFile, fromSocket]) {
      const keyspace = makeKeyspace();
      const before = keyspace.arena.usedBytes;
      const rooms = roomsMade(BUFFER_MAX, () => load(keyspace, file));
      expect(rooms).toHaveLength(1);
      expect(rooms[0]).toBeLessThan(LARGE.length + 100);
      expect(keyspace.arena.usedBytes - before).toBeLessThan(LARGE.length + 200_000);
    }
  });

  it('comes from a payload', () => {
    const keyspace = makeKeyspace();
    expect(restored(keyspace, value)).toBeTypeOf('number');
    expect(equals(keyspace)).toBe(true);
  });

  it('leaves nothing behind when the link breaks in the middle of it', () => {
    const keyspace = makeKeyspace();
    breakInTheMiddle(keyspace, fileOf(value));
    expectNothingStays(keyspace, LARGE.length);
  });
});

describe.each(['plain', 'compressed'])('a %s field of a hash', (form) => {
  const field = form === 'plain' ? PLAIN : PACKED;
  it.each([
    ['nothing', text(''), ''],
    ['a number', '\xc1\x39\x30', '12345'],
    ['what takes a word for its length', long('v'.repeat(9000)), 'v'.repeat(9000)],
    ['a quarter of its bytes', long('v'.repeat(500_000)), 'v'.repeat(500_000)],
    ['a large one', PACKED, LARGE],
    ['a large one that is plain', PLAIN, LARGE],
  ])('has for its value %s', (_what, value, wanted) => {
    const place = { type: 4, small: pair, post: value };
    const loads = [[2, fromFile], [400, fromSocket]] as const; // biome-ignore format: a row
    for (const [each, load] of loads) {
      const keyspace = makeKeyspace();
      const file = fileOf(valueWith(place, field, each));
      const rooms = roomsMade(BUFFER_MAX, () => load(keyspace, file));
      // The entry, which is made once its size is known.
      expect(rooms).toHaveLength(1);
      expect(rooms[0]).toBeLessThan(LARGE.length + wanted.length + 100);
      const elements = elementsOf(keyspace);
      expect(elements).toHaveLength(each * 2 + 1);
      expect(elements.includes(`${LARGE}=${wanted}`)).toBe(true);
      expect(keyspace.arena.usedBytes).toBeLessThan(LARGE.length + wanted.length + 200_000);
      keyspace.remove(keyspace.databases[0]!, entriesOf(keyspace).next().value!.address);
      expect(usedBytes(keyspace)).toBeLessThan(LARGE.length / 2);
    }
  });
});

/** Damaged forms of the compressed text, and what is said of them. */
const DAMAGES: readonly (readonly [string, string, RegExp])[] = [
  ['is a byte short', rewritten(PACKED, LARGE.length + 1), /is damaged.* byte \d+/],
  ['is a byte long', rewritten(PACKED, LARGE.length - 1), /is damaged.* byte \d+/],
  ['claims too much', rewritten(PACKED, 0xf000_0000), /impossible length.* byte \d+/],
  ['points before itself', misdirected(PACKED), /is damaged.* byte \d+/],
  ['ends early', PACKED.slice(0, PACKED.length >>> 1), /too early.* byte \d+/],
]; // biome-ignore format: rows

/** A compressed string whose first item is a copy. */
function misdirected(packed: string): string {
  return `${packed.slice(0, 11)}\xff\xff\xff${packed.slice(14)}`;
}

/** A compressed string that says another length. */
function rewritten(packed: string, length: number): string {
  return packed.slice(0, 6) + rdbLength(length).toString('latin1') + packed.slice(11);
}

describe.each(Object.entries(PLACES))('a damaged %s', (_name, place) => {
  it.each(DAMAGES)('that %s is refused, and nothing of it stays', (_what, large, message) => {
    for (const each of [2, 400]) {
      const value = valueWith({ ...place, post: '' }, large, each);
      const cut = value.slice(0, value.indexOf(large) + large.length);
      for (const source of ['file', 'socket'] as const) {
        const keyspace = makeKeyspace();
        const file = fileOf(cut).subarray(0, -9);
        const load = (): unknown =>
          source === 'file'
            ? loaded(fileReader(file), { keyspace })
            : feed(keyspace, file, 100_000);
        expect(load).toThrow(message);
        expectNothingStays(keyspace, LARGE.length);
      }
      const keyspace = makeKeyspace();
      const db = keyspace.databases[0]!;
      const payload = latin1(`${cut}\x0a\0\0\0\0\0\0\0\0\0`);
      const result = new PayloadRestorer(keyspace).restore(
        db,
        latin1('k'),
        0,
        1,
        payload,
        0,
        payload.length,
      );
      expect(result).toBeInstanceOf(RdbError);
      expectNothingStays(keyspace, LARGE.length);
    }
  });

  it('that comes twice is refused', () => {
    const again = `${place.pre ?? ''}${PACKED}${place.post ?? ''}`;
    const value = valueWith({ ...place, small: () => again }, PLAIN, 1);
    const keyspace = makeKeyspace();
    expect(() => loaded(fileReader(fileOf(value)), { keyspace })).toThrow(/twice.* byte \d+/);
    expectNothingStays(keyspace, LARGE.length);
  });
});
