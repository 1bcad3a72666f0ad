/** Dumps and payloads exchanged with a real server, both ways. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Keyspace } from '../../../src/core/keyspace.ts';
import { realFileSystem } from '../../../src/persistence/file-system.ts';
import {
  dumpPayload,
  isSoundPayload,
  PayloadRestorer,
} from '../../../src/persistence/rdb/rdb-dump.ts';
import { saveNow } from '../../../src/persistence/snapshot/snapshot-now.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { findTool, requireRedisServer, startRealServer } from '../../support/real-server.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import {
  contents,
  fileReader,
  latin1,
  loaded,
  makeKeyspace,
  put,
  saveOptions,
} from './rdb-support.ts';

const FAR_MS = 4_000_000_000_000;
const noise = Buffer.alloc(100_000);
for (let i = 0; i < noise.length; i++) noise[i] = (Math.imul(i, 2_654_435_761) >>> 11) & 0xff;

/** Database, key, value, and ms when it expires (-1: never). */
const ENTRIES: readonly (readonly [number, string, string, number])[] = [
  ...['0', '-1', '127', '128', '-129', '32767', '-32769', '2147483647', '2147483648'].map(
    (n) => [0, `int ${n}`, n, -1] as const,
  ),
  [0, 'wide', '9223372036854775807', -1],
  [0, 'past', '9223372036854775808', -1],
  [0, 'zeroes', '007', -1],
  [0, '', 'an empty key', -1],
  [0, '12345', 'a key of digits', FAR_MS],
  [0, 'empty', '', -1],
  [0, 'twenty bytes exactly', 'a'.repeat(20), -1],
  [0, 'twenty-one', 'a'.repeat(21), -1],
  [0, 'long key '.repeat(20), 'abc'.repeat(1000), FAR_MS + 7],
  [3, 'noise', noise.toString('latin1'), -1],
  [3, 'text', 'lorem ipsum dolor '.repeat(20_000), FAR_MS],
  [15, 'bytes', Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString('latin1'), -1],
];

function filled(): Keyspace {
  const keyspace = makeKeyspace();
  for (const [db, key, value, atMs] of ENTRIES) put(keyspace, db, key, value, atMs);
  return keyspace;
}

