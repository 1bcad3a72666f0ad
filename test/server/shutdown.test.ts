/** The orderly end of a primary whose replica lags: who waits, for how long, and who goes on. */
import { afterEach, describe, expect, it } from 'vitest';
import { ask, InProcessScene, type SceneSettings, until } from '../support/in-process-scene.ts';
import { emptyDisk } from '../support/in-process-server.ts';
import { RawReplica } from '../support/raw-replica.ts';

const HOUR = 3600;
const REFUSED = 'ERR Errors trying to SHUTDOWN. Check logs.';

const scene = new InProcessScene({ 'repl-ping-replica-period': HOUR, appendonly: false });
const replicas: RawReplica[] = [];

afterEach(async () => {
  for (const { socket } of replicas.splice(0)) socket.destroy();
  await scene.end();
});

/** A primary with a replica that has not got a key. */
async function lagging(settings: SceneSettings) {
  const primary = await scene.start(emptyDisk(), settings);
  const { replication } = primary.server;
  replication.primary.openBacklog();
  const { history } = replication;
  const replica = new RawReplica(primary, history.id, history.offset + 1);
  replicas.push(replica);
  await until('it is fed', () => replication.primary.replicas.size === 1);
  const client = await scene.connect(primary);
  await ask(client, 'SET', 'a', '1');
  const waitsMs = async (): Promise<number> => {
    const found = /shutdown_in_milliseconds:(\d+)/.exec(
      String(await ask(client, 'INFO', 'server')),
    );
    return Number(found?.[1] ?? -1);
  };
  /** What a client is told in answer, or that its connection ended without. */
  const answer = async (...words: string[]): Promise<unknown> =>
    ask(await scene.connect(primary), ...words).catch(() => 'the end');
  const count = (text: string): number => primary.log.filter((line) => line.includes(text)).length;
  return { primary, history, replica, client, waitsMs, answer, count };
}

describe('SHUTDOWN', () => {
  it('waits for a replica, while others read, and until it is told to go on', async () => {
    const stage = await lagging({ 'shutdown-timeout': HOUR });
    const { primary, history, replica, client, waitsMs, answer, count } = stage;
    const endings = [answer('SHUTDOWN', 'NOSAVE')];
    await until('it waits', async () => (await waitsMs()) > (HOUR - 600) * 1000);
    await until('it asks', () => replica.stream.includes('GETACK'));
    endings.push(answer('SHUTDOWN', 'NOSAVE'));
    const written = answer('SET', 'a', '2');
    await until('both have come', async () => {
      return String(await ask(client, 'CLIENT', 'LIST')).split(/cmd=(?:shutdown|set)/).length === 4;
    });
    expect(await ask(client, 'GET', 'a')).toBe('1');
    expect(count('User requested shutdown')).toBe(1);

    expect(await ask(client, 'SHUTDOWN', 'ABORT')).toBe('OK');
    expect(await Promise.all(endings)).toEqual([REFUSED, REFUSED]);
    expect([await written, await waitsMs()]).toEqual(['OK', -1]);
    expect(await ask(client, 'SHUTDOWN', 'ABORT')).toBe('ERR No shutdown in progress.');

    const ended = answer('SHUTDOWN', 'NOSAVE');
    await until('it waits again', async () => (await waitsMs()) >= 0);
    replica.acknowledge(history.offset);
    expect(await ended).toBe('the end');
    expect(primary.exitCode).toBe(0);
    expect([count('Lagging replica'), count('1 of 1 replicas are in sync')]).toEqual([0, 1]);
  });

  it('takes no write after its time is over, whatever has not got what', async () => {
    const { primary, answer, waitsMs, count } = await lagging({ 'shutdown-timeout': 1 });
    // It may not be to connect any more by when the waiting is seen.
    const writer = await scene.connect(primary);
    const ended = answer('SHUTDOWN', 'NOSAVE');
    // Nor to ask, when that has taken a second.
    await until('it waits', async () => (await waitsMs().catch(() => 0)) >= 0);
    expect(await ask(writer, 'SET', 'a', '2').catch(() => 'the end')).toBe('the end');
    expect([await ended, primary.exitCode]).toEqual(['the end', 0]);
    expect(count('Lagging replica 127.0.0.1:')).toBe(1);
    expect(count('0 of 1 replicas are in sync')).toBe(1);
  });

  it('waits for nobody when it is to end now', async () => {
    const { answer, count } = await lagging({ 'shutdown-timeout': HOUR });
    expect(await answer('SHUTDOWN', 'NOSAVE', 'NOW')).toBe('the end');
    expect(count('Waiting for replicas')).toBe(0);
  });
});
