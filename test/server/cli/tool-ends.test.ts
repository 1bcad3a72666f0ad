/**
 * How the tools end where the world is not as it should be: no reader, a full disk behind standard
 * output, targets that are no files, a signal half-way. Nothing half-made is left, no trace shown.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { Moment } from '../../../src/persistence/aof/aof-moment.ts';
import { SocketHold } from '../../../src/persistence/aof/folder-hold.ts';
import { backupTool, restoreTool } from '../../../src/server/cli/backup-tools.ts';
import { checkAofTool, checkRdbTool } from '../../../src/server/cli/check-tools.ts';
import { untilSignalled } from '../../../src/server/cli/giving-up.ts';
import {
  convertTool,
  diffTool,
  type ExportRequest,
  exportTool,
} from '../../../src/server/cli/rdb-tools.ts';
import type { ToolIo } from '../../../src/server/cli/tool-io.ts';
import { fixture, rdbOf, text } from '../../persistence/rdb/rdb-support.ts';
import { outcomeOf } from './tool-outcome.ts';

const root = mkdtempSync(join(tmpdir(), 'cairn-tool-ends-'));
afterAll(() => rmSync(root, { recursive: true }));

const DUMP = fixture('every-type-7.0.15.rdb');
const program = fileURLToPath(new URL('../../../bin/cairn.js', import.meta.url));

/** A folder of its own for a test. */
function folder(name: string): string {
  const path = join(root, name);
  mkdirSync(path);
  return path;
}

const exporting = (file: string, output: string | undefined, onRead?: () => void) => {
  const request: ExportRequest = {
    ...{ file, output, format: 'json', json: true, replace: false, skipModules: false },
    ...{ db: undefined, match: undefined },
  };
  return outcomeOf((io) => exportTool(request, io), { onRead });
};

const converting = (from: string, to: string, onRead?: () => void) =>
  outcomeOf((io) => convertTool({ from, to, version: 10, json: true }, io), { onRead });

const backingUp = (file: string, port = 1) => {
  const request = {
    ...{ file, host: '127.0.0.1', port, user: '', password: '', timeoutSeconds: 5 },
    ...{ lz4: false, verbose: false, json: true },
  };
  return outcomeOf((io) => backupTool(request, io));
};

const restoring = (from: string, to: string, onRead?: () => void, moment?: Moment) => {
  const request = {
    ...{ from, to, moment, as: 'both' as const, dbFilename: 'dump.rdb' },
    ...{ appendDirName: 'aofs', appendFilename: 'a', force: true, json: true },
  };
  return outcomeOf((io) => restoreTool(request, io), { onRead });
};

describe('standard output', () => {
  const run = (stdout: number, ...args: string[]) =>
    spawnSync(process.execPath, [program, ...args], { stdio: ['ignore', stdout, 'pipe'] });

  it.skipIf(!existsSync('/dev/full'))('on a full disk is told in a line', () => {
    const full = openSync('/dev/full', 'w');
    const none = join(root, 'none');
    for (const args of [
      ['check-rdb', DUMP],
      ['check-rdb', '--json', none],
      ['rdb', 'stats', '--json', DUMP],
      ['rdb', 'export', DUMP],
    ]) {
      const { status, stderr } = run(full, ...args);
      const lines = String(stderr).trim().split('\n');
      expect([status, lines.at(-1)]).toEqual([
        2,
        expect.stringMatching(/^cairn: standard output: No space left on device$/),
      ]);
      expect(lines.filter((line) => !line.startsWith('cairn: '))).toEqual([]);
    }
    closeSync(full);
  });

  it('without a reader ends the tool as a signal would, not as if all were well', async () => {
    for (const args of [
      ['check-rdb', DUMP],
      ['rdb', 'diff', '--json', DUMP, DUMP],
    ]) {
      const child = spawn(process.execPath, [program, ...args]);
      child.stdout.destroy();
      let warned = '';
      child.stderr.on('data', (data) => {
        warned += String(data);
      });
      const [code] = await once(child, 'close');
      expect([code, warned]).toEqual([141, '']);
    }
  });
});

