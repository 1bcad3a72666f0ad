/**
 * FAILOVER: who takes over, and what a failover that comes to nothing takes back.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Replica } from '../../../src/replication/replica.ts';
import { Failover } from '../../../src/server/replication/replication-failover.ts';
import { fakeReplica } from '../../replication/fake-connection.ts';

const TARGET = { host: '10.0.0.9', port: 7000 };

afterEach(() => vi.restoreAllMocks());

/** A failover of a primary at offset 100, what it has asked for, and a clock to set. */
function scene(...replicas: Replica[]) {
  const done: string[] = [];
  let nowMs = 1000;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  const failover = new Failover({
    replicas: () => replicas,
    streamOffset: () => 100,
    pauseWrites: () => done.push('pause'),
    resumeWrites: () => done.push('resume'),
    follow: ({ host, port }) => done.push(`follow ${host}:${port}`),
    promote: () => done.push('promote'),
    log: () => {},
  });
  const passMs = (ms: number): void => {
    nowMs += ms;
    failover.check();
  };
  return { failover, done, passMs };
}

function replicaAt(ackOffset: number, address = TARGET.host): Replica {
  const { replica } = fakeReplica();
  return Object.assign(replica, { ackOffset, state: 'online', announcedAddress: address });
}

describe('a failover', () => {
  it('waits without a limit for a replica that has everything', () => {
    const late = replicaAt(99);
    const { failover, done, passMs } = scene(late);
    failover.begin(null, false, 0);
    passMs(1e9);
    expect(done).toEqual(['pause']);
    late.ackOffset = 100;
    passMs(0);
    expect(done).toEqual(['pause', 'follow 10.0.0.9:7000']);
  });

  it('goes to no other replica than the one that was named, nor to one that is not online', () => {
    const named = replicaAt(100);
    named.state = 'sending-file';
    const otherPort = replicaAt(100);
    otherPort.listeningPort = 7001;
    const { failover, done, passMs } = scene(replicaAt(100, '10.0.0.8'), otherPort, named);
    failover.begin(TARGET, false, 0);
    passMs(0);
    expect(done).toEqual(['pause']);
    named.state = 'online';
    passMs(0);
    expect(done).toEqual(['pause', 'follow 10.0.0.9:7000']);
  });

  it('is given up when time is up, and nobody takes over who lacks writes', () => {
    const { failover, done, passMs } = scene(replicaAt(99));
    failover.begin(TARGET, false, 500);
    passMs(499);
    expect(done).toEqual(['pause']);
    passMs(1);
    expect(done).toEqual(['pause', 'resume']);
    expect(failover.isRunning).toBe(false);
  });

  it('goes to the one that was named, whatever it has, when time is up and it is forced', () => {
    const { failover, done, passMs } = scene(replicaAt(99));
    failover.begin(TARGET, true, 500);
    passMs(500);
    expect(done).toEqual(['pause', 'follow 10.0.0.9:7000']);
    passMs(1e9);
    expect(done).toHaveLength(2);
  });

  it('leaves the old primary one when the replica refuses, or it is aborted', () => {
    const { failover, done, passMs } = scene(replicaAt(100));
    failover.begin(null, false, 0);
    passMs(0);
    failover.abort('it was refused');
    expect(done.slice(2)).toEqual(['resume', 'promote']);
    failover.abort('nothing is under way');
    expect(done).toHaveLength(4);
  });

  it('is over when the replica has taken over, and not before it was asked to', () => {
    const replica = replicaAt(99);
    const { failover, done, passMs } = scene(replica);
    failover.begin(null, false, 0);
    failover.succeeded();
    expect(failover.state).toBe('waiting-for-sync');
    replica.ackOffset = 100;
    passMs(0);
    failover.succeeded();
    expect(failover.isRunning).toBe(false);
    expect(done).toEqual(['pause', 'follow 10.0.0.9:7000', 'resume']);
  });
});
