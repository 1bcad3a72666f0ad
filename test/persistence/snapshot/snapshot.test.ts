/** Snapshots through the real child process: files, streams, and everything that can fail. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Keyspace } from '../../../src/core/keyspace.ts';
import {
  type SnapshotRequest,
  type SnapshotRun,
  type SnapshotTarget,
  startSnapshot,
} from '../../../src/persistence/snapshot/snapshot.ts';
import { SnapshotHelper } from '../../../src/persistence/snapshot/snapshot-helper.ts';
import type { StreamTaker } from '../../../src/persistence/snapshot/snapshot-output.ts';
import { practise } from '../../../src/persistence/snapshot/snapshot-practice.ts';
import type { ChildReport } from '../../../src/persistence/snapshot/snapshot-protocol.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import { removeFolder } from '../../support/remove-folder.ts';
import {
  CHILD_SCRIPT,
  contents,
  fileReader,
  latin1,
  loaded,
  makeKeyspace,
  put,
  saved,
  saveOptions,
} from '../rdb/rdb-support.ts';

const folder = mkdtempSync(join(tmpdir(), 'cairn-snapshot-'));
const helper = new SnapshotHelper(CHILD_SCRIPT);
const path = join(folder, 'dump.rdb');

const matching = (text: RegExp) => expect.stringMatching(text);
const temporary = () => readdirSync(folder).filter((name) => name.startsWith('temp-'));

afterAll(() => {
  helper.close();
  removeFolder(folder);
});
beforeEach(() => {
  if (!existsSync(CHILD_SCRIPT)) throw new Error('not built: run `npm run build` first');
  writeFileSync(path, 'the old file');
});
afterEach(() => {
  expect(temporary(), 'temporary files left behind').toEqual([]);
});

function filled(keys = 3000): Keyspace {
  const keyspace = makeKeyspace();
  for (let i = 0; i < keys; i++) put(keyspace, i % 3, `key:${i}`, `value ${i} `.repeat(i % 40));
  put(keyspace, 5, 'large', 'lorem ipsum '.repeat(100_000));
  return keyspace;
}

const content = saveOptions(new FaultyFileSystem());
const toFile: SnapshotTarget = { file: path, incrementalFsync: true };

function begin(keyspace: Keyspace, more: Partial<SnapshotRequest> = {}): SnapshotRun {
  return startSnapshot({ ...content, keyspace, helper, target: toFile, ...more });
}

/** Lets a snapshot run as a server would. */
function drive(run: SnapshotRun): void {
  const slice = (): void => {
    if (run.step(0.5)) setImmediate(slice);
    else run.onRoom(() => setImmediate(slice));
  };
  slice();
}

/** Takes a stream in pieces, which it keeps. */
function takerOf(take: (bytes: Uint8Array) => boolean): StreamTaker {
  return {
    take: (buffer, count) => take(buffer.subarray(0, count)),
    room: () => new Uint8Array(65_536),
  };
}

const failure = (run: SnapshotRun): Promise<{ code: string; message: string }> =>
  run.done.then(
    () => Promise.reject(new Error('the snapshot did not fail')),
    (error: { code: string; message: string }) => error,
  );

it('writes as ever after the child has practised', async () => {
  const fresh = new SnapshotHelper(CHILD_SCRIPT);
  try {
    fresh.warm();
    fresh.ready();
    const { pid } = fresh;
    fresh.practise();
    const keyspace = filled(300);
    const truth = contents(keyspace);
    const run = begin(keyspace, { helper: fresh });
    drive(run);
    await run.done;
    expect(fresh.pid).toBe(pid);
    expect(contents(loaded(fileReader(readFileSync(path))).keyspace)).toEqual(truth);
  } finally {
    fresh.close();
  }
});

it('practises with texts that get smaller', () => {
  const bytes = practise();
  expect(bytes).toBeGreaterThan(100_000);
  expect(bytes).toBeLessThan(1_000_000);
});

