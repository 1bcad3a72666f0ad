/**
 * Dumps of every version, written by hand; and what no keyspace can hold, refused with its place.
 */
import { describe, expect, it } from 'vitest';
import {
  dumpPayload,
  isSoundPayload,
  PayloadRestorer,
} from '../../../src/persistence/rdb/rdb-dump.ts';
import { RdbReader } from '../../../src/persistence/rdb/rdb-reader.ts';
import { skipValue } from '../../../src/persistence/rdb/rdb-skip.ts';
import { blob, int64, listpack } from './rdb-packed.ts';
import {
  contents,
  fileReader,
  latin1,
  loaded,
  makeKeyspace,
  NOW_MS,
  put,
  type RdbPart,
  rdbOf,
  text,
} from './rdb-support.ts';

const pad = (version: number): string => String(version).padStart(4, '0');
const zeroes = (count: number): number[] => new Array<number>(count).fill(0);

/** The bytes before a checksum, which versions below 5 do not have. */
const bare = (...parts: readonly RdbPart[]): Uint8Array => rdbOf(...parts).slice(0, -8);

function values(bytes: Uint8Array): Record<string, string> {
  return Object.fromEntries(contents(loaded(fileReader(bytes)).keyspace));
}

describe('the header', () => {
  it('of the versions 1 to 12 is taken', () => {
    for (let version = 1; version <= 12; version++) {
      const make = version < 5 ? bare : rdbOf;
      const bytes = make(`REDIS${pad(version)}`, 0xfe, 0, 0, text('k'), text('v'), 0xff);
      expect(values(bytes), `version ${version}`).toEqual({ '0 k': 'embstr -1 v' });
    }
  });

  it('of Valkey 9 is taken', () => {
    const bytes = rdbOf('VALKEY080', 0xfe, 0, 0, text('k'), text('v'), 0xff);
    expect(values(bytes)).toEqual({ '0 k': 'embstr -1 v' });
  });

  it('of any other version, or of something else, is refused', () => {
    for (const magic of ['REDIS0000', 'REDIS0013', 'REDIS0080', 'VALKEY081', 'VALKEY011']) {
      expect(() => loaded(fileReader(rdbOf(magic, 0xff)))).toThrow(/version \d+, which/);
    }
    for (const magic of ['REDISXXXX', 'redis0010', 'SQLite fo', 'REDIS 010']) {
      expect(() => loaded(fileReader(rdbOf(magic, 0xff)))).toThrow(/does not begin with REDIS/);
    }
  });
});

describe('opcodes', () => {
  it('of old and new servers are understood', () => {
    const seconds = Math.floor(NOW_MS / 1000) + 100;
    const le = [seconds, seconds >>> 8, seconds >>> 16, seconds >>> 24].map((b) => b & 0xff);
    const bytes = rdbOf(
      'REDIS0012', 0xfa, text('redis-ver'), text('7.4.0'), 0xf5, text('#!lua name=a'),
      0xfe, 1, 0xfb, 1, 1, 0xf4, 5, 1, 0, 0xfd, le, 0xf8, 60, 0xf9, 7, 0, text('old'), text('v'),
      0xff,
    ); // biome-ignore format: rows of opcodes
    const { keyspace, load } = loaded(fileReader(bytes));
    expect([...contents(keyspace)]).toEqual([['1 old', `embstr ${seconds * 1000} v`]]);
    expect(load.aux.get('redis-ver')).toBe('7.4.0');
    expect(load.functions).toHaveLength(1);
  });

  it('that are not, are refused with their place', () => {
    const file = (opcode: number) => fileReader(rdbOf('REDIS0010', opcode, 0xff));
    expect(() => loaded(file(0xf6))).toThrow(/pre-release of Redis 7: .*, at byte 10/);
    expect(() => loaded(file(0xf3))).toThrow(/slots that are being imported.*, at byte 10/);
    expect(() => loaded(file(0xf2))).toThrow(/unknown type 242/);
    expect(() => loaded(fileReader(rdbOf('REDIS0010', 100, text('k'), 0xff)))).toThrow(
      /unknown type 100/,
    );
  });

  it('name the module whose data stands there', () => {
    // The id that RedisJSON's "ReJSON-RL", version 3, has.
    const id = [0x81, 0x45, 0xe2, 0x49, 0x48, 0xe3, 0x7e, 0x44, 0xbb];
    let number = 0n;
    for (const byte of id.slice(1)) number = (number << 8n) | BigInt(byte);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    let name = '';
    for (let i = 0; i < 9; i++) name += alphabet[Number((number >> BigInt(58 - 6 * i)) & 63n)];
    const aux = rdbOf('REDIS0010', 0xf7, id, 2, 1, 0, 0xff);
    expect(() => loaded(fileReader(aux))).toThrow(`data of the module '${name}'`);
    const value = rdbOf('REDIS0010', 7, text('k'), id, 0, 0xff);
    expect(() => loaded(fileReader(value))).toThrow(`the module type '${name}'`);
  });
});

