/** A snapshot that the server writes itself: brought to the disk on the way, whole or not there. */
import { expect, it } from 'vitest';
import type { Keyspace } from '../../../src/core/keyspace.ts';
import type { SnapshotRun } from '../../../src/persistence/snapshot/snapshot.ts';
import { SnapshotFile } from '../../../src/persistence/snapshot/snapshot-file.ts';
import { SnapshotHere } from '../../../src/persistence/snapshot/snapshot-here.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import {
  contents,
  fileReader,
  loaded,
  makeKeyspace,
  put,
  saveOptions,
} from '../rdb/rdb-support.ts';
import { running } from './snapshot-support.ts';

const PATH = '/data/dump.rdb';

function filled(mebibytes: number): Keyspace {
  const keyspace = makeKeyspace();
  const count = mebibytes * 512;
  for (let i = 0; i < count; i++) put(keyspace, 0, `key:${i}`, `${i % 10}`.repeat(2048));
  return keyspace;
}

/** Begins one that runs as a server's does. */
function begin(fs: FaultyFileSystem, keyspace: Keyspace, incrementalFsync: boolean): SnapshotRun {
  fs.mkdirSync('/data');
  const target = { file: PATH, incrementalFsync };
  const helper = new SnapshotHere(fs);
  return running({ ...saveOptions(fs), compress: false, keyspace, helper, target });
}

it.each([
  ['every four mebibytes', true, 4],
  ['once', false, 1],
])('is brought to the disk %s', async (_how, incrementalFsync, least) => {
  const fs = new FaultyFileSystem();
  const keyspace = filled(13);
  await begin(fs, keyspace, incrementalFsync).done;
  const syncs = fs.calls.filter((call) => call.startsWith('syncData temp-')).length;
  if (incrementalFsync) expect(syncs).toBeGreaterThanOrEqual(least);
  else expect(syncs).toBe(least);
  const { keyspace: found } = loaded(fileReader(fs.content(PATH)!));
  expect(contents(found)).toEqual(contents(keyspace));
});

it('takes its name when the disk has said of every part that it is there', async () => {
  const fs = new FaultyFileSystem();
  fs.holdSyncs(/temp-/);
  const { done } = begin(fs, filled(6), true);
  await expect.poll(() => fs.heldSyncs).toBe(1);
  for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve));
  expect(fs.content(PATH)).toBeUndefined();
  fs.failSyncOf = /temp-/;
  fs.releaseSyncs();
  await expect(done).rejects.toMatchObject({
    code: 'EPOISONED',
    message: expect.stringMatching(/EIO/),
  });
  expect(fs.paths()).toEqual([]);
});

it('fails where the disk runs full, and leaves nothing', async () => {
  const fs = new FaultyFileSystem();
  fs.spaceBytes = 5 << 20;
  await expect(begin(fs, filled(6), true).done).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(fs.paths()).toEqual([]);
});

it('that is given up leaves the file of the next alone, however late its disk fails', async () => {
  const fs = new FaultyFileSystem();
  fs.holdSyncs(/temp-/);
  const first = begin(fs, filled(13), true);
  await expect.poll(() => fs.heldSyncs).toBe(1);
  // By then it waits for the disk before it writes on: eight mebibytes, and what was on its way.
  for (let i = 0; i < 300; i++) await new Promise((resolve) => setImmediate(resolve));
  expect(fs.content(fs.paths()[0]!)!.length).toBeLessThan(9 << 20);
  first.abort();
  expect(fs.paths()).toEqual([]);
  const { done } = begin(fs, filled(3), false);
  while (fs.paths().length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(fs.paths()).not.toContain(PATH);
  fs.failSyncOf = /temp-/;
  fs.releaseSyncs();
  await new Promise((resolve) => setImmediate(resolve));
  fs.failSyncOf = undefined;
  await done;
  expect(fs.paths()).toEqual([PATH]);
});

it('that has ended leaves the file of the next alone, when it is told to go', async () => {
  const fs = new FaultyFileSystem();
  fs.mkdirSync('/data');
  const job = { path: PATH, checksum: true, commands: null };
  const ends: boolean[] = [];
  const make = (): SnapshotFile =>
    new SnapshotFile(
      { ...job, incrementalFsync: false, expectedBytes: 0 },
      { fs, report: (what) => what.event === 'ended' && ends.push(what.ok), stream: () => {} },
    );
  const [first, second] = [make(), make()];
  await first.begin();
  await first.end();
  await second.begin();
  first.abort();
  await second.end();
  expect(ends).toEqual([true, false, true]);
  expect(fs.paths()).toEqual([PATH]);
});
