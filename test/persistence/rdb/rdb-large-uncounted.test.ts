/**
 * Large listpacks and ziplists whose heads do not tell how many strings they have, where that
 * decides whether they stay: they are never held twice, and what is damaged leaves nothing.
 */
import { describe, expect, it, vi } from 'vitest';
import type { Keyspace } from '../../../src/core/keyspace.ts';
import { RdbError } from '../../../src/persistence/rdb/rdb-error.ts';
import { SetAside } from '../../../src/persistence/rdb/rdb-set-aside.ts';
import { roomsMade } from '../../support/rooms-made.ts';
import { listpackOf, rdbCompressed, rdbString, ziplistOf } from './rdb-forms.ts';
import {
  breakInTheMiddle,
  CHUNK_BYTES,
  expectNothingStays,
  restored,
  shownValue,
} from './rdb-large-support.ts';
import {
  BUFFER_MAX,
  fromFile,
  inPieces,
  makeKeyspace,
  rdbOf,
  text,
  usedBytes,
} from './rdb-support.ts';

const SET = Array.from({ length: 66_500 }, (_, i) => `a member of a set ${i}`);
const PAIRS = Array.from({ length: 33_500 }, (_, i) => [
  `the field ${100_000 + i}`,
  `${i}.5 of it`,
]);
const HASH = PAIRS.flat();
const ZSET = PAIRS.flatMap(([name], i) => [`${name} of a sorted set`, `${i}.5`]);

const uncounted = (bytes: Buffer, at: number): Buffer => {
  bytes.writeUInt16LE(0xffff, at);
  return bytes;
};
const listpack = (strings: string[]): Buffer => uncounted(listpackOf(strings), 4);
const ziplist = (strings: string[]): Buffer => uncounted(ziplistOf(strings), 8);

const FORMS: [string, number, Buffer, number][] = [
  ['the listpack of a set', 20, listpack(SET), SET.length],
  ['the listpack of a hash', 16, listpack(HASH), PAIRS.length],
  ['the ziplist of a hash', 13, ziplist(HASH), PAIRS.length],
  ['the listpack of a zset', 17, listpack(ZSET), PAIRS.length],
  ['the ziplist of a zset', 12, ziplist(ZSET), PAIRS.length],
];

/** A keyspace in which `most` elements stay compact. */
function spaceFor(most: number): Keyspace {
  const keyspace = makeKeyspace();
  const { limits } = keyspace;
  limits.hashMaxListpackEntries = most;
  limits.setMaxListpackEntries = most;
  limits.zsetMaxListpackEntries = most;
  return keyspace;
}

const fileOf = (type: number, value: Uint8Array): Uint8Array =>
  rdbOf('REDIS0011', type, text('k'), Buffer.from(value).toString('latin1'), 0xff);

describe.each(FORMS)('%s', (_name, type, bytes, count) => {
  const packed = rdbCompressed(bytes);
  const plainFile = fileOf(type, rdbString(bytes));
  const packedFile = fileOf(type, packed);
  let shown = '';
  /** How the value is shown when it becomes large by its head alone. */
  const large = (): string => {
    if (shown !== '') return shown;
    const keyspace = makeKeyspace();
    fromFile(keyspace, plainFile);
    shown = shownValue(keyspace);
    return shown;
  };

  it.each([
    ['stays, of as many elements as the limit', count],
    ['becomes large, of one more', count - 1],
    ['becomes large in the middle', count - 700],
  ])('%s: held once, or never as a whole', (_case, most) => {
    const [encoding, digest] = large().split(' ');
    const wanted = `${most === count ? 'listpack' : encoding} ${digest}`;
    const payload = spaceFor(most);
    expect(restored(payload, String.fromCharCode(type) + packed.toString('latin1'))).not.toBe(0);
    expect(shownValue(payload)).toBe(wanted);
    for (const [file, load] of [
      [plainFile, fromFile],
      [packedFile, inPieces],
    ] as const) {
      const keyspace = spaceFor(most);
      const rooms = roomsMade(BUFFER_MAX / 2, () => load(keyspace, file));
      expect(shownValue(keyspace)).toBe(wanted);
      const whole = rooms.filter((room) => room !== CHUNK_BYTES && room >= bytes.length);
      expect(whole.length).toBe(most === count ? 1 : 0);
    }
  });

  it('leaves nothing behind when the link breaks in the middle of it, or it ends early', () => {
    const keyspace = spaceFor(count);
    breakInTheMiddle(keyspace, plainFile);
    expectNothingStays(keyspace, bytes.length);
    for (const file of [plainFile, packedFile]) {
      const half = file.subarray(0, file.length / 2);
      expect(() => fromFile(keyspace, half)).toThrow(/too early.* byte \d+/);
      expectNothingStays(keyspace, bytes.length);
    }
  });

  it.each([
    ['at its end', bytes.length - 1],
    ['in the middle', bytes.length >>> 1],
    ['in its last strings', bytes.length - 30],
  ])('is refused with damage %s, and nothing of it stays', (_case, at) => {
    const damaged = Buffer.from(bytes);
    damaged.fill(0xfe, at, Math.min(at + 50, bytes.length));
    const file = fileOf(type, rdbString(damaged));
    // Behind the value stand the end and the checksum.
    const behind = file.length - 1 - 8;
    const wanted = new RegExp(`a damaged (listpack|ziplist).*, at byte ${behind}$`);
    for (const [most, load] of [
      [count, fromFile],
      [count - 700, inPieces],
    ] as const) {
      const keyspace = spaceFor(most);
      expect(() => load(keyspace, file)).toThrow(wanted);
      expectNothingStays(keyspace, bytes.length);
      const payload = String.fromCharCode(type) + rdbCompressed(damaged).toString('latin1');
      expect(restored(keyspace, payload)).toBeInstanceOf(RdbError);
      expect(usedBytes(keyspace)).toBeLessThan(bytes.length / 2);
    }
  });

  it('is refused when its first element comes again at the end', () => {
    const strings = type === 20 ? SET : type === 16 || type === 13 ? HASH : ZSET;
    const size = type === 20 ? 1 : 2;
    const again = [...strings, strings[0]!, ...(size === 2 ? [`${count}`] : [])];
    const file = fileOf(type, rdbString((type === 13 || type === 12 ? ziplist : listpack)(again)));
    for (const most of [count + 1, count]) {
      const keyspace = spaceFor(most);
      expect(() => fromFile(keyspace, file)).toThrow(/twice in a/);
      expectNothingStays(keyspace, bytes.length);
    }
  });
});

describe('bytes that are set aside', () => {
  it('are read once more as they came, and what was read is given back at once', () => {
    const resize = vi.spyOn(ArrayBuffer.prototype, 'resize');
    const bytes = Buffer.alloc(9_500_000);
    for (let i = 0; i < bytes.length; i += 4) bytes.writeUInt32LE(i, i);
    const setBy = new SetAside();
    for (let at = 0; at < bytes.length; at += 700_001) {
      setBy.add(bytes, at, Math.min(at + 700_001, bytes.length));
    }
    const to = Buffer.alloc(bytes.length);
    const given: number[] = [];
    for (let at = 0; !setBy.isEmpty; given.push(resize.mock.calls.length)) {
      at += setBy.take(to, at, 1_000_000);
    }
    expect(to.equals(bytes)).toBe(true);
    expect(resize.mock.calls).toEqual([[0], [0], [0]]);
    // Pieces of 4 MiB, and half a one: the first went when it was read, in the fifth turn.
    expect(given.slice(0, 6)).toEqual([0, 0, 0, 0, 1, 1]);
    resize.mockRestore();
  });
});
