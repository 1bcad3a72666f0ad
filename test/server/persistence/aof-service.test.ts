/**
 * The AOF in the server: what is written while a rewrite begins is kept once; when a rewrite begins
 * and what becomes of it; what a policy promises.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ask, InProcessScene, type SceneSettings, until } from '../../support/in-process-scene.ts';
import { emptyDisk } from '../../support/in-process-server.ts';
import { ReplyError } from '../../support/resp-reader.ts';

const scene = new InProcessScene();

afterEach(() => scene.end());

it('gives each write to the old files and the base, or to the new file', async () => {
  const fs = emptyDisk();
  const server = await scene.start(fs, { appendfsync: 'no' });
  const client = await scene.connect(server);
  const { aof } = server.server.persistence;
  await ask(client, 'SELECT', '3');
  let count = 0;
  for (let rewrites = 0; rewrites < 3; rewrites++) {
    expect(await ask(client, 'BGREWRITEAOF')).toMatch(/started/);
    const first = count;
    while (aof.rewrites.count === rewrites || aof.rewrites.isRunning) {
      client.write('INCR n\r\n');
      count++;
      await turn();
    }
    for (let i = first; i < count; i++) await client.read();
  }
  const again = await scene.connect(await scene.start(fs.kill()));
  expect(await ask(again, 'DBSIZE')).toBe(0);
  await ask(again, 'SELECT', '3');
  expect(await ask(again, 'GET', 'n')).toBe(String(count));
});

it('answers under a new policy as that policy promises', async () => {
  const fs = emptyDisk();
  const client = await scene.connect(await scene.start(fs, { appendfsync: 'no' }));
  expect(await ask(client, 'SET', 'a', '1')).toBe('OK');
  expect(await ask(client, 'CONFIG', 'SET', 'appendfsync', 'always')).toBe('OK');
  expect(await ask(client, 'SET', 'b', '1')).toBe('OK');
  for (let seed = 0; seed < 4; seed++) {
    const again = await scene.connect(await scene.start(fs.cutPower(seed, 'all')));
    expect(await ask(again, 'MGET', 'a', 'b')).toEqual(['1', '1']);
  }
});

/** A server whose snapshots do not end by themselves. */
async function withSlowSnapshots(settings: SceneSettings = {}) {
  const fs = emptyDisk();
  const server = await scene.start(fs, { 'rdb-key-save-delay': 10_000_000, ...settings });
  const client = await scene.connect(server);
  await client.pipeline([
    ['SET', 'a', '1'],
    ['SET', 'b', '1'],
  ]);
  return { fs, server, client, persistence: server.server.persistence };
}

