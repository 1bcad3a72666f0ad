/**
 * The command line of cairn-server. That options become the same lines of configuration as with a
 * real redis-server is seen from what both report when a line is wrong: its number and its text.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  optionNames,
  parseServerArguments,
  type ServerArguments,
} from '../../../src/server/cli/server-arguments.ts';
import { ConfigFileError } from '../../../src/server/config/conf-file.ts';
import { Config } from '../../../src/server/config/config.ts';
import { CAIRN_VERSION } from '../../../src/server/config/version.ts';
import { realServerVersion, requireRedisServer } from '../../support/real-server.ts';

function run(...args: string[]): Extract<ServerArguments, { kind: 'run' }> {
  const parsed = parseServerArguments(args);
  if (parsed.kind !== 'run') throw new Error(`not a run: ${parsed.kind}`);
  return parsed;
}

/** The report of a start that must fail. */
function reportOf(args: readonly string[], stdin: string, folder: string): string {
  const parsed = run(...args);
  const config = new Config({ directory: folder });
  try {
    config.load({
      ...(parsed.file === undefined ? {} : { file: join(folder, parsed.file) }),
      ...(parsed.stdin ? { stdin } : {}),
      ...(parsed.options === undefined ? {} : { options: parsed.options }),
    });
  } catch (error) {
    if (error instanceof ConfigFileError) return error.report();
    throw error;
  }
  throw new Error(`these were accepted: ${args.join(' ')}`);
}

const executable = requireRedisServer();

describe.skipIf(executable === null)('a real server', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cairn-arguments-'));
    writeFileSync(join(folder, 'a.conf'), 'timeout 1\nhz 11');
    writeFileSync(join(folder, 'bad.conf'), 'timeout 1\nhz x\n');
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    [['--port', 'x']],
    [['--port', 'x', 'y z']],
    [['--PORT', 'x']],
    [['--port']],
    [['--port=7']],
    [['--port x']],
    [['--port 7', '8', '--hz', 'x']],
    [['--port 0 ', '--hz', 'x']],
    [['--port', '0', '-x']],
    [['-x']],
    [['--', 'x']],
    [['--loglevel', '--save']],
    [['--loglevel', '--save', '--hz', 'x']],
    [['--masterauth', '--masteruser', '--hz', 'x']],
    [['--masterauth', '--masteruser', 'a', '--hz', 'x']],
    [['--save', '--hz', 'x']],
    [['--save', '', '--hz', 'x']],
    [['--save', '60', '1', '--hz', 'x']],
    [['--save', '60 1', '300', '--hz', 'x']],
    [['--hz', 'x', '--save']],
    [['--SAVE', '--hz', 'x']],
    [['--save ', '--hz', 'x']],
    [['--save 60 1', '--hz', 'x']],
    [['--masterauth', 'a "b" \\ \n\t\x07', '--hz', 'x "y"\n']],
    [['--masterauth', 'äöü', '--hz', 'äöü']],
    [['--hz', '']],
    [['--"hz', '1']],
    [['--shutdown-on-sigterm', 'nosave', 'force', '--hz', 'x']],
    [['--shutdown-on-sigterm', 'nosave force', '--hz', 'x']],
    [['a.conf', '--hz', 'x']],
    [['a.conf', '--hz', '--hz', 'x']],
    [['a.conf', 'x', 'y']],
    [['bad.conf', '--hz', '10']],
    [['-', '--hz', 'x']],
    [['--timeout', '2', '-', '--hz', 'x']],
    [['--hz', 'x', '-']],
    [['a.conf', '-', '--hz', 'x']],
    [['a.conf', '--hz', 'x', '-']],
    [['-', '-', '--hz', 'x']],
  ])('makes the same lines of %j', (args) => {
    const stdin = 'maxclients 100\nmaxclients 101\n';
    const theirs = spawnSync(executable ?? '', args, {
      cwd: folder,
      input: stdin,
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(theirs.status).toBe(1);
    expect(theirs.stderr).toContain('FATAL CONFIG FILE ERROR');
    expect(reportOf(args, stdin, folder)).toBe(
      theirs.stderr
        .replace(`(Redis ${realServerVersion(executable ?? '')})`, `(Cairn ${CAIRN_VERSION})`)
        .replace('notice, warning\n', 'notice, warning, nothing\n'),
    );
  });
});

describe('arguments', () => {
  it('may ask for no server', () => {
    expect(parseServerArguments(['--help']).kind).toBe('help');
    expect(parseServerArguments(['-h', 'x']).kind).toBe('help');
    expect(parseServerArguments(['-v']).kind).toBe('version');
    expect(parseServerArguments(['--version']).kind).toBe('version');
    expect(parseServerArguments(['--check-system']).kind).toBe('check-system');
  });

  it.each([
    [['--test-memory', '4096'], 'memory test'],
    [['x.conf', '--sentinel'], 'Sentinel'],
  ])('%j is refused with a hint', (args, hint) => {
    const parsed = parseServerArguments(args);
    expect(parsed).toEqual({ kind: 'refused', message: expect.stringContaining(hint) });
  });

  it('may be none', () => {
    expect(run()).toEqual({ kind: 'run', file: undefined, stdin: false, options: undefined });
  });

  it('have names', () => {
    const { options } = run('--Port', '7', '--save', '--dir', '/x y');
    expect(optionNames(options ?? '')).toEqual(new Set(['port', 'save', 'dir']));
    expect(optionNames('')).toEqual(new Set());
  });
});
