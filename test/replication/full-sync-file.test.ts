/**
 * Full syncs from a file: whom it is for, what comes between and after its bytes, and that nothing
 * is left of it, whatever happens.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { fakeReplica } from './fake-connection.ts';
import { FakePrimary, until } from './fake-primary.ts';

let server: FakePrimary;

beforeEach(() => {
  server = new FakePrimary();
});

const attach = (...args: Parameters<FakePrimary['attach']>) => server.attach(...args);

/** Files that are open. */
function opened(): number {
  const { kindCalls } = server.fs;
  return (kindCalls.get('open') ?? 0) - (kindCalls.get('close') ?? 0);
}

describe('full syncs from a file', () => {
  beforeEach(() => {
    server.settings = { ...server.settings, diskless: false };
  });

  it('send the file with its length, then the changes, without waiting for anything', async () => {
    server.settings = { ...server.settings, delaySeconds: 5 };
    const one = attach(null);
    server.primary.fullSync.startIfDue(1000);
    expect(server.snapshot.request.target).toBe('file');
    server.primary.tick(2000);
    server.feed('changes');
    const path = server.file('sync.rdb', 'R'.repeat(150_000));
    await server.snapshot.finish(path);
    const { id } = server.history;
    const sent = `+FULLRESYNC ${id} 0\r\n\n$150000\r\n${'R'.repeat(150_000)}changes`;
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
    expect(server.primary.fullSync.isBusy).toBe(false);
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
    server.primary.tick(2000);
    server.feed('changes');
    expect(fast.connection.text.endsWith('Rchanges')).toBe(true);
    while (slow.replica.state === 'sending-file') {
      expect(opened()).toBe(1);
      slow.connection.drain(100_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(slow.replica.state).toBe('online');
    expect(slow.connection.text).toBe(fast.connection.text);
    await until(() => opened() === 0);
  });

  it('leave whoever comes while it is sent to the next one', async () => {
    const slow = attach(null);
    slow.connection.takes = false;
    server.primary.fullSync.startIfDue(1000);
    await server.snapshot.finish(server.file('sync.rdb', 'R'.repeat(2_000_000)));
    expect(slow.replica.state).toBe('sending-file');
    const late = attach(null);
    expect(late.replica.state).toBe('waiting');
    server.primary.fullSync.startIfDue(1000);
    expect(server.snapshots.length).toBe(2);
    expect(late.replica.state).toBe('snapshot');
  });

  it('close the file when the last one that it is sent to has gone', async () => {
    const { replica, connection } = attach(null);
    connection.takes = false;
    server.primary.fullSync.startIfDue(1000);
    await server.snapshot.finish(server.file('sync.rdb', 'R'.repeat(2_000_000)));
    expect(opened()).toBe(1);
    server.primary.forget(replica);
    await until(() => opened() === 0);
    expect(server.primary.fullSync.isBusy).toBe(false);
  });

  it.each(['is not there', 'cannot be removed', 'cannot be read', 'has become shorter'])(
    'close all when the file %s, so that they ask again',
    async (what) => {
      const { replica, connection } = attach(null);
      connection.takes = false;
      server.primary.fullSync.startIfDue(1000);
      const path = server.file('sync.rdb', 'R'.repeat(2_000_000));
      if (what === 'is not there') server.fs.unlinkSync(path);
      if (what === 'cannot be removed') {
        server.fs.breakCallOf('unlink', 1, { kind: 'error', code: 'EIO' });
      }
      if (what === 'cannot be read') {
        server.fs.breakCallOf('read', 3, { kind: 'error', code: 'EIO' });
      }
      const handle = what === 'has become shorter' ? server.fs.openSync(path, 'read') : null;
      await server.snapshot.finish(path);
      handle?.truncateSync(1_000_000);
      connection.drain();
      await until(() => connection.isClosed);
      expect(replica.state).toBe('none');
      expect(server.primary.fullSync.isBusy).toBe(false);
      // A call that fails to open counts, too.
      const ours = what === 'is not there' || handle !== null ? 1 : 0;
      await until(() => opened() === ours);
    },
  );

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

  it('are all that one gets that asked for the RDB only', async () => {
    const { replica, connection } = attach(null, -1, { rdbOnly: true });
    server.primary.fullSync.startIfDue(1000);
    await server.snapshot.finish(server.file('sync.rdb', 'RDB'));
    server.feed('changes');
    expect(connection.text).toBe(`+FULLRESYNC ${server.history.id} 0\r\n$3\r\nRDB`);
    expect(connection.endsAfterSending).toBe(true);
    expect(replica.state).not.toBe('online');
    expect(server.primary.fullSync.isBusy).toBe(false);
  });

  it('are for all as soon as one of them takes no stream', () => {
    server.settings = { ...server.settings, diskless: true };
    attach(null);
    attach(null, -1, { takesStreamed: false });
    server.primary.fullSync.startIfDue(1000);
    expect(server.snapshot.request.target).toBe('file');
  });

  it('keep those with other contents apart', async () => {
    attach(null);
    const { replica, connection } = fakeReplica();
    replica.content = { data: false, functions: true };
    server.primary.synchronize(replica, { id: '?', nextByte: -1 }, 1000);
    server.primary.fullSync.startIfDue(1000);
    expect(connection.text).toBe('');
    expect(attach(null, -1, { content: replica.content }).replica.state).toBe('waiting');
    await server.snapshot.finish(server.file('sync.rdb', 'RDB'));
    server.primary.fullSync.startIfDue(1000);
    expect(server.snapshots.length).toBe(2);
    expect(connection.text).toContain('$EOF:');
  });
});
