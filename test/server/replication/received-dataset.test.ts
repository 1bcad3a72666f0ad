/**
 * The dataset of a full sync on its way from the socket into memory and onto the disk, while the
 * server saves, and changes whom it follows.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { ask, InProcessScene, until } from '../../support/in-process-scene.ts';
import { DATA_FOLDER, emptyDisk } from '../../support/in-process-server.ts';

const scene = new InProcessScene({ appendonly: false, 'repl-diskless-sync': false });

afterEach(() => scene.end());

describe('the dataset of a primary', () => {
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
});
