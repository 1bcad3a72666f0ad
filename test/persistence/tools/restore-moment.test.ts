/**
 * Rebuilding an AOF folder as of a moment: by time and by offset, in files of a primary and of a
 * replica, through turns and transactions; what is left out is told; what cannot be had is refused.
 */
import { describe, expect, it } from 'vitest';
import type { Moment } from '../../../src/persistence/aof/aof-moment.ts';
import { type AofPosition, encodePositionLine } from '../../../src/persistence/aof/aof-position.ts';
import { checkAof } from '../../../src/persistence/tools/check-aof.ts';
import {
  type RestoreMomentResult,
  restoreMoment,
} from '../../../src/persistence/tools/restore-moment.ts';
import { command, emptyRdb, load, rdbReader, turn } from '../../support/aof-samples.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import { rdbOf, text } from '../rdb/rdb-support.ts';

const FROM = '/data/aofs';
const FIRST = 'a.1.incr.aof';
const SECOND = 'a.2.incr.aof';
const ID = 'ab'.repeat(20);

const set = (i: number): Buffer => command('SET', `key:${i}`, 'value');
const all = (...parts: Uint8Array[]): Buffer => Buffer.concat(parts);
const at = (offset: number, continues = true): Buffer => {
  const position: AofPosition = { continues, id: ID, offset, db: 0 };
  return Buffer.from(encodePositionLine(position));
};

function disk(first: Uint8Array, second: Uint8Array, base: Uint8Array = emptyRdb()) {
  const fs = new FaultyFileSystem();
  fs.put(`${FROM}/a.1.base.rdb`, base);
  fs.put(`${FROM}/${FIRST}`, first);
  fs.put(`${FROM}/${SECOND}`, second);
  const files = ['a.1.base.rdb seq 1 type b', `${FIRST} seq 1 type i`, `${SECOND} seq 2 type i`];
  fs.put(`${FROM}/a.manifest`, Buffer.from(files.map((line) => `file ${line}\n`).join('')));
  return fs;
}

function restore(
  fs: FaultyFileSystem,
  moment: Moment,
  given: { from?: string; to?: string; force?: boolean } = {},
): Promise<RestoreMomentResult> {
  return restoreMoment({
    fs,
    from: given.from ?? FROM,
    to: given.to ?? '/new',
    appendDirName: 'aofs',
    moment,
    hold: null,
    force: given.force ?? false,
    progress: () => () => undefined,
    rest: async () => undefined,
  });
}

/** The keys that a server finds in what was restored, which the checker finds sound. */
async function keys(fs: FaultyFileSystem): Promise<string> {
  const verdict = await checkAof(fs, '/new/aofs/a.manifest', { readRdb: rdbReader(fs) });
  expect(verdict.isValid).toBe(true);
  const place = { dir: '/new', appendDirName: 'aofs', appendFilename: 'a' };
  const { commands, report } = await load(fs, {}, place);
  expect(report).toMatchObject({ cutBytes: 0, position: null });
  return commands.map((line) => line.replace(/SET key:(\d+) value/, '$1')).join(' ');
}

async function restored(fs: FaultyFileSystem, moment: Moment): Promise<[string, number, number]> {
  const { leftOutCommands, leftOutBytes } = await restore(fs, moment);
  return [await keys(fs), leftOutCommands, leftOutBytes];
}

