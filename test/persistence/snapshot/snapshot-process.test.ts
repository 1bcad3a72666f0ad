/** The snapshot's child and its reserves: who takes whose place, and that all end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SnapshotRun } from '../../../src/persistence/snapshot/snapshot.ts';
import { SnapshotHelper } from '../../../src/persistence/snapshot/snapshot-helper.ts';
import type { StreamTaker } from '../../../src/persistence/snapshot/snapshot-output.ts';
import { SnapshotProcess } from '../../../src/persistence/snapshot/snapshot-process.ts';
import type { ChildReport } from '../../../src/persistence/snapshot/snapshot-protocol.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import { removeFolder } from '../../support/remove-folder.ts';
import {
  CHILD_SCRIPT,
  contents,
  fileReader,
  loaded,
  makeKeyspace,
  put,
  saveOptions,
} from '../rdb/rdb-support.ts';
import { running } from './snapshot-support.ts';

vi.mock('node:child_process', { spy: true });

const folder = mkdtempSync(join(tmpdir(), 'cairn-reserve-'));
const path = join(folder, 'dump.rdb');
let helper: SnapshotHelper;

beforeEach(() => {
  helper = new SnapshotHelper(CHILD_SCRIPT);
});
afterEach(() => helper.close());
afterAll(() => removeFolder(folder));

/** Saves a few keys, and compares what was saved. */
async function save(): Promise<void> {
  const keyspace = makeKeyspace();
  for (let i = 0; i < 50; i++) put(keyspace, 0, `key:${i}`, `value ${i}`);
  const target = { file: path, incrementalFsync: false };
  await running({ ...saveOptions(new FaultyFileSystem()), keyspace, helper, target }).done;
  expect(contents(loaded(fileReader(readFileSync(path))).keyspace)).toEqual(contents(keyspace));
}

async function killed(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await gone(pid);
}

