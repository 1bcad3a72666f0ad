/**
 * What a replica tells its primary: never more than its own log keeps, whatever its policy; a sign
 * of life all the same.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { ask, InProcessScene, type SceneSettings, until } from '../../support/in-process-scene.ts';
import { emptyDisk, type InProcessServer } from '../../support/in-process-server.ts';

const scene = new InProcessScene({ 'repl-diskless-sync': false });

afterEach(() => scene.end());

async function pair(settings: SceneSettings) {
  const primary = await scene.start(emptyDisk(), { appendonly: false });
  const disk = emptyDisk();
  const replicaof = `127.0.0.1 ${primary.port}`;
  const replica = await scene.start(disk, { ...settings, replicaof });
  const { follower } = replica.server.replication;
  await until('the link is up', () => follower?.isConnected === true);
  await until('its AOF stands', () => {
    const { aof } = replica.server.persistence;
    return !aof.rewrites.isRunning && (aof.aof.state === 'on' || settings.appendonly === false);
  });
  return { disk, primary, replica, client: await scene.connect(primary) };
}

/** What the primary knows of its only replica. */
const known = ({ server }: InProcessServer) => [...server.replication.primary.replicas][0]!;

/** The replica's connection, as the primary sees it. */
const linkOf = ({ server }: InProcessServer) =>
  [...server.clients.values()].find((one) => one.isReplica)!;

describe('a replica', () => {
  it('acknowledges under always what is on its disk, and nothing before', async () => {
    const { disk, primary, replica, client } = await pair({ appendfsync: 'always' });
    await ask(client, 'SET', 'a', 1);
    expect(await ask(client, 'WAIT', 1, 60_000)).toBe(1);
    disk.holdSyncs();
    await ask(client, 'SET', 'b', 2);
    const written = primary.server.replication.history.offset;
    const { history } = replica.server.replication;
    await until('it has the write', () => history.offset >= written);
    const waiting = ask(client, 'WAIT', 1, 60_000);
    // Signs of life go on, and say no more than is safe.
    for (let seconds = 0; seconds < 3; seconds++) {
      const { bytesIn } = linkOf(primary);
      replica.server.turn.progress();
      replica.server.replication.tickSecond(Date.now());
      await until('it hears', () => linkOf(primary).bytesIn > bytesIn);
    }
    expect(known(primary).ackOffset).toBeLessThan(written);
    disk.releaseSyncs();
    expect(await waiting).toBe(1);
    expect(known(primary).ackOffset).toBeGreaterThanOrEqual(written);
  });

  it.each([{ appendfsync: 'everysec' }, { appendfsync: 'no' }, { appendonly: false }])(
    'acknowledges with %j what a kill -9 cannot take',
    async (settings) => {
      const { client } = await pair(settings);
      for (let i = 0; i < 20; i++) {
        await ask(client, 'SET', `key:${i}`, i);
        expect(await ask(client, 'WAIT', 1, 60_000)).toBe(1);
      }
    },
  );
});
