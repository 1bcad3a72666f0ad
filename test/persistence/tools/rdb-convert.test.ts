/**
 * Converting RDB files written by hand: what is kept to the byte, what stays packed, what is left
 * out and counted, and that nothing half-made stays.
 */
import { describe, expect, it } from 'vitest';
import type { RdbWriteVersion } from '../../../src/persistence/rdb/rdb-encoder.ts';
import * as rdb from '../../../src/persistence/rdb/rdb-format.ts';
import { RdbWalk } from '../../../src/persistence/rdb/rdb-walk.ts';
import { type ConvertResult, convertRdb } from '../../../src/persistence/tools/rdb-convert.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import { Random } from '../../support/random.ts';
import { ENTRY, int64, listpack } from '../rdb/rdb-packed.ts';
import { contents, fileReader, latin1, loaded, rdbOf, text } from '../rdb/rdb-support.ts';

function disk(): FaultyFileSystem {
  const fs = new FaultyFileSystem();
  fs.put('/d/to', latin1('old'));
  return fs;
}

function convert(
  fs: FaultyFileSystem,
  bytes: Uint8Array,
  version: RdbWriteVersion = 11,
): Promise<ConvertResult> {
  const rest = async (): Promise<void> => undefined;
  return convertRdb(fileReader(bytes), { fs, path: '/d/to', pid: 7, version, rest });
}

const long32 = (bytes: string): string => {
  const head = Buffer.alloc(5, 0x80);
  head.writeUInt32BE(bytes.length, 1);
  return head.toString('latin1') + bytes;
};

describe('a conversion', () => {
  const AUX = [0xfa, text('redis-ver'), text('7.2.4'), 0xfa, text('ctime'), 0xc2, 1, 2, 3, 4];
  const LIBRARY = [0xf5, text('#!lua name=a')];
  const KEYS = [
    ...[0xfe, 2, 0xfb, 3, 1, 0xfc, int64(9_000_000_000_000), 0xf8, 0, 0, text('k'), text('v')],
    ...[0xf9, 200, 0, text('n'), 0xc0, 12, 16, text('h'), text(listpack('f', 'g'))],
    ...[0xfe, 3, 0, text('k'), text('w')],
  ];
  const EMPTY = [0xfe, 5, 1, text('e'), 0];

  it('keeps all but what servers leave out, to the byte', async () => {
    const fs = disk();
    const from = rdbOf('REDIS0011', ...AUX, ...LIBRARY, ...KEYS, ...EMPTY, 0xff);
    const to = rdbOf('REDIS0011', ...AUX, ...LIBRARY, ...KEYS, 0xff);
    expect(await convert(fs, from)).toEqual({
      ...{ fromVersion: 11, keys: 4, bytes: to.length, emptyKeysLeftOut: 1, functionsLeftOut: 0 },
    });
    expect(Buffer.from(fs.content('/d/to')!).equals(to)).toBe(true);
    expect(Buffer.from(fs.cutPower(1, 'all').content('/d/to')!).equals(to)).toBe(true);
  });

  it('keeps libraries of functions from version 10 on', async () => {
    const from = rdbOf('REDIS0011', ...LIBRARY, 0, text('k'), text('v'), 0xff);
    for (const [version, left] of [
      [9, 1],
      [10, 0],
    ] as const) {
      const fs = disk();
      expect(await convert(fs, from, version)).toMatchObject({ functionsLeftOut: left, keys: 1 });
      const { load } = loaded(fileReader(fs.content('/d/to')!));
      expect([load.version, load.functions.length]).toEqual([version, 1 - left]);
    }
  });

  it('keeps what comes packed packed, whatever its size', async () => {
    const long = `\xe0\x46${'v'.repeat(70)}\x48`;
    const pack = (...entries: string[]): string => {
      const head = Buffer.alloc(6);
      const body = entries.join('');
      head.writeUInt32LE(body.length + 7, 0);
      head.writeUInt16LE(entries.length, 4);
      return long32(`${head.toString('latin1')}${body}\xff`);
    };
    const names = (count: number) => Array.from({ length: count }, (_, i) => ENTRY(`m${i}`));
    const intset = Buffer.alloc(8 + 600 * 2);
    intset.writeUInt32LE(2, 0);
    intset.writeUInt32LE(600, 4);
    for (let i = 0; i < 600; i++) intset.writeInt16LE(i, 8 + i * 2);
    const scores = names(200).map((name, i) => name + ENTRY(`${100 + i}`));
    const split = (pairs: string[]) => pairs.flatMap((pair) => [pair.slice(0, -5), pair.slice(-5)]);
    const from = rdbOf(
      ...['REDIS0011', 16, text('h'), pack(ENTRY('f'), long), 16, text('i'), pack(...names(600))],
      ...[20, text('s'), pack(...names(200)), 17, text('z'), pack(...split(scores))],
      ...[17, text('y'), pack(long, ENTRY('1')), 11, text('n'), long32(intset.toString('latin1'))],
      0xff,
    );
    const fs = disk();
    await convert(fs, from);
    const types: Record<string, number> = {};
    const walk = new RdbWalk(fileReader(fs.content('/d/to')!), {
      entry: (entry) => {
        types[Buffer.from(entry.keyBytes()).toString()] = entry.type;
        return true;
      },
    });
    walk.run();
    expect(types).toEqual({
      ...{ h: rdb.RDB_HASH_LISTPACK, i: rdb.RDB_HASH_LISTPACK, s: rdb.RDB_SET_LISTPACK },
      ...{ z: rdb.RDB_ZSET_LISTPACK, y: rdb.RDB_ZSET_LISTPACK, n: rdb.RDB_SET_INTSET },
    });
  });

  it('keeps a value that is read in many pieces', async () => {
    const value = long32(new Random(79).bytes(3_000_000));
    const from = rdbOf('REDIS0011', 0, text('k'), value, 0, text('l'), text('v'), 0xff);
    const fs = disk();
    await convert(fs, from);
    const [before, after] = [from, fs.content('/d/to')!].map((bytes) =>
      contents(loaded(fileReader(bytes)).keyspace),
    );
    expect(after).toEqual(before);
  });

  it("reads Valkey's form of a hash as Valkey has it", async () => {
    const hash = [22, text('h'), 1, text('f'), text('v'), ...int64(-1)];
    const fs = disk();
    const found = await convert(fs, rdbOf('VALKEY080', ...hash, 0xff));
    expect(found.fromVersion).toBe(80);
    const { keyspace } = loaded(fileReader(fs.content('/d/to')!));
    expect([...contents(keyspace).keys()]).toEqual(['0 h']);
  });

  it('leaves the old file, and none beside it, whichever call of the disk fails', async () => {
    const bytes = rdbOf('REDIS0011', ...KEYS, 0xff);
    const whole = disk();
    await convert(whole, bytes);
    const calls = whole.calls.findIndex((call) => call.startsWith('rename'));
    for (let number = 2; number <= calls + 1; number++) {
      const fs = disk();
      fs.breakCall(number, { kind: 'error', code: 'EIO' });
      await expect(convert(fs, bytes)).rejects.toThrow();
      expect(fs.paths()).toEqual(['/d/to']);
      expect(Buffer.from(fs.content('/d/to')!).toString()).toBe('old');
    }
  });
});
