/**
 * A primary that was killed, and starts again from its AOF, has the end of its stream for replicas
 * that had not got it.
 */
import { afterEach, expect, it } from 'vitest';
import { ask, InProcessScene, until } from '../../support/in-process-scene.ts';
import { emptyDisk } from '../../support/in-process-server.ts';
import { RawReplica } from '../../support/raw-replica.ts';

const scene = new InProcessScene({
  appendonly: true,
  'repl-diskless-sync': false,
  'repl-ping-replica-period': 3600,
  'repl-backlog-size': 1 << 20,
  'enable-debug-command': 'yes',
});
const replicas: RawReplica[] = [];
afterEach(async () => {
  for (const one of replicas.splice(0)) one.socket.destroy();
  await scene.end();
});

/** A primary with a replica, and what one that is behind will get of its stream. */
async function fed() {
  const disk = emptyDisk();
  const primary = await scene.start(disk);
  const client = await scene.connect(primary);
  const replicaDisk = emptyDisk();
  const replica = await scene.start(replicaDisk, { replicaof: `127.0.0.1 ${primary.port}` });
  const { replication, persistence } = primary.server;
  await until('it is online', () => replication.primary.replicasAt(0, false) === 1);
  await until('the AOF is on', () => persistence.aof.aof.state === 'on');
  await ask(client, 'SET', 'before', 1);
  expect(await ask(client, 'WAIT', 1, 0)).toBe(1);
  const { id, offset } = replication.history;
  const behind = new RawReplica(primary, id, offset + 1);
  replicas.push(behind);
  const write = async (): Promise<void> => {
    await ask(client, 'SELECT', 3);
    await ask(client, 'SET', 'big', 'x'.repeat(300_000));
    await client.pipeline([['MULTI'], ['INCR', 'n'], ['SADD', 's', 'a', 'b'], ['EXEC']]);
    await ask(client, 'SPOP', 's');
  };
  await write();
  const { history } = replication;
  const whole = async (one: RawReplica): Promise<Buffer> => {
    await until('it has all', () => one.streamBytes >= history.offset - offset);
    return one.stream;
  };
  return {
    disk,
    primary,
    replica,
    replicaDisk,
    write,
    id,
    offset,
    stream: await whole(behind),
    whole,
  };
}

it('it is what they would have got, byte for byte', async () => {
  const { disk, primary, id, offset, stream, whole } = await fed();
  const left = disk.kill();
  await primary.abandon();
  const again = await scene.start(left);
  const late = new RawReplica(again, id, offset + 1);
  replicas.push(late);
  expect((await whole(late)).equals(stream)).toBe(true);
  expect(again.server.stats).toMatchObject({ syncPartialOk: 1, syncFull: 0 });
});

it('a replica that was away goes on, though its primary was, too', async () => {
  const { disk, primary, replica, replicaDisk, write } = await fed();
  const { aof } = replica.server.persistence.aof;
  await until('the AOF of the replica is on', () => aof.state === 'on');
  const itsData = replicaDisk.kill();
  await replica.abandon();
  await write();
  const data = disk.kill();
  await primary.abandon();

  const again = await scene.start(data);
  const settings = { replicaof: `127.0.0.1 ${again.port}` };
  const follower = await scene.start(itsData, settings);
  const { history } = again.server.replication;
  await until('it has all', () => follower.server.replication.history.offset === history.offset);
  expect(again.server.stats).toMatchObject({ syncPartialOk: 1, syncFull: 0 });
  const digests = [again, follower].map(async (one) =>
    ask(await scene.connect(one), 'DEBUG', 'DIGEST'),
  );
  const [ours, theirs] = await Promise.all(digests);
  expect(theirs).toBe(ours);
});

it('there is no more of it than the backlog has room for', async () => {
  const { disk, primary, id, offset, stream } = await fed();
  const data = disk.kill();
  await primary.abandon();
  const again = await scene.start(data, { 'repl-backlog-size': 64 << 10 });
  const { backlog } = again.server.replication.primary;
  expect(backlog!.end).toBe(offset + stream.length);
  expect(backlog!.length).toBe(64 << 10);
  const client = await scene.connect(again);
  client.write(`PSYNC ${id} ${offset + 1}\r\n`);
  await until('it is told', () => again.log.some((line) => line.includes('for lack of backlog')));
});

it('a replica takes none, since its AOF has not the words of the stream', async () => {
  const { disk, primary } = await fed();
  const data = disk.kill();
  await primary.abandon();
  const again = await scene.start(data, { replicaof: '127.0.0.1 1' });
  expect(again.server.replication.primary.backlog?.length).toBe(0);
});
