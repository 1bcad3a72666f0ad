/**
 * The walker and what is built on it, over bytes written by hand: every old and odd form of a value
 * is shown as its elements, and damage is noticed where it stands.
 */
import { describe, expect, it } from 'vitest';
import { StreamId } from '../../../src/core/struct/stream-id.ts';
import { ByteView } from '../../../src/core/value.ts';
import { ByteOutput } from '../../../src/persistence/byte-output.ts';
import { RdbEntry, RdbWalk } from '../../../src/persistence/rdb/rdb-walk.ts';
import { checkRdb } from '../../../src/persistence/tools/check-rdb.ts';
import { JsonExport } from '../../../src/persistence/tools/rdb-export-json.ts';
import { rdbString } from './rdb-forms.ts';
import { blob, int64, listpack, ziplist } from './rdb-packed.ts';
import { fileReader, latin1, NOW_MS, type RdbPart, rdbOf, text } from './rdb-support.ts';
import { walkFed, written } from './rdb-written.ts';

const wants = (): boolean => true;

const json = (...parts: RdbPart[]): unknown[] =>
  written(rdbOf('REDIS0012', ...parts, 0xff), (out) => new JsonExport(out, wants))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(Buffer.from(line, 'latin1').toString('utf8')));

const values = (...parts: RdbPart[]): unknown[] =>
  json(...parts).map((line) => (line as { value: unknown }).value);

const key = text('k');

it('a long string is text only if all of it is', () => {
  const bytes = `${'x'.repeat(1 << 20)}\xff`;
  const base64 = Buffer.from(bytes, 'latin1').toString('base64');
  expect(values(0, key, rdbString(latin1(bytes)).toString('latin1'))).toEqual([{ base64 }]);
});