describe('where a file is to be written', () => {
  it('a folder and a socket are refused, before anything is read', async () => {
    const here = folder('refused');
    const socket = join(here, 'socket');
    const server = createServer().listen(socket);
    await once(server, 'listening');
    for (const [path, reason] of [
      [here, /is a folder/],
      [socket, /no file that can be replaced/],
    ] as const) {
      for (const use of [exporting(DUMP, path), converting(DUMP, path), backingUp(path)]) {
        const { code, err, out } = await use;
        expect([code, JSON.parse(out).ok]).toEqual([2, false]);
        expect(err).toMatch(reason);
      }
    }
    expect(readdirSync(here)).toEqual(['socket']);
    server.close();
  });

  it('a link stays one, and a dump is not replaced by its own export', async () => {
    const here = folder('links');
    const dump = join(here, 'dump.rdb');
    const link = join(here, 'link');
    writeFileSync(dump, readFileSync(DUMP));
    symlinkSync('dump.rdb', link);
    const own = await exporting(dump, link);
    expect([own.code, own.err]).toEqual([2, expect.stringMatching(/is the dump itself/)]);
    expect(readFileSync(dump).equals(readFileSync(DUMP))).toBe(true);
    const other = await exporting(link, dump);
    expect([other.code, other.err]).toEqual([2, expect.stringMatching(/is the dump itself/)]);
    const file = join(here, 'file');
    rmSync(link);
    symlinkSync('file', link);
    const lost = await exporting(dump, link);
    expect([lost.code, lost.err]).toEqual([2, expect.stringMatching(/is a link to nothing/)]);
    writeFileSync(file, 'old');
    rmSync(link);
    symlinkSync('file', link);
    expect((await exporting(dump, link)).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toMatch(/^\{"function"/);
    expect(readdirSync(here).sort()).toEqual(['dump.rdb', 'file', 'link']);
  });

  it('a folder that was made for what cannot be restored goes again', async () => {
    const bad = join(root, 'bad.rdb');
    writeFileSync(bad, 'REDIS0010');
    const made = join(root, 'made');
    expect((await restoring(bad, made)).code).toBe(2);
    expect(existsSync(made)).toBe(false);
    const there = folder('there');
    expect((await restoring(bad, there)).code).toBe(2);
    expect(readdirSync(there)).toEqual([]);
  });
});

it.skipIf(process.platform !== 'linux')('no restore goes where a server has its AOF', async () => {
  const here = folder('running');
  mkdirSync(join(here, 'aofs'));
  const server = new SocketHold(() => undefined);
  await server.take(join(here, 'aofs'));
  const aof = join(root, 'timed.aof');
  writeFileSync(aof, '#TS:100\r\n*1\r\n$4\r\nPING\r\n');
  for (const [from, moment] of [
    [DUMP, undefined],
    [aof, { timestamp: 100 }],
  ] as const) {
    const { code, err } = await restoring(from, here, undefined, moment);
    expect([code, err]).toEqual([2, expect.stringContaining(`${process.pid}`)]);
  }
  expect([readdirSync(here), readdirSync(join(here, 'aofs'))]).toEqual([['aofs'], []]);
  server.letGo();
  expect((await restoring(aof, here, undefined, { timestamp: 100 })).code).toBe(0);
});

const NO_REGULAR_FILE = 'it is no regular file: write what comes from it to one first';

describe('what is wrong is told in a sentence that names the file', () => {
  const none = join(root, 'none');
  const request = { db: undefined, match: undefined, json: false };
  const backup = { user: '', password: '', timeoutSeconds: 5, lz4: false, verbose: false };
  const restore = {
    ...{ moment: undefined, as: 'both' as const, force: false, json: false },
    ...{ dbFilename: 'd.rdb', appendDirName: 'aof', appendFilename: 'a.aof' },
  };
  const check = { json: false, fix: false, yes: false, truncateToTimestamp: undefined };

  it.each<[string, (io: ToolIo) => Promise<number>]>([
    [
      `${none}: No such file or directory`,
      (io) => diffTool({ ...request, a: DUMP, b: none, ignoreTtl: false }, io),
    ],
    [
      `cannot read ${none}: No such file or directory`,
      (io) => checkRdbTool({ file: none, json: false }, io),
    ],
    [`cannot read ${root}: Is a directory`, (io) => checkRdbTool({ file: root, json: false }, io)],
    [
      `cannot check ${none}: No such file or directory`,
      (io) => checkAofTool({ ...check, file: none }, io),
    ],
    [
      `cannot check ${root}: it is a folder: name the manifest in it`,
      (io) => checkAofTool({ ...check, file: root }, io),
    ],
    [
      `the folder ${none} is not there`,
      (io) => convertTool({ from: DUMP, to: join(none, 'x'), version: 9, json: false }, io),
    ],
    [
      `${DUMP} is no folder`,
      (io) => convertTool({ from: DUMP, to: join(DUMP, 'x'), version: 9, json: false }, io),
    ],
    [
      `${root} is a folder, and a backup is a file; --to-timestamp and --to-offset take an AOF`,
      (io) => restoreTool({ ...restore, from: root, to: join(root, 'new') }, io),
    ],
    [
      'the host no..host is not known',
      (io) =>
        backupTool(
          { ...backup, file: join(root, 'x'), host: 'no..host', port: 1, json: false },
          io,
        ),
    ],
    [
      `cannot read /dev/zero: ${NO_REGULAR_FILE}`,
      (io) => checkRdbTool({ file: '/dev/zero', json: false }, io),
    ],
    [
      `cannot check /dev/zero: ${NO_REGULAR_FILE}`,
      (io) => checkAofTool({ ...check, file: '/dev/zero' }, io),
    ],
    [
      `/dev/zero: ${NO_REGULAR_FILE}`,
      (io) => diffTool({ ...request, a: DUMP, b: '/dev/zero', ignoreTtl: false }, io),
    ],
    [
      `/dev/zero: ${NO_REGULAR_FILE}`,
      (io) => restoreTool({ ...restore, from: '/dev/zero', to: join(root, 'new') }, io),
    ],
  ])('%s', async (sentence, tool) => {
    const { code, err, out } = await outcomeOf(tool);
    expect(code).toBeGreaterThan(0);
    expect(err).toBe(`cairn: ${sentence}\n`);
    expect(out).not.toContain('only in');
  });
});

it('trouble with an export to standard output is JSON on standard error, if wanted', async () => {
  const { code, err } = await exporting(join(root, 'none'), undefined);
  expect([code, JSON.parse(err)]).toEqual([
    2,
    { ok: false, error: expect.stringMatching(/: No such file or directory$/) },
  ]);
});

describe('a signal', () => {
  /** Enough keys that there is a rest between them. */
  const keys = Array.from({ length: 500 }, (_, i) => [0, text(`key:${i}`), text('value')]).flat();
  const dump = join(root, 'many.rdb');
  writeFileSync(dump, rdbOf('REDIS0010', ...keys, 0xff));
  const interrupt = (): void => {
    process.emit('SIGINT', 'SIGINT');
  };

  it('ends a tool that writes, and the old file stands alone', async () => {
    const here = folder('interrupted');
    const target = join(here, 'file');
    for (const run of [exporting, converting]) {
      writeFileSync(target, 'old');
      const { code, err, out } = await run(dump, target, interrupt);
      expect([code, JSON.parse(out).ok]).toEqual([2, false]);
      expect(err).toMatch(/given up at SIGINT/);
      expect([readdirSync(here), readFileSync(target, 'utf8')]).toEqual([['file'], 'old']);
      expect((await run(dump, target)).code).toBe(0);
    }
  });

  it('of any kind ends a backup of a server that says nothing', async () => {
    const here = folder('silent');
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      const before = process.listenerCount(name);
      const accepted = once(server, 'connection');
      const done = backingUp(join(here, 'file'), port);
      const [socket] = (await accepted) as [Socket];
      process.emit(name, name);
      const { code, err } = await done;
      expect([code, err]).toEqual([2, 'cairn: the backup was given up\n']);
      expect(process.listenerCount(name)).toBe(before);
      socket.destroy();
    }
    server.close();
    expect(readdirSync(here)).toEqual([]);
  });

  it('is heard by work that never waits for anything but its rests', async () => {
    const endMs = performance.now() + 20_000;
    const work = untilSignalled(async ({ rest }) => {
      setTimeout(interrupt, 1);
      while (performance.now() < endMs) await rest();
    });
    await expect(work).rejects.toThrow(/given up at SIGINT/);
  });

  it('ends a restore, whose folder holds what it held', async () => {
    const here = folder('kept');
    writeFileSync(join(here, 'dump.rdb'), 'old');
    expect((await restoring(dump, here, interrupt)).err).toMatch(/given up at SIGINT/);
    expect(readdirSync(here)).toEqual(['dump.rdb']);
    expect(readFileSync(join(here, 'dump.rdb'), 'utf8')).toBe('old');
    const made = join(root, 'never');
    expect((await restoring(dump, made, interrupt)).code).toBe(2);
    expect(existsSync(made)).toBe(false);
  });
});