describe.skipIf(requireRedisServer() === null)('a real server', () => {
  let server: ServerProcess;
  let client: RawClient;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cairn-rdb-'));
    server = await startRealServer({ config: { 'enable-debug-command': 'yes' } });
    client = await server.connect();
  });
  afterAll(async () => {
    client?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function ask(...args: (string | number | Buffer)[]): Promise<unknown> {
    return (await client.send(...args)).value;
  }

  async function fill(): Promise<void> {
    await ask('FLUSHALL');
    for (const [db, key, value, atMs] of ENTRIES) {
      await ask('SELECT', db);
      await ask('SET', key, latin1(value), ...(atMs < 0 ? [] : ['PXAT', atMs]));
    }
  }

  it('loads what is saved, whatever the version it may know, and finds the same data', async () => {
    await fill();
    const digest = await ask('DEBUG', 'DIGEST');
    for (const version of [9, 10] as const) {
      for (const compress of [true, false]) {
        const path = join(server.dir, 'dump.rdb');
        saveNow(filled(), { ...saveOptions(realFileSystem), path, version, compress });
        await ask('FLUSHALL');
        expect(await ask('DEBUG', 'RELOAD', 'NOSAVE')).toBe('OK');
        expect(await ask('DEBUG', 'DIGEST')).toEqual(digest);
        await ask('SELECT', 0);
        expect(await ask('PEXPIRETIME', '12345')).toBe(FAR_MS);
      }
    }
  });

  it('saves what is loaded here, compressed or not', async () => {
    const own = contents(filled());
    for (const compress of ['yes', 'no']) {
      await fill();
      await ask('CONFIG', 'SET', 'rdbcompression', compress);
      expect(await ask('SAVE')).toBe('OK');
      const { keyspace, load } = loaded(fileReader(readFileSync(join(server.dir, 'dump.rdb'))));
      expect(contents(keyspace)).toEqual(own);
      expect(load.aux.get('redis-bits')).toBe('64');
      expect(load.version).toBe(10);
    }
    await ask('CONFIG', 'SET', 'rdbcompression', 'yes');
  });

  it('writes the same bytes where nothing is compressed', async () => {
    await ask('CONFIG', 'SET', 'rdbcompression', 'no');
    for (const [db, key, value, atMs] of ENTRIES) {
      await ask('FLUSHALL');
      await ask('SELECT', db);
      await ask('SET', key, latin1(value), ...(atMs < 0 ? [] : ['PXAT', atMs]));
      await ask('SAVE');
      const theirs = readFileSync(join(server.dir, 'dump.rdb'));
      const keyspace = makeKeyspace();
      put(keyspace, db, key, value, atMs);
      const aux = Object.fromEntries(loaded(fileReader(theirs)).load.aux);
      const path = join(folder, 'own.rdb');
      saveNow(keyspace, { ...saveOptions(realFileSystem), path, compress: false, aux });
      expect(readFileSync(path).equals(theirs), key).toBe(true);
    }
    await ask('CONFIG', 'SET', 'rdbcompression', 'yes');
  });

  it('writes and reads the use of keys alike', async () => {
    await ask('FLUSHALL');
    await ask('SELECT', 0);
    // Counters that do not decay: the minute may change at any time.
    await ask('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu', 'lfu-decay-time', '0');
    await ask('SET', 'k', 'v');
    await ask('SAVE');
    const keyspace = makeKeyspace();
    keyspace.lfu = true;
    loaded(fileReader(readFileSync(join(server.dir, 'dump.rdb'))), { keyspace, usage: 'lfu' });
    expect(keyspace.usageOf(keyspace.peek(keyspace.databases[0]!, latin1('k'), 0, 1)) & 255).toBe(
      5,
    );
    const path = join(server.dir, 'dump.rdb');
    saveNow(keyspace, { ...saveOptions(realFileSystem), path, usage: 'lfu' });
    expect(await ask('DEBUG', 'RELOAD', 'NOSAVE')).toBe('OK');
    expect(await ask('OBJECT', 'FREQ', 'k')).toBe(5);
    await ask('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    keyspace.lfu = false;
    const address = keyspace.peek(keyspace.databases[0]!, latin1('k'), 0, 1);
    keyspace.setUsage(address, keyspace.lruClock - 100_000);
    saveNow(keyspace, { ...saveOptions(realFileSystem), path, usage: 'lru' });
    expect(await ask('DEBUG', 'RELOAD', 'NOSAVE')).toBe('OK');
    expect(await ask('OBJECT', 'IDLETIME', 'k')).toBeGreaterThanOrEqual(100_000);
    await ask('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  });

  it('gives and takes the same payloads of DUMP', async () => {
    await fill();
    await ask('CONFIG', 'SET', 'rdbcompression', 'no');
    const keyspace = filled();
    const back = makeKeyspace();
    for (const [id, key, value] of ENTRIES) {
      const db = keyspace.databases[id]!;
      const bytes = latin1(key);
      const address = keyspace.peek(db, bytes, 0, bytes.length);
      await ask('SELECT', id);
      const theirs = (await ask('DUMP', key)) as string;
      const own = dumpPayload(keyspace, address, 10, false);
      expect(Buffer.from(own).equals(latin1(theirs)), key).toBe(true);
      const packed = Buffer.from(dumpPayload(keyspace, address, 10, true));
      expect(await ask('RESTORE', `copy of ${key}`, 0, packed), key).toBe('OK');
      expect(await ask('GET', `copy of ${key}`)).toBe(value);
      expect(isSoundPayload(packed, 0, packed.length, true)).toBe(true);
      const to = back.databases[id]!;
      const { length } = bytes;
      const restored = new PayloadRestorer(back).restore(
        to,
        bytes,
        0,
        length,
        packed,
        0,
        packed.length,
      );
      expect(restored).toBeTypeOf('number');
    }
    const expected = [...contents(keyspace)].map(([key, text]) => [
      key,
      text.replace(/^(\S+) \d+ /, '$1 -1 '),
    ]);
    expect([...contents(back)].sort()).toEqual(expected.sort());
    await ask('CONFIG', 'SET', 'rdbcompression', 'yes');
  });

  it('compresses what it compresses, and nothing that gains it less', async () => {
    const keyspace = makeKeyspace();
    let compressed = 0;
    let plain = 0;
    for (let first = 13; first < 34; first++) {
      for (let again = 3; again < 12; again++) {
        for (let behind = 0; behind < 4; behind++) {
          const parts = [noise.subarray(0, first), noise.subarray(1, 1 + again)];
          const value = Buffer.concat([...parts, noise.subarray(500, 500 + behind)]);
          await ask('SET', 'k', value);
          const own = dumpPayload(keyspace, put(keyspace, 0, 'k', value), 10, true);
          if (own[1] === 0xc3) compressed++;
          else plain++;
          const name = `${first} and ${again} and ${behind}`;
          expect(Buffer.from(own).equals(latin1((await ask('DUMP', 'k')) as string)), name).toBe(
            true,
          );
        }
      }
    }
    expect(Math.min(compressed, plain)).toBeGreaterThan(100);
  });

  it('and its checker find the dumps in order', () => {
    const tool = findTool('redis-check-rdb');
    if (tool === null) return;
    for (const version of [9, 10] as const) {
      for (const checksum of [true, false]) {
        const path = join(folder, 'checked.rdb');
        const functions = [latin1('#!lua name=x\nredis.register_function("f", function() end)')];
        saveNow(filled(), { ...saveOptions(realFileSystem), path, version, checksum, functions });
        const text = execFileSync(tool, [path], { encoding: 'utf8' });
        expect(text).toMatch(/RDB looks OK/);
        expect(text).toContain(`[info] ${ENTRIES.length} keys read`);
        expect(text).toMatch(checksum ? /Checksum OK/ : /checksum disabled/);
      }
    }
    writeFileSync(join(folder, 'checked.rdb'), '');
  });
});

describe('a payload', () => {
  const keyspace = filled();
  const db = keyspace.databases[0]!;
  const key = latin1('twenty-one');
  const address = keyspace.peek(db, key, 0, key.length);
  const payload = dumpPayload(keyspace, address, 10, true);
  const fresh = latin1('fresh');

  it('is not sound when it is short, too new, or any byte is changed', () => {
    expect(isSoundPayload(payload, 0, payload.length, true)).toBe(true);
    for (let at = 0; at < payload.length; at++) {
      const changed = payload.slice();
      changed[at]! ^= 0x10;
      expect(isSoundPayload(changed, 0, changed.length, true), `byte ${at}`).toBe(false);
      expect(isSoundPayload(payload, 0, at, true)).toBe(false);
    }
    const newer = dumpPayload(keyspace, address, 10, true).slice();
    newer[newer.length - 10] = 13;
    expect(isSoundPayload(newer, 0, newer.length, false)).toBe(false);
    expect(isSoundPayload(payload.slice(0, 9), 0, 9, false)).toBe(false);
  });

  it('of a damaged value is refused with its place, and stores nothing', () => {
    for (let at = 0; at < payload.length - 10; at++) {
      for (const change of [1, 0x40, 0x80, 0xff]) {
        const changed = payload.slice();
        changed[at]! ^= change;
        const to = makeKeyspace();
        const { length } = changed;
        const got = new PayloadRestorer(to).restore(
          to.databases[0]!,
          fresh,
          0,
          5,
          changed,
          0,
          length,
        );
        expect(contents(to).size).toBe(typeof got === 'number' ? 1 : 0);
      }
    }
    const short = new PayloadRestorer(keyspace).restore(db, fresh, 0, 5, payload.slice(-12), 0, 12);
    expect(short).toBeInstanceOf(Error);
  });
});
