/**
 * An AOF folder is for one server. A second one is refused with the number of the first, at its
 * start and while it runs, and changes nothing; nor do tools that write there.
 */
import { execFile } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import { ask, until } from '../support/in-process-scene.ts';
import type { RawClient } from '../support/raw-client.ts';
import { freePort, type ServerOptions, type ServerProcess } from '../support/server-process.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/cairn.js', import.meta.url));

const servers: ServerProcess[] = [];
const clients: RawClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const server of servers.splice(0).reverse()) await server.close();
});

async function started(config: ServerOptions['config']): Promise<ServerProcess> {
  const server = await startCairnServer({
    config: { 'enable-protected-configs': 'yes', ...config },
  });
  servers.push(server);
  return server;
}

async function connected(server: ServerProcess): Promise<RawClient> {
  const client = await server.connect();
  clients.push(client);
  return client;
}

/**
 * A server with an AOF of one key, and a client of it. No fsync is left to run: a process that was
 * killed has its folder until its fsync is over.
 */
async function withAof(): Promise<{ first: ServerProcess; one: RawClient; aof: string }> {
  const first = await started({ appendonly: 'yes', appendfsync: 'always' });
  const one = await connected(first);
  expect(await ask(one, 'SET', 'a', '1')).toBe('OK');
  return { first, one, aof: join(first.dir, 'appendonlydir') };
}

/** All that is in a folder, and when it was changed. */
function contents(folder: string): unknown[] {
  const times = (path: string): bigint => statSync(path, { bigint: true }).mtimeNs;
  const files = readdirSync(folder).map((name) => {
    const path = join(folder, name);
    return [name, times(path), readFileSync(path, 'latin1')];
  });
  return [times(folder), ...files];
}

const heldBy = ({ pid }: ServerProcess, aof: string): string =>
  `the AOF folder ${aof} is held by process ${pid}: two servers would destroy each other's log. ` +
  'Nothing was changed. End that process first, or use another folder';

interface Outcome {
  readonly code: number;
  readonly text: string;
}

/** Runs a program to its end; `text` is what it printed. */
function run(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), text: stdout + stderr });
    });
  });
}

describe('a server that starts on the folder of another', () => {
  it('waits for a while, then ends and has changed nothing', async () => {
    const { first, one, aof } = await withAof();
    // What a start would remove, and what it would cut.
    writeFileSync(join(aof, 'temp-rewriteaof-1.aof'), 'left');
    appendFileSync(join(aof, 'appendonly.aof.1.incr.aof'), '*1\r\n$4\r\nPI');
    const [pidFile, socket] = [join(first.dir, 'pid'), join(first.dir, 'socket')];
    writeFileSync(pidFile, 'of the first');
    writeFileSync(socket, 'of the first');
    const before = contents(aof);
    const second = await started({ appendonly: 'no', pidfile: pidFile, unixsocket: socket });
    await second.stop();
    writeFileSync(pidFile, 'of the first');
    writeFileSync(socket, 'of the first');
    symlinkSync(aof, join(second.dir, 'appendonlydir'));
    const config = { appendonly: 'yes', pidfile: pidFile, unixsocket: socket };
    second.launch({ config });
    expect(await second.waitEnd()).toEqual({ code: 1, signal: null });
    const path = join(second.dir, 'appendonlydir');
    expect(second.logText).toContain(
      `* Waiting for process ${first.pid} to let go of the AOF folder ${path}, 5 s at most\n`,
    );
    expect(second.logText.match(/Waiting for process/g)).toHaveLength(1);
    expect(second.logText.trimEnd().split('\n').at(-1)).toContain(`# ${heldBy(first, path)}`);
    expect(contents(aof)).toEqual(before);
    expect(readFileSync(pidFile, 'utf8')).toBe('of the first');
    expect(readFileSync(socket, 'utf8')).toBe('of the first');
    expect(await ask(one, 'GET', 'a')).toBe('1');
  });

  it('ends at once when it is told to while it waits', async () => {
    const { first } = await withAof();
    const second = await started({ appendonly: 'no' });
    await second.stop();
    second.launch({ config: { appendonly: 'yes', dir: first.dir } });
    await until('it waits', () => second.logText.includes('Waiting for process'));
    expect(await second.stop()).toEqual({ code: 0, signal: null });
    expect(second.logText).not.toContain('is held by');
  });

  it('gets it when that one goes', async () => {
    const { first } = await withAof();
    const second = await started({ appendonly: 'no' });
    await second.stop();
    second.launch({ config: { appendonly: 'yes', dir: first.dir } });
    await until('it waits', () => second.logText.includes('Waiting for process'));
    await first.kill();
    await until('it is ready', () => /Waiting[\s\S]*Ready to accept/.test(second.logText));
    expect(await ask(await connected(second), 'GET', 'a')).toBe('1');
  });
});

it('starts at once after kill -9', async () => {
  const { first } = await withAof();
  for (let i = 0; i < 3; i++) {
    void first.kill();
    await first.waitEnd();
    await first.startAgain();
    const client = await connected(first);
    expect(await ask(client, 'GET', 'a')).toBe('1');
    // Its children, which write snapshots, do not have the folder.
    expect(await ask(client, 'BGREWRITEAOF')).toMatch(/started/);
  }
  expect(first.logText).not.toContain('Waiting for process');
});