async function gone(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Names of the pipes that this process has open; Node makes them of sockets. */
function openPipes(): string[] {
  const names = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return names.filter((name) => /^(socket|pipe):/.test(name));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

it('puts a reserve, the same process, in the place of a child that was killed', async () => {
  helper.warm();
  helper.ready();
  const pids = [helper.pid, ...helper.reserves];
  expect(new Set(pids).size).toBe(3);
  for (const pid of pids) {
    expect(helper.pid === pid || helper.pid === 0).toBe(true);
    await save();
    expect(helper.pid).toBe(pid);
    await killed(helper.pid);
    while (helper.pid !== 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(helper.reserves).toEqual([]);
  await save();
  expect(pids).not.toContain(helper.pid);
});

it('saves a dozen times without a warning of node', async () => {
  const warnings: Error[] = [];
  const heard = (warning: Error): number => warnings.push(warning);
  process.on('warning', heard);
  helper.warm();
  helper.ready();
  for (let i = 0; i < 12; i++) await save();
  // Warnings are told in a later turn.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', heard);
  expect(warnings).toEqual([]);
});

it('leaves a pipe alone that is closed', async () => {
  const listener = { taker: () => null, reports: () => {}, gone: () => {} };
  const one = new SnapshotProcess(CHILD_SCRIPT, listener, true);
  const pipes = one.process.stdio.filter((pipe) => pipe instanceof Socket);
  const waiting = (): number[] => pipes.map((pipe) => pipe.listenerCount('connect'));
  const before = waiting();
  one.go();
  // What the shell waited for is closed when it has become node.
  await expect.poll(() => pipes.map((pipe) => pipe.destroyed)).toEqual([false, false, false, true]);
  for (const alive of [true, false, true, false]) one.keepAlive(alive);
  expect(waiting()).toEqual(before);
  one.hangUp();
});

it('has reserves only until it is to be ready', async () => {
  helper.ready();
  expect([helper.pid, helper.reserves.length]).toEqual([0, 0]);
  helper.warm();
  expect([helper.pid, helper.reserves.length]).toEqual([0, 3]);
  const [first] = helper.reserves;
  helper.ready();
  helper.warm();
  helper.ready();
  expect([helper.pid, helper.reserves.length]).toEqual([first, 2]);
  await save();
  expect(helper.pid).toBe(first);
});

it('does without a reserve that was killed', async () => {
  helper.warm();
  helper.ready();
  const [first = 0, second] = helper.reserves;
  await killed(first);
  while (helper.reserves.includes(first)) await new Promise((resolve) => setTimeout(resolve, 5));
  await killed(helper.pid);
  while (helper.pid !== 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await save();
  expect(helper.pid).toBe(second);
});

it('ends them all when it is closed', async () => {
  helper.warm();
  helper.ready();
  const pids = [helper.pid, ...helper.reserves];
  helper.close();
  for (const pid of pids) await gone(pid ?? 0);
  expect(pids.map((pid) => isAlive(pid ?? 0))).toEqual([false, false, false]);
});

it('leaves no process behind when the server is killed', async () => {
  const program = pathToFileURL(CHILD_SCRIPT.replace('-child.js', '-helper.js')).href;
  const text = `const { SnapshotHelper } = await import('${program}');
    const helper = new SnapshotHelper();
    helper.warm();
    helper.ready();
    console.log(JSON.stringify([helper.pid, ...helper.reserves]));
    setInterval(() => {}, 1000);`;
  const server = spawn(process.execPath, ['--input-type=module', '-e', text]);
  const [line] = await once(server.stdout, 'data');
  const pids = JSON.parse(String(line)) as number[];
  expect(pids.map(isAlive)).toEqual([true, true, true]);
  server.kill('SIGKILL');
  for (const pid of pids) await gone(pid);
  expect(pids.map(isAlive)).toEqual([false, false, false]);
});

describe('a stream that was given up', () => {
  const room = (): Uint8Array => new Uint8Array(65_536);

  /** One that is held back at its first piece, by when there is more. */
  async function held(): Promise<SnapshotRun> {
    let run: SnapshotRun | undefined;
    await new Promise<void>((resolve) => {
      const take = (): boolean => {
        resolve();
        return false;
      };
      run = stream({ take, room });
    });
    return run!;
  }

  /** Streams a few keys whose values are as long as pipes are, into a taker. */
  function stream(taker: StreamTaker): SnapshotRun {
    const keyspace = makeKeyspace();
    for (let i = 0; i < 10; i++) put(keyspace, 0, `key:${i}`, `${i}`.repeat(100_000));
    const options = { ...saveOptions(new FaultyFileSystem()), compress: false, keyspace, helper };
    return running({ ...options, target: { stream: taker } });
  }

  it('leaves nothing to the taker of the next', async () => {
    const first = await held();
    first.abort();
    const parts: Buffer[] = [];
    const take = (buffer: Uint8Array, count: number): boolean => {
      parts.push(Buffer.from(buffer.subarray(0, count)));
      return true;
    };
    const { bytes } = await stream({ take, room }).done;
    const rdb = Buffer.concat(parts);
    expect(rdb.length).toBe(bytes);
    expect(loaded(fileReader(rdb)).load.keys).toBe(10);
  });

  it('leaves no pipe open when its child is killed', async () => {
    // By name, as those of an earlier child may be closed only now.
    const before = openPipes();
    const run = await held();
    const own = openPipes().filter((name) => !before.includes(name));
    expect(own.length).toBeGreaterThan(0);
    await killed(helper.pid);
    await expect(run.done).rejects.toMatchObject({ code: 'CHILD' });
    await expect.poll(() => openPipes().filter((name) => own.includes(name))).toEqual([]);
  });
});

describe('a child that cannot be started', () => {
  const job = { path, checksum: true, commands: null, incrementalFsync: true, expectedBytes: 0 };

  /** Why a job that is begun now has no child. */
  function refused(): Promise<unknown> {
    return new Promise((gone) => {
      helper.begin(job, { stream: null, report: () => {}, gone });
    });
  }

  it('is told of, and the next one is tried again', async () => {
    const { execPath } = process;
    process.execPath = '/nowhere/node';
    try {
      expect(await refused()).toMatch(/cannot be started: .*ENOENT/);
    } finally {
      process.execPath = execPath;
    }
    await save();
  });

  it('is told of where there is no memory for one, which node throws', async () => {
    const failure = Object.assign(new Error('spawn ENOMEM'), { code: 'ENOMEM' });
    vi.mocked(spawn).mockImplementationOnce(() => {
      throw failure;
    });
    expect(await refused()).toMatch(/cannot be started: spawn ENOMEM/);
    for (let i = 0; i < 3; i++) {
      vi.mocked(spawn).mockImplementationOnce(() => {
        throw failure;
      });
    }
    helper.warm();
    helper.ready();
    await expect.poll(() => [helper.pid, helper.reserves.length]).toEqual([0, 0]);
    await save();
  });

  it('is not killed, as that would end the group of its server', async () => {
    const program = pathToFileURL(CHILD_SCRIPT.replace('-child.js', '-helper.js')).href;
    const text = `const { SnapshotHelper } = await import('${program}');
      process.execPath = '/nowhere/node';
      const helper = new SnapshotHelper();
      const listener = { stream: null, report: () => {}, gone: () => {} };
      helper.begin(${JSON.stringify(job)}, listener);
      helper.begin(${JSON.stringify(job)}, listener);
      console.log('still there');`;
    const words = ['--input-type=module', '-e', text];
    // Of a group of its own, which is not that of the tests.
    const server = spawn(process.execPath, words, { detached: true });
    const said: string[] = [];
    server.stdout.on('data', (part: Buffer) => said.push(String(part)));
    expect(await once(server, 'close')).toEqual([0, null]);
    expect(said.join('')).toBe('still there\n');
  });

  it('is told of where no descriptor is left for its pipes', async () => {
    const program = pathToFileURL(CHILD_SCRIPT.replace('-child.js', '-helper.js')).href;
    const text = `const { SnapshotHelper } = await import('${program}');
      const { closeSync, openSync } = await import('node:fs');
      const helper = new SnapshotHelper();
      const begin = (report, gone) => {
        helper.begin(${JSON.stringify(job)}, { stream: null, report, gone });
      };
      const open = [];
      try {
        for (;;) open.push(openSync('/dev/null'));
      } catch {}
      helper.warm();
      helper.ready();
      begin(() => {}, (reason) => {
        console.log(reason);
        for (const fd of open) closeSync(fd);
        // The reserves hear a little later that there was none for them either.
        setImmediate(() => {
          begin(({ event }) => {
            if (event !== 'ended') return;
            console.log(event);
            helper.leave();
          }, console.log);
          helper.end();
        });
      });
      helper.end();`;
    const words = [process.execPath, '--input-type=module', '-e', text];
    const server = spawn('/bin/sh', ['-c', 'ulimit -n 60 && exec "$@"', 'sh', ...words]);
    let said = '';
    for (const pipe of [server.stdout, server.stderr]) pipe.on('data', (part) => (said += part));
    // Only then all of it is read.
    await once(server, 'close');
    expect(said).toMatch(/^the child process cannot be started: .*EMFILE\nended\n$/);
  });
});

it('hears nothing of a child that was killed, whatever it had still said', async () => {
  const script = join(folder, 'child.mjs');
  const mark = join(folder, 'said');
  // Says that its job is done as soon as it hears of it: the first one, which leaves a mark.
  writeFileSync(
    script,
    `import { existsSync, writeFileSync, writeSync } from 'node:fs';
    const say = (what) => writeSync(3, JSON.stringify(what) + '\\n');
    const isFirst = !existsSync(${JSON.stringify(mark)});
    say({ event: 'ready' });
    process.stdin.once('data', () => {
      if (!isFirst) return;
      say({ event: 'ended', ok: true, bytes: 1 });
      writeFileSync(${JSON.stringify(mark)}, '');
    });
    process.stdin.on('end', () => process.exit());`,
  );
  const other = new SnapshotHelper(script);
  const job = { path, checksum: true, commands: null, incrementalFsync: true, expectedBytes: 0 };
  const begin = (report: (what: ChildReport) => void): void => {
    other.begin(job, { stream: null, report, gone: () => {} });
  };
  begin(() => {});
  await new Promise((resolve) => setImmediate(resolve));
  // The loop has no turn meanwhile: what the child says waits unread.
  const untilMs = performance.now() + 60_000;
  while (!existsSync(mark)) if (performance.now() > untilMs) throw new Error('no child has begun');
  other.end();
  other.leave();
  const reports: ChildReport[] = [];
  await new Promise<void>((resolve) => {
    begin((what) => {
      reports.push(what);
      resolve();
    });
  });
  other.close();
  expect(reports).toEqual([{ event: 'ready' }]);
});
