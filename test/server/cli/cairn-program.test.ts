/** The `cairn` program: which part it calls, and with what. */
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { dataFolderDefaults, runCairn } from '../../../src/server/cli/cairn-program.ts';
import { Config } from '../../../src/server/config/config.ts';
import { CAIRN_VERSION } from '../../../src/server/config/version.ts';

interface Calls {
  readonly calls: unknown[];
  run(...args: string[]): Promise<number | undefined>;
}

/** The program with parts that note how they are called. */
function programWith(answer: boolean): Calls {
  const calls: unknown[] = [];
  const parts = {
    server: async (args: readonly string[]) => {
      calls.push(['server', ...args]);
      return undefined;
    },
    checkRdb: async ({ file }: { file: string }) => {
      calls.push(['check-rdb', file]);
      return answer;
    },
    checkAof: async (request: object) => {
      calls.push(['check-aof', JSON.parse(JSON.stringify(request))]);
      return answer;
    },
  };
  return { calls, run: (...args) => runCairn(args, parts) };
}

describe('cairn server', () => {
  it('passes every argument on as it is', async () => {
    const program = programWith(true);
    const args = ['x.conf', '--port', '1', '--save', '', '--', '-v', '--help', '-'];
    expect(await program.run('server', ...args)).toBeUndefined();
    expect(program.calls).toEqual([['server', ...args]]);
  });
});

describe('cairn check-rdb and check-aof', () => {
  it('give the file and the options, and the exit code', async () => {
    const good = programWith(true);
    expect(await good.run('check-rdb', 'a.rdb')).toBe(0);
    expect(await good.run('check-aof', 'a.manifest')).toBe(0);
    expect(await good.run('check-aof', '--fix', 'a.aof')).toBe(0);
    expect(await good.run('check-aof', '--truncate-to-timestamp', '1700000000', 'a.aof')).toBe(0);
    expect(good.calls).toEqual([
      ['check-rdb', 'a.rdb'],
      ['check-aof', { file: 'a.manifest', fix: false }],
      ['check-aof', { file: 'a.aof', fix: true }],
      ['check-aof', { file: 'a.aof', fix: false, truncateToTimestamp: 1_700_000_000 }],
    ]);
    const bad = programWith(false);
    expect(await bad.run('check-rdb', 'a.rdb')).toBe(1);
    expect(await bad.run('check-aof', 'a.aof')).toBe(1);
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
      await programWith(true).run(...args);
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
    expect(await exitOf('nonsense')).toMatchObject({ code: 1 });
    expect(await exitOf('check-rdb')).toMatchObject({ code: 1 });
    expect((await exitOf('check-aof', '--truncate-to-timestamp', 'x', 'f')).text).toContain(
      'whole number of seconds',
    );
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

  it('is not made when another is named', () => {
    expect(dataFolderDefaults('DIR "/x" \nappendonly "no" ')).toBe('');
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });
});
