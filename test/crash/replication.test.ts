/**
 * Replication on disks that fail and machines that lose power: two servers in this process, each on
 * a disk of the test's.
 */
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { InProcessScene, until } from '../support/in-process-scene.ts';
import { emptyDisk, type InProcessServer } from '../support/in-process-server.ts';

const scene = new InProcessScene();

afterEach(() => scene.end());

const isLinked = (server: InProcessServer) => (): boolean =>
  server.server.replication.follower?.isConnected === true;

const primaryOptions = { 'repl-diskless-sync': false, 'repl-ping-replica-period': 1 };

describe('replication', () => {
  it('a replica applies nothing that its disk refuses, and goes on when it is well', async () => {
    const primary = await scene.start(emptyDisk(), { ...primaryOptions, appendonly: false });
    const writer = await scene.connect(primary);
    const replica = await scene.start(emptyDisk(), {
      replicaof: `127.0.0.1 ${primary.port}`,
      appendfsync: 'everysec',
    });
    await until('the link is up', isLinked(replica));
    const reader = await scene.connect(replica);
    await until('the AOF stands', () => replica.server.persistence.aof.aof.state === 'on');
    await writer.value('SET', 'before', 1);
    await until('it is there', async () => (await reader.value('GET', 'before')) === '1');
    replica.fs.failWriteOf = /aof/;
    await writer.value('SET', 'noticed', 1);
    await until('the link is broken', () => !isLinked(replica)());
    await writer.value('SET', 'after', 2);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await reader.value('GET', 'after')).toBe(null);
    replica.fs.failWriteOf = undefined;
    await until('it goes on', async () => (await reader.value('GET', 'after')) === '2');
    expect(primary.server.stats.syncFull).toBe(1);
  });

  it('with replica-ignore-disk-write-errors it applies all the same', async () => {
    const primary = await scene.start(emptyDisk(), { ...primaryOptions, appendonly: false });
    const writer = await scene.connect(primary);
    const replica = await scene.start(emptyDisk(), {
      replicaof: `127.0.0.1 ${primary.port}`,
      'replica-ignore-disk-write-errors': true,
    });
    await until('the link is up', isLinked(replica));
    await until('the AOF stands', () => replica.server.persistence.aof.aof.state === 'on');
    replica.fs.failWriteOf = /aof/;
    const reader = await scene.connect(replica);
    for (let i = 0; i < 80; i++) {
      const written = writer.value('SET', 'a', i);
      // Some reads come in the turn that takes the write.
      for (let round = 0; round < i % 8; round++) await setImmediate();
      await reader.value('GET', 'a');
      await written;
    }
    await until('it is there', async () => (await reader.value('GET', 'a')) === '79');
    expect(isLinked(replica)()).toBe(true);
  });

  it.each([1, 2, 3, 4, 5, 6])(
    'a primary that lost power (%i) ends with the data of its replica',
    async (seed) => {
      const disk = emptyDisk();
      const primary = await scene.start(disk, { ...primaryOptions, appendfsync: 'everysec' });
      const { port } = primary;
      const writer = await scene.connect(primary);
      const replica = await scene.start(emptyDisk(), {
        replicaof: `127.0.0.1 ${port}`,
        appendonly: false,
      });
      await until('the link is up', isLinked(replica));
      for (let i = 0; i < 200; i++) await writer.value('SET', `k${i % 40}`, i);
      await until('the replica has it', () => {
        return (
          replica.server.replication.history.offset === primary.server.replication.history.offset
        );
      });
      const next = disk.cutPower(seed, 'some');
      writer.close();
      await primary.abandon();
      const again = await scene.start(next, { ...primaryOptions, appendfsync: 'everysec', port });
      const client = await scene.connect(again);
      await client.value('SET', 'era', 'new');
      await until('the link is up', isLinked(replica));
      await until('they agree', async () => {
        const { history: a } = again.server.replication;
        const { history: b } = replica.server.replication;
        return a.id === b.id && a.offset === b.offset;
      });
      const reader = await scene.connect(replica);
      const names = Array.from({ length: 40 }, (_, i) => `k${i}`);
      expect(await reader.value('MGET', ...names, 'era')).toEqual(
        await client.value('MGET', ...names, 'era'),
      );
    },
  );
});
