/** Clients that write while a snapshot lags behind are slowed down, and nobody is for good. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Client, RUNNING, WAIT_SNAPSHOT } from '../../../src/server/clients/client.ts';
import { SnapshotBrake } from '../../../src/server/persistence/snapshot-brake.ts';
import { InsideServer } from '../../support/inside.ts';

const MB = 1024 * 1024;

describe('the brake', () => {
  let server: InsideServer;
  let queued = 0;
  const resumed: Client[] = [];
  let brake: SnapshotBrake;

  /** A client with a link that counts pauses. */
  function client(): { one: Client; pauses: () => number } {
    const one = server.server.hub.detached();
    let pauses = 0;
    const nothing = () => {};
    one.link = {
      remoteAddress: '',
      localAddress: '',
      fd: -1,
      send: () => 0,
      sendParts: () => 0,
      pause: () => {
        pauses++;
      },
      resume: nothing,
      end: nothing,
      destroy: nothing,
      setKeepAlive: nothing,
      setNoDelay: nothing,
    };
    one.wrote = true;
    return { one, pauses: () => pauses };
  }

  beforeEach(async () => {
    server = await InsideServer.open();
    vi.useFakeTimers();
    queued = 0;
    resumed.length = 0;
    brake = new SnapshotBrake(
      () => queued,
      () => 400 * MB,
      (one) => {
        one.waiting = RUNNING;
        resumed.push(one);
      },
    );
  });

  afterEach(async () => {
    vi.useRealTimers();
    await server.close();
  });

  it('lets everybody go on while little waits', () => {
    const { one, pauses } = client();
    queued = 49 * MB;
    brake.wrote(one);
    expect([one.waiting, one.wrote, pauses()]).toEqual([RUNNING, false, 0]);
  });

  it('holds who writes until less waits', () => {
    const [a, b] = [client(), client()];
    queued = 51 * MB;
    brake.wrote(a.one);
    brake.wrote(b.one);
    expect([a.one.waiting, b.one.waiting, a.pauses()]).toEqual([WAIT_SNAPSHOT, WAIT_SNAPSHOT, 1]);
    vi.advanceTimersByTime(20);
    expect(resumed).toEqual([]);
    queued = 10 * MB;
    vi.advanceTimersByTime(5);
    expect(resumed).toEqual([a.one, b.one]);
  });

  it('holds nobody for longer than a tenth of a second', () => {
    const { one } = client();
    queued = 300 * MB;
    brake.wrote(one);
    vi.advanceTimersByTime(90);
    expect(resumed).toEqual([]);
    vi.advanceTimersByTime(15);
    expect(resumed).toEqual([one]);
    brake.wrote(one);
    expect(one.waiting).toBe(WAIT_SNAPSHOT);
    vi.advanceTimersByTime(105);
    expect(resumed).toEqual([one, one]);
  });

  it('leaves replicas, those without a connection and those that wait already', () => {
    const [replica, closing] = [client().one, client().one];
    replica.isReplica = true;
    const file = server.server.hub.detached();
    closing.waiting = 4;
    queued = 300 * MB;
    for (const one of [replica, file, closing]) brake.wrote(one);
    expect([replica.waiting, file.waiting, closing.waiting]).toEqual([RUNNING, RUNNING, 4]);
  });
});