/** A value of each type, without type byte and key, and how the type is called. */
const VALUES: readonly (readonly [number, string, readonly RdbPart[]])[] = [
  [1, 'list', [2, text('a'), text('b')]],
  [2, 'set', [1, text('a')]],
  [3, 'zset with text scores', [3, text('a'), text('1.5'), text('b'), 254, text('c'), 255]],
  [4, 'hash', [1, text('f'), text('v')]],
  [5, 'zset', [1, text('a'), zeroes(8)]],
  [7, 'module', [0x40, 0xff, 1, 5, 2, 0x81, zeroes(8), 3, zeroes(4), 4, zeroes(8), 5, text(''), 0]],
  [9, 'zipmap', [text('blob')]],
  [10, 'ziplist', [text('blob')]],
  [11, 'intset', [text('blob')]],
  [12, 'zset ziplist', [text('blob')]],
  [13, 'hash ziplist', [text('blob')]],
  [14, 'quicklist', [2, text('blob'), text('blob')]],
  [16, 'hash listpack', [text('blob')]],
  [17, 'zset listpack', [text('blob')]],
  [18, 'quicklist of listpacks', [2, 1, text('plain'), 2, text('packed')]],
  [20, 'set listpack', [text('blob')]],
  [15, 'stream', [1, text('0123456789abcdef'), text('lp'), 1, 5, 0, 1,
    text('group'), 5, 0, 1, zeroes(24), 2, 1, text('consumer'), zeroes(8), 1, zeroes(16)]],
  [19, 'stream v2', [1, text('0123456789abcdef'), text('lp'), 1, 5, 0, 1, 0, 0, 0, 1, 1,
    text('group'), 5, 0, 1, 0, 1, text('consumer'), zeroes(8), 0]],
  [21, 'stream v3', [0, 1, 5, 0, 1, 0, 0, 0, 1, 1,
    text('group'), 5, 0, 1, 0, 1, text('consumer'), zeroes(16), 0]],
  [22, 'hash with expiry, early', [1, 0x80, zeroes(4), text('f'), text('v')]],
  [23, 'hash listpack with expiry, early', [text('blob')]],
  [24, 'hash with expiry', [zeroes(8), 1, 0, text('f'), text('v')]],
  [25, 'hash listpack with expiry', [zeroes(8), text('blob')]],
]; // biome-ignore format: a table

describe('a value that is passed over', () => {
  it('is passed over exactly, whatever its type', () => {
    for (const [type, name, parts] of VALUES) {
      const bytes = rdbOf(...parts).slice(0, -8);
      const reader = RdbReader.overBytes(bytes, 0, bytes.length);
      skipValue(reader, type, 12);
      expect(reader.offset, name).toBe(bytes.length);
      for (let cut = 0; cut < bytes.length; cut++) {
        const short = RdbReader.overBytes(bytes, 0, cut);
        expect(() => skipValue(short, type, 12), `${name}, cut at ${cut}`).toThrow(/too early/);
      }
    }
  });

  it('has other fields in a file of Valkey', () => {
    const bytes = rdbOf(1, text('f'), text('v'), zeroes(8)).slice(0, -8);
    const reader = RdbReader.overBytes(bytes, 0, bytes.length);
    skipValue(reader, 22, 80);
    expect(reader.offset).toBe(bytes.length);
  });

  it('of a key whose time has come is not taken in, whatever its type', () => {
    for (const [type, name, parts] of VALUES) {
      const gone = [0xfc, 1, 0, 0, 0, 0, 0, 0, 0];
      const bytes = rdbOf(
        'REDIS0012',
        gone,
        type,
        text('gone'),
        ...parts,
        0,
        text('k'),
        text('v'),
        0xff,
      );
      const { keyspace, load } = loaded(fileReader(bytes));
      expect([...contents(keyspace).keys()], name).toEqual(['0 k']);
      expect(load.expiredKeys).toBe(1);
    }
  });
});

