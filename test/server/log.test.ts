/** The log: both formats, levels, and lines that are there when the call returns. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileSink, formatLogTime, ServerLog } from '../../src/server/log.ts';

const NOON_MS = new Date(2026, 10, 3, 12, 4, 5, 67).getTime();

function collect(): { lines: string[]; sink: (line: string) => void } {
  const lines: string[] = [];
  return { lines, sink: (line) => void lines.push(line) };
}

describe('text', () => {
  it('looks like the log of redis-server', () => {
    const { lines, sink } = collect();
    const log = new ServerLog({ sink, pid: 7, now: () => NOON_MS, level: 'debug' });
    log.role = 'C';
    log.debug('one');
    log.role = 'M';
    log.verbose('two', { hidden: true });
    log.notice('three %s {"json"}');
    log.role = 'S';
    log.warning('');
    expect(lines).toEqual([
      '7:C 03 Nov 2026 12:04:05.067 . one\n',
      '7:M 03 Nov 2026 12:04:05.067 - two\n',
      '7:M 03 Nov 2026 12:04:05.067 * three %s {"json"}\n',
      '7:S 03 Nov 2026 12:04:05.067 # \n',
    ]);
    expect(formatLogTime(NOON_MS)).toBe('03 Nov 2026 12:04:05.067');
  });
});

describe('JSON', () => {
  it('has an object on each line, with the fields of the message', () => {
    const { lines, sink } = collect();
    const log = new ServerLog({ sink, pid: 7, now: () => NOON_MS, format: 'json' });
    log.role = 'S';
    log.notice('saved', { keys: 5 });
    log.warning('line\nbreak');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        level: 'notice',
        time: new Date(NOON_MS).toISOString(),
        pid: 7,
        role: 'S',
        keys: 5,
        msg: 'saved',
      },
      expect.objectContaining({ level: 'warning', msg: 'line\nbreak' }),
    ]);
    expect(lines.every((line) => line.endsWith('}\n'))).toBe(true);
  });
});

describe('levels', () => {
  it.each([
    ['debug', 'dvnw'],
    ['verbose', 'vnw'],
    ['notice', 'nw'],
    ['warning', 'w'],
    ['nothing', ''],
  ] as const)('%s lets through %s, at run time', (level, expected) => {
    const { lines, sink } = collect();
    const log = new ServerLog({ sink, level: 'nothing' });
    log.setLevel(level);
    log.debug('d');
    log.verbose('v');
    log.notice('n');
    log.warning('w');
    expect(lines.map((line) => line.at(-2)).join('')).toBe(expected);
  });
});

describe('a file', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cairn-log-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('may be moved away, and a new one appears', () => {
    const path = join(folder, 'a.log');
    const log = new ServerLog({ sink: fileSink(path) });
    log.notice('one');
    renameSync(path, `${path}.1`);
    log.notice('two');
    expect(readFileSync(`${path}.1`, 'utf8')).toMatch(/^\S+ .* \* one\n$/);
    expect(readFileSync(path, 'utf8')).toMatch(/ \* two\n$/);
  });

  it('that cannot be written does not stop the server', () => {
    const log = new ServerLog({ sink: fileSink(join(folder, 'no', 'such.log')) });
    expect(() => log.warning('lost')).not.toThrow();
  });
});

describe('standard output', () => {
  it('whose reader has stopped does not stop the server', () => {
    const script = `
      const { ServerLog } = await import(process.argv[1]);
      const log = new ServerLog();
      for (let i = 0; i < 2000; i++) log.notice('line ' + i + '.'.repeat(100));`;
    const module = new URL('../../dist/server/log.js', import.meta.url).href;
    const folder = mkdtempSync(join(tmpdir(), 'cairn-log-'));
    const reader = 'while [ ! -f over ]; do sleep 0.1; done; cat';
    const args = [process.execPath, '--input-type=module', '-e', script, module];
    const run = spawnSync('sh', ['-c', `{ "$0" "$@"; echo > over; } | { ${reader}; }`, ...args], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    rmSync(folder, { recursive: true });
    expect(run.status).toBe(0);
    expect(run.stdout).toMatch(/^\S+ .* \* line 0\.+\n/);
    expect(run.stdout.length).toBeLessThan(2000 * 100);
  });

  it('has every line of a process that dies at once', () => {
    const script = `
      const { ServerLog } = await import(process.argv[1]);
      const log = new ServerLog();
      for (let i = 0; i < 2000; i++) log.notice('line ' + i);
      process.kill(process.pid, 'SIGKILL');`;
    const module = new URL('../../dist/server/log.js', import.meta.url).href;
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', script, module], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(run.signal).toBe('SIGKILL');
    expect(run.stdout.trimEnd().split('\n')).toHaveLength(2000);
    expect(run.stdout).toMatch(/^\d+:M \d\d \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3} \* line 0\n/);
  });
});
