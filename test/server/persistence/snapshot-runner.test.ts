/** One snapshot at a time: what of it waits, and that the next one can follow. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { SnapshotWriter } from '../../../src/persistence/snapshot/snapshot-helper.ts';
import { silentLog } from '../../../src/server/log.ts';
import { SnapshotRunner } from '../../../src/server/persistence/snapshot-runner.ts';
import { makeKeyspace, put, saveOptions } from '../../persistence/rdb/rdb-support.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';

/** A child that takes everything and has done nothing with it yet. */
const STUCK: SnapshotWriter = {
  begin: () => {},
  data: () => {},
  end: () => {},
  leave: () => {},
  resume: () => {},
};

it('counts what waits for a disk, and not what waits for replicas', async () => {
  const keyspace = makeKeyspace(1);
  put(keyspace, 0, 'a', 'v'.repeat(1000));
  const slices: (() => void)[] = [];
  const runner = new SnapshotRunner(silentLog, 1000, (slice) => slices.push(slice));
  const stream = { take: () => true, room: () => new Uint8Array(1) };
  for (const [purpose, target] of [
    ['save', { file: '/dump.rdb', incrementalFsync: false }],
    ['sync', { stream }],
  ] as const) {
    const content = saveOptions(new FaultyFileSystem());
    const done = runner.start(purpose, { ...content, keyspace, helper: STUCK, target });
    slices.shift()?.();
    expect(runner.figures?.queuedBytes).toBeGreaterThan(1000);
    expect(runner.queuedBytes > 0).toBe(purpose === 'save');
    runner.abort();
    await expect(done).rejects.toThrow('aborted');
    expect([runner.isRunning, runner.purpose, runner.queuedBytes]).toEqual([false, null, 0]);
  }
});

it('goes on whenever there is room again, until all is written', () => {
  const keyspace = makeKeyspace(1);
  for (let i = 0; i < 30; i++) put(keyspace, 0, `key:${i}`, 'v'.repeat(500_000));
  const slices: (() => void)[] = [];
  const waiting: (() => void)[] = [];
  let isWritten = false;
  const slow: SnapshotWriter = {
    ...STUCK,
    data: (_, sent) => waiting.push(sent),
    end: () => {
      isWritten = true;
    },
  };
  const runner = new SnapshotRunner(silentLog, 1000, (slice) => slices.push(slice));
  const target = { file: '/dump.rdb', incrementalFsync: false };
  const content = saveOptions(new FaultyFileSystem());
  runner.start('save', { ...content, keyspace, helper: slow, target }).catch(() => {});
  while (slices.length + waiting.length > 0) {
    slices.shift()?.();
    if (slices.length === 0) waiting.shift()?.();
  }
  expect(isWritten).toBe(true);
  runner.abort();
});

it('takes one slice a round, also when one begins right after another was given up', async () => {
  const keyspace = makeKeyspace(1);
  put(keyspace, 0, 'a', 'v');
  const slices: (() => void)[] = [];
  const runner = new SnapshotRunner(silentLog, 1000, (slice) => slices.push(slice));
  const target = { file: '/dump.rdb', incrementalFsync: false };
  const content = { ...saveOptions(new FaultyFileSystem()), keyspace, helper: STUCK, target };
  for (let i = 0; i < 3; i++) {
    const done = runner.start('save', content);
    expect(slices.length).toBe(1);
    runner.abort();
    await expect(done).rejects.toThrow('aborted');
  }
});

it('counts no round of the loop that comes after its end', async () => {
  const keyspace = makeKeyspace(1);
  const runner = new SnapshotRunner(silentLog, 1000, () => {});
  const target = { file: '/dump.rdb', incrementalFsync: false };
  const content = { ...saveOptions(new FaultyFileSystem()), keyspace, helper: STUCK, target };
  const done = runner.start('save', content);
  runner.abort();
  await expect(done).rejects.toThrow('aborted');
  for (let i = 0; i < 3; i++) await turn();
  const { longestUs } = runner.rounds;
  const untilMs = performance.now() + longestUs / 1000 + 5;
  while (performance.now() < untilMs);
  for (let i = 0; i < 3; i++) await turn();
  expect(runner.rounds.longestUs).toBe(longestUs);
});
