/**
 * Positions in the replication stream that are told in the middle of a turn, when what was executed
 * is in the dataset but neither in the log nor in the stream yet.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { Replica } from '../../../src/replication/replica.ts';
import type { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import { InProcessScene, type SceneSettings, until } from '../../support/in-process-scene.ts';
import { emptyDisk, type InProcessServer } from '../../support/in-process-server.ts';
import { ReplyError } from '../../support/resp-reader.ts';

/** Nothing but what a test writes gets into the stream. */
const QUIET: SceneSettings = { 'repl-diskless-sync': false, 'repl-ping-replica-period': 3600 };

const scene = new InProcessScene(QUIET);

async function replicaOf(
  primary: InProcessServer,
  disk: FaultyFileSystem,
  settings: SceneSettings,
) {
  const replica = await scene.start(disk, { ...settings, replicaof: `127.0.0.1 ${primary.port}` });
  const { replication } = replica.server;
  await until('the link is up', () => replication.follower?.isConnected === true);
  await until('no snapshot runs', () => !primary.server.persistence.snapshots.isRunning);
  return replica;
}

/** Sends all in one write, so that one turn runs it. */
async function inOneTurn(server: InProcessServer, ...lines: string[]): Promise<unknown[]> {
  const client = await server.connect();
  const replies = await client.pipeline(
    lines.map((line) => line.split(' ').map((word) => word.replace('\t', ' '))),
  );
  client.close();
  return replies.map(({ value }) => (value instanceof ReplyError ? value.error : value));
}

afterEach(() => scene.end());

describe('in the middle of a turn', () => {
  it('a replica does not count as fsynced what its log has not got yet', async () => {
    const primary = await scene.start(emptyDisk(), { appendonly: false });
    const disk = emptyDisk();
    const replica = await replicaOf(primary, disk, { appendfsync: 'everysec' });
    await until('its AOF stands', () => replica.server.persistence.aof.aof.state === 'on');
    expect(await inOneTurn(primary, 'SET a 0', 'WAITAOF 0 1 0')).toEqual(['OK', [0, 1]]);
    disk.holdSyncs();
    // Write and question come to the replica in one piece.
    expect(await inOneTurn(primary, 'SET a 1', 'WAITAOF 0 1 200')).toEqual(['OK', [0, 0]]);
    disk.releaseSyncs();
    expect(await inOneTurn(primary, 'SET a 2', 'WAITAOF 0 1 0')).toEqual(['OK', [0, 1]]);
  });

  it('WAITAOF waits for nothing that only replicas get', async () => {
    const primary = await scene.start(emptyDisk(), { appendfsync: 'always' });
    await replicaOf(primary, emptyDisk(), { appendonly: false });
    const publish = `PUBLISH channel ${'x'.repeat(5000)}`;
    expect(await inOneTurn(primary, publish, 'WAITAOF 1 0 0')).toEqual([0, [1, 0]]);
    expect(await inOneTurn(primary, 'SET a 1', publish, 'WAITAOF 1 0 0')).toEqual(
      ['OK', 0, [1, 0]], // biome-ignore format: in one piece
    );
  });

  it('a replica has not caught up that lacks what this turn has written', async () => {
    const primary = await scene.start(emptyDisk(), { appendonly: false });
    const { replication } = primary.server;
    for (let i = 1; i <= 2; i++) {
      await replicaOf(primary, emptyDisk(), { appendonly: false });
      await until('it is online', () => replication.primary.replicasAt(0, false) === i);
    }
    expect(await inOneTurn(primary, 'SET a 0', 'WAIT 2 0')).toEqual(['OK', 2]);
    const { offset } = replication.history;
    await until('both say so', () => replication.primary.replicasAt(offset, false) === 2);
    const [{ connection }] = [...replication.primary.replicas] as [Replica];
    // That one of them goes has the server look whether the other one may take over.
    const kill = `CLIENT KILL ADDR ${connection.address}:${connection.port}`;
    const info = 'INFO replication';
    const replies = await inOneTurn(primary, 'SET a 1', 'FAILOVER', kill, info, 'FAILOVER ABORT');
    expect(replies.slice(0, 2)).toEqual(['OK', 'OK']);
    expect(replies[3]).toContain('master_failover_state:waiting-for-sync');
  });

  it('a replica hears nothing yet of what waits for the disk', async () => {
    const disk = emptyDisk();
    const primary = await scene.start(disk, { appendfsync: 'always' });
    const { replication, persistence } = primary.server;
    await replicaOf(primary, emptyDisk(), { appendonly: false });
    await until('it is online', () => replication.primary.replicasAt(0, false) === 1);
    await inOneTurn(primary, 'SET a 1');
    const [{ connection }] = [...replication.primary.replicas] as [Replica];
    await until('it has the write', () => connection.unsentBytes === 0);
    const { sentBytes } = connection;
    const { offset } = replication.history;
    const { aof } = persistence.aof;
    disk.holdSyncs();
    const answer = inOneTurn(primary, 'SET a 2');
    await until('it is with the log', () => aof.appendedBytes > aof.syncedBytes);
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(connection.sentBytes).toBe(sentBytes);
    expect(connection.unsentBytes).toBe(replication.history.offset - offset);
    disk.releaseSyncs();
    expect(await answer).toEqual(['OK']);
    await until('it has this one, too', () => connection.unsentBytes === 0);
  });

  const publish = `PUBLISH channel ${'x'.repeat(5000)}`;

  it.each([
    ['with the next write', [publish, 'SET a 1'], false],
    ['a second later', [publish], true],
  ])('the AOF is told %s of what only replicas get', async (_when, lines, ticks) => {
    const fs = emptyDisk();
    const primary = await scene.start(fs, { appendfsync: 'always' });
    await replicaOf(primary, emptyDisk(), { appendonly: false });
    await inOneTurn(primary, ...lines);
    const { persistence, replication } = primary.server;
    if (ticks) {
      await inOneTurn(primary, publish);
      replication.tickSecond(Date.now());
    }
    const { aof } = persistence.aof;
    await until('all is on disk', () => aof.syncedBytes === aof.appendedBytes);
    const { offset } = replication.history;
    const again = await scene.start(fs.kill(), { appendfsync: 'always' });
    expect(again.server.replication.history.offset).toBe(offset);
  });

  const withSavePoint = (...lines: string[]): string[] => [
    'CONFIG SET save 3600\t1',
    ...lines,
    'CONFIG SET save ',
  ];

  it.each([
    ['SAVE', ['SAVE']],
    ['BGSAVE', ['BGSAVE']],
    ['FLUSHALL', withSavePoint('FLUSHALL')],
    ['a transaction', withSavePoint('MULTI', 'SET b 1', 'FLUSHALL', 'SET c 1', 'EXEC')],
  ])('%s makes a dump that says the place of its data', async (_name, lines) => {
    const fs = emptyDisk();
    const primary = await scene.start(fs, { appendonly: false });
    await replicaOf(primary, emptyDisk(), { appendonly: false });
    const replies = await inOneTurn(primary, 'SET a 1', ...lines);
    expect(replies.join(' ')).not.toContain('ERR');
    const { persistence, replication } = primary.server;
    await until('it is saved', () => !persistence.snapshots.isRunning);
    // A replica that has got no more than the dump says goes on from there, and lacks nothing.
    const [size] = await inOneTurn(primary, 'DBSIZE');
    const again = await scene.start(fs.kill(), { appendonly: false });
    expect(await inOneTurn(again, 'DBSIZE')).toEqual([size]);
    expect(again.server.replication.history.offset).toBe(replication.history.offset);
  });
});
