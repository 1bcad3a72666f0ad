/** The AOF checker: verdicts on manifests and single files, cutting at trouble and at a time. */
import { describe, expect, it } from 'vitest';
import { checkAof, describeCheck, repairAof } from '../../../src/persistence/tools/check-aof.ts';
import { command, emptyRdb, load, rdbReader, turn } from '../../support/aof-samples.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';

const MANIFEST = '/data/aofs/a.manifest';
const LAST = '/data/aofs/a.2.incr.aof';
const set = (i: number) => command('SET', `key:${i}`, 'value');

function disk(last: Uint8Array, first: Uint8Array = turn(set(1))): FaultyFileSystem {
  const fs = new FaultyFileSystem();
  fs.put('/data/aofs/a.1.base.rdb', emptyRdb());
  fs.put('/data/aofs/a.1.incr.aof', first);
  fs.put(LAST, last);
  const lines = [
    'a.1.base.rdb seq 1 type b',
    'a.1.incr.aof seq 1 type i',
    'a.2.incr.aof seq 2 type i',
  ];
  fs.put(MANIFEST, Buffer.from(`# c\n${lines.map((line) => `file ${line}\n`).join('')}`));
  return fs;
}

const check = (fs: FaultyFileSystem, path = MANIFEST, truncateToTimestamp?: number) =>
  checkAof(fs, path, {
    readRdb: rdbReader(fs),
    ...(truncateToTimestamp === undefined ? {} : { truncateToTimestamp }),
  });