describe('a hash whose fields may expire', () => {
  const load = (magic: string, ...parts: RdbPart[]) => values(rdbOf(magic, ...parts, 0xff));
  const pair = [text('f'), text('v')];

  it('is taken where none does, whoever wrote it', () => {
    const forms: [string, RdbPart[]][] = [
      ['REDIS0012', [22, text('h'), 1, 0, ...pair]],
      ['REDIS0012', [24, text('h'), int64(0), 1, 0, ...pair]],
      ['VALKEY080', [22, text('h'), 1, ...pair, int64(-1)]],
    ];
    for (const [magic, parts] of forms) {
      expect(Object.keys(load(magic, ...parts)), `${magic} ${parts[0]}`).toEqual(['0 h']);
    }
  });

  it('is refused where one does, comes twice, or is half there', () => {
    const expires = /field that expires/;
    expect(() => load('REDIS0012', 22, text('h'), 1, 9, ...pair)).toThrow(expires);
    expect(() => load('REDIS0012', 24, text('h'), int64(8), 1, 2, ...pair)).toThrow(expires);
    expect(() => load('VALKEY080', 22, text('h'), 1, ...pair, int64(9))).toThrow(expires);
    for (const [type, before] of [
      [23, []],
      [25, int64(8)],
    ] as const) {
      const pack =
        (...words: string[]) =>
        () =>
          load('REDIS0012', type, text('h'), before, blob(listpack(...words)));
      expect(pack('f', 'v', 'x')).toThrow(expires);
      expect(pack('f', 'v')).toThrow(/damaged listpack/);
    }
    const twice = [0, ...pair, 0, ...pair];
    expect(() => load('REDIS0012', 22, text('h'), 2, ...twice)).toThrow(/twice/);
  });
});

it('a score that is no number has no text, and a node of an unknown kind is none', () => {
  const zset = rdbOf(1, text('m'), 253).slice(0, -8);
  const reader = RdbReader.overBytes(zset, 0, zset.length);
  skipValue(reader, 3, 12);
  expect(reader.offset).toBe(zset.length);
  const list = rdbOf(1, 3, text('node')).slice(0, -8);
  const node = RdbReader.overBytes(list, 0, list.length);
  expect(() => skipValue(node, 18, 12)).toThrow(/unknown kind 3/);
});

describe('a payload', () => {
  /** `value` with the footer of a version. */
  const payload = (version: number, ...value: RdbPart[]): Uint8Array => rdbOf(...value, version, 0);

  it('is sound by its length, its version and its checksum, if that is looked at', () => {
    const isSound = (bytes: Uint8Array, checksum = true) =>
      isSoundPayload(bytes, 0, bytes.length, checksum);
    for (const version of [1, 11, 12, 80])
      expect(isSound(payload(version, 0, text('v')))).toBe(true);
    for (const version of [13, 79, 81]) expect(isSound(payload(version, 0, text('v')))).toBe(false);
    const flipped = payload(11, 0, text('v'));
    flipped[1]! ^= 1;
    expect([isSound(flipped), isSound(flipped, false)]).toEqual([false, true]);
    const short = payload(11).subarray(1);
    expect(isSound(short, false)).toBe(false);
  });

  it('has room for its version and checksum, whatever its length', () => {
    const keyspace = makeKeyspace();
    const db = keyspace.databases[0]!;
    for (let length = 235; length < 260; length++) {
      put(keyspace, 0, 'k', 'x'.repeat(length));
      const bytes = dumpPayload(keyspace, db.dict.find(latin1('k'), 0, 1), 11, false);
      expect([bytes.length, isSoundPayload(bytes, 0, bytes.length, true)]).toEqual([
        3 + length + 10,
        true,
      ]);
    }
  });

  it('is read as its version has it, and refused where it holds nothing, or more', () => {
    const keyspace = makeKeyspace();
    const restore = (bytes: Uint8Array) => {
      const [key, db] = [latin1('k'), keyspace.databases[0]!];
      const found = new PayloadRestorer(keyspace).restore(db, key, 0, 1, bytes, 0, bytes.length);
      if (typeof found === 'number') keyspace.remove(db, found);
      return found;
    };
    expect(restore(payload(80, 22, 1, text('f'), text('v'), int64(-1)))).toBeTypeOf('number');
    expect(restore(payload(11, 1, 0))).toMatchObject({
      message: expect.stringMatching(/without elements/),
    });
    expect(restore(payload(11, 0, text('v'), 7))).toMatchObject({
      message: expect.stringMatching(/1 bytes behind/),
    });
    expect(keyspace.databases[0]!.dict.count).toBe(0);
  });
});
