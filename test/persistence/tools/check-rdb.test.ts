/** The checker of RDB files, beside the real one. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { realFileSystem } from '../../../src/persistence/file-system.ts';
import {
  checkRdb,
  checkRdbFile,
  checkRdbFileResting,
} from '../../../src/persistence/tools/check-rdb.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import { Random } from '../../support/random.ts';
import { findTool } from '../../support/real-server.ts';
import {
  fileReader,
  fixture,
  latin1,
  makeKeyspace,
  NOW_MS,
  put,
  type RdbPart,
  rdbOf,
  saved,
  text,
} from '../rdb/rdb-support.ts';

const zeroes = (count: number): number[] => new Array<number>(count).fill(0);

function dump(checksum = true): Uint8Array {
  const keyspace = makeKeyspace();
  put(keyspace, 0, 'a', 'value');
  put(keyspace, 0, 'b', 'x'.repeat(100));
  put(keyspace, 3, 'gone', '1', NOW_MS - 1000);
  put(keyspace, 3, 'later', '1', 9_000_000_000_000);
  const functions = [latin1('#!lua name=x\nredis.register_function("f", function() end)')];
  return saved(keyspace, { checksum, functions });
}

describe('a check', () => {
  it('of a sound dump says what is in it', () => {
    const report = checkRdb(fileReader(dump()), NOW_MS);
    expect(report).toMatchObject({
      ok: true,
      error: null,
      keys: 4,
      expires: 2,
      alreadyExpired: 1,
      version: 10,
      offset: dump().length,
    });
    expect(report.lines).toContain("[offset 27] AUX FIELD redis-ver = '7.2.4'".replace('27', '26'));
    expect(report.lines.slice(-3)).toEqual([
      '[info] 4 keys read',
      '[info] 2 expires',
      '[info] 1 already expired',
    ]);
  });

  it('says what it was doing when it met damage', () => {
    const cases: [RdbPart[], string, string | null, number][] = [
      [['REDIS00'], 'start', null, -1],
      [['REDIS0010'], 'read-type', null, -1],
      [['REDIS0010', 0xfa, 9, 'redis'], 'read-aux', null, -1],
      [['REDIS0010', 0xfc, 1, 2], 'read-expire', null, -1],
      [['REDIS0010', 0xfe], 'read-len', null, -1],
      [['REDIS0010', 0xf5, 50, 'x'], 'read-functions', null, -1],
      [['REDIS0010', 0xf7, 0x81, 1], 'read-module-aux', null, -1],
      [['REDIS0010', 18, 5, 'a'], 'read-key', null, 18],
      [['REDIS0010', 18, text('key'), 2, 2, 5, 'x'], 'read-object-value', 'key', 18],
      [['REDIS0010', 0xff, 1, 2], 'check-sum', null, -1],
    ];
    for (const [parts, doing, key, type] of cases) {
      const bytes = rdbOf(...parts).slice(0, -8);
      const report = checkRdb(fileReader(bytes), NOW_MS);
      expect(report, doing).toMatchObject({ ok: false, doing, key, type, offset: bytes.length });
    }
  });

  it('passes over modules and types that no keyspace here holds', () => {
    const id = [0x81, ...zeroes(8)];
    const bytes = rdbOf(
      'REDIS0012', 0xf7, id, 2, 2, 5, text('aux'), 0, 7, text('module'), id, 5, text('data'), 0,
      15, text('stream'), 0, 0, 0, 0, 0, 1, text('list'), 1, text('x'), 0xff,
    ); // biome-ignore format: rows of opcodes
    const report = checkRdb(fileReader(bytes), NOW_MS);
    expect(report).toMatchObject({ ok: true, keys: 3 });
    expect(report.lines.join('\n')).toContain('MODULE AUX for: AAAAAAAAA');
  });

  it('of a version without a checksum does not say that it is right', () => {
    const bytes = rdbOf('REDIS0004', 0, text('k'), text('v'), 0xff).slice(0, -8);
    const { lines, ok } = checkRdb(fileReader(bytes), NOW_MS);
    expect([ok, lines.filter((line) => /checksum/i.test(line))]).toEqual([true, []]);
  });

  it('counts a key as expired once its time is over', () => {
    const keyspace = makeKeyspace();
    put(keyspace, 0, 'now', '1', NOW_MS);
    put(keyspace, 0, 'before', '1', NOW_MS - 1);
    expect(checkRdb(fileReader(saved(keyspace)), NOW_MS).alreadyExpired).toBe(1);
  });

  it('of a file tells how far it is, rests if it may, and leaves it closed', async () => {
    const fs = new FaultyFileSystem();
    const keyspace = makeKeyspace();
    for (let i = 0; i < 200; i++) put(keyspace, 0, `key:${i}`, 'value');
    const whole = saved(keyspace);
    fs.put('/whole', whole);
    fs.put('/cut', whole.subarray(0, 100));
    const told: number[] = [];
    let rests = 0;
    const rest = async (): Promise<void> => {
      rests++;
    };
    const progress = (done: number, total: number) => told.push(done, total);
    for (const path of ['/whole', '/cut']) {
      const size = fs.content(path)!.length;
      for (const check of [
        () => checkRdbFile(fs, path, NOW_MS, progress),
        () => checkRdbFileResting(fs, path, NOW_MS, progress, rest),
      ]) {
        told.length = 0;
        expect((await check()).ok).toBe(path === '/whole');
        expect(told.slice(0, 2)).toEqual([size, size]);
      }
    }
    expect(rests).toBeGreaterThan(1);
    const ending = async (): Promise<void> => {
      throw new Error('ended');
    };
    const ended = checkRdbFileResting(fs, '/whole', NOW_MS, progress, ending);
    await expect(ended).rejects.toThrow('ended');
    fs.breakCallOf('read', (fs.kindCalls.get('read') ?? 0) + 1, { kind: 'error', code: 'EIO' });
    expect(() => checkRdbFile(fs, '/whole', NOW_MS)).toThrow(/EIO/);
    expect(fs.kindCalls.get('close')).toBe(6);
  });

  it('notices a string that does not decompress', () => {
    const bytes = rdbOf('REDIS0010', 0, text('k'), 0xc3, 3, 20, 0xff, 0xff, 0xff, 0xff);
    const report = checkRdb(fileReader(bytes), NOW_MS);
    expect(report.ok).toBe(false);
    expect(report.error).toMatch(/damaged/);
  });
});

const tool = findTool('redis-check-rdb');

const SEED = 90;

describe.skipIf(tool === null)(`the real checker (seed ${SEED})`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-check-'));
  const path = join(folder, 'dump.rdb');
  afterAll(() => rmSync(folder, { recursive: true }));

  function theirs(bytes: Uint8Array): { ok: boolean; lines: string[] } {
    writeFileSync(path, bytes);
    const { status, stdout } = spawnSync(tool!, [path], { encoding: 'utf8' });
    return { ok: status === 0, lines: stdout.split('\n').slice(1, -1) };
  }

  it('says the same of sound dumps, line by line', () => {
    for (const bytes of [dump(), dump(false), saved(makeKeyspace())]) {
      const { ok, lines } = theirs(bytes);
      const own = checkRdbFile(realFileSystem, path, Date.now());
      expect(ok).toBe(true);
      expect(own.lines).toEqual(lines);
    }
  });

  it('refuses the same damaged dumps', () => {
    const whole = dump();
    const reports: [boolean, boolean][] = [];
    for (let at = 0; at < whole.length; at += 3) {
      for (const bytes of [whole.slice(0, at), changed(whole, at)]) {
        const { ok } = theirs(bytes);
        reports.push([checkRdbFile(realFileSystem, path, Date.now()).ok, ok]);
      }
    }
    expect(reports.filter(([own, other]) => own !== other)).toEqual([]);
  });

  it('refuses the same damaged values, of every type, where no checksum tells', () => {
    const whole = readFileSync(fixture('every-type-7.0.15.rdb'));
    whole.fill(0, whole.length - 8);
    const random = new Random(SEED);
    let refused = 0;
    for (let i = 0; i < 60; i++) {
      const bytes = Uint8Array.from(whole);
      const at = random.between(9, bytes.length - 9);
      bytes[at]! ^= 1 << random.between(0, 7);
      const { ok } = theirs(bytes);
      const report = checkRdbFile(realFileSystem, path, Date.now());
      expect([at, bytes[at], report.ok, report.error]).toEqual([at, bytes[at], ok, report.error]);
      if (!ok) refused++;
    }
    expect(refused).toBeGreaterThan(10);
  });
});

function changed(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at]! ^= 0x21;
  return copy;
}
