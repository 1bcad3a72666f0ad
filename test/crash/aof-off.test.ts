/**
 * The AOF being switched off, and an end that does not come about: what was written before is kept
 * and answered as was promised then, and what goes on goes on being kept. And a rewrite where there
 * is no AOF.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { ask, InProcessScene, until } from '../support/in-process-scene.ts';
import { emptyDisk } from '../support/in-process-server.ts';

const scene = new InProcessScene();

afterEach(() => scene.end());

describe('switching off', () => {
  it('takes along what the same turn wrote before', async () => {
    const fs = emptyDisk();
    const client = await scene.connect(await scene.start(fs, { appendfsync: 'everysec' }));
    await client.pipeline([
      ['SET', 'a', '1'],
      ['CONFIG', 'SET', 'appendonly', 'no'],
      ['SET', 'b', '1'],
    ]);
    const again = await scene.connect(await scene.start(fs.kill()));
    expect(await ask(again, 'MGET', 'a', 'b')).toEqual(['1', null]);
  });

  it('is told by INFO from then on, not from its last fsync on', async () => {
    const fs = emptyDisk();
    const server = await scene.start(fs, { appendfsync: 'everysec' });
    const [client, other] = [await scene.connect(server), await scene.connect(server)];
    await ask(client, 'SET', 'a', '1');
    const before = await ask(other, 'INFO', 'persistence');
    expect(before).toContain('aof_enabled:1\r\n');
    expect(before).toContain('aof_current_size');
    fs.holdSyncs();
    client.write('CONFIG SET appendonly no\r\n');
    await until('it is off', () => server.server.turn.log === null);
    const after = await ask(other, 'INFO', 'persistence');
    expect(after).toContain('aof_enabled:0\r\n');
    expect(after).not.toContain('aof_current_size');
    fs.releaseSyncs();
    expect((await client.read()).value).toBe('OK');
  });

  it('under always answers what was written before when it is fsynced', async () => {
    const fs = emptyDisk();
    const server = await scene.start(fs, { appendfsync: 'always' });
    const [client, other] = [await scene.connect(server), await scene.connect(server)];
    const { turn, persistence } = server.server;
    fs.holdSyncs();
    client.write('SET a 1\r\n');
    await until('its fsync runs', () => fs.heldSyncs > 0);
    other.write('CONFIG SET appendonly no\r\n');
    await until('it is off', () => turn.log === null);
    // As does a dataset that takes the place of the old one.
    const suspended = persistence.aof.suspend();
    turn.progress();
    expect(turn.isHolding).toBe(true);
    expect(client.unread.replies).toEqual([]);
    fs.releaseSyncs();
    await suspended;
    expect((await client.read()).value).toBe('OK');
    expect((await other.read()).value).toBe('OK');
    expect(persistence.aof.aof.state).toBe('off');
    // From here on nothing is promised, and nobody waits.
    fs.holdSyncs();
    expect(await ask(client, 'SET', 'b', '1')).toBe('OK');
    const again = await scene.connect(await scene.start(fs.cutPower(1, 'all')));
    expect(await ask(again, 'MGET', 'a', 'b')).toEqual(['1', null]);
  });
});

describe('an end that the disk prevents', () => {
  it('leaves the AOF as it was: it goes on, and a later end succeeds', async () => {
    const fs = emptyDisk();
    const server = await scene.start(fs, { appendfsync: 'everysec' });
    const [client, other] = [await scene.connect(server), await scene.connect(server)];
    const { aof } = server.server.persistence.aof;
    fs.failWriteOf = /incr/;
    client.write('SET a 1\r\n');
    await until('the write fails', () => aof.lastError !== undefined);
    expect(await ask(other, 'SHUTDOWN')).toBe('ERR Errors trying to SHUTDOWN. Check logs.');
    expect(aof.state).toBe('on');
    fs.failWriteOf = undefined;
    expect((await client.read()).value).toBe('OK');
    expect(await ask(other, 'SET', 'b', '1')).toBe('OK');
    other.write('SHUTDOWN\r\n');
    await until('it ends', () => server.exitCode !== undefined);
    expect(server.exitCode).toBe(0);
    const again = await scene.connect(await scene.start(fs.cutPower(3, 'all')));
    expect(await ask(again, 'MGET', 'a', 'b')).toEqual(['1', '1']);
  });
});

describe('a rewrite without an AOF', () => {
  it('leaves a base alone, and nothing is appended behind it', async () => {
    const fs = emptyDisk();
    const server = await scene.start(fs, { appendonly: false });
    const client = await scene.connect(server);
    const { persistence, turn } = server.server;
    const { aof } = persistence;
    await ask(client, 'SET', 'a', '1');
    await ask(client, 'BGREWRITEAOF');
    await until('it is done', () => aof.rewrites.count === 1 && aof.aof.state === 'off');
    await ask(client, 'SET', 'b', '1');
    expect(aof.aof.folder.manifest.incrs).toEqual([]);
    expect([aof.isOn, aof.rewrites.isRunning, turn.log]).toEqual([false, false, null]);
    const again = await scene.connect(await scene.start(fs.kill()));
    expect(await ask(again, 'MGET', 'a', 'b')).toEqual(['1', null]);
  });

  it('is no hindrance to an AOF that is switched on behind it', async () => {
    const fs = emptyDisk();
    const server = await scene.start(fs, { appendonly: false });
    const client = await scene.connect(server);
    const { aof } = server.server.persistence;
    await ask(client, 'SET', 'a', '1');
    await ask(client, 'BGREWRITEAOF');
    await until('it is done', () => aof.rewrites.count === 1 && aof.aof.state === 'off');
    await ask(client, 'CONFIG', 'SET', 'appendonly', 'yes');
    await until('the AOF is on', () => aof.aof.state === 'on');
    expect(aof.isOn).toBe(true);
    await ask(client, 'SET', 'b', '1');
    const again = await scene.connect(await scene.start(fs.kill()));
    expect(await ask(again, 'MGET', 'a', 'b')).toEqual(['1', '1']);
  });

  it('counts as none, and does not stand in the way of an end', async () => {
    const fs = emptyDisk();
    const server = await scene.start(fs, { appendonly: false });
    const [client, other] = [await scene.connect(server), await scene.connect(server)];
    const { persistence } = server.server;
    for (let i = 0; i < 20; i++) await ask(client, 'SET', `k${i}`, '1');
    await ask(client, 'CONFIG', 'SET', 'rdb-key-save-delay', '10000000');
    await ask(client, 'BGREWRITEAOF');
    await until('it runs', () => persistence.snapshots.purpose === 'rewrite');
    expect(await ask(client, 'INFO', 'persistence')).toContain('aof_enabled:0\r\n');
    expect(await ask(client, 'WAITAOF', '1', '0', '0')).toMatch(/^ERR .*appendonly is disabled/);
    other.write('SHUTDOWN NOSAVE\r\n');
    await until('it ends', () => server.exitCode !== undefined);
    expect(server.exitCode).toBe(0);
  });
});
