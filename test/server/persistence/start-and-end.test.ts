/**
 * What a server starts from and what it leaves at its end, and that a save and a rewrite do not
 * come into each other's way.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ask, InProcessScene, until } from '../../support/in-process-scene.ts';
import { DATA_FOLDER, emptyDisk } from '../../support/in-process-server.ts';
import { encodeCommand } from '../../support/raw-client.ts';

const scene = new InProcessScene();
const DUMP = `${DATA_FOLDER}/dump.rdb`;

afterEach(() => scene.end());

describe('a start with appendonly yes', () => {
  it('takes in the single file of an older server', async () => {
    const fs = emptyDisk();
    fs.put(`${DATA_FOLDER}/appendonly.aof`, encodeCommand(['SET', 'a', '1']));
    const server = await scene.start(fs);
    const client = await scene.connect(server);
    expect(await ask(client, 'GET', 'a')).toBe('1');
    expect(server.log.join('\n')).toContain('Took appendonly.aof of an older server');
    await ask(client, 'SET', 'b', '1');
    const again = await scene.connect(await scene.start(fs.kill()));
    expect(await ask(again, 'MGET', 'a', 'b')).toEqual(['1', '1']);
  });

  it('goes on from a dump where there is no AOF yet', async () => {
    const fs = emptyDisk();
    const first = await scene.connect(await scene.start(fs, { appendonly: false }));
    await ask(first, 'SET', 'a', '1');
    expect(await ask(first, 'SAVE')).toBe('OK');
    const next = fs.kill();
    const client = await scene.connect(await scene.start(next));
    expect(await ask(client, 'GET', 'a')).toBe('1');
    await ask(client, 'SET', 'b', '1');
    const again = await scene.connect(await scene.start(next.kill()));
    expect(await ask(again, 'MGET', 'a', 'b')).toEqual(['1', '1']);
  });

  it('says of each file what it is', async () => {
    const fs = emptyDisk();
    const server = await scene.start(fs);
    const client = await scene.connect(server);
    const { aof } = server.server.persistence;
    const said = (name: RegExp): string[] =>
      fs
        .paths()
        .filter((path) => name.test(path))
        .map((path) => /aof-base\xc0(.)/s.exec(Buffer.from(fs.content(path)!).toString('latin1'))!)
        .map((found) => (found[1] === '\x01' ? 'base' : 'dump'));
    expect(said(/\.base\.rdb$/)).toEqual(['base']);
    await ask(client, 'SET', 'a', '1');
    await ask(client, 'SAVE');
    await ask(client, 'BGREWRITEAOF');
    await until('it is rewritten', () => aof.rewrites.count === 1);
    expect([said(/dump\.rdb$/), said(/\.2\.base\.rdb$/)]).toEqual([['dump'], ['base']]);
  });

  it('serves nobody until what was loaded is safe and writes can be kept', async () => {
    const fs = emptyDisk();
    await ask(await scene.connect(await scene.start(fs)), 'SET', 'a', '1');
    const next = fs.kill();
    const unixsocket = join(mkdtempSync(join(DATA_FOLDER, 'cairn-start-')), 's');
    next.holdSyncs(/incr/);
    const starting = scene.start(next, { unixsocket });
    await until('it syncs what it has loaded', () => next.heldSyncs > 0);
    const socket = connect(unixsocket);
    const answer = once(socket, 'data');
    socket.write('SET b 1\r\n');
    expect(String(await answer)).toMatch(/^-LOADING /);
    next.releaseSyncs();
    await starting;
    const served = once(socket, 'data');
    socket.write('GET a\r\n');
    expect(String(await served)).toBe('$1\r\n1\r\n');
    socket.destroy();
    rmSync(dirname(unixsocket), { recursive: true });
  });

  it('has who writes first wait until that can be kept', async () => {
    const fs = emptyDisk();
    const unixsocket = join(mkdtempSync(join(DATA_FOLDER, 'cairn-start-')), 's');
    fs.holdSyncs();
    const starting = scene.start(fs, { unixsocket, appendfsync: 'always' });
    await until('it makes its files', () => fs.heldSyncs > 0);
    const socket = connect(unixsocket);
    let answer = '';
    socket.on('data', (bytes) => {
      answer += String(bytes);
    });
    await new Promise<void>((resolve) => void socket.write('SET a 1\r\n', () => resolve()));
    for (let i = 0; i < 20; i++) await turn();
    expect(answer).toBe('');
    fs.releaseSyncs();
    const { log } = await starting;
    await until('it is answered', () => answer === '+OK\r\n');
    expect(log.join('\n')).not.toContain('There is no AOF yet');
    socket.destroy();
    rmSync(dirname(unixsocket), { recursive: true });
    const again = await scene.connect(await scene.start(fs.kill()));
    expect(await ask(again, 'GET', 'a')).toBe('1');
  });

  it('from a damaged dump is refused with what to do, and changes nothing', async () => {
    const fs = emptyDisk();
    fs.put(DUMP, Buffer.from('REDIS0011 and no more'));
    const before = fs.paths();
    await expect(scene.start(fs)).rejects.toThrow(/dump\.rdb: .*cairn check-rdb/);
    expect(fs.paths()).toEqual(before);
  });

  it('counts nothing as unsaved that it has loaded', async () => {
    const fs = emptyDisk();
    const first = await scene.connect(await scene.start(fs));
    await ask(first, 'SET', 'a', '1');
    const { server } = await scene.start(fs.kill());
    expect(server.keyspace.dirty).toBe(0);
  });
});

describe('the end', () => {
  it.each([
    ['SHUTDOWN NOSAVE', '3600 1', false],
    ['SHUTDOWN SAVE', '', true],
    ['SHUTDOWN', '3600 1', true],
    ['SHUTDOWN', '', false],
  ])('by %s with save points %j leaves a dump: %s', async (words, save, isThere) => {
    const fs = emptyDisk();
    const server = await scene.start(fs, { appendonly: false, save });
    const client = await scene.connect(server);
    await ask(client, 'SET', 'a', '1');
    client.write(`${words}\r\n`);
    await until('it ends', () => server.exitCode !== undefined);
    expect(server.exitCode).toBe(0);
    expect(fs.content(DUMP) !== undefined).toBe(isThere);
  });

  it.each(['BGSAVE', 'BGREWRITEAOF'])('during %s gives that up and saves all', async (words) => {
    const fs = emptyDisk();
    const server = await scene.start(fs, { save: '3600 1', 'rdb-key-save-delay': 10_000_000 });
    const client = await scene.connect(server);
    const { snapshots } = server.server.persistence;
    await ask(client, 'MSET', 'a', '1', 'b', '1');
    await ask(client, words);
    await until('it runs', () => snapshots.isRunning);
    await ask(client, 'CONFIG', 'SET', 'rdb-key-save-delay', '0');
    await ask(client, 'SET', 'c', '1');
    client.write('SHUTDOWN\r\n');
    await until('it ends', () => server.exitCode !== undefined);
    expect(server.exitCode).toBe(0);
    const next = fs.kill();
    for (const appendonly of [false, true]) {
      const again = await scene.connect(await scene.start(next, { appendonly }));
      expect(await ask(again, 'MGET', 'a', 'b', 'c')).toEqual(['1', '1', '1']);
    }
  });

  it('is refused while the AOF cannot be brought to disk, unless forced', async () => {
    const fs = emptyDisk();
    const server = await scene.start(fs, { appendfsync: 'no' });
    const client = await scene.connect(server);
    await ask(client, 'SET', 'a', '1');
    fs.failSyncOf = /incr/;
    expect(await ask(client, 'SHUTDOWN', 'NOSAVE')).toMatch(/^ERR Errors trying to SHUTDOWN/);
    expect(server.exitCode).toBeUndefined();
    client.write('SHUTDOWN NOSAVE FORCE\r\n');
    await until('it ends', () => server.exitCode !== undefined);
    expect(server.exitCode).toBe(0);
    expect(server.log.join('\n')).toMatch(/The AOF is not on disk completely: .*EIO/);
  });
});

describe('while a rewrite runs', () => {
  it('a save is refused, or waits until it is over', async () => {
    const fs = emptyDisk();
    const server = await scene.start(fs, { 'rdb-key-save-delay': 10_000_000 });
    const client = await scene.connect(server);
    const { aof, rdb, snapshots } = server.server.persistence;
    await ask(client, 'MSET', 'a', '1', 'b', '1');
    await ask(client, 'BGREWRITEAOF');
    expect(await ask(client, 'BGSAVE')).toMatch(/^ERR Another child process is active/);
    expect(await ask(client, 'BGSAVE', 'SCHEDULE')).toBe('Background saving scheduled');
    await until('it runs', () => snapshots.purpose === 'rewrite');
    expect(await ask(client, 'BGSAVE')).toMatch(/^ERR Another child process is active/);
    await ask(client, 'CONFIG', 'SET', 'rdb-key-save-delay', '0');
    snapshots.abort();
    await until('the save is done', () => rdb.saves === 1);
    expect([aof.rewrites.isRunning, rdb.scheduled]).toEqual([false, false]);
    expect(fs.content(DUMP)).toBeDefined();
  });
});

describe('a save that is wanted and fails', () => {
  it('has writes refused from then on, until it is not wanted any more', async () => {
    const fs = emptyDisk();
    const server = await scene.start(fs, { appendonly: false, save: '3600 1' });
    const client = await scene.connect(server);
    const { persistence } = server.server;
    vi.spyOn(persistence, 'tick').mockImplementation(() => {});
    fs.failWriteOf = /temp-/;
    expect(persistence.rdb.begin()).toBe(true);
    await persistence.rdb.ending();
    expect(await ask(client, 'SET', 'a', '1')).toMatch(/^MISCONF .* RDB snapshots/);
    await ask(client, 'CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no');
    expect(await ask(client, 'SET', 'a', '1')).toBe('OK');
    await ask(client, 'CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'yes');
    expect(await ask(client, 'SET', 'a', '1')).toMatch(/^MISCONF /);
    await ask(client, 'CONFIG', 'SET', 'save', '');
    expect(await ask(client, 'SET', 'a', '1')).toBe('OK');
  });
});