describe('a rewrite', () => {
  it('runs once, though it is asked for twice', async () => {
    const server = await scene.start(emptyDisk(), { appendfsync: 'no' });
    const client = await scene.connect(server);
    const { aof } = server.server.persistence;
    expect(aof.rewrites).toMatchObject({ count: 0, isScheduled: false, lastOk: true });
    const replies = await client.pipeline([['BGREWRITEAOF'], ['BGREWRITEAOF']]);
    expect(replies.map(({ value }) => value)).toEqual([
      'Background append only file rewriting started',
      new ReplyError('ERR Background append only file rewriting already in progress'),
    ]);
    await until('it is done', () => aof.rewrites.count > 0 && !aof.rewrites.isRunning);
    expect(aof.rewrites).toMatchObject({ count: 1, isScheduled: false, lastOk: true });
    expect(server.log.join('\n')).not.toContain('automatic');
  });

  it('begins by itself when the AOF has grown, and says so', async () => {
    const settings = { appendfsync: 'no', 'auto-aof-rewrite-min-size': 1000 };
    const server = await scene.start(emptyDisk(), settings);
    const client = await scene.connect(server);
    const { aof } = server.server.persistence;
    await ask(client, 'SET', 'a', 'v'.repeat(1000));
    await until('it is done', () => aof.rewrites.count === 1 && !aof.rewrites.isRunning);
    expect(server.log.join('\n')).toContain('Starting automatic rewriting of AOF');
  });

  it('that is asked for during a save changes nothing until its end', async () => {
    const { client, persistence } = await withSlowSnapshots();
    const { aof, snapshots } = persistence;
    await ask(client, 'BGSAVE');
    expect(await ask(client, 'BGREWRITEAOF')).toMatch(/scheduled/);
    for (let i = 0; i < 20; i++) {
      persistence.tick(Date.now());
      await turn();
    }
    expect([aof.rewrites.isRunning, aof.rewrites.isScheduled]).toEqual([false, true]);
    expect(aof.aof.folder.manifest.incrs.length).toBe(1);
    snapshots.abort();
    await until('it begins', () => snapshots.purpose === 'rewrite');
    expect(aof.rewrites.isScheduled).toBe(false);
  });

  it('that has to wait for the files of the last one begins when they are safe', async () => {
    const fs = emptyDisk();
    const server = await scene.start(fs, { appendfsync: 'always' });
    const client = await scene.connect(server);
    const { aof } = server.server.persistence;
    fs.holdSyncs(/\.1\.incr\.aof$/);
    await ask(client, 'BGREWRITEAOF');
    await until('the first is done', () => aof.rewrites.count === 1);
    client.write('BGREWRITEAOF\r\n');
    await until('the second cannot begin', () => aof.rewrites.isScheduled);
    fs.releaseSyncs();
    await until('the second is done', () => aof.rewrites.count === 2);
  });

  it('that finds a snapshot running when it would begin comes behind it, unfailed', async () => {
    const { fs, client, persistence } = await withSlowSnapshots({ appendfsync: 'no' });
    const { aof, rdb, snapshots } = persistence;
    const { folder, schedule } = aof.aof;
    fs.holdSyncs(/manifest$/);
    await ask(client, 'BGREWRITEAOF');
    expect(rdb.begin()).toBe(true);
    fs.releaseSyncs();
    await until('it stands ready', () => folder.manifest.incrs.length === 2);
    for (let i = 0; i < 20; i++) {
      persistence.endTurn();
      await turn();
    }
    expect([snapshots.purpose, aof.rewrites.isRunning]).toEqual(['save', true]);
    await ask(client, 'CONFIG', 'SET', 'rdb-key-save-delay', '0');
    snapshots.abort();
    await until('it has come', () => aof.rewrites.count === 1);
    expect([aof.rewrites.isRunning, schedule.failures]).toEqual([false, 0]);
    expect(folder.manifest.incrs.length).toBe(1);
  });

  it('whose base cannot be written is told as failed, and another one succeeds', async () => {
    const fs = emptyDisk();
    const server = await scene.start(fs, { appendfsync: 'no' });
    const client = await scene.connect(server);
    const { aof } = server.server.persistence;
    await ask(client, 'SET', 'a', '1');
    fs.failWriteOf = /temp-\d/;
    await ask(client, 'BGREWRITEAOF');
    await until('it fails', () => !aof.rewrites.lastOk && !aof.rewrites.isRunning);
    expect(server.log.join('\n')).toMatch(/Background AOF rewrite failed: .*EIO/);
    fs.failWriteOf = undefined;
    expect(await ask(client, 'BGREWRITEAOF')).toMatch(/started/);
    await until('another one succeeds', () => aof.rewrites.count === 1);
    expect(aof.rewrites.lastOk).toBe(true);
  });

  it('is given up when the AOF is switched off, and the next is none the worse', async () => {
    const { fs, server, client, persistence } = await withSlowSnapshots({ appendfsync: 'no' });
    const { aof, snapshots } = persistence;
    await ask(client, 'BGREWRITEAOF');
    await until('it runs', () => snapshots.purpose === 'rewrite');
    await client.pipeline([
      ['CONFIG', 'SET', 'rdb-key-save-delay', '0'],
      ['CONFIG', 'SET', 'appendonly', 'no'],
      ['CONFIG', 'SET', 'appendonly', 'yes'],
    ]);
    await until('it is on', () => aof.aof.state === 'on' && !aof.rewrites.isRunning);
    expect([aof.rewrites.count, aof.rewrites.lastOk]).toEqual([1, true]);
    expect(server.log.join('\n')).not.toContain('rewrite failed');
    await ask(client, 'SET', 'c', '1');
    const again = await scene.connect(await scene.start(fs.kill()));
    expect(await ask(again, 'MGET', 'a', 'b', 'c')).toEqual(['1', '1', '1']);
  });

  it('without an AOF makes room for one that is switched on meanwhile', async () => {
    const { fs, client, persistence } = await withSlowSnapshots({ appendonly: false });
    const { aof, snapshots } = persistence;
    await ask(client, 'BGREWRITEAOF');
    await until('it runs', () => snapshots.purpose === 'rewrite');
    await ask(client, 'CONFIG', 'SET', 'rdb-key-save-delay', '0');
    await ask(client, 'CONFIG', 'SET', 'appendonly', 'yes');
    await until('it is on', () => aof.isOn && aof.aof.state === 'on');
    await ask(client, 'SET', 'c', '1');
    const again = await scene.connect(await scene.start(fs.kill()));
    expect(await ask(again, 'MGET', 'a', 'b', 'c')).toEqual(['1', '1', '1']);
  });

  it('that is being prepared when the AOF is switched off is forgotten', async () => {
    const server = await scene.start(emptyDisk(), { appendfsync: 'no' });
    const client = await scene.connect(server);
    const { persistence, turn: end } = server.server;
    const { aof } = persistence;
    await client.pipeline([['BGREWRITEAOF'], ['CONFIG', 'SET', 'appendonly', 'no']]);
    for (let i = 0; i < 20; i++) {
      persistence.tick(Date.now());
      persistence.endTurn();
      await turn();
    }
    expect(aof.rewrites).toMatchObject({ isRunning: false, isScheduled: false, count: 0 });
    expect([aof.aof.state, end.log]).toEqual(['off', null]);
  });
});

