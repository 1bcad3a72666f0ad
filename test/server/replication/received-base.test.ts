/**
 * The RDB of a full sync as the base of the AOF: a restart finds what it brought from the moment in
 * which the link goes on; and what happens where it cannot be the base.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { mayBeBase, tellsNoOther } from '../../../src/server/persistence/received-base.ts';
import type { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import { ask, InProcessScene, type SceneSettings, until } from '../../support/in-process-scene.ts';
import { DATA_FOLDER, emptyDisk, type InProcessServer } from '../../support/in-process-server.ts';

const scene = new InProcessScene({ 'repl-diskless-sync': false });
const FOLDER = `${DATA_FOLDER}/appendonlydir`;
const ID = 'a'.repeat(40);

afterEach(() => scene.end());

/** A primary with a key, the AOF off. */
async function aPrimary(settings: SceneSettings = {}) {
  const primary = await scene.start(emptyDisk(), { appendonly: false, ...settings });
  const there = await scene.connect(primary);
  await ask(there, 'SET', 'theirs', 1);
  return { primary, there, replicaof: `127.0.0.1 ${primary.port}` };
}

/** A replica-to-be under `always` with a key of its own. */
async function aReplica(settings: SceneSettings = {}) {
  const disk = emptyDisk();
  const replica = await scene.start(disk, { appendfsync: 'always', ...settings });
  const here = await scene.connect(replica);
  await ask(here, 'SET', 'ours', 1);
  return { disk, replica, here, persistence: replica.server.persistence };
}

const isLinked = ({ server }: InProcessServer) => server.replication.follower?.isConnected === true;

/** The names of base and increments: `file <name> seq ...`. */
const manifestOf = (disk: FaultyFileSystem): string[] =>
  Buffer.from(disk.content(`${FOLDER}/appendonly.aof.manifest`)!)
    .toString('latin1')
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[1]!);

const dumpsOn = (disk: FaultyFileSystem): string[] =>
  disk.readdirSync(DATA_FOLDER).filter((name) => name.endsWith('.rdb'));

describe('the RDB of a full sync', () => {
  it('is the base of the AOF when the link goes on, and no rewrite follows', async () => {
    const { primary, there } = await aPrimary();
    const { disk, replica, here, persistence } = await aReplica();
    await ask(here, 'REPLICAOF', '127.0.0.1', primary.port);
    await until('the link is up', () => isLinked(replica));
    expect([persistence.aof.aof.state, persistence.aof.rewrites.count]).toEqual(['on', 0]);
    expect(manifestOf(disk)).toEqual(['appendonly.aof.2.base.rdb', 'appendonly.aof.2.incr.aof']);
    expect(disk.readdirSync(FOLDER).toSorted()).toEqual([
      ...manifestOf(disk),
      'appendonly.aof.manifest',
    ]);
    expect(dumpsOn(disk)).toEqual([]);
    // What save points are to save.
    expect(replica.server.keyspace.dirty).toBeGreaterThan(0);

    await ask(there, 'SET', 'later', 2);
    expect(await ask(there, 'WAIT', 1, 0)).toBe(1);
    expect(await ask(there, 'WAITAOF', 0, 1, 0)).toEqual([0, 1]);
    const alone = await scene.connect(await scene.start(disk.cutPower(1, 'all')));
    expect(await ask(alone, 'MGET', 'ours', 'theirs', 'later')).toEqual([null, '1', '2']);
  });

  it('is what a restarted replica goes on from, without another one', async () => {
    const { primary, there, replicaof } = await aPrimary();
    const { disk, replica, here } = await aReplica();
    await ask(here, 'REPLICAOF', '127.0.0.1', primary.port);
    await until('the link is up', () => isLinked(replica));
    const left = disk.kill();
    await replica.abandon();
    await ask(there, 'SET', 'meanwhile', 3);
    const again = await scene.start(left, { replicaof });
    await until('the link is up', () => isLinked(again));
    const { stats } = primary.server;
    expect([stats.syncFull, stats.syncPartialOk]).toEqual([1, 1]);
    const client = await scene.connect(again);
    await until('it is there', async () => (await ask(client, 'GET', 'meanwhile')) === '3');
    expect(await ask(client, 'GET', 'theirs')).toBe('1');
  });

  it.each<[string, SceneSettings, SceneSettings]>([
    ['bases are commands', {}, { 'aof-use-rdb-preamble': false }],
    ['it is newer than what we write', { 'rdb-save-version': 11 }, {}],
    ['it has no checksum', { rdbchecksum: false }, {}],
  ])('is not, but a rewrite makes one, where %s', async (_, theirs, ours) => {
    const { primary } = await aPrimary(theirs);
    const { disk, replica, here, persistence } = await aReplica(ours);
    await ask(here, 'REPLICAOF', '127.0.0.1', primary.port);
    await until('the link is up', () => isLinked(replica));
    await until('the AOF is on', () => persistence.aof.aof.state === 'on');
    expect(persistence.aof.rewrites.count).toBe(1);
    const again = await scene.connect(await scene.start(disk.kill()));
    expect(await ask(again, 'MGET', 'ours', 'theirs')).toEqual([null, '1']);
  });

  it('without a checksum is the base where nothing has one', async () => {
    const { primary } = await aPrimary({ rdbchecksum: false });
    const { replica, here, persistence } = await aReplica({ rdbchecksum: false });
    await ask(here, 'REPLICAOF', '127.0.0.1', primary.port);
    await until('the link is up', () => isLinked(replica));
    expect([persistence.aof.aof.state, persistence.aof.rewrites.count]).toEqual(['on', 0]);
  });

  it('that cannot be renamed into the folder goes, and a rewrite follows', async () => {
    const { primary } = await aPrimary();
    const { disk, replica, here, persistence } = await aReplica();
    const rename = disk.rename.bind(disk);
    disk.rename = async (from, to) => {
      if (/base\.rdb$/.test(to) && !from.startsWith(FOLDER)) {
        throw Object.assign(new Error('EXDEV: rename'), { code: 'EXDEV' });
      }
      await rename(from, to);
    };
    await ask(here, 'REPLICAOF', '127.0.0.1', primary.port);
    await until('the link is up', () => isLinked(replica));
    expect(replica.log.join('\n')).toContain('has to be written anew for the AOF: EXDEV');
    await until('the AOF is on', () => persistence.aof.aof.state === 'on');
    expect(dumpsOn(disk)).toEqual([]);
    const again = await scene.connect(await scene.start(disk.kill()));
    expect(await ask(again, 'MGET', 'ours', 'theirs')).toEqual([null, '1']);
  });

  it('where no increment can be made is the dump, and a rewrite follows', async () => {
    const { primary } = await aPrimary();
    const { disk, replica, here, persistence } = await aReplica();
    let refused = 0;
    const open = disk.open.bind(disk);
    disk.open = async (path, mode) => {
      if (refused === 0 && path.endsWith('temp-appendonly.aof.incr')) {
        refused++;
        throw Object.assign(new Error('EMFILE: open'), { code: 'EMFILE' });
      }
      return open(path, mode);
    };
    await ask(here, 'REPLICAOF', '127.0.0.1', primary.port);
    await until('the link is up', () => isLinked(replica));
    expect(refused).toBe(1);
    await until('the AOF is on', () => persistence.aof.aof.state === 'on');
    expect(dumpsOn(disk)).toEqual(['dump.rdb']);
    const again = await scene.connect(await scene.start(disk.kill()));
    expect(await ask(again, 'MGET', 'ours', 'theirs')).toEqual([null, '1']);
  });
});

