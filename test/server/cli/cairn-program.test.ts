/** The `cairn` program: which part it calls, and with what. */
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { dataFolderDefaults, runCairn } from '../../../src/server/cli/cairn-program.ts';
import type { ToolIo } from '../../../src/server/cli/tool-io.ts';
import { Config } from '../../../src/server/config/config.ts';
import { CAIRN_VERSION } from '../../../src/server/config/version.ts';

interface Calls {
  readonly calls: unknown[];
  run(...args: string[]): Promise<number | undefined>;
}

const silent: ToolIo = {
  print: () => undefined,
  write: () => undefined,
  warn: () => undefined,
  progress: () => () => undefined,
  confirm: async () => false,
};

/** The program with parts that note how they are called, and end with `code`. */
function programWith(code: number, io = silent): Calls {
  const calls: unknown[] = [];
  const noting = (name: string) => async (request: object) => {
    calls.push([name, JSON.parse(JSON.stringify(request))]);
    return code;
  };
  const parts = {
    server: async (args: readonly string[]) => {
      calls.push(['server', ...args]);
      return undefined;
    },
    checkRdb: noting('check-rdb'),
    checkAof: noting('check-aof'),
    stats: noting('stats'),
    exportRdb: noting('export'),
    diff: noting('diff'),
    convert: noting('convert'),
    backup: noting('backup'),
    restore: noting('restore'),
  };
  return { calls, run: (...args) => runCairn(args, parts, io) };
}

describe('cairn server', () => {
  it('passes every argument on as it is', async () => {
    const program = programWith(0);
    const args = ['x.conf', '--port', '1', '--save', '', '--', '-v', '--help', '-'];
    expect(await program.run('server', ...args)).toBeUndefined();
    expect(program.calls).toEqual([['server', ...args]]);
  });
});

describe('cairn check-rdb and check-aof', () => {
  it('give the file and the options, and the exit code', async () => {
    const good = programWith(0);
    expect(await good.run('check-rdb', 'a.rdb')).toBe(0);
    expect(await good.run('check-aof', 'a.manifest')).toBe(0);
    expect(await good.run('check-aof', '--fix', '--yes', 'a.aof')).toBe(0);
    expect(await good.run('check-aof', '--truncate-to-timestamp', '1700000000', 'a.aof')).toBe(0);
    const plain = { fix: false, yes: false, json: false };
    expect(good.calls).toEqual([
      ['check-rdb', { file: 'a.rdb', json: false }],
      ['check-aof', { ...plain, file: 'a.manifest' }],
      ['check-aof', { ...plain, file: 'a.aof', fix: true, yes: true }],
      ['check-aof', { ...plain, file: 'a.aof', truncateToTimestamp: 1_700_000_000 }],
    ]);
    const bad = programWith(1);
    expect(await bad.run('check-rdb', 'a.rdb')).toBe(1);
    expect(await bad.run('check-aof', 'a.aof')).toBe(1);
  });
});

describe('cairn rdb', () => {
  it('gives files, options and filters, and the exit code', async () => {
    const program = programWith(0);
    await program.run('rdb', 'stats', '--top', '3', '--separator', '/', '--depth', '2', 'a.rdb');
    await program.run('rdb', 'export', '--format', 'resp', '--db', '2', '--replace', 'a.rdb');
    await program.run('rdb', 'diff', '--ignore-ttl', '--json', 'a.rdb', 'b.rdb');
    await program.run('rdb', 'convert', 'a.rdb', 'b.rdb', '--rdb-save-version', '9');
    await program.run('rdb', 'stats', '--separator', '☃', '--match', 'ä', '--db', '0', 'a.rdb');
    const flags = { skipModules: false, json: false };
    const snow = Buffer.from('☃').toString('latin1');
    const match = JSON.parse(JSON.stringify(Buffer.from('ä')));
    const last = { file: 'a.rdb', top: 10, separator: snow, depth: 1, json: false, db: 0, match };
    expect(program.calls).toEqual([
      ['stats', { file: 'a.rdb', top: 3, separator: '/', depth: 2, json: false }],
      ['export', { file: 'a.rdb', format: 'resp', db: 2, replace: true, ...flags }],
      ['diff', { a: 'a.rdb', b: 'b.rdb', ignoreTtl: true, json: true }],
      ['convert', { from: 'a.rdb', to: 'b.rdb', version: 9, json: false }],
      ['stats', last],
    ]);
    expect(await programWith(1).run('rdb', 'diff', 'a', 'b')).toBe(1);
    expect(await programWith(2).run('rdb', 'diff', 'a', 'b')).toBe(2);
  });
});

