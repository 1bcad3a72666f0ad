/**
 * `cairn rdb ...` and `cairn check-...` as tools: what they print for people and for machines, the
 * exit codes, errors that name the file, files that stand when something goes wrong.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { checkAofTool, checkRdbTool } from '../../../src/server/cli/check-tools.ts';
import { ProgressBar } from '../../../src/server/cli/progress.ts';
import {
  convertTool,
  diffTool,
  type ExportRequest,
  exportTool,
  statsTool,
} from '../../../src/server/cli/rdb-tools.ts';
import {
  counted,
  shownBytes,
  shownKey,
  shownSeconds,
  shownTable,
  shownTtl,
} from '../../../src/server/cli/tool-format.ts';
import { fixture, type RdbPart, rdbOf, text } from '../../persistence/rdb/rdb-support.ts';
import { command } from '../../support/aof-samples.ts';
import { type Outcome, outcomeOf } from './tool-outcome.ts';

const root = mkdtempSync(join(tmpdir(), 'cairn-rdb-cli-'));
afterAll(() => rmSync(root, { recursive: true }));

const ALL_TYPES = fixture('every-type-7.0.15.rdb');

function file(name: string, bytes: Uint8Array): string {
  const path = join(root, name);
  writeFileSync(path, bytes);
  return path;
}

const dump = (name: string, ...parts: RdbPart[]): string =>
  file(name, rdbOf('REDIS0010', ...parts, 0xff));

describe('cairn rdb stats', () => {
  const request = { file: ALL_TYPES, top: 2, separator: ':', depth: 1 };

  it('prints tables, or one object', async () => {
    const people = await outcomeOf((io) => statsTool({ ...request, json: false }, io));
    expect(people).toMatchObject({ code: 0, err: '' });
    expect(people.out).toMatch(
      /RDB version 10 of Redis 7\.0\.15\n17 keys, .*, 1 library of functions\n/,
    );
    expect(people.out).toMatch(/ {2}type +keys +in file[\s\S]*stream +2 /);
    expect(people.out).toMatch(/biggest unpacked[\s\S]*"bigl"/);
    const machines = await outcomeOf((io) => statsTool({ ...request, json: true }, io));
    const told = JSON.parse(machines.out);
    expect(told).toMatchObject({ ok: true, version: 10, total: { keys: 17, expires: 2 } });
    expect(told.types.map((group: { type: string }) => group.type).sort()).toEqual([
      'hash',
      'list',
      'set',
      'stream',
      'string',
      'zset',
    ]);
    expect(told.biggestByElements).toHaveLength(2);
  });

  it('cuts long keys in its tables, between two characters', async () => {
    const keys = ['a', 'aa', 'aaa'].map((start) => `${start}${'☃'.repeat(400)}:x`);
    const strings = keys.flatMap((key) => {
      const bytes = Buffer.from(key);
      return [
        0,
        0x40 | (bytes.length >> 8),
        bytes.length & 0xff,
        bytes.toString('latin1'),
        text('v'),
      ];
    });
    const path = dump('long-keys.rdb', 0xfe, 0, ...strings);
    const { out } = await outcomeOf((io) =>
      statsTool({ ...request, file: path, top: 3, json: false }, io),
    );
    for (const start of ['a', 'aa', 'aaa']) {
      const cell = `"${start}${'☃'.repeat(Math.floor((200 - start.length) / 3))}"...`;
      expect(out).toContain(`${cell} (1,20${start.length + 2} bytes)`);
    }
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThan(280);
  });

  it('counts what a filter lets pass', async () => {
    const match = Buffer.from('big*');
    const found = await outcomeOf((io) => statsTool({ ...request, match, db: 0, json: true }, io));
    expect(JSON.parse(found.out).total).toMatchObject({ keys: 5 });
  });
});

describe('cairn rdb export', () => {
  const request: ExportRequest = {
    file: ALL_TYPES,
    format: 'json',
    output: undefined,
    replace: false,
    skipModules: false,
    json: false,
  };

  it('writes to standard output, or to a file that appears when it is whole', async () => {
    const printed = await outcomeOf((io) => exportTool(request, io));
    expect(printed.code).toBe(0);
    const lines = printed.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(18);
    expect(lines).toContainEqual({
      db: 3,
      key: 'k3',
      type: 'string',
      encoding: 'string',
      expireAtMs: 9_999_999_999_999,
      value: 'v3',
    });
    const output = join(root, 'out.jsonl');
    const kept = await outcomeOf((io) => exportTool({ ...request, output, json: true }, io));
    expect(JSON.parse(kept.out)).toMatchObject({ ok: true, keys: 17, format: 'json' });
    expect(readFileSync(output, 'utf8')).toBe(printed.out);
  });

  it('refuses keys of modules, or leaves them out if told', async () => {
    const id = [0x81, ...new Array<number>(8).fill(0)];
    const parts = [7, text('m'), id, 2, 5, 0, 0, text('k'), text('v')];
    const source = dump('module.rdb', ...parts);
    const output = join(root, 'module.jsonl');
    const refused = await outcomeOf((io) => exportTool({ ...request, file: source, output }, io));
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(/"m" of database 0 is a module's.*--skip-modules/);
    expect(existsSync(output)).toBe(false);
    const skipping = { ...request, file: source, skipModules: true };
    const left = await outcomeOf((io) => exportTool(skipping, io));
    expect(left).toMatchObject({ code: 0, err: 'cairn: left out 1 key of modules\n' });
    expect(left.out.trim().split('\n')).toHaveLength(1);
  });

  it('replaces values if told', async () => {
    const given = { ...request, format: 'resp' as const, replace: true, match: Buffer.from('num') };
    const { out } = await outcomeOf((io) => exportTool(given, io));
    const commands = out.slice(out.indexOf('*2\r\n$6\r\nSELECT'));
    expect(commands).toBe(
      Buffer.concat([
        command('SELECT', '0'),
        command('DEL', 'num'),
        command('SET', 'num', '12345'),
      ]).toString(),
    );
  });
});

describe('cairn rdb diff', () => {
  const a = dump('a.rdb', 0, text('k'), text('1'), 0, text('x'), text('1'));
  const b = dump('b.rdb', 0, text('k'), text('2'));
  const diff = (one: string, two: string, json = false): Promise<Outcome> =>
    outcomeOf((io) => diffTool({ a: one, b: two, ignoreTtl: false, json }, io));

  it('tells differences and ends with 0, 1 or 2', async () => {
    expect((await diff(a, a)).code).toBe(0);
    const found = await diff(a, b);
    expect(found.code).toBe(1);
    expect(found.out).toMatch(
      /^value differs: db 0 string "k"\nonly in A: db 0 string "x"\n2 keys/,
    );
    const lines = (await diff(a, b, true)).out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([
      { difference: 'value', db: 0, key: 'k', type: 'string', expireAtMs: [null, null] },
      { difference: 'only-in-a', db: 0, key: 'x', type: 'string' },
      expect.objectContaining({ isSame: false, keysA: 2, keysB: 1, onlyInA: 1, values: 1, a, b }),
    ]);
  });

  it('names the file that is damaged or missing', async () => {
    const damaged = file('damaged.rdb', Buffer.from('REDIS0010\0\x05k'));
    const wrong = await diff(a, damaged, true);
    expect(wrong).toMatchObject({ code: 2 });
    expect(wrong.err).toMatch(/damaged\.rdb: the RDB ends too early, at byte 12/);
    expect(JSON.parse(wrong.out)).toMatchObject({ ok: false });
    expect((await diff(damaged, a)).err).toMatch(/damaged\.rdb/);
    expect((await diff(a, join(root, 'none'))).err).toMatch(/none: No such file or directory/);
    expect((await diff(root, a)).err).toMatch(/is a folder/);
  });
});

describe('cairn rdb convert', () => {
  it('tells what it left out, as a comparison tells of functions', async () => {
    const from = dump('functions.rdb', 0xf5, text('lib'), 1, text('e'), 0);
    const to = join(root, 'converted.rdb');
    const left = await outcomeOf((io) => convertTool({ from, to, version: 9, json: false }, io));
    expect(left).toMatchObject({ code: 0, err: '' });
    expect(left.out).toMatch(/left out: 1 library of functions, .*version 9/);
    expect(left.out).toMatch(/left out: 1 key without elements/);
    const diff = { a: from, b: to, ignoreTtl: false, json: false };
    const found = await outcomeOf((io) => diffTool(diff, io));
    expect([found.code, found.out]).toEqual([1, expect.stringMatching(/functions differ/)]);
  });

  it('leaves the old file where it cannot be done', async () => {
    const to = file('target.rdb', Buffer.from('old'));
    const expiring = [0x81, ...new Array<number>(7).fill(0), 9];
    const parts = [24, text('h'), ...new Array<number>(8).fill(0), 1, 3, text('f'), text('v')];
    for (const from of [dump('h.rdb', ...parts), dump('m.rdb', 0xf7, expiring, 0)]) {
      const convert = { from, to, version: 10 as const, json: false };
      const { code, err } = await outcomeOf((io) => convertTool(convert, io));
      expect([code, err]).toEqual([2, expect.stringMatching(/expire|cannot be converted/)]);
      expect(readFileSync(to, 'utf8')).toBe('old');
    }
  });
});

describe('cairn check-rdb and check-aof', () => {
  it('print the report, or one object, and end with 0 or 1', async () => {
    const good = await outcomeOf((io) => checkRdbTool({ file: ALL_TYPES, json: false }, io));
    expect(good.code).toBe(0);
    expect(good.out).toMatch(/^\[offset 0\] Checking RDB file .*\n[\s\S]*RDB looks OK/);
    const object = await outcomeOf((io) => checkRdbTool({ file: ALL_TYPES, json: true }, io));
    expect(JSON.parse(object.out)).toMatchObject({ ok: true, keys: 17, error: null });
    const none = join(root, 'none');
    const missing = await outcomeOf((io) => checkRdbTool({ file: none, json: true }, io));
    expect([missing.code, JSON.parse(missing.out).ok]).toEqual([1, false]);
  });

  it('cut when asked and answered, and tell machines what was cut', async () => {
    const whole = command('SET', 'a', '1');
    const torn = (): string => file('torn.aof', Buffer.concat([whole, whole.subarray(0, 9)]));
    const check = (fix: boolean, yes: boolean, answer: boolean): Promise<Outcome> => {
      const request = { file: torn(), fix, yes, json: true, truncateToTimestamp: undefined };
      return outcomeOf((io) => checkAofTool(request, io), { answer });
    };
    const size = (): number => readFileSync(join(root, 'torn.aof')).length;
    const looked = await check(false, false, true);
    expect([looked.code, size()]).toEqual([1, whole.length + 9]);
    expect(JSON.parse(looked.out)).toMatchObject({
      ok: false,
      cutBytes: 0,
      plan: { kind: 'cut', keptBytes: whole.length },
      files: [{ role: 'single', outcome: 'torn', commandCount: 1 }],
    });
    expect([(await check(true, false, false)).code, size()]).toEqual([1, whole.length + 9]);
    const fixed = await check(true, true, false);
    expect([fixed.code, JSON.parse(fixed.out).cutBytes, size()]).toEqual([0, 9, whole.length]);
    expect([(await check(true, false, true)).code, size()]).toEqual([0, whole.length]);
  });
});

describe('the program itself', () => {
  const program = fileURLToPath(new URL('../../../bin/cairn.js', import.meta.url));
  const run = (...args: string[]) => spawnSync(process.execPath, [program, ...args]);

  it('prints to pipes, and ends with the code of its tool', () => {
    const same = run('rdb', 'diff', '--json', ALL_TYPES, ALL_TYPES);
    expect([same.status, JSON.parse(String(same.stdout)).isSame]).toEqual([0, true]);
    const missing = run('rdb', 'stats', join(root, 'none'));
    expect([missing.status, String(missing.stderr)]).toEqual([
      2,
      expect.stringMatching(/: No such file or directory/),
    ]);
    const damaged = run('check-rdb', file('short.rdb', Buffer.from('REDIS0010')));
    expect([damaged.status, String(damaged.stdout)]).toEqual([1, expect.stringMatching(/ERROR/)]);
  });

  it('takes no answer for no', () => {
    const torn = file('asked.aof', command('SET', 'a', '1').subarray(0, 9));
    const { status } = spawnSync(process.execPath, [program, 'check-aof', '--fix', torn]);
    expect([status, readFileSync(torn).length]).toEqual([1, 9]);
  });
});

describe('what is shown', () => {
  it('has units, and keys in quotes', () => {
    expect([0, 999, 1000, 999_949, 999_951, 4.6e9].map(shownBytes)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '999.9 kB',
      '1.0 MB',
      '4.6 GB',
    ]);
    expect([5, 65, 3600].map(shownSeconds)).toEqual(['0:05', '1:05', '1:00:00']);
    expect([400, 65_000, 90_000_000].map(shownTtl)).toEqual(['0s', '1m 5s', '1d 1h']);
    expect([counted(1, 'key'), counted(2000, 'key')]).toEqual(['1 key', '2,000 keys']);
    expect(shownKey(Buffer.from('a"ä\n'))).toBe('"a\\"ä\\x0a"');
    expect(shownKey(Buffer.from([0x61, 0xff]))).toBe('"a\\xff"');
  });

  it('is a table of as many rows as are asked for', () => {
    const rows = Array.from({ length: 150_000 }, (_, i) => [`k${i}`, `${i}`]);
    const [head, , second] = shownTable(['key', 'n'], rows).split('\n');
    expect([head, second]).toEqual(['  key           n', '  k1            1']);
  });

  it('on a terminal is a bar, a few times a second, wiped before a line', () => {
    let now = 0;
    let screen = '';
    const write = (part: string): void => {
      screen += part;
    };
    const bar = new ProgressBar({ isTTY: true, columns: 120, write }, () => now);
    const at = bar.start('reading a.rdb');
    at(100, 1000);
    now = 50;
    at(150, 1000);
    now = 1000;
    at(500, 1000);
    bar.wipe();
    bar.wipe();
    expect(screen.split('\x1b[K').map((line) => line.replace('\r', ''))).toEqual([
      'reading a.rdb [=>                  ]  10%  100 B of 1.0 kB',
      'reading a.rdb [=========>          ]  50%  500 B of 1.0 kB, 500 B/s, 0:01 left',
      '',
      '',
    ]);
    screen = '';
    bar.start('receiving')(5_000_000, 0);
    expect(screen).toBe('\rreceiving 5.0 MB\x1b[K');
    screen = '';
    new ProgressBar({ isTTY: false, columns: 80, write }, () => now).start('x')(1, 2);
    expect(screen).toBe('');
  });
});