describe('a snapshot to a file', () => {
  it('replaces the file by the dataset of its moment, byte for byte what SAVE writes', async () => {
    const keyspace = filled();
    const truth = contents(keyspace);
    const atOnce = saved(keyspace);
    const run = begin(keyspace);
    drive(run);
    put(keyspace, 0, 'later', 'not in it');
    keyspace.flush(1);
    const result = await run.done;
    const file = readFileSync(path);
    expect(contents(loaded(fileReader(file)).keyspace)).toEqual(truth);
    expect(result).toMatchObject({ keys: truth.size, bytes: file.length });
    expect(Math.abs(file.length - atOnce.length)).toBeLessThan(100);
    expect(run.figures).toMatchObject({ keysTotal: truth.size, keysDone: truth.size });
    expect(keyspace.snapshot).toBeNull();
  });

  it('runs again in the same child, for every version, with and without compression', async () => {
    const keyspace = filled(300);
    const truth = contents(keyspace);
    const pids = new Set<number>();
    for (const version of [9, 10, 11] as const) {
      for (const compress of [true, false]) {
        const run = begin(keyspace, { version, compress, checksum: compress });
        pids.add(helper.pid);
        drive(run);
        await run.done;
        const { keyspace: back, load } = loaded(fileReader(readFileSync(path)));
        expect(contents(back)).toEqual(truth);
        expect(load.version).toBe(version);
      }
    }
    expect(pids.size).toBe(1);
  });

  it('waits after each key when told to', async () => {
    const keyspace = makeKeyspace();
    for (let i = 0; i < 5; i++) put(keyspace, i, 'k', 'v');
    const run = begin(keyspace, { keySaveDelayUs: 20_000 });
    const began = performance.now();
    drive(run);
    await run.done;
    expect(performance.now() - began).toBeGreaterThanOrEqual(90);
  });

  it('waits as long for keys that went out because they were about to change', async () => {
    const keyspace = makeKeyspace();
    for (let i = 0; i < 5; i++) put(keyspace, i, 'k', 'v');
    const run = begin(keyspace, { keySaveDelayUs: 20_000 });
    const began = performance.now();
    for (let i = 0; i < 5; i++) put(keyspace, i, 'k', 'w');
    drive(run);
    expect(await run.done).toMatchObject({ keys: 5 });
    expect(performance.now() - began).toBeGreaterThanOrEqual(90);
  });

  it('can leave the keys out', async () => {
    const run = begin(filled(10), { dataset: false, functions: [latin1('#!lua name=x')] });
    drive(run);
    expect(await run.done).toMatchObject({ keys: 0 });
    const { load } = loaded(fileReader(readFileSync(path)));
    expect([load.keys, load.functions.length]).toEqual([0, 1]);
  });

  it('is the only one of its keyspace', async () => {
    const keyspace = filled(10);
    const run = begin(keyspace);
    expect(() => begin(keyspace)).toThrow(/runs already/);
    run.abort();
    await settled();
  });
});

describe('a streamed snapshot', () => {
  it('comes whole, and waits while its receiver holds it back', async () => {
    const keyspace = filled();
    const parts: Uint8Array[] = [];
    let isHeld = false;
    const run = begin(keyspace, {
      target: {
        stream: takerOf((bytes) => {
          expect(isHeld).toBe(false);
          parts.push(bytes);
          isHeld = true;
          setTimeout(() => {
            isHeld = false;
            run.resume();
          }, 1);
          return false;
        }),
      },
    });
    drive(run);
    const { bytes } = await run.done;
    const rdb = Buffer.concat(parts);
    expect(rdb.length).toBe(bytes);
    expect(contents(loaded(fileReader(rdb)).keyspace)).toEqual(contents(keyspace));
    expect(readFileSync(path, 'utf8')).toBe('the old file');
  });

  it('can be given up while it is held back, and the child goes on with the next', async () => {
    const keyspace = filled();
    const run = begin(keyspace, { target: { stream: takerOf(() => false) } });
    drive(run);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const failed = failure(run);
    run.abort();
    expect((await failed).code).toBe('ABORTED');
    const next = begin(keyspace);
    drive(next);
    expect((await next.done).keys).toBe(contents(keyspace).size);
  });
});