describe('a server that runs', () => {
  it('is refused the folder of another, and leaves it as it is', async () => {
    const { first, one, aof } = await withAof();
    const second = await started({});
    const two = await connected(second);
    expect(await ask(two, 'SET', 'b', '2')).toBe('OK');
    expect(await ask(two, 'CONFIG', 'SET', 'dir', first.dir)).toBe('OK');
    const before = contents(aof);
    expect(await ask(two, 'CONFIG', 'SET', 'appendonly', 'yes')).toBe(
      "ERR CONFIG SET failed (possibly related to argument 'appendonly') - " +
        `Unable to turn on AOF: ${heldBy(first, aof)}`,
    );
    expect(await ask(two, 'CONFIG', 'GET', 'appendonly')).toEqual(['appendonly', 'no']);
    expect(await ask(two, 'BGREWRITEAOF')).toBe(
      `ERR Unable to rewrite the AOF: ${heldBy(first, aof)}`,
    );
    expect(contents(aof)).toEqual(before);
    expect(await ask(one, 'MGET', 'a', 'b')).toEqual(['1', null]);

    expect(await ask(one, 'CONFIG', 'SET', 'appendonly', 'no')).toBe('OK');
    expect(await ask(two, 'BGREWRITEAOF')).toBe('Background append only file rewriting started');
    await until('it is done', async () =>
      /aof_rewrite_in_progress:0/.test(String(await ask(two, 'INFO', 'persistence'))),
    );
    expect(await ask(one, 'CONFIG', 'SET', 'appendonly', 'yes')).toBe('OK');
    expect(await ask(two, 'CONFIG', 'SET', 'appendonly', 'yes')).toContain(heldBy(first, aof));
  });

  it('is refused to read it, which may cut a torn end', async () => {
    const first = await started({ 'enable-debug-command': 'yes', appendonly: 'yes' });
    const one = await connected(first);
    await ask(one, 'CONFIG', 'SET', 'appendonly', 'no');
    expect(await ask(one, 'DEBUG', 'LOADAOF')).toBe('OK');
    const second = await started({ dir: first.dir, appendonly: 'yes' });
    expect(await ask(one, 'DEBUG', 'LOADAOF')).toBe(
      'ERR Error trying to load the AOF files, check server logs.',
    );
    expect(first.logText).toContain(
      `# DEBUG LOADAOF: ${heldBy(second, join(first.dir, 'appendonlydir'))}`,
    );
  });

  it('takes the folder of the new dir, and lets the old one go', async () => {
    const { first, one, aof } = await withAof();
    const dir = join(first.dir, 'other');
    mkdirSync(dir);
    await ask(one, 'CONFIG', 'SET', 'appendonly', 'no');
    await ask(one, 'CONFIG', 'SET', 'dir', dir);
    expect(await ask(one, 'CONFIG', 'SET', 'appendonly', 'yes')).toBe('OK');
    const second = await started({ dir: first.dir, appendonly: 'yes' });
    expect(second.logText).not.toContain('Waiting for process');
    const two = await connected(second);
    expect(await ask(two, 'GET', 'a')).toBe('1');
    await ask(one, 'CONFIG', 'SET', 'appendonly', 'no');
    await ask(one, 'CONFIG', 'SET', 'dir', first.dir);
    expect(await ask(one, 'CONFIG', 'SET', 'appendonly', 'yes')).toContain(heldBy(second, aof));
  });
});

it('keeps tools from it that would write there, and lets them when it has gone', async () => {
  const { first, one, aof } = await withAof();
  const { pid } = first;
  await ask(one, 'SAVE');
  const dump = join(first.dir, 'dump.rdb');
  const manifest = join(aof, 'appendonly.aof.manifest');
  appendFileSync(join(aof, 'appendonly.aof.1.incr.aof'), '*1\r\n$4\r\nPI');
  const tools: string[][] = [
    ['check-aof', '--fix', '--yes', manifest],
    ['check-aof', '--fix', '--yes', join(aof, 'appendonly.aof.1.incr.aof')],
    ['check-aof', '--truncate-to-timestamp', '1700000000', manifest],
    ['restore', '--force', dump, first.dir],
  ];
  const before = contents(aof);
  const names = readdirSync(first.dir);
  for (const args of tools) {
    const { code, text } = await run(PROGRAM, ...args);
    expect(text).toContain(`is held by process ${pid}:`);
    expect(code).toBe(args[0] === 'restore' ? 2 : 1);
  }
  expect(contents(aof)).toEqual(before);
  expect(readdirSync(first.dir)).toEqual(names);
  expect((await run(PROGRAM, 'check-aof', manifest)).text).toContain('Use the --fix option');

  await first.kill();
  const fixed = await run(PROGRAM, ...tools[0]!);
  expect(fixed).toMatchObject({ code: 0, text: expect.stringContaining('Successfully truncated') });
  expect((await run(PROGRAM, ...tools[3]!)).code).toBe(0);
});

it('leaves servers without AOF alone', async () => {
  const first = await started({ appendonly: 'no' });
  const port = await freePort();
  const second = await startCairnServer({ dir: first.dir, port, config: { appendonly: 'no' } });
  servers.push(second);
  expect(await ask(await connected(first), 'SAVE')).toBe('OK');
  expect(await ask(await connected(second), 'SAVE')).toBe('OK');
});
