/**
 * The feeding end: when a partial sync is granted, what each replica is sent and when, and who is given up.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { NO_ID } from '../../src/replication/replication-id.ts';
import { type FakeConnection, fakeReplica } from './fake-connection.ts';
import { FakePrimary, until } from './fake-primary.ts';

let server: FakePrimary;

beforeEach(() => {
  server = new FakePrimary();
});

/** Attaches a replica with a request; `null` asks for everything. */
function attach(id: string | null, nextByte = -1) {
  const one = fakeReplica();
  one.connection.lastReadMs = 1000;
  one.connection.onClose = () => server.primary.forget(one.replica);
  server.primary.synchronize(one.replica, { id: id ?? '?', nextByte }, 1000);
  return one;
}

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
    for (const [nextByte, rest] of [
      [21, ''],
      [20, 'j'],
      [5, '456789abcdefghij'],
    ] as const) {
      const { connection, replica } = attach(id, nextByte);
      expect(connection.text).toBe(`+CONTINUE ${id}\r\n${rest}`);
      expect(replica.state).toBe('online');
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
    expect(server.primary.backlog?.length).toBe(0);
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
  });

  it('counts who has what, and who was heard of lately', async () => {
    const a = await online();
    const b = await online();
    server.feed('0123456789');
    server.primary.acknowledged(a.replica, 10, 10);
    server.primary.acknowledged(b.replica, 10, 4);
    server.primary.acknowledged(b.replica, 5, 2);
    expect(server.primary.replicasAt(10, false)).toBe(2);
    expect(server.primary.replicasAt(11, false)).toBe(0);
    expect(server.primary.replicasAt(10, true)).toBe(1);
    a.connection.lastReadMs = 100_000;
    b.connection.lastReadMs = 111_000;
    expect(server.primary.goodReplicas(111_500)).toBe(1);
    expect(server.primary.goodReplicas(110_999)).toBe(2);
  });

  it('gives up replicas that are silent for longer than repl-timeout', async () => {
    const silent = await online();
    const loud = await online();
    silent.connection.lastReadMs = 1_000_000;
    loud.connection.lastReadMs = 1_050_000;
    server.primary.tick(1_060_001);
    expect(silent.connection.isClosed).toBe(true);
    expect(loud.connection.isClosed).toBe(false);
    expect(server.primary.replicas.size).toBe(1);
  });
});

/** What a connection was sent between the head of a streamed snapshot and its mark. */
function streamed(connection: FakeConnection): { head: string; body: string; rest: string } {
  const found = /^(\+FULLRESYNC \w{40} \d+\r\n)?\$EOF:(\w{40})\r\n/.exec(connection.text);
  const mark = found?.[2] ?? '';
  const head = found?.[0] ?? '';
  const [body = '', rest = ''] = connection.text.slice(head.length).split(mark);
  return { head, body, rest };
}