describe('a snapshot that fails leaves the old file', () => {
  afterEach(() => expect(readFileSync(path, 'utf8')).toBe('the old file'));

  it('when it is aborted before, while and after it walks', async () => {
    const keyspace = filled();
    for (let slices = 0; slices < 4; slices++) {
      const run = begin(keyspace);
      for (let i = 0; i < slices; i++) run.step(0.2);
      const failed = failure(run);
      run.abort();
      expect(await failed).toMatchObject({ code: 'ABORTED' });
      expect(keyspace.snapshot).toBeNull();
      expect(run.step(1)).toBe(false);
    }
    await settled();
  });

  it('and keeps no memory of a string that it was sending', async () => {
    const keyspace = makeKeyspace();
    put(keyspace, 0, 'large', 'lorem ipsum '.repeat(500_000));
    const run = begin(keyspace);
    run.step(5);
    put(keyspace, 0, 'large', 'small');
    expect(keyspace.arena.freedWhileLentBytes).toBeGreaterThan(0);
    run.abort();
    expect(keyspace.arena.freedWhileLentBytes).toBe(0);
    await settled();
  });

  it('when it is aborted while the child has all of it still to write', async () => {
    const keyspace = makeKeyspace();
    put(keyspace, 0, 'key', 'value');
    const run = begin(keyspace);
    const { pid } = helper;
    await until(() => temporary().length === 1);
    process.kill(pid, 'SIGSTOP');
    while (run.step(1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const failed = failure(run);
    run.abort();
    expect(temporary()).toEqual([]);
    expect((await failed).code).toBe('ABORTED');
    process.kill(pid, 'SIGCONT');
    await until(() => !isAlive(pid) || readFileSync(path, 'utf8') !== 'the old file');
    await settled();
  });

  it('when the child is killed', async () => {
    const keyspace = filled(20_000);
    const run = begin(keyspace);
    for (let i = 0; i < 3; i++) run.step(0.5);
    await new Promise((resolve) => setTimeout(resolve, 30));
    const failed = failure(run);
    process.kill(helper.pid, 'SIGKILL');
    drive(run);
    expect(await failed).toMatchObject({ code: 'CHILD', message: matching(/SIGKILL/) });
    expect(keyspace.snapshot).toBeNull();
    put(keyspace, 0, 'still', 'serving');
  });

  it('when the folder is gone, or the target cannot be replaced', async () => {
    const keyspace = filled(10);
    const gone = begin(keyspace, {
      target: { file: join(folder, 'nowhere', 'dump.rdb'), incrementalFsync: true },
    });
    drive(gone);
    expect(await failure(gone)).toMatchObject({ message: matching(/nowhere/) });
    mkdirSync(join(folder, 'taken', 'in'), { recursive: true });
    const taken = begin(keyspace, {
      target: { file: join(folder, 'taken'), incrementalFsync: false },
    });
    drive(taken);
    expect(await failure(taken)).toMatchObject({ code: matching(/EISDIR|ENOTEMPTY|EEXIST/) });
    await settled();
  });

  it.skipIf(process.getuid?.() === 0)('when the folder may not be written to', async () => {
    chmodSync(folder, 0o555);
    const run = begin(filled(10));
    drive(run);
    const error = await failure(run);
    chmodSync(folder, 0o755);
    expect(error.code).toBe('EACCES');
  });

  it('when there is no space, before a byte is written', async () => {
    const reports: ChildReport[] = [];
    await new Promise<void>((resolve, reject) => {
      helper.begin(
        { path, checksum: true, commands: null, incrementalFsync: true, expectedBytes: 2 ** 60 },
        {
          stream: null,
          gone: (reason) => reject(new Error(reason)),
          report: (what) => {
            reports.push(what);
            if (what.event === 'failed') helper.end();
            if (what.event === 'ended') resolve();
          },
        },
      );
    });
    helper.leave();
    const failed = { event: 'failed', code: 'ENOSPC', reason: matching(/no space/) };
    expect(reports.at(-2)).toMatchObject(failed);
    expect(reports.at(-1)).toMatchObject({ event: 'ended', ok: false, bytes: 0 });
  });
});

describe('the child process', () => {
  it('ends, and removes what it wrote, when its server dies', async () => {
    const other = new SnapshotHelper(CHILD_SCRIPT);
    const run = startSnapshot({ ...content, keyspace: filled(), helper: other, target: toFile });
    run.step(1);
    await until(() => temporary().length > 0);
    const { pid } = other;
    other.close();
    await until(() => !isAlive(pid));
    await until(() => temporary().length === 0);
    run.abort();
  });

  it('that hangs is replaced by the next snapshot', async () => {
    const keyspace = filled(100);
    const run = begin(keyspace);
    const { pid } = helper;
    process.kill(pid, 'SIGSTOP');
    const failed = failure(run);
    run.abort();
    await failed;
    const next = begin(keyspace);
    expect(helper.pid).not.toBe(pid);
    drive(next);
    await next.done;
    expect(contents(loaded(fileReader(readFileSync(path))).keyspace)).toEqual(contents(keyspace));
    await until(() => !isAlive(pid));
  });
});

/**
 * Waits until the child has worked off an aborted snapshot: a new one, to nowhere, comes after it
 * in the same child, or has killed that child.
 */
async function settled(): Promise<void> {
  const next = begin(filled(1), { target: { stream: takerOf(() => true) } });
  drive(next);
  await next.done;
  await until(() => temporary().length === 0);
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 12_000 && !condition(); i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(condition()).toBe(true);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
