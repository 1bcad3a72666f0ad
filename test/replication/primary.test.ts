/**
 * The feeding end: when a partial sync is granted, what each replica is sent and when, and who is
 * given up.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { NO_ID } from '../../src/replication/replication-id.ts';
import { fakeReplica } from './fake-connection.ts';
import { FakePrimary } from './fake-primary.ts';

let server: FakePrimary;

beforeEach(() => {
  server = new FakePrimary();
});

const attach = (id: string | null, nextByte?: number) => server.attach(id, nextByte);

/** Attaches a replica and brings it online through a streamed snapshot. */
async function online() {
  const one = attach(null);
  server.primary.fullSync.startIfDue(1000);
  await server.snapshot.finish();
  server.primary.acknowledged(one.replica, server.history.offset, -1);
  one.connection.take();
  return one;
}

describe('partial syncs', () => {
  it('go on from any byte that the backlog holds', async () => {
    await online();
    server.settings = { ...server.settings, backlogBytes: 16 };
    server.primary.backlog?.resize(16);
    server.feed('0123456789abcdefghij');
    const { id } = server.history;
    const asked = [
      [21, ''],
      [20, 'j'],
      [5, '456789abcdefghij'],
    ] as const;
    const resumed = asked.map(([nextByte, rest]) => ({ ...attach(id, nextByte), rest }));
    for (const { connection, replica, rest } of resumed) {
      expect(connection.text).toBe(`+CONTINUE ${id}\r\n${rest}`);
      expect(replica.state).toBe('online');
    }
    server.feed('K');
    for (const { connection, rest } of resumed) {
      expect(connection.text).toBe(`+CONTINUE ${id}\r\n${rest}K`);
    }
    expect(server.tally).toMatchObject({ syncFull: 1, syncPartialOk: 3, syncPartialErr: 0 });
  });

  it('are refused outside of it, and for other histories', async () => {
    await online();
    server.primary.backlog?.resize(16);
    server.feed('0123456789abcdefghij');
    const { id } = server.history;
    for (const [asked, nextByte] of [
      [id, 4],
      [id, 22],
      ['f'.repeat(40), 10],
      [NO_ID, 0],
    ] as const) {
      expect(attach(asked, nextByte).replica.state).toBe('waiting');
    }
    expect(server.tally).toMatchObject({ syncFull: 5, syncPartialOk: 0, syncPartialErr: 4 });
  });

  it('do not count a replica that asks for everything as refused', () => {
    attach(null);
    expect(server.tally).toMatchObject({ syncFull: 1, syncPartialErr: 0 });
  });

  it('go on with the stream of before a promotion, up to where it ended', async () => {
    server.isReplica = true;
    server.history.adopt('a'.repeat(40), 100);
    server.primary.openBacklog();
    server.feed('0123456789');
    server.isReplica = false;
    server.history.promote();
    server.feed('NEW');
    const { id } = server.history;
    expect(attach('a'.repeat(40), 111).connection.text).toBe(`+CONTINUE ${id}\r\nNEW`);
    expect(attach('a'.repeat(40), 106).connection.text).toBe(`+CONTINUE ${id}\r\n56789NEW`);
    expect(attach('a'.repeat(40), 112).replica.state).toBe('waiting');
  });

  it('leave the id out for replicas that do not know about second ids', async () => {
    await online();
    const { replica, connection } = fakeReplica();
    replica.takesNewId = false;
    const { id, offset } = server.history;
    server.primary.synchronize(replica, { id, nextByte: offset + 1 }, 1000);
    expect(connection.text).toBe('+CONTINUE\r\n');
  });
});

describe('the backlog', () => {
  it('is made with the first replica, under a new id', () => {
    const { id } = server.history;
    server.feed('not counted by anybody, but counted');
    attach(null);
    expect(server.history.id).not.toBe(id);
    expect(server.history.offset).toBe('not counted by anybody, but counted'.length);
    expect(server.primary.backlog?.length).toBe(0);
    // Who is told of it notes the place of the stream: under the id that others will ask for.
    expect(server.readersChanges).toEqual([server.history.id]);
  });

  it('stays as it is, with its id, for whoever comes after the last one went', async () => {
    const { connection } = await online();
    const { id } = server.history;
    server.feed('kept');
    connection.close();
    server.primary.openBacklog();
    attach(null);
    expect(server.history.id).toBe(id);
    expect(server.primary.backlog?.length).toBe(4);
    expect(server.readersChanges.length).toBe(1);
  });

  it('waits for those who followed before the start of the server', () => {
    server.primary.openBacklog();
    server.primary.tick(Date.now() + 1000);
    expect(server.primary.backlog).not.toBe(null);
  });

  it('stays while a replica is there, and as long as ever from when it went', async () => {
    const { connection } = await online();
    const now = Date.now();
    connection.lastReadMs = now;
    // A replica all along, and then promoted: nobody has been waited for since long ago.
    server.isReplica = true;
    server.primary.tick(now - 1e9);
    server.isReplica = false;
    server.primary.tick(now);
    expect(server.primary.backlog).not.toBe(null);
    connection.close();
    server.primary.tick(now + 1000);
    expect(server.primary.backlog).not.toBe(null);
  });

  it('keeps the id of its primary when it is made on a replica', () => {
    server.isReplica = true;
    const { id } = server.history;
    attach(null);
    expect(server.history.id).toBe(id);
  });

  it('is given up when no replica came back in time, and with it the id', async () => {
    const { connection } = await online();
    const { id } = server.history;
    const gone = Date.now();
    connection.close();
    server.primary.tick(gone + 3_599_000);
    expect(server.primary.backlog).not.toBe(null);
    server.primary.tick(gone + 3_700_000);
    expect(server.primary.backlog).toBe(null);
    expect(server.history.id).not.toBe(id);
    expect(server.readersChanges).toEqual([id, server.history.id]);
  });

  it('waits as long as ever for replicas of a server that is promoted', async () => {
    const { connection } = await online();
    connection.close();
    server.isReplica = true;
    const promoted = Date.now() + 1e9;
    server.primary.tick(promoted - 500);
    server.isReplica = false;
    const { id } = server.history;
    server.primary.tick(promoted + 3_599_000);
    expect(server.primary.backlog).not.toBe(null);
    expect(server.history.id).toBe(id);
    server.primary.tick(promoted + 3_601_000);
    expect(server.primary.backlog).toBe(null);
  });

  it('is never given up with a ttl of 0, nor on a replica', async () => {
    const { connection } = await online();
    connection.close();
    server.settings = { ...server.settings, backlogTtlSeconds: 0 };
    server.primary.tick(Date.now() + 1e9);
    expect(server.primary.backlog).not.toBe(null);
    server.settings = { ...server.settings, backlogTtlSeconds: 1 };
    server.isReplica = true;
    server.primary.tick(Date.now() + 1e9);
    expect(server.primary.backlog).not.toBe(null);
  });
});

