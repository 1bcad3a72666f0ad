/**
 * AOF files and LZF streams between this code and a real Redis 7: its server and its checker read
 * what is written here, and what its server writes is read here.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lzfCompress } from '../../../src/core/struct/lzf.ts';
import { Aof } from '../../../src/persistence/aof/aof.ts';
import { AofFolder } from '../../../src/persistence/aof/aof-folder.ts';
import { encodeFrameHead } from '../../../src/persistence/aof/aof-frame.ts';
import { Crc64 } from '../../../src/persistence/crc64.ts';
import { realFileSystem } from '../../../src/persistence/file-system.ts';
import { checkAof } from '../../../src/persistence/tools/check-aof.ts';
import { command, emptyRdb, load, turn } from '../../support/aof-samples.ts';
import { findTool, requireRedisServer, startRealServer } from '../../support/real-server.ts';
import { removeFolder } from '../../support/remove-folder.ts';
import type { ServerProcess } from '../../support/server-process.ts';

const checker = findTool('redis-check-aof');
const CONFIG = {
  appendonly: 'yes',
  appenddirname: 'aofs',
  appendfilename: 'a',
  appendfsync: 'no',
  'aof-use-rdb-preamble': 'no',
};

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cairn-aof-'));
});
afterEach(() => {
  removeFolder(dir);
});

const place = () => ({ dir, appendDirName: 'aofs', appendFilename: 'a' });
const inFolder = (name: string) => join(dir, 'aofs', name);
const loadHere = () => load(realFileSystem, {}, place());

async function openHere(timestamps = true): Promise<Aof> {
  const folder = new AofFolder(realFileSystem, place(), null);
  await folder.read();
  const aof = new Aof(folder, {
    policy: 'everysec',
    checksum: true,
    timestamps,
    rewritePercentage: 0,
    rewriteMinSizeBytes: 0,
    keepHistory: false,
    nowMs: () => performance.now(),
    unixSeconds: () => Date.now() / 1000,
    log: () => undefined,
    onProgress: () => undefined,
    giveBack: () => undefined,
    waitingReplies: () => 0,
    onErrorChange: () => undefined,
    onFatal: () => undefined,
  });
  await aof.open(async (path) => {
    writeFileSync(path, emptyRdb());
    return 'rdb';
  });
  return aof;
}

/** Begins a rewrite, as soon as the file that the last one left behind is safe. */
async function beginRewrite(aof: Aof): Promise<void> {
  for (;;) {
    await aof.prepareRewrite(0);
    if (aof.beginRewrite()) return;
    await new Promise((done) => setTimeout(done, 5));
  }
}

function append(aof: Aof, ...commands: Buffer[]): void {
  const bytes = Buffer.concat(commands);
  aof.append(bytes, 0, bytes.length);
}

async function withServer<T>(work: (server: ServerProcess) => Promise<T>): Promise<T> {
  const server = await startRealServer({ dir, config: CONFIG });
  try {
    return await work(server);
  } finally {
    await server.stop();
    await server.close();
  }
}

async function ask(server: ServerProcess, ...words: string[]): Promise<unknown> {
  const client = await server.connect();
  try {
    return (await client.send(...words)).value;
  } finally {
    client.close();
  }
}