describe('a rewrite without an AOF', () => {
  it('leaves a base and nothing else, and counts as one', async () => {
    const { fs, server, client, persistence } = await withSlowSnapshots({
      appendonly: false,
      'rdb-key-save-delay': 0,
    });
    const { aof } = persistence;
    await ask(client, 'BGREWRITEAOF');
    await until('it is over', () => !aof.rewrites.isRunning);
    expect([aof.rewrites.count, aof.rewrites.lastOk, aof.isOn]).toEqual([1, true, false]);
    expect(server.log.join('\n')).toContain('Background AOF rewrite finished successfully');
    const names = fs.paths().map((path) => path.split('/').at(-1));
    expect(names.filter((name) => name?.includes('aof')).sort()).toEqual([
      'appendonly.aof.1.base.rdb',
      'appendonly.aof.manifest',
    ]);
  });

  it.each([/temp-\w+\.rdb$/, /manifest/])(
    'that cannot write %s is told as failed',
    async (file) => {
      const { fs, server, client, persistence } = await withSlowSnapshots({
        appendonly: false,
        'rdb-key-save-delay': 0,
      });
      const { aof } = persistence;
      fs.failWriteOf = file;
      await ask(client, 'BGREWRITEAOF');
      await until('it is over', () => !aof.rewrites.isRunning);
      expect([aof.rewrites.count, aof.rewrites.lastOk, aof.aof.state]).toEqual([0, false, 'off']);
      expect(server.log.join('\n')).toMatch(/Background AOF rewrite failed: .*EIO/);
    },
  );

  it('that cannot delete its increment is none the less over, and the AOF can be had', async () => {
    const { fs, server, client, persistence } = await withSlowSnapshots({
      appendonly: false,
      'rdb-key-save-delay': 0,
    });
    const { aof } = persistence;
    const next = (fs.kindCalls.get('unlink') ?? 0) + 1;
    fs.breakCallOf('unlink', next, { kind: 'error', code: 'EIO' });
    await ask(client, 'BGREWRITEAOF');
    await until('it is over', () => !aof.rewrites.isRunning);
    expect([aof.rewrites.count, aof.rewrites.lastOk]).toEqual([1, true]);
    expect(server.log.join('\n')).toMatch(/could not delete .*temp-appendonly.aof.incr .*EIO/);
    expect(await ask(client, 'CONFIG', 'SET', 'appendonly', 'yes')).toBe('OK');
    await until('it is on', () => aof.aof.state === 'on');
    expect(aof.isOn).toBe(true);
  });

  it('is given up at the end of the server, and leaves no file', async () => {
    const { fs, server, client, persistence } = await withSlowSnapshots({ appendonly: false });
    await ask(client, 'BGREWRITEAOF');
    await until('it runs', () => persistence.snapshots.purpose === 'rewrite');
    expect([persistence.aof.isOn, persistence.aof.localLog]).toEqual([false, null]);
    await server.abandon();
    expect(fs.paths().filter((path) => /aof/.test(path) || /temp/.test(path))).toEqual([]);
  });
});

