/** Who has an AOF folder: one at a time, whatever path leads there, and for as long as it lives. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderHeldError, SocketHold } from '../../../src/persistence/aof/folder-hold.ts';

const BUILT = fileURLToPath(
  new URL('../../../dist/persistence/aof/folder-hold.js', import.meta.url),
);

let root: string;
let folder: string;
let holds: SocketHold[];
let warned: string[];
let children: ChildProcess[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cairn-hold-'));
  folder = join(root, 'aof');
  mkdirSync(folder);
  holds = [];
  warned = [];
  children = [];
});

afterEach(() => {
  for (const hold of holds) hold.letGo();
  for (const child of children) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
  expect(warned).toEqual([]);
});

function made(): SocketHold {
  const hold = new SocketHold((text) => warned.push(text));
  holds.push(hold);
  return hold;
}

/** A process that takes the folder, says so, and then does what `then` says. */
async function otherProcess(then: string): Promise<ChildProcess> {
  const text =
    `const { SocketHold } = await import(${JSON.stringify(BUILT)});` +
    `await new SocketHold(console.error).take(${JSON.stringify(folder)});` +
    `console.log('taken'); ${then}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child.stdout!, 'data');
  return child;
}

/** Names of the sockets that are held, as the kernel shows them. */
const names = (): string[] =>
  [...readFileSync('/proc/net/unix', 'latin1').matchAll(/@cairn-aof.*/g)].map(([name]) => name);

describe('a folder', () => {
  it('is for one, who is named to the next with what to do', async () => {
    await made().take(folder);
    const refused = made().take(folder);
    await expect(refused).rejects.toBeInstanceOf(FolderHeldError);
    await expect(refused).rejects.toMatchObject({
      path: folder,
      pid: process.pid,
      message:
        `the AOF folder ${folder} is held by process ${process.pid} (the number of this one): ` +
        "two servers would destroy each other's log. Nothing was changed. End that process " +
        'first, or use another folder',
    });
  });

  it('is the same along a symbolic link, and free when it is let go', async () => {
    const link = join(root, 'link');
    symlinkSync(folder, link);
    const first = made();
    const second = made();
    await first.take(link);
    await first.take(folder);
    await expect(second.take(folder)).rejects.toBeInstanceOf(FolderHeldError);
    first.letGo();
    first.letGo();
    await second.take(folder);
    await expect(first.take(link)).rejects.toBeInstanceOf(FolderHeldError);
  });

  it('stays held while another one cannot be had, and is let go for one that can', async () => {
    const [other, third] = [join(root, 'other'), join(root, 'third')];
    mkdirSync(other);
    mkdirSync(third);
    const first = made();
    const second = made();
    await first.take(folder);
    await second.take(other);
    await expect(first.take(other)).rejects.toBeInstanceOf(FolderHeldError);
    await expect(second.take(folder)).rejects.toBeInstanceOf(FolderHeldError);
    await first.take(third);
    await second.take(folder);
  });

  it('that is deleted gives its name to no other one', async () => {
    await made().take(folder);
    rmdirSync(folder);
    for (let i = 0; i < 20; i++) {
      const other = join(root, String(i));
      mkdirSync(other);
      await expect(made().take(other)).resolves.toBeUndefined();
    }
  });

  it('has a name of full length, which every version of Node gives as it is', async () => {
    const before = new Set(names());
    await made().take(folder);
    const added = names().filter((name) => !before.has(name));
    expect(added.some((name) => /^@cairn-aof:\d+:\d+:\.+$/.test(name))).toBe(true);
    for (const name of added) expect(name).toHaveLength(108);
  });

  it('cannot be taken when it is not there, and nothing is held by that', async () => {
    const hold = made();
    await expect(hold.take(join(root, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
    await hold.take(folder);
  });
});

describe('a process', () => {
  it('that is killed has let its folder go', async () => {
    const child = await otherProcess('setInterval(() => {}, 1000);');
    await expect(made().take(folder)).rejects.toMatchObject({ pid: child.pid });
    child.kill('SIGKILL');
    await once(child, 'exit');
    await made().take(folder);
  });

  it('that does nothing else ends', async () => {
    const child = await otherProcess('');
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(0);
    await made().take(folder);
  });

  it('that answers nobody has it all the same', async () => {
    const child = await otherProcess('setInterval(() => {}, 1000);');
    child.kill('SIGSTOP');
    await expect(made().take(folder)).rejects.toMatchObject({
      pid: undefined,
      message: expect.stringContaining('held by another process, which does not say its number'),
    });
  });

  it('leaves it to none of its children', async () => {
    const hold = made();
    await hold.take(folder);
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    children.push(child);
    await once(child, 'spawn');
    hold.letGo();
    await expect(made().take(folder)).resolves.toBeUndefined();
  });

  it('tells its number to many at once, and to those who leave before', async () => {
    const { dev, ino } = statSync(folder, { bigint: true });
    await made().take(folder);
    const name = names().find((one) => one.startsWith(`@cairn-aof:${dev}:${ino}:`))!;
    expect(name).toBeDefined();
    for (let i = 0; i < 50; i++) {
      connect({ path: `\0${name.slice(1)}` })
        .on('error', () => undefined)
        .destroy();
    }
    const refusals = await Promise.allSettled(
      Array.from({ length: 50 }, () => made().take(folder)),
    );
    for (const one of refusals) expect(one).toMatchObject({ reason: { pid: process.pid } });
  });
});
