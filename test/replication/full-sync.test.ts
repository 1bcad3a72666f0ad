/**
 * Full syncs that are streamed: one snapshot for many, what comes after it, and who is given up.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import type { FakeConnection } from './fake-connection.ts';
import { FakePrimary } from './fake-primary.ts';

let server: FakePrimary;

beforeEach(() => {
  server = new FakePrimary();
});

const attach = (id: string | null, nextByte?: number) => server.attach(id, nextByte);

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
    // A sign of life would be taken for a part of it.
    server.primary.tick(2000);
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

  it('wait no longer than the delay of the first, however many come', () => {
    server.settings = { ...server.settings, delaySeconds: 5 };
    attach(null);
    server.attach(null, -1, {}, 5000);
    server.primary.fullSync.startIfDue(5999);
    expect(server.snapshots.length).toBe(0);
    server.primary.fullSync.startIfDue(6000);
    expect(server.snapshots.length).toBe(1);
  });

  it('are not begun for one that has gone', () => {
    attach(null).connection.close();
    expect(server.primary.fullSync.isBusy).toBe(false);
    server.primary.fullSync.startIfDue(1000);
    expect(server.snapshots.length).toBe(0);
  });

  it('keep the stream since the oldest of those that run', async () => {
    server.settings = { ...server.settings, backlogBytes: 10 };
    const first = attach(null);
    server.primary.fullSync.startIfDue(1000);
    await server.snapshot.finish();
    server.feed('more than the backlog keeps, ');
    const second = attach(null);
    server.primary.fullSync.startIfDue(1000);
    server.feed('twice over');
    server.feed(' or so');
    server.primary.acknowledged(first.replica, 0, -1);
    expect(streamed(first.connection).rest).toBe('more than the backlog keeps, twice over or so');
    await server.snapshot.finish();
    server.primary.acknowledged(second.replica, 0, -1);
    expect(streamed(second.connection).rest).toBe('twice over or so');
  });

  it('serve those who came too late with the next snapshot', async () => {
    attach(null);
    server.primary.fullSync.startIfDue(1000);
    const late = attach(null);
    server.primary.tick(2000);
    expect(late.connection.take()).toBe('\n');
    await server.snapshot.finish();
    server.primary.fullSync.startIfDue(1000);
    expect(server.snapshots.length).toBe(2);
    expect(late.connection.text).toContain('+FULLRESYNC');
  });

  it('hold the snapshot back while the slowest has enough, and let it go on', () => {
    const fast = attach(null);
    const slow = attach(null);
    attach(null);
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
    const slow = attach(null);
    attach(null);
    stuck.connection.takes = false;
    slow.connection.takes = false;
    server.primary.fullSync.startIfDue(1000);
    server.snapshot.emit('bytes');
    server.primary.fullSync.tick(50_000);
    slow.connection.drain(1);
    server.primary.fullSync.tick(60_500);
    expect(stuck.connection.isClosed).toBe(false);
    server.primary.fullSync.tick(61_001);
    expect(stuck.connection.isClosed).toBe(true);
    server.primary.fullSync.tick(120_500);
    expect(slow.connection.isClosed).toBe(false);
    expect(server.snapshot.cancelled).toBe(false);
    server.primary.fullSync.tick(120_501);
    expect(slow.connection.isClosed).toBe(true);
    expect(server.snapshot.cancelled).toBe(false);
  });

  it('keep one that has taken all there is, however long the rest takes', async () => {
    const one = attach(null);
    server.primary.fullSync.startIfDue(1000);
    server.snapshot.emit('RDB');
    for (const nowMs of [2000, 60_000, 120_000, 180_000]) server.primary.fullSync.tick(nowMs);
    expect(one.connection.isClosed).toBe(false);
    await server.snapshot.finish();
    expect(streamed(one.connection).body).toBe('RDB');
  });

  it('send the changes behind the snapshot, though an ACK comes before its end', async () => {
    const one = attach(null);
    server.primary.fullSync.startIfDue(1000);
    server.snapshot.emit('RDB');
    server.feed('changes');
    server.primary.acknowledged(one.replica, 0, -1);
    server.snapshot.emit('-REST');
    await server.snapshot.finish();
    server.primary.acknowledged(one.replica, 0, -1);
    expect(streamed(one.connection)).toMatchObject({ body: 'RDB-REST', rest: 'changes' });
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
    expect(server.snapshot.cancelled).toBe(false);
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
