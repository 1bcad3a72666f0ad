/**
 * A replica that goes on in the middle of its primary's stream: what comes next selects no
 * database, and belongs into the one that was selected before.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { ask, InProcessScene, until } from '../../support/in-process-scene.ts';
import { emptyDisk, type InProcessServer } from '../../support/in-process-server.ts';

const scene = new InProcessScene({
  'repl-diskless-sync': false,
  'repl-ping-replica-period': 3600,
});

afterEach(() => scene.end());

const keysOf = (server: InProcessServer): number[] =>
  server.server.keyspace.databases.map((db) => db.dict.count);

/** A primary whose stream has selected database 3, a client of it there, and a replica. */
async function pair(appendonly: boolean) {
  const primary = await scene.start(emptyDisk(), { appendonly: false });
  const replicaof = `127.0.0.1 ${primary.port}`;
  const disk = emptyDisk();
  const settings = { appendonly, replicaof };
  const replica = await scene.start(disk, settings);
  const client = await scene.connect(primary);
  const { history, primary: feeding } = primary.server.replication;
  await until('it is online', () => feeding.replicasAt(0, false) === 1);
  await ask(client, 'SELECT', 3);
  await ask(client, 'SET', 'before', 1);
  expect(await ask(client, 'WAIT', 1, 0)).toBe(1);

  /** Writes one more key there, which `one` is to get by a partial sync. */
  const goOn = async (one: InProcessServer): Promise<void> => {
    await ask(client, 'SET', 'after', 2);
    const { offset } = history;
    await until('it has all', () => one.server.replication.history.offset === offset);
    expect(keysOf(one)).toEqual(keysOf(primary));
    expect(primary.server.stats.syncFull).toBe(1);
    expect(primary.server.stats.syncPartialOk).toBeGreaterThan(0);
  };
  return { primary, replica, disk, settings, client, goOn };
}

describe('a replica goes on in the database of the stream', () => {
  it('when its link broke', async () => {
    const { replica, client, goOn } = await pair(false);
    await ask(client, 'CLIENT', 'KILL', 'TYPE', 'replica');
    await goOn(replica);
  });

  it.each([
    ['its dump', false],
    ['its AOF', true],
  ])('when it was started again with %s', async (_name, appendonly) => {
    const { replica, disk, settings, goOn } = await pair(appendonly);
    const { aof } = replica.server.persistence.aof;
    if (appendonly) await until('the AOF is on', () => aof.state === 'on');
    else expect(await ask(await scene.connect(replica), 'SAVE')).toBe('OK');
    const left = disk.kill();
    await replica.abandon();
    await goOn(await scene.start(left, settings));
  });

  it('when another server is primary now', async () => {
    const { primary, replica, client, goOn } = await pair(false);
    const below = await scene.start(emptyDisk(), {
      ...{ appendonly: false, replicaof: `127.0.0.1 ${replica.port}` },
    });
    const { replication } = below.server;
    await until('it is linked', () => replication.follower?.isConnected === true);
    await ask(client, 'SET', 'more', 1);
    const { history } = primary.server.replication;
    await until('it has all', () => replication.history.offset === history.offset);
    await ask(await scene.connect(below), 'REPLICAOF', '127.0.0.1', primary.port);
    await goOn(below);
  });
});