describe('the AOF', () => {
  it('is left by a rewrite that stands ready when it is switched off', async () => {
    const { fs, client, persistence } = await withSlowSnapshots({ appendfsync: 'no' });
    const { aof } = persistence;
    const end = vi.spyOn(persistence, 'endTurn').mockImplementation(() => {});
    await ask(client, 'BGREWRITEAOF');
    await until('it stands ready', () => aof.aof.folder.manifest.incrs.length === 2);
    for (let i = 0; i < 20; i++) await turn();
    const suspended = aof.suspend();
    end.mockRestore();
    persistence.endTurn();
    await suspended;
    expect([aof.aof.state, aof.localLog, aof.rewrites.isRunning]).toEqual(['off', null, false]);
    expect(await ask(client, 'SET', 'c', '1')).toBe('OK');
    const again = await scene.connect(await scene.start(fs.kill()));
    expect(await ask(again, 'MGET', 'a', 'b', 'c')).toEqual(['1', '1', null]);
  });

  it('that waits for its first base does not let the server end, unless forced', async () => {
    const { server, client, persistence } = await withSlowSnapshots({ appendonly: false });
    await ask(client, 'CONFIG', 'SET', 'appendonly', 'yes');
    await until('it waits for its base', () => persistence.snapshots.purpose === 'rewrite');
    expect(await ask(client, 'SHUTDOWN', 'NOSAVE')).toMatch(/^ERR Errors trying to SHUTDOWN/);
    expect(server.log.join('\n')).toContain("Writing initial AOF, can't exit.");
    expect(server.exitCode).toBeUndefined();
    client.write('SHUTDOWN NOSAVE FORCE\r\n');
    await until('it ends', () => server.exitCode !== undefined);
    expect(server.exitCode).toBe(0);
    expect(server.log.join('\n')).toContain('Writing initial AOF. Exit anyway.');
  });

  it('whose folder takes no file is not switched on, and says so', async () => {
    const fs = emptyDisk();
    const server = await scene.start(fs, { appendonly: false });
    const client = await scene.connect(server);
    const { aof } = server.server.persistence;
    const next = (fs.kindCalls.get('open') ?? 0) + 1;
    fs.breakCallOf('open', next, { kind: 'error', code: 'EACCES' });
    expect(await ask(client, 'CONFIG', 'SET', 'appendonly', 'yes')).toMatch(
      /^ERR CONFIG SET failed .*'appendonly'\) - Unable to turn on AOF: .*EACCES.*aof\.incr/,
    );
    expect(await ask(client, 'CONFIG', 'GET', 'appendonly')).toEqual(['appendonly', 'no']);
    expect([aof.aof.state, aof.rewrites.isRunning, aof.localLog]).toEqual(['off', false, null]);
    expect(await ask(client, 'SET', 'a', '1')).toBe('OK');
    expect(await ask(client, 'CONFIG', 'SET', 'appendonly', 'yes')).toBe('OK');
    await until('it is on', () => aof.aof.state === 'on');
    const again = await scene.connect(await scene.start(fs.kill()));
    expect(await ask(again, 'GET', 'a')).toBe('1');
  });

  it('that is switched on and off again at once is off, and nothing is rewritten', async () => {
    const server = await scene.start(emptyDisk(), { appendonly: false });
    const { persistence, turn: end } = server.server;
    const { aof } = persistence;
    await Promise.all([aof.goOn(), aof.suspend()]);
    for (let i = 0; i < 20; i++) {
      persistence.endTurn();
      persistence.tick(Date.now());
      await turn();
    }
    expect(aof.rewrites).toMatchObject({ isRunning: false, isScheduled: false, count: 0 });
    expect([aof.aof.state, end.log]).toEqual(['off', null]);
  });

  it('heeds what is set while it runs', async () => {
    const server = await scene.start(emptyDisk(), { appendfsync: 'no' });
    const client = await scene.connect(server);
    const { aof } = server.server.persistence.aof;
    const set = (name: string, value: string): Promise<unknown> =>
      ask(client, 'CONFIG', 'SET', name, value);
    const seen = (): unknown[] => [
      aof.schedule.percentage,
      aof.schedule.minSizeBytes,
      aof.keepHistory,
      aof.appender.checksum,
      aof.appender.timestamps,
    ];
    expect(seen()).toEqual([100, 64 << 20, false, true, false]);
    await set('auto-aof-rewrite-percentage', '7');
    await set('auto-aof-rewrite-min-size', '8');
    await set('aof-disable-auto-gc', 'yes');
    await set('aof-checksum', 'no');
    await set('aof-timestamp-enabled', 'yes');
    expect(seen()).toEqual([7, 8, true, false, true]);
  });

  it('that cannot be written has writes refused from that moment on', async () => {
    const fs = emptyDisk();
    const server = await scene.start(fs, { appendfsync: 'everysec' });
    const client = await scene.connect(server);
    const { persistence } = server.server;
    vi.spyOn(persistence, 'tick').mockImplementation(() => {});
    fs.failWriteOf = /incr/;
    client.write('SET a 1\r\n');
    await until('it fails', () => persistence.aof.aof.lastError !== undefined);
    expect(persistence.isDiskBroken).toBe(true);
    const other = await scene.connect(server);
    expect(await ask(other, 'SET', 'b', '1')).toMatch(/^MISCONF Errors writing to the AOF file/);
    fs.failWriteOf = undefined;
  });

  it('says when it tries to rewrite again after failures', async () => {
    const fs = emptyDisk();
    const server = await scene.start(fs, { appendfsync: 'no' });
    const client = await scene.connect(server);
    const { aof } = server.server.persistence;
    fs.failWriteOf = /temp-\d/;
    for (let i = 1; i <= 3; i++) {
      await ask(client, 'BGREWRITEAOF');
      await until('it fails', () => aof.aof.schedule.failures === i);
    }
    await until('it is said', () => server.log.join('\n').includes('will retry in 1 minutes'));
    fs.failWriteOf = undefined;
  });
});

describe('while a snapshot runs', () => {
  it('under always a write is fsynced before it is answered, unless told otherwise', async () => {
    const { fs, server, client, persistence } = await withSlowSnapshots({ appendfsync: 'always' });
    const observer = await scene.connect(server);
    await ask(client, 'BGSAVE');
    persistence.tick(Date.now());
    fs.holdSyncs();
    client.write('SET c 1\r\n');
    await until('its fsync runs', () => fs.heldSyncs > 0);
    fs.releaseSyncs();
    expect((await client.read()).value).toBe('OK');
    await ask(observer, 'CONFIG', 'SET', 'no-appendfsync-on-rewrite', 'yes');
    persistence.tick(Date.now());
    fs.holdSyncs();
    expect(await ask(client, 'SET', 'd', '1')).toBe('OK');
    expect(fs.heldSyncs).toBe(0);
    persistence.snapshots.abort();
    await turn();
    persistence.tick(Date.now());
    expect(persistence.aof.aof.disk.mustSync).toBe(true);
  });
});