describe('a timestamp', () => {
  const first = all(turn(set(1), 100), turn(all(set(2), set(3)), 200));
  const second = all(turn(set(4), 300), turn(set(5)), turn(set(6), 400));
  const make = (): FaultyFileSystem => disk(first, second);

  it('refuses a time line that cannot be read, before the cut and where times matter', async () => {
    const bad = Buffer.from('#TS:2x0\r\n');
    const fs = () => disk(all(turn(set(1), 100), bad, set(2)), turn(set(3), 300));
    await expect(restore(fs(), { timestamp: 200 })).rejects.toThrow(
      `${FROM}/${FIRST}: Invalid timestamp annotation at offset ${turn(set(1), 100).length}`,
    );
    const later = all(turn(set(2), 300), bad, set(3));
    const behind = disk(all(turn(set(1), 100), later), turn(set(4), 400));
    const leftOut = later.length + turn(set(4), 400).length;
    expect(await restored(behind, { timestamp: 200 })).toEqual(['1', 3, leftOut]);
  });

  it('keeps what is of its second and before, and tells the rest', async () => {
    const last = turn(set(6), 400).length;
    expect(await restored(make(), { timestamp: 400 })).toEqual(['1 2 3 4 5 6', 0, 0]);
    expect(await restored(make(), { timestamp: 399 })).toEqual(['1 2 3 4 5', 1, last]);
    expect(await restored(make(), { timestamp: 300 })).toEqual(['1 2 3 4 5', 1, last]);
    const rest = second.length;
    expect(await restored(make(), { timestamp: 299 })).toEqual(['1 2 3', 3, rest]);
    const more = rest + turn(all(set(2), set(3)), 200).length;
    expect(await restored(make(), { timestamp: 100 })).toEqual(['1', 5, more]);
    expect(await restored(make(), { timestamp: 99 })).toEqual(['', 6, rest + first.length]);
  });

  it('says which seconds were the last and the next, and which files lost something', async () => {
    const found = await restore(make(), { timestamp: 250 });
    expect(found).toMatchObject({
      manifest: '/new/aofs/a.manifest',
      keptCommands: 3,
      lastSecond: 200,
      nextSecond: 300,
      leftOutFiles: [`${FROM}/${SECOND}`],
      trouble: '',
    });
    expect(found.files.map(({ name }) => name)).toEqual(['a.1.base.rdb', FIRST, SECOND]);
  });

  it('leaves the source as it was, and refuses a folder that holds something', async () => {
    const fs = make();
    await restore(fs, { timestamp: 100 });
    expect(Buffer.from(fs.content(`${FROM}/${FIRST}`)!).equals(first)).toBe(true);
    expect(Buffer.from(fs.content(`${FROM}/${SECOND}`)!).equals(second)).toBe(true);
    fs.put('/new/dump.rdb', emptyRdb());
    await expect(restore(fs, { timestamp: 300 })).rejects.toThrow(/not empty.*--force/);
    await restore(fs, { timestamp: 300 }, { force: true });
    expect(await keys(fs)).toBe('1 2 3 4 5');
    const same = restore(fs, { timestamp: 300 }, { to: '/data', force: true });
    await expect(same).rejects.toThrow(/restored from/);
  });

  it('is on the disk when it is done, with every folder that was made for it', async () => {
    const fs = make();
    const { manifest } = await restore(fs, { timestamp: 300 }, { to: '/far/new' });
    const found = fs.cutPower(1, 'all');
    expect(found.content(manifest)).toBeDefined();
    const verdict = await checkAof(found, manifest, { readRdb: rdbReader(found) });
    expect(verdict.isValid).toBe(true);
    expect(verdict.files.map(({ report }) => report.commandCount)).toEqual([0, 3, 2, 0]);
  });

  it('replaces an AOF at once or not at all, whichever call of the disk fails', async () => {
    const old = all(turn(set(7), 50), turn(set(8), 60));
    const prepare = (): FaultyFileSystem => {
      const fs = make();
      for (const name of [`aofs/${FIRST}`, 'aofs/a.1.base.rdb', 'dump.rdb']) {
        fs.put(`/new/${name}`, name.endsWith('rdb') ? emptyRdb() : old);
      }
      const lines = ['a.1.base.rdb seq 1 type b', `${FIRST} seq 1 type i`];
      fs.put('/new/aofs/a.manifest', Buffer.from(lines.map((line) => `file ${line}\n`).join('')));
      return fs;
    };
    const whole = prepare();
    const before = prepare().readdirSync('/new/aofs').sort();
    await restore(whole, { timestamp: 300 }, { force: true });
    expect(await keys(whole)).toBe('1 2 3 4 5');
    const after = whole.readdirSync('/new/aofs');
    const names = ['a.2.base.rdb', 'a.2.incr.aof', 'a.3.incr.aof', 'a.4.incr.aof', 'a.manifest'];
    expect(after.sort()).toEqual(names);
    const results = new Set<string>();
    const calls = whole.calls.findIndex((call) => /^rename .*a\.manifest$/.test(call));
    expect(calls).toBeGreaterThan(20);
    for (let number = 1; number <= calls + 1; number++) {
      const fs = prepare();
      fs.breakCall(number, { kind: 'error', code: 'EIO' });
      const failed = await restore(fs, { timestamp: 300 }, { force: true }).then(
        () => false,
        () => true,
      );
      const found = await keys(fs);
      expect([number, failed, found]).toEqual([number, failed, failed ? '7 8' : '1 2 3 4 5']);
      if (failed) expect([number, fs.readdirSync('/new/aofs').sort()]).toEqual([number, before]);
      results.add(found);
    }
    expect([...results]).toContain('7 8');
  });

  it('is found from a manifest, or in a single file', async () => {
    for (const from of [FROM, `${FROM}/a.manifest`]) {
      const fs = make();
      await restore(fs, { timestamp: 100 }, { from });
      expect(await keys(fs)).toBe('1');
    }
    for (const rdb of [emptyRdb(), emptyRdb('VALKEY080'), Buffer.alloc(0)]) {
      const fs = new FaultyFileSystem();
      fs.put('/data/a', all(rdb, first));
      await restore(fs, { timestamp: 100 }, { from: '/data/a' });
      expect(await keys(fs)).toBe('1');
    }
  });

  it('does not cut through a transaction', async () => {
    const body = all(command('MULTI'), set(2), set(3), command('EXEC'));
    const plain = all(Buffer.from('#TS:100\r\n'), set(1), body, Buffer.from('#TS:200\r\n'), set(4));
    expect(await restored(disk(plain, Buffer.alloc(0)), { timestamp: 150 })).toEqual([
      '1 2 3',
      1,
      set(4).length + 9,
    ]);
    const within = all(set(1), body.subarray(0, 15), Buffer.from('#TS:200\r\n'), body.subarray(15));
    const lost = within.length - set(1).length;
    expect(await restored(disk(within, Buffer.alloc(0)), { timestamp: 150 })).toEqual([
      '1',
      2,
      lost,
    ]);
  });

  it('gets past damage and a torn end that lie behind it, not past any before', async () => {
    const flipped = Buffer.from(second);
    flipped[flipped.length - 3]! ^= 1;
    const found = await restore(disk(first, flipped), { timestamp: 250 });
    expect(found.trouble).toMatch(/does not match its checksum/);
    await expect(restore(disk(first, flipped), { timestamp: 400 })).rejects.toThrow(/check-aof/);
    const torn = disk(first, second.subarray(0, -4));
    expect((await restored(torn, { timestamp: 500 }))[0]).toBe('1 2 3 4 5');
    const early = disk(first.subarray(0, -4), second);
    await expect(restore(early, { timestamp: 500 })).rejects.toThrow(/lies before the moment/);
  });

  it('is refused where no line tells the time, and before the base was made', async () => {
    const untimed = disk(turn(set(1)), turn(set(2)));
    await expect(restore(untimed, { timestamp: 5 })).rejects.toThrow(/aof-timestamp-enabled no/);
    const base = rdbOf('REDIS0010', 0xfa, text('ctime'), text('150'), 0xff);
    const late = disk(first, second, base);
    await expect(restore(late, { timestamp: 149 })).rejects.toThrow(/of second 150/);
    await expect(restore(late, { timestamp: 150 })).resolves.toMatchObject({ keptCommands: 1 });
  });
});