describe('a walk shows the elements of', () => {
  it('lists of every form', () => {
    expect(
      values(
        ...[1, key, 2, text('a'), text('b')],
        ...[10, key, blob(ziplist('a', 'b'))],
        ...[14, key, 2, blob(ziplist('a')), blob(ziplist('b'))],
        ...[18, key, 2, 1, text('a'), 2, blob(listpack('b'))],
      ),
    ).toEqual([
      ['a', 'b'],
      ['a', 'b'],
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  it('sets of every form', () => {
    const intset = '\x02\0\0\0\x02\0\0\0\x05\0\x09\0';
    expect(
      values(
        ...[2, key, 2, text('x'), text('y')],
        ...[11, key, blob(intset)],
        ...[20, key, blob(listpack('x', 'y'))],
      ),
    ).toEqual([
      ['x', 'y'],
      ['5', '9'],
      ['x', 'y'],
    ]);
  });

  it('hashes of every form, with the expiries of their fields', () => {
    const zipmap = '\x01\x01f\x01\0v\xff';
    expect(
      values(
        ...[4, key, 1, text('f'), text('v')],
        ...[9, key, blob(zipmap)],
        ...[13, key, blob(ziplist('f', 'v'))],
        ...[16, key, blob(listpack('f', 'v'))],
        ...[24, key, ...[int64(1000), 2, 0, text('f'), text('v'), 6, text('g'), text('w')]],
        ...[25, key, int64(1000), blob(listpack('f', 'v', '0', 'g', 'w', '1005'))],
      ),
    ).toEqual([
      [['f', 'v']],
      [['f', 'v']],
      [['f', 'v']],
      [['f', 'v']],
      [
        ['f', 'v'],
        ['g', 'w', 1005],
      ],
      [
        ['f', 'v'],
        ['g', 'w', 1005],
      ],
    ]);
  });

  it('hashes of Valkey whose fields expire', () => {
    const bytes = rdbOf(
      'VALKEY080', 22, key, 2, text('f'), text('v'), int64(-1), text('g'), text('w'), int64(77),
      0xff,
    ); // biome-ignore format: rows of opcodes
    const line = written(bytes, (out) => new JsonExport(out, wants));
    expect(JSON.parse(line)).toMatchObject({
      value: [
        ['f', 'v'],
        ['g', 'w', 77],
      ],
    });
  });

  it('sorted sets of every form', () => {
    const double = [...new Uint8Array(new Float64Array([2.5]).buffer)];
    expect(
      values(
        ...[3, key, 3, text('a'), text('1.5'), text('b'), 254, text('c'), 255],
        ...[5, key, 1, text('a'), double],
        ...[12, key, blob(ziplist('a', '3'))],
        ...[17, key, blob(listpack('a', '-inf'))],
      ),
    ).toEqual([
      [
        ['a', 1.5],
        ['b', 'inf'],
        ['c', '-inf'],
      ],
      [['a', 2.5]],
      [['a', 3]],
      [['a', '-inf']],
    ]);
  });
});

describe('an export', () => {
  it('tells what stands before a key, and bytes that are no UTF-8', () => {
    expect(
      json(
        ...[0xf5, text('#!lua'), 0xfe, 3],
        ...[0xfc, int64(1_700_000_000_000), 0xf8, 9, 0, text('\xff\0'), text('\xc3\xa4')],
        ...[0xfd, 5, 0, 0, 0, 0xf9, 200, 0, key, 0xc0, 0xfe],
      ),
    ).toEqual([
      { function: '#!lua' },
      {
        db: 3,
        key: { base64: '/wA=' },
        type: 'string',
        encoding: 'string',
        expireAtMs: 1_700_000_000_000,
        idleSeconds: 9,
        value: 'ä',
      },
      {
        db: 3,
        key: 'k',
        type: 'string',
        encoding: 'string',
        expireAtMs: 5000,
        frequency: 200,
        value: '-2',
      },
    ]);
  });

  it('tells the groups of a stream, and how much each has read if that is known', () => {
    const id = (ms: number): number[] => [...new Uint8Array(7), ms, ...new Uint8Array(8)];
    const stream = [21, key, 0, 0, 2, 0, 0, 0, 1, 0, 2, 3];
    const consumer = [text('c'), int64(8), int64(9), 1, id(1)];
    const unknown = [text('u'), 2, 0, 0x81, Array(8).fill(0xff)];
    const all = [text('g'), 2, 0, 2, 1, id(1), int64(5), 3, 2, text('a'), int64(7), int64(6), 0];
    const none = [text('n'), 0, 0, 0, 0, 0];
    expect(values(...stream, ...all, ...consumer, ...unknown, 0, 0, ...none)).toEqual([
      {
        entries: [],
        lastId: '2-0',
        maxDeletedId: '1-0',
        entriesAdded: 2,
        groups: [
          {
            name: 'g',
            lastId: '2-0',
            entriesRead: 2,
            consumers: [
              { name: 'a', seenMs: 7, activeMs: 6, pending: [] },
              { name: 'c', seenMs: 8, activeMs: 9, pending: [['1-0', 5, 3]] },
            ],
          },
          { name: 'u', lastId: '2-0', entriesRead: null, consumers: [] },
          { name: 'n', lastId: '0-0', entriesRead: 0, consumers: [] },
        ],
      },
    ]);
  });

  it('tells each stream with its own entries and groups, from where their bytes lie', () => {
    let all = '';
    const out = new ByteOutput((part, length) => {
      all += Buffer.from(part.subarray(0, length)).toString('latin1');
    });
    const visitor = new JsonExport(out, wants);
    const id = (ms: number): StreamId => new StreamId().set(0, ms, 0, 0);
    const view = (word: string): ByteView => {
      const one = new ByteView();
      one.bytes = Buffer.from(`..${word}..`).subarray(1);
      one.offset = 1;
      one.length = word.length;
      return one;
    };
    const entry = Object.assign(new RdbEntry(), { type: 21, key: latin1('s'), keyLength: 1 });
    for (let i = 0; i < 2; i++) {
      visitor.entry(entry);
      visitor.streamEntry(id(1));
      visitor.streamField(view('a'), view('b'));
      visitor.streamField(view('c'), view('d'));
      visitor.streamEntry(id(2));
      visitor.streamField(view('e'), view('f'));
      visitor.streamFacts({ length: 2, lastId: id(2), maxDeletedId: id(0), entriesAdded: 2n });
      visitor.group('g', id(2), 2n);
      visitor.consumer('one', 1, 1);
      visitor.pending(id(1), 5, 3n);
      visitor.pending(id(2), 6, 4n);
      visitor.consumer('two', 1, 1);
      visitor.pending(id(3), 7, 5n);
      visitor.entryEnd();
    }
    out.flush();
    const [first, second] = all.split('\n');
    expect(second).toBe(first);
    expect(JSON.parse(first!).value).toMatchObject({
      entries: [
        ['1-0', ['a', 'b', 'c', 'd']],
        ['2-0', ['e', 'f']],
      ],
      groups: [
        {
          consumers: [
            {
              pending: [
                ['1-0', 5, 3],
                ['2-0', 6, 4],
              ],
            },
            { pending: [['3-0', 7, 5]] },
          ],
        },
      ],
    });
  });

  it('tells a use of zero, and nothing of keys that are not wanted', () => {
    const file = rdbOf(
      'REDIS0012',
      0xf8,
      0,
      0,
      key,
      text('a'),
      0xf9,
      0,
      0,
      text('b'),
      text('c'),
      0xff,
    );
    const lines = written(file, (out) => new JsonExport(out, () => true)).split('\n');
    expect(lines.slice(0, 2).map((line) => JSON.parse(line))).toMatchObject([
      { key: 'k', idleSeconds: 0 },
      { key: 'b', frequency: 0 },
    ]);
    const isB = ({ key: name }: RdbEntry): boolean => name[0] === 98;
    expect(written(file, (out) => new JsonExport(out, isB))).toBe(`${lines[1]}\n`);
  });

  it('tells a score that is nothing below zero', () => {
    const file = rdbOf('REDIS0012', 5, key, 1, text('m'), '\0'.repeat(7), 0x80, 0xff);
    const line = written(file, (out) => new JsonExport(out, wants));
    expect(line).toContain('"value":[["m",-0]]}');
  });

  it('writes long strings in pieces, at whole characters', () => {
    const long = (bytes: Buffer): RdbPart[] => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [0, key, 0x80, [...length], bytes.toString('latin1')];
    };
    const characters = 'aä€"\n😀'.repeat(180_000);
    const bytes = Buffer.alloc(1_600_001, 0xfe);
    const [first, second] = values(...long(Buffer.from(characters)), ...long(bytes));
    expect(first === characters).toBe(true);
    expect((second as { base64: string }).base64 === bytes.toString('base64')).toBe(true);
  });
});

describe('a walk that is fed', () => {
  it('says where the bytes end too early', () => {
    const bytes = rdbOf('REDIS0012', 2, key, 2, text('a'), text('b'), 0xff);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => walkFed(bytes.subarray(0, length), {})).toThrow(/ends too early/);
    }
  });
});

describe('a check looks into values', () => {
  const error = (...parts: RdbPart[]): string =>
    checkRdb(fileReader(rdbOf('REDIS0012', ...parts, 0xff)), NOW_MS).error ?? '';

  it('and refuses members that come twice, in every form', () => {
    const twice = /twice/;
    expect(error(2, key, 2, text('a'), text('a'))).toMatch(twice);
    expect(error(4, key, 2, text('a'), text('1'), text('a'), text('2'))).toMatch(twice);
    expect(error(3, key, 2, text('a'), text('1'), text('a'), text('2'))).toMatch(twice);
    expect(error(13, key, blob(ziplist('a', '1', 'a', '2')))).toMatch(twice);
    expect(error(16, key, blob(listpack('a', '1', 'a', '2')))).toMatch(twice);
    expect(error(20, key, blob(listpack('a', 'a')))).toMatch(twice);
    expect(error(25, key, int64(0), blob(listpack('a', '1', '0', 'a', '2', '0')))).toMatch(twice);
    expect(error(2, key, 2, text('a'), text('b'), 2, key, 2, text('a'), text('b'))).toBe('');
  });

  it('and refuses damaged nodes, odd pairs, scores that are none, and nothing at all', () => {
    expect(error(16, key, blob(listpack('a', 'b', 'c')))).toMatch(/damaged listpack of a hash/);
    expect(error(13, key, blob(ziplist('a', 'b', 'c')))).toMatch(/damaged ziplist of a hash/);
    expect(error(18, key, 1, 2, blob(`${listpack('a').slice(0, -1)}\0`))).toMatch(/listpack/);
    expect(error(10, key, blob(`${ziplist('a')}x`))).toMatch(/damaged ziplist of a list/);
    expect(error(11, key, blob('\x02\0\0\0\x02\0\0\0\x09\0\x05\0'))).toMatch(/intset/);
    expect(error(3, key, 1, text('a'), 253)).toMatch(/no number/);
    expect(error(17, key, blob(listpack('a', 'x')))).toMatch(/no number/);
    expect(error(18, key, 1, 3, text('a'))).toMatch(/unknown kind 3/);
    expect(error(18, key, 1, 1, text(''))).toMatch(/damaged node of a list/);
    expect(error(2, key, 0)).toMatch(/without elements/);
    expect(error(8, key, 0)).toMatch(/Invalid object type: 8/);
  });

  it('and knows two hundred thousand members apart', () => {
    const members = Array.from({ length: 200_000 }, (_, i) => text(`m${i}`)).join('');
    const count = [0x80, 0, 3, 0x0d, 0x40];
    expect(error(2, key, count, members)).toBe('');
    const again = `${members.slice(0, -8)}${text('m77777')}`;
    expect(error(2, key, count, again)).toMatch(/twice/);
  });

  it('and at its two ends: what its version has there, to the last bit', () => {
    const sum = (bytes: Uint8Array): string => checkRdb(fileReader(bytes), NOW_MS).error ?? '';
    const whole = rdbOf('REDIS0005', 0, key, text('v'), 0xff);
    expect(sum(whole)).toBe('');
    for (const at of [8, 5, 1]) {
      const bytes = whole.slice();
      bytes[bytes.length - at]! ^= 1;
      expect(sum(bytes)).toMatch(/CRC/);
    }
    expect(sum(whole.slice().fill(0, -8, -4))).toMatch(/CRC/);
    expect(sum(whole.slice().fill(0, -8))).toBe('');
    const old = rdbOf('REDIS0004', 0, key, text('v'), 0xff);
    expect(sum(old.slice(0, -8))).toBe('');
    expect(sum(old)).toMatch(/bytes behind the end/);
  });
});

describe('a walk', () => {
  const shown = (...parts: RdbPart[]): RdbEntry => {
    let found = new RdbEntry();
    const entry = (one: RdbEntry): boolean => {
      found = Object.assign(new RdbEntry(), one);
      return true;
    };
    new RdbWalk(fileReader(rdbOf('REDIS0012', ...parts, 0xff)), { entry }).run();
    return found;
  };

  it('takes seconds with their sign, and passes over what is said of slots', () => {
    const second = [0xff, 0xff, 0xff, 0xff];
    expect(shown(0xfd, second, 0, key, text('v'))).toMatchObject({ expiryMs: -1000, offset: 9 });
    expect(shown(0xf4, 1, 2, 3, 0, key, text('v'))).toMatchObject({ hasExpiry: false, offset: 13 });
  });

  it('shows the fields of a hash with their expiry, and none where a server noted none', () => {
    const fields: [string, number][] = [];
    const field = (name: ByteView, _: ByteView, expiryMs: number): void => {
      fields.push([name.latin1(), expiryMs]);
    };
    const valkey = [22, key, 2, text('f'), text('v'), int64(-1), text('g'), text('v'), int64(7)];
    new RdbWalk(fileReader(rdbOf('VALKEY080', ...valkey, 0xff)), { field }).run();
    expect(fields).toEqual([
      ['f', 0],
      ['g', 7],
    ]);
    const pack = blob(listpack('f', 'v', 'x'));
    const damaged = rdbOf('REDIS0012', 25, key, int64(0), pack, 0xff);
    expect(checkRdb(fileReader(damaged), NOW_MS).error).toMatch(/expiry is no time/);
  });
});