describe('streamed full syncs', () => {
  it('send one snapshot to all who wait, and the changes since after the first ACK', async () => {
    const a = attach(null);
    const b = attach(null);
    server.primary.fullSync.startIfDue(1000);
    expect(server.snapshots.length).toBe(1);
    expect(server.selections).toBe(1);
    server.snapshot.emit('RDB');
    server.feed('during ');
    server.snapshot.emit('-REST');
    await server.snapshot.finish();
    server.feed('before the ack ');
    for (const { connection, replica } of [a, b]) {
      const { head, body, rest } = streamed(connection);
      expect(head.startsWith(`+FULLRESYNC ${server.history.id} 0\r\n`)).toBe(true);
      expect([body, rest]).toEqual(['RDB-REST', '']);
      expect(replica.state).toBe('online');
    }
    server.primary.acknowledged(a.replica, 0, -1);
    server.feed('after');
    expect(streamed(a.connection).rest).toBe('during before the ack after');
    expect(streamed(b.connection).rest).toBe('');
    server.primary.acknowledged(b.replica, 0, -1);
    expect(streamed(b.connection).rest).toBe('during before the ack after');
    expect(server.primary.fullSync.isBusy).toBe(false);
    expect(server.primary.fullSync.bufferedBytes).toBe(0);
  });

  it('wait for more replicas, until there are enough of them or the delay is over', () => {
    server.settings = { ...server.settings, delaySeconds: 5, replicasMax: 2 };
    attach(null);
    server.primary.fullSync.startIfDue(5999);
    expect(server.snapshots.length).toBe(0);
    attach(null);
    server.primary.fullSync.startIfDue(1001);
    expect(server.snapshots.length).toBe(1);
    attach(null);
    server.primary.fullSync.startIfDue(99_000);
    expect(server.snapshots.length).toBe(1);
  });

  it('serve those who came too late with the next snapshot', async () => {
    attach(null);
    server.primary.fullSync.startIfDue(1000);
    const late = attach(null);
    server.primary.fullSync.tick(2000);
    expect(late.connection.take()).toBe('\n');
    await server.snapshot.finish();
    server.primary.fullSync.startIfDue(1000);
    expect(server.snapshots.length).toBe(2);
    expect(late.connection.text).toContain('+FULLRESYNC');
  });

  it('hold the snapshot back while the slowest has enough, and let it go on', () => {
    const fast = attach(null);
    const slow = attach(null);
    server.primary.fullSync.startIfDue(1000);
    slow.connection.takes = false;
    const piece = 'x'.repeat(600_000);
    expect(server.snapshot.emit(piece)).toBe(true);
    expect(server.snapshot.emit(piece)).toBe(false);
    fast.connection.drain();
    slow.connection.drain(600_000);
    expect(server.snapshot.resumed).toBe(0);
    slow.connection.drain();
    expect(server.snapshot.resumed).toBe(1);
  });

  it('go on when the one that held them back goes away', () => {
    const fast = attach(null);
    const slow = attach(null);
    server.primary.fullSync.startIfDue(1000);
    slow.connection.takes = false;
    expect(server.snapshot.emit('x'.repeat(1_200_000))).toBe(false);
    slow.connection.close();
    expect(server.snapshot.resumed).toBe(1);
    expect(fast.replica.state).toBe('snapshot');
  });

  it('give up one that takes nothing for repl-timeout', () => {
    const stuck = attach(null);
    attach(null);
    server.primary.fullSync.startIfDue(1000);
    stuck.connection.takes = false;
    server.snapshot.emit('bytes');
    server.primary.fullSync.tick(50_000);
    expect(stuck.connection.isClosed).toBe(false);
    server.primary.fullSync.tick(111_000);
    expect(stuck.connection.isClosed).toBe(true);
    expect(server.snapshot.cancelled).toBe(false);
  });

  it('are cancelled when nobody is left', () => {
    const one = attach(null);
    server.primary.fullSync.startIfDue(1000);
    one.connection.close();
    expect(server.snapshot.cancelled).toBe(true);
    expect(server.primary.fullSync.isBusy).toBe(false);
  });

  it('close all when the snapshot fails, so that they ask again', async () => {
    const one = attach(null);
    server.primary.fullSync.startIfDue(1000);
    await server.snapshot.fail();
    expect(one.connection.isClosed).toBe(true);
    expect(server.primary.replicas.size).toBe(0);
  });

  it('bound the changes that are kept for a slow one: hard at once, soft after a while', () => {
    const bufferLimit = { hardBytes: 1000, softBytes: 100, softSeconds: 10 };
    server.settings = { ...server.settings, bufferLimit };
    const soft = attach(null);
    server.primary.fullSync.startIfDue(1000);
    server.feed('x'.repeat(150));
    server.primary.fullSync.tick(Date.now() + 9000);
    expect(soft.connection.isClosed).toBe(false);
    server.primary.fullSync.tick(Date.now() + 11_000);
    expect(soft.connection.isClosed).toBe(true);
    const hard = attach(null);
    server.primary.fullSync.startIfDue(1000);
    server.feed('x'.repeat(1000));
    expect(hard.connection.isClosed).toBe(true);
    expect(server.primary.fullSync.bufferedBytes).toBe(0);
  });

  it('try again later when no snapshot can begin', () => {
    const one = attach(null);
    server.mayStart = false;
    server.primary.fullSync.startIfDue(1000);
    expect(one.connection.text).toBe('');
    server.mayStart = true;
    server.primary.fullSync.startIfDue(1000);
    expect(one.connection.text).toContain('+FULLRESYNC');
  });
});