const redis = requireRedisServer();
describe.skipIf(redis === null)('a real server', () => {
  it('loads what is written here, before and after a rewrite, and goes on with it', async () => {
    const aof = await openHere();
    append(aof, command('SELECT', '0'), command('SET', 'a', '1'), command('SET', 'b', 'x'));
    append(aof, command('MULTI'), command('INCR', 'a'), command('INCR', 'a'), command('EXEC'));
    append(aof, command('SET', 'big', 'z'.repeat(300_000)), command('SET', 'bin', '\r\n#*$\0'));
    await beginRewrite(aof);
    append(aof, command('SELECT', '0'), command('RPUSH', 'list', 'x', 'y'));
    const base = aof.folder.temporaryBasePath(1);
    const dataset = [command('SELECT', '0'), command('SET', 'a', '3'), command('SET', 'b', 'x')];
    writeFileSync(base, Buffer.concat([...dataset, command('SET', 'big', 'z')]));
    await aof.finishRewrite(base, 'aof');
    append(aof, command('APPEND', 'b', 'y'));
    await aof.close();

    await withServer(async (server) => {
      expect(await ask(server, 'GET', 'a')).toBe('3');
      expect(await ask(server, 'GET', 'b')).toBe('xy');
      expect(await ask(server, 'LLEN', 'list')).toBe(2);
      expect(await ask(server, 'APPEND', 'b', 'z')).toBe(3);
    });

    const { commands, report } = await loadHere();
    expect(report.frameCount).toBe(2);
    expect(commands.at(-1)).toBe('APPEND b z');
    const again = await openHere();
    append(again, command('SELECT', '0'), command('APPEND', 'b', '!'));
    await again.close();
    await withServer(async (server) => {
      expect(await ask(server, 'GET', 'b')).toBe('xyz!');
    });
  }, 240_000);

  it('writes what is loaded here: transactions, time lines, a rewrite, an RDB base', async () => {
    await withServer(async (server) => {
      await ask(server, 'CONFIG', 'SET', 'aof-timestamp-enabled', 'yes');
      await ask(server, 'SET', 'a', '1');
      await ask(server, 'EVAL', "redis.call('SET','x',1) redis.call('INCR','x')", '0');
      await ask(server, 'SET', 'name with space', '\r\n');
    });
    const { commands } = await loadHere();
    expect(commands).toEqual([
      'SELECT 0',
      'SET a 1',
      'SET x 1',
      'INCR x',
      'SET name with space \r\n',
    ]);
    const manifest = join(dir, 'aofs', 'a.manifest');
    const verdict = await checkAof(realFileSystem, manifest, { readRdb: async () => 0 });
    expect(verdict.isValid).toBe(true);
  }, 240_000);

  it('takes an old single file in, as it is done here', async () => {
    writeFileSync(join(dir, 'a'), command('SET', 'old', '1'));
    expect((await loadHere()).commands).toEqual(['SET old 1']);
    expect(readdirSync(join(dir, 'aofs')).sort()).toEqual(['a', 'a.manifest']);
    const ours = readFileSync(inFolder('a.manifest'), 'latin1');
    rmSync(join(dir, 'aofs'), { recursive: true });
    writeFileSync(join(dir, 'a'), command('SET', 'old', '1'));
    await withServer(async (server) => {
      expect(await ask(server, 'GET', 'old')).toBe('1');
    });
    const theirs = readFileSync(inFolder('a.manifest'), 'latin1');
    expect(theirs).toBe(`${ours}file a.1.incr.aof seq 1 type i\n`);
    expect((await loadHere()).commands[0]).toBe('SET old 1');
  }, 240_000);

  it('writes the manifests that are written here, history too', async () => {
    const BEFORE =
      'file a.4.base.aof seq 4 type b\n' +
      [7, 8, 9].map((n) => `file a.${n}.incr.aof seq ${n} type i\n`).join('');
    const fill = (): void => {
      rmSync(join(dir, 'aofs'), { recursive: true, force: true });
      mkdirSync(join(dir, 'aofs'));
      writeFileSync(inFolder('a.manifest'), BEFORE);
      writeFileSync(inFolder('a.4.base.aof'), command('SELECT', '0'));
      for (const n of [7, 8, 9]) writeFileSync(inFolder(`a.${n}.incr.aof`), '');
    };
    fill();
    const aof = await openHere();
    aof.keepHistory = true;
    const ours: string[] = [];
    for (const n of [1, 2]) {
      await beginRewrite(aof);
      const base = aof.folder.temporaryBasePath(n);
      writeFileSync(base, command('SELECT', '0'));
      await aof.finishRewrite(base, 'aof');
      ours.push(readFileSync(inFolder('a.manifest'), 'latin1'));
    }
    await aof.close();
    fill();
    await withServer(async (server) => {
      await ask(server, 'CONFIG', 'SET', 'aof-disable-auto-gc', 'yes');
      for (const n of [1, 2]) {
        await ask(server, 'BGREWRITEAOF');
        for (let info = ''; !/aof_rewrite_in_progress:0/.test(info); ) {
          await new Promise((done) => setTimeout(done, 20));
          info = String(await ask(server, 'INFO', 'persistence'));
        }
        expect(ours[n - 1]).toBe(readFileSync(inFolder('a.manifest'), 'latin1'));
      }
    });
    expect(ours[1]).toMatch(/^(file \S+ seq \d+ type [bhi]\n){8}$/);
  }, 240_000);

  it('cuts a torn turn at a command, and what it appends is not lost here', async () => {
    const aof = await openHere(false);
    append(aof, command('SELECT', '0'), command('SET', 'a', '1'));
    await aof.close();
    const path = inFolder('a.1.incr.aof');
    const whole = readFileSync(path);
    const torn = turn(Buffer.concat([command('SET', 'b', '1'), command('SET', 'c', '1')]));
    writeFileSync(path, Buffer.concat([whole, torn.subarray(0, torn.length - 3)]));
    await withServer(async (server) => {
      expect(await ask(server, 'GET', 'b')).toBe('1');
      expect(await ask(server, 'GET', 'c')).toBeNull();
      await ask(server, 'SET', 'd', '1');
    });
    // The server kept half of the turn, whose head promises more, and went on behind it.
    const { commands, log } = await loadHere().catch((error: unknown) => {
      expect(String(error)).toMatch(/does not match its checksum.*delete the #CK line/);
      const edited = readFileSync(path, 'latin1');
      const line = edited.lastIndexOf('#CK:');
      writeFileSync(path, edited.slice(0, line) + edited.slice(line + 40), 'latin1');
      return loadHere();
    });
    expect(log).toEqual([]);
    expect(commands).toEqual(['SELECT 0', 'SET a 1', 'SET b 1', 'SELECT 0', 'SET d 1']);
  }, 240_000);

  it('decompresses LZF streams made here', async () => {
    const texts = [
      'a'.repeat(5000),
      'abcdefgh'.repeat(400),
      Array.from({ length: 600 }, (_, i) => `line ${i * i} of it`).join('\n'),
    ];
    await withServer(async (server) => {
      for (const [i, content] of texts.entries()) {
        const payload = restorePayload(Buffer.from(content, 'latin1'));
        const client = await server.connect();
        expect((await client.send('RESTORE', `k${i}`, 0, payload)).value).toBe('OK');
        expect((await client.send('GET', `k${i}`)).value).toBe(content);
        client.close();
      }
    });
  }, 240_000);
});

/** A DUMP payload of an LZF-compressed string. */
function restorePayload(bytes: Buffer): Buffer {
  const packed = Buffer.alloc(bytes.length);
  const length = lzfCompress(bytes, 0, bytes.length, packed, 0, bytes.length - 4);
  expect(length).toBeGreaterThan(0);
  const lengthOf = (n: number) => Buffer.from([0x80, n >>> 24, n >>> 16, n >>> 8, n]);
  const body = Buffer.concat([
    Buffer.from([0, 0xc3]),
    lengthOf(length),
    lengthOf(bytes.length),
    packed.subarray(0, length),
    Buffer.from([10, 0]),
  ]);
  const crc = new Crc64();
  crc.update(body, 0, body.length);
  const trailer = Buffer.alloc(8);
  crc.writeTo(trailer, 0);
  return Buffer.concat([body, trailer]);
}

describe.skipIf(checker === null)('redis-check-aof', () => {
  it('finds files written here valid, and repairs a torn one as it is done here', async () => {
    const aof = await openHere();
    for (let i = 0; i < 50; i++) append(aof, command('SELECT', '0'), command('SET', `${i}`, 'v'));
    await aof.close();
    const manifest = inFolder('a.manifest');
    expect(execFileSync(checker!, [manifest], { encoding: 'latin1' })).toMatch(
      /All AOF files and manifest are valid/,
    );
    const path = inFolder('a.1.incr.aof');
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, bytes.length - 5));
    const ours = await checkAof(realFileSystem, manifest, { readRdb: async () => 18 });
    expect(ours.plan.kind).toBe('cut');
    const run = spawnSync(checker!, ['--fix', manifest], { input: 'y\n', encoding: 'latin1' });
    expect(run.stdout).toMatch(/Successfully truncated AOF/);
    // It leaves the head of the turn, which is voided here; the whole SELECT in it stays.
    const { report } = await loadHere();
    expect([report.commandCount, report.cutBytes]).toEqual([99, 0]);
    expect(readFileSync(path, 'latin1').match(/#CV:/g)).toHaveLength(1);
    expect((await loadHere()).report.commandCount).toBe(99);
  });

  it('agrees on plain files, torn and damaged', async () => {
    mkdirSync(join(dir, 'aofs'));
    const path = inFolder('plain');
    const whole = Buffer.concat([command('SET', 'a', '1'), command('SET', 'b', '22')]);
    const samples = [
      whole,
      ...Array.from({ length: whole.length }, (_, i) => whole.subarray(0, i + 1)),
      Buffer.concat([whole, Buffer.from('nonsense\r\n')]),
      Buffer.concat([command('MULTI'), whole]),
      Buffer.concat([whole, Buffer.from('# note\r\n'), whole]),
      Buffer.concat([whole, Buffer.from('*1\r\n$9\r\nPING\r\n')]),
    ];
    for (const bytes of samples) {
      writeFileSync(path, bytes);
      const run = spawnSync(checker!, [path], { encoding: 'latin1' });
      const verdict = await checkAof(realFileSystem, path, { readRdb: async () => 0 });
      const what = bytes.toString('latin1');
      expect(verdict.isValid, what).toBe(/is valid/.test(run.stdout));
      const theirs = /ok_up_to=(\d+)/.exec(run.stdout)?.[1];
      expect(verdict.files[0]?.report.validBytes, what).toBe(Number(theirs));
    }
  });

  it('cuts at a time as it is done here', async () => {
    mkdirSync(join(dir, 'aofs'));
    const time = (seconds: number) => Buffer.from(`#TS:${seconds}\r\n`);
    const set = (key: string) => command('SET', key, 'v');
    const bytes = Buffer.concat([time(10), set('a'), time(20), set('b'), time(30), set('c')]);
    for (const at of [5, 10, 15, 20, 25, 30, 35]) {
      const path = inFolder(`cut-${at}`);
      writeFileSync(path, bytes);
      const verdict = await checkAof(realFileSystem, path, {
        readRdb: async () => 0,
        truncateToTimestamp: at,
      });
      spawnSync(checker!, ['--truncate-to-timestamp', `${at}`, path], { encoding: 'latin1' });
      const theirs = readFileSync(path).length;
      const { plan } = verdict;
      expect(plan.kind === 'cut' ? plan.keptBytes : bytes.length, `time ${at}`).toBe(theirs);
    }
  });
});

describe('a head', () => {
  it('stays within the line length that a real server reads', () => {
    const head = Buffer.alloc(40);
    encodeFrameHead(head, 0, new Crc64(), 0xffff_ffff);
    expect(head.toString('latin1')).toMatch(/^#CK:[0-9a-f]{16}:ffffffff:[0-9a-f]{8}\r\n$/);
  });
});