describe('an offset', () => {
  const one = set(1).length;

  it('of a primary ends behind a command, within a turn as well', async () => {
    const body = all(set(2), set(3), set(4));
    const make = () => disk(all(at(1000), turn(set(1))), all(turn(body), turn(set(5))));
    for (const [offset, kept, lost] of [
      [1000 + 5 * one, '1 2 3 4 5', 0],
      [1000 + 5 * one - 1, '1 2 3 4', 1],
      [1000 + 3 * one, '1 2 3', 2],
      [1000 + 2 * one + 1, '1 2', 3],
      [1000 + one, '1', 4],
      [1000, '', 5],
    ] as const) {
      const fs = make();
      const found = await restore(fs, { offset });
      expect([offset, await keys(fs), found.leftOutCommands]).toEqual([offset, kept, lost]);
      const whole = kept === '' ? 0 : kept.split(' ').length;
      expect(found.position).toMatchObject({ id: ID, offset: 1000 + whole * one });
    }
  });

  it('counts what only the stream got, and takes a transaction whole', async () => {
    const body = all(command('MULTI'), set(2), command('EXEC'));
    const file = all(at(0), set(1), at(one + 14), turn(body), set(3));
    const end = one + 14 + body.length;
    const make = () => disk(file, Buffer.alloc(0));
    expect((await restored(make(), { offset: end }))[0]).toBe('1 2');
    expect((await restored(make(), { offset: end - 1 }))[0]).toBe('1');
    expect((await restored(make(), { offset: one + 14 }))[0]).toBe('1');
    expect((await restored(make(), { offset: one }))[0]).toBe('1');
  });

  it('of a replica ends at the end of a turn', async () => {
    const turns = [turn(all(set(1), at(500, false))), turn(all(set(2), set(3), at(600, false)))];
    const make = () => disk(all(...turns), turn(all(set(4), at(700, false))));
    expect((await restored(make(), { offset: 700 }))[0]).toBe('1 2 3 4');
    expect((await restored(make(), { offset: 699 }))[0]).toBe('1 2 3');
    expect((await restored(make(), { offset: 599 }))[0]).toBe('1');
    await expect(restore(make(), { offset: 499 })).rejects.toThrow(/begin later/);
  });

  it('begins with that of the base, and is refused where nothing tells one', async () => {
    const aux = [0xfa, text('repl-id'), text(ID), 0xfa, text('repl-offset'), text('900')];
    const base = rdbOf('REDIS0010', ...aux, 0xff);
    const fs = disk(all(at(900), set(1)), set(2), base);
    await expect(restore(fs, { offset: 899 })).rejects.toThrow(/of offset 900/);
    const { position } = await restore(fs, { offset: 900 + one });
    expect(position).toMatchObject({ offset: 900 + one });
    const silent = disk(turn(set(1)), turn(set(2)));
    await expect(restore(silent, { offset: 5 })).rejects.toThrow(/tells no offsets/);
  });
});
