/**
 * What is told of the disk: the room that a save or a rewrite wants before it is begun, how long
 * fsyncs take, and how much would be lost with the power.
 */
import { basename } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { FaultyFileSystem } from '../support/faulty-file-system.ts';
import { DATA_FOLDER, emptyDisk, InProcessServer } from '../support/in-process-server.ts';
import type { RawClient } from '../support/raw-client.ts';
import { ReplyError } from '../support/resp-reader.ts';

let fs: FaultyFileSystem;
let server: InProcessServer;
let client: RawClient;

async function start(settings: Record<string, string | number | boolean>): Promise<void> {
  fs = emptyDisk();
  server = await InProcessServer.start(fs, settings);
  client = await server.connect();
}

afterEach(async () => {
  fs.releaseSyncs();
  client.close();
  await server.abandon();
});

async function ask(...words: string[]): Promise<unknown> {
  const value = await client.value(...words);
  return value instanceof ReplyError ? value.error : value;
}

async function info(): Promise<Record<string, string>> {
  const lines = String(await ask('INFO', 'persistence')).split('\r\n');
  return Object.fromEntries(lines.map((line) => line.split(/:(.*)/).slice(0, 2)));
}

async function until(name: string, wanted: string): Promise<void> {
  for (const endMs = Date.now() + 60_000; Date.now() < endMs; ) {
    if ((await info())[name] === wanted) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect((await info())[name]).toBe(wanted);
}

/** Values that do not compress. */
async function fill(): Promise<void> {
  for (let i = 0; i < 40; i++) {
    const bytes = Buffer.from(
      Array.from({ length: 5000 }, (_, j) => (i * 7919 + j * j * 31) % 251),
    );
    await client.send('SET', `key:${i}`, bytes);
  }
}

const NO_SPACE = /no space: (\d+) bytes are wanted in (\/.+) and (\d+) are free; make room/;

describe('the room on the disk', () => {
  it('is looked at before a save, which is refused and leaves the old file', async () => {
    await start({ appendonly: false, rdbcompression: false });
    await fill();
    expect(await ask('SAVE')).toBe('OK');
    const path = fs.paths().find((one) => one.endsWith('dump.rdb')) ?? '';
    const old = fs.content(path);
    fs.spaceBytes = 100_000;
    await ask('SET', 'more', '1');
    const before = fs.calls.length;
    const refused = NO_SPACE.exec(String(await ask('SAVE')));
    // The last file says what the next one will take.
    expect(Number(refused?.[1])).toBeGreaterThan(old!.length * 0.95);
    expect(Number(refused?.[1])).toBeLessThan(old!.length * 1.1);
    expect(refused?.slice(2)).toEqual([DATA_FOLDER, '100000']);
    expect(fs.calls.slice(before)).toEqual([`statfs ${basename(DATA_FOLDER)}`]);
    await ask('BGSAVE');
    await until('rdb_last_bgsave_status', 'err');
    expect(server.log.join('\n')).toMatch(/Background saving error: no space: \d+ bytes are/);
    expect(fs.content(path)).toEqual(old);
    expect(fs.paths().filter((one) => one.includes('temp-'))).toEqual([]);
    // A disk with no more room than the estimate is not even tried; with it, the save succeeds.
    fs.spaceBytes = Number(refused?.[1]) + 10_000;
    expect(await ask('SAVE')).toBe('OK');
  });

  it('is not asked with disk-space-check no: the disk itself says so then', async () => {
    await start({ appendonly: false, rdbcompression: false });
    await fill();
    fs.spaceBytes = 30_000;
    expect(String(await ask('SAVE'))).toMatch(NO_SPACE);
    expect(await ask('CONFIG', 'SET', 'disk-space-check', 'no')).toBe('OK');
    expect(String(await ask('SAVE'))).toMatch(/No space left|ENOSPC/);
    fs.spaceBytes = 1_000_000;
    expect(await ask('SAVE')).toBe('OK');
  });

  it.each(['yes', 'no'])('is looked at before a rewrite (RDB base: %s)', async (preamble) => {
    await start({ 'aof-use-rdb-preamble': preamble, appendfsync: 'everysec' });
    await fill();
    fs.spaceBytes = 50_000;
    const names = fs.paths();
    await ask('BGREWRITEAOF');
    await until('aof_last_bgrewrite_status', 'err');
    expect(server.log.join('\n')).toMatch(
      /rewrite failed: no space: the rewrite wants about \d+ bytes in .* and \d+ are free/,
    );
    expect(fs.paths()).toEqual(names);
    expect(await ask('SET', 'goes', 'on')).toBe('OK');
    fs.spaceBytes = 10_000_000;
    await ask('BGREWRITEAOF');
    await until('aof_last_bgrewrite_status', 'ok');
  });
});

describe('fsyncs', () => {
  it('are counted and timed, and so is what waits for one', async () => {
    await start({ appendfsync: 'always', 'latency-monitor-threshold': 1 });
    await ask('SET', 'a', '1');
    await ask('CONFIG', 'RESETSTAT');
    fs.holdSyncs();
    const other = await server.connect();
    other.write('SET b 1\r\n');
    while (fs.heldSyncs === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => setTimeout(resolve, 60));
    fs.releaseSyncs();
    expect((await other.read()).value).toBe('OK');
    other.close();
    const { aof_fsyncs, aof_last_fsync_usec, aof_max_fsync_usec, ...rest } = await info();
    expect(Number(aof_fsyncs)).toBe(1);
    expect(Number(aof_last_fsync_usec)).toBeGreaterThan(20_000);
    expect(aof_max_fsync_usec).toBe(aof_last_fsync_usec);
    const percentiles = /^p50=([\d.]+),p99=([\d.]+),p99.9=([\d.]+)$/.exec(
      rest.aof_fsync_percentiles_usec ?? '',
    );
    for (const one of percentiles?.slice(1) ?? []) expect(Number(one)).toBeGreaterThan(20_000);
    expect(percentiles).not.toBeNull();
    expect(rest.aof_unsynced_bytes).toBe('0');
    expect(rest.aof_oldest_unsynced_msec).toBe('0');
    const latest = (await client.value('LATENCY', 'LATEST')) as [string][];
    expect(latest.map(([kind]) => kind)).toContain('aof-fsync-always');
    expect(String(await ask('LATENCY', 'DOCTOR'))).toContain('aof-fsync-always');
    await ask('CONFIG', 'RESETSTAT');
    expect(await info()).toMatchObject({ aof_fsyncs: '0', aof_max_fsync_usec: '0' });
  });

  it('under everysec leave bytes to lose, whose number and age are told', async () => {
    await start({ appendfsync: 'everysec' });
    fs.holdSyncs();
    await ask('SET', 'a', '1');
    await new Promise((resolve) => setTimeout(resolve, 30));
    const { aof_unsynced_bytes, aof_oldest_unsynced_msec } = await info();
    expect(Number(aof_unsynced_bytes)).toBeGreaterThan(20);
    expect(Number(aof_oldest_unsynced_msec)).toBeGreaterThan(10);
    fs.releaseSyncs();
    await until('aof_unsynced_bytes', '0');
    expect((await info()).aof_oldest_unsynced_msec).toBe('0');
  });

  it('writes in the loop are timed while the monitor listens', async () => {
    await start({ appendfsync: 'no', 'latency-monitor-threshold': 1 });
    fs.writeDelayMs = 3;
    await ask('SET', 'a', '1');
    const latest = (await client.value('LATENCY', 'LATEST')) as [string][];
    const kinds = latest.map(([kind]) => kind);
    expect(kinds).toContain('aof-write');
    expect(kinds).toContain('aof-write-alone');
    await ask('CONFIG', 'SET', 'latency-monitor-threshold', '0');
    // Only now: while the monitor listens, this command may be a slow one as well.
    await ask('LATENCY', 'RESET');
    await ask('SET', 'a', '2');
    expect(await ask('LATENCY', 'LATEST')).toEqual([]);
  });
});
