/**
 * What INFO replication and ROLE tell of links and replicas in every state.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { ChunkPool } from '../../../src/core/resp/chunk-pool.ts';
import { Reply } from '../../../src/core/resp/reply.ts';
import type { Replica } from '../../../src/replication/replica.ts';
import type { ReplicationService } from '../../../src/server/replication/replication.ts';
import {
  replicationFields,
  replyRole,
} from '../../../src/server/replication/replication-report.ts';
import { fakeReplica } from '../../replication/fake-connection.ts';
import { ask, InProcessScene, type SceneSettings } from '../../support/in-process-scene.ts';
import { emptyDisk } from '../../support/in-process-server.ts';

const NOW = 1_000_000;
const NOBODY = { replicaof: '127.0.0.1 1' };
const scene = new InProcessScene({ appendonly: false });

afterEach(() => scene.end());

async function replicationOf(settings: SceneSettings = {}): Promise<ReplicationService> {
  return (await scene.start(emptyDisk(), settings)).server.replication;
}

/** The link to the primary that there is not, to be put into the state that a test wants. */
async function followerOf(settings: SceneSettings = {}) {
  const replication = await replicationOf({ ...NOBODY, ...settings });
  const { follower } = replication;
  if (follower === null) throw new Error('it follows nobody');
  replication.history.offset = 500;
  return { replication, link: follower.link };
}

function fieldsOf(replication: ReplicationService): Record<string, string | number> {
  return Object.fromEntries(replicationFields(replication, NOW));
}

function roleOf(replication: ReplicationService): string {
  const reply = new Reply(new ChunkPool());
  replyRole(replication, reply);
  return Buffer.from(reply.chunk.subarray(0, reply.total)).toString('latin1');
}

function replicaIn(state: Replica['state'], ackOffset: number, port: number): Replica {
  const { replica, connection } = fakeReplica();
  connection.lastReadMs = NOW - 7000;
  return Object.assign(replica, { state, ackOffset, listeningPort: port });
}

describe('a replica', () => {
  it('tells since when a link that is up has been silent', async () => {
    const { replication, link } = await followerOf();
    Object.assign(link, { state: 'connected', lastIoMs: NOW - 2999, downSinceMs: NOW - 9000 });
    const fields = fieldsOf(replication);
    expect(fields).toMatchObject({
      role: 'slave',
      master_host: '127.0.0.1',
      master_port: 1,
      master_link_status: 'up',
      master_last_io_seconds_ago: 2,
      master_sync_in_progress: 0,
      slave_read_repl_offset: 500,
      slave_repl_offset: 500,
    });
    expect(fields).not.toHaveProperty('master_link_down_since_seconds');
    expect(fields).not.toHaveProperty('master_sync_total_bytes');
    // The clock was set back.
    link.lastIoMs = NOW + 5000;
    expect(fieldsOf(replication).master_last_io_seconds_ago).toBe(0);
  });

  it('has read what it has not applied yet', async () => {
    const { replication, link } = await followerOf();
    Object.defineProperty(link, 'unappliedBytes', { value: 30 });
    expect(fieldsOf(replication)).toMatchObject({
      slave_read_repl_offset: 530,
      slave_repl_offset: 500,
    });
  });

  it('tells since when a link is down', async () => {
    const { replication, link } = await followerOf();
    Object.assign(link, { state: 'connect', lastIoMs: NOW - 2999 });
    expect(fieldsOf(replication)).toMatchObject({
      master_link_status: 'down',
      master_last_io_seconds_ago: -1,
      master_link_down_since_seconds: -1,
    });
    link.downSinceMs = NOW - 4500;
    expect(fieldsOf(replication).master_link_down_since_seconds).toBe(4);
  });

  it('tells how much of a dataset has come', async () => {
    const { replication, link } = await followerOf();
    Object.assign(link, { state: 'sync', lastIoMs: NOW - 3000 });
    Object.assign(link.receiver, { receivedBytes: 250, totalBytes: 0 });
    expect(fieldsOf(replication)).toMatchObject({
      master_link_status: 'down',
      master_sync_in_progress: 1,
      master_sync_total_bytes: 0,
      master_sync_left_bytes: -250,
      master_sync_perc: '0.00',
    });
    link.receiver.totalBytes = 1000;
    expect(fieldsOf(replication)).toMatchObject({
      master_sync_total_bytes: 1000,
      master_sync_read_bytes: 250,
      master_sync_left_bytes: 750,
      master_sync_perc: '25.00',
      master_sync_last_io_seconds_ago: 3,
    });
  });

  it.each([
    ['yes', 1],
    ['no', 0],
  ])('tells what it is set to: %s', async (word, number) => {
    const { replication } = await followerOf({
      'replica-read-only': word,
      'replica-announced': word,
      'replica-priority': 7,
    });
    expect(fieldsOf(replication)).toMatchObject({
      slave_priority: 7,
      slave_read_only: number,
      replica_announced: number,
    });
  });

  it('answers ROLE with the state of the link, and an offset while it is up', async () => {
    const { replication, link } = await followerOf();
    Object.assign(link, { state: 'sync' });
    const head = '*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:1\r\n';
    expect(roleOf(replication)).toBe(`${head}$4\r\nsync\r\n:-1\r\n`);
    Object.assign(link, { state: 'connected' });
    expect(roleOf(replication)).toBe(`${head}$9\r\nconnected\r\n:500\r\n`);
  });
});

