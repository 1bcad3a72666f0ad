/** A whole dataset in place of the one that stands, with an AOF. */
import { afterEach, describe, expect, it } from 'vitest';
import type { ReceivedDataset } from '../../../src/replication/payload.ts';
import { type RdbPart, rdbOf, text } from '../../persistence/rdb/rdb-support.ts';
import type { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import { ask, InProcessScene, until } from '../../support/in-process-scene.ts';
import { DATA_FOLDER, emptyDisk } from '../../support/in-process-server.ts';

const scene = new InProcessScene();
const RECEIVED = `${DATA_FOLDER}/received.rdb`;
/** As the link tells of it; without a checksum no base, so that a rewrite makes one. */
const WITHOUT_SUM: ReceivedDataset = {
  path: RECEIVED,
  bytes: 0,
  version: 10,
  isChecked: false,
  wasStreamed: false,
  isEmpty: false,
  position: null,
};
const WITH_SUM = { ...WITHOUT_SUM, isChecked: true };

afterEach(() => scene.end());

/** A server with keys of its own, and beside them the dump of another, which `change` may break. */
async function withReceived(change: (dump: Uint8Array) => void = () => {}) {
  const disk = emptyDisk();
  const sender = await scene.connect(await scene.start(disk, { appendonly: false }));
  for (let i = 0; i < 50; i++) await ask(sender, 'SET', `new:${i}`, 'v'.repeat(100));
  await ask(sender, 'SAVE');
  const dump = disk.content(`${DATA_FOLDER}/dump.rdb`)!;
  change(dump);
  const fs: FaultyFileSystem = emptyDisk();
  fs.put(RECEIVED, dump);
  const server = await scene.start(fs, { rdbcompression: false });
  const client = await scene.connect(server);
  await ask(client, 'SET', 'old', '1');
  const { keyspace, persistence } = server.server;
  return { fs, client, log: server.log, keyspace, persistence };
}

describe('a dataset that was received', () => {
  it('is there at once, and in the AOF as soon as that goes on', async () => {
    const { fs, client, log, persistence } = await withReceived();
    // The old AOF is not left before its last fsync: until then its state is still `on`.
    fs.holdSyncs();
    const loaded = await persistence.changes.replaceBy(WITHOUT_SUM);
    expect(loaded.goOnFromIt()).toBe(null);
    const logged = loaded.goOn();
    expect(await ask(client, 'MGET', 'old', 'new:0')).toEqual([null, 'v'.repeat(100)]);
    fs.releaseSyncs();
    const lines = log.length;
    await logged;
    expect(log.slice(lines).filter((line) => !/[*#] \S/.test(line))).toEqual([]);
    await until('the AOF is on', () => persistence.aof.aof.state === 'on');
    await ask(client, 'SET', 'newer', '1');
    const again = await scene.connect(await scene.start(fs.kill()));
    expect(await ask(again, 'DBSIZE')).toBe(51);
    expect(await ask(again, 'MGET', 'old', 'newer')).toEqual([null, '1']);
  });

  it.each([
    ['a rewrite', WITHOUT_SUM],
    ['the dataset', WITH_SUM],
  ])('and is damaged is not there in part, were %s the base', async (_, dataset) => {
    const { fs, client, persistence } = await withReceived((dump) => {
      dump[dump.length - 1]! ^= 1;
    });
    await expect(persistence.changes.replaceBy(dataset)).rejects.toThrow(/CRC/);
    expect(await ask(client, 'DBSIZE')).toBe(0);
    await until('the AOF is off', () => persistence.aof.aof.state === 'off');
    expect(persistence.aof.isStandingBy).toBe(false);
    // What was before is what a restart finds.
    const again = await scene.connect(await scene.start(fs.kill()));
    expect(await ask(again, 'KEYS', '*')).toEqual(['old']);
  });
});

describe('of a dataset that was received', () => {
  const id = 'ab'.repeat(20);
  const aux = (name: string, value: string): RdbPart[] => [0xfa, text(name), text(value)];
  const TOLD = rdbOf(
    ...['REDIS0010', ...aux('repl-stream-db', '3'), ...aux('repl-id', id)],
    ...[...aux('repl-offset', '9'), 0, text('k'), text('v'), 0xff],
  );

  it.each([
    { told: 'as its link tells it', offset: 9 },
    { told: 'other than its link tells it', offset: 10 },
  ])('the place is $told, and its stream goes on in its database', async ({ offset }) => {
    const { fs, keyspace, persistence } = await withReceived();
    fs.put(RECEIVED, TOLD);
    const dataset = { ...WITH_SUM, position: { id, offset } };
    const loaded = await persistence.changes.replaceBy(dataset);
    expect(loaded.streamDb).toBe(3);
    keyspace.dirty = 0;
    const isBase = loaded.goOnFromIt();
    expect([isBase !== null, keyspace.dirty > 0]).toEqual([offset === 9, offset === 9]);
    await (isBase ?? loaded.goOn());
  });

  it('nothing is there until a save of the one before has ended', async () => {
    for (const way of ['file', 'aside']) {
      const { client, persistence } = await withReceived();
      const { changes, rdb } = persistence;
      await ask(client, 'CONFIG', 'SET', 'rdb-key-save-delay', 1_000_000);
      expect(rdb.begin()).toBe(true);
      const ending = rdb.ending();
      if (way === 'file') await (await changes.replaceBy(WITHOUT_SUM)).goOn();
      else changes.loadAside(0, 'served').giveUp();
      expect(await ending).toMatch(/aborted/);
      await ask(client, 'CONFIG', 'SET', 'rdb-key-save-delay', 0);
    }
  });
});

describe('DEBUG RELOAD', () => {
  const RELOAD = { save: true, flush: true, merge: false };
  const LOAD_ERROR = /^ERR Error trying to load the RDB dump/;

  it('leaves everything as it is when it cannot save', async () => {
    const { fs, client, persistence } = await withReceived();
    fs.failWriteOf = /temp-/;
    expect(await persistence.changes.reload(RELOAD)).toMatch(/^ERR Error trying to save the DB: /);
    expect(await ask(client, 'GET', 'old')).toBe('1');
  });

  it('without a save says so when there is no dump', async () => {
    const { client, persistence } = await withReceived();
    const options = { save: false, flush: false, merge: false };
    expect(await persistence.changes.reload(options)).toMatch(LOAD_ERROR);
    expect(await ask(client, 'GET', 'old')).toBe('1');
    expect(await persistence.changes.reload({ ...options, flush: true })).toMatch(LOAD_ERROR);
    expect(await ask(client, 'DBSIZE')).toBe(0);
  });
});

it('DEBUG LOADAOF leaves nothing unsaved, in memory or in the log', async () => {
  const { fs, client, keyspace, persistence } = await withReceived();
  await ask(client, 'SET', 'late', '1');
  expect(keyspace.dirty).toBeGreaterThan(0);
  expect(await persistence.changes.reloadAof()).toBeUndefined();
  expect(keyspace.dirty).toBe(0);
  expect(await ask(client, 'MGET', 'old', 'late')).toEqual(['1', '1']);
  await ask(client, 'SET', 'later', '1');
  const again = await scene.connect(await scene.start(fs.kill()));
  expect(await ask(again, 'MGET', 'old', 'late', 'later')).toEqual(['1', '1', '1']);
});

describe('while a dataset is loaded aside', () => {
  it('no other is loaded, whether the old one is served or not', async () => {
    const { client, persistence } = await withReceived();
    const { changes } = persistence;
    for (const old of ['served', 'hidden'] as const) {
      const aside = changes.loadAside(0, old);
      expect(() => changes.loadAside(0, old)).toThrow('another dataset is being loaded');
      const options = { save: false, flush: true, merge: false };
      expect(await changes.reload(options)).toMatch(/^LOADING /);
      expect(await changes.reloadAof()).toMatch(/^LOADING /);
      aside.giveUp();
    }
    expect(await ask(client, 'GET', 'old')).toBe('1');
  });

  it('and takes its place, a save of the old one is given up and the AOF goes on', async () => {
    const { fs, client, keyspace, persistence } = await withReceived();
    const dump = fs.content(RECEIVED)!;
    const { changes, aof, rdb, snapshots } = persistence;
    const aside = changes.loadAside(dump.length, 'served');
    await aside.writeAll(dump, 0, dump.length);
    await aside.end();
    await ask(client, 'CONFIG', 'SET', 'rdb-key-save-delay', 10_000_000);
    expect(rdb.begin()).toBe(true);
    const ending = rdb.ending();
    keyspace.dirty = 0;
    const replaced = changes.replaceByAside(aside);
    await ask(client, 'CONFIG', 'SET', 'rdb-key-save-delay', 0);
    expect(await ending).toMatch(/aborted/);
    await replaced;
    expect([aof.isOn, keyspace.dirty > 0]).toEqual([true, true]);
    await until('the AOF is on', () => aof.aof.state === 'on' && !snapshots.isRunning);
    const again = await scene.connect(await scene.start(fs.kill()));
    expect(await ask(again, 'DBSIZE')).toBe(50);
  });
});