describe('the stream', () => {
  it('goes to those who are online, byte for byte', async () => {
    const a = await online();
    const b = await online();
    server.feed('one');
    server.feed('x'.repeat(70_000));
    expect(a.connection.text).toBe(`one${'x'.repeat(70_000)}`);
    expect(b.connection.text).toBe(a.connection.text);
    expect(server.history.offset).toBe(70_003);
    expect(server.tally.netReplOutputBytes).toBe(2 * 70_003);
  });

  it('counts who has what, and who was heard of lately', async () => {
    const a = await online();
    const b = await online();
    // Whoever is in a full sync has nothing, whatever it says.
    const loading = attach(null);
    loading.connection.lastReadMs = 111_000;
    server.feed('0123456789');
    server.primary.acknowledged(loading.replica, 10, 10);
    server.primary.acknowledged(a.replica, 10, 10);
    server.primary.acknowledged(b.replica, 10, 4);
    server.primary.acknowledged(b.replica, 5, 2);
    expect(server.primary.replicasAt(10, false)).toBe(2);
    expect(server.primary.replicasAt(11, false)).toBe(0);
    expect(server.primary.replicasAt(10, true)).toBe(1);
    expect(server.primary.replicasAt(4, true)).toBe(2);
    expect(server.primary.replicasAt(0, true)).toBe(2);
    a.connection.lastReadMs = 100_999;
    b.connection.lastReadMs = 111_000;
    expect(server.primary.goodReplicas(111_000)).toBe(1);
    expect(server.primary.goodReplicas(110_999)).toBe(2);
    // The clock was set back.
    expect(a.replica.lagSeconds(0)).toBe(0);
  });

  it('tells of each replica that comes, moves on, or goes', async () => {
    const told = (): number => server.changes;
    let before = told();
    const { replica, connection } = attach(null);
    expect(told()).toBeGreaterThan(before);
    server.primary.fullSync.startIfDue(1000);
    before = told();
    await server.snapshot.finish();
    expect(replica.state).toBe('online');
    expect(told()).toBeGreaterThan(before);
    before = told();
    server.primary.acknowledged(replica, 5, -1);
    expect(told()).toBeGreaterThan(before);
    before = told();
    attach(server.history.id, server.history.offset + 1);
    expect(told()).toBeGreaterThan(before);
    before = told();
    connection.close();
    expect(told()).toBeGreaterThan(before);
    before = told();
    server.primary.forget(fakeReplica().replica);
    expect(told()).toBe(before);
  });

  it('ends for all at once, whenever the ends of their connections are told', async () => {
    const all = [await online(), attach(null)];
    for (const { connection } of all) connection.onClose = () => undefined;
    server.primary.disconnectAll();
    expect(all.map(({ connection }) => connection.isClosed)).toEqual([true, true]);
    expect(server.primary.replicas.size).toBe(0);
    expect(server.primary.fullSync.isBusy).toBe(false);
  });

  it('gives up replicas that are silent for longer than repl-timeout', async () => {
    const silent = await online();
    const loud = await online();
    silent.connection.lastReadMs = 1_000_000;
    loud.connection.lastReadMs = 1_050_000;
    silent.connection.onClose = () => undefined;
    server.primary.tick(1_060_000);
    expect(silent.connection.isClosed).toBe(false);
    server.primary.tick(1_060_001);
    expect(silent.connection.isClosed).toBe(true);
    expect(loud.connection.isClosed).toBe(false);
    expect(server.primary.replicas.size).toBe(1);
  });

  it('does not mind the silence of those in a full sync', async () => {
    const one = attach(null);
    server.primary.tick(1e9);
    server.primary.fullSync.startIfDue(1e9);
    server.primary.tick(2e9);
    expect(one.replica.state).toBe('snapshot');
    expect(one.connection.isClosed).toBe(false);
  });
});
