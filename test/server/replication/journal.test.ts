/**
 * What a server puts into its stream by itself, where the stream begins, and what a replica tells
 * its primary over one connection and not over the next.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { PrimaryLink } from '../../../src/replication/primary-link.ts';
import { ReplicationAcks } from '../../../src/server/replication/replication-acks.ts';
import type { ReplicationJournal } from '../../../src/server/replication/replication-journal.ts';
import type { Turn } from '../../../src/server/turn/turn.ts';
import { ask, InProcessScene, until } from '../../support/in-process-scene.ts';
import { emptyDisk } from '../../support/in-process-server.ts';
import { RawReplica } from '../../support/raw-replica.ts';

const PING = '*1\r\n$4\r\nPING\r\n';
const scene = new InProcessScene({ 'repl-ping-replica-period': 3600 });

afterEach(() => scene.end());

/** A server with a stream, a client of it, and how many bytes have come into the stream since. */
async function withStream() {
  const server = await scene.start(emptyDisk());
  const { primary } = server.server.replication;
  const client = await scene.connect(server);
  primary.openBacklog();
  const before = primary.history.offset;
  return { client, streamBytes: () => primary.history.offset - before };
}

describe('the stream of a primary', () => {
  it('goes on when the last save failed', async () => {
    const { journal, primary } = (await scene.start(emptyDisk())).server.replication;
    primary.openBacklog();
    const before = primary.history.offset;
    const fails = (): Promise<void> => {
      journal.ping();
      expect(primary.history.offset).toBe(before);
      return Promise.reject(new Error('no room'));
    };
    await expect(journal.silently(fails)).rejects.toThrow('no room');
    journal.ping();
    expect(primary.history.offset).toBe(before + PING.length);
  });

  it('begins with the database, though the log was in it already', async () => {
    const server = await scene.start(emptyDisk());
    const { primary } = server.server.replication;
    const client = await scene.connect(server);
    await ask(client, 'SELECT', 3);
    await ask(client, 'SET', 'key', 1);
    primary.openBacklog();
    const replica = new RawReplica(server, primary.history.id, primary.history.offset + 1);
    try {
      await until('it is fed', () => primary.replicas.size === 1);
      await ask(client, 'SET', 'key', 2);
      await until('it has the write', () => replica.streamBytes > 0);
      const select = '*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n';
      const set = '*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$1\r\n2\r\n';
      expect(replica.stream.toString()).toBe(select + set);
    } finally {
      replica.socket.destroy();
    }
  });

  it('has all that was written before the server became a replica', async () => {
    const { client, streamBytes } = await withStream();
    await client.pipeline([
      ['SET', 'a', 1],
      ['REPLICAOF', '127.0.0.1', 1],
    ]);
    const unit = ['*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n', '*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n'];
    expect(streamBytes()).toBe(unit.join('').length);
  });

  it('has a transaction whole that was cut by a change of role', async () => {
    const { client, streamBytes } = await withStream();
    await client.pipeline([
      ['MULTI'],
      ['SET', 'a', 1],
      ['SET', 'b', 2],
      ['REPLICAOF', '127.0.0.1', 1],
      ['EXEC'],
    ]);
    const unit = [
      '*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n',
      '*1\r\n$5\r\nMULTI\r\n',
      '*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n',
      '*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n2\r\n',
      '*1\r\n$4\r\nEXEC\r\n',
    ];
    expect(streamBytes()).toBe(unit.join('').length);
  });

  it('stands still while a replica is waited for that is to take over', async () => {
    const server = await scene.start(emptyDisk(), { 'repl-ping-replica-period': 1 });
    const { replication } = server.server;
    const { failover, primary } = replication;
    primary.openBacklog();
    const replica = new RawReplica(server, primary.history.id, primary.history.offset + 1);
    try {
      await until('it is fed', () => primary.replicas.size === 1);
      failover.begin({ host: '127.0.0.1', port: 1 }, false, 0);
      const { offset } = primary.history;
      replication.tickSecond(Date.now());
      expect(primary.history.offset).toBe(offset);
      failover.abort('the test is over');
      replication.tickSecond(Date.now());
      expect(primary.history.offset).toBe(offset + PING.length);
    } finally {
      replica.socket.destroy();
    }
  });
});

describe('acknowledgements', () => {
  /** Acknowledgements of a stream and a log that the test moves, and what was told. */
  function acknowledging() {
    const told: number[] = [];
    const stream = { executedBytes: 10, fsyncedOffset: -1, streamEnd: 100 };
    const disk = { safeBytes: 10 };
    const link: Partial<PrimaryLink> = {
      settle: () => {},
      acknowledge: (offset) => void told.push(offset),
    };
    const turn: Partial<Turn> = { schedule: () => {}, isSafe: (bytes) => bytes <= disk.safeBytes };
    const journal: Partial<ReplicationJournal> = stream;
    const acks = new ReplicationAcks(
      link as PrimaryLink,
      journal as ReplicationJournal,
      turn as Turn,
    );
    return { acks, told, stream, disk, link };
  }

  it('of a connection that has ended are told over no other', () => {
    const { acks, told, stream, disk } = acknowledging();
    acks.request();
    acks.check();
    expect(told).toEqual([100]);
    Object.assign(stream, { executedBytes: 20, streamEnd: 200 });
    acks.request();
    acks.tick();
    expect(told).toEqual([100, 100]);
    acks.clear();
    Object.assign(stream, { executedBytes: 30, streamEnd: 50 });
    acks.request();
    acks.tick();
    disk.safeBytes = 20;
    acks.check();
    expect(told).toEqual([100, 100]);
    disk.safeBytes = 30;
    acks.check();
    expect(told).toEqual([100, 100, 50]);
  });

  it('tell once, of all that is safe, up to what had come when they were asked for', () => {
    const { acks, told, stream, disk, link } = acknowledging();
    link.settle = () => {
      stream.streamEnd += 5;
    };
    acks.request();
    Object.assign(stream, { executedBytes: 20, streamEnd: 200 });
    acks.request();
    Object.assign(stream, { executedBytes: 30, streamEnd: 300 });
    acks.request();
    disk.safeBytes = 20;
    acks.check();
    expect(told).toEqual([205]);
    acks.check();
    expect(told).toEqual([205]);
    disk.safeBytes = 30;
    acks.check();
    expect(told).toEqual([205, 305]);
  });
});