describe('checkAof', () => {
  it('finds sound files valid', async () => {
    const fs = disk(Buffer.concat([turn(set(2)), set(3)]));
    const verdict = await check(fs);
    expect(verdict.isValid).toBe(true);
    expect(verdict.plan).toEqual({ kind: 'none' });
    expect(verdict.files.map((file) => file.role)).toEqual(['base', 'incr', 'incr']);
    expect(describeCheck(verdict.files[2]!)).toMatch(
      /valid: 110 bytes, 2 commands, checked turns: 1/,
    );
    expect(await repairAof(fs, verdict)).toBe(0);
  });

  it('cuts a torn tail of the last file', async () => {
    const fs = disk(Buffer.concat([turn(set(2)), turn(set(3)).subarray(0, 60)]));
    const verdict = await check(fs);
    expect(verdict.isValid).toBe(false);
    expect(verdict.plan).toEqual({ kind: 'cut', path: LAST, keptBytes: 75 });
    expect(describeCheck(verdict.files[2]!)).toMatch(
      /size 135, ok up to 75, diff 60; at offset 115/,
    );
    expect(await repairAof(fs, verdict)).toBe(60);
    expect((await check(fs)).isValid).toBe(true);
    expect((await load(fs)).commands.length).toBe(2);
  });

  it('keeps the whole commands of a torn turn', async () => {
    const fs = disk(turn(Buffer.concat([set(2), set(3), set(4)])).subarray(0, 120));
    const verdict = await check(fs);
    expect(verdict.plan).toEqual({ kind: 'cut', path: LAST, keptBytes: 110 });
    expect(await repairAof(fs, verdict)).toBe(10);
    expect((await check(fs)).isValid).toBe(true);
    expect((await load(fs)).commands.length).toBe(3);
  });

  it('cuts before damage, giving up what follows', async () => {
    const bytes = Buffer.concat([turn(set(2)), turn(set(3)), turn(set(4))]);
    bytes[75 + 60]! ^= 8;
    const fs = disk(bytes);
    const verdict = await check(fs);
    expect(verdict.files[2]!.report).toMatchObject({ outcome: 'damaged', offset: 75 });
    expect(await repairAof(fs, verdict)).toBe(150);
    expect((await load(fs)).commands.length).toBe(2);
  });

  it('does not cut a file that is followed by another with content', async () => {
    const torn = turn(set(1)).subarray(0, 50);
    const verdict = await check(disk(set(2), torn));
    expect(verdict.plan).toMatchObject({ kind: 'impossible' });
    expect(JSON.stringify(verdict.plan)).toMatch(/not the last file/);
    expect((await check(disk(Buffer.from('*'), torn))).plan).toMatchObject({ kind: 'impossible' });
    const prepared = disk(new Uint8Array(0), torn);
    expect((await check(prepared)).plan).toMatchObject({ kind: 'cut', keptBytes: 0 });
  });

  it('checks a single file, with an RDB preamble or without', async () => {
    const fs = new FaultyFileSystem();
    fs.put('/data/one', Buffer.concat([emptyRdb(), set(1), command('MULTI'), set(2)]));
    const verdict = await check(fs, '/data/one');
    expect(verdict.files).toHaveLength(1);
    expect(verdict.files[0]).toMatchObject({ role: 'single', report: { outcome: 'torn' } });
    const keptBytes = emptyRdb().length + set(1).length;
    expect(verdict.plan).toEqual({ kind: 'cut', path: '/data/one', keptBytes });
    fs.put('/data/two', set(1));
    expect((await check(fs, '/data/two')).isValid).toBe(true);
    // Names of files among its commands make it no manifest.
    const valkey = Buffer.concat([emptyRdb('VALKEY080'), command('SET', 'key', 'a\nfile x')]);
    fs.put('/data/valkey', valkey);
    const expected = { isValid: true, files: [{ role: 'single' }], plan: { kind: 'none' } };
    expect(await check(fs, '/data/valkey')).toMatchObject(expected);
    fs.put('/data/three', Buffer.from('REDIS0010 no'));
    const damaged = await check(fs, '/data/three');
    expect(damaged.plan).toMatchObject({ kind: 'impossible' });
    expect(await repairAof(fs, damaged)).toBe(0);
    expect(fs.content('/data/three')).toHaveLength(12);
    fs.put('/data/none.manifest', new Uint8Array(0));
    expect(await check(fs, '/data/none.manifest')).toMatchObject(expected);
  });

  it('tells how far it is in which file, and leaves none open', async () => {
    const path = LAST;
    const bytes = Buffer.concat(Array.from({ length: 100 }, (_, i) => set(i)));
    const fs = disk(bytes);
    const told: [string, number, number][] = [];
    await checkAof(fs, MANIFEST, {
      readRdb: rdbReader(fs),
      onProgress: (...at) => told.push(at),
    });
    expect(told.length).toBeGreaterThan(1);
    for (const [file, , total] of told) expect([file, total]).toEqual([path, bytes.length]);
    expect(told.map(([, done]) => done)).toEqual(
      [...new Set(told.map(([, done]) => done))].sort((a, b) => a - b),
    );
    expect(fs.kindCalls.get('close')).toBe(fs.kindCalls.get('open'));
  });

  it('does not call a file repaired whose cut may not be on the disk', async () => {
    const fs = disk(Buffer.concat([turn(set(2)), turn(set(3)).subarray(0, 60)]));
    const verdict = await check(fs);
    fs.failSyncOf = /a\.2\.incr/;
    await expect(repairAof(fs, verdict)).rejects.toThrow(/fsync/);
  });

  it.each([
    ['\n', /line 1/],
    ['\ufefffile a.1.base.rdb seq 1 type b\n', /line 1/],
    ['  # c\nfile a.1.base.rdb seq 1 type b\n', /line 1/],
  ])('takes no damaged manifest for commands, which --fix would cut: %j', async (text, reason) => {
    const fs = disk(set(2));
    fs.put(MANIFEST, Buffer.from(text));
    await expect(check(fs)).rejects.toThrow(reason);
  });

  it('knows a manifest under another name, whatever comes first in its lines', async () => {
    const fs = disk(set(2));
    fs.put('/data/aofs/copy', Buffer.from('type b seq 1 file a.1.base.rdb\nfile x seq 1 type i\n'));
    fs.put('/data/aofs/x', set(1));
    expect((await check(fs, '/data/aofs/copy')).files.map((file) => file.role)).toEqual([
      'base',
      'incr',
    ]);
  });

  it('knows commands by their first line, whatever else they and their names hold', async () => {
    const fs = disk(set(2));
    const path = '/data/old.manifest';
    fs.put(path, Buffer.concat([Buffer.from('# c\r\n'), command('SET', 'key', 'a\nfile x')]));
    expect((await check(fs, path)).files[0]).toMatchObject({ role: 'single' });
  });

  it('rejects on a manifest that is wrong, and on files that are missing', async () => {
    const fs = new FaultyFileSystem();
    fs.put(MANIFEST, Buffer.from('file a.1.incr.aof seq 1 type x\n'));
    await expect(check(fs)).rejects.toThrow(/Unknown AOF file type/);
    await expect(check(fs, '/data/none')).rejects.toThrow(/ENOENT/);
    fs.put(MANIFEST, Buffer.from('file a.1.incr.aof seq 1 type i\n'));
    await expect(check(fs)).rejects.toThrow(/ENOENT/);
  });
});

