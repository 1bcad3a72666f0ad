/**
 * WAITAOF on disks and replicas that a test holds still: what it waits for, what ends the wait, and
 * the words of every refusal, which are those of Redis 7.2.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FaultyFileSystem } from '../support/faulty-file-system.ts';
import { ask, InProcessScene, until } from '../support/in-process-scene.ts';
import { emptyDisk } from '../support/in-process-server.ts';
import type { RawClient } from '../support/raw-client.ts';
import { ReplyError } from '../support/resp-reader.ts';

let fs: FaultyFileSystem;
const scene = new InProcessScene();

/** A client sends WAITAOF and is blocked; gives a promise of its answer. */
async function blockedOn(client: RawClient, observer: RawClient, ...words: (string | number)[]) {
  const id = String(await client.value('CLIENT', 'ID'));
  const answer = client.value(...words).then((value) => {
    return value instanceof ReplyError ? value.error : value;
  });
  await until('it is blocked', async () => {
    const list = String(await ask(observer, 'CLIENT', 'LIST', 'ID', id));
    return / flags=\S*b/.test(list);
  });
  return { id, answer };
}

beforeEach(() => {
  fs = emptyDisk();
});

afterEach(() => scene.end());

describe('WAITAOF', () => {
  it.each([
    [['x', '0', '0'], 'ERR value is not an integer or out of range'],
    [['2', '0', '0'], 'ERR value is out of range, value must between 0 and 1'],
    [['-1', '0', '0'], 'ERR value is out of range, value must between 0 and 1'],
    [['0', 'x', '0'], 'ERR value is out of range, must be positive'],
    [['0', '-1', '0'], 'ERR value is out of range, must be positive'],
    [['0', '0', 'x'], 'ERR timeout is not an integer or out of range'],
    [['0', '0', '1.5'], 'ERR timeout is not an integer or out of range'],
    [['0', '0', '-1'], 'ERR timeout is negative'],
    [['0', '0', '9223372036854775807'], 'ERR timeout is out of range'],
    [['0', '0'], "ERR wrong number of arguments for 'waitaof' command"],
    [
      ['1', '0', '0'],
      'ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.',
    ],
    [
      ['0', '0', '9007199254740993'],
      [0, 0],
    ],
  ])('%j is answered %j', async (words, wanted) => {
    const client = await scene.connect(await scene.start(fs, { appendonly: false }));
    expect(await ask(client, 'WAITAOF', ...words)).toEqual(wanted);
  });

  it('waits for the fsync that has its write, and no longer', async () => {
    const server = await scene.start(fs, { appendfsync: 'everysec' });
    const [client, observer] = [await scene.connect(server), await scene.connect(server)];
    expect(await ask(client, 'WAITAOF', 1, 0, 0)).toEqual([1, 0]);
    fs.holdSyncs();
    await ask(client, 'SET', 'a', '1');
    expect(await ask(client, 'WAITAOF', 1, 0, 20)).toEqual([0, 0]);
    const { answer } = await blockedOn(client, observer, 'WAITAOF', 1, 0, 0);
    expect(await ask(observer, 'GET', 'a')).toBe('1');
    fs.releaseSyncs();
    expect(await answer).toEqual([1, 0]);
    const cut = fs.cutPower(3, 'all');
    await scene.start(cut, {}).then(async (again) => {
      expect(await ask(await scene.connect(again), 'GET', 'a')).toBe('1');
    });
  });

  it('under no waits until something else brings the bytes to the disk', async () => {
    const server = await scene.start(fs, { appendfsync: 'no' });
    const [client, observer] = [await scene.connect(server), await scene.connect(server)];
    await ask(client, 'SET', 'a', '1');
    const { answer } = await blockedOn(client, observer, 'WAITAOF', 1, 0, 0);
    await ask(observer, 'CONFIG', 'SET', 'appendfsync', 'everysec');
    expect(await answer).toEqual([1, 0]);
  });

  it('goes on with what had come behind it', async () => {
    const client = await scene.connect(await scene.start(fs, { appendfsync: 'everysec' }));
    fs.holdSyncs();
    const sent = [['SET', 'a', '1'], ['WAITAOF', 1, 0, 20], ['PING']];
    const replies = await client.pipeline(sent);
    expect(replies.map(({ raw }) => raw.toString())).toEqual([
      '+OK\r\n',
      '*2\r\n:0\r\n:0\r\n',
      '+PONG\r\n',
    ]);
  });

  it('answers at once inside of MULTI', async () => {
    const server = await scene.start(fs, { appendfsync: 'everysec' });
    const client = await scene.connect(server);
    fs.holdSyncs();
    await ask(client, 'MULTI');
    await ask(client, 'SET', 'a', '1');
    await ask(client, 'WAITAOF', 1, 1, 0);
    expect(await ask(client, 'EXEC')).toEqual(['OK', [0, 0]]);
  });

  it('ends by CLIENT UNBLOCK, as if time were up or with an error', async () => {
    const server = await scene.start(fs, { appendfsync: 'everysec' });
    const [client, observer] = [await scene.connect(server), await scene.connect(server)];
    fs.holdSyncs();
    await ask(client, 'SET', 'a', '1');
    const first = await blockedOn(client, observer, 'WAITAOF', 1, 0, 0);
    expect(await ask(observer, 'CLIENT', 'UNBLOCK', first.id)).toBe(1);
    expect(await first.answer).toEqual([0, 0]);
    const second = await blockedOn(client, observer, 'WAITAOF', 1, 0, 0);
    expect(await ask(observer, 'CLIENT', 'UNBLOCK', second.id, 'ERROR')).toBe(1);
    expect(await second.answer).toBe('UNBLOCKED client unblocked via CLIENT UNBLOCK');
    expect(await ask(client, 'PING')).toBe('PONG');
  });

  it('ends with an error when the AOF is switched off meanwhile', async () => {
    const server = await scene.start(fs, { appendfsync: 'no' });
    const [client, observer] = [await scene.connect(server), await scene.connect(server)];
    await ask(client, 'SET', 'a', '1');
    const { answer } = await blockedOn(client, observer, 'WAITAOF', 1, 0, 0);
    expect(await ask(observer, 'CONFIG', 'SET', 'appendonly', 'no')).toBe('OK');
    expect(await answer).toBe(
      'ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.',
    );
  });

  it('does not count an AOF that was switched on and that a restart would not find', async () => {
    const server = await scene.start(fs, { appendonly: false });
    const [client, observer] = [await scene.connect(server), await scene.connect(server)];
    await ask(client, 'SET', 'a', '1');
    fs.holdSyncs();
    expect(await ask(observer, 'CONFIG', 'SET', 'appendonly', 'yes')).toBe('OK');
    const { answer } = await blockedOn(client, observer, 'WAITAOF', 1, 0, 0);
    fs.releaseSyncs();
    expect(await answer).toEqual([1, 0]);
    const again = await scene.start(fs.cutPower(5, 'all'), {});
    expect(await ask(await scene.connect(again), 'GET', 'a')).toBe('1');
  });

  it('counts replicas by what they have fsynced', async () => {
    const server = await scene.start(fs, { appendfsync: 'always', 'repl-diskless-sync': false });
    const [client, observer] = [await scene.connect(server), await scene.connect(server)];
    const disk = emptyDisk();
    const replicaof = `127.0.0.1 ${server.port}`;
    const replica = await scene.start(disk, { appendfsync: 'everysec', replicaof });
    const { replication, persistence } = replica.server;
    await until('the link is up', () => replication.follower?.isConnected === true);
    await until('its AOF stands', () => persistence.aof.aof.state === 'on');
    await ask(client, 'SET', 'a', '0');
    expect(await ask(client, 'WAITAOF', 1, 1, 0)).toEqual([1, 1]);
    disk.holdSyncs();
    await ask(client, 'SET', 'a', '1');
    expect(await ask(client, 'WAIT', 1, 0)).toBe(1);
    const { answer } = await blockedOn(client, observer, 'WAITAOF', 1, 1, 0);
    disk.releaseSyncs();
    expect(await answer).toEqual([1, 1]);
    // The replica's disk has it, whatever happens to it now.
    const again = await scene.start(disk.cutPower(7, 'all'), {});
    expect(await ask(await scene.connect(again), 'GET', 'a')).toBe('1');
    const stuck = await blockedOn(client, observer, 'WAITAOF', 0, 2, 0);
    expect(await ask(observer, 'REPLICAOF', '127.0.0.1', 1)).toBe('OK');
    expect(String(await stuck.answer)).toMatch(
      /^UNBLOCKED force unblock from blocking operation, instance state changed/,
    );
    expect(await ask(observer, 'INFO', 'commandstats')).toMatch(/cmdstat_wait\S*,failed_calls=1\b/);
    expect(await ask(observer, 'WAITAOF', 0, 0, 0)).toBe(
      'ERR WAITAOF cannot be used with replica instances. Please also note that writes to ' +
        'replicas are just local and are not propagated.',
    );
  });

  it('counts no replica whose AOF gets a full sync by a rewrite, as WAIT does', async () => {
    const server = await scene.start(fs, { 'repl-diskless-sync': false });
    const client = await scene.connect(server);
    await ask(client, 'SET', 'a', '0');
    const disk = emptyDisk();
    const replicaof = `127.0.0.1 ${server.port}`;
    const slow = {
      appendfsync: 'always',
      replicaof,
      'aof-use-rdb-preamble': false,
      'rdb-key-save-delay': 60_000_000,
    };
    const replica = await scene.start(disk, slow);
    const { replication, persistence } = replica.server;
    await until('the link is up', () => replication.follower?.isConnected === true);
    await ask(client, 'SET', 'a', '1');
    expect(await ask(client, 'WAIT', 1, 0)).toBe(1);
    expect(persistence.aof.aof.state).toBe('waiting');
    expect(await ask(client, 'WAITAOF', 0, 1, 300)).toEqual([expect.any(Number), 0]);
    const again = await scene.start(disk.cutPower(3, 'all'), {});
    expect(await ask(await scene.connect(again), 'GET', 'a')).toBe(null);
  });
});
