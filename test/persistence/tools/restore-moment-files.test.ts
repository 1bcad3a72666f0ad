/**
 * The files of an AOF as of a moment: which names they get beside those that are there, what is
 * brought to the disk before the manifest, and what is left when it fails or is given up.
 */
import { describe, expect, it } from 'vitest';
import { checkAof } from '../../../src/persistence/tools/check-aof.ts';
import {
  type RestoreMomentOptions,
  restoreMoment,
} from '../../../src/persistence/tools/restore-moment.ts';
import { command, emptyRdb, load, rdbReader, turn } from '../../support/aof-samples.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import { rdbOf, text } from '../rdb/rdb-support.ts';

const FROM = '/data/aofs';
const TO = '/new/aofs';
const set = (i: number): Buffer => command('SET', `key:${i}`, 'value');
const FIRST = Buffer.concat([turn(set(1), 100), turn(set(2), 200)]);

type Files = Readonly<Record<string, Uint8Array>>;

/** An AOF in `folder`, whose manifest names these files. */
function put(fs: FaultyFileSystem, folder: string, files: Files, history: string[] = []): void {
  const lines = Object.entries(files).map(([name, bytes], index) => {
    fs.put(`${folder}/${name}`, bytes);
    const type = history.includes(name) ? 'h' : name.includes('incr') ? 'i' : 'b';
    return `file ${name} seq ${/\d+/.exec(name)?.[0] ?? index + 1} type ${type}\n`;
  });
  fs.put(`${folder}/a.manifest`, Buffer.from(lines.join('')));
}

function source(files: Files = { 'a.1.base.rdb': emptyRdb(), 'a.1.incr.aof': FIRST }) {
  const fs = new FaultyFileSystem();
  put(fs, FROM, files);
  return fs;
}

function restore(fs: FaultyFileSystem, given: Partial<RestoreMomentOptions> = {}) {
  return restoreMoment({
    ...{ fs, from: FROM, to: '/new', appendDirName: 'aofs', moment: { timestamp: 200 } },
    ...{ hold: null, force: true, progress: () => () => undefined, rest: async () => undefined },
    ...given,
  });
}

async function keys(fs: FaultyFileSystem): Promise<string> {
  const verdict = await checkAof(fs, `${TO}/a.manifest`, { readRdb: rdbReader(fs) });
  expect(verdict.isValid).toBe(true);
  const place = { dir: '/new', appendDirName: 'aofs', appendFilename: 'a' };
  const { commands } = await load(fs, {}, place);
  return commands.map((line) => line.replace(/SET key:(\d+) value/, '$1')).join(' ');
}

const names = (fs: FaultyFileSystem): string[] => fs.readdirSync(TO).sort();