describe('cutting at a time', () => {
  const timed = () =>
    disk(Buffer.concat([turn(set(2), 100), turn(set(3)), turn(set(4), 200), turn(set(5), 300)]));

  it('keeps whole turns up to that second', async () => {
    for (const [time, kept] of [
      [100, 2],
      [199, 2],
      [200, 3],
    ] as const) {
      const fs = timed();
      const verdict = await check(fs, MANIFEST, time);
      expect(verdict).toMatchObject({ isValid: true, plan: { kind: 'cut', path: LAST } });
      expect(await repairAof(fs, verdict)).toBeGreaterThan(0);
      const { commands, report } = await load(fs);
      expect([commands.length, report.cutBytes]).toEqual([1 + kept, 0]);
    }
  });

  it('cuts plain files before the time line', async () => {
    const plain = Buffer.concat([set(1), Buffer.from('#TS:100\r\n'), set(2)]);
    const verdict = await check(disk(plain), MANIFEST, 50);
    expect(verdict.plan).toEqual({ kind: 'cut', path: LAST, keptBytes: set(1).length });
  });

  it.each(['20x0\r\n', '3000 \r\n', '3000\n', 'x\r\n'])(
    'refuses a time line that cannot be read, as a real checker: %j',
    async (line) => {
      const fs = disk(Buffer.concat([set(1), Buffer.from(`#TS:${line}`), set(2)]));
      expect((await check(fs)).isValid).toBe(true);
      await expect(check(fs, MANIFEST, 2000)).rejects.toThrow(
        `${LAST}: Invalid timestamp annotation behind byte ${set(1).length}`,
      );
    },
  );

  it('reads a time as strtol does: blanks, a sign, nothing at all', async () => {
    for (const [line, seconds] of [
      [' 100', 100],
      ['+100', 100],
      ['-100', -100],
      ['', 0],
    ] as const) {
      const fs = disk(Buffer.concat([set(1), Buffer.from(`#TS:${line}\r\n`), set(2)]));
      expect((await check(fs, MANIFEST, seconds)).plan).toEqual({ kind: 'none' });
      expect((await check(fs, MANIFEST, seconds - 1)).plan).toMatchObject({ kind: 'cut' });
    }
  });

  it('has nothing to do after the last time, and nothing left before the first', async () => {
    expect((await check(timed(), MANIFEST, 300)).plan).toEqual({ kind: 'none' });
    expect((await check(timed(), MANIFEST, 99)).plan).toMatchObject({ kind: 'impossible' });
  });

  it('refuses in an earlier file and on trouble', async () => {
    const early = disk(set(9), Buffer.concat([set(1), turn(set(2), 100)]));
    expect(JSON.stringify((await check(early, MANIFEST, 50)).plan)).toMatch(/not the last file/);
    const torn = disk(Buffer.concat([set(1), set(2).subarray(0, 5)]));
    expect(JSON.stringify((await check(torn, MANIFEST, 50)).plan)).toMatch(/repair it before/);
  });
});
