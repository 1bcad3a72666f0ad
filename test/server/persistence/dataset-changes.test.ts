/** A whole dataset from a file in place of the one that stands, with an AOF. */
import { afterEach, describe, expect, it } from 'vitest';
import type { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import { ask, InProcessScene, until } from '../../support/in-process-scene.ts';
import { DATA_FOLDER, emptyDisk } from '../../support/in-process-server.ts';

const scene = new InProcessScene();
const RECEIVED = `${DATA_FOLDER}/received.rdb`;

afterEach(() => scene.end());

/** A server with keys of its own, and beside them the dump of another, which `change` may break. */
async function withReceived(change: (dump: Uint8Array) => void = () => {}) {
  const disk = emptyDisk();
  const sender = await scene.connect(await scene.start(disk, { appendonly: false }));
  for (let i = 0; i < 50; i++) await ask(sender, 'SET', `new:${i}`, 'v'.repeat(100));
  await ask(sender, 'SAVE');
  const dump = disk.content(`${DATA_FOLDER}/dump.rdb`)!;
  change(dump);
  const fs: FaultyFileSystem = emptyDisk();
  fs.put(RECEIVED, dump);
  const server = await scene.start(fs, { rdbcompression: false });
  const client = await scene.connect(server);
  await ask(client, 'SET', 'old', '1');
  return { fs, client, persistence: server.server.persistence };
}

describe('a dataset that was received', () => {
  it('is there at once, and in the AOF as soon as that goes on', async () => {
    const { fs, client, persistence } = await withReceived();
    // The old AOF is not left before its last fsync: until then its state is still `on`.
    fs.holdSyncs();
    const { logged } = await persistence.changes.replaceBy(RECEIVED);
    expect(await ask(client, 'MGET', 'old', 'new:0')).toEqual([null, 'v'.repeat(100)]);
    fs.releaseSyncs();
    await logged;
    await until('the AOF is on', () => persistence.aof.aof.state === 'on');
    await ask(client, 'SET', 'newer', '1');
    const again = await scene.connect(await scene.start(fs.kill()));
    expect(await ask(again, 'DBSIZE')).toBe(51);
    expect(await ask(again, 'MGET', 'old', 'newer')).toEqual([null, '1']);
  });

  it('and is damaged is not there in part; a restart finds what was before', async () => {
    const { fs, client, persistence } = await withReceived((dump) => {
      dump[dump.length - 1]! ^= 1;
    });
    await expect(persistence.changes.replaceBy(RECEIVED)).rejects.toThrow(/CRC/);
    expect(await ask(client, 'DBSIZE')).toBe(0);
    const again = await scene.connect(await scene.start(fs.kill()));
    expect(await ask(again, 'KEYS', '*')).toEqual(['old']);
  });
});