describe('full syncs from a file', () => {
  beforeEach(() => {
    server.settings = { ...server.settings, diskless: false };
  });

  it('send the file with its length, then the changes, without waiting for an ACK', async () => {
    const one = attach(null);
    server.primary.fullSync.startIfDue(1000);
    expect(server.snapshot.request.target).toBe('file');
    server.feed('changes');
    const path = server.file('sync.rdb', 'R'.repeat(150_000));
    await server.snapshot.finish(path);
    const { id } = server.history;
    const sent = `+FULLRESYNC ${id} 0\r\n$150000\r\n${'R'.repeat(150_000)}changes`;
    expect(one.connection.text).toBe(sent);
    server.feed(' more');
    expect(one.connection.text).toBe(`${sent} more`);
    expect(server.fs.statSync(path)).toBe(undefined);
  });

  it('take in whoever comes while the file is written, from the same beginning', async () => {
    attach(null);
    server.feed('before');
    server.primary.fullSync.startIfDue(1000);
    server.feed('12');
    const late = attach(null);
    server.feed('34');
    await server.snapshot.finish(server.file('sync.rdb', 'RDB'));
    expect(server.snapshots.length).toBe(1);
    expect(late.connection.text).toBe(`+FULLRESYNC ${server.history.id} 6\r\n$3\r\nRDB1234`);
  });

  it('do not wait for a slow one, nor keep more of the file in memory than fits', async () => {
    const slow = attach(null);
    const fast = attach(null);
    slow.connection.takes = false;
    server.primary.fullSync.startIfDue(1000);
    await server.snapshot.finish(server.file('sync.rdb', 'R'.repeat(3_000_000)));
    await until(() => fast.replica.state === 'online');
    expect(slow.replica.state).toBe('sending-file');
    expect(slow.connection.unsentBytes).toBeLessThan(1_200_000);
    server.feed('changes');
    expect(fast.connection.text.endsWith('Rchanges')).toBe(true);
    slow.connection.takes = true;
    slow.connection.drain();
    await until(() => slow.replica.state === 'online');
    expect(slow.connection.text).toBe(fast.connection.text);
  });

  it('serve old replicas, which know neither PSYNC nor streams', async () => {
    server.settings = { ...server.settings, diskless: true };
    const { replica, connection } = fakeReplica();
    replica.takesStreamed = false;
    server.primary.synchronize(replica, 'sync', 1000);
    server.primary.fullSync.startIfDue(1000);
    await server.snapshot.finish(server.file('sync.rdb', 'RDB'));
    server.feed('changes');
    expect(connection.text).toBe('$3\r\nRDBchanges');
    connection.lastReadMs = 0;
    server.primary.tick(1e9);
    expect(connection.isClosed).toBe(false);
  });

  it('close a replica that asked for the RDB only', async () => {
    const { replica, connection } = fakeReplica();
    replica.rdbOnly = true;
    replica.content = { data: false, functions: true };
    server.primary.synchronize(replica, { id: '?', nextByte: -1 }, 1000);
    server.primary.fullSync.startIfDue(1000);
    expect(server.snapshot.request).toMatchObject({
      target: 'stream',
      content: { data: false, functions: true },
    });
    await server.snapshot.finish();
    server.feed('changes');
    expect(connection.endsAfterSending).toBe(true);
    expect(connection.text).not.toContain('changes');
  });

  it('keep those with other contents apart', async () => {
    attach(null);
    const { replica, connection } = fakeReplica();
    replica.content = { data: false, functions: true };
    server.primary.synchronize(replica, { id: '?', nextByte: -1 }, 1000);
    server.primary.fullSync.startIfDue(1000);
    expect(connection.text).toBe('');
    await server.snapshot.finish(server.file('sync.rdb', 'RDB'));
    server.primary.fullSync.startIfDue(1000);
    expect(server.snapshots.length).toBe(2);
    expect(connection.text).toContain('$EOF:');
  });
});
