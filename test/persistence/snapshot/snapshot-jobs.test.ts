/**
 * The jobs of the snapshot's child, as its server sees them: done, given up, failed, or cut short
 * with the server; and how long the one keeps the other.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SnapshotHelper } from '../../../src/persistence/snapshot/snapshot-helper.ts';
import type {
  ChildReport,
  SnapshotJob,
} from '../../../src/persistence/snapshot/snapshot-protocol.ts';
import { removeFolder } from '../../support/remove-folder.ts';
import { CHILD_SCRIPT } from '../rdb/rdb-support.ts';

const folder = mkdtempSync(join(tmpdir(), 'cairn-jobs-'));
const path = join(folder, 'dump.rdb');
const taken = join(folder, 'taken');
mkdirSync(join(taken, 'in'), { recursive: true });

const temporary = () => readdirSync(folder).filter((name) => name.startsWith('temp-'));
const jobTo = (to: string | null): SnapshotJob => ({
  path: to,
  checksum: true,
  commands: null,
  incrementalFsync: false,
  expectedBytes: 0,
});

let helper: SnapshotHelper;
let server: ChildProcessWithoutNullStreams | undefined;
beforeEach(() => {
  helper = new SnapshotHelper(CHILD_SCRIPT);
  rmSync(path, { force: true });
});
afterEach(() => {
  helper.close();
  server?.kill('SIGKILL');
  server = undefined;
});
afterAll(() => removeFolder(folder));

/** A frame of so many bytes, written as they are. */
function rawFrame(length: number): Buffer {
  const frame = Buffer.alloc(5 + length, 120).fill(0, 0, 5);
  frame.writeUInt32LE(length, 1);
  return frame;
}

/** Begins a job, and hears of its end. */
function begin(
  to: string | null,
  hears: (what: ChildReport) => void = () => {},
  job = jobTo(to),
): Promise<void> {
  return new Promise((resolve, reject) => {
    const report = (what: ChildReport): void => {
      hears(what);
      if (what.event === 'ended') resolve();
    };
    const stream = to === null ? { take: () => true, room: () => new Uint8Array(65_536) } : null;
    helper.begin(job, { stream, report, gone: (reason) => reject(new Error(reason)) });
  });
}

/** What the system says of a process, from its state on. */
function statOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
}

/** Starts a server that does no more than this with its `helper`. */
function serverThat(text: string): ChildProcessWithoutNullStreams {
  const program = pathToFileURL(CHILD_SCRIPT.replace('-child.js', '-helper.js')).href;
  const whole = `const { SnapshotHelper } = await import('${program}');
    const helper = new SnapshotHelper();
    helper.warm();
    helper.ready();
    const rawFrame = (length) => {
      const frame = Buffer.alloc(5 + length, 120).fill(0, 0, 5);
      frame.writeUInt32LE(length, 1);
      return frame;
    };
    const begin = (report) => {
      helper.begin(${JSON.stringify(jobTo(path))}, { stream: null, report, gone: console.log });
    };
    ${text}`;
  server = spawn(process.execPath, ['--input-type=module', '-e', whole]);
  return server;
}

/** What a server says until it ends by itself. */
async function saidBy(running: ChildProcessWithoutNullStreams): Promise<string> {
  let said = '';
  running.stdout.on('data', (text: Buffer) => {
    said += String(text);
  });
  running.stderr.on('data', (text: Buffer) => {
    said += String(text);
  });
  // Only then all of it is read.
  const [code] = await once(running, 'close');
  expect(code).toBe(0);
  return said;
}

describe('a server that has nothing else to do', () => {
  it('lives until its job has ended, and then no longer', async () => {
    const running = serverThat(`
      begin((what) => {
        if (what.event !== 'ended') return;
        console.log(JSON.stringify(what));
        helper.leave();
      });
      helper.practise();
      helper.data(rawFrame(100), () => helper.end());`);
    const bytes = 108;
    expect(JSON.parse(await saidBy(running))).toEqual({ event: 'ended', ok: true, bytes });
    expect(statSync(path).size).toBe(bytes);
  });

  it('does not live for a job that it has given up', async () => {
    const running = serverThat(`begin(() => {});
      helper.data(rawFrame(100), () => helper.leave());`);
    expect(await saidBy(running)).toBe('');
    expect(temporary()).toEqual([]);
  });

  it('does not live for a stream that it held back and has given up', async () => {
    const running = serverThat(`
      const take = () => {
        setImmediate(() => helper.leave());
        return false;
      };
      const stream = { take, room: () => new Uint8Array(65_536) };
      const job = ${JSON.stringify(jobTo(null))};
      helper.begin(job, { stream, report: () => {}, gone: console.log });
      for (let i = 0; i < 40; i++) helper.data(rawFrame(100_000), () => {});`);
    expect(await saidBy(running)).toBe('');
  });

  it('does not live for a child that has practised', async () => {
    expect(await saidBy(serverThat('helper.practise();'))).toBe('');
  });
});

it('leaves no file when it is killed, though the child has something to tell it then', async () => {
  // The child says each 4 MiB how far it is: here at the end of a text that does not compress, of
  // which the last part waits in the pipe while the server dies.
  const running = serverThat(`begin(() => {});
    const { randomBytes } = await import('node:crypto');
    const text = Buffer.concat([Uint8Array.of(1, 0, 0, 0, 0), randomBytes(300_000)]);
    text.writeUInt32LE(300_000, 1);
    const [first, last] = [text.subarray(0, 250_000), text.subarray(250_000)];
    helper.data(rawFrame(4 * 1024 * 1024 - 100_000), () => {});
    helper.data(first, () => console.log(helper.pid));
    process.stdin.once('data', () => helper.data(last, () => console.log('sent')));`);
  const [line] = await once(running.stdout, 'data');
  const child = Number(String(line));
  expect(temporary()).toHaveLength(1);
  await expect.poll(() => statOf(child)[0]).toBe('S');
  process.kill(child, 'SIGSTOP');
  running.stdin.write('more');
  await once(running.stdout, 'data');
  running.kill('SIGKILL');
  await once(running, 'exit');
  process.kill(child, 'SIGCONT');
  await expect.poll(temporary).toEqual([]);
});