describe('cairn backup and restore', () => {
  it('give where from, where to and how', async () => {
    const program = programWith(0);
    vi.stubEnv('REDISCLI_AUTH', 'secret');
    await program.run('backup', '--host', 'db', '--port', '7', '--user', 'u', '--lz4', 'a.rdb');
    vi.unstubAllEnvs();
    await program.run('restore', 'a.rdb', 'data');
    await program.run('restore', '--to-timestamp', '5', '--force', 'old', 'new');
    await program.run('restore', '--to-offset', '0', 'old', 'new');
    await program.run('restore', '--to-timestamp', '0', 'old', 'new');
    const names = {
      dbFilename: 'dump.rdb',
      appendDirName: 'appendonlydir',
      appendFilename: 'appendonly.aof',
    };
    const plain = { as: 'both', force: false, json: false, ...names };
    expect(program.calls).toEqual([
      [
        'backup',
        {
          file: 'a.rdb',
          host: 'db',
          port: 7,
          user: 'u',
          password: 'secret',
          timeoutSeconds: 60,
          lz4: true,
          verbose: false,
          json: false,
        },
      ],
      ['restore', { ...plain, from: 'a.rdb', to: 'data' }],
      ['restore', { ...plain, from: 'old', to: 'new', force: true, moment: { timestamp: 5 } }],
      ['restore', { ...plain, from: 'old', to: 'new', moment: { offset: 0 } }],
      ['restore', { ...plain, from: 'old', to: 'new', moment: { timestamp: 0 } }],
    ]);
  });
});