describe('a primary', () => {
  it('tells of each replica by its state', async () => {
    const replication = await replicationOf();
    const { replicas } = replication.primary;
    const states = ['waiting', 'snapshot', 'sending-file', 'online'] as const;
    for (const [i, state] of states.entries()) replicas.add(replicaIn(state, 90 + i, 7000 + i));
    expect(fieldsOf(replication)).toMatchObject({
      role: 'master',
      connected_slaves: 4,
      slave0: 'ip=10.0.0.9,port=7000,state=wait_bgsave,offset=90,lag=0',
      slave1: 'ip=10.0.0.9,port=7001,state=wait_bgsave,offset=91,lag=0',
      slave2: 'ip=10.0.0.9,port=7002,state=send_bulk,offset=92,lag=0',
      slave3: 'ip=10.0.0.9,port=7003,state=online,offset=93,lag=7',
    });
    replication.history.offset = 95;
    expect(roleOf(replication)).toBe(
      '*3\r\n$6\r\nmaster\r\n:95\r\n*1\r\n*3\r\n$8\r\n10.0.0.9\r\n$4\r\n7003\r\n$2\r\n93\r\n',
    );
  });

  it.each([
    [1, 10, 1],
    [0, 10, undefined],
    [1, 0, undefined],
  ])('counts good replicas while so many are wanted: %j within %j', async (least, lag, good) => {
    const replication = await replicationOf({
      'min-replicas-to-write': least,
      'min-replicas-max-lag': lag,
    });
    replication.primary.replicas.add(replicaIn('online', 0, 7000));
    replication.primary.goodReplicas = () => 1;
    expect(fieldsOf(replication).min_slaves_good_slaves).toBe(good);
  });

  it('tells of its backlog, and of the stream that it goes on with', async () => {
    const server = await scene.start(emptyDisk());
    const { replication } = server.server;
    expect(fieldsOf(replication)).toMatchObject({
      second_repl_offset: -1,
      repl_backlog_active: 0,
      repl_backlog_first_byte_offset: 0,
      repl_backlog_histlen: 0,
    });
    replication.history.offset = 1000;
    replication.history.promote();
    replication.primary.openBacklog();
    await ask(await scene.connect(server), 'PUBLISH', 'channel', 'x');
    const { offset } = replication.history;
    expect(offset).toBeGreaterThan(1000);
    expect(fieldsOf(replication)).toMatchObject({
      master_repl_offset: offset,
      second_repl_offset: 1001,
      repl_backlog_active: 1,
      repl_backlog_first_byte_offset: 1001,
      repl_backlog_histlen: offset - 1000,
    });
  });

  it('tells of commands that failed while it was a replica, be it one', async () => {
    const replication = await replicationOf();
    expect(fieldsOf(replication)).not.toHaveProperty('slave_failed_commands');
    Object.assign(replication.differences, { count: 1, firstOffset: 12 });
    expect(fieldsOf(replication)).toMatchObject({
      slave_failed_commands: 1,
      slave_first_failed_offset: 12,
    });
  });
});
