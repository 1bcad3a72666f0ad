/**
 * The dataset of a full sync on its way from the socket into memory and onto the disk, while the
 * server saves, and changes whom it follows.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { ID, RDB } from '../../replication/link-scene.ts';
import { ScriptedPeer } from '../../replication/scripted-peer.ts';
import { ask, InProcessScene, until } from '../../support/in-process-scene.ts';
import { DATA_FOLDER, emptyDisk } from '../../support/in-process-server.ts';

const scene = new InProcessScene({ appendonly: false, 'repl-diskless-sync': false });

afterEach(() => scene.end());

describe('the dataset of a primary', () => {
  it('of a version that is not loaded here leaves what stands', async () => {
    const peer = await ScriptedPeer.listen();
    try {
      const replica = await scene.start(emptyDisk());
      const here = await scene.connect(replica);
      await ask(here, 'SET', 'ours', 1);
      await ask(here, 'REPLICAOF', '127.0.0.1', peer.port);
      const primary = await peer.connection();
      await primary.answer('+PONG\r\n');
      await primary.answer('+OK\r\n');
      await primary.answer('+OK\r\n');
      const newer = RDB.replace('REDIS0010', 'REDIS0099');
      await primary.answer(`+FULLRESYNC ${ID} 100\r\n$${newer.length}\r\n${newer}`);
      const told = 'the master has sent an RDB of version 99, which this server cannot load';
      await until('it is refused', () => replica.log.join('\n').includes(told));
      expect(await ask(here, 'GET', 'ours')).toBe('1');
    } finally {
      await peer.close();
    }
  });

  it('is what is loaded, whatever is saved meanwhile', async () => {
    const primary = await scene.start(emptyDisk());
    const there = await scene.connect(primary);
    await ask(there, 'SET', 'theirs', 1);
    const disk = emptyDisk();
    const replica = await scene.start(disk);
    const here = await scene.connect(replica);
    await ask(here, 'SET', 'ours', 1);
    let release: (() => void) | undefined;
    disk.fsyncDir = async (path) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      disk.fsyncDirSync(path);
    };
    await ask(here, 'REPLICAOF', '127.0.0.1', primary.port);
    await until('the file has its name', () => release !== undefined);
    await until('it saves', async () => (await ask(here, 'SAVE')) === 'OK');
    release?.();
    const { replication } = replica.server;
    await until('the link is up', () => replication.follower?.isConnected === true);
    expect(await ask(here, 'KEYS', '*')).toEqual(['theirs']);
    await replica.abandon();
    const again = await scene.connect(await scene.start(disk.kill()));
    expect(await ask(again, 'KEYS', '*')).toEqual(['theirs']);
  });

  it('is at its place in the stream, and the dump, from when it is served', async () => {
    const primary = await scene.start(emptyDisk());
    await ask(await scene.connect(primary), 'SET', 'theirs', 1);
    const disk = emptyDisk();
    const replica = await scene.start(disk, { appendonly: true, 'aof-use-rdb-preamble': false });
    const here = await scene.connect(replica);
    disk.holdSyncs(/\.aof$/);
    await ask(here, 'SET', 'ours', 1);
    await ask(here, 'REPLICAOF', '127.0.0.1', primary.port);
    await until('it is served', async () => (await ask(here, 'GET', 'theirs')) === '1');
    await until('the rewrite waits for the disk', () => disk.heldSyncs > 0);
    const { history } = replica.server.replication;
    const { id } = primary.server.replication.history;
    expect(history.id).toBe(id);
    await ask(here, 'REPLICAOF', 'NO', 'ONE');
    await ask(here, 'SET', 'after', 1);
    expect(await ask(here, 'SAVE')).toBe('OK');
    const promoted = history.id;
    disk.releaseSyncs();
    const { aof } = replica.server.persistence.aof;
    await until('the AOF is on', () => aof.state === 'on');
    expect([history.id, history.id === id, history.secondId]).toEqual([promoted, false, id]);
    await replica.abandon();
    const again = await scene.connect(await scene.start(disk.kill()));
    expect(await ask(again, 'MGET', 'theirs', 'after')).toEqual(['1', '1']);
  });

  it('waits for another that is being loaded, rather than mix with it', async () => {
    const primary = await scene.start(emptyDisk());
    await ask(await scene.connect(primary), 'SET', 'theirs', 1);
    const disk = emptyDisk();
    const replica = await scene.start(disk, { 'key-load-delay': 10_000 });
    const here = await scene.connect(replica);
    for (let i = 0; i < 50; i++) await ask(here, 'SET', `ours${i}`, i);
    disk.holdSyncs(/temp-/);
    await ask(here, 'REPLICAOF', '127.0.0.1', primary.port);
    await until('it has come', () => disk.heldSyncs > 0);
    const reloaded = replica.server.persistence.reload({ save: true, flush: true, merge: false });
    disk.releaseSyncs();
    expect(await reloaded).toBeUndefined();
    const { replication } = replica.server;
    await until('the link is up', () => replication.follower?.isConnected === true);
    expect(await ask(here, 'KEYS', '*')).toEqual(['theirs']);
    expect(replica.log.join('\n')).toContain('another dataset is being loaded');
  });

  it('serves, and leaves no file behind, when it cannot become the dump', async () => {
    const primary = await scene.start(emptyDisk());
    await ask(await scene.connect(primary), 'SET', 'theirs', 1);
    const disk = emptyDisk();
    const replica = await scene.start(disk);
    disk.renameSync = () => {
      throw Object.assign(new Error('EIO: rename'), { code: 'EIO' });
    };
    const here = await scene.connect(replica);
    await ask(here, 'REPLICAOF', '127.0.0.1', primary.port);
    const { replication } = replica.server;
    await until('the link is up', () => replication.follower?.isConnected === true);
    expect(await ask(here, 'KEYS', '*')).toEqual(['theirs']);
    expect(disk.readdirSync(DATA_FOLDER).filter((name) => name.endsWith('.rdb'))).toEqual([]);
  });

  it('is received into a file of its own at each attempt', async () => {
    const replica = await scene.start(emptyDisk(), { replicaof: '127.0.0.1 1' });
    const { follower } = replica.server.replication;
    expect(follower?.settings().temporaryPath).not.toBe(follower?.settings().temporaryPath);
  });

  it.each([
    ['stays', 'where save points are set', { save: '3600 1' }],
    ['stays', 'where there is an AOF', { appendonly: true, 'aof-use-rdb-preamble': false }],
    ['goes', 'where nothing is kept on disk', {}],
  ])('%s with rdb-del-sync-files %s', async (what, _where, settings) => {
    const primary = await scene.start(emptyDisk());
    await ask(await scene.connect(primary), 'SET', 'theirs', 1);
    const disk = emptyDisk();
    const replica = await scene.start(disk, {
      ...{ save: '', 'rdb-del-sync-files': true, replicaof: `127.0.0.1 ${primary.port}` },
      ...settings,
    });
    const { replication } = replica.server;
    await until('the link is up', () => replication.follower?.isConnected === true);
    const dumps = disk.readdirSync(DATA_FOLDER).filter((name) => name.endsWith('.rdb'));
    expect(dumps).toEqual(what === 'stays' ? ['dump.rdb'] : []);
  });

  describe.each(['disabled', 'swapdb'])('with repl-diskless-load %s', (way) => {
    const settings = { 'repl-diskless-load': way };

    it('is sent whole to replicas of the replica, too', async () => {
      const [top, middle] = [
        await scene.start(emptyDisk()),
        await scene.start(emptyDisk(), settings),
      ];
      await ask(await scene.connect(top), 'SET', 'theirs', 1);
      const between = await scene.connect(middle);
      await ask(between, 'SET', 'ours', 1);
      const bottom = await scene.start(emptyDisk(), { replicaof: `127.0.0.1 ${middle.port}` });
      const below = await scene.connect(bottom);
      await until('it has the old one', async () => (await ask(below, 'GET', 'ours')) === '1');
      await ask(between, 'REPLICAOF', '127.0.0.1', top.port);
      await until('it has the new one', async () => (await ask(below, 'GET', 'theirs')) === '1');
      expect(await ask(below, 'KEYS', '*')).toEqual(['theirs']);
    });

    it('is refused when it is empty and of another history', async () => {
      const primary = await scene.start(emptyDisk());
      const replica = await scene.start(emptyDisk(), settings);
      const here = await scene.connect(replica);
      await ask(here, 'SET', 'ours', 1);
      await ask(here, 'REPLICAOF', '127.0.0.1', primary.port);
      await until('it is refused', () => replica.log.join('\n').includes('there are keys here'));
      await until('what was kept is served', async () => (await ask(here, 'GET', 'ours')) === '1');
    });
  });

  it('is asked for again by who has handed over, when it does not come whole', async () => {
    const disk = emptyDisk();
    const primary = await scene.start(disk);
    const heir = await scene.start(emptyDisk(), { replicaof: `127.0.0.1 ${primary.port}` });
    const { replication } = primary.server;
    await until('it is online', () => replication.primary.replicasAt(0, false) === 1);
    const [client, other] = [await scene.connect(primary), await scene.connect(heir)];
    await ask(client, 'SET', 'kept', 1);
    await until('it has the key', async () => (await ask(other, 'DBSIZE')) === 1);
    await ask(other, 'CLIENT', 'PAUSE', 1_000_000, 'WRITE');
    await ask(client, 'SET', 'lost', 1);
    const open = disk.open.bind(disk);
    disk.open = (path, mode) => {
      disk.open = open;
      return Promise.reject(new Error(`EIO: ${mode} ${path}`));
    };
    const to = ['TO', '127.0.0.1', heir.port, 'FORCE', 'TIMEOUT', 1];
    expect(await ask(client, 'FAILOVER', ...to)).toBe('OK');
    await until('it follows', () => replication.follower?.isConnected === true);
    expect(primary.log.join('\n')).toContain('Replication with MASTER failed: EIO');
    expect(replication.failover.isRunning).toBe(false);
    expect(heir.server.replication.isReplica).toBe(false);
    expect(await ask(client, 'KEYS', '*')).toEqual(['kept']);
  });
});
