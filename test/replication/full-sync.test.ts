/**
 * Full syncs: one snapshot for many, streamed or from a file, what comes after it, and who is given
 * up.
 */
import { beforeEach, describe, expect, it } from 'vitest';
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
    expect(server.primary.backlog?.heldBytes).toBe(0);
  });

  it('keep the stream since they began, which serves others who were away as well', async () => {
    server.settings = { ...server.settings, backlogBytes: 10 };
    const one = attach(null);
    server.feed('before ');
    server.primary.fullSync.startIfDue(1000);
    server.feed('more than the backlog would keep');
    const other = attach(server.history.id, 'before '.length + 1);
    expect(other.connection.text).toContain('CONTINUE');
    expect(other.connection.text).toContain('more than the backlog would keep');
    expect(server.primary.backlog?.heldBytes).toBe(22);
    await server.snapshot.finish();
    server.primary.acknowledged(one.replica, 0, -1);
    expect(streamed(one.connection).rest).toBe('more than the backlog would keep');
    expect(server.primary.backlog?.length).toBe(10);
    expect(attach(server.history.id, 'before '.length + 1).replica.state).toBe('waiting');
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
    const bufferLimit = { hardBytes: 1000, softBytes: 100, softSeconds: 60 };
    server.settings = { ...server.settings, bufferLimit };
    const soft = attach(null);
    server.primary.fullSync.startIfDue(1000);
    server.feed('x'.repeat(150));
    server.primary.fullSync.tick(Date.now() + 30_000);
    expect(soft.connection.isClosed).toBe(false);
    server.primary.fullSync.tick(Date.now() + 61_000);
    expect(soft.connection.isClosed).toBe(true);
    const hard = attach(null);
    server.primary.fullSync.startIfDue(1000);
    server.feed('x'.repeat(999));
    expect(hard.connection.isClosed).toBe(false);
    server.feed('x');
    expect(hard.connection.isClosed).toBe(true);
    expect(server.primary.backlog?.heldBytes).toBe(0);
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

  it('are cancelled when nobody is left', () => {
    const [one, other] = [attach(null), attach(null)];
    server.primary.fullSync.startIfDue(1000);
    one.connection.close();
    expect(server.snapshot.cancelled).toBe(false);
    other.connection.close();
    expect(server.snapshot.cancelled).toBe(true);
    expect(server.primary.fullSync.isBusy).toBe(false);
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
    const rdb = Array.from({ length: 300_000 }, (_, i) => String(i).padStart(10, '0')).join('');
    await server.snapshot.finish(server.file('sync.rdb', `${rdb}R`));
    await until(() => fast.replica.state === 'online');
    expect(slow.replica.state).toBe('sending-file');
    expect(slow.connection.unsentBytes).toBeLessThan(1_200_000);
    server.feed('changes');
    expect(fast.connection.text.endsWith('Rchanges')).toBe(true);
    while (slow.replica.state === 'sending-file') {
      slow.connection.drain(100_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(slow.replica.state).toBe('online');
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