describe('the files of a moment', () => {
  it('are on the disk with their names before the manifest names them, and closed', async () => {
    const fs = source();
    await restore(fs);
    const manifest = fs.calls.findIndex((call) => /^rename .*a\.manifest$/.test(call));
    const before = fs.calls.slice(0, manifest);
    const made = before.findLastIndex((call) => /^open .*a\.2\.incr\.aof$/.test(call));
    const calls = before.slice(made).map((call) => call.replace(/ .*\//, ' '));
    expect(made).toBeGreaterThan(0);
    expect(calls).toContain('syncData a.2.incr.aof');
    expect(calls.indexOf('fsyncDir aofs')).toBeGreaterThan(calls.indexOf('syncData a.2.incr.aof'));
    expect(fs.kindCalls.get('close')).toBe(fs.kindCalls.get('open'));
  });

  it('take no name that is there, and old ones go, those of the history as well', async () => {
    const fs = source();
    const history = { 'a.1.incr.aof': set(7), 'a.1.base.rdb': emptyRdb() };
    const old = { 'a.2.base.rdb': emptyRdb(), ...history, 'a.2.incr.aof': set(9) };
    put(fs, TO, old, Object.keys(history));
    await restore(fs, { moment: { timestamp: 99 } });
    expect([names(fs), await keys(fs)]).toEqual([
      ['a.3.base.rdb', 'a.3.incr.aof', 'a.manifest'],
      '',
    ]);
  });

  it('take no name of a file that nobody numbered', async () => {
    const fs = source({ 'old.rdb': emptyRdb(), 'a.1.incr.aof': FIRST });
    fs.put(`${TO}/old.rdb`, Buffer.from('mine'));
    await restore(fs);
    expect(Buffer.from(fs.content(`${TO}/old.rdb`)!).toString()).toBe('mine');
    expect(await keys(fs)).toBe('1 2');
  });

  it('stay where the old manifest named the same, which were gone', async () => {
    const fs = source();
    put(fs, TO, { 'a.1.base.rdb': emptyRdb(), 'a.1.incr.aof': set(8) });
    for (const name of names(fs)) if (name !== 'a.manifest') fs.unlinkSync(`${TO}/${name}`);
    await restore(fs);
    expect(await keys(fs)).toBe('1 2');
  });

  it('end where they are cut, whatever their size, and it is told how far they are', async () => {
    const large = command('SET', 'large', 'x'.repeat(1_500_000));
    const body = Buffer.concat([turn(large, 100), turn(set(2), 200), turn(set(3), 300)]);
    const fs = source({ 'a.1.base.rdb': emptyRdb(), 'a.1.incr.aof': body });
    const told: [number, number][] = [];
    const progress = (doing: string) => (done: number, total: number) => {
      if (doing === 'copying a.1.incr.aof') told.push([done, total]);
    };
    await restore(fs, { progress });
    const kept = body.length - turn(set(3), 300).length;
    expect(fs.content(`${TO}/a.1.incr.aof`)).toHaveLength(kept);
    expect(told).toEqual([
      [1 << 20, kept],
      [kept, kept],
    ]);
  });

  it('are taken away when the source becomes shorter, or the work is given up', async () => {
    const large = turn(command('SET', 'large', 'x'.repeat(1_500_000)), 100);
    const cases: [RegExp, (fs: FaultyFileSystem) => void][] = [
      [
        /a\.1\.incr\.aof.*shorter/,
        (fs) => fs.openSync(`${FROM}/a.1.incr.aof`, 'replace').closeSync(),
      ],
      [
        /given up/,
        () => {
          throw new Error('given up');
        },
      ],
    ];
    for (const [reason, act] of cases) {
      const fs = source({ 'a.1.base.rdb': emptyRdb(), 'a.1.incr.aof': large });
      let doing = '';
      const progress = (what: string) => () => {
        doing = what;
      };
      const rest = async (): Promise<void> => {
        if (doing === 'copying a.1.incr.aof') act(fs);
      };
      await expect(restore(fs, { progress, rest })).rejects.toThrow(reason);
      expect(names(fs)).toEqual([]);
      expect(fs.kindCalls.get('close')).toBe(fs.kindCalls.get('open'));
    }
  });

  it('stay when the manifest stands, though it failed behind that', async () => {
    const whole = source();
    await restore(whole);
    const number = whole.calls.findIndex((call) => /^rename .*a\.manifest$/.test(call)) + 2;
    const fs = source();
    fs.breakCall(number, { kind: 'error', code: 'EIO' });
    await expect(restore(fs)).rejects.toThrow(/EIO/);
    expect(await keys(fs)).toBe('1 2');
  });

  it('are not made where the old manifest cannot be looked at', async () => {
    const whole = source();
    put(whole, TO, { 'a.1.base.rdb': emptyRdb(), 'a.1.incr.aof': set(8) });
    const [fs, copy] = [whole.kill(), whole.kill()];
    await restore(copy);
    const number = copy.calls.findIndex((call) => /^fsyncDir .*aofs$/.test(call)) + 1;
    expect(number).toBeGreaterThan(0);
    fs.breakCall(number, { kind: 'error', code: 'EIO' });
    await expect(restore(fs)).rejects.toThrow(/EIO/);
    expect(await keys(fs)).toBe('8');
  });
});

describe('the source of a moment', () => {
  it('is one manifest, all of whose files are there', async () => {
    const fs = source();
    fs.put(`${FROM}/temp-a.manifest`, Buffer.from('half of'));
    await restore(fs);
    expect(await keys(fs)).toBe('1 2');
    fs.put(`${FROM}/b.manifest`, Buffer.from('file b.1.base.rdb seq 1 type b\n'));
    await expect(restore(fs)).rejects.toThrow(/several AOF manifests .*a\.manifest, .*b\.manifest/);
    const lone = { from: `${FROM}/b.manifest` };
    await expect(restore(fs, lone)).rejects.toThrow(`${FROM}/b.1.base.rdb is not there`);
  });

  it('tells the first of several troubles, and no second that no line tells', async () => {
    const damaged = (i: number) => {
      const bytes = turn(set(i), 300);
      bytes[bytes.length - 3]! ^= 1;
      return bytes;
    };
    const files = { 'a.1.base.rdb': emptyRdb(), 'a.1.incr.aof': FIRST };
    const fs = source({
      ...files,
      'a.2.incr.aof': turn(set(3), 300),
      'a.3.incr.aof': damaged(4),
      'a.4.incr.aof': damaged(5),
    });
    expect((await restore(fs)).trouble).toMatch(/^\/data\/aofs\/a\.3\.incr\.aof: /);
    const single = new FaultyFileSystem();
    single.put('/data/a', FIRST);
    const from = '/data/a';
    await expect(restore(single, { from, moment: { timestamp: 99 } })).rejects.toThrow(
      'nothing of the AOF is from before that moment',
    );
  });

  it('may have an RDB in front of any file, of which that of the base tells a time', async () => {
    const later = rdbOf('REDIS0010', 0xfa, text('ctime'), text('900'), 0xff);
    for (const rdb of [emptyRdb(), later]) {
      const incr = Buffer.concat([rdb, turn(set(1), 100), turn(set(2), 300)]);
      const fs = source({ 'a.1.base.rdb': emptyRdb(), 'a.1.incr.aof': incr });
      expect(await restore(fs)).toMatchObject({ keptCommands: 1, leftOutCommands: 1 });
    }
    const fs = source({ 'a.1.base.rdb': Buffer.from('REDIS0010no'), 'a.1.incr.aof': FIRST });
    await expect(restore(fs)).rejects.toThrow(`${FROM}/a.1.base.rdb: `);
  });

  it('begins at the offset that the base tells', async () => {
    const aux = [
      0xfa,
      text('repl-id'),
      text('ab'.repeat(20)),
      0xfa,
      text('repl-offset'),
      text('900'),
    ];
    const base = rdbOf('REDIS0010', ...aux, 0xff);
    for (const incr of ['', `#RP:p:${'ab'.repeat(20)}:900:0\r\n${set(1)}`]) {
      const fs = source({ 'a.1.base.rdb': base, 'a.1.incr.aof': Buffer.from(incr) });
      const found = await restore(fs, { moment: { offset: 900 } });
      expect(found).toMatchObject({ keptCommands: 0, leftOutCommands: incr === '' ? 0 : 1 });
      expect(found).toMatchObject({
        position: { offset: 900 },
        lastSecond: null,
        nextSecond: null,
      });
    }
  });

  it('lets others have their turn while a large base is read', async () => {
    const many = Array.from({ length: 500 }, (_, i) => [0, text(`k${i}`), text('v')]).flat();
    const fs = source({ 'a.1.base.rdb': rdbOf('REDIS0010', ...many, 0xff), 'a.1.incr.aof': FIRST });
    const rests: string[] = [];
    let doing = '';
    const progress = (what: string) => {
      doing = what;
      return () => undefined;
    };
    const rest = async (): Promise<void> => {
      rests.push(doing);
    };
    await restore(fs, { progress, rest });
    expect(rests).toContain('reading a.1.base.rdb');
  });
});
