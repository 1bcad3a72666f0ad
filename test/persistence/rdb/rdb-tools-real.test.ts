/**
 * The tools for RDB files beside a real server: what it saved is exported, compared and converted,
 * and what comes of that is judged by the server's own digest and checker.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ByteOutput } from '../../../src/persistence/byte-output.ts';
import { CommandWriter } from '../../../src/persistence/command-writer.ts';
import { realFileSystem } from '../../../src/persistence/file-system.ts';
import { RdbCommands } from '../../../src/persistence/rdb/rdb-commands.ts';
import type { RdbWriteVersion } from '../../../src/persistence/rdb/rdb-encoder.ts';
import { RdbReader } from '../../../src/persistence/rdb/rdb-reader.ts';
import { FileSource } from '../../../src/persistence/rdb/rdb-source.ts';
import { RdbWalk } from '../../../src/persistence/rdb/rdb-walk.ts';
import { checkRdbFile } from '../../../src/persistence/tools/check-rdb.ts';
import { convertRdb } from '../../../src/persistence/tools/rdb-convert.ts';
import { diffRdb, type RdbDiffResult } from '../../../src/persistence/tools/rdb-diff.ts';
import { rdbStatistics } from '../../../src/persistence/tools/rdb-statistics.ts';
import { knownMakers, writeDataset } from '../../integration/random-dataset.ts';
import { Random } from '../../support/random.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { findTool, requireRedisServer, startRealServer } from '../../support/real-server.ts';
import type { ServerProcess } from '../../support/server-process.ts';

const DEBUG = { 'enable-debug-command': 'yes' };
const SEED = 4401;
const wants = (): boolean => true;

describe.skipIf(requireRedisServer() === null)(`files of a real server (seed ${SEED})`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-rdb-tools-'));
  const dump = join(folder, 'dump.rdb');
  let source: ServerProcess;
  let client: RawClient;

  beforeAll(async () => {
    source = await startRealServer({ config: DEBUG });
    client = await source.connect();
    await writeDataset(client, new Random(SEED), 300, await knownMakers(client));
    await client.value('SELECT', 0);
    await writeStreams(client);
    await client.value('FUNCTION', 'LOAD', LIBRARY);
    await client.value('SAVE');
    writeFileSync(dump, readFileSync(join(source.dir, 'dump.rdb')));
  });

  afterAll(async () => {
    client?.close();
    await source?.close();
    rmSync(folder, { recursive: true });
  });

  const reader = (path: string): RdbReader =>
    RdbReader.over(new FileSource(realFileSystem.openSync(path, 'read')));

  function diff(a: string, b: string): RdbDiffResult {
    const found = (): void => undefined;
    return diffRdb(
      () => reader(a),
      () => reader(b),
      { wants, ignoreTtl: false, found },
    );
  }

  it('are built again by their commands, through redis-cli --pipe', async () => {
    const target = await startRealServer({ config: DEBUG });
    const parts: Buffer[] = [];
    const out = new ByteOutput((bytes, length) => parts.push(Buffer.from(bytes.slice(0, length))));
    const writer = new CommandWriter((bytes, length) => out.write(bytes, 0, length));
    new RdbWalk(reader(dump), new RdbCommands(writer, {})).run();
    out.flush();
    expect(Buffer.concat(fedCommands(readFileSync(dump))).equals(Buffer.concat(parts))).toBe(true);
    const args = ['-p', String(target.port), '--pipe'];
    const { stdout } = spawnSync(findTool('redis-cli')!, args, { input: Buffer.concat(parts) });
    expect(String(stdout)).toMatch(/errors: 0, replies: \d{3}/);
    const other = await target.connect();
    expect(await other.value('DEBUG', 'DIGEST')).toBe(await client.value('DEBUG', 'DIGEST'));
    for (const key of ['stream', 'emptied']) {
      const facts = await groupFacts(client, key);
      expect(facts.length, key).toBeGreaterThan(0);
      expect(await groupFacts(other, key), key).toEqual(facts);
    }
    expect(await other.value('FUNCTION', 'LIST')).toEqual(await client.value('FUNCTION', 'LIST'));
    await other.value('SAVE');
    expect(diff(dump, join(target.dir, 'dump.rdb'))).toMatchObject({ isSame: true });
    other.close();
    await target.close();
  });

  it('are compared: one element more, one expiry less', async () => {
    const before = diff(dump, dump);
    expect(before).toMatchObject({ isSame: true, onlyInA: 0, values: 0, ttls: 0 });
    await client.value('SADD', 'more', 'x');
    await client.value('XADD', 'stream', '9999-1', 'a', 'b');
    await client.value('SET', 'timed', 'x');
    await client.value('SAVE');
    const after = diff(dump, join(source.dir, 'dump.rdb'));
    const keysB = before.keysA + 1;
    expect(after).toMatchObject({
      isSame: false,
      onlyInA: 0,
      onlyInB: 1,
      values: 1,
      ttls: 1,
      keysB,
    });
  });

  it('are counted as the server counts', async () => {
    const options = { nowMs: Date.now(), wants, top: 5, separator: ':', depth: 1 };
    const found = rdbStatistics(reader(dump), options);
    const keyspace = String(await client.value('INFO', 'keyspace'));
    for (const [db, group] of found.databases) {
      const keys = Number(new RegExp(`db${db}:keys=(\\d+)`).exec(keyspace)?.[1]);
      // The server has got one key since.
      expect(group.keys).toBe(db === '0' ? keys - 1 : keys);
    }
    expect(found.functions).toBe(1);
    expect(found.biggestByFileBytes).toHaveLength(5);
  });

  for (const version of [9, 10, 11] as const) {
    it(`are converted to version ${version}`, async () => {
      const path = join(folder, `v${version}.rdb`);
      const { functionsLeftOut, keys } = await convert(dump, path, version);
      expect(functionsLeftOut).toBe(version === 9 ? 1 : 0);
      expect(keys).toBe(diff(dump, dump).keysA);
      expect(checkRdbFile(realFileSystem, path, Date.now())).toMatchObject({ ok: true, version });
      const found = diff(dump, path);
      // Version 9 does not know what was deleted of streams.
      const isOlder = version === 9;
      expect(found).toMatchObject({ onlyInA: 0, onlyInB: 0, ttls: 0, values: isOlder ? 2 : 0 });
      if (version === 11) return;
      const { status } = spawnSync(findTool('redis-check-rdb')!, [path]);
      expect(status).toBe(0);
      await loadsWithTheSameDigest(path);
    });
  }

  function convert(from: string, path: string, version: RdbWriteVersion) {
    const rest = async (): Promise<void> => undefined;
    return convertRdb(reader(from), { fs: realFileSystem, path, pid: process.pid, version, rest });
  }

  async function loadsWithTheSameDigest(path: string): Promise<void> {
    const digests: unknown[] = [];
    for (const file of [dump, path]) {
      const server = await startRealServer({ config: DEBUG });
      await server.stop();
      writeFileSync(join(server.dir, 'dump.rdb'), readFileSync(file));
      await server.startAgain();
      const one = await server.connect();
      digests.push(await one.value('DEBUG', 'DIGEST'));
      one.close();
      await server.close();
    }
    expect(digests[0]).toMatch(/^(?!0{40})[0-9a-f]{40}$/);
    expect(digests[1]).toBe(digests[0]);
  }
});

/** The commands of an RDB that comes in small pieces. */
function fedCommands(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  const reader = RdbReader.fed();
  const writer = new CommandWriter((part, length) =>
    parts.push(Buffer.from(part.slice(0, length))),
  );
  const walk = new RdbWalk(reader, new RdbCommands(writer, {}), 'all');
  for (let at = 0; at < bytes.length; at += 7) {
    reader.feed(bytes.subarray(at, at + 7));
    walk.resume();
  }
  return parts;
}

