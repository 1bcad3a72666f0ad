/**
 * Times at which the stream must stand still: what is added to it while the data are brought to
 * disk for the last time would be in no file, and what is applied while a dataset is loaded would
 * meet half of it.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { ask, InProcessScene, type SceneSettings, until } from '../../support/in-process-scene.ts';
import { emptyDisk, type InProcessServer } from '../../support/in-process-server.ts';

const SETTINGS: SceneSettings = {
  'enable-debug-command': 'yes',
  'repl-diskless-sync': false,
  'repl-ping-replica-period': 1,
};
/** Keys that are loaded one in so many microseconds, so that other things happen in between. */
const KEYS = 100;
const LOAD_US = 5000;
/** The same of keys that are saved. */
const SAVE_US = 2000;

const scene = new InProcessScene(SETTINGS);

afterEach(() => scene.end());

async function pair(settings: SceneSettings) {
  const disk = emptyDisk();
  const primary = await scene.start(disk, settings);
  const replica = await scene.start(emptyDisk(), {
    appendonly: false,
    replicaof: `127.0.0.1 ${primary.port}`,
  });
  await until('the link is up', () => replica.server.replication.follower?.isConnected === true);
  await until('no snapshot runs', () => !primary.server.persistence.snapshots.isRunning);
  return { disk, primary, replica };
}

async function level({ server: a }: InProcessServer, { server: b }: InProcessServer) {
  await until('both are at one place', () => {
    return a.replication.history.offset === b.replication.history.offset;
  });
}

describe('the end of a primary', () => {
  it.each([
    [
      'the dump',
      { appendonly: false, save: '3600 1', 'rdb-key-save-delay': SAVE_US },
      'Saving the final RDB',
    ],
    ['the AOF', { appendfsync: 'everysec' }, 'Calling fsync() on the AOF'],
  ])('tells replicas nothing that is not in %s', async (_name, settings, begun) => {
    const { disk, primary, replica } = await pair(settings);
    const client = await scene.connect(primary);
    for (let i = 0; i < KEYS; i++) await ask(client, 'SET', `key:${i}`, i);
    disk.holdSyncs();
    const { replication } = primary.server;
    const ending = primary.server.close({ save: undefined, force: false, now: false });
    await until('the data are being saved', () => primary.log.join('').includes(begun));
    const { offset } = replication.history;
    replication.tickSecond(Date.now());
    replication.journal.requestAcks();
    for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve));
    expect(replication.history.offset).toBe(offset);
    disk.releaseSyncs();
    expect(await ending).toBe(undefined);
    const again = await scene.start(disk.kill(), settings);
    const { history } = again.server.replication;
    const { history: known } = replica.server.replication;
    expect(history.offset).toBe(known.offset);
    expect(history.includes(known.id, known.offset + 1)).toBe(true);
  });
});

describe('a dataset that is loaded again', () => {
  async function filled() {
    const servers = await pair({ appendonly: false });
    const { primary, replica } = servers;
    const client = await scene.connect(primary);
    for (let i = 0; i < KEYS; i++) await ask(client, 'RPUSH', `key:${i}`, i);
    await level(primary, replica);
    return { ...servers, client };
  }

  const reload = async (one: InProcessServer): Promise<{ done: Promise<unknown> }> => {
    const client = await scene.connect(one);
    await ask(client, 'CONFIG', 'SET', 'key-load-delay', LOAD_US);
    let isOver = false;
    const done = ask(client, 'DEBUG', 'RELOAD').finally(() => {
      isOver = true;
    });
    // Nothing is to be loaded when all keys have expired by then.
    await until('it loads', () => isOver || one.server.persistence.isLoading);
    return { done };
  };

  it('has the stream of the primary wait', async () => {
    const { client, primary, replica } = await filled();
    const { done } = await reload(replica);
    for (let i = 0; i < KEYS; i++) await ask(client, 'RPUSH', `key:${i}`, 'more');
    expect(await done).toBe('OK');
    await level(primary, replica);
    const reader = await scene.connect(replica);
    for (let i = 0; i < KEYS; i++) {
      expect(await ask(reader, 'LRANGE', `key:${i}`, 0, -1)).toEqual([`${i}`, 'more']);
    }
  });

  it('keeps what expires meanwhile until replicas can be told', async () => {
    const { client, primary, replica } = await filled();
    for (let i = 0; i < KEYS; i++) await ask(client, 'PEXPIRE', `key:${i}`, LOAD_US / 20);
    const { done } = await reload(primary);
    expect(await done).toBe('OK');
    await until('all keys are gone', async () => (await ask(client, 'DBSIZE')) === 0);
    const reader = await scene.connect(replica);
    await until('there too', async () => (await ask(reader, 'DBSIZE')) === 0);
  });
});