it('leaves no file when it is closed, though its child is not heard of again', async () => {
  begin(path).catch(() => {});
  await expect.poll(temporary).toHaveLength(1);
  const { pid } = helper;
  process.kill(pid, 'SIGSTOP');
  helper.close();
  expect(temporary()).toEqual([]);
  process.kill(pid, 'SIGCONT');
});

describe('a job that is given up', () => {
  it('leaves no file, and its child goes on', async () => {
    const first = begin(path);
    helper.end();
    await first;
    helper.leave();
    const { pid } = helper;
    void begin(path);
    await expect.poll(temporary).toHaveLength(1);
    helper.leave();
    expect(helper.pid).toBe(pid);
    await expect.poll(temporary).toEqual([]);
  });

  it('has its child go on where that has no file to finish, or none any more', async () => {
    void begin(null);
    const { pid } = helper;
    helper.end();
    helper.leave();
    expect(helper.pid).toBe(pid);
    helper.close();
    helper = new SnapshotHelper(CHILD_SCRIPT);
    const codes: string[] = [];
    const failed = begin(taken, (what) => {
      if (what.event !== 'failed') return;
      codes.push(what.code);
      helper.leave();
    });
    const other = helper.pid;
    helper.end();
    await expect.poll(() => codes).toHaveLength(1);
    expect(helper.pid).toBe(other);
    void failed;
  });
});

it('whose child dies is not told that what it gave last was sent', async () => {
  const ended = begin(path);
  await expect.poll(temporary).toHaveLength(1);
  const { pid } = helper;
  process.kill(pid, 'SIGSTOP');
  await expect.poll(() => statOf(pid)[0]).toBe('T');
  let sent = 0;
  const isSent = (): number => sent++;
  // More than the pipe takes.
  for (let i = 0; i < 8; i++) helper.data(rawFrame(1 << 20), isSent);
  process.kill(pid, 'SIGKILL');
  await expect(ended).rejects.toThrow('SIGKILL');
  helper.data(rawFrame(1), isSent);
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
  expect(sent).toBe(0);
});

describe('a child', () => {
  it('says about every four mebibytes how far it is', async () => {
    const heard: number[] = [];
    const ended = begin(path, (what) => {
      if (what.event === 'progress') heard.push(what.bytes >>> 22);
    });
    for (let i = 0; i < 13; i++) {
      await new Promise<void>((sent) => helper.data(rawFrame(1 << 20), sent));
    }
    helper.end();
    await ended;
    expect(heard).toEqual([1, 2, 3]);
  });

  it.each([
    ['on the way as well', true],
    ['at its end', false],
  ])('brings what it writes to the disk %s', async (_when, incrementalFsync) => {
    const marks = join(folder, `syncs-${incrementalFsync}`);
    const script = join(folder, `marking-${incrementalFsync}.mjs`);
    writeFileSync(marks, '');
    writeFileSync(
      script,
      `import fs from 'node:fs';
      import { syncBuiltinESMExports } from 'node:module';
      const { fdatasync } = fs;
      fs.fdatasync = (...args) => {
        fs.appendFileSync(${JSON.stringify(marks)}, '.');
        fdatasync(...args);
      };
      syncBuiltinESMExports();
      await import(${JSON.stringify(pathToFileURL(CHILD_SCRIPT).href)});`,
    );
    helper = new SnapshotHelper(script);
    const ended = begin(path, () => {}, { ...jobTo(path), incrementalFsync });
    for (let i = 0; i < 13; i++) {
      await new Promise<void>((sent) => helper.data(rawFrame(1 << 20), sent));
    }
    helper.end();
    await ended;
    expect(readFileSync(marks, 'utf8').length >= 2).toBe(incrementalFsync);
  });

  it('is of a group of its own, and takes no options that are meant for its server', async () => {
    const before = process.env.NODE_OPTIONS;
    process.env.NODE_OPTIONS = '--require=/nowhere/at-all.cjs';
    const ended = begin(path);
    if (before === undefined) delete process.env.NODE_OPTIONS;
    else process.env.NODE_OPTIONS = before;
    helper.end();
    await ended;
    const [, , group] = statOf(helper.pid);
    expect(Number(group)).toBe(helper.pid);
  });

  it('stands back where it and its server both want a core', async () => {
    const ended = begin(path);
    helper.end();
    await ended;
    expect(getPriority(helper.pid)).toBeGreaterThan(0);
  });

  it('is understood when its words come in pieces', async () => {
    const script = join(folder, 'child.mjs');
    writeFileSync(
      script,
      `import { writeSync } from 'node:fs';
      const said = '{"event":"ready"}\\n{"event":"progress","bytes":7}\\n' +
        '{"event":"ended","ok":true,"bytes":9}\\n';
      let at = 0;
      const speak = () => {
        writeSync(3, said.slice(at, at + 5));
        at += 5;
        if (at < said.length) setTimeout(speak, 1);
      };
      speak();
      process.stdin.on('end', () => process.exit()).resume();`,
    );
    helper = new SnapshotHelper(script);
    const heard: ChildReport[] = [];
    await begin(path, (what) => heard.push(what));
    expect(heard).toEqual([
      { event: 'ready' },
      { event: 'progress', bytes: 7 },
      { event: 'ended', ok: true, bytes: 9 },
    ]);
  });
});
