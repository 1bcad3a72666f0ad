/**
 * The system's clock is set while a server runs: back by an hour, and nothing rests until it has
 * caught up; ahead, and keys whose time has passed go soon.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ask, InProcessScene, until } from '../support/in-process-scene.ts';
import { emptyDisk } from '../support/in-process-server.ts';

const HOUR_MS = 3_600_000;
const scene = new InProcessScene({
  appendfsync: 'everysec',
  'repl-diskless-sync': false,
  'repl-ping-replica-period': 1,
});

/** The clock goes on from there. */
function setClock(byMs: number): void {
  const { now } = Date;
  vi.spyOn(Date, 'now').mockImplementation(() => now() + byMs);
}

afterEach(async () => {
  vi.restoreAllMocks();
  await scene.end();
});

describe('a clock that is set back', () => {
  it('does not put off the fsync of each second', async () => {
    const client = await scene.connect(await scene.start(emptyDisk()));
    await ask(client, 'SET', 'a', '1');
    expect(await ask(client, 'WAITAOF', 1, 0, 0)).toEqual([1, 0]);
    setClock(-HOUR_MS);
    await ask(client, 'SET', 'b', '2');
    expect(await ask(client, 'WAITAOF', 1, 0, 60_000)).toEqual([1, 0]);
  });

  it('does not keep a primary from talking to its replicas', async () => {
    const primary = await scene.start(emptyDisk());
    const to = `127.0.0.1 ${primary.port}`;
    const replica = await scene.start(emptyDisk(), { appendonly: false, replicaof: to });
    const { replication } = replica.server;
    await until('the link is up', () => replication.follower?.isConnected === true);
    const { history } = replication;
    const { offset } = history;
    setClock(-HOUR_MS);
    await until('the replica was pinged', () => history.offset > offset);
    await until('and has said so', () => {
      const [one] = primary.server.replication.primary.replicas;
      return one !== undefined && one.ackOffset > offset;
    });
  });

  it('lengthens no WAIT and no pause', async () => {
    const server = await scene.start(emptyDisk());
    const [waiting, paused] = [await scene.connect(server), await scene.connect(server)];
    const waited = ask(waiting, 'WAIT', 1, 200);
    await ask(paused, 'CLIENT', 'PAUSE', 200);
    setClock(-HOUR_MS);
    expect(await ask(paused, 'SET', 'a', '1')).toBe('OK');
    expect(await waited).toBe(0);
  });
});

describe('a clock that is set ahead', () => {
  it('has keys removed whose time has passed, though nobody looks', async () => {
    const server = await scene.start(emptyDisk());
    const client = await scene.connect(server);
    await ask(client, 'SET', 'a', '1', 'EX', 1800);
    setClock(HOUR_MS);
    await until('it is gone', () => server.server.keyspace.expiredKeys === 1);
  });
});