it('the server may end while it is loaded: a restart finds what was before', async () => {
  const { primary, there } = await aPrimary();
  for (let i = 0; i < 100; i++) await ask(there, 'SET', `theirs:${i}`, i);
  const { disk, replica, here, persistence } = await aReplica({ 'key-load-delay': 50_000 });
  await ask(here, 'REPLICAOF', '127.0.0.1', primary.port);
  await until('it is loading', () => persistence.loader.progress?.old === 'gone');
  const increment = 'temp-appendonly.aof.incr';
  await until('an increment stands ready', () => disk.readdirSync(FOLDER).includes(increment));
  expect(() => persistence.aof.assertMayEnd(false)).not.toThrow();
  await replica.abandon();
  const again = await scene.connect(await scene.start(disk.kill()));
  expect(await ask(again, 'DBSIZE')).toBe(1);
  expect(await ask(again, 'GET', 'ours')).toBe('1');
});

it('a dataset may be a base by its version, its checksum and the configuration', () => {
  const values = {
    appendonly: true,
    aofUseRdbPreamble: true,
    rdbSaveVersion: 10,
    rdbchecksum: true,
  };
  const dataset = { version: 10, isChecked: true };
  expect(mayBeBase(values, dataset)).toBe(true);
  expect(mayBeBase(values, { ...dataset, version: 9 })).toBe(true);
  expect(mayBeBase(values, { ...dataset, version: 11 })).toBe(false);
  expect(mayBeBase({ ...values, rdbSaveVersion: 11 }, { ...dataset, version: 11 })).toBe(true);
  expect(mayBeBase(values, { ...dataset, isChecked: false })).toBe(false);
  expect(mayBeBase({ ...values, rdbchecksum: false }, { ...dataset, isChecked: false })).toBe(true);
  expect(mayBeBase({ ...values, appendonly: false }, dataset)).toBe(false);
  expect(mayBeBase({ ...values, aofUseRdbPreamble: false }, dataset)).toBe(false);
});

it('a dataset that tells another place in the stream than the primary is no base', () => {
  const aux = new Map([
    ['repl-id', ID],
    ['repl-offset', '100'],
  ]);
  expect(tellsNoOther(new Map(), { id: ID, offset: 100 })).toBe(true);
  expect(tellsNoOther(new Map(), null)).toBe(true);
  expect(tellsNoOther(aux, { id: ID, offset: 100 })).toBe(true);
  expect(tellsNoOther(aux, { id: ID, offset: 101 })).toBe(false);
  expect(tellsNoOther(aux, { id: 'b'.repeat(40), offset: 100 })).toBe(false);
  expect(tellsNoOther(aux, null)).toBe(false);
});