describe('what is wrong or no command', () => {
  /** Runs to the exit that commander asks for, and gives its code and output. */
  async function exitOf(...args: string[]): Promise<{ code: unknown; text: string }> {
    let text = '';
    const write = (chunk: unknown): boolean => {
      text += String(chunk);
      return true;
    };
    vi.spyOn(process.stdout, 'write').mockImplementation(write);
    vi.spyOn(process.stderr, 'write').mockImplementation(write);
    const exit = vi.spyOn(process, 'exit').mockImplementation((code) => {
      throw Object.assign(new Error('exit'), { exitCode: code });
    });
    try {
      await programWith(0, { ...silent, print: write }).run(...args);
      return { code: undefined, text };
    } catch {
      return { code: exit.mock.calls[0]?.[0], text };
    } finally {
      vi.restoreAllMocks();
    }
  }

  it('is told', async () => {
    expect(await exitOf('--version')).toEqual({ code: 0, text: `${CAIRN_VERSION}\n` });
    const help = await exitOf('--help');
    expect(help.code).toBe(0);
    expect(help.text).toMatch(/server .*\n[\s\S]*check-rdb .*\n[\s\S]*check-aof /);
    expect(help.text).toMatch(/rdb .*\n[\s\S]*backup .*\n[\s\S]*restore .*[\s\S]*Examples:/);
    const hint = expect.stringContaining('(--help tells what can be given)');
    expect(await exitOf('nonsense')).toMatchObject({ code: 1, text: hint });
    expect(await exitOf('check-rdb', '--nonsense')).toMatchObject({ code: 1, text: hint });
    expect(await exitOf('check-rdb')).toMatchObject({ code: 1 });
    expect((await exitOf('check-aof', '--truncate-to-timestamp', 'x', 'f')).text).toContain(
      'whole number of seconds',
    );
    const both = await exitOf('check-aof', '--fix', '--truncate-to-timestamp', '1', 'f');
    expect(both).toMatchObject({ code: 1 });
  });

  it('is told to machines, too, but not among the keys of an export', async () => {
    const error = /\n\{"ok":false,"error":"unknown option '--nope'[^\n"]*"\}\n/;
    for (const tool of ['check-rdb', 'rdb stats', 'rdb export --output e', 'backup']) {
      const { text } = await exitOf(...tool.split(' '), '--json', '--nope', 'f');
      expect(text, tool).toMatch(error);
    }
    expect((await exitOf('rdb', 'export', '--json', '--nope', 'f')).text).not.toMatch(error);
    expect((await exitOf('check-rdb', '--nope', 'f')).text).not.toMatch(error);
  });

  it('is trouble, 2, where 1 is an answer', async () => {
    for (const args of [
      ['rdb', 'diff', 'a.rdb'],
      ['rdb', 'nonsense'],
      ['rdb', 'stats', '--top', '-1', 'a.rdb'],
      ['rdb', 'stats', '--top', '100001', 'a.rdb'],
      ['rdb', 'stats', '--separator', '', 'a.rdb'],
      ...['', ' 1', '1e3', '0x1'].map((db) => ['rdb', 'diff', '--db', db, 'a.rdb', 'b.rdb']),
      ['rdb', 'convert', 'a.rdb', 'b.rdb'],
      ['rdb', 'convert', 'a.rdb', 'b.rdb', '--rdb-save-version', '12'],
      ['rdb', 'export', '--format', 'xml', 'a.rdb'],
      ['backup', '--port', '0', 'f'],
      ['restore', 'a.rdb'],
      ['restore', '--dbfilename', '../x.rdb', 'a.rdb', 'b'],
      ...['', '.', '..'].map((name) => ['restore', '--appenddirname', name, 'a.rdb', 'b']),
      ['restore', '--to-timestamp', '1', '--to-offset', '1', 'a', 'b'],
    ]) {
      expect(await exitOf(...args), args.join(' ')).toMatchObject({ code: 2 });
    }
  });

  it('has help for every command, with examples and exit codes', async () => {
    for (const name of ['stats', 'export', 'diff', 'convert']) {
      const { code, text } = await exitOf('rdb', name, '--help');
      expect(code).toBe(0);
      expect(text, name).toMatch(/Exit code: [\s\S]*Examples:/);
    }
    for (const name of ['server', 'check-rdb', 'check-aof', 'backup', 'restore']) {
      const { code, text } = await exitOf(name, '--help');
      expect(code).toBe(0);
      expect(text, name).toMatch(/Exit code: [\s\S]*Examples:/);
    }
  });
});

describe('the folder of cairn server', () => {
  let folder: string;
  const before = process.cwd();

  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'cairn-data-')));
    vi.spyOn(process, 'cwd').mockReturnValue(folder);
  });

  afterEach(() => {
    vi.restoreAllMocks();
    expect(process.cwd()).toBe(before);
    rmSync(folder, { recursive: true, force: true });
  });

  it('is made, and every write is logged there', () => {
    const config = new Config();
    config.load({ defaults: dataFolderDefaults(''), options: '' });
    expect(config.values.dir).toBe(join(folder, 'data'));
    expect(config.values.appendonly).toBe(true);
  });

  it('is told with what to do when it cannot be made', () => {
    writeFileSync(join(folder, 'data'), 'a file of that name');
    expect(() => dataFolderDefaults('')).toThrow(
      `Can't make the folder ${folder}/data: Not a directory. Start elsewhere, or name a folder`,
    );
  });

  it('is not made when another is named', () => {
    expect(dataFolderDefaults('DIR "/x" \nappendonly "no" ')).toBe('');
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });
});
