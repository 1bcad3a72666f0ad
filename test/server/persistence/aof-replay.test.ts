/** Commands of an AOF that cannot be executed, or fail: what is refused, and what is told. */
import { afterEach, expect, it } from 'vitest';
import { encodeCommand } from '../../../src/replication/handshake.ts';
import type { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import { ask, InProcessScene, until } from '../../support/in-process-scene.ts';
import { DATA_FOLDER, emptyDisk } from '../../support/in-process-server.ts';

const scene = new InProcessScene({ databases: 4 });
const FILE = `${DATA_FOLDER}/appendonlydir/appendonly.aof.1.incr.aof`;

afterEach(() => scene.end());

/** A disk with an AOF of these commands, their words parted by spaces. */
function diskWith(...commands: string[]): FaultyFileSystem {
  const disk = emptyDisk();
  const manifest = 'file appendonly.aof.1.incr.aof seq 1 type i\n';
  disk.put(`${DATA_FOLDER}/appendonlydir/appendonly.aof.manifest`, Buffer.from(manifest));
  const text = commands.map((one) => encodeCommand(one.split(' '))).join('');
  disk.put(FILE, Buffer.from(text, 'latin1'));
  return disk;
}

it('one that fails is told with its place, and the others are loaded', async () => {
  const first = encodeCommand(['SET', 's', '1']).length;
  const server = await scene.start(
    diskWith('SET s 1', 'LPUSH s x', 'MULTI', 'SET a 1', 'SET s 2 IFEQ 1', 'EXEC', 'LPUSH s x'),
  );
  const client = await scene.connect(server);
  expect(await ask(client, 'MGET', 's', 'a')).toEqual(['1', '1']);
  const told = server.log.filter((line) => line.includes('== CRITICAL =='));
  expect(told).toHaveLength(2);
  expect(told[0]).toContain(
    "== CRITICAL == This server is sending an error to its AOF-loading-client: '-WRONGTYPE ",
  );
  expect(told[0]).toContain(`the command 'lpush', at offset ${first} of ${FILE}.`);
  expect(told[1]).toContain("'-ERR syntax error' after processing the command 'set'");
  expect(server.log.join('\n')).toContain('so that what they did is missing: 3. Keep a copy');
  const stats = String(await ask(client, 'INFO', 'stats'));
  expect(stats).toContain('unexpected_error_replies:3');
});

it('HINCRBYFLOAT of a server that calls it HSETEX is loaded', async () => {
  const server = await scene.start(diskWith('HSETEX h KEEPTTL FIELDS 1 f 1.5', 'SET s 1'));
  const client = await scene.connect(server);
  expect(await ask(client, 'HGETALL', 'h')).toEqual(['f', '1.5']);
  expect(await ask(client, 'GET', 's')).toBe('1');
});

it('one that fails is told without what its error quotes, where the log hides that', async () => {
  const hiding = { 'hide-user-data-from-log': true };
  const server = await scene.start(diskWith('XREADGROUP GROUP g c STREAMS key >'), hiding);
  const told = server.log.filter((line) => line.includes('== CRITICAL =='));
  expect(told).toHaveLength(1);
  expect(told[0]).toContain("'-NOGROUP *redacted*' after processing the command 'xreadgroup'");
  await server.abandon();
  const panic = { ...hiding, 'propagation-error-behavior': 'panic' };
  await expect(scene.start(diskWith('SET s 1', 'LPUSH s x'), panic)).rejects.toThrow(
    /^'LPUSH' fails with 'WRONGTYPE \*redacted\*' /,
  );
});

it('one that fails is refused where errors are to be no matter of course', async () => {
  const settings = { 'propagation-error-behavior': 'panic' };
  await expect(scene.start(diskWith('SET s 1', 'LPUSH s x'), settings)).rejects.toThrow(
    /^'LPUSH' fails with 'WRONGTYPE [^']*' reading the append only file .*, offset 27 of 56\./,
  );
});

it('a database that there is not is refused, and none is written to instead', async () => {
  const disk = diskWith('SELECT 0', 'SET a ours', 'SELECT 4', 'SET a theirs');
  await expect(scene.start(disk)).rejects.toThrow(
    /^The data of database 4, but there are only 4, reading .*, offset 53 of 108\. Raise 'data/,
  );
  const server = await scene.start(disk, { databases: 5 });
  expect(await ask(await scene.connect(server), 'GET', 'a')).toBe('ours');
});

it('RESTORE of what is over by now brings it, since it may have been given more time', async () => {
  const disk = emptyDisk();
  const server = await scene.start(disk);
  const client = await scene.connect(server);
  const payload = '\x00\xc0\x01\x0a\x00&x\xe7\xb6\xd1\x01\x11\xfc';
  const soon = Date.now() + 300;
  expect(await ask(client, 'RESTORE', 'a', soon, payload, 'ABSTTL')).toBe('OK');
  expect(await ask(client, 'RESTORE', 'b', soon, payload, 'ABSTTL')).toBe('OK');
  expect(await ask(client, 'PERSIST', 'a')).toBe(1);
  await until('b is over', async () => (await ask(client, 'EXISTS', 'b')) === 0);
  await server.abandon();
  const again = await scene.connect(await scene.start(disk.kill()));
  expect(await ask(again, 'MGET', 'a', 'b')).toEqual(['1', null]);
});

it('the cache of scripts, which older servers log, is passed over', async () => {
  const server = await scene.start(diskWith('SCRIPT LOAD return', 'SCRIPT FLUSH', 'SET a 1'));
  expect(await ask(await scene.connect(server), 'GET', 'a')).toBe('1');
  await expect(scene.start(diskWith('SCRIPT KILL'))).rejects.toThrow("Unknown command 'SCRIPT'");
});