const LIBRARY = "#!lua name=lib\nredis.register_function('f', function() return 1 end)";

/** Streams with groups, consumers, what is pending, what was deleted; odd scores; an expiry. */
async function writeStreams(client: RawClient): Promise<void> {
  for (let i = 1; i <= 250; i++) await client.value('XADD', 'stream', `${i}-1`, 'f', `${i}`);
  await client.value('XADD', 'stream', '300-0', 'other', 'fields', 'of', 'it');
  await client.value('XDEL', 'stream', '100-1', '300-0');
  await client.value('XGROUP', 'CREATE', 'stream', 'group', '0');
  for (const consumer of ['alice', 'bob', 'al\0ice']) {
    await client.value(
      ...['XREADGROUP', 'GROUP', 'group', consumer, 'COUNT', 40, 'STREAMS', 'stream', '>'],
    );
  }
  await client.value('XACK', 'stream', 'group', '7-1', '50-1');
  await client.value('XGROUP', 'CREATECONSUMER', 'stream', 'group', 'idle');
  await client.value('XGROUP', 'CREATE', 'stream', 'late', '$', 'ENTRIESREAD', 251);
  await client.value('XADD', 'emptied', '5-5', 'a', 'b');
  await client.value('XDEL', 'emptied', '5-5');
  await client.value('XGROUP', 'CREATE', 'emptied', 'g', '0');
  await client.value('ZADD', 'scores', 'inf', 'a', '-inf', 'b', '3e-310', 'c', '0.1', 'd');
  await client.value('SET', 'timed', 'x', 'PXAT', 9_999_999_999_999);
}

/** Groups and what is pending in them, without when a consumer was seen last. */
async function groupFacts(client: RawClient, key: string): Promise<unknown[]> {
  const groups = await client.value('XINFO', 'GROUPS', key);
  const facts: unknown[] = [groups];
  for (const group of ['group', 'late', 'g']) {
    facts.push(await client.value('XPENDING', key, group, '-', '+', 1000).catch(() => null));
  }
  // Idle times go on while we look.
  return JSON.parse(JSON.stringify(facts), (_name, value: unknown) =>
    Array.isArray(value) && value.length === 4 && typeof value[2] === 'number'
      ? [value[0], value[1], value[3]]
      : value,
  );
}
